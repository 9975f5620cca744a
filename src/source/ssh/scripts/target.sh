# Tells of the machine on which tasks work: its load, the room on a disk, and where it has a folder for each task, those.
# Arguments: a folder on the disk, and the folder with GUARD/DAG/RUN/TASK/MAP_INDEX, or nothing.
export LC_ALL=C
echo "load $(cat /proc/loadavg)"
echo "cpus $(nproc)"
# Whoever asks a disk that hangs may not be killable, so nobody waits for it.
ask() { (timeout -s KILL 3 "$@" 2>&1 &) | timeout -s KILL 3 cat; }
device=$(ask stat -L -c '%d %m' -- "$1/.")
case $device in
    [0-9]*) echo "room $(ask stat -f -c '%S %b %f %a %c %d' -- "$1/.") $device" ;;
    *) echo "unread ${device:-it does not answer within 3 s}" ;;
esac
[ -n "$2" ] || exit 0
case $(ask stat -L -c %F -- "$2") in
    directory) ;;
    *) echo "unguarded"; exit 0 ;;
esac
echo "guarded"
ask find "$2/." -mindepth 4 -maxdepth 5 -printf '%y %T@ %d %P\n' | grep -E '^d [^ ]+ 4 |^. [^ ]+ 5 .*/done$' | sort -k2n | tail -n 4000 | sed 's/^/guard /'
exit 0
