//! `rabbitmq-permission`: our user may not see what is to be seen, which looks like an empty RabbitMQ.

use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::{ErrorKind, Level, SourceError, SourceId, SourceKind, Time};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "rabbitmq-permission",
        runbook: None,
        fires: "the management API refuses our user the list of the nodes or that of the virtual host's queues. Over all virtual hosts such a user is given an empty list, \
                without an error, which is why pgbaton asks for the one.",
        matters: "The queues are not seen: neither a queue without consumers nor messages that have no task would be found. What is not seen is shown as not known.",
        next: &[
            "The queues: rabbitmqctl set_permissions -p VHOST USER '^$' '^$' '^$' lets the user see the virtual host and touch nothing in it.",
            "The nodes: rabbitmqctl set_user_tags USER monitoring.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, .. } = *case;
    let Some(rabbitmq) = &cluster.rabbitmq else { return Vec::new() };
    let denied = |error: Option<&SourceError>, since: Option<Time>| {
        error.filter(|error| error.kind == ErrorKind::Denied).map(|error| (error.clone(), since))
    };
    let all = rabbitmq.seen.iter().flat_map(|(name, seen)| {
        let lists = [
            denied(seen.alarms.error(), seen.alarms.failing_since()),
            denied(seen.nodes.error(), seen.nodes.failing_since()),
            denied(seen.queues.error(), seen.queues.failing_since()),
        ];
        lists.into_iter().flatten().map(move |(error, since)| (name, error, since))
    });
    let all: Vec<_> = all.collect();
    let Some((_, first, _)) = all.first() else { return Vec::new() };
    let sentence = format!("what RabbitMQ's queues hold is not shown to us: {}", first.told());
    let evidence = all
        .iter()
        .map(|(name, error, since)| Evidence::new(SourceId::new(SourceKind::Rabbitmq, name.as_str()), "error", error.told(), *since));
    vec![Finding::new("rabbitmq-permission", Level::Warning, sentence).because(evidence)]
}
