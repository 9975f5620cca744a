# Prints a file from a place on and goes on as it grows. It ends when the file was emptied or replaced, and with the line to pgbaton.
# Arguments: folder, file name, device:inode that it must have, first byte, seconds between two looks, 1 to go on at the end,
# and where the name changes with time the pattern of the names: the newest one counts.
export LC_ALL=C
folder=$1 file=$1/$2 id=$3 from=$4 pace=$5 on=$6 pattern=$7
exec 4<&0
cat <&4 >/dev/null 2>&1 &
line=$!
trap 'kill $line 2>/dev/null' EXIT
[ -e "$file" ] || exit 20
[ -r "$file" ] || exit 21
exec 3<"$file" || exit 21
[ "$(stat -L -c %d:%i /proc/self/fd/3)" = "$id" ] || exit 22
[ "$from" = 0 ] || dd bs=1 skip="$from" count=0 <&3 2>/dev/null
newest() { cd "$folder" && IFS= && stat -L -c '%.9Y %d:%i' -- $pattern 2>/dev/null | sort -rn | sed -n '1s/.* //p'; }
still=0 round=0 changed= first=
while kill -0 $line 2>/dev/null; do
    set -- $(stat -L -c '%d:%i %s %.9Y' /proc/self/fd/3 "$file" 2>/dev/null)
    size=$2 now=$4
    read -r _ at </proc/$$/fdinfo/3
    [ "$size" -lt "$at" ] && exit 23
    if [ "$3" != "$changed" ]; then
        # It can have been emptied and have grown again since the last look: then it begins otherwise.
        changed=$3 begins=$(od -An -v -tx1 -N128 /proc/self/fd/3)
        case $begins in "$first"*) first=$begins ;; *) exit 23 ;; esac
    fi
    if [ "$size" -gt "$at" ]; then
        cat <&3 || exit 21
        still=0
        [ $((size - at)) -gt 262144 ] && continue
    else
        [ "$on" = 1 ] || exit 24
        round=$((round + 1))
        if [ -n "$pattern" ]; then
            now=
            if [ $((round % 8)) = 0 ] || [ $still -gt 0 ]; then now=$(newest); fi
        fi
        if [ -n "$now" ] && [ "$now" != "$id" ]; then
            still=$((still + 1))
            [ $still -gt 4 ] && exit 25
        elif [ -n "$now" ]; then
            still=0
        fi
    fi
    [ "$on" = 1 ] && sleep "$pace"
done
exit 26
