# Prints HAProxy's configuration: for how long it is unchanged, for how long the newest HAProxy runs that was started with it, seconds, then the bytes.
# Argument: the file.
export LC_ALL=C
file=$1
# A disk that hangs can keep who asks it from being killed. So nobody waits for who asks.
told=$( (timeout -s KILL 3 stat -L -c 'is %s %Y %F' -- "$file" 2>&1 &) | timeout -s KILL 3 cat)
set -- $told
case $told in
    "is "*" regular "*) ;;
    "is "*) echo "unread it is no file"; exit 0 ;;
    *) told=${told##*: }; echo "unread ${told:-it does not answer within 3 s}"; exit 0 ;;
esac
[ -r "$file" ] || { echo "unread Permission denied"; exit 0; }
[ "$2" -le 900000 ] || { echo "unread it has $2 bytes, more than are read"; exit 0; }
echo "changed $(($(date +%s) - $3))"
ps -eww -o etimes=,args= 2>/dev/null | file=$file awk '
    $2 ~ /(^|\/)haproxy$/ {
        some = 1
        for (i = 3; i < NF; i++) if ($i == "-f" && $(i + 1) == ENVIRON["file"] && (least == "" || $1 + 0 < least)) least = $1 + 0
    }
    END { if (least != "") print "runs " least; else if (some) print "other" }'
echo text
exec timeout -s KILL 3 head -c 900000 -- "$file"
