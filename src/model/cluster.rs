//! The cluster, as all observations so far describe it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::change::Summary;
use super::config_key::ConfigKey;
use super::heard::Heard;
use super::hygiene::Hygiene;
use super::succession::{Gone, Succession};
use super::{
    AirflowHealth, AirflowStatus, Certificate, Change, Consistency, Dags, Dcs, DcsEvent, DcsKey, DynamicConfig, EtcdAlarm, EtcdMembership,
    EtcdStatus, EtcdTrend, Fact, FrozenPools, HaproxyStatus, HistoryEntry, Host, Lease, Member, Observation, Observed, Outcome, Parsed,
    Parting, PauseWatch, PostgresStatus, Rabbitmq, RescueMemory, RouteMemory, RouteUse, SourceError, SourceId, SourceKind, Standing,
    SyncWatch, Target, Time, Writing, clean,
};

/// The cluster. Only [`Cluster::apply`] changes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Patroni's scope.
    pub scope: String,
    /// Patroni's namespace.
    pub namespace: String,
    /// Names of backends, by HAProxy, where the configuration gives them; its keys are the HAProxies that are configured.
    pub route_names: BTreeMap<String, RouteUse>,
    /// The keys in etcd.
    pub dcs: DcsSeen,
    /// The leader key's lease.
    pub lease: Observed<Option<Lease>>,
    /// Every member ever seen, by name.
    pub members: BTreeMap<String, Member>,
    /// Every etcd endpoint asked, by URL.
    pub etcd: BTreeMap<String, Observed<EtcdStatus>>,
    /// How each of them has done over its newest readings.
    pub etcd_trends: BTreeMap<String, EtcdTrend>,
    /// The etcd cluster's members and alarms.
    pub etcd_membership: Observed<EtcdMembership>,
    /// The alarms of etcd: as a majority last told them, or none where no member complains.
    pub etcd_alarms: Observed<Vec<EtcdAlarm>>,
    /// Every HAProxy, by name.
    pub haproxies: BTreeMap<String, Observed<HaproxyStatus>>,
    /// Since when each HAProxy's servers have taken sessions or not.
    pub route_memory: BTreeMap<String, RouteMemory>,
    /// Every node that is looked at over ssh, by its name.
    pub hosts: BTreeMap<String, Host>,
    /// Airflow's metadata; `None`: none is configured.
    pub airflow: Option<Observed<AirflowStatus>>,
    /// What each of Airflow's health endpoints says, by its host and port.
    pub airflow_health: BTreeMap<String, Observed<AirflowHealth>>,
    /// RabbitMQ; `None`: none is configured.
    pub rabbitmq: Option<Rabbitmq>,
    /// The folder with Airflow's DAGs; `None`: none is configured.
    pub dags: Option<Dags>,
    /// The machine on which its tasks work; `None`: none is configured.
    pub target: Option<Target>,
    /// Its pools that were frozen from this machine, here and in other clusters of this scope.
    pub frozen: Vec<FrozenPools>,
    /// What is remembered of its tasks for an outage.
    pub rescue_memory: RescueMemory,
    /// The certificates that were shown to us, by who showed them, and our own, by their files.
    pub certificates: BTreeMap<SourceId, Observed<Certificate>>,
    /// The dynamic configuration as the REST APIs give it.
    pub rest_config: Observed<DynamicConfig>,
    /// The history as the REST APIs give it.
    pub rest_history: Observed<Vec<HistoryEntry>>,
    /// When the present holder took the leader key, as far as that was seen or the history tells.
    pub leader_since: Option<Time>,
    /// Since when there has been no leader key; `None` also when it was not there at the first reading, as nobody saw it go.
    pub leaderless_since: Option<Time>,
    /// The maintenance mode.
    pub pause: PauseWatch,
    /// The newest holder of the leader key that was seen, the present one included.
    pub last_leader: Option<String>,
    /// Since when more than one member has accepted writes.
    pub parting: Parting,
    /// Since when the failsafe key has not named every member, while the mode is on.
    pub failsafe_short_since: Option<Time>,
    /// When the system identifier in etcd was seen to change; `None`: it has not since the first reading.
    pub initialized_at: Option<Time>,
    /// What of synchronous replication is not as it should be.
    pub sync_watch: SyncWatch,
    pub(super) succession: Succession,
    pub(super) config_key: ConfigKey,
    summary: Summary,
}

