//! `upstream-unexpected`: a replica receives from somebody else than it should.

use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule, SETTLING, settling};
use crate::model::{Level, Sender};

/// How long a replica may need beyond its Patroni's next loop.
const BEYOND_LOOP: Duration = Duration::from_secs(5);

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "upstream-unexpected",
        runbook: None,
        fires: "a replica's pg_stat_wal_receiver names another sender than the leader, or than the member that its tag replicatefrom asks for, longer \
                than loop_wait and 5 s (12 s at least) and not while a change of leader settles. Receiving from the leader is right while the \
                member that the tag names is away. An address that no member has counts only when the leader's pg_stat_replication does not list the replica.",
        matters: "It follows what somebody else writes or passes on: after a split brain that is the wrong history. Its slot on the leader keeps WAL for nobody.",
        next: &[
            "See whether the sender is a primary (SQL in the members' list): then stop writing there and treat it as a split brain.",
            "Read Patroni's log on the replica: it sets primary_conninfo at every loop and says why it cannot.",
            "Look for a primary_conninfo set by hand: in postgresql.auto.conf, or a recovery configuration of Patroni's.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    if settling(cluster, now) {
        return Vec::new();
    }
    let patience = SETTLING.max(cluster.loop_wait() + BEYOND_LOOP);
    let mut found = Vec::new();
    for member in cluster.members.values().filter(|m| m.stray_since.is_some_and(|since| now.since(since) > patience)) {
        let Some(stray) = cluster.stray(member, now) else { continue };
        let (name, should) = (&member.name, stray.should);
        let but =
            if stray.by_tag { format!("not from {should} as its tag replicatefrom asks") } else { format!("not from the leader {should}") };
        let (sentence, from) = match &stray.from {
            Sender::Member(from) => (format!("{name} receives from {from}, {but}"), (*from).to_owned()),
            Sender::Address(from) => (format!("{name} receives from {from}, which is no member, {but}"), from.clone()),
        };
        let receiver = Evidence::sql(member, "pg_stat_wal_receiver sender", from);
        let asked = if stray.by_tag {
            Evidence::dcs(cluster, &format!("members/{name} tag replicatefrom"), should)
        } else {
            Evidence::dcs(cluster, "leader key", cluster.holder().unwrap_or("absent"))
        };
        found.push(Finding::new("upstream-unexpected", Level::Warning, sentence).about(name).because([receiver, asked]));
    }
    found
}
