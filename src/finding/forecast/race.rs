//! Who wins the race for the leader key (`patroni/ha.py`, second half of `_is_healthiest_node`): nobody who answers may be ahead, and of
//! equals the one with the highest `failover_priority` goes.

use std::collections::BTreeMap;

use super::{Reason, Standing, standing};
use crate::model::{Cluster, Lsn, Parsed, Time};

/// By how much the positions of two replicas may differ while both stream and count as equal, bytes. While the leader lives, each moment's
/// order is chance: what it has sent to one it sends to the other, and at its end both have it.
const EQUAL: u64 = 128 * 1024;

/// Lets the members of `standings` race; marks those that are beaten and tells who may win. More than one: chance decides between them.
pub(super) fn winners(cluster: &Cluster, standings: &mut BTreeMap<String, Standing>, leader: Option<&str>, now: Time) -> Vec<String> {
    let primaries: Vec<String> = standings.iter().filter(|(_, s)| s.primary && s.can == Some(true)).map(|(n, _)| n.clone()).collect();
    if !primaries.is_empty() {
        return primaries;
    }
    let positions = positions(cluster, standings, leader, now);
    let lives = leader.and_then(|l| cluster.members.get(l)).is_some_and(|l| l.sql_now(now).is_some() || l.rest_now(now).is_some());
    let slack = if lives { EQUAL } else { 0 };
    votes(cluster, standings, &positions, slack);
    let runs: Vec<(String, Lsn, i64)> = standings
        .iter()
        .filter(|(_, s)| s.can == Some(true))
        .filter_map(|(name, s)| Some((name.clone(), *positions.get(name)?, s.priority)))
        .collect();
    // Who is not allowed to win may still be ahead, and then nobody behind it wins: in Patroni's eyes it is the better one.
    let seen: Vec<(String, Lsn, i64)> = standings
        .iter()
        .filter(|(name, s)| s.seen() && in_field(cluster, name))
        .filter_map(|(name, s)| Some((name.clone(), *positions.get(name)?, s.priority)))
        .collect();
    let mut winners = Vec::new();
    for (name, position, priority) in &runs {
        let ahead = seen.iter().find(|(other, at, _)| other != name && at.bytes_since(*position) > slack);
        let preferred = seen.iter().find(|(other, at, their)| {
            other != name && their > priority && position.bytes_since(*at) <= slack && at.bytes_since(*position) <= slack
        });
        let beaten_by = ahead.or(preferred).map(|(other, ..)| other.clone());
        if beaten_by.is_none() {
            winners.push(name.clone());
        }
        if let Some(standing) = standings.get_mut(name) {
            standing.beaten_by = beaten_by;
        }
    }
    winners
}

/// With synchronous mode on, only the synchronous set is asked.
fn in_field(cluster: &Cluster, name: &str) -> bool {
    standing::active_sync(cluster).is_none_or(|set| set.iter().any(|n| n.eq_ignore_ascii_case(name)))
}

/// Positions that can be compared: the leader's rows on all of them, read in one statement, if there is one on each; else their own words.
fn positions(cluster: &Cluster, standings: &BTreeMap<String, Standing>, leader: Option<&str>, now: Time) -> BTreeMap<String, Lsn> {
    let rows = leader.and_then(|l| cluster.members.get(l)).and_then(|l| l.sql_now(now)).map(|sql| &sql.replication);
    let by_rows: Option<BTreeMap<String, Lsn>> = rows.and_then(|rows| {
        let of = |name: &String| {
            let row = rows.iter().find(|r| r.application_name == *name)?;
            Some((name.clone(), row.flush_lsn?.max(row.replay_lsn?)))
        };
        standings.iter().filter(|(_, s)| s.position.is_some()).map(|(name, _)| of(name)).collect()
    });
    by_rows.unwrap_or_else(|| standings.iter().filter_map(|(name, s)| Some((name.clone(), s.position?))).collect())
}

/// With quorum commit a member needs the word of enough others of the set that it has all that they have.
fn votes(cluster: &Cluster, standings: &mut BTreeMap<String, Standing>, positions: &BTreeMap<String, Lsn>, slack: u64) {
    let quorum_mode = cluster.config().is_some_and(|c| c.synchronous_mode == "quorum");
    let Some(set) = standing::active_sync(cluster).filter(|_| quorum_mode) else { return };
    let quorum = cluster.dcs.keys.sync.as_ref().and_then(Parsed::good).and_then(|s| s.quorum).unwrap_or(0);
    let votes_for = |name: &str| set.iter().any(|n| n.eq_ignore_ascii_case(name));
    let seen: Vec<(String, Lsn)> = standings
        .iter()
        .filter(|(name, s)| s.seen() && votes_for(name))
        .filter_map(|(name, _)| Some((name.clone(), *positions.get(name)?)))
        .collect();
    for (name, standing) in standings.iter_mut() {
        let Some(position) = positions.get(name) else { continue };
        // One outside the set lacks the vote that a member of it gives itself.
        let needed = quorum + u32::from(!votes_for(name));
        let votes = seen.iter().filter(|(other, at)| other != name && at.bytes_since(*position) <= slack).count();
        let votes = u32::try_from(votes).unwrap_or(u32::MAX);
        if votes < needed {
            standing.also(Reason::Votes(votes, needed));
        }
    }
}
