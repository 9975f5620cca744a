# Lists the newest files of a folder that match a pattern: when changed, device:inode, size, the first bytes, name.
# Arguments: folder, pattern, a second pattern or nothing.
export LC_ALL=C
cd "$1" || exit 20
[ -r . ] || exit 21
IFS=
stat -L -c '%F/%.9Y %d:%i %s/%n' -- $2 $3 2>/dev/null | sed -n 's#^regular \(empty \)\{0,1\}file/##p' | sort -rn | uniq | head -n 12 |
while read -r found; do
    name=${found#*/}
    [ -r "$name" ] && first=$(od -An -v -tx1 -N128 -- "$name" | tr -d ' \n') || first=-
    printf '%s %s/%s\n' "${found%%/*}" "$first" "$name"
done
