# Tells how the PostgreSQL and the etcd servers of a node were started, which names their data directories, and what etcd's own files name.
export LC_ALL=C
ps -eww -o args= 2>/dev/null | sed -n \
    -e 's#^\([^ ]*/\)\{0,1\}postgres \(.*-D .*\)$#postgres \2#p' \
    -e 's#^\([^ ]*/\)\{0,1\}postmaster \(.*-D .*\)$#postgres \2#p' \
    -e 's#^\([^ ]*/\)\{0,1\}etcd\( .*\)\{0,1\}$#etcd\2#p'
for file in /etc/default/etcd /etc/etcd/etcd.conf; do
    [ -r "$file" ] && sed -n 's/^ *\(export \)\{0,1\}ETCD_DATA_DIR=//p' "$file" | sed -n 's/^["'"'"']\{0,1\}\([^"'"'"']*\).*/etcd-dir \1/p'
done
exit 0
