//! `member-down`: a member whose key is there does not serve: its REST API is silent, or says that its PostgreSQL does not run.

use super::leader_silent::silent_leader;
use super::silence::Silence;
use super::{Case, Evidence, Explanation, Finding, Part, Rule, api_hung, leader_cannot_write, stuck, switchover};
use crate::model::{Cluster, ErrorKind, Level, Member, Time};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "member-down",
        runbook: Some("member-down"),
        fires: "the member has its key in etcd, and its Patroni does not answer, or answers that its PostgreSQL does not run. A Patroni that hangs while \
                its PostgreSQL answers is `api-hung`. Who refuses connections does not run. Who takes them and answers nothing hangs: its kernel lives, \
                and no more is proved. Where nothing comes back it can be the network as well as the machine.",
        matters: "A replica that is down cannot take over. A leader whose Patroni is silent loses its lease: when that has run out, a replica takes over, and without a watchdog the old PostgreSQL may go on accepting writes.",
        next: &[
            "See by its evidence what is silent: the host (everything), Patroni (REST only), PostgreSQL (SQL only); and how: who refuses does not run, who takes connections and answers nothing hangs.",
            "On MEMBER: systemctl status patroni, then its log; the reason stands there.",
            "If it is the leader, do not restart Patroni on it blindly: look at the lease and at who would take over first.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    // The leader's silence has a rule of its own.
    let silent = silent_leader(case.cluster, case.now).map(|leader| leader.name.as_str());
    let judged = case.cluster.members.values().filter(|m| m.present && silent != Some(m.name.as_str()));
    judged.filter_map(|member| judge(case, member)).collect()
}

fn judge(case: &Case<'_>, member: &Member) -> Option<Finding> {
    let Case { cluster, now, .. } = *case;
    if api_hung::judge(cluster, member, now).is_some() {
        return None;
    }
    let name = &member.name;
    let part = Part::of(cluster, name, now);
    let severity = if part == Part::Follower { Level::Warning } else { Level::Critical };
    let who = part.call(name);
    // A certificate or a password that does not fit is an answer; that nothing is known of the member then says `source-stale`.
    if let Some(error) = member.rest.error().filter(|error| error.kind.is_absence()) {
        let sentence = silent(cluster, member, &who, now).unwrap_or_else(|| format!("the Patroni of {who} does not answer: {error}"));
        let finding = Finding::new("member-down", severity, sentence).about(name).because(Evidence::errors(member));
        // That PostgreSQL answers must have been heard after Patroni was silent.
        let answered = member.sql_now(now).map(|sql| Evidence::sql(member, "pg_is_in_recovery()", sql.in_recovery));
        let apart = answered.as_ref().map(|_| [member.rest.failing_since(), member.sql.at()]);
        return Some(finding.because(answered).comparing(apart.into_iter().flatten()));
    }
    let rest = member.rest_now(now)?;
    // Of the holder of the leader key, `leader-cannot-write` says it; after a while, `stuck` does.
    let told = part == Part::Leader && leader_cannot_write::judge(case).is_some() || stuck::judge(case, member).is_some();
    if rest.state.serves() || told {
        return None;
    }
    let asked_for = switchover::in_time(case).is_some_and(|handover| handover.from == *name);
    let (severity, sentence) = if asked_for {
        (Level::Warning, format!("{who} hands over: Patroni calls it {}, as a switchover is asked for", rest.state.0))
    } else {
        (severity, format!("{who} does not serve: Patroni calls it {}", rest.state.0))
    };
    let state = Evidence::rest(member, "state", &rest.state.0);
    Some(Finding::new("member-down", severity, sentence).about(name).because([state]).because(Evidence::errors(member)))
}

/// What a silent member's Patroni and its PostgreSQL do: one word for both where they do the same.
fn silent(cluster: &Cluster, member: &Member, who: &str, now: Time) -> Option<String> {
    let rest = Silence::rest(cluster, member, now)?;
    if member.sql_now(now).is_some() {
        return Some(format!("the Patroni of {who} {}; its PostgreSQL answers", rest.told()));
    }
    // A password or a certificate that does not fit is an answer too.
    let Some(sql) = Silence::sql(cluster, member, now).filter(|sql| sql.kind().is_absence()) else {
        return Some(format!("the Patroni of {who} {}", rest.told()));
    };
    Some(match (rest.kind(), sql.kind()) {
        (ErrorKind::Refused, ErrorKind::Refused) => {
            format!("{who} is down: its Patroni and its PostgreSQL refuse connections: not running")
        }
        (ErrorKind::Hung, ErrorKind::Hung) => {
            format!("{who} hangs: its Patroni and its PostgreSQL accept connections, answer nothing{}", rest.lasts(" "))
        }
        // Patroni's queue of connections is full after five, and what hangs beside it is in no doubt.
        (ErrorKind::Unreachable, ErrorKind::Hung) if !rest.is_far() => format!(
            "{who} hangs: its PostgreSQL accepts connections, answers nothing{}; its Patroni takes none: its queue is full, or a firewall drops them",
            sql.lasts(" ")
        ),
        _ if rest.is_far() && sql.is_far() => format!("{who} {}", rest.told()),
        _ if !rest.says_more() && !sql.says_more() => {
            let error = member.rest.error()?;
            format!("{who} is silent, down or cut off from here: neither its Patroni nor its PostgreSQL answers ({error})")
        }
        // Who refuses is there and serves nothing; who is silent may as well be cut off from us alone.
        (ErrorKind::Refused, _) => format!("{who} is down: its Patroni {}; its PostgreSQL {}", rest.told(), sql.told()),
        _ => format!("{who} is silent, down or cut off from here: its Patroni {}; its PostgreSQL {}", rest.told(), sql.told()),
    })
}
