//! RabbitMQ: what is found of what its nodes tell, and what of it a switchover waits for.

use std::collections::BTreeMap;

use pgbaton::document::{Document, RabbitmqState, Verdict};
use pgbaton::finding::Limits;
use pgbaton::live::Picture;
use pgbaton::model::*;

use crate::scenario::airflow_at_rest;

const NAMES: [&str; 3] = ["vm5", "vm6", "vm7"];

/// Three nodes, told second by second.
struct Estate {
    picture: Picture,
    now: Time,
}

impl Estate {
    fn new() -> Self {
        let rabbitmq = Rabbitmq::new("/", "ops", &["default".to_owned()], NAMES.map(str::to_owned));
        let cluster = Cluster::new("psg", "/service/", BTreeMap::new()).with_airflow(true).with_rabbitmq(Some(rabbitmq));
        Self { picture: Picture::new("card", cluster).with_limits(Limits::default()), now: Time::from_micros(1_000_000_000_000) }
    }

    fn healthy() -> Self {
        let mut estate = Self::new();
        estate.tasks(0, 0).pass(1, |_, _| {});
        assert_eq!(estate.codes(), [""; 0]);
        estate
    }

    fn report(&mut self, kind: SourceKind, target: &str, outcome: Outcome) {
        self.picture.apply(vec![Observation { source: SourceId::new(kind, target), at: self.now, rtt: None, outcome }]);
    }

    fn alarms(&mut self, name: &str, alarms: Vec<RabbitmqAlarm>) -> &mut Self {
        self.report(SourceKind::Rabbitmq, name, Outcome::Heard(Box::new(Fact::RabbitmqAlarms(alarms))));
        self
    }

    fn fails(&mut self, name: &str, kind: ErrorKind) -> &mut Self {
        self.report(SourceKind::Rabbitmq, name, Outcome::Failed(SourceError::new(kind, format!("{name}:15672: no"))));
        self
    }

    fn tasks(&mut self, running: u64, queued: u64) -> &mut Self {
        let status = AirflowStatus {
            components: vec![AirflowComponent { kind: "SchedulerJob".into(), host: None, state: None, heartbeat: Some(self.now) }],
            tasks: BTreeMap::from([("running".to_owned(), running), ("queued".to_owned(), queued)]),
            ..airflow_at_rest(self.now)
        };
        self.report(SourceKind::Airflow, "psg", Outcome::Heard(Box::new(Fact::Airflow(Box::new(status)))));
        self
    }

    /// So many seconds; in each one every node answers as it does in health, but for `change`.
    fn pass(&mut self, seconds: i64, change: impl Fn(&str, &mut RabbitmqLists)) -> &mut Self {
        for _ in 0..seconds {
            self.now = self.now.plus(std::time::Duration::from_secs(1));
            for name in NAMES {
                let mut lists = healthy(name);
                change(name, &mut lists);
                self.alarms(name, Vec::new());
                self.report(SourceKind::Rabbitmq, name, Outcome::Heard(Box::new(Fact::RabbitmqLists(Box::new(lists)))));
            }
        }
        self
    }

    fn document(&mut self) -> Document {
        self.picture.document(self.now)
    }

    /// The findings that speak of RabbitMQ: code and sentence.
    fn found(&mut self) -> Vec<(String, String)> {
        let all = self.document().findings;
        all.into_iter().filter(|f| f.code.starts_with("rabbitmq") || f.sentence.contains("Rabbit")).map(|f| (f.code, f.sentence)).collect()
    }

    fn codes(&mut self) -> Vec<String> {
        self.found().into_iter().map(|(code, _)| code).collect()
    }

    fn sentence(&mut self, code: &str) -> String {
        self.found().into_iter().find(|(found, _)| found == code).unwrap_or_else(|| panic!("no {code}")).1
    }

    /// What RabbitMQ says to a switchover: the code and the verdict.
    fn quiet(&mut self) -> Vec<(String, Verdict)> {
        let grounds = self.document().airflow.unwrap().quiet.grounds;
        grounds.into_iter().filter(|g| g.code.starts_with("rabbitmq")).map(|g| (g.code, g.verdict)).collect()
    }

    fn state(&mut self, name: &str) -> RabbitmqState {
        self.document().rabbitmq.unwrap().nodes.into_iter().find(|node| node.name == name).unwrap().state
    }
}

fn node(name: &str) -> RabbitmqNode {
    RabbitmqNode {
        name: format!("rabbit@{name}"),
        running: true,
        partitions: Some(Vec::new()),
        mem_used: Some(150 << 20),
        mem_limit: Some(4 << 30),
        disk_free: Some(70 << 30),
        disk_free_limit: Some(50_000_000),
    }
}

