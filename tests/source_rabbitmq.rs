//! The RabbitMQ source on three real nodes: in health, one of them stopped, one that hangs, an alarm, a user who may see nothing.
//!
//! Needs what `pgbaton lab up --with rabbitmq` needs.
#![allow(clippy::unwrap_used)]

mod lab_common;

use std::path::Path;
use std::time::{Duration, Instant};

use lab_common::TestLab;
use pgbaton::config::{Env, Profile, Request, Selected, load};
use pgbaton::document::{Document, RabbitmqDoc, RabbitmqNodeDoc, RabbitmqState, Verdict};
use pgbaton::lab::http::Http;
use pgbaton::lab::secrets::Owner;
use pgbaton::lab::{Lab, conf, rabbitmq, scan};
use pgbaton::live::Live;
use pgbaton::source::Clock;
use rustix::process::Signal;
use tokio::runtime::Runtime;

/// A console's eyes on the lab: all sources, and the document of the moment.
struct Eyes {
    runtime: Runtime,
    live: Live,
}

impl Eyes {
    fn open(config: &Path) -> Self {
        let request = Request { file: Some(config.to_owned()), cluster: None, env: Env::of_process() };
        let profile: Profile = match load(&request).unwrap().select(None).unwrap() {
            Selected::One(profile) => *profile,
            Selected::Several(several) => panic!("{several:?}"),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let live = {
            let _entered = runtime.enter();
            Live::start(profile, Clock::start())
        };
        Self { runtime, live }
    }

    /// Waits for what `seen` finds in the document; panics after `limit` with what it said last. Gives how long it took.
    fn until<T>(&mut self, what: &str, limit: Duration, mut seen: impl FnMut(&Document) -> Result<T, String>) -> (T, Duration) {
        let begun = Instant::now();
        loop {
            let document = self.live.document();
            match seen(&document) {
                Ok(found) => return (found, begun.elapsed()),
                Err(why) => assert!(begun.elapsed() < limit, "{what}: not within {limit:?}: {why}\n{:#?}", document.rabbitmq),
            }
            // An answer, or the time at which an older one becomes old.
            self.runtime.block_on(async {
                let _ = tokio::time::timeout(Duration::from_millis(100), self.live.wait()).await;
            });
            self.live.pass();
        }
    }
}

fn rabbit(document: &Document) -> &RabbitmqDoc {
    document.rabbitmq.as_ref().unwrap()
}

fn node<'d>(document: &'d Document, name: &str) -> &'d RabbitmqNodeDoc {
    rabbit(document).nodes.iter().find(|node| node.name == name).unwrap()
}

fn sentence(document: &Document, code: &str) -> Option<String> {
    document.findings.iter().find(|finding| finding.code == code).map(|finding| finding.sentence.clone())
}

fn found(document: &Document, code: &str) -> Result<String, String> {
    sentence(document, code).ok_or_else(|| format!("{:?}", document.findings.iter().map(|f| &f.code).collect::<Vec<_>>()))
}

fn well(document: &Document) -> Result<(), String> {
    let doc = rabbit(document);
    let known = doc
        .nodes
        .iter()
        .all(|n| n.state == RabbitmqState::Running && n.lists_asked.fresh && n.partitions.as_ref().is_some_and(Vec::is_empty));
    let codes: Vec<&str> = document.findings.iter().map(|f| f.code.as_str()).filter(|code| code.starts_with("rabbitmq")).collect();
    match known && doc.queues_asked.fresh && doc.alarms == Some(Vec::new()) && codes.is_empty() {
        true => Ok(()),
        false => Err(format!("{codes:?}")),
    }
}

/// The lab's configuration with another line for one of its own, beside it.
fn changed(lab: &Lab, name: &str, from: &str, to: &str) -> std::path::PathBuf {
    let text = std::fs::read_to_string(lab.pgbaton_toml()).unwrap();
    assert!(text.contains(from), "{text}");
    let path = lab.dir.join(name);
    std::fs::write(&path, text.replace(from, to)).unwrap();
    path
}

const SOON: Duration = Duration::from_secs(20);
/// Longer than `net_ticktime`, after which the others take one that hangs for down, and all that follows from it.
const PATIENCE: Duration = Duration::from_secs(150);

