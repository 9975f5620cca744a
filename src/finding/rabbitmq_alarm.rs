//! `rabbitmq-alarm`: a node of RabbitMQ has too little memory or disk, and the whole cluster blocks whoever publishes.

use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::{Level, SourceId, SourceKind};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "rabbitmq-alarm",
        runbook: None,
        fires: "the health check of the alarms names one, on whatever node; any node that answers may say so.",
        matters: "While an alarm stands on one node, every node blocks the connections that publish: the scheduler hands out no task, and workers cannot always \
                  acknowledge what they have finished. Airflow's queued tasks wait, and after task_queued_timeout (10 min) are failed or queued again.",
        next: &[
            "disk: make room below the node's data directory; the alarm goes by itself above disk_free_limit.",
            "memory: see what holds it (rabbitmq-diagnostics memory_breakdown): mostly queues that nobody takes from. It goes by itself below vm_memory_high_watermark.",
            "Do not switch over meanwhile: pgbaton quiet says stop.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let Some(rabbitmq) = &cluster.rabbitmq else { return Vec::new() };
    let alarms = rabbitmq.alarms_now(now).unwrap_or_default();
    let found = alarms.into_iter().map(|(alarm, teller)| {
        let node = rabbitmq.called(&alarm.node);
        let sentence = format!("RabbitMQ takes no messages: {node} has raised the alarm {}", alarm.resource);
        let at = rabbitmq.seen.get(teller).and_then(|seen| seen.alarms.at());
        let evidence = Evidence::new(SourceId::new(SourceKind::Rabbitmq, teller), &format!("alarm of {}", alarm.node), &alarm.resource, at);
        Finding::new("rabbitmq-alarm", Level::Critical, sentence).about(format!("{node} {}", alarm.resource)).because([evidence])
    });
    found.collect()
}