/// The keys in etcd and how well they are known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DcsSeen {
    /// The keys.
    pub keys: Dcs,
    /// etcd's revision of them; `None`: never read.
    pub revision: Option<i64>,
    /// When a majority last vouched for them: a linearizable read, or an event of a watch.
    pub confirmed_at: Option<Time>,
    /// When one etcd member, without a majority, was last read instead.
    pub serializable_at: Option<Time>,
    failure: Option<(Time, SourceError)>,
    rtt: Option<Duration>,
}

impl DcsSeen {
    /// Why the newest attempt failed, if it did.
    pub fn error(&self) -> Option<&SourceError> {
        self.failure.as_ref().map(|(_, error)| error)
    }

    /// When the first of the present row of failures was.
    pub fn failing_since(&self) -> Option<Time> {
        self.failure.as_ref().map(|(since, _)| *since)
    }

    /// How long the last read took.
    pub fn rtt(&self) -> Option<Duration> {
        self.rtt
    }
}

impl Cluster {
    /// A cluster of which nothing is known. `routes` has an entry for each configured HAProxy.
    pub fn new(scope: &str, namespace: &str, routes: BTreeMap<String, RouteUse>) -> Self {
        let haproxies = routes.keys().map(|name| (name.clone(), Observed::default())).collect();
        Self {
            scope: clean(scope),
            namespace: clean(namespace),
            route_names: routes,
            dcs: DcsSeen::default(),
            lease: Observed::default(),
            members: BTreeMap::new(),
            etcd: BTreeMap::new(),
            etcd_trends: BTreeMap::new(),
            etcd_membership: Observed::default(),
            etcd_alarms: Observed::default(),
            haproxies,
            route_memory: BTreeMap::new(),
            hosts: BTreeMap::new(),
            airflow: None,
            airflow_health: BTreeMap::new(),
            rabbitmq: None,
            dags: None,
            target: None,
            frozen: Vec::new(),
            rescue_memory: RescueMemory::default(),
            certificates: BTreeMap::new(),
            rest_config: Observed::default(),
            rest_history: Observed::default(),
            leader_since: None,
            leaderless_since: None,
            pause: PauseWatch::default(),
            last_leader: None,
            parting: Parting::default(),
            failsafe_short_since: None,
            initialized_at: None,
            sync_watch: SyncWatch::default(),
            succession: Succession::default(),
            config_key: ConfigKey::default(),
            summary: Summary::default(),
        }
    }

    /// Folds an observation in and says what it changed.
    pub fn apply(&mut self, mut observation: Observation) -> Vec<Change> {
        observation.wash();
        let Observation { source, at, rtt, outcome } = observation;
        match outcome {
            Outcome::Heard(fact) => self.heard(&source, at, rtt, *fact),
            Outcome::Failed(error) => self.failed(&source, at, error),
        }
        self.follow_strays(at);
        self.follow_sync(at);
        self.follow_failsafe(at);
        self.follow_handover(at);
        self.follow_stalls(at);
        self.follow_rescue(at);
        self.changes(at)
    }

    /// What has changed by the mere passing of time: an answer that has become too old changes what is known.
    pub fn changes(&mut self, now: Time) -> Vec<Change> {
        self.succession.follow_quorum(self.quorum(now).has, now);
        let mut summary = Summary::of(self, now);
        summary.remember(&self.summary, now);
        let changes = self.summary.changes_to(&summary, now);
        self.summary = summary;
        changes
    }