fn queue(ready: u64, unacknowledged: u64, consumers: u64) -> RabbitmqQueue {
    RabbitmqQueue {
        name: "default".into(),
        kind: "quorum".into(),
        state: Some("running".into()),
        ready: Some(ready),
        unacknowledged: Some(unacknowledged),
        consumers: Some(consumers),
        leader: Some("rabbit@vm5".into()),
        members: NAMES.map(|name| format!("rabbit@{name}")).to_vec(),
        online: NAMES.map(|name| format!("rabbit@{name}")).to_vec(),
    }
}

fn healthy(name: &str) -> RabbitmqLists {
    RabbitmqLists {
        overview: Ok(RabbitmqOverview { node: format!("rabbit@{name}"), version: "3.10.8".into() }),
        nodes: Ok(NAMES.map(node).to_vec()),
        queues: Ok(vec![queue(0, 0, 1)]),
    }
}

fn late() -> SourceError {
    SourceError::new(ErrorKind::Timeout, "no answer within 2 s")
}

fn stops(name: &'static str) -> impl Fn(&str, &mut RabbitmqLists) {
    move |teller, lists| {
        if teller == name {
            (lists.overview, lists.nodes, lists.queues) = (Err(late()), Err(late()), Err(late()));
        }
        for node in lists.nodes.iter_mut().flatten().filter(|node| node.name.ends_with(name)) {
            *node = RabbitmqNode {
                name: node.name.clone(),
                running: false,
                partitions: None,
                mem_used: None,
                mem_limit: None,
                disk_free: None,
                disk_free_limit: None,
            };
        }
    }
}

#[test]
fn a_node_that_is_down_is_named_by_the_others() {
    let mut e = Estate::healthy();
    e.pass(1, stops("vm6")).fails("vm6", ErrorKind::Refused);
    assert_eq!(e.found(), [("rabbitmq-node-down".to_owned(), "RabbitMQ on vm6 is down, by vm5 and vm7".to_owned())]);
    assert_eq!((e.state("vm5"), e.state("vm6")), (RabbitmqState::Running, RabbitmqState::Down));
    assert_eq!(e.quiet(), [("rabbitmq-nodes".to_owned(), Verdict::Warn)]);
    let severity = |e: &mut Estate| e.document().findings.into_iter().find(|f| f.code == "rabbitmq-node-down").unwrap().severity;
    assert_eq!(severity(&mut e), Level::Warning);
    e.fails("vm7", ErrorKind::Refused).pass(0, |_, _| {});
    assert_eq!(severity(&mut e), Level::Warning, "another says that vm7 runs: only its API is away");
    e.pass(1, |name, lists| {
        stops("vm6")(name, lists);
        stops("vm7")(name, lists);
    });
    e.fails("vm6", ErrorKind::Refused).fails("vm7", ErrorKind::Refused);
    assert_eq!(severity(&mut e), Level::Critical, "two of three");
}

#[test]
fn one_that_has_never_spoken_is_known_by_the_others() {
    let mut e = Estate::new();
    e.tasks(0, 0).pass(1, stops("vm6")).fails("vm6", ErrorKind::Refused);
    assert_eq!(e.found(), [("rabbitmq-node-down".to_owned(), "RabbitMQ on vm6 is down, by vm5 and vm7".to_owned())]);
    let node = e.document().rabbitmq.unwrap().nodes.remove(1);
    assert_eq!((node.state, node.node.as_deref()), (RabbitmqState::Down, Some("rabbit@vm6")));
    assert_eq!(e.document().rabbitmq.unwrap().parted(), Some(Vec::new()), "nobody tells that of one that is down");
}

