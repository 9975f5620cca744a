//! `parameters-equal`: whether a member can be what the leader is. `room-to-follow`: whether all others can follow whoever leads.

use super::judged::{DYNAMIC, Judged, Severity, unless};
use super::{Case, Judgement};

pub(super) const EQUAL: Judgement = Judgement {
    code: "parameters-equal",
    why: "PostgreSQL demands that a standby has these settings at least as large as its primary: with a smaller one it stops replaying, or does not start. \
          With a smaller max_connections the clients of the old leader do not fit on the new one.",
    cites: &[],
    judge: equal,
};

pub(super) const ROOM: Judgement = Judgement {
    code: "room-to-follow",
    why: "After a failover every other member, and every base backup, needs a walsender and, with slots, a slot on the new leader. Who finds none stays behind.",
    cites: &[],
    judge: room,
};

/// What PostgreSQL compares (manual, "Hot Standby", "Administrator's Overview").
const COMPARED: [&str; 5] =
    ["max_connections", "max_worker_processes", "max_wal_senders", "max_prepared_transactions", "max_locks_per_transaction"];

fn equal(case: &Case<'_>) -> Vec<Judged> {
    let (known, mut open) = case.parameters();
    let mut found = Vec::new();
    for name in COMPARED {
        let values: Vec<_> = known.iter().filter_map(|(member, all)| Some((*member, all.number(name)?))).collect();
        if values.len() < known.len() {
            open.push(Judged::not_known(format!("{name} is not told by every member")).of(name));
        }
        let most = values.iter().map(|(_, value)| *value).max().unwrap_or_default();
        if values.iter().any(|(_, value)| *value != most) {
            let told: Vec<String> = values.iter().map(|(member, value)| format!("{} {value}", member.name)).collect();
            let judged = Judged::hurts(Severity::Warning, format!("{name} is not the same on all members: {}", told.join(", "))).of(name);
            let judged = judged.by(values.iter().map(|(member, value)| case.setting(member, name, value)));
            found.push(judged.change(DYNAMIC, format!("postgresql: parameters: {name}: {most}  # restart")));
        }
    }
    unless(found, open, || {
        let evidence =
            known.iter().flat_map(|(member, all)| COMPARED.iter().filter_map(|name| Some(case.setting(member, name, all.number(name)?))));
        Judged::holds("what PostgreSQL compares is the same on all members").by(evidence)
    })
}

fn room(case: &Case<'_>) -> Vec<Judged> {
    let (known, mut open) = case.parameters();
    let members = match case.members() {
        Ok(members) => i64::try_from(members.len()).unwrap_or(i64::MAX),
        Err(unknown) => return vec![unknown],
    };
    let slots = case.config().is_ok_and(|config| config.uses_slots());
    // Beside the others somebody must be able to make a base backup.
    let needed = [("max_wal_senders", members, true), ("max_replication_slots", members - 1, slots)];
    let mut found = Vec::new();
    for (name, least, _) in needed.into_iter().filter(|(.., counts)| *counts) {
        for (member, all) in &known {
            match all.number(name) {
                Some(value) if value < least => {
                    let sentence = format!("{name} is {value} on {}: as the leader of {members} members it needs {least}", member.name);
                    let judged = Judged::hurts(Severity::Warning, sentence).of(&member.name).by([case.setting(member, name, value)]);
                    found.push(judged.change(DYNAMIC, format!("postgresql: parameters: {name}: {least}  # or more; restart")));
                }
                Some(_) => {}
                None => open.push(Judged::not_known(format!("{name} is not told")).of(&member.name)),
            }
        }
    }
    unless(found, open, || {
        let evidence = known.iter().flat_map(|(member, all)| {
            ["max_wal_senders", "max_replication_slots"].into_iter().filter_map(|name| Some(case.setting(member, name, all.number(name)?)))
        });
        Judged::holds("whoever leads has room for all others to follow").by(evidence)
    })
}
