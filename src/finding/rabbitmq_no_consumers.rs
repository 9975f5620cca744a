//! `rabbitmq-no-consumers`: there is work, and nobody takes it from the queue.

use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::{Cluster, Level, Rabbitmq, SourceId, SourceKind, Time, Work, fresh_airflow};

/// A worker that is started again, or goes over to another node, is back by then (measured with Celery 5.6: 19 s).
const LASTS: Duration = Duration::from_secs(30);

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "rabbitmq-no-consumers",
        runbook: None,
        fires: "a queue that matters has had no consumer for 30 s while it holds messages or Airflow has tasks that run or are queued; likewise when there is no such \
                queue. What was so at the first look need not last.",
        matters: "No task begins. The worker's process may be alive all the same: with default_queue_type = quorum on the virtual host a Celery worker is refused every time \
                  it wants to consume (540 NOT_IMPLEMENTED, queue 'default' in vhost '/' does not support global qos), and tries again for ever.",
        next: &[
            "Look at the worker: systemctl status, and its log for `global qos` or a refused connection.",
            "With quorum queues and Celery 5.5 or later: AIRFLOW__CELERY__EXTRA_CELERY_CONFIG='{\"task_default_queue_type\":\"quorum\"}'; with an older one the queue must be classic.",
            "If it is another queue that the workers take from, name it in queues of [clusters.CLUSTER.rabbitmq].",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let Some(rabbitmq) = &cluster.rabbitmq else { return Vec::new() };
    if rabbitmq.queues_now(now).is_none() {
        return Vec::new();
    }
    rabbitmq
        .wanted
        .iter()
        .filter(|name| rabbitmq.without_consumers(name, now, LASTS))
        .filter_map(|name| finding(cluster, rabbitmq, name, now))
        .collect()
}

fn finding(cluster: &Cluster, rabbitmq: &Rabbitmq, name: &str, now: Time) -> Option<Finding> {
    let (teller, queues) = rabbitmq.queues_now(now)?;
    let queue = queues.last()?.iter().find(|queue| queue.name == name);
    let work = fresh_airflow(cluster, now).map(Work::of);
    let tasks = work
        .filter(|work| work.running + work.queued > 0)
        .map(|work| format!("Airflow has {} running and {} queued tasks", work.running, work.queued));
    let holds = queue.filter(|queue| queue.holds()).map(|queue| {
        let n = |count: Option<u64>| count.map_or_else(|| "?".to_owned(), |n| n.to_string());
        format!("{} ready and {} unacknowledged messages", n(queue.ready), n(queue.unacknowledged))
    });
    let why = holds.into_iter().chain(tasks).collect::<Vec<_>>().join("; ");
    let sentence = match queue {
        Some(queue) => format!("nobody takes tasks from the {} queue {name}: 0 consumers; {why}", queue.kind),
        None => format!("there is no queue {name} in the virtual host {}: no worker has made it; {why}", rabbitmq.vhost),
    };
    let consumers = queue.and_then(|queue| queue.consumers).map_or_else(|| "no such queue".to_owned(), |n| n.to_string());
    let at = queues.at();
    let mut evidence = vec![Evidence::new(SourceId::new(SourceKind::Rabbitmq, teller), &format!("consumers of {name}"), consumers, at)];
    if let Some(work) = work {
        let at = cluster.airflow.as_ref().and_then(|seen| seen.at());
        let told = format!("{} running, {} queued", work.running, work.queued);
        evidence.push(Evidence::new(SourceId::new(SourceKind::Airflow, &cluster.scope), "tasks", told, at));
    }
    Some(Finding::new("rabbitmq-no-consumers", Level::Critical, sentence).about(name).because(evidence))
}
