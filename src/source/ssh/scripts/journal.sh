# Prints a unit's entries in the journal as JSON, one in a line. It ends with the line to pgbaton.
# Arguments: unit, the entry to begin with or nothing, else the second of Unix time to begin with, 1 to go on at the end.
export LC_ALL=C
command -v journalctl >/dev/null || exit 20
unit=$1 cursor=$2 since=$3 on=$4
exec 4<&0
cat <&4 >/dev/null 2>&1 &
line=$!
set -- --no-pager --all --output=json --output-fields=MESSAGE,_PID,SYSLOG_IDENTIFIER "--unit=$unit"
[ "$on" = 1 ] && set -- "$@" --follow --no-tail
if [ -n "$cursor" ]; then set -- "$@" "--cursor=$cursor"; else set -- "$@" "--since=@$since"; fi
journalctl "$@" 4<&- &
reader=$!
trap 'kill $line $reader 2>/dev/null' EXIT
while kill -0 $line 2>/dev/null && kill -0 $reader 2>/dev/null; do sleep 0.5; done