    fn heard(&mut self, source: &SourceId, at: Time, rtt: Option<Duration>, fact: Fact) {
        match fact {
            Fact::DcsListed { revision, consistency, keys } => self.listed(revision, consistency, &keys, at, rtt),
            Fact::DcsChanged { revision, events } => self.changed(revision, &events, at),
            Fact::DcsConfirmed { revision } => {
                // What was never read cannot be confirmed: the absence of keys would look like a cluster without a leader.
                if let Some(known) = self.dcs.revision {
                    self.dcs.revision = Some(known.max(revision));
                    self.vouched(at);
                    self.dcs.rtt = rtt;
                }
            }
            Fact::Lease(lease) => self.lease.record(lease, at, rtt),
            Fact::EtcdStatus(status) => self.etcd_told(&source.target, status, at, rtt),
            Fact::EtcdMetrics(metrics) => self.etcd_counted(&source.target, *metrics, at),
            Fact::EtcdMembership(membership) => {
                if let Some(alarms) = &membership.alarms {
                    // A member that has not heard of another's alarm yet knows of none.
                    let named =
                        || self.etcd.values().any(|seen| seen.fresh(at, SourceKind::Etcd.freshness()).is_some_and(EtcdStatus::names_alarm));
                    if !alarms.is_empty() || !named() {
                        self.etcd_alarms.record(alarms.clone(), at, rtt);
                    }
                }
                self.etcd_membership.record(membership, at, rtt);
            }
            Fact::Patroni(status) => {
                if let Some(member) = self.members.get_mut(&source.target) {
                    member.starts.hear(SourceKind::Rest, status.postmaster_start, at);
                    member.naming.hear(&source.target, &status, at);
                    member.standing = Some(Standing::next(member.standing.take(), &status.state, at));
                    member.rest.record(*status, at, rtt);
                }
            }
            Fact::PatroniConfig(value) => {
                if let Some(config) = DynamicConfig::from_value(&value) {
                    self.rest_config.record(config, at, rtt);
                }
            }
            Fact::PatroniHistory(value) => {
                if let Some(history) = HistoryEntry::list(&value) {
                    self.rest_history.record(history, at, rtt);
                    self.follow_history();
                    self.follow_promotion(at);
                }
            }
            Fact::Postgres(status) => {
                if let Some(member) = self.members.get_mut(&source.target) {
                    let asked = rtt.map_or(at, |rtt| at.before(rtt));
                    member.starts.hear(SourceKind::Sql, status.postmaster_start, at);
                    member.writing = Writing::next(member.writing, &status, asked, at);
                    member.hear_sql(*status, at, rtt);
                }
                self.follow_writers(at);
            }
            Fact::PauseNote(note) => self.pause.hear(note),
            Fact::FrozenPools(pools) => self.frozen = pools,
            Fact::Dags(_) | Fact::Target(_) | Fact::Rescue(_) => self.estate_told(source, at, rtt, fact),
            Fact::Host(status) => self.host_told(&source.target, *status, at, rtt),
            Fact::Clock(reading) => self.clock_read(source, reading, at, rtt),
            Fact::Certificate(certificate) => self.certificates.entry(source.clone()).or_default().record(*certificate, at, rtt),
            Fact::Haproxy(status) => {
                self.route_memory.entry(source.target.clone()).or_default().hear(&status, at);
                self.haproxies.entry(source.target.clone()).or_default().record(status, at, rtt);
                self.follow_servers();
            }
            Fact::AirflowHealth(health) => self.airflow_health.entry(source.target.clone()).or_default().record(health, at, rtt),
            Fact::Airflow(status) => {
                self.airflow.get_or_insert_default().record(*status, at, rtt);
                self.follow_rabbitmq(at);
            }
            Fact::RabbitmqAlarms(alarms) => self.rabbitmq_alarms(&source.target).record(alarms, at, rtt),
            Fact::RabbitmqLists(lists) => self.rabbitmq_listed(&source.target, *lists, at, rtt),
        }
    }

    fn failed(&mut self, source: &SourceId, at: Time, error: SourceError) {
        match source.kind {
            SourceKind::Dcs => {
                let since = self.dcs.failing_since().unwrap_or(at);
                self.dcs.failure = Some((since, error));
            }
            SourceKind::Lease => self.lease.fail(error, at),
            SourceKind::Etcd => {
                self.etcd.entry(source.target.clone()).or_default().fail(error, at);
                self.etcd_trends.entry(source.target.clone()).or_default().end();
            }
            SourceKind::Rest => {
                if let Some(member) = self.members.get_mut(&source.target) {
                    member.rest.fail(error, at);
                    member.rest_clock.clear();
                }
            }
            SourceKind::Sql => {
                if let Some(member) = self.members.get_mut(&source.target) {
                    member.writing = None;
                    member.sql.fail(error, at);
                    member.sql_clock.clear();
                }
            }
            SourceKind::Haproxy => self.haproxies.entry(source.target.clone()).or_default().fail(error, at),
            SourceKind::Host => self.hosts.entry(source.target.clone()).or_default().seen.fail(error, at),
            SourceKind::Airflow => self.airflow.get_or_insert_default().fail(error, at),
            SourceKind::AirflowHealth => self.airflow_health.entry(source.target.clone()).or_default().fail(error, at),
            SourceKind::Rabbitmq => self.rabbitmq_alarms(&source.target).fail(error, at),
            SourceKind::Dags | SourceKind::Target => self.estate_failed(source, error, at),
            // What it had told stands; whoever reads it says why it cannot be read.
            SourceKind::Audit => {}
        }
    }

