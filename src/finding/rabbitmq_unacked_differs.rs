//! `rabbitmq-unacked-differs`: the messages that workers hold are not the tasks that Airflow runs.

use std::time::Duration;

use super::{Case, Evidence, Explanation, Finding, Rule, spoken};
use crate::model::{Level, Misfit, SourceId, SourceKind, Work, fresh_airflow};

/// A task that begins or ends is told to both sides within seconds.
const LASTS: Duration = Duration::from_secs(60);

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "rabbitmq-unacked-differs",
        runbook: None,
        fires: "for a minute, at every reading, the unacknowledged messages of the queues that matter are fewer than Airflow's running tasks, or more than its running and queued \
                ones together. Both must be read now; who looks only once is not told. Taken for granted is that all tasks go through these queues (CeleryExecutor) and \
                that workers acknowledge late (task_acks_late, Airflow's default).",
        matters: "More messages than tasks: a worker still works on what Airflow has given up, and may run beside its retry. Fewer messages than tasks: Airflow waits for a task \
                  whose worker is gone or has acknowledged it; it is called dead after the heartbeat's limit (5 min) and run again if it has tries left.",
        next: &[
            "See the running tasks and their heartbeats (key 9): one without a heartbeat for a minute is the one that is lost.",
            "On the worker: celery inspect active names the tasks that it works on.",
            "Before a lost task is run again look at the target's ledger whether it has finished.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let Some(rabbitmq) = &cluster.rabbitmq else { return Vec::new() };
    let Some((misfit, since)) = rabbitmq.misfit().filter(|(_, since)| now.since(*since) >= LASTS) else { return Vec::new() };
    let (Some(work), Some(unacknowledged)) = (fresh_airflow(cluster, now).map(Work::of), rabbitmq.unacknowledged(now)) else {
        return Vec::new();
    };
    let Work { running, queued } = work;
    let what = match misfit {
        Misfit::TooFew(n) => {
            format!("{n} of the tasks that Airflow takes for running {} no message at a worker", if n == 1 { "has" } else { "have" })
        }
        Misfit::TooMany(n) => {
            format!("workers hold {n} {} that Airflow neither runs nor has queued", if n == 1 { "message" } else { "messages" })
        }
    };
    let lasted = spoken(now.since(since));
    let sentence = format!("{what}, for {lasted}: {unacknowledged} unacknowledged, {running} running, {queued} queued");
    let teller = rabbitmq.queues_now(now).map(|(teller, queues)| {
        Evidence::new(SourceId::new(SourceKind::Rabbitmq, teller), "unacknowledged messages", unacknowledged, queues.at())
    });
    let at = cluster.airflow.as_ref().and_then(|seen| seen.at());
    let tasks =
        Evidence::new(SourceId::new(SourceKind::Airflow, &cluster.scope), "tasks", format!("{running} running, {queued} queued"), at);
    vec![Finding::new("rabbitmq-unacked-differs", Level::Warning, sentence).because(teller).because([tasks])]
}
