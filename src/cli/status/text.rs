//! The picture as plain text: no colours, no cursor movements, good to paste into a chat or a ticket.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use crate::document::{Asked, ClusterDoc, Document, EtcdDoc, EtcdMemberDoc, ForecastDoc, Level, MemberDoc, Role, RouteDoc, RouteKind};
use crate::model::SourceKind;
use crate::ui::format::{bytes, seconds};

/// The whole picture.
pub fn render(document: &Document) -> String {
    let mut out = String::new();
    let cluster = &document.cluster;
    let timeline = cluster.timeline.map(|t| format!(", timeline {t}")).unwrap_or_default();
    let lease = cluster.lease_ttl_seconds.map(|s| format!(", lease {s:.0} s")).unwrap_or_default();
    let _ = writeln!(out, "{}: {}{timeline}{lease}", cluster.name, document.headline.leads);
    let _ = writeln!(out, "{} {}", sign(document.headline.level), document.headline.verdict);
    let truths = cluster.truths.iter().map(|truth| {
        let says = if truth.leaders.is_empty() { "nobody".to_owned() } else { truth.leaders.join("+") };
        match (truth.agrees, &truth.note) {
            (Some(true), None) => format!("{} {says}", truth.source),
            (Some(true), Some(note)) => format!("{} {says} ({note})", truth.source),
            (Some(false), note) => format!("{} says {says}!{}", truth.source, note.as_ref().map(|n| format!(" ({n})")).unwrap_or_default()),
            (None, Some(note)) => format!("{} ? ({note})", truth.source),
            (None, None) => format!("{} ?", truth.source),
        }
    });
    let _ = writeln!(out, "who leads: {}", truths.collect::<Vec<_>>().join(", "));
    forecast(&mut out, &document.forecast, cluster);
    let _ = writeln!(out, "{}", margin(&document.etcd));
    out.push('\n');
    let mut rows = vec![row(&["member", "role", "state", "TL", "receive lag", "replay lag", "time", "REST", "SQL"])];
    rows.extend(document.members.iter().map(member));
    table(&mut out, &rows, &[3, 4, 5, 6]);
    out.push('\n');
    let mut rows = vec![row(&["etcd", "state", "raft index", "term", "db", "round trip"])];
    rows.extend(document.etcd.members.iter().map(etcd));
    table(&mut out, &rows, &[2, 3, 4]);
    out.push('\n');
    if document.routes.is_empty() {
        out.push_str("routes: no HAProxy is configured\n");
    } else {
        let mut rows = vec![row(&["route", "for", "leads to", "sessions", ""])];
        rows.extend(document.routes.iter().map(route));
        table(&mut out, &rows, &[3]);
    }
    if let Some(rabbitmq) = &document.rabbitmq {
        out.push_str(&super::rabbitmq::lines(rabbitmq));
    }
    if !document.findings.is_empty() {
        out.push('\n');
        for finding in &document.findings {
            let _ = writeln!(out, "{} {}: {} (since {})", sign(finding.severity), finding.code, finding.sentence, finding.since.clock());
            for evidence in &finding.evidence {
                let age = evidence.age_ms.map_or("age not known".to_owned(), |ms| format!("{} ago", seconds(ms as f64 / 1000.0)));
                let _ = writeln!(out, "      {}: {} = {} ({age})", evidence.source, evidence.what, evidence.value);
            }
        }
    }
    out
}

