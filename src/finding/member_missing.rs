//! `member-missing`: a member's key in etcd is gone.

use super::{Case, Evidence, Explanation, Finding, Part, Rule};
use crate::model::{Level, Member};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "member-missing",
        runbook: Some("member-down"),
        fires: "a member that was seen before, or that an HAProxy still has as a server, has no key in etcd any more. Patroni removes it when it is stopped cleanly; else it goes ttl seconds after the last renewal. Not when it was renamed (`member-renamed`), unless its PostgreSQL accepts writes and nobody says so under the new name.",
        matters: "patronictl list no longer shows it, which is easily read as fine. If its PostgreSQL still accepts writes, they are written to a cluster that nobody follows.",
        next: &[
            "If it accepts writes and is not the leader: treat it as a split brain.",
            "Else: on the node, systemctl status patroni and its log.",
            "If it was removed on purpose, it disappears from here when pgbaton is started anew.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    // Of one that was renamed, `member-renamed` says it; whoever accepts writes where nobody is heard under the new name is missing all the same.
    let elsewhere = |m: &Member| match cluster.renamed(m, now) {
        Some(_) => m.writable(now) != Some(true) || cluster.told_under_its_new_name(m, now),
        None => false,
    };
    let missing = cluster.members.values().filter(|m| !m.present && !elsewhere(m));
    missing
        .map(|member| {
            let alive = match (member.rest_now(now).is_some(), member.writable(now)) {
                (_, Some(true)) => ", yet its PostgreSQL accepts writes",
                (_, Some(false)) => ", yet its PostgreSQL answers",
                (true, None) => ", yet its Patroni answers",
                (false, None) => "",
            };
            let heard = [member.rest_now(now).and(member.rest.at()), member.sql_now(now).and(member.sql.at())];
            let answers = heard.into_iter().filter(Option::is_some);
            let part = Part::of(cluster, &member.name, now);
            let held = cluster.failsafe_leader(now) == Some(member.name.as_str());
            let critical = !held && (part != Part::Follower || member.writable(now) == Some(true));
            let severity = if critical { Level::Critical } else { Level::Warning };
            let sentence = match member.key {
                _ if held => format!("the key of {} in etcd is gone, as it does not reach etcd: it leads in failsafe mode", member.name),
                Some(_) => format!("{} is missing: its key in etcd is gone{alive}", part.call(&member.name)),
                None => format!("{} is a server of HAProxy's, but has no key in etcd{alive}", member.name),
            };
            let gone = member.missing_since.map(|at| format!("gone since {at}")).unwrap_or_else(|| "gone".to_owned());
            Finding::new("member-missing", severity, sentence)
                .about(&member.name)
                .because([Evidence::dcs(cluster, &format!("members/{}", member.name), gone)])
                .because(Evidence::errors(member))
                // That it answers must have been heard after its key was gone.
                .comparing(answers.into_iter().flat_map(|heard| [heard, member.missing_since]))
        })
        .collect()
}