    fn vouched(&mut self, at: Time) {
        self.dcs.confirmed_at = Some(at);
        self.dcs.failure = None;
    }

    fn listed(&mut self, revision: i64, consistency: Consistency, keys: &[DcsKey], at: Time, rtt: Option<Duration>) {
        match consistency {
            Consistency::Linearizable => self.vouched(at),
            Consistency::Serializable => {
                self.dcs.serializable_at = Some(at);
                // One member's own copy may lie behind what a majority has told already.
                if self.dcs.revision.is_some_and(|known| known > revision) {
                    return;
                }
            }
        }
        let first = self.dcs.revision.is_none();
        let before = self.holder().map(str::to_owned);
        let mut listed = Dcs::default();
        keys.iter().for_each(|key| listed.put(key));
        if !first && listed.initialize != self.dcs.keys.initialize {
            self.initialized_at = Some(at);
        }
        self.dcs.keys = listed;
        self.dcs.revision = Some(revision);
        self.dcs.rtt = rtt;
        self.follow_config(at);
        self.follow_members(at);
        self.follow_leader(before.as_deref(), Gone::Unseen, first, at);
    }

    fn changed(&mut self, revision: i64, events: &[DcsEvent], at: Time) {
        // Single keys are no picture of the whole; the list comes first.
        if self.dcs.revision.is_none() {
            return;
        }
        let before = self.holder().map(str::to_owned);
        let initialize = self.dcs.keys.initialize.clone();
        for event in events {
            match event {
                DcsEvent::Put(key) => self.dcs.keys.put(key),
                DcsEvent::Delete { key, .. } => self.dcs.keys.delete(key),
            }
        }
        if initialize != self.dcs.keys.initialize {
            self.initialized_at = Some(at);
        }
        self.dcs.revision = Some(revision);
        self.vouched(at);
        self.follow_config(at);
        self.follow_members(at);
        let how = before.as_deref().map_or(Gone::Unseen, |holder| Gone::by(events, holder));
        self.follow_leader(before.as_deref(), how, false, at);
    }

    /// Members come from the keys; one whose key has gone stays, marked.
    fn follow_members(&mut self, at: Time) {
        for (name, key) in &self.dcs.keys.members {
            let member = self.members.entry(name.clone()).or_insert_with(|| Member::named(name));
            // A value that cannot be read must not take the address away with it: the member would no longer be asked.
            if key.good().is_some() || member.key.is_none() {
                member.key = Some(key.clone());
            }
            member.present = true;
            member.missing_since = None;
        }
        for (name, member) in &mut self.members {
            if member.present && !self.dcs.keys.members.contains_key(name) {
                member.present = false;
                member.missing_since = Some(at);
            }
        }
        self.follow_servers();
    }

    fn follow_leader(&mut self, before: Option<&str>, how: Gone, first: bool, at: Time) {
        let mut succession = std::mem::take(&mut self.succession);
        succession.follow(self, before, how, first, at);
        self.succession = succession;
        self.follow_history();
        let now = self.holder().map(str::to_owned);
        match (&now, first) {
            (Some(_), true) => self.leader_since = self.leader_since_by_history(),
            (Some(name), false) if before != Some(name.as_str()) => self.leader_since = Some(at),
            (None, _) => self.leader_since = None,
            _ => {}
        }
        self.follow_promotion(at);
        self.leaderless_since = if now.is_some() { None } else { self.leaderless_since.or((before.is_some()).then_some(at)) };
        self.last_leader = now.or_else(|| self.last_leader.take());
        self.pause.follow(self.config().is_some_and(|c| c.paused), at);
    }

    fn follow_history(&mut self) {
        let mut past = std::mem::take(&mut self.succession.past);
        past.follow(self);
        self.succession.past = past;
    }

    /// Since when a switchover or failover has been asked for that is due, if that was seen and it is still asked for.
    pub fn asked_since(&self, now: Time) -> Option<Time> {
        self.succession.asked_since(now)
    }

    /// Whether the end of this timeline, as the history tells it, is a change of leader that was told when it happened.
    pub fn watched(&self, timeline: u32) -> bool {
        self.succession.past.watched(timeline)
    }

    /// The changes of timeline, from etcd, else from the REST APIs.
    pub fn history(&self) -> Option<&Vec<HistoryEntry>> {
        self.dcs.keys.history.as_ref().and_then(Parsed::good).or_else(|| self.rest_history.last())
    }

