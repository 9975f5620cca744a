//! `clock-skew`: the clock of a member's host, or our own, is off.

use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule, listed, spoken};
use crate::model::{ClockSkew, Level, SourceId, SourceKind, Time};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "clock-skew",
        runbook: None,
        fires: "the time that a member's PostgreSQL tells (clock_timestamp()), else the Date of its REST API's answers, else the \
                node's own word over ssh, differs from the clock of the machine that pgbaton runs on by more than the limit `clock_skew` (2 s) for certain, in three readings in a row (15 s, over ssh 30 s). \
                The way of the answer and Date's whole seconds are allowed for. When all members differ from us alike, it is our own clock.",
        matters: "Patroni's leases do not depend on it. But a scheduled switchover or restart comes at the wrong moment, the logs of the nodes cannot be laid side by side, a replica's delay in seconds is wrong by as much, recovery to a point in time stops elsewhere, and certificates begin and end at another time.",
        next: &[
            "On the node: timedatectl, chronyc tracking. See that the time service runs and reaches its servers.",
            "Let it slew; do not set the clock of a primary back by hand: now() would repeat itself.",
            "When it is our own clock, mend it here before you believe any time of day on this screen.",
        ],
    }],
};

/// Readings in a row, five seconds apart; ten over ssh.
const READINGS: usize = 3;

/// A member whose clock is known.
struct Known<'a> {
    name: &'a str,
    source: SourceId,
    at: Option<Time>,
    newest: ClockSkew,
    /// What it is off by, when it has been for long enough.
    off: Option<ClockSkew>,
}

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, limits, .. } = *case;
    let known = cluster.members.values().filter_map(|member| {
        let (source, recent) = member.clock_now(now)?;
        let off = recent.held(READINGS, |skew| skew.certain() > limits.clock_skew).copied();
        Some(Known { name: &member.name, source, at: recent.at(), newest: *recent.last()?, off })
    });
    let mut known: Vec<Known<'_>> = known.collect();
    let told: Vec<&str> = known.iter().map(|k| k.name).collect();
    // The node's own word, where no server on it tells the time.
    let nodes = cluster.hosts.iter().filter(|(name, _)| !told.contains(&name.as_str())).filter_map(|(name, host)| {
        let recent = host.clock_now(now)?;
        let off = recent.held(READINGS, |skew| skew.certain() > limits.clock_skew).copied();
        Some(Known { name, source: SourceId::new(SourceKind::Host, name), at: recent.at(), newest: *recent.last()?, off })
    });
    known.extend(nodes.collect::<Vec<_>>());
    let off: Vec<ClockSkew> = known.iter().filter_map(|k| k.off).collect();
    if known.len() > 1 && off.len() == known.len() && alike(&off, limits.clock_skew) {
        return vec![our_own(&known, &off, limits.clock_skew)];
    }
    known.iter().filter_map(|k| one(k, &known, limits.clock_skew)).collect()
}

/// Whether the clocks may agree with each other within the limit.
fn alike(off: &[ClockSkew], limit: Duration) -> bool {
    let highest = off.iter().map(|skew| skew.least).max().unwrap_or_default();
    let lowest = off.iter().map(|skew| skew.most).min().unwrap_or_default();
    u64::try_from(highest.saturating_sub(lowest)).map_or(true, |apart| Duration::from_micros(apart) <= limit)
}

fn our_own(known: &[Known<'_>], off: &[ClockSkew], limit: Duration) -> Finding {
    // The narrowest reading says it best.
    let best = off.iter().min_by_key(|skew| skew.most.saturating_sub(skew.least)).copied();
    let best = best.unwrap_or(ClockSkew { least: 0, most: 0 });
    let direction = if best.about() > 0 { "behind" } else { "ahead" };
    let names: Vec<&str> = known.iter().map(|k| k.name).collect();
    let sentence = format!(
        "the clock of this machine is {} {direction}: those of {} agree with each other (limit {})",
        told(best),
        listed(&names),
        spoken(limit)
    );
    Finding::new("clock-skew", Level::Warning, sentence).about("this machine").because(known.iter().map(evidence))
}

fn one(member: &Known<'_>, known: &[Known<'_>], limit: Duration) -> Option<Finding> {
    let (off, name) = (member.off?, member.name);
    let (direction, limit) = (if off.about() > 0 { "ahead of" } else { "behind" }, spoken(limit));
    let right: Vec<&str> = known.iter().filter(|k| k.off.is_none()).map(|k| k.name).collect();
    let sentence = if known.len() == 1 {
        // Of two that differ nobody knows which one is wrong.
        format!("the clock of {name} is {} {direction} ours, and no other tells which one is wrong (limit {limit})", told(off))
    } else if right.is_empty() {
        format!("the clock of {name} is {} {direction} ours (limit {limit})", told(off))
    } else {
        let agree = if right.len() == 1 { "agrees" } else { "agree" };
        format!("the clock of {name} is {} {direction} ours, with which {} {agree} (limit {limit})", told(off), listed(&right))
    };
    let others = known.iter().filter(|k| k.name != name).map(evidence);
    Some(Finding::new("clock-skew", Level::Warning, sentence).about(name).because([evidence(member)]).because(others))
}

fn evidence(known: &Known<'_>) -> Evidence {
    let direction = if known.newest.about() >= 0 { "ahead of" } else { "behind" };
    let value = format!("{} {direction} ours", told(known.newest));
    Evidence::new(known.source.clone(), "its clock", value, known.at)
}

/// `5.2 s` where it is known so well, else `about 5 s`.
fn told(skew: ClockSkew) -> String {
    let span = Duration::from_micros(skew.about().unsigned_abs());
    let known_to = Duration::from_micros(skew.most.saturating_sub(skew.least).unsigned_abs());
    match span.as_secs() {
        60.. => spoken(span),
        _ if known_to < Duration::from_millis(300) => format!("{:.1} s", span.as_secs_f64()),
        _ => format!("about {:.0} s", span.as_secs_f64()),
    }
}
