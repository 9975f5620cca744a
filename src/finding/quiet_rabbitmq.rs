//! What RabbitMQ says to a switchover: it carries the tasks that were let go again afterwards.

use super::{Ground, Verdict};
use crate::model::{Cluster, SourceError, Time, listed};

/// Nothing where no RabbitMQ is configured.
pub(super) fn grounds(cluster: &Cluster, now: Time) -> Vec<Ground> {
    let Some(rabbitmq) = &cluster.rabbitmq else { return Vec::new() };
    let mut all = Vec::new();
    let mut say = |code, verdict, sentence: String| all.push(Ground { code, verdict, sentence });
    let alarms = rabbitmq.alarms_now(now);
    for alarm in alarms.iter().flat_map(|alarms| alarms.keys()) {
        let sentence = format!("RabbitMQ takes no messages: {} has raised the alarm {}", rabbitmq.called(&alarm.node), alarm.resource);
        say("rabbitmq-alarm", Verdict::Stop, sentence);
    }
    let lists: Vec<_> = rabbitmq.nodes_now(now).filter_map(|(_, list)| list.last()).collect();
    let parted = lists.iter().flat_map(|list| list.iter()).filter(|node| node.partitions.as_ref().is_some_and(|from| !from.is_empty()));
    let mut parted: Vec<&str> = parted.map(|node| rabbitmq.called(&node.name)).collect();
    parted.sort_unstable();
    parted.dedup();
    if !parted.is_empty() {
        say("rabbitmq-partition", Verdict::Stop, format!("RabbitMQ is parted: {} sees others no more", listed(&parted)));
    }
    let gone: Vec<&String> = rabbitmq.seen.keys().filter(|name| rabbitmq.gone(name, now)).collect();
    if !gone.is_empty() {
        say("rabbitmq-nodes", Verdict::Warn, format!("RabbitMQ on {} does not run or does not answer", listed(&gone)));
    }
    // Partitions are not symmetric: the list of each node counts.
    let unread = |name: &&String| !gone.contains(name) && rabbitmq.nodes_now(now).all(|(teller, _)| teller != name.as_str());
    let unread: Vec<&String> = rabbitmq.seen.keys().filter(unread).collect();
    let why = || match rabbitmq.seen.values().find_map(|seen| seen.nodes.error().or(seen.alarms.error())) {
        Some(error) => SourceError::told(error),
        None => "nothing was heard lately".to_owned(),
    };
    let known = alarms.is_some() && !lists.is_empty();
    if !known {
        say("rabbitmq-unknown", Verdict::Unknown, format!("whether RabbitMQ is well is not known: {}", why()));
    } else if !unread.is_empty() {
        say("rabbitmq-nodes", Verdict::Warn, format!("what RabbitMQ on {} says is not known: {}", listed(&unread), why()));
    }
    if known && all.is_empty() {
        let sentence = format!("RabbitMQ: all {} nodes run, no alarm, no partition", rabbitmq.seen.len());
        all.push(Ground { code: "rabbitmq", verdict: Verdict::Go, sentence });
    }
    all
}
