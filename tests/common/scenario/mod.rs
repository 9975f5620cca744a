//! A cluster that is played: what each source would answer is set, time passes, and the real reducer hears it second by second.
//!
//! It stands in for the sources only. What is believed, found and documented comes from the product.
#![allow(dead_code, clippy::unwrap_used)]

mod answers;
mod proxies;

use std::collections::BTreeMap;
use std::time::Duration;

use pgbaton::document::{Document, FindingDoc, MemberDoc};
use pgbaton::finding::Limits;
use pgbaton::live::Picture;
use pgbaton::model::*;
use serde_json::{Value, json};

use answers::{START, etcd_status, haproxy_answer, merge, rest_answer, sql_answer};
pub use answers::{WRITTEN, slot, url};

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

    // What is there.

    /// Reads all keys, as a source does first, with the membership of etcd.
    pub fn list(&mut self) -> &mut Self {
        self.list_as(Consistency::Linearizable)
    }

    /// The same, with one etcd member's own word.
    pub fn list_serializable(&mut self) -> &mut Self {
        self.list_as(Consistency::Serializable)
    }

    fn list_as(&mut self, consistency: Consistency) -> &mut Self {
        let listing = self.listing(consistency);
        self.report(SourceId::new(SourceKind::Dcs, "psg"), listing);
        if let Some(membership) = self.membership.clone() {
            self.report(SourceId::new(SourceKind::Etcd, url(1)), Fact::EtcdMembership(membership));
        }
        self
    }

    fn listing(&self, consistency: Consistency) -> Fact {
        let keys = self.keys.iter().map(|(key, (value, lease))| self.dcs_key(key, value, *lease)).collect();
        Fact::DcsListed { revision: self.revision, consistency, keys }
    }

    /// Writes a key, which the watch pushes at once, if it is read at all.
    pub fn put(&mut self, key: &str, value: impl ToString) -> &mut Self {
        let value = value.to_string();
        let lease = if key == "leader" { LEASE } else { 0 };
        self.keys.insert(key.to_owned(), (value.clone(), lease));
        self.revision += 1;
        let event = DcsEvent::Put(self.dcs_key(key, &value, lease));
        self.push(event)
    }

    /// Deletes a key, likewise.
    pub fn delete(&mut self, key: &str) -> &mut Self {
        self.keys.remove(key);
        self.revision += 1;
        let event = DcsEvent::Delete { key: key.to_owned(), revision: self.revision };
        self.push(event)
    }

    /// The lease of a leader ends: etcd deletes its leader key and its member's key in one revision.
    pub fn lease_runs_out(&mut self, name: &str) -> &mut Self {
        self.revision += 1;
        let keys = ["leader".to_owned(), format!("members/{name}")];
        keys.iter().for_each(|key| drop(self.keys.remove(key)));
        let events = keys.map(|key| DcsEvent::Delete { key, revision: self.revision });
        self.push_all(events.into())
    }

    /// Changes fields of a key that is a JSON object; null takes a field away.
    pub fn merge(&mut self, key: &str, fields: Value) -> &mut Self {
        let mut value: Value = serde_json::from_str(&self.keys[key].0).unwrap();
        merge(&mut value, fields);
        self.put(key, value)
    }

    /// The leader key says this name.
    pub fn leader(&mut self, name: &str) -> &mut Self {
        self.put("leader", name)
    }

    /// Changes fields of what a member's REST API answers; null takes a field away.
    pub fn patroni(&mut self, name: &str, fields: Value) -> &mut Self {
        let mut answer = match &self.rest[name] {
            Voice::Says(answer) => answer.clone(),
            _ => rest_answer(name, "psg1", 1),
        };
        merge(&mut answer, fields);
        self.rest.insert(name.to_owned(), Voice::Says(answer));
        self
    }

    /// Changes what a member's PostgreSQL answers.
    pub fn sql(&mut self, name: &str, change: impl FnOnce(&mut PostgresStatus)) -> &mut Self {
        let mut answer = match &self.sql[name] {
            Voice::Says(answer) => answer.clone(),
            _ => sql_answer(name, "psg1", 1),
        };
        change(&mut answer);
        self.sql.insert(name.to_owned(), Voice::Says(answer));
        self
    }

    /// Changes what the etcd member of this number answers.
    pub fn etcd(&mut self, number: u64, change: impl FnOnce(&mut EtcdStatus)) -> &mut Self {
        let mut status = etcd_status(number);
        change(&mut status);
        self.etcd.insert(url(number), Voice::Says(status));
        self
    }

    /// etcd has no quorum: no member sees a raft leader, and nothing can be read.
    pub fn quorum_lost(&mut self) -> &mut Self {
        for n in 1..=3 {
            self.etcd(n, |status| status.leader_id = None);
        }
        self.fails("dcs", ErrorKind::Unavailable, "etcd has no leader").fails("lease", ErrorKind::Unavailable, "etcd has no leader")
    }

    /// Makes it an etcd cluster of so many members.
    pub fn etcd_members(&mut self, count: u64) -> &mut Self {
        let member = |n: u64| EtcdMember { id: n, name: format!("psg{n}"), client_urls: vec![url(n)], is_learner: false };
        self.membership = Some(EtcdMembership { members: (1..=count).map(member).collect(), alarms: Some(Vec::new()) });
        self.etcd = (1..=count).map(|n| (url(n), Voice::Says(etcd_status(n)))).collect();
        self.list()
    }

    /// etcd's list of alarms is this, by member number and kind; `None`: no majority tells it. Read at once.
    pub fn etcd_alarms(&mut self, alarms: Option<&[(u64, &str)]>) -> &mut Self {
        let alarm = |(number, kind): &(u64, &str)| EtcdAlarm { member_id: *number, kind: (*kind).to_owned() };
        let membership = self.membership.as_mut().unwrap();
        membership.alarms = alarms.map(|list| list.iter().map(alarm).collect());
        self.list()
    }

    /// The etcd member of this number only learns, by the member list.
    pub fn etcd_learner(&mut self, number: u64) -> &mut Self {
        let members = &mut self.membership.as_mut().unwrap().members;
        members.iter_mut().find(|m| m.id == number).unwrap().is_learner = true;
        self.list()
    }

    /// The clock of a member's host is ahead of ours by so many milliseconds, as its `rest` or `sql` tells: three readings, five seconds apart.
    pub fn clocks(&mut self, skews: &[(&str, SourceKind, i64)]) -> &mut Self {
        for _ in 0..3 {
            for (name, kind, ahead) in skews {
                let rest = *kind == SourceKind::Rest;
                let theirs = self.now.as_micros() + ahead * 1000;
                let theirs = if rest { theirs.div_euclid(1_000_000) * 1_000_000 } else { theirs };
                let reading = ClockReading { theirs: Time::from_micros(theirs), ours: self.now, whole_seconds: rest };
                self.report(SourceId::new(*kind, *name), Fact::Clock(reading));
            }
            self.pass(5);
        }
        self
    }

    /// The etcd member of this number takes so long to answer, milliseconds.
    pub fn etcd_takes(&mut self, number: u64, ms: u64) -> &mut Self {
        self.takes(&url(number), ms)
    }

    /// The sources that ask this target take so long to answer, milliseconds.
    pub fn takes(&mut self, target: &str, ms: u64) -> &mut Self {
        self.takes.insert(target.to_owned(), Duration::from_millis(ms));
        self
    }

    /// The counters of the etcd member of this number are read now.
    pub fn etcd_counts(&mut self, number: u64, metrics: EtcdMetrics) -> &mut Self {
        self.report(SourceId::new(SourceKind::Etcd, url(number)), Fact::EtcdMetrics(Box::new(metrics)))
    }

    /// Changes what an HAProxy answers.
    pub fn haproxy(&mut self, name: &str, change: impl FnOnce(&mut HaproxyStatus)) -> &mut Self {
        let mut status = match &self.haproxy[name] {
            Voice::Says(status) => status.clone(),
            _ => haproxy_answer("psg1"),
        };
        change(&mut status);
        self.haproxy.insert(name.to_owned(), Voice::Says(status));
        self
    }

    /// From now on the leader key's lease is read as having so many seconds left of 30.
    pub fn lease(&mut self, ttl: i64) -> &mut Self {
        self.lease = Voice::Says(Lease { id: LEASE, ttl, granted: 30 });
        self
    }

    /// From now on the source fails so: `dcs`, `lease`, `rest psg1`, `sql psg1`, `etcd 1`, `haproxy vm1`.
    pub fn fails(&mut self, source: &str, kind: ErrorKind, message: &str) -> &mut Self {
        self.fails_with(source, SourceError::new(kind, message))
    }

    pub fn fails_with(&mut self, source: &str, error: SourceError) -> &mut Self {
        self.voice(source, Some(error))
    }

    /// From now on the source says nothing at all.
    pub fn silent(&mut self, source: &str) -> &mut Self {
        self.voice(source, None)
    }

    /// From now on it answers as in health.
    pub fn answers(&mut self, source: &str) -> &mut Self {
        match source.split_once(' ').unwrap_or((source, "")) {
            ("dcs", _) => self.dcs = Voice::Says(()),
            ("lease", _) => self.lease = Voice::Says(Lease { id: LEASE, ttl: 28, granted: 30 }),
            ("rest", name) => drop(self.rest.insert(name.to_owned(), Voice::Says(rest_answer(name, "psg1", 1)))),
            ("sql", name) => drop(self.sql.insert(name.to_owned(), Voice::Says(sql_answer(name, "psg1", 1)))),
            ("etcd", n) => drop(self.etcd.insert(url(n.parse().unwrap()), Voice::Says(etcd_status(n.parse().unwrap())))),
            ("haproxy", name) => drop(self.haproxy.insert(name.to_owned(), Voice::Says(haproxy_answer("psg1")))),
            _ => panic!("no such source: {source}"),
        }
        self
    }

    fn voice(&mut self, source: &str, error: Option<SourceError>) -> &mut Self {
        fn voice<T>(error: Option<SourceError>) -> Voice<T> {
            error.map_or(Voice::Silent, Voice::Fails)
        }
        match source.split_once(' ').unwrap_or((source, "")) {
            ("dcs", _) => self.dcs = voice(error),
            ("lease", _) => self.lease = voice(error),
            ("rest", name) => drop(self.rest.insert(name.to_owned(), voice(error))),
            ("sql", name) => drop(self.sql.insert(name.to_owned(), voice(error))),
            ("etcd", n) => drop(self.etcd.insert(url(n.parse().unwrap()), voice(error))),
            ("haproxy", name) => drop(self.haproxy.insert(name.to_owned(), voice(error))),
            _ => panic!("no such source: {source}"),
        }
        self
    }

    /// Patroni and PostgreSQL of a member refuse connections; its keys stay until somebody deletes them.
    pub fn crash(&mut self, name: &str) -> &mut Self {
        self.fails(&format!("rest {name}"), ErrorKind::Refused, "connection refused");
        self.fails(&format!("sql {name}"), ErrorKind::Refused, "connection refused")
    }

    /// A replica of this name answers from now on, with all its voices.
    pub fn joins(&mut self, name: &str) -> &mut Self {
        self.rest.insert(name.to_owned(), Voice::Says(rest_answer(name, "psg1", 1)));
        self.sql.insert(name.to_owned(), Voice::Says(sql_answer(name, "psg1", 1)));
        self
    }

    /// A member leads in everybody's eyes, the others that answer follow it, on this timeline.
    pub fn promote(&mut self, leader: &str, timeline: u32) -> &mut Self {
        for (name, voice) in &mut self.rest {
            if let Voice::Says(answer) = voice {
                *answer = rest_answer(name, leader, timeline);
            }
        }
        for (name, voice) in &mut self.sql {
            if let Voice::Says(answer) = voice {
                *answer = sql_answer(name, leader, timeline);
            }
        }
        if let Voice::Says(answer) = self.haproxy.get_mut("vm1").unwrap() {
            *answer = haproxy_answer(leader);
        }
        self.leader(leader)
    }

    // Time.

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

    fn push(&mut self, event: DcsEvent) -> &mut Self {
        self.push_all(vec![event])
    }

    fn push_all(&mut self, events: Vec<DcsEvent>) -> &mut Self {
        if matches!(self.dcs, Voice::Says(())) {
            let fact = Fact::DcsChanged { revision: self.revision, events };
            self.report(SourceId::new(SourceKind::Dcs, "psg"), fact);
        }
        self
    }

    fn look(&mut self) {
        self.changes.extend(self.picture.pass(self.now));
        self.document = self.picture.document(self.now);
        for finding in &self.document.findings {
            assert!(!finding.evidence.is_empty(), "a finding without evidence: {finding:#?}");
            assert!(!finding.matters.is_empty() && !finding.next.is_empty(), "a finding without an explanation: {finding:#?}");
        }
    }

    fn dcs_key(&self, key: &str, value: &str, lease: i64) -> DcsKey {
        DcsKey { key: key.to_owned(), value: value.to_owned(), create_revision: 1, mod_revision: self.revision, lease }
    }

    // What is made of it.

    /// Everything that was heard so far.
    pub fn recorded(&self) -> &[Observation] {
        &self.recorded
    }

    pub fn document(&self) -> &Document {
        &self.document
    }

    pub fn cluster(&self) -> &Cluster {
        self.picture.cluster()
    }

    pub fn now(&self) -> Time {
        self.now
    }

    /// Second 0.
    pub fn began(&self) -> Time {
        Time::from_micros(START)
    }

    pub fn member(&self, name: &str) -> &MemberDoc {
        self.document.members.iter().find(|m| m.name == name).unwrap()
    }

    pub fn verdict(&self) -> &str {
        &self.document.headline.verdict
    }

    /// The codes of all findings, worst first.
    pub fn codes(&self) -> Vec<&str> {
        self.document.findings.iter().map(|f| f.code.as_str()).collect()
    }

    pub fn finding(&self, code: &str) -> Option<&FindingDoc> {
        self.document.findings.iter().find(|f| f.code == code)
    }

    /// The sentence of the first finding with this code; an empty one when there is none.
    pub fn sentence(&self, code: &str) -> &str {
        self.finding(code).map_or("", |f| &f.sentence)
    }

    /// The changes since this was last called, each as `code: sentence`; what became of findings is left out, and forgotten.
    pub fn changes(&mut self) -> Vec<String> {
        self.told(false)
    }

    /// What became of findings since this was last called, likewise; all other changes are forgotten.
    pub fn lives(&mut self) -> Vec<String> {
        self.told(true)
    }

    fn told(&mut self, lives: bool) -> Vec<String> {
        let told = self.changes.drain(..).filter(|c| c.code().starts_with("finding-") == lives);
        told.map(|c| format!("{}: {}", c.code(), c.sentence())).collect()
    }

    /// Everything that has changed since then, as values.
    pub fn raw_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
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
