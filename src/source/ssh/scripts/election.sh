# Tells how each etcd of a node was started: its arguments, and what its environment and its files say of its election and of where it listens. What
# cannot be seen is told as that. Of a file, for how many seconds it is unchanged.
export LC_ALL=C
now=$(date +%s)
names='ELECTION_TIMEOUT|HEARTBEAT_INTERVAL|LISTEN_CLIENT_URLS|ADVERTISE_CLIENT_URLS|CONFIG_FILE'
since() { echo $((now - $(timeout -s KILL 3 stat -L -c %Y -- "$1"))); }
for place in /proc/[0-9]*; do
    read -r name <"$place/comm" && [ "$name" = etcd ] || continue
    echo "etcd $(ps -o etimes= -p "${place#/proc/}" | tr -d ' ')"
    tr '\0' '\n' <"$place/cmdline" | sed 's/^/arg /'
    config=$(tr '\0' '\n' <"$place/cmdline" | sed -n -e 's/^--\{0,1\}config-file=//p' -e '/^--\{0,1\}config-file$/{n;p;}' | head -n 1)
    if own=$(cat "$place/environ" | tr '\0' '\n') && [ -r "$place/environ" ] && [ -n "$own" ]; then
        echo environ
        printf '%s\n' "$own" | sed -n -E "s/^ETCD_($names)=/env &/p"
        [ -n "$config" ] || config=$(printf '%s\n' "$own" | sed -n 's/^ETCD_CONFIG_FILE=//p' | head -n 1)
    else
        unit=$(sed -n 's#^[^:]*:[^:]*:.*/\([^/]*\.service\)$#\1#p' "$place/cgroup" | head -n 1)
        if [ -n "$unit" ] && told=$(timeout -s KILL 3 systemctl show --no-pager --property=Environment,EnvironmentFiles -- "$unit"); then
            echo "unit $unit"
            printf '%s\n' "$told" | sed -n 's/^Environment=//p' | grep -oE "ETCD_($names)=[^ \"]*" | sed 's/^/env /'
            printf '%s\n' "$told" | sed -n 's/^EnvironmentFiles=\(.*\) (ignore_errors=[a-z]*)$/\1/p' | while read -r file; do
                if [ -r "$file" ]; then
                    echo "file $(since "$file") $file"
                    sed -n -E "s/^ *(ETCD_($names)=)[\"']?([^\"']*).*/env \1\3/p" -- "$file"
                else
                    [ ! -e "$file" ] || echo "unread $file"
                fi
            done
        else
            echo hidden
        fi
    fi
    if [ -n "$config" ]; then
        if [ -r "$config" ]; then
            echo "config $(since "$config") $config"
            sed -n -E 's/^(election-timeout|heartbeat-interval|listen-client-urls|advertise-client-urls): */yaml \1 /p' -- "$config"
        else
            echo "noconfig $config"
        fi
    fi
done 2>/dev/null
exit 0
