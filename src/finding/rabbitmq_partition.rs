//! `rabbitmq-partition`: nodes of RabbitMQ have lost each other and gone on.

use std::collections::BTreeMap;

use super::{Case, Evidence, Explanation, Finding, Rule, listed};
use crate::model::{Level, SourceId, SourceKind};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "rabbitmq-partition",
        runbook: None,
        fires: "the list `partitions` of any node is not empty, in the list that any node gives now. It is not symmetric: after a node that hung came back, one of three \
                nodes named it, one had no list and one an empty one.",
        matters: "Parted nodes hold different truths about the queues: a message may be delivered on both sides, which is a task run twice, or be lost when one side is thrown \
                  away to heal it.",
        next: &[
            "With cluster_partition_handling = pause_minority it heals by itself within a minute: wait for this to go before anything else.",
            "Else choose the side to keep, stop the nodes of the other, and start them again: they take the first's state and lose theirs.",
            "Compare the unacknowledged messages with the tasks that run afterwards (rabbitmq-unacked-differs).",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let Some(rabbitmq) = &cluster.rabbitmq else { return Vec::new() };
    let mut parted: BTreeMap<&str, (Vec<&str>, Vec<Evidence>)> = BTreeMap::new();
    for (teller, list) in rabbitmq.nodes_now(now) {
        for node in list.last().into_iter().flatten() {
            let from = node.partitions.iter().flatten();
            let (names, evidence) = match node.partitions.as_ref().filter(|from| !from.is_empty()) {
                Some(_) => parted.entry(rabbitmq.called(&node.name)).or_default(),
                None => continue,
            };
            names.extend(from.map(|name| rabbitmq.called(name)));
            let told = node.partitions.as_deref().unwrap_or_default().join(", ");
            evidence.push(Evidence::new(
                SourceId::new(SourceKind::Rabbitmq, teller),
                &format!("partitions of {}", node.name),
                told,
                list.at(),
            ));
        }
    }
    let found = parted.into_iter().map(|(node, (mut names, evidence))| {
        names.sort_unstable();
        names.dedup();
        let sentence = format!("RabbitMQ on {node} is parted from {}", listed(&names));
        Finding::new("rabbitmq-partition", Level::Critical, sentence).about(node).because(evidence)
    });
    found.collect()
}
