//! `long-transaction`, `idle-in-transaction`: a client keeps a transaction open on the leader.

use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule, spoken};
use crate::model::{Level, Member, Transaction};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[
        Explanation {
            code: "long-transaction",
            runbook: None,
            fires: "a client's transaction on the leader has been open for longer than the limit `long_transaction` (30 min). Our user sees those of others with pg_monitor only; without it nothing is found.",
            matters: "Vacuum cannot clean up what was deleted since it began, so that tables grow, and its locks are held all the time. A switchover ends it.",
            next: &[
                "Find out who it is: user, application and address are in the evidence. A dump or a report may well take so long.",
                "Before a switchover or a restart, wait for it or agree on its end: it is rolled back.",
                "To end it: SELECT pg_cancel_backend(PID), and if that does not help pg_terminate_backend(PID).",
            ],
        },
        Explanation {
            code: "idle-in-transaction",
            runbook: None,
            fires: "a client's session on the leader has sat in an open transaction without doing anything for longer than the limit `idle_in_transaction` (5 min). Our user sees those of others with pg_monitor only; without it nothing is found.",
            matters: "It holds its locks and keeps vacuum from cleaning up, mostly because an application forgot to commit or waits for somebody else.",
            next: &[
                "Find out who it is: user, application and address are in the evidence.",
                "To end it: SELECT pg_terminate_backend(PID). What it did is rolled back.",
                "Set idle_in_transaction_session_timeout for this user, so that PostgreSQL ends such sessions itself.",
            ],
        },
    ],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, limits, .. } = *case;
    let Some(leader) = cluster.leader_now(now).and_then(|name| cluster.members.get(name)) else { return Vec::new() };
    let Some(sql) = leader.sql_now(now) else { return Vec::new() };
    // By the server's own clock on both sides.
    let past = |at, limit| sql.server_time.zip(at).map(|(now, at)| now.since(at)).filter(|span| *span > limit);
    let idle = sql.idle_transaction.as_ref().and_then(|t| Some((t, past(t.state_since, limits.idle_in_transaction)?)));
    let oldest = sql.oldest_transaction.as_ref().and_then(|t| Some((t, past(t.started, limits.long_transaction)?)));
    let mut found = Vec::new();
    if let Some((transaction, span)) = idle {
        let sentence = format!("{} has been idle in a transaction on {} for {}", who(transaction), leader.name, spoken(span));
        found.push(finding("idle-in-transaction", &sentence, leader, transaction, span));
    }
    // One session, one finding.
    if let Some((transaction, span)) = oldest.filter(|(t, _)| idle.is_none_or(|(idle, _)| idle.pid != t.pid)) {
        let sentence = format!("{} has had a transaction open on {} for {}", who(transaction), leader.name, spoken(span));
        found.push(finding("long-transaction", &sentence, leader, transaction, span));
    }
    found
}

fn finding(code: &'static str, sentence: &str, leader: &Member, transaction: &Transaction, span: Duration) -> Finding {
    let held = match transaction.holds_back {
        None | Some(0) => String::new(),
        Some(1) => "; it holds vacuum back by 1 transaction".to_owned(),
        Some(count) => format!("; it holds vacuum back by {count} transactions"),
    };
    let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "not known".to_owned());
    let pid = transaction.pid.to_string();
    Finding::new(code, Level::Warning, format!("{sentence}{held}")).about(&leader.name).naming([("PID", &pid)]).because([
        Evidence::sql(leader, "pid", transaction.pid),
        Evidence::sql(leader, "user", word(&transaction.user)),
        Evidence::sql(leader, "application", word(&transaction.application)),
        Evidence::sql(leader, "database", word(&transaction.database)),
        Evidence::sql(leader, "client", transaction.client.as_deref().unwrap_or("local")),
        Evidence::sql(leader, "state", word(&transaction.state)),
        Evidence::sql(leader, "for", format!("{} s", span.as_secs())),
        Evidence::sql(leader, "age of its xmin", transaction.holds_back.map_or("none".to_owned(), |n| n.to_string())),
    ])
}

/// `airflow (scheduler, pid 4711)`.
fn who(transaction: &Transaction) -> String {
    let user = transaction.user.as_deref().unwrap_or("a session");
    match &transaction.application {
        Some(application) => format!("{user} ({application}, pid {})", transaction.pid),
        None => format!("{user} (pid {})", transaction.pid),
    }
}
