//! etcd's command line.

use crate::lab::layout::{ETCD_PEER, Lab};

/// etcd of one member.
#[must_use]
pub fn argv(lab: &Lab, member: &str) -> Vec<String> {
    let peer = |m: &str| format!("{}://{}:{ETCD_PEER}", lab.scheme(), lab.ip(m));
    let cluster: Vec<String> = lab.members().iter().map(|m| format!("{m}={}", peer(m))).collect();
    let data = lab.node_dir(member).join("etcd");
    let mut argv = vec![lab.record.tools.etcd.to_string_lossy().into_owned()];
    let mut option = |name: &str, value: String| argv.extend([format!("--{name}"), value]);
    option("name", member.to_owned());
    option("data-dir", data.to_string_lossy().into_owned());
    option("listen-client-urls", lab.etcd_url(member));
    option("advertise-client-urls", lab.etcd_url(member));
    option("listen-peer-urls", peer(member));
    option("initial-advertise-peer-urls", peer(member));
    option("initial-cluster", cluster.join(","));
    option("initial-cluster-token", format!("pgbaton-{}", lab.record.name));
    option("initial-cluster-state", "new".to_owned());
    option("logger", "zap".to_owned());
    option("auto-compaction-mode", "periodic".to_owned());
    option("auto-compaction-retention", "1h".to_owned());
    if lab.record.options.tls {
        let (ca, cert, key) = (lab.cert("ca"), lab.cert(member), lab.key(member));
        for (name, path) in [
            ("cert-file", &cert),
            ("key-file", &key),
            ("trusted-ca-file", &ca),
            ("peer-cert-file", &cert),
            ("peer-key-file", &key),
            ("peer-trusted-ca-file", &ca),
        ] {
            option(name, path.to_string_lossy().into_owned());
        }
        argv.extend(["--client-cert-auth".to_owned(), "--peer-client-cert-auth".to_owned()]);
    }
    argv
}
