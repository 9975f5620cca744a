# Tells of the folder of Airflow's DAGs: its mount by the kernel's table, how its disk answers, and its files. Whoever touches a disk that hangs may
# not be killable: so one process at most does, whoever asks and however often. Nobody waits for it, and it holds a lock until it ends.
# Arguments: the folder, tenths of a second to wait for its disk, seconds between two counts of its files.
export LC_ALL=C
folder=$1 wait=$2 every=$3
awk -v p="$folder" '
    function plain(t) { gsub(/\\040/, " ", t); gsub(/\\011/, "\t", t); gsub(/\\134/, "\\", t); return t }
    { m = plain($2); if ((m == "/" || index(p "/", m "/") == 1) && length(m) >= length(b)) { b = m; f = plain($1); t = $3; o = $4 } }
    END { if (b) print "mount " b "\nfrom " f "\ntype " t "\noptions " o }' /proc/self/mounts
umask 077
# What was told before a boot is of another clock.
own=/tmp/pgbaton-dags-$(id -u)-$({ cat /proc/sys/kernel/random/boot_id && printf %s "$folder"; } | cksum | cut -d' ' -f1)
mkdir "$own" 2>/dev/null
# Another's folder of this name would be another's word.
if [ -L "$own" ] || ! [ -O "$own" ]; then echo "fails $own is not ours, where it is kept who asks"; exit 0; fi
# Hundredths of a second that nobody sets back.
now() { IFS=' .' read -r whole part _ </proc/uptime && now=${whole}${part}; }
age() { now; read -r since <"$own/since" 2>/dev/null || since=$now; age=$((now - since)); }
free() { flock -n "$own/lock" true; }
# While the files are counted the disk is not asked beside: each of them is a sign that it answers.
# The count may end between any two looks at its file.
counting() { seen=$(date -r "$own/counting" +%s%N 2>/dev/null) && [ $(($(date +%s%N) - seen)) -lt $((wait * 100000000)) ]; }
touches() {
    flock -w 0.3 9 || exit
    rm -f "$own/counting"
    now && echo "$now" >"$own/since"
    device=
    if room=$(stat -f -c '%S %b %f %a %c %d' -- "$folder/." 2>&1) && device=$(stat -L -c '%d %m' -- "$folder/." 2>&1); then
        found="room $room $device"
    else
        found=$(printf 'fails %s' "${device:-$room}" | head -n 1)
    fi
    now && printf '%s\n%s\n' "ended $now" "$found" >"$own/told.new" && mv "$own/told.new" "$own/told"
    [ "${found#room}" != "$found" ] || exit
    [ $(($(date +%s) - $(date -r "$own/files" +%s 2>/dev/null || echo 0))) -ge "$every" ] || exit
    stdbuf -oL find "$folder/." \( -name '*.py' -type f -printf '%T@ %s %P\n' -o -printf '.\n' \) >"$own/counting" || exit
    grep -v '^\.$' "$own/counting" | sort -n >"$own/list"
    {
        echo "files $(wc -l <"$own/list") $(cksum <"$own/list" | tr ' ' -)"
        tail -n 1 "$own/list" | sed 's/^/newest /'
    } >"$own/files.new"
    mv "$own/files.new" "$own/files"
    rm -f "$own/counting"
}
told() { grep -v '^ended' "$own/told"; }
now && begun=$now
if ! free && { counting || { age && [ "$age" -ge $((wait * 10)) ]; }; }; then
    if counting; then told; else echo "hangs ${age}0"; fi
else
    (touches) 9>"$own/lock" </dev/null >/dev/null 2>&1 &
    left=$wait pause=0.03
    while [ "$left" -gt 0 ]; do
        sleep $pause
        ended=$(sed -n 's/^ended //p' "$own/told" 2>/dev/null)
        if [ "${ended:-0}" -ge "$begun" ]; then
            told
            break
        fi
        left=$((left - 1)) pause=0.1
    done
    if [ "$left" = 0 ]; then
        if counting; then told; else age && echo "hangs ${age}0"; fi
    fi
fi
[ -s "$own/files" ] && echo "counted $((($(date +%s%N) - $(date -r "$own/files" +%s%N)) / 1000000))" && cat "$own/files"
exit 0
