# Tells of a node: its clock, load, memory, boot, units, who is logged in, and the file systems under folders. What hangs is left after 3 s.
# Arguments: for each folder a word for it and its path.
export LC_ALL=C
echo "clock $(date +%s.%N)"
echo "load $(cat /proc/loadavg)"
echo "cpus $(nproc)"
grep -E '^(MemTotal|MemAvailable|SwapTotal|SwapFree):' /proc/meminfo
grep '^oom_kill ' /proc/vmstat
echo "boot $(cat /proc/sys/kernel/random/boot_id)"
echo "uptime $(cat /proc/uptime)"
if [ -d /run/systemd/system ]; then
    told=$(timeout -s KILL 3 systemctl show --no-pager \
        --property=Id,LoadState,ActiveState,SubState,Result,NRestarts,StateChangeTimestampMonotonic \
        'patroni*.service' 'postgresql*.service' 'etcd*.service' 'haproxy*.service') && echo units && printf '%s\n' "$told" | sed 's/^/unit /'
    timeout -s KILL 3 timedatectl show --property=NTPSynchronized
fi
command -v who >/dev/null && echo logins && who | sed 's/^/login /'
# A disk that hangs can keep who asks it from being killed. So nobody waits for who asks, and who waits still from the time before is not joined.
# The dot at the end tells them from all others.
ask() { (timeout -s KILL 3 stat "$@" 2>&1 &) | timeout -s KILL 3 cat; }
waits() { printf '%s/.' "$1" | grep -slzFxf - /proc/[0-9]*/cmdline | head -n 1; }
hung=
while [ $# -ge 2 ]; do
    device='' room='' late=
    if [ -n "$hung" ] && [ "${2#"$hung"/}" != "$2" ]; then
        late=1
    elif old=$(waits "$2") && [ -n "$old" ] && sleep 1 && [ "$(waits "$2")" = "$old" ]; then
        late=1 hung=$2
    else
        device=$(ask -L -c '%d %m' -- "$2/.")
        case $device in [0-9]*) room=$(ask -f -c '%S %b %f %a %c %d' -- "$2/.") ;; esac
        case $device,$room in ,* | [0-9]*,) late=1 hung=$2 ;; esac
    fi
    case $device,$room in
        [0-9]*,[0-9]*) printf 'place %s %s %s\n' "$1" "$room" "$device" ;;
        *) if [ -n "$late" ]; then echo "hung $1"; else printf 'unread %s %s\n' "$1" "${room:-$device}"; fi ;;
    esac
    shift 2
done 2>/dev/null
exit 0