#[test]
fn three_nodes_in_health_and_in_trouble() {
    let guard = TestLab::up("rabbit", &["--members", "1", "--with", "rabbitmq"]);
    let lab = Lab::open(&guard.dir()).unwrap();
    let mut eyes = Eyes::open(&lab.pgbaton_toml());
    in_health(&mut eyes, &lab);
    a_queue_that_nobody_takes_from(&mut eyes, &lab);
    an_alarm(&mut eyes, &lab);
    one_is_stopped(&mut eyes, &guard, &lab);
    one_hangs(&mut eyes, &guard, &lab);
    who_may_not(&lab);
    drop(eyes);
    guard.down();
}

fn in_health(eyes: &mut Eyes, lab: &Lab) {
    eyes.until("health", SOON, well);
    // A queue's counts are not there at once, and are not 0 until then.
    let counted =
        |d: &Document| match rabbit(d).queues.as_ref().is_some_and(|all| all.iter().all(|q| q.consumers.is_some() && q.ready.is_some())) {
            true => Ok(()),
            false => Err("no counts".to_owned()),
        };
    eyes.until("the queue's counts", SOON, counted);
    let document = eyes.live.document();
    let doc = rabbit(&document);
    assert_eq!(doc.nodes.iter().map(|n| n.node.clone().unwrap()).collect::<Vec<_>>(), ["rabbit5@vm5", "rabbit6@vm6", "rabbit7@vm7"]);
    for node in &doc.nodes {
        assert!(node.version.as_ref().unwrap().starts_with("3."), "{node:?}");
        assert!(node.mem_used_bytes.unwrap() > 10 << 20 && node.disk_free_limit_bytes == Some(50_000_000), "{node:?}");
    }
    let queue = &doc.queues.as_ref().unwrap()[0];
    assert_eq!((queue.name.as_str(), queue.kind.as_str(), queue.consumers), ("default", "quorum", Some(0)));
    assert_eq!((queue.members.len(), queue.online.len()), (3, 3), "{queue:?}");
    assert!(lab.record.options.rabbitmq);
}

fn a_queue_that_nobody_takes_from(eyes: &mut Eyes, lab: &Lab) {
    publish(eyes, lab, "one");
    let (told, _) = eyes.until("no consumers", Duration::from_secs(60), |d| found(d, "rabbitmq-no-consumers"));
    assert_eq!(told, "nobody takes tasks from the quorum queue default: 0 consumers; 1 ready and 0 unacknowledged messages");
    rabbitmq::ctl(lab, "vm5", &["purge_queue", "default"]).unwrap();
    eyes.until("an empty queue", SOON, well);
}

fn an_alarm(eyes: &mut Eyes, lab: &Lab) {
    rabbitmq::ctl(lab, "vm7", &["set_vm_memory_high_watermark", "absolute", "1MB"]).unwrap();
    let (told, _) = eyes.until("the alarm", SOON, |d| found(d, "rabbitmq-alarm"));
    assert_eq!(told, "RabbitMQ takes no messages: vm7 has raised the alarm memory");
    rabbitmq::ctl(lab, "vm7", &["set_vm_memory_high_watermark", "0.4"]).unwrap();
    eyes.until("its end", SOON, well);
}

fn one_is_stopped(eyes: &mut Eyes, guard: &TestLab, lab: &Lab) {
    scan::erlang(&lab.node_dir("vm6")).unwrap().signal(Signal::KILL).unwrap();
    // One of them may see it a moment before the other.
    eyes.until("vm6 down by the others", SOON, |d| match sentence(d, "rabbitmq-node-down") {
        Some(told) if told == "RabbitMQ on vm6 is down, by vm5 and vm7" => Ok(()),
        told => Err(format!("{told:?}")),
    });
    let document = eyes.live.document();
    assert_eq!(node(&document, "vm6").state, RabbitmqState::Down);
    assert_eq!((node(&document, "vm5").state, node(&document, "vm7").state), (RabbitmqState::Running, RabbitmqState::Running));
    guard.ok(&["heal", "--no-wait"]);
    eyes.until("vm6 back", SOON, well);
}

