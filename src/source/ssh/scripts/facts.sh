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
while [ $# -ge 2 ]; do
    device='' room=''
    if device=$(timeout -s KILL 3 stat -L -c '%d %m' -- "$2" 2>&1) &&
        room=$(timeout -s KILL 3 stat -f -c '%S %b %f %a %c %d' -- "$2" 2>&1); then
        printf 'place %s %s %s\n' "$1" "$room" "$device"
    elif [ $? = 137 ]; then
        echo "hung $1"
    else
        printf 'unread %s %s\n' "$1" "${room:-$device}"
    fi
    shift 2
done 2>/dev/null
exit 0
