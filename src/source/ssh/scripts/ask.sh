# Asks a node once: its clock's offset, the units of the programs, files in their usual places, and where Patroni's own configuration puts its log.
export LC_ALL=C
echo "zone $(date +%z)"
systemctl list-units --all --full --plain --no-legend --no-pager --type=service 'patroni*' 'postgresql*' 'etcd*' 'haproxy*' 2>/dev/null |
    sed -n 's/^\([^ ][^ ]*\)  *loaded .*/unit \1/p'
for file in /var/log/patroni/patroni.log /var/log/etcd/etcd.log /var/log/haproxy.log; do [ -r "$file" ] && echo "file $file"; done
for setting in $(ps -eo args= | sed -n 's#^[^ ]*python[^ ]* [^ ]*patroni .*\(/[^ ]*\.ya\{0,1\}ml\).*#\1#p'); do
    [ -r "$setting" ] && sed -n '/^log:/,/^[^ l]/s/^ *dir: */patroni /p' "$setting"
done
exit 0
