//! What the picture of the estate may not say: that something is well, or 0, or silent, of which that is not known.

use pgbaton::document::{
    Asked, BookDoc, BookKind, DoneState, FindingDoc, JobDoc, RabbitmqNodeDoc, RabbitmqQueueDoc, RescueDoc, RescueTaskDoc, RouteDoc,
};

use super::estate_pane::whole;
use super::topology_pane::topology;
use super::*;

/// Words of the picture at each size, without its columns.
fn shown(document: &Document) -> Vec<String> {
    let at = |size| text(&topology(document.clone(), size, false)).split_whitespace().collect::<Vec<_>>().join(" ");
    [(80, 24), (120, 40), (160, 48)].into_iter().map(at).collect()
}

fn says(document: &Document, words: &str, not: &str) {
    for shown in shown(document) {
        assert!(shown.contains(words) && !shown.contains(not), "{words:?} and not {not:?}: {shown}");
    }
}

/// Somebody has answered, and not what was to be answered.
fn failed(age_ms: Option<u64>, kind: &str, error: &str) -> Asked {
    Asked { age_ms, fresh: false, error: Some(error.to_owned()), error_kind: Some(kind.to_owned()), rtt_ms: None }
}

fn finding(code: &str) -> FindingDoc {
    let any = sample::no_leader().findings.first().cloned().expect("a finding");
    FindingDoc { code: code.to_owned(), severity: Level::Warning, subject: None, ..any }
}

fn book(jobs: u64, unread_lines: u64, open: Vec<JobDoc>) -> Document {
    let mut document = whole();
    let target = document.target.as_mut().expect("a target");
    target.book = Some(BookDoc { kind: BookKind::Ledger, whole: true, jobs, unread_lines, twice: Vec::new(), open });
    document
}

#[test]
fn a_ledger_that_is_not_understood_is_not_one_in_which_nothing_was_started_twice() {
    says(&book(0, 7, Vec::new()), "7 lines NOT UNDERSTOOD", "0 started twice");
    // Where most of it is understood that is told too.
    let some = book(214, 1, Vec::new());
    says(&some, "UNDERSTOOD", "1 lines");
    let mut state = console(vec![some]);
    press(&mut state, &[CommandId::Pane0, CommandId::Bottom, CommandId::Open]);
    let sheet = text(&screen(&mut state, (120, 40), false));
    assert!(sheet.contains("214 tasks, 0 started twice") && sheet.contains("1 line NOT UNDERSTOOD"), "{sheet}");
}

#[test]
fn a_task_that_has_just_ended_is_no_orphan_until_the_rule_says_so() {
    let job = JobDoc {
        dag: "charge".to_owned(),
        task: "work".to_owned(),
        run: "manual__1".to_owned(),
        map_index: -1,
        starts: 1,
        started: Some(sample::at(sample::NOW - 60)),
        ended: None,
        again: false,
        runs_in_airflow: Some(false),
    };
    let mut document = book(214, 0, vec![job]);
    // A box breaks the sentence.
    says(&document, "0 started twice", "NOT");
    document.findings.push(finding("target-orphan"));
    says(&document, "NOT", "✖");
}

#[test]
fn an_etcd_that_was_not_asked_yet_has_not_failed() {
    let mut document = whole();
    for member in &mut document.etcd.members {
        member.state = "unknown".to_owned();
        member.asked = Asked { age_ms: None, fresh: false, error: None, error_kind: None, rtt_ms: None };
    }
    says(&document, "? etcd unknown", "✖");
    for member in &mut document.etcd.members {
        (member.state, member.asked) = ("unreachable".to_owned(), failed(None, "refused", "connection refused"));
    }
    // A narrow screen cuts it.
    says(&document, "✖ etcd unreacha", "? etcd");
}

#[test]
fn a_target_that_was_not_asked_yet_is_neither_silent_nor_without_a_ledger() {
    let mut document = whole();
    let target = document.target.as_mut().expect("a target");
    target.asked = Asked { age_ms: None, fresh: false, error: None, error_kind: None, rtt_ms: None };
    (target.book, target.load_1, target.used_share) = (None, None, None);
    says(&document, "not asked yet", "DOES NOT ANSWER");
    says(&document, "? ledger", "none is configured");
}

#[test]
fn a_count_of_long_ago_is_not_told_as_that_of_now() {
    let mut document = whole();
    let hosts = &mut document.dags.as_mut().expect("DAGs").hosts;
    hosts.iter_mut().for_each(|host| host.counted_at = Some(sample::at(sample::NOW - 600)));
    says(&document, "counted 10 min ago", "✖");
}

#[test]
fn who_answers_something_else_is_not_called_silent() {
    let mut document = whole();
    let airflow = document.airflow.as_mut().expect("Airflow");
    airflow.health[0].asked = failed(None, "malformed", "it gives no account of Airflow's health: it names no program");
    says(&document, "not known", "NEVER ANSWERED");
    let mut document = whole();
    let refused = || failed(Some(14_000), "denied", "401 Unauthorized");
    let routes = document.routes.iter_mut().filter(|route| route.instance == "vm4");
    routes.for_each(|route| (route.asked, route.right) = (refused(), None));
    says(&document, "10 s old", "SILENT");
    document.target.as_mut().expect("a target").asked = failed(Some(14_000), "auth", "permission denied (publickey)");
    says(&document, "CANNOT BE ASKED", "DOES NOT ANSWER");
}

