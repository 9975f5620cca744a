//! Checks of the cluster as a whole.

use super::Check;
use crate::action::Situation;
use crate::model::{RouteKind, listed, spoken};

/// A current leader, by etcd and by its own word.
pub fn leader(s: &Situation<'_>) -> Check {
    const ID: &str = "leader";
    let Some(leader) = s.leader() else {
        return Check::impossible(
            ID,
            if s.current() { "nobody holds the leader key" } else { "who leads is not known: etcd does not answer" },
        );
    };
    match s.member(leader).and_then(|member| member.writable(s.now)) {
        Some(true) => Check::green(ID, format!("{leader} holds the leader key and accepts writes")),
        Some(false) if s.cluster.config().is_some_and(|c| c.standby_cluster) => {
            Check::green(ID, format!("{leader} holds the leader key of a standby cluster"))
        }
        Some(false) => Check::red(ID, format!("{leader} holds the leader key, but is in recovery")),
        None => Check::amber(ID, format!("{leader} holds the leader key; its PostgreSQL does not tell us whether it accepts writes")),
    }
}

/// etcd's majority: without it no key is written.
pub fn quorum(s: &Situation<'_>) -> Check {
    const ID: &str = "quorum";
    let quorum = s.cluster.quorum(s.now);
    let lose = quorum.tolerance;
    match quorum.has {
        Some(false) => Check::impossible(ID, "etcd has no quorum: Patroni cannot write a key"),
        None => Check::amber(ID, "etcd's quorum is not known"),
        Some(true) => match (quorum.size, lose) {
            (Some(size), Some(0)) if size > 1 => Check::amber(ID, format!("etcd ({size} members) can lose no further member")),
            (Some(size), Some(lose)) => Check::green(ID, format!("etcd has its quorum: {size} members, it can lose {lose}")),
            _ => Check::amber(ID, "etcd decides, but its members are not known"),
        },
    }
}

/// The maintenance mode; what it forbids is the operation's to say.
pub fn not_paused(s: &Situation<'_>, forbids: Option<&str>) -> Check {
    const ID: &str = "pause";
    match (s.cluster.config(), forbids) {
        (None, _) => Check::amber(ID, "the dynamic configuration is not known"),
        (Some(config), _) if !config.paused => Check::green(ID, "the cluster is not paused"),
        (Some(_), Some(why)) => Check::impossible(ID, format!("the cluster is paused: {why}")),
        (Some(_), None) => Check::amber(ID, "the cluster is paused"),
    }
}

/// Another's request that waits in the key `failover`.
pub fn no_request(s: &Situation<'_>) -> Check {
    const ID: &str = "other-request";
    let Some(asked) = s.cluster.dcs.keys.pending_failover() else {
        return Check::green(ID, "no other switchover or failover is asked for");
    };
    let whom = asked.candidate.as_deref().unwrap_or("the best candidate");
    match asked.scheduled_at {
        Some(at) => Check::red(ID, format!("a switchover to {whom} is scheduled for {}; this would take its place", at.minute())),
        None => Check::impossible(ID, format!("a switchover to {whom} is asked for already, and under way")),
    }
}

/// Whether a write route stays closed for one who may lead, because its server was taken out there; no check brings that back. `candidate`: the
/// one who is named; else whoever may win.
pub fn servers(s: &Situation<'_>, candidate: Option<&str>) -> Option<Check> {
    const ID: &str = "server-out";
    let leads = s.leader();
    let counts = |name: &str| candidate.map_or(leads != Some(name), |candidate| candidate == name);
    let mut out: Vec<String> = Vec::new();
    for route in s.cluster.routes(s.now).iter().filter(|route| route.kind == RouteKind::Write) {
        let servers = route.servers.iter().filter(|(server, member)| server.taken_out() && member.is_some_and(counts));
        out.extend(servers.map(|(server, _)| format!("{} {}/{} ({})", route.instance, route.backend, server.name, server.status)));
    }
    let told = || format!("clients could not write by {}: the server was taken out, and stays so", listed(&out));
    match (out.is_empty(), candidate) {
        (true, _) => None,
        (false, Some(_)) => Some(Check::red(ID, told())),
        (false, None) => Some(Check::amber(ID, format!("if its member wins, {}", told()))),
    }
}

/// Whether clients will follow.
pub fn routes(s: &Situation<'_>) -> Check {
    const ID: &str = "routes";
    let routes = s.cluster.routes(s.now);
    let writes: Vec<_> = routes.iter().filter(|route| route.kind == RouteKind::Write).collect();
    if writes.is_empty() {
        return Check::amber(ID, "no write route is known: whether clients follow will not be seen");
    }
    let wrong: Vec<&str> = writes.iter().filter(|r| r.right(s.cluster, s.now) != Some(true)).map(|r| r.instance).collect();
    match wrong.as_slice() {
        [] => Check::green(ID, format!("{} of {} write routes lead to the leader", writes.len(), writes.len())),
        wrong => Check::amber(ID, format!("the write route of {} does not lead to the leader, or that is not known", listed(wrong))),
    }
}

/// A failing archiver keeps a primary from shutting down: it archives what is left first.
pub fn archiver(s: &Situation<'_>) -> Check {
    const ID: &str = "archiver";
    let member = s.leader().and_then(|leader| s.member(leader));
    let Some(sql) = member.and_then(|member| member.sql_now(s.now)) else {
        return Check::amber(ID, "the leader's archiver is not known: one that fails would hold up its shutdown");
    };
    match &sql.archiver {
        Some(archiver) if sql.archives() && archiver.failing() => {
            Check::red(ID, "the leader's archive_command fails: its shutdown would wait for what is not archived, and writes with it")
        }
        Some(_) if sql.archives() => Check::green(ID, "the leader's archiver works"),
        _ => Check::green(ID, "the leader does not archive"),
    }
}

/// Transactions that will be cut off.
pub fn transactions(s: &Situation<'_>, name: &str) -> Check {
    const ID: &str = "transactions";
    let Some(sql) = s.member(name).and_then(|member| member.sql_now(s.now)) else {
        return Check::amber(ID, format!("the sessions on {name} are not known"));
    };
    let Some(oldest) = &sql.oldest_transaction else {
        return match sql.sessions {
            Some(0) => Check::green(ID, format!("no client is connected to {name}")),
            Some(n) => Check::green(ID, format!("{n} sessions on {name}, none in a transaction that we see")),
            None => Check::amber(ID, format!("our user may not see the sessions on {name}")),
        };
    };
    let Some(age) = oldest.started.zip(sql.server_time).map(|(started, server)| server.since(started)) else {
        return Check::amber(ID, format!("a transaction is open on {name}; since when is not known"));
    };
    let told = format!("the oldest transaction on {name} is {} old", spoken(age));
    if age > s.limits.long_transaction { Check::amber(ID, format!("{told}; it will be cut off")) } else { Check::green(ID, told) }
}
