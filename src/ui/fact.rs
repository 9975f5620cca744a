//! The facts behind the verdict: do the sources agree, can etcd lose a member, does the traffic follow, how long is the lease.

use super::format::{age, since};
use super::pane::Ctx;
use crate::document::{Document, RouteKind, Verdict};
use crate::model::SourceKind;
use crate::theme::Role;

/// One fact, in a long form and a short one.
pub(super) struct Fact {
    /// For a wide screen.
    pub(super) long: String,
    /// For a narrow one; it says the same.
    pub(super) short: String,
    /// What it means.
    pub(super) role: Role,
}

impl Fact {
    fn new(long: impl Into<String>, short: impl Into<String>, role: Role) -> Self {
        Self { long: long.into(), short: short.into(), role }
    }

    fn same(text: impl Into<String>, role: Role) -> Self {
        let text = text.into();
        Self { long: text.clone(), short: text, role }
    }
}

/// The facts, the most telling first.
pub(super) fn facts(ctx: &Ctx<'_>, document: &Document, with_forecast: bool) -> Vec<Fact> {
    let mut facts = vec![truths(document), etcd(document), routes(document)];
    if document.cluster.leaderless_since.is_some() && document.cluster.truths.iter().all(|t| t.leaders.is_empty()) {
        // That there is no leader, and since when, is said by the lease.
        facts.remove(0);
    }
    if with_forecast {
        facts.push(forecast(document));
    }
    if let Some(lease) = lease(ctx, document) {
        // When it is running out, it is what everybody waits for, and must not be the first to go on a narrow screen.
        let at = if lease.role == Role::Critical { 0 } else { facts.len() };
        facts.insert(at, lease);
    }
    facts.extend(airflow(document));
    if let Some(asked) = asked_for(ctx, document) {
        facts.insert(0, asked);
    }
    facts
}

/// What the four parties say about who leads.
fn truths(document: &Document) -> Fact {
    let truths = &document.cluster.truths;
    let others: Vec<String> = truths
        .iter()
        .filter(|t| t.agrees == Some(false))
        .map(|t| format!("{} says {}", t.source, if t.leaders.is_empty() { "nobody".to_owned() } else { t.leaders.join(" and ") }))
        .collect();
    if !others.is_empty() {
        return Fact::same(others.join(", "), Role::Critical);
    }
    let agreed = truths.iter().filter(|t| t.agrees == Some(true)).count();
    let silent: Vec<&str> = truths.iter().filter(|t| t.agrees.is_none() && !unused(t)).map(|t| t.source.as_str()).collect();
    let asked = agreed + silent.len();
    if agreed == 0 && truths.iter().all(|t| t.leaders.is_empty()) && truths.iter().any(|t| t.age_ms.is_some()) {
        return Fact::same("no source names a leader", Role::Critical);
    }
    if agreed == 0 {
        return Fact::same("sources ?", Role::Unknown);
    }
    let long = format!("{agreed} of {asked} sources agree");
    if silent.is_empty() {
        return Fact::new(long, format!("{agreed} of {asked} agree"), Role::Text);
    }
    let silent = silent.join(", ");
    Fact::new(format!("{long}, {silent} silent"), format!("{agreed} of {asked} agree"), Role::Unknown)
}

/// Whether a party is not part of the installation, which is no fault.
fn unused(truth: &crate::document::Truth) -> bool {
    matches!(truth.note.as_deref(), Some("not configured" | "no write route"))
}

pub(super) fn etcd(document: &Document) -> Fact {
    let etcd = &document.etcd;
    let Some(size) = etcd.size else {
        return Fact::same("etcd ?", Role::Unknown);
    };
    let count = format!("etcd {}/{size}", etcd.healthy);
    match (etcd.quorum, etcd.failure_tolerance) {
        (Some(false), _) => Fact::new(format!("{count}, no quorum"), format!("{count}, no quorum"), Role::Critical),
        (None, _) | (Some(true), None) => Fact::same(format!("{count}, quorum ?"), Role::Unknown),
        // A single etcd never could lose one; that is how it was built, and no news.
        (Some(true), Some(0)) if size > 1 => Fact::new(format!("{count}, can lose none"), format!("{count}, can lose none"), Role::Warning),
        (Some(true), Some(0)) => Fact::same(count, Role::Text),
        (Some(true), Some(n)) => Fact::same(format!("{count}, can lose {n}"), Role::Text),
    }
}

/// A switchover that is asked for, or scheduled.
fn asked_for(ctx: &Ctx<'_>, document: &Document) -> Option<Fact> {
    let asked = document.cluster.scheduled_switchover.as_ref()?;
    let to = asked.to.as_deref().map(|to| format!(" to {to}")).unwrap_or_default();
    let when = asked.at.map_or_else(|| "asked for".to_owned(), |at| ctx.until(at));
    Some(Fact::same(format!("switchover{to} {when}"), Role::Warning))
}

