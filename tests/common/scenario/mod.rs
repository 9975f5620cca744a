//! A cluster that is played: what each source would answer is set, time passes, and the real reducer hears it second by second.
//!
//! It stands in for the sources only. What is believed, found and documented comes from the product.
#![allow(dead_code, clippy::unwrap_used)]

mod answers;
mod keys;
mod proxies;
mod told;
mod voices;

use std::collections::BTreeMap;
use std::time::Duration;

use pgbaton::document::Document;
use pgbaton::finding::Limits;
use pgbaton::live::Picture;
use pgbaton::model::*;
use serde_json::{Value, json};

use answers::{START, etcd_status, haproxy_answer, rest_answer, sql_answer};
pub use answers::{WRITTEN, airflow_at_rest, slot, url};

/// Id of the lease that the leader key hangs on.
const LEASE: i64 = 77;
/// How long a source takes to answer.
const RTT: Duration = Duration::from_millis(2);
/// What a source does when it is asked.
#[derive(Clone)]
pub enum Voice<T> {
    Says(T),
    Fails(SourceError),
    /// It says nothing, and no error comes either: it hangs, or is not asked.
    Silent,
}

/// The cluster.
pub struct Scenario {
    picture: Picture,
    document: Document,
    changes: Vec<Change>,
    recorded: Vec<Observation>,
    now: Time,
    revision: i64,
    keys: BTreeMap<String, (String, i64)>,
    dcs: Voice<()>,
    lease: Voice<Lease>,
    rest: BTreeMap<String, Voice<Value>>,
    sql: BTreeMap<String, Voice<PostgresStatus>>,
    etcd: BTreeMap<String, Voice<EtcdStatus>>,
    haproxy: BTreeMap<String, Voice<HaproxyStatus>>,
    membership: Option<EtcdMembership>,
    /// By HAProxy, backend and server: the status and since when it has it.
    statuses: BTreeMap<(String, String, String), (String, Time)>,
    /// How long a source takes to answer, by target, when it is not the usual 2 ms.
    takes: BTreeMap<String, Duration>,
}

impl Scenario {
    /// psg1 leads, psg2 and psg3 stream, an etcd member on each, the HAProxy vm1 with a write and a read backend. Nothing was heard yet.
    pub fn unheard() -> Self {
        let names = ["psg1", "psg2", "psg3"];
        let mut keys = BTreeMap::new();
        let mut put = |key: &str, value: String, lease| keys.insert(key.to_owned(), (value, lease));
        put("initialize", "7711549358043286544".to_owned(), 0);
        put("leader", "psg1".to_owned(), LEASE);
        let config = json!({"ttl": 30, "loop_wait": 10, "retry_timeout": 10, "maximum_lag_on_failover": 1_048_576});
        put("config", config.to_string(), 0);
        put("status", json!({"optime": WRITTEN}).to_string(), 0);
        for (name, host) in names.iter().zip(["192.0.2.11", "192.0.2.12", "192.0.2.13"]) {
            let role = if *name == "psg1" { "primary" } else { "replica" };
            let member = json!({"conn_url": format!("postgres://{host}:5432/postgres"), "api_url": format!("http://{host}:8008/patroni"),
                "state": "running", "role": role, "version": "4.1.5", "timeline": 1});
            put(&format!("members/{name}"), member.to_string(), 0);
        }
        let etcd = |n: u64| (url(n), Voice::Says(etcd_status(n)));
        let member = |n: u64| EtcdMember { id: n, name: format!("psg{n}"), client_urls: vec![url(n)], is_learner: false };
        let cluster = Cluster::new("psg", "/service/", [("vm1".to_owned(), RouteUse::default())].into());
        let mut picture = Picture::new("card-prod", cluster);
        let now = Time::from_micros(START);
        let document = picture.document(now);
        Self {
            picture,
            document,
            changes: Vec::new(),
            recorded: Vec::new(),
            now,
            revision: 100,
            keys,
            dcs: Voice::Says(()),
            lease: Voice::Says(Lease { id: LEASE, ttl: 28, granted: 30 }),
            rest: names.iter().map(|n| ((*n).to_owned(), Voice::Says(rest_answer(n, "psg1", 1)))).collect(),
            sql: names.iter().map(|n| ((*n).to_owned(), Voice::Says(sql_answer(n, "psg1", 1)))).collect(),
            etcd: (1..=3).map(etcd).collect(),
            haproxy: [("vm1".to_owned(), Voice::Says(haproxy_answer("psg1")))].into(),
            membership: Some(EtcdMembership { members: (1..=3).map(member).collect(), alarms: Some(Vec::new()) }),
            statuses: BTreeMap::new(),
            takes: BTreeMap::new(),
        }
    }

    /// The same, heard for two seconds; nothing is found, and the changes so far are forgotten.
    pub fn healthy() -> Self {
        let mut scenario = Self::unheard();
        scenario.list();
        scenario.pass(2);
        assert_eq!((scenario.codes(), scenario.verdict()), (vec![], "healthy"), "a scenario begins in health");
        scenario.changes.clear();
        scenario
    }

    /// The same judged by other limits.
    pub fn limits(&mut self, limits: Limits) -> &mut Self {
        self.picture = self.picture.clone().with_limits(limits);
        self
    }

    /// So many seconds pass; in each one every source that is asked answers.
    pub fn pass(&mut self, seconds: u32) -> &mut Self {
        for _ in 0..seconds {
            self.now = self.now.plus(Duration::from_secs(1));
            self.hear(true);
        }
        self
    }

