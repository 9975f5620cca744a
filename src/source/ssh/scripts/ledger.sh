# Prints what was added to a file since a place in it: in a first line its device:inode, size, and from where to where, then the bytes.
# Arguments: the file, the device:inode that it had or nothing, the first byte. Of a file not read before only the end.
export LC_ALL=C
file=$1 id=$2 from=$3
[ -e "$file" ] || { echo missing; exit 0; }
exec 3<"$file" || { echo unreadable; exit 0; }
set -- $(stat -L -c '%d:%i %s' /proc/self/fd/3)
most=900000
if [ "$1" != "$id" ] || [ "$2" -lt "$from" ]; then
    from=0
    [ "$2" -gt $most ] && from=$(($2 - most))
fi
end=$2
[ $((end - from)) -gt $most ] && end=$((from + most))
echo "file $1 $2 $from $end"
tail -c +$((from + 1)) <&3 | head -c $((end - from))
exit 0