#[test]
fn one_that_hangs_takes_the_lists_with_it_and_nothing_else() {
    let mut e = Estate::healthy();
    let hangs = |_: &str, lists: &mut RabbitmqLists| (lists.overview, lists.nodes, lists.queues) = (Err(late()), Err(late()), Err(late()));
    e.pass(2, hangs).fails("vm6", ErrorKind::Timeout);
    assert_eq!(e.found(), [("rabbitmq-node-down".to_owned(), "RabbitMQ on vm6 does not answer: vm6:15672: no".to_owned())]);
    let rabbitmq = e.document().rabbitmq.unwrap();
    assert_eq!(rabbitmq.alarms, Some(Vec::new()), "the others say so");
    assert_eq!(rabbitmq.queues.unwrap()[0].consumers, Some(1), "as it was last");
    assert_eq!((rabbitmq.queues_asked.age_ms, rabbitmq.queues_asked.fresh), (Some(2000), false));
    assert_eq!(rabbitmq.nodes[0].mem_used_bytes, Some(150 << 20));
    assert_eq!((rabbitmq.nodes[0].lists_asked.age_ms, rabbitmq.nodes[0].lists_asked.fresh), (Some(2000), false));
    assert_eq!(rabbitmq.nodes[0].partitions, None, "nobody says so now");
    let states: Vec<RabbitmqState> = rabbitmq.nodes.iter().map(|node| node.state).collect();
    assert_eq!(states, [RabbitmqState::Running, RabbitmqState::Silent, RabbitmqState::Running]);
    assert!(e.quiet().contains(&("rabbitmq-unknown".to_owned(), Verdict::Unknown)));
}

#[test]
fn an_alarm_or_a_partition_of_any_node_stops_a_switchover() {
    let mut e = Estate::healthy();
    assert_eq!(e.quiet(), [("rabbitmq".to_owned(), Verdict::Go)]);
    e.alarms("vm7", vec![RabbitmqAlarm { node: "rabbit@vm5".into(), resource: "memory".into() }]);
    assert_eq!(e.sentence("rabbitmq-alarm"), "RabbitMQ takes no messages: vm5 has raised the alarm memory");
    assert_eq!(e.quiet(), [("rabbitmq-alarm".to_owned(), Verdict::Stop)]);
    e.pass(1, |name, lists| {
        // As was seen after a node had hung: one names another, one has no list, one an empty one.
        if name == "vm7" {
            let nodes = lists.nodes.as_mut().unwrap();
            nodes[0].partitions = Some(vec!["rabbit@vm6".into()]);
            nodes[1].partitions = None;
        }
    });
    assert_eq!(e.found(), [("rabbitmq-partition".to_owned(), "RabbitMQ on vm5 is parted from vm6".to_owned())]);
    assert_eq!(e.quiet(), [("rabbitmq-partition".to_owned(), Verdict::Stop)]);
    assert_eq!(e.pass(1, |_, _| {}).codes(), [""; 0]);
}

#[test]
fn an_alarm_stops_a_switchover_where_no_airflow_is_read_too() {
    let rabbitmq = Rabbitmq::new("/", "ops", &["default".to_owned()], NAMES.map(str::to_owned));
    let cluster = Cluster::new("psg", "/service/", BTreeMap::new()).with_rabbitmq(Some(rabbitmq));
    let mut e = Estate { picture: Picture::new("card", cluster), now: Time::from_micros(1_000_000_000_000) };
    e.pass(1, |_, _| {}).alarms("vm5", vec![RabbitmqAlarm { node: "rabbit@vm6".into(), resource: "disk".into() }]);
    let quiet = pgbaton::finding::Quiet::of(e.picture.cluster(), &Limits::default(), e.now).unwrap();
    assert_eq!((quiet.verdict, quiet.grounds[0].code), (Verdict::Stop, "rabbitmq-alarm"));
}

#[test]
fn a_queue_without_consumers_is_told_while_there_is_work() {
    let of = |ready: u64, consumers: u64| move |_: &str, lists: &mut RabbitmqLists| lists.queues = Ok(vec![queue(ready, 0, consumers)]);
    let mut e = Estate::healthy();
    assert_eq!(e.pass(60, of(0, 0)).codes(), [""; 0], "nobody is needed");
    assert_eq!(e.pass(29, of(2, 0)).codes(), [""; 0], "a worker that is started again is back by then");
    e.pass(2, of(2, 0));
    let told = "nobody takes tasks from the quorum queue default: 0 consumers; 2 ready and 0 unacknowledged messages";
    assert_eq!(e.sentence("rabbitmq-no-consumers"), told);
    assert_eq!(e.pass(1, of(2, 1)).codes(), [""; 0]);
    // Airflow's word counts as well, and a queue that nobody has made is one without consumers.
    e.pass(31, |_, lists| lists.queues = Ok(Vec::new()));
    assert_eq!(e.codes(), [""; 0]);
    for _ in 0..32 {
        e.tasks(0, 3).pass(1, |_, lists| lists.queues = Ok(Vec::new()));
    }
    let told = "there is no queue default in the virtual host /: no worker has made it; Airflow has 0 running and 3 queued tasks";
    assert_eq!(e.sentence("rabbitmq-no-consumers"), told);
    assert_eq!(e.document().rabbitmq.unwrap().queues_missing, ["default"]);
    // A count that was not told is not 0.
    e.pass(40, |_, lists| lists.queues.as_mut().unwrap()[0].consumers = None);
    assert_eq!(e.codes(), [""; 0]);
    // What was so at the first look is told at once.
    let mut e = Estate::new();
    e.tasks(0, 0).pass(1, of(2, 0));
    assert_eq!(e.codes(), ["rabbitmq-no-consumers"]);
}

