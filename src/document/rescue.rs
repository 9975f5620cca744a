//! The part on what an outage of Airflow's writes has put at risk.

use super::{DoneState, RescueDoc, RescueTaskDoc};
use crate::finding::Limits;
use crate::model::{Cluster, Done, RescueItem, TaskKey, Time};

/// `None`: no outage is known.
pub(super) fn document(cluster: &Cluster, limits: &Limits, now: Time) -> Option<RescueDoc> {
    let rescue = cluster.rescue(limits.task_heartbeat, now)?;
    let is_3 = rescue.is_3;
    Some(RescueDoc {
        from: rescue.outage.from,
        until: rescue.outage.until,
        seen: rescue.outage.seen,
        tasks: rescue.items.iter().map(|item| task(item, is_3)).collect(),
    })
}

fn task(item: &RescueItem, is_3: Option<bool>) -> RescueTaskDoc {
    let (done, done_at, why_unknown) = match &item.done {
        Done::Finished(at) => (DoneState::Finished, *at, None),
        Done::Open(at) => (DoneState::Open, *at, None),
        Done::Untouched => (DoneState::Untouched, None, None),
        Done::Unknown(why) => (DoneState::Unknown, None, Some(why.clone())),
    };
    let key = TaskKey::of(&item.task);
    let mark_success = match is_3 {
        Some(true) => by_api(&key),
        Some(false) => by_command(&key),
        None => None,
    };
    RescueTaskDoc {
        dag: key.dag,
        task: key.task,
        run: key.run,
        map_index: key.map_index,
        try_number: item.task.try_number,
        retries: item.retries,
        state: item.state.clone(),
        done,
        done_at,
        why_unknown,
        due: item.due,
        mark_success,
    }
}

/// Airflow 2.10: `tasks run --raw --mark-success` writes down the success, whatever the task's state, and runs nothing.
fn by_command(key: &TaskKey) -> Option<String> {
    let mut words = ["airflow", "tasks", "run", "--raw", "--mark-success"].map(str::to_owned).to_vec();
    if key.map_index >= 0 {
        words.extend(["--map-index".to_owned(), key.map_index.to_string()]);
    }
    // A name that begins with a dash is no option.
    words.extend(["--".to_owned(), key.dag.clone(), key.task.clone(), key.run.clone()]);
    shlex::try_join(words.iter().map(String::as_str)).ok()
}

/// Airflow 3, whose command has no such thing any more: its REST API. Address and token are the reader's own; the token is no word of a command, as
/// everybody on the machine could read that.
fn by_api(key: &TaskKey) -> Option<String> {
    let mut url = url::Url::parse("http://airflow").ok()?;
    let index = (key.map_index >= 0).then(|| key.map_index.to_string());
    let path = ["api", "v2", "dags", key.dag.as_str(), "dagRuns", key.run.as_str(), "taskInstances", key.task.as_str()];
    url.path_segments_mut().ok()?.clear().extend(path.into_iter().chain(index.as_deref()));
    // What stands in single quotes is the shell's as it is.
    let path = url.path().replace('\'', "%27");
    Some(format!(
        "printf 'header=\"Authorization: Bearer %s\"' \"$TOKEN\" | curl -fsS -K - -X PATCH -H 'Content-Type: application/json' \
         -d '{{\"new_state\": \"success\"}}' \"$AIRFLOW_API\"'{path}'"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(run: &str, map_index: i64) -> TaskKey {
        TaskKey { dag: "charge".to_owned(), run: run.to_owned(), task: "work".to_owned(), map_index }
    }

    #[test]
    fn names_with_a_shells_signs_are_names_and_nothing_else() {
        let run = "manual__2026-11-27T03:12:00+00:00'; $(x) `y`";
        let command = by_command(&key(run, 3)).expect("a command");
        let words = shlex::split(&command).expect("it splits");
        assert_eq!(words, ["airflow", "tasks", "run", "--raw", "--mark-success", "--map-index", "3", "--", "charge", "work", run]);
        let words = shlex::split(&by_api(&key(run, -1)).expect("a request")).expect("it splits");
        let path = "$AIRFLOW_API/api/v2/dags/charge/dagRuns/manual__2026-11-27T03:12:00+00:00%27;%20$(x)%20%60y%60/taskInstances/work";
        assert_eq!((words[4].as_str(), words.last().map(String::as_str)), ("curl", Some(path)));
        assert!(by_api(&key("r", 3)).is_some_and(|request| request.contains("/taskInstances/work/3'")));
    }
}
