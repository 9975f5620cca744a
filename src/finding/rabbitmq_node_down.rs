//! `rabbitmq-node-down`: a node of RabbitMQ is down as another one sees it, or its management API does not answer.

use super::{Case, Evidence, Explanation, Finding, Rule, listed};
use crate::model::{Level, Rabbitmq, SourceError, SourceId, SourceKind, Time};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "rabbitmq-node-down",
        runbook: None,
        fires: "another node of RabbitMQ lists this one as not running; or its own management API refuses the connection or does not answer within 1.5 s, and no other node \
                says now that it runs. Critical when half of the nodes that are configured, or more, are so.",
        matters: "A quorum queue needs a majority of its nodes: with one of three down it goes on, with two nothing is taken and no task begins. With pause_minority \
                  a node in the minority stops serving by itself. While a node only hangs, the lists of nodes and queues of all nodes stand still with it, for about a minute \
                  (net_ticktime): what is shown of them meanwhile has its age beside it.",
        next: &[
            "Look on the node: systemctl status rabbitmq-server, its log, free memory and disk.",
            "One that hangs and does not come back is stopped for good: better none than one that hangs.",
            "Airflow's broker_url must name all nodes, separated by semicolons: workers go over to the next in seconds.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let Some(rabbitmq) = &cluster.rabbitmq else { return Vec::new() };
    let names: Vec<&String> = rabbitmq.seen.keys().filter(|name| rabbitmq.gone(name, now)).collect();
    let severity = if names.len() * 2 >= rabbitmq.seen.len() { Level::Critical } else { Level::Warning };
    names.into_iter().map(|name| finding(rabbitmq, name, severity, now)).collect()
}

fn finding(rabbitmq: &Rabbitmq, name: &str, severity: Level, now: Time) -> Finding {
    let own = rabbitmq.seen.get(name);
    let node = rabbitmq.erlang_name(name, now);
    let tellers = rabbitmq
        .nodes_now(now)
        .filter(|(_, list)| list.last().is_some_and(|l| l.iter().any(|n| Some(n.name.as_str()) == node && !n.running)));
    let tellers: Vec<(&str, _)> = tellers.map(|(teller, list)| (teller, list.at())).collect();
    let error = own.and_then(|seen| seen.alarms.error());
    let sentence = if tellers.is_empty() {
        let why = error.map(SourceError::to_string).unwrap_or_default();
        format!("RabbitMQ on {name} does not answer: {why}")
    } else {
        let who: Vec<&str> = tellers.iter().map(|(teller, _)| *teller).collect();
        format!("RabbitMQ on {name} is down, by {}", listed(&who))
    };
    let told = tellers.iter().map(|(teller, at)| {
        Evidence::new(SourceId::new(SourceKind::Rabbitmq, *teller), &format!("running of {}", node.unwrap_or(name)), false, *at)
    });
    let own = own.and_then(|seen| Evidence::error(SourceKind::Rabbitmq, name, &seen.alarms));
    Finding::new("rabbitmq-node-down", severity, sentence).about(name).because(told).because(own)
}