    /// A tenth of a second passes, and every source that is asked answers.
    pub fn moment(&mut self) -> &mut Self {
        self.now = self.now.plus(Duration::from_millis(100));
        self.hear(false);
        self
    }

    /// So much time passes with nothing new, and then everybody is heard again.
    pub fn later(&mut self, span: Duration) -> &mut Self {
        self.now = self.now.plus(span);
        self.hear(true);
        self
    }

    /// So many seconds pass in which nothing at all is heard.
    pub fn pass_unheard(&mut self, seconds: u32) -> &mut Self {
        for _ in 0..seconds {
            self.now = self.now.plus(Duration::from_secs(1));
            self.look();
        }
        self
    }

    /// Every source that is asked answers: all in one go, or one after the other, with a look after each.
    fn hear(&mut self, together: bool) {
        let mut heard: Vec<(SourceId, Outcome)> = Vec::new();
        // A source that could not watch for a while reads everything again.
        let missed = self.cluster().dcs.revision.is_some_and(|known| known != self.revision);
        let confirmed = self
            .dcs
            .outcome(|()| if missed { self.listing(Consistency::Linearizable) } else { Fact::DcsConfirmed { revision: self.revision } });
        heard.extend(confirmed.map(|o| (SourceId::new(SourceKind::Dcs, "psg"), o)));
        let lease = self.lease.outcome(|lease| Fact::Lease(self.keys.contains_key("leader").then_some(lease)));
        heard.extend(lease.map(|o| (SourceId::new(SourceKind::Lease, "psg"), o)));
        for (url, voice) in &self.etcd {
            heard.extend(voice.outcome(Fact::EtcdStatus).map(|o| (SourceId::new(SourceKind::Etcd, url), o)));
        }
        for (name, voice) in &self.rest {
            let read = |answer: Value| Fact::Patroni(Box::new(PatroniStatus::from_json(answer.to_string().as_bytes()).unwrap()));
            heard.extend(voice.outcome(read).map(|o| (SourceId::new(SourceKind::Rest, name), o)));
        }
        for (name, voice) in &self.sql {
            let read = |mut answer: PostgresStatus| {
                answer.server_time = Some(self.now);
                Fact::Postgres(Box::new(answer))
            };
            heard.extend(voice.outcome(read).map(|o| (SourceId::new(SourceKind::Sql, name), o)));
        }
        for (name, voice) in &self.haproxy {
            let (now, statuses) = (self.now, &mut self.statuses);
            let read = |mut status: HaproxyStatus| {
                status.servers.iter_mut().for_each(|server| proxies::count(statuses, name, server, now));
                Fact::Haproxy(status)
            };
            heard.extend(voice.outcome(read).map(|o| (SourceId::new(SourceKind::Haproxy, name), o)));
        }
        let heard: Vec<Observation> = heard.into_iter().map(|(source, outcome)| self.observation(source, outcome, RTT)).collect();
        let changes: Vec<Change> = if together {
            self.picture.apply(heard)
        } else {
            heard.into_iter().flat_map(|observation| self.picture.apply(vec![observation])).collect()
        };
        self.changes.extend(changes);
        self.look();
    }

    /// One source says this, now.
    pub fn report(&mut self, source: SourceId, fact: Fact) -> &mut Self {
        self.report_late(source, fact, RTT)
    }

    /// One source says this now, and was asked so long ago.
    pub fn report_late(&mut self, source: SourceId, fact: Fact, rtt: Duration) -> &mut Self {
        self.observe(source, Outcome::Heard(Box::new(fact)), rtt);
        self.look();
        self
    }

    /// One source fails, now.
    pub fn report_failure(&mut self, source: SourceId, error: SourceError) -> &mut Self {
        self.observe(source, Outcome::Failed(error), RTT);
        self.look();
        self
    }

    fn observe(&mut self, source: SourceId, outcome: Outcome, rtt: Duration) {
        let observation = self.observation(source, outcome, rtt);
        self.changes.extend(self.picture.apply(vec![observation]));
    }

    fn observation(&mut self, source: SourceId, outcome: Outcome, rtt: Duration) -> Observation {
        let rtt = self.takes.get(&source.target).copied().unwrap_or(rtt);
        let observation = Observation { source, at: self.now, rtt: Some(rtt), outcome };
        self.recorded.push(observation.clone());
        observation
    }

    fn look(&mut self) {
        self.changes.extend(self.picture.pass(self.now));
        self.document = self.picture.document(self.now);
        for finding in &self.document.findings {
            assert!(!finding.evidence.is_empty(), "a finding without evidence: {finding:#?}");
            assert!(!finding.matters.is_empty() && !finding.next.is_empty(), "a finding without an explanation: {finding:#?}");
            let words = finding.next.iter().flat_map(|step| step.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'));
            let open: Vec<&str> = words.filter(|word| pgbaton::finding::PLACEHOLDERS.contains(word)).collect();
            assert!(open.is_empty(), "{open:?} was not put in: {finding:#?}");
        }
    }
}

impl<T: Clone> Voice<T> {
    fn outcome(&self, read: impl FnOnce(T) -> Fact) -> Option<Outcome> {
        match self {
            Voice::Says(answer) => Some(Outcome::Heard(Box::new(read(answer.clone())))),
            Voice::Fails(error) => Some(Outcome::Failed(error.clone())),
            Voice::Silent => None,
        }
    }
}
