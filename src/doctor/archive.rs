//! `archive`: whether the archive has what a failover could lose.

use super::judged::{DYNAMIC, Judged, Severity, unless};
use super::{Case, Judgement};
use crate::finding::Evidence;

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "archive",
    why: "When members are lost, the archive is what is left. It ends with the last whole segment: without archive_timeout a quiet database fills one in \
          hours. A failing archiver keeps WAL until the disk is full.",
    cites: &["archive-failing"],
    judge,
};

fn judge(case: &Case<'_>) -> Vec<Judged> {
    let mut found = case.cite(JUDGEMENT.cites);
    let (leader, sql) = match case.leader() {
        Ok(leader) => leader,
        Err(open) => return found.into_iter().chain([open]).collect(),
    };
    // The finding waits until it lasts; one failure is enough to know that the archive is behind.
    if let Some(archiver) = sql.archiver.as_ref().filter(|archiver| found.is_empty() && sql.archives() && archiver.failing()) {
        let file = archiver.last_failed_wal.as_deref().unwrap_or("a file");
        let judged = Judged::hurts(Severity::Warning, format!("the archiver of {} fails: {file} was not archived", leader.name));
        let failed = Evidence::sql(leader, "last_failed_time", archiver.last_failed.map_or("not told".to_owned(), |at| at.minute()));
        found.push(judged.of(&leader.name).by([failed]).change("postgresql.log of the leader", "what archive_command says there"));
    }
    let (known, open) = case.parameters();
    let Some((_, all)) = known.iter().find(|(member, _)| member.name == leader.name) else {
        return found.into_iter().chain(open).collect();
    };
    let told = |name: &str| all.of_server(name).map(|value| case.setting(leader, name, value));
    let nothing = |name: &str| all.of_server(name).is_none_or(|value| value == "nothing");
    match (all.of_server("archive_mode"), all.number("archive_timeout")) {
        (Some("off"), _) if found.is_empty() => {
            vec![Judged::does_not_apply("nothing is archived (archive_mode is off)").by(told("archive_mode"))]
        }
        (None, _) | (_, None) => {
            found.into_iter().chain([Judged::not_known("archive_mode or archive_timeout is not told").of(&leader.name)]).collect()
        }
        _ if all.of_server("archive_command").is_none() => found
            .into_iter()
            .chain([Judged::not_known("archive_command is not told to our user: GRANT pg_monitor").of(&leader.name)])
            .collect(),
        _ if nothing("archive_command") && nothing("archive_library") && found.is_empty() => {
            vec![Judged::does_not_apply("nothing is archived (archive_command does nothing)").by(told("archive_command"))]
        }
        (_, Some(0)) => {
            let sentence =
                format!("archive_timeout is 0 on {}: the archive is behind by up to a whole segment, however long that takes", leader.name);
            let judged = Judged::hurts(Severity::Note, sentence).by(told("archive_timeout"));
            found.into_iter().chain([judged.change(DYNAMIC, "postgresql: parameters: archive_timeout: 60s")]).collect()
        }
        (_, Some(seconds)) => {
            unless(found, Vec::new(), || Judged::holds(format!("the archive is behind by {seconds} s at most")).by(told("archive_timeout")))
        }
    }
}