/// Whether the leader can be lost: who would take over and what would be lost with it, from when on, and what it would do without etcd.
fn forecast(out: &mut String, forecast: &ForecastDoc, cluster: &ClusterDoc) {
    let _ = writeln!(out, "{}", forecast.told());
    let Some(leader) = &forecast.leader else { return };
    if forecast.outcome == "takes-over" {
        let fresh = cluster.lease_age_ms.is_some_and(|ms| u128::from(ms) <= SourceKind::Lease.freshness().as_millis());
        let _ = match (cluster.lease_ttl_seconds, cluster.lease_age_ms) {
            (Some(left), _) if fresh => writeln!(out, "takes over: when the lease of {leader} has run out, {left:.0} s from now"),
            (Some(_), Some(ms)) => {
                writeln!(out, "takes over: when the lease of {leader} has run out; it was read {} ago", seconds(ms as f64 / 1000.0))
            }
            _ => writeln!(out, "takes over: when the lease of {leader} has run out; when that is was not read"),
        };
    }
    let _ = writeln!(out, "without etcd's quorum: {}", forecast.without_quorum);
}

/// How many members etcd can still lose: `etcd: 3 of 3 members answer, can lose 1`.
fn margin(etcd: &EtcdDoc) -> String {
    let Some(size) = etcd.size else { return "etcd: how many members it has is not known".to_owned() };
    let margin = match (etcd.quorum, etcd.failure_tolerance) {
        (Some(false), _) => "no quorum".to_owned(),
        (None, _) | (Some(true), None) => "quorum not known".to_owned(),
        (Some(true), Some(0)) => "can lose none".to_owned(),
        (Some(true), Some(n)) => format!("can lose {n}"),
    };
    format!("etcd: {} of {size} members answer, {margin}", etcd.healthy)
}

fn sign(level: Level) -> &'static str {
    match level {
        Level::Ok => "OK      ",
        Level::Warning => "WARNING ",
        Level::Critical => "CRITICAL",
        Level::Unknown => "UNKNOWN ",
    }
}

fn row(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

fn unknown<T>(value: Option<T>, show: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| "?".to_owned(), show)
}

fn asked(asked: &Asked) -> String {
    match (&asked.error, asked.age_ms) {
        (Some(error), _) => error.clone(),
        (None, Some(ms)) if !asked.fresh => format!("{} old", seconds(ms as f64 / 1000.0)),
        (None, Some(_)) => asked.rtt_ms.map_or("ok".to_owned(), |ms| format!("{ms:.0} ms")),
        (None, None) => "not heard yet".to_owned(),
    }
}

fn member(member: &MemberDoc) -> Vec<String> {
    let leads = matches!(member.role, Role::Leader | Role::StandbyLeader);
    let lag = |value: Option<u64>| if leads { "-".to_owned() } else { unknown(value, bytes) };
    let state = match (&member.state, member.present) {
        (Some(state), true) => state.clone(),
        (Some(state), false) => format!("{state}, key missing"),
        (None, true) => member.last_known.clone().map_or("?".to_owned(), |last| format!("? (was {last})")),
        (None, false) => "missing".to_owned(),
    };
    vec![
        member.name.clone(),
        member.role.to_string().replace('_', " "),
        state,
        unknown(member.timeline, |t| t.to_string()),
        lag(member.receive_lag_bytes),
        lag(member.replay_lag_bytes),
        if leads { "-".to_owned() } else { unknown(member.replay_lag_seconds, seconds) },
        asked(&member.rest),
        asked(&member.sql),
    ]
}

fn etcd(member: &EtcdMemberDoc) -> Vec<String> {
    // What a member that does not answer once said is not shown as if it said so now.
    let now = |value: Option<u64>| if member.asked.fresh { unknown(value, |v| v.to_string()) } else { "?".to_owned() };
    let db = member.db_size_bytes.filter(|_| member.asked.fresh);
    let alarms = if member.alarms.is_empty() { String::new() } else { format!(" ALARM {}", member.alarms.join(", ")) };
    vec![
        member.name.clone(),
        format!("{}{alarms}", member.state),
        now(member.raft_index),
        now(member.raft_term),
        unknown(db, bytes),
        asked(&member.asked),
    ]
}

