//! `dags-hung`: the disk with Airflow's DAGs does not answer on a machine, or answers with an error.

use super::{Case, Evidence, Explanation, Finding, Rule, listed, spoken};
use crate::model::{Dags, DagsDisk, Level, SourceId, SourceKind};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "dags-hung",
        runbook: None,
        fires: "on a machine that mounts the folder of Airflow's DAGs nobody who asks its disk gets an answer within 1.3 s, or gets an error. It is \
                asked every second, by one process at most.",
        matters: "A scheduler, DAG processor or worker that touches the folder waits with it, and cannot be killed on a hard mount; a task \
                  that begins there does not begin, while its heartbeat may still come. A stale handle (ESTALE) ends only with a new mount.",
        next: &[
            "Look at the file server first: whether it runs and exports, and whether the machine reaches its port 2049.",
            "On the machine: the newest lines of dmesg (nfs: server not responding), and nfsstat -m; never ls or df in the folder itself.",
            "While it hangs do not switch the database over: what Airflow does then is not what it tells.",
            "A stale handle: umount -l and mount again, Airflow's programs restarted after it.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Some(dags) = &case.cluster.dags else { return Vec::new() };
    let (mut hung, mut failing, mut evidence, mut longest) = (Vec::new(), Vec::new(), Vec::new(), None);
    for (host, seen) in &dags.seen {
        let Some(status) = Dags::now(seen, case.now) else { continue };
        let said = match &status.disk {
            DagsDisk::Answers(_) => continue,
            DagsDisk::Hangs(span) => {
                hung.push(host.as_str());
                longest = longest.max(Some(*span));
                format!("no answer for {:.1} s", span.as_secs_f64())
            }
            DagsDisk::Fails(why) => {
                failing.push(format!("{host}: {why}"));
                why.clone()
            }
        };
        evidence.push(Evidence::new(SourceId::new(SourceKind::Dags, host), &status.wanted.path, said, seen.at()));
    }
    let sentence = match (longest, failing.is_empty()) {
        (None, true) => return Vec::new(),
        (Some(span), true) => format!("the disk with the DAGs hangs on {}: no answer for {}", listed(&hung), spoken(span)),
        (None, false) => format!("the disk with the DAGs fails on {}", listed(&failing)),
        (Some(_), false) => format!("the disk with the DAGs hangs on {} and fails on {}", listed(&hung), listed(&failing)),
    };
    vec![Finding::new("dags-hung", Level::Critical, sentence).because(evidence)]
}
