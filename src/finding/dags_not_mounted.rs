//! `dags-not-mounted`: on a machine the folder of Airflow's DAGs lies on another file system than it shall.

use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::{Dags, DagsStatus, Level, SourceId, SourceKind};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "dags-not-mounted",
        runbook: None,
        fires: "by the kernel's table of mounts (/proc/self/mounts) the folder of Airflow's DAGs is under another mount than `mount` of \
                [clusters.NAME.dags], or that one is mounted from something else than `from`.",
        matters: "What Airflow sees is the folder below the mount: empty, or old. A scheduler that finds no DAGs takes them all for deleted; a \
                  worker fails each task that it is given.",
        next: &[
            "See what is mounted on HOST: findmnt -M MOUNT (it reads the table only, and does not hang).",
            "Stop Airflow's scheduler or worker on that machine before it acts on what it sees.",
            "Mount it as /etc/fstab has it, then start Airflow again.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let hosts = case.cluster.dags.iter().flat_map(|dags| &dags.seen);
    let told = hosts.filter_map(|(host, seen)| {
        let status = Dags::now(seen, case.now).filter(|status| status.mounted() == Some(false))?;
        let evidence = Evidence::new(SourceId::new(SourceKind::Dags, host), "mount", there(status), seen.at());
        let finding = Finding::new("dags-not-mounted", Level::Critical, sentence(host, status)).about(host).because([evidence]);
        Some(finding.naming([("HOST", host), ("MOUNT", &status.wanted.mount)]))
    });
    told.collect()
}

fn there(status: &DagsStatus) -> String {
    status.mount.as_ref().map(|mount| format!("{} on {} ({})", mount.from, mount.at, mount.fstype)).unwrap_or_default()
}

fn sentence(host: &str, status: &DagsStatus) -> String {
    let wanted = &status.wanted;
    match &status.mount {
        Some(mount) if mount.at == wanted.mount => {
            let from = wanted.from.as_deref().unwrap_or_default();
            format!("{} on {host}, with Airflow's DAGs, is mounted from {} and not from {from}", wanted.mount, mount.from)
        }
        _ => format!("{} is not mounted on {host}: Airflow there sees what lies below it, and not its DAGs", wanted.mount),
    }
}