#[test]
fn messages_that_do_not_fit_the_tasks_are_told_when_it_lasts() {
    let holds = |unacknowledged: u64| move |_: &str, lists: &mut RabbitmqLists| lists.queues = Ok(vec![queue(0, unacknowledged, 1)]);
    let told = |unacknowledged: u64, running: u64, queued: u64, seconds: i64| {
        let mut e = Estate::healthy();
        for _ in 0..seconds {
            e.tasks(running, queued).pass(1, holds(unacknowledged));
        }
        e.found().into_iter().map(|(_, sentence)| sentence).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(told(2, 2, 0, 120), "");
    assert_eq!(told(3, 2, 1, 120), "", "one is about to begin");
    assert_eq!(told(1, 2, 0, 59), "");
    let few = "1 of the tasks that Airflow takes for running has no message at a worker, for 1 min: 1 unacknowledged, 2 running, 0 queued";
    assert_eq!(told(1, 2, 0, 62), few);
    let many = "workers hold 2 messages that Airflow neither runs nor has queued, for 1 min: 3 unacknowledged, 1 running, 0 queued";
    assert_eq!(told(3, 1, 0, 62), many);
    // One reading that fits begins it anew; so does one that is not there.
    let mut e = Estate::healthy();
    for second in 0..100 {
        e.tasks(if second == 50 { 1 } else { 2 }, 0).pass(1, holds(1));
    }
    assert_eq!(e.codes(), [""; 0]);
    let mut e = Estate::healthy();
    for _ in 0..70 {
        e.tasks(2, 0).pass(1, holds(1));
    }
    assert_eq!(e.codes(), ["rabbitmq-unacked-differs"]);
    e.report(SourceKind::Airflow, "psg", Outcome::Failed(late()));
    assert_eq!(e.codes(), [""; 0], "what Airflow runs is not known");
}

#[test]
fn what_our_user_may_not_see_is_not_empty() {
    let denied = || {
        SourceError::new(ErrorKind::Denied, "vm5:15672: the user ops may not see the virtual host /")
            .with_hint("rabbitmqctl set_permissions -p / ops '^$' '^$' '^$'")
    };
    let mut e = Estate::new();
    e.tasks(0, 1).pass(60, |_, lists| lists.queues = Err(denied()));
    assert_eq!(e.codes(), ["rabbitmq-permission"]);
    assert!(e.sentence("rabbitmq-permission").contains("set_permissions -p / ops"));
    let rabbitmq = e.document().rabbitmq.unwrap();
    assert_eq!((rabbitmq.queues, rabbitmq.queues_missing.len()), (None, 0));
    assert!(rabbitmq.queues_asked.error.unwrap().contains("set_permissions"));
    // A wrong password is no sign that RabbitMQ is down.
    let mut e = Estate::healthy();
    NAMES.iter().for_each(|name| {
        e.fails(name, ErrorKind::Auth);
    });
    e.now = e.now.plus(std::time::Duration::from_secs(10));
    assert_eq!(e.codes(), ["source-stale"]);
    assert!(e.document().rabbitmq.unwrap().nodes.iter().all(|node| node.state == RabbitmqState::Unknown));
    assert_eq!(e.document().rabbitmq.unwrap().alarms, None);
}

#[test]
fn nothing_that_a_node_says_reaches_the_terminal_as_it_is() {
    let mut e = Estate::healthy();
    e.alarms("vm5", vec![RabbitmqAlarm { node: "rabbit@\u{1b}[2J".into(), resource: "disk\u{7}".into() }]);
    e.pass(1, |_, lists| {
        lists.overview.as_mut().unwrap().version = "3\u{1b}[31m".into();
        lists.nodes.as_mut().unwrap()[0].partitions = Some(vec!["x\u{1b}".into()]);
        lists.queues = Ok(vec![RabbitmqQueue { leader: Some("\u{9b}".into()), state: Some("\u{1b}".into()), ..queue(1, 1, 1) }]);
    });
    let json = serde_json::to_string(&e.document()).unwrap();
    assert!(!json.contains("\\u001b") && !json.contains('\u{9b}') && !json.contains("\\u0007"), "{json}");
}
