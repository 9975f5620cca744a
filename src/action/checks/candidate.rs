//! Checks of who is to take over, by the forecast: what Patroni itself would ask (`ha.py`, `is_failover_possible` and the race).

use super::{Check, Light};
use crate::action::Situation;
use crate::finding::Reason;
use crate::model::{Level, listed, size};

/// Whether this member can take over when it is asked for by name.
///
/// `failover`: without the synchronous set being asked, and with whatever is lost.
pub fn candidate(s: &Situation<'_>, name: &str, failover: bool) -> Vec<Check> {
    const ID: &str = "candidate";
    if s.leader() == Some(name) {
        return vec![Check::impossible(ID, format!("{name} is the leader already"))];
    }
    let Some(standing) = s.forecast.standings.get(name) else {
        return vec![Check::impossible(ID, s.no_member(name))];
    };
    let mut checks: Vec<Check> = Vec::new();
    for reason in &standing.reasons {
        let told = format!("{name}: {}", reason.told());
        let id = format!("{ID}-{}", reason.code());
        match reason {
            // They are checks of their own, or do not count for one who is named.
            Reason::Paused | Reason::NoQuorum | Reason::Reserved(_) | Reason::PrimaryAlive(_) | Reason::Votes(..) => {}
            Reason::NotSync if failover => checks.push(Check::red(&id, told)),
            // One who is named takes a key that nobody holds without being asked for that (`manual_failover_process_no_leader`).
            Reason::Lagging(..) | Reason::Timeline(Some(_), _) | Reason::NotInFailsafe
                if failover && s.current() && s.leader().is_none() =>
            {
                checks.push(Check::red(&id, told));
            }
            // Patroni asks it too before it does anything, and may reach it by another way.
            Reason::Silent(_) => checks.push(Check::red(&id, told)),
            reason if reason.doubt() => checks.push(Check::amber(&id, told)),
            _ => checks.push(Check::impossible(&id, told)),
        }
    }
    if checks.is_empty() {
        checks.push(Check::green(ID, format!("{name} can take over")));
    }
    checks.push(lag(s, name, failover));
    checks
}

/// Whether anybody can take over when nobody is named.
pub fn candidates(s: &Situation<'_>) -> Vec<Check> {
    const ID: &str = "candidates";
    let able: Vec<&str> = s
        .forecast
        .standings
        .iter()
        .filter(|(_, standing)| standing.can == Some(true) && standing.beaten_by.is_none())
        .map(|(name, _)| name.as_str())
        .collect();
    let doubtful = s.forecast.standings.values().any(|standing| standing.can.is_none());
    match able.as_slice() {
        [] if doubtful => vec![Check::amber(ID, format!("whether anybody can take over is not known: {}", s.forecast.reasons()))],
        [] => vec![Check::impossible(ID, format!("nobody can take over: {}", s.forecast.reasons()))],
        able => {
            let mut checks = vec![Check::green(ID, format!("{} can take over; Patroni takes the best at that moment", listed(able)))];
            checks.extend(able.iter().map(|name| lag(s, name, false)));
            checks
        }
    }
}

/// A reason against a candidate of now, for a switchover of later: Patroni takes the request, and asks when it is time.
pub fn at_its_time(check: Check) -> Check {
    let of_now = check.light == Light::Red && (check.id.starts_with("candidate-") || check.id == "candidates");
    if of_now { Check::red(&check.id, format!("{}; Patroni asks when it is time", check.sentence)) } else { check }
}

/// How far it is behind. What it lacks the old leader sends before it stops; much of it makes clients wait.
fn lag(s: &Situation<'_>, name: &str, failover: bool) -> Check {
    const ID: &str = "lag";
    /// What a replica that keeps up may lack at any moment, bytes.
    const USUAL: u64 = 1 << 20;
    /// By how many seconds the replay of one that keeps up may be behind.
    const USUAL_SECONDS: f64 = 5.0;
    let lag = s.cluster.lag(name, s.now);
    if let Some(seconds) = lag.seconds.filter(|seconds| *seconds > USUAL_SECONDS) {
        let told = format!(
            "what {name} has replayed is {seconds:.0} s old: it takes writes only when it has replayed all, and never if its replay hangs"
        );
        // Patroni does not ask for that. A failover may have nobody better.
        let red = seconds > s.limits.replay_delay.as_secs_f64() && !failover;
        return if red { Check::red(ID, told) } else { Check::amber(ID, told) };
    }
    match (lag.receive, lag.replay) {
        (None, _) | (_, None) => Check::amber(ID, format!("how far {name} is behind is not known")),
        (Some(receive), Some(replay)) if receive.max(replay) > USUAL => {
            Check::amber(ID, format!("{name} has {} to receive and {} to replay first: clients wait for that", size(receive), size(replay)))
        }
        (Some(receive), Some(replay)) => Check::green(ID, format!("{name} is {} behind", size(receive.max(replay)))),
    }
}

/// What a failover to this member would lose while the leader cannot be asked.
pub fn loss(s: &Situation<'_>, name: &str) -> Check {
    const ID: &str = "loss";
    let leader = s.leader().or(s.cluster.last_leader.as_deref());
    let alive = leader.and_then(|leader| s.member(leader)).is_some_and(|member| member.rest_now(s.now).is_some());
    if alive && s.leader().is_some() {
        return Check::green(ID, "the leader lives and hands over in order: nothing is lost");
    }
    let lost = s.forecast.loss_of(s.cluster, name, s.now);
    let level = if lost.acknowledged_kept || lost.bytes == Some(0) { Level::Ok } else { Level::Critical };
    let told = format!("{name} takes over: {}", lost.told());
    let check = if level == Level::Ok { Check::green(ID, told) } else { Check::red(ID, told) };
    Check { loss: lost.bytes, ..check }
}
