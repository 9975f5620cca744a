//! etcd's command line.

use crate::lab::layout::{ETCD, ETCD_PEER, Lab};
use crate::template::etcd::Etcd;

/// etcd of one member.
#[must_use]
pub fn argv(lab: &Lab, member: &str) -> Vec<String> {
    let (tls, data) = (lab.tls(member), lab.node_dir(member).join("etcd").to_string_lossy().into_owned());
    let etcd = Etcd {
        cluster: &lab.record.name,
        machine: &lab.machine(member),
        members: &lab.machines(),
        port: ETCD,
        peer_port: ETCD_PEER,
        data_dir: &data,
        tls: tls.as_ref(),
    };
    std::iter::once(lab.record.tools.etcd.to_string_lossy().into_owned()).chain(etcd.arguments()).collect()
}