fn one_hangs(eyes: &mut Eyes, guard: &TestLab, lab: &Lab) {
    guard.ok(&["fault", "freeze-rabbit", "vm7"]);
    let hangs = |d: &Document| match node(d, "vm7").state {
        RabbitmqState::Silent | RabbitmqState::Down => Ok(()),
        state => Err(state.to_string()),
    };
    let begun = Instant::now();
    let (_, told) = eyes.until("vm7 told", Duration::from_secs(5), hangs);
    // The command that froze it came back a moment after it did so.
    assert!(told <= Duration::from_secs(3), "told after {told:?}");
    let document = eyes.live.document();
    assert!(found(&document, "rabbitmq-node-down").unwrap().starts_with("RabbitMQ on vm7 does not answer"), "{document:#?}");
    // The others live and say so, and their lists stand still with the age that they have.
    let (_, waited) = eyes.until("lists with their age", SOON, |d| {
        let (doc, vm5) = (rabbit(d), node(d, "vm5"));
        let old = !doc.queues_asked.fresh
            && doc.queues.is_some()
            && !vm5.lists_asked.fresh
            && vm5.lists_asked.age_ms.is_some_and(|ms| ms > 1_000);
        let alive = vm5.asked.fresh && vm5.state == RabbitmqState::Running && doc.alarms.is_some();
        if old && alive { Ok(()) } else { Err(format!("{vm5:?}")) }
    });
    assert!(begun.elapsed() < Duration::from_secs(20), "nothing waited for it: {waited:?}");
    assert!(node(&eyes.live.document(), "vm5").mem_used_bytes.is_some(), "the last value stays");
    guard.ok(&["heal", "--no-wait"]);
    assert!(scan::erlang(&lab.node_dir("vm7")).is_some());
    eyes.until("all three together", PATIENCE, well);
}

/// A user whom nobody gave the virtual host, and a password that is none; each looks once, as `status` does.
fn who_may_not(lab: &Lab) {
    rabbitmq::ctl(lab, "vm5", &["clear_permissions", "-p", "/", "pgbaton"]).unwrap();
    let mut eyes = Eyes::open(&lab.pgbaton_toml());
    let (told, _) = eyes.until("no permission, and the rest is read", SOON, |d| {
        let told = found(d, "rabbitmq-permission")?;
        match rabbit(d).alarms.is_some() && node(d, "vm5").lists_asked.fresh {
            true => Ok(told),
            false => Err(format!("{told}; {:?}", node(d, "vm5"))),
        }
    });
    assert!(told.contains("rabbitmqctl set_permissions -p / pgbaton '^$' '^$' '^$'"), "{told}");
    let document = eyes.live.document();
    assert_eq!((&rabbit(&document).queues, &rabbit(&document).queues_missing), (&None, &Vec::new()), "an empty list is not believed");
    drop(eyes);
    rabbitmq::ctl(lab, "vm5", &["set_permissions", "-p", "/", "pgbaton", "^$", "^$", "^$"]).unwrap();

    let wrong = lab.dir.join("wrong-password");
    std::fs::write(&wrong, "not-the-password").unwrap();
    let from = format!("{:?}", lab.dir.join("rabbitmq-password"));
    let config = changed(lab, "wrong.toml", &from, &format!("{wrong:?}"));
    let mut eyes = Eyes::open(&config);
    let refused = |d: &Document| node(d, "vm5").asked.error.clone().ok_or_else(|| "no error".to_owned());
    let (told, _) = eyes.until("a wrong password", SOON, refused);
    assert!(told.contains("does not accept the user pgbaton with our password"), "{told}");
    assert!(!told.contains("not-the-password"));
    let document = eyes.live.document();
    assert!(rabbit(&document).nodes.iter().all(|n| n.state == RabbitmqState::Unknown), "that is no sign that it is down");
    assert_eq!(rabbit(&document).alarms, None);
    assert!(document.airflow.is_none_or(|airflow| airflow.quiet.verdict != Verdict::Go));
}

/// A message into the queue, by the API as Airflow's user.
fn publish(eyes: &Eyes, lab: &Lab, text: &str) {
    let url = format!("{}/api/exchanges/%2F/amq.default/publish", lab.management_url("vm5"));
    let body = serde_json::json!({"properties": {}, "routing_key": "default", "payload": text, "payload_encoding": "string"});
    let (secrets, http) = (lab.secrets().unwrap(), Http::new(lab).unwrap());
    let password = secrets.expose(Owner::RabbitmqApp).unwrap();
    let sent = eyes.runtime.block_on(http.send_as(reqwest::Method::POST, &url, conf::rabbitmq::APP, password, &body)).unwrap();
    assert_eq!((sent.status, sent.body.as_str()), (200, r#"{"routed":true}"#));
}