#[test]
fn what_an_outage_has_put_at_risk_is_as_bad_as_the_rule_has_it() {
    let at_risk = |done: DoneState| {
        let task = RescueTaskDoc {
            dag: "charge".to_owned(),
            task: "work".to_owned(),
            run: "manual__1".to_owned(),
            map_index: -1,
            try_number: 1,
            retries: true,
            state: Some("running".to_owned()),
            done,
            done_at: None,
            why_unknown: None,
            due: Some(sample::at(sample::NOW + 200)),
            mark_success: None,
        };
        let from = sample::at(sample::NOW - 100);
        Document { rescue: Some(RescueDoc { from, until: None, seen: true, tasks: vec![task] }), ..whole() }
    };
    says(&at_risk(DoneState::Unknown), "▲ rescue", "✖");
    says(&at_risk(DoneState::Finished), "✖ rescue", "▲ rescue");
}

/// An estate with the most awkward names and numbers.
fn estates() -> impl Strategy<Value = Document> {
    let numbers = prop_oneof![Just(None), Just(Some(0u64)), Just(Some(u64::MAX)), any::<u64>().prop_map(Some)];
    let ages = prop_oneof![Just(None), Just(Some(0u64)), Just(Some(u64::MAX)), (0..4_000_000u64).prop_map(Some)];
    (prop::collection::vec(texts(), 1..6), numbers, ages, any::<Option<f64>>(), any::<bool>(), 0..12usize).prop_map(
        |(names, number, age, share, fresh, many)| {
            let name = |n: usize| names[n % names.len()].clone();
            let error = (!fresh).then(|| name(1));
            let asked = Asked { age_ms: age, fresh, error, error_kind: (many > 5).then(|| "malformed".to_owned()), rtt_ms: share };
            let mut document = whole();
            let airflow = document.airflow.as_mut().expect("Airflow");
            airflow.asked = asked.clone();
            airflow.quiet.grounds.iter_mut().for_each(|ground| ground.sentence = name(0));
            airflow.health.iter_mut().for_each(|health| (health.name, health.asked) = (name(2), asked.clone()));
            let metadata = airflow.metadata.as_mut().expect("metadata");
            metadata.tasks = (0..many).map(|n| (name(n), number.unwrap_or(1))).collect();
            metadata.components.iter_mut().for_each(|one| (one.host, one.heartbeat_age_ms) = (Some(name(1)), age));
            metadata.pools.iter_mut().for_each(|pool| (pool.name, pool.slots) = (name(3), i64::MIN));
            metadata.work.iter_mut().for_each(|task| (task.dag, task.host, task.heartbeat_age_ms) = (name(0), Some(name(1)), age));
            let rabbitmq = document.rabbitmq.as_mut().expect("RabbitMQ");
            let node = rabbitmq.nodes[0].clone();
            rabbitmq.nodes.extend((0..many).map(|n| RabbitmqNodeDoc {
                name: name(n),
                mem_used_bytes: number,
                asked: asked.clone(),
                ..node.clone()
            }));
            let queue = rabbitmq.queues.iter().flatten().next().cloned().expect("a queue");
            let queues = (0..many).map(|n| RabbitmqQueueDoc { name: name(n), ready: number, consumers: number, ..queue.clone() });
            rabbitmq.queues = fresh.then(|| queues.collect());
            let dags = document.dags.as_mut().expect("DAGs");
            dags.hosts
                .iter_mut()
                .for_each(|host| (host.name, host.used_share, host.hung_seconds, host.files) = (name(4), share, share, number));
            let target = document.target.as_mut().expect("a target");
            (target.name, target.load_1, target.used_share, target.asked) = (name(2), share, share, asked.clone());
            let routes: Vec<_> = document.routes.iter().cycle().take(many).cloned().enumerate().collect();
            document.routes.extend(routes.into_iter().map(|(n, route)| RouteDoc { instance: name(n), up: vec![name(n + 1)], ..route }));
            let members = (0..many).map(|n| sample::replica(&name(n), &name(n + 2), doc_role(n), number.unwrap_or(7)));
            document.members.extend(members);
            document
                .etcd
                .members
                .iter_mut()
                .for_each(|member| (member.name, member.state, member.asked) = (name(0), name(1), asked.clone()));
            document
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_estate_and_no_size_breaks_the_picture_or_a_sheet_of_it(
        document in estates(),
        width in 40..260u16,
        height in 6..80u16,
        row in any::<prop::sample::Index>(),
        ascii in any::<bool>(),
    ) {
        for (pane, number) in [(CommandId::Pane9, 8), (CommandId::Pane0, 9)] {
            let mut state = console(vec![document.clone()]);
            press(&mut state, &[pane]);
            screen(&mut state, (width, height), ascii);
            let rows = state.rows(number);
            if rows.is_empty() {
                continue;
            }
            state.views[number].selected = Some(row.get(&rows).clone());
            screen(&mut state, (width, height), ascii);
            press(&mut state, &[CommandId::Open]);
            screen(&mut state, (width, height), ascii);
        }
    }
}