/// Who takes over if the leader dies.
pub(super) fn forecast(document: &Document) -> Fact {
    let forecast = &document.forecast;
    let long = forecast.told();
    let lossy = forecast.acknowledged_kept != Some(true) && forecast.lost_bytes > document.cluster.maximum_lag_on_failover;
    let (short, role) = match (forecast.outcome.as_str(), &forecast.leader) {
        ("takes-over", _) if lossy => (format!("next {}", forecast.next.join("/")), Role::Warning),
        ("takes-over", _) => (format!("next {}", forecast.next.join("/")), Role::Text),
        ("nobody", Some(_)) => ("next nobody".to_owned(), Role::Warning),
        ("nobody", None) => ("next nobody".to_owned(), Role::Critical),
        _ => ("next ?".to_owned(), Role::Unknown),
    };
    Fact::new(long, short, role)
}

/// The same without the words that say what is thought of.
pub(super) fn forecast_in_short(document: &Document) -> String {
    format!("next: {}", document.forecast.sentence)
}

/// Where the write routes lead.
fn routes(document: &Document) -> Fact {
    let write: Vec<_> = document.routes.iter().filter(|r| r.kind == RouteKind::Write).collect();
    if write.is_empty() {
        let configured = document.cluster.truths.iter().any(|t| t.source == "haproxy" && !unused(t));
        return if configured { Fact::same("routes ?", Role::Unknown) } else { Fact::same("no routes configured", Role::Muted) };
    }
    let name = |names: &[String]| if names.is_empty() { "nobody".to_owned() } else { names.join(" and ") };
    let wrong: Vec<_> = write.iter().filter(|r| r.right == Some(false)).collect();
    if let Some(first) = wrong.first() {
        let each: Vec<String> = wrong.iter().map(|r| format!("{} writes to {}", r.instance, name(&r.up))).collect();
        let all_alike = wrong.len() == write.len() && wrong.iter().all(|r| r.up == first.up);
        let short = if all_alike {
            format!("writes → {}", name(&first.up))
        } else {
            format!("{} of {} write routes wrong", wrong.len(), write.len())
        };
        let long = if all_alike && wrong.len() > 1 { format!("all routes write to {}", name(&first.up)) } else { each.join(", ") };
        return Fact::new(long, short, Role::Critical);
    }
    let unknown: Vec<&str> = write.iter().filter(|r| r.right.is_none()).map(|r| r.instance.as_str()).collect();
    if !unknown.is_empty() {
        return Fact::new(format!("route of {} unknown", unknown.join(", ")), format!("route {} ?", unknown.join(", ")), Role::Unknown);
    }
    let to = name(&write[0].up);
    let long = match write.len() {
        1 => format!("the route writes to {to}"),
        2 => format!("both routes write to {to}"),
        n => format!("all {n} routes write to {to}"),
    };
    // All lead where they should, so "the leader" says the same as a long name.
    let short = if to.chars().count() > 12 { "writes → leader".to_owned() } else { format!("writes → {to}") };
    Fact::new(long, short, Role::Text)
}

/// Whether Airflow could do without its database for some seconds; nothing where no Airflow is configured.
fn airflow(document: &Document) -> Option<Fact> {
    let verdict = document.airflow.as_ref()?.quiet.verdict;
    let role = match verdict {
        Verdict::Go => Role::Text,
        Verdict::Warn | Verdict::Wait => Role::Warning,
        Verdict::Unknown => Role::Unknown,
        Verdict::Stop => Role::Critical,
    };
    Some(Fact::same(format!("Airflow: {verdict}"), role))
}

/// How long the leader key has.
fn lease(ctx: &Ctx<'_>, document: &Document) -> Option<Fact> {
    let cluster = &document.cluster;
    if let Some(gone) = cluster.leaderless_since {
        return Some(Fact::same(format!("no leader for {}", since(ctx.now().since(gone))), Role::Critical));
    }
    cluster.leader.as_ref()?;
    let limit = SourceKind::Lease.freshness().as_millis();
    let fresh = cluster.lease_age_ms.is_some_and(|ms| u128::from(ctx.aged(ms)) <= limit);
    Some(match (cluster.lease_ttl_seconds, cluster.lease_age_ms) {
        (Some(ttl), Some(ms)) => {
            let left = (ttl - ctx.aged(ms).saturating_sub(ms) as f64 / 1000.0).max(0.0);
            // Patroni renews at every loop; a lease below half of its time means that it did not.
            let low = cluster.ttl.is_some_and(|granted| left < f64::from(granted) / 3.0);
            // Nobody renews the lease of a leader that is silent by REST and by SQL: its end is what everybody waits for.
            let silent = document.members.iter().any(|m| Some(&m.name) == cluster.leader.as_ref() && !m.rest.fresh && !m.sql.fresh);
            match (fresh, low) {
                (true, _) if silent => Fact::same(format!("lease ends in {left:>2.0} s"), Role::Critical),
                (true, false) => Fact::same(format!("lease {left:>2.0} s"), Role::Text),
                (true, true) => Fact::same(format!("lease {left:>2.0} s"), Role::Warning),
                (false, _) => Fact::same(format!("lease ? (read {} ago)", age(ctx.aged(ms))), Role::Stale),
            }
        }
        _ => Fact::same("lease ?", Role::Unknown),
    })
}