fn route(route: &RouteDoc) -> Vec<String> {
    let to = if route.up.is_empty() { "nobody".to_owned() } else { route.up.join(", ") };
    let verdict = match (route.right, route.kind) {
        (Some(true), _) => "right".to_owned(),
        (Some(false), RouteKind::Write) => "WRONG".to_owned(),
        (Some(false), _) => "leads nowhere".to_owned(),
        (None, RouteKind::Other) if route.asked.fresh => String::new(),
        (None, _) => match asked(&route.asked) {
            _ if route.asked.fresh => "leader not known".to_owned(),
            why => why,
        },
    };
    let known = route.asked.age_ms.is_some();
    vec![
        format!("{} {}", route.instance, route.backend).trim_end().to_owned(),
        route.kind.to_string(),
        if known { to } else { "?".to_owned() },
        unknown(route.sessions, |s| s.to_string()),
        verdict,
    ]
}

/// Columns as wide as their widest cell; those in `right` are flush right.
fn table(out: &mut String, rows: &[Vec<String>], right: &[usize]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|r| r.get(column)).map(|c| c.width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[column] - cell.width());
            if column > 0 {
                line.push_str("  ");
            }
            if right.contains(&column) {
                line.push_str(&pad);
                line.push_str(cell);
            } else {
                line.push_str(cell);
                line.push_str(&pad);
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::finding::{Forecast, Limits, Tracker};
    use crate::model::{Cluster, Time};

    /// The picture of a cluster of which nothing is known.
    fn unknown() -> Document {
        let (cluster, at) = (Cluster::new("card", "/service/", BTreeMap::new()), Time::from_micros(7_000_000));
        Document::of(&cluster, &Tracker::default(), &Forecast::of(&cluster, at), &Limits::default(), "card", at)
    }

    fn lines(document: &Document) -> Vec<String> {
        let text = render(document);
        text.lines()
            .skip_while(|line| !line.starts_with("who leads: "))
            .skip(1)
            .take_while(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    }

    #[test]
    fn it_tells_whether_the_leader_can_be_lost_who_is_next_from_when_on_and_what_etcd_can_lose() {
        let mut document = unknown();
        document.forecast = ForecastDoc {
            leader: Some("psg1".to_owned()),
            outcome: "takes-over".to_owned(),
            next: vec!["psg2".to_owned()],
            sentence: "psg2, no acknowledged commit lost".to_owned(),
            without_quorum: "psg1 would step down: failsafe mode is off".to_owned(),
            ..document.forecast
        };
        (document.cluster.lease_ttl_seconds, document.cluster.lease_age_ms) = (Some(27.2), Some(400));
        document.etcd = EtcdDoc { quorum: Some(true), size: Some(3), healthy: 3, failure_tolerance: Some(1), ..document.etcd };
        let told = [
            "if psg1 died now: psg2, no acknowledged commit lost",
            "takes over: when the lease of psg1 has run out, 27 s from now",
            "without etcd's quorum: psg1 would step down: failsafe mode is off",
            "etcd: 3 of 3 members answer, can lose 1",
        ];
        assert_eq!(lines(&document), told);
        // What is old is not told as what is.
        document.cluster.lease_age_ms = Some(40_000);
        document.etcd = EtcdDoc { healthy: 2, failure_tolerance: Some(0), ..document.etcd };
        let told = lines(&document);
        assert_eq!(told[1], "takes over: when the lease of psg1 has run out; it was read 40 s ago");
        assert_eq!(told[3], "etcd: 2 of 3 members answer, can lose none");
        document.cluster.lease_ttl_seconds = None;
        document.etcd.quorum = Some(false);
        let told = lines(&document);
        assert_eq!(told[1], "takes over: when the lease of psg1 has run out; when that is was not read");
        assert_eq!(told[3], "etcd: 2 of 3 members answer, no quorum");
    }

    #[test]
    fn of_what_is_not_known_it_says_so() {
        let told = lines(&unknown());
        assert!(told[0].starts_with("next: "), "{told:?}");
        assert_eq!(told.last().map(String::as_str), Some("etcd: how many members it has is not known"));
        assert!(!told.iter().any(|line| line.starts_with("takes over: ")), "{told:?}");
    }
}
