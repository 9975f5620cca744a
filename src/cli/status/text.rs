//! The picture as plain text: no colours, no cursor movements, good to paste into a chat or a ticket.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use crate::document::{Asked, Document, EtcdMemberDoc, Level, MemberDoc, Role, RouteDoc, RouteKind};
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
