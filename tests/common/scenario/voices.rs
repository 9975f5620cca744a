//! What the sources of a scenario answer, or that they do not.

use std::time::Duration;

use pgbaton::model::*;
use serde_json::Value;

use super::answers::{etcd_status, haproxy_answer, merge, rest_answer, sql_answer, url};
use super::{LEASE, Scenario, Voice};

impl Scenario {
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
}
