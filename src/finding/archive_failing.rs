//! `archive-failing`: PostgreSQL cannot archive its WAL.

use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule, spoken};
use crate::model::{Level, Member};

/// How long it must fail before our eyes: the archiver tries again after a second, three times, and may then have worked.
const LASTING: Duration = Duration::from_secs(5);

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "archive-failing",
        runbook: Some("archive-failing"),
        fires: "pg_stat_archiver of a member that archives has a last failure that is newer than the last success. One that is seen to begin is told after 5 s. How many files wait is read from the archive's status directory, for which our user needs pg_monitor.",
        matters: "WAL that is not archived is kept, until the disk is full and PostgreSQL stops. A backup made meanwhile cannot be restored, and there is no recovery to a moment after the last success.",
        next: &[
            "The reason stands in the PostgreSQL log of that member only, not in SQL: look for \"archive command failed\" and the lines before it.",
            "Run archive_command by hand as the postgres user with the path of the segment that fails.",
            "Look at what it needs: the archive's disk, the network, keys and passwords.",
            "See how much room is left: df on the volume of pg_wal. Never delete files in pg_wal by hand.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    case.cluster.members.values().filter_map(|member| judge(case, member)).collect()
}

fn judge(case: &Case<'_>, member: &Member) -> Option<Finding> {
    let sql = member.sql_now(case.now)?;
    let archiver = sql.archiver.as_ref().filter(|a| sql.archives() && a.failing())?;
    // A member that became leader again still has the figures of the time before; its own archiver has not failed yet.
    let led_for = case.cluster.leader_since.filter(|_| case.cluster.holder() == Some(&member.name)).map(|at| case.now.since(at));
    let failed_for = sql.server_time.zip(archiver.last_failed).map(|(now, at)| now.since(at));
    if led_for.zip(failed_for).is_some_and(|(led, failed)| failed > led) {
        return None;
    }
    // Somebody took away what could not be archived.
    if archiver.waiting == Some(0) || !member.archive_failing.lasts(case.now, LASTING) {
        return None;
    }
    // Both by the server's clock.
    let ago = |at| sql.server_time.map(|now| spoken(now.since(at)));
    let success = match archiver.last_archived {
        None => "nothing was archived yet".to_owned(),
        Some(at) => ago(at).map_or("the last success is past".to_owned(), |ago| format!("the last success was {ago} ago")),
    };
    let waiting = match archiver.waiting {
        None => String::new(),
        Some(1) => ", 1 file waits".to_owned(),
        Some(count) => format!(", {count} files wait"),
    };
    let sentence = format!("{} cannot archive its WAL: {success}{waiting}", member.name);
    let time = |at: Option<crate::model::Time>| at.map_or("never".to_owned(), |at| at.to_string());
    let mut finding = Finding::new("archive-failing", Level::Warning, sentence).about(&member.name).because([
        Evidence::sql(member, "last_failed_time", time(archiver.last_failed)),
        Evidence::sql(member, "last_archived_time", time(archiver.last_archived)),
        Evidence::sql(member, "failed_count", archiver.failed),
    ]);
    finding.evidence.extend(archiver.last_failed_wal.as_ref().map(|wal| Evidence::sql(member, "last_failed_wal", wal)));
    let waiting = archiver.waiting.map_or("not known".to_owned(), |count| count.to_string());
    finding.evidence.push(Evidence::sql(member, "files waiting", waiting));
    Some(finding)
}