    /// The dynamic configuration: from etcd; when its key is gone, as it last was there; else from the REST APIs.
    pub fn config(&self) -> Option<&DynamicConfig> {
        let known = self.config_key.known.as_ref().filter(|_| self.dcs.keys.config.is_none());
        self.dcs.keys.config().or(known).or_else(|| self.rest_config.last())
    }

    /// Seconds until the leader key's lease ends, counted down from the last reading, with that reading's age. `None` without a leader key,
    /// without a reading of its lease, and when the reading is of another lease.
    pub fn lease_left(&self, now: Time) -> Option<(f64, Duration)> {
        let lease = (*self.lease.last()?)?;
        let key = self.dcs.keys.leader.as_ref()?;
        let age = self.lease.age(now)?;
        (lease.id == key.lease && lease.ttl >= 0).then(|| ((lease.ttl as f64 - age.as_secs_f64()).max(0.0), age))
    }

    /// When the leader key's lease was last renewed, as far as its last reading tells; etcd counts in whole seconds.
    pub fn lease_renewed(&self) -> Option<Time> {
        let lease = (*self.lease.last()?)?;
        let key = self.dcs.keys.leader.as_ref()?;
        let spent = u64::try_from(lease.granted.checked_sub(lease.ttl)?).ok()?;
        (lease.id == key.lease && lease.ttl >= 0).then_some(())?;
        Some(self.lease.at()?.before(Duration::from_secs(spent)))
    }

    /// A member's timeline: its PostgreSQL's word, else its REST API's.
    pub fn timeline(&self, name: &str, now: Time) -> Option<u32> {
        let member = self.members.get(name)?;
        member.sql_now(now).and_then(|s| s.timeline).or_else(|| member.rest_now(now).and_then(|r| r.timeline))
    }

    /// A member's timeline where it is sure. A standby that receives nothing tells the timeline of its last restart point, and may have replayed
    /// on a later one since; its Patroni, which asks the replay itself (`IDENTIFY_SYSTEM`), is believed. With who said it.
    pub fn timeline_sure(&self, name: &str, now: Time) -> Option<(u32, SourceKind)> {
        let member = self.members.get(name)?;
        let sure = |s: &&PostgresStatus| !s.in_recovery || s.receiver.as_ref().is_some_and(|r| r.timeline.is_some());
        let by_sql = member.sql_now(now).filter(sure).and_then(|s| s.timeline).map(|t| (t, SourceKind::Sql));
        by_sql.or_else(|| member.rest_now(now).and_then(|r| r.timeline).map(|t| (t, SourceKind::Rest)))
    }

    /// Every source that has been heard of, with what it gave.
    pub fn sources(&self, now: Time) -> Vec<Heard<'_>> {
        let dcs = Heard {
            source: SourceId::new(SourceKind::Dcs, &self.scope),
            age: self.dcs.confirmed_at.map(|at| now.since(at)),
            error: self.dcs.error(),
            failing_since: self.dcs.failing_since(),
            silent_since: self.dcs.confirmed_at.or(self.dcs.failing_since()),
            rtt: self.dcs.rtt,
        };
        let mut all = vec![dcs, Heard::of(SourceKind::Lease, &self.scope, &self.lease, now)];
        all.extend(self.etcd.iter().map(|(url, seen)| Heard::of(SourceKind::Etcd, url, seen, now)));
        all.extend(self.members.values().map(|m| Heard::of(SourceKind::Rest, &m.name, &m.rest, now)));
        all.extend(self.members.values().map(|m| Heard::of(SourceKind::Sql, &m.name, &m.sql, now)));
        all.extend(self.haproxies.iter().map(|(name, seen)| Heard::of(SourceKind::Haproxy, name, seen, now)));
        all.extend(self.hosts.iter().map(|(name, host)| Heard::of(SourceKind::Host, name, &host.seen, now)));
        all.extend(self.estate(now));
        all.extend(self.airflow.iter().map(|seen| Heard::of(SourceKind::Airflow, &self.scope, seen, now)));
        all.extend(self.airflow_health.iter().map(|(name, seen)| Heard::of(SourceKind::AirflowHealth, name, seen, now)));
        let nodes = self.rabbitmq.iter().flat_map(|rabbitmq| &rabbitmq.seen);
        all.extend(nodes.map(|(name, node)| Heard::of(SourceKind::Rabbitmq, name, &node.alarms, now)));
        all
    }
}
