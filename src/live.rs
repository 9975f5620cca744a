//! The living picture: the sources feed the cluster, the cluster feeds the findings, both feed the document.
//!
//! The console and the command line hold one of these; a test or a replay can feed a [`Picture`] without any source.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::config::{Profile, RabbitmqProfile};
use crate::document::Document;
use crate::finding::{self, Forecast, Limits, Tracked, Tracker, UNREPEATED};
use crate::model::{
    Change, Cluster, Dags, Fact, FrozenPools, Observation, Outcome, PauseNote, Rabbitmq, RescueMemory, RouteUse, SourceId, SourceKind,
    Time, clean,
};
use crate::source::ssh::Connections;
use crate::source::{Clock, Collector, Inbox};

/// A cluster with what is found in it. Pure: time comes in as an argument.
#[derive(Debug, Clone)]
pub struct Picture {
    name: String,
    cluster: Cluster,
    limits: Limits,
    tracker: Tracker,
    /// What became of findings while a document was made, to be told next.
    untold: Vec<Change>,
    /// When findings were last looked for.
    looked: Option<Time>,
}

impl Picture {
    /// A picture of which nothing is known. `name` is the cluster's name in the configuration.
    pub fn new(name: &str, cluster: Cluster) -> Self {
        Self { name: clean(name), cluster, limits: Limits::default(), tracker: Tracker::default(), untold: Vec::new(), looked: None }
    }

    /// The same with other limits than the usual ones.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The findings that stand, as they were last looked for.
    pub fn standing(&self) -> &[Tracked] {
        self.tracker.standing()
    }

    /// From where on something is too much.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Folds observations in and says what they changed, in the cluster and in what is found in it.
    pub fn apply(&mut self, observations: Vec<Observation>) -> Vec<Change> {
        let newest = observations.iter().map(|observation| observation.at).max();
        let mut changes: Vec<Change> = observations.into_iter().flat_map(|observation| self.cluster.apply(observation)).collect();
        if let Some(now) = newest {
            self.find(now);
        }
        changes.append(&mut self.untold);
        changes
    }

    /// What has changed by the mere passing of time.
    pub fn pass(&mut self, now: Time) -> Vec<Change> {
        let mut changes = self.cluster.changes(now);
        self.find(now);
        changes.append(&mut self.untold);
        changes
    }

    /// The picture at `now`.
    pub fn document(&mut self, now: Time) -> Document {
        let forecast = self.find(now);
        Document::of(&self.cluster, &self.tracker, &forecast, &self.limits, &self.name, now)
    }

    /// Whether something was seen that another reading has to confirm.
    pub fn undecided(&self) -> bool {
        let unproved = || self.looked.is_some_and(|now| self.cluster.writers_undecided(now));
        self.tracker.undecided().is_some() || unproved()
    }

    fn find(&mut self, now: Time) -> Forecast {
        // Observations can be a little older than the last look; no finding's life runs backwards for that.
        let now = self.looked.map_or(now, |looked| looked.max(now));
        self.looked = Some(now);
        let forecast = Forecast::of(&self.cluster, now);
        let found = finding::findings(&self.cluster, &self.limits, &forecast, now);
        self.untold.extend(self.tracker.track(&self.cluster, found, now));
        forecast
    }
}

/// A picture with its sources.
pub struct Live {
    picture: Picture,
    collector: Collector,
    inbox: Inbox,
    clock: Clock,
    heard: BTreeSet<SourceId>,
}

impl Live {
    /// Starts the sources of a profile whose scope is set. Must be called within a tokio runtime.
    pub fn start(profile: Profile, clock: Clock) -> Self {
        let scope = profile.scope.clone().unwrap_or_default();
        let routes: BTreeMap<String, RouteUse> = profile
            .haproxy
            .iter()
            .map(|h| (h.name.clone(), RouteUse { write: h.write_backend.clone(), read: h.read_backend.clone() }))
            .collect();
        let cluster = Cluster::new(&scope, &profile.namespace, routes)
            .with_airflow(profile.airflow.is_some())
            .with_airflow_health(profile.airflow.iter().flat_map(|airflow| airflow.health.iter().map(|one| one.name.clone())));
        let rabbitmq = profile.rabbitmq.as_ref();
        let names = |rabbitmq: &RabbitmqProfile| rabbitmq.nodes.iter().map(|node| node.name.clone()).collect::<Vec<_>>();
        let cluster = cluster
            .with_rabbitmq(rabbitmq.map(|r| Rabbitmq::new(&r.vhost, &r.username, &r.queues, names(r))))
            .with_dags(profile.dags.as_ref().map(|dags| Dags::of(dags.hosts.iter().cloned())))
            .with_target(profile.target.as_ref().map(|target| target.host.clone()));
        let picture = Picture::new(&profile.name, cluster).with_limits(profile.limits.clone());
        let (collector, inbox) = Collector::start(profile, clock);
        Self { picture, collector, inbox, clock, heard: BTreeSet::new() }
    }

    /// Now, by the clock of the sources.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// The clock of the sources.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The connections to the nodes, for who else reads there.
    pub fn connections(&self) -> Connections {
        self.collector.connections()
    }

    /// The cluster.
    pub fn cluster(&self) -> &Cluster {
        self.picture.cluster()
    }

    /// The picture.
    pub fn picture(&self) -> &Picture {
        &self.picture
    }

    /// Waits for observations, folds them in, asks whom they name, and says what has changed. Safe to drop while it waits.
    pub async fn wait(&mut self) -> Vec<Change> {
        let arrived = self.inbox.next().await;
        let answers = arrived.iter().filter(|o| match &o.outcome {
            Outcome::Heard(fact) => fact.is_answer(),
            Outcome::Failed(_) => true,
        });
        self.heard.extend(answers.map(|o| o.source.clone()));
        let changes = self.picture.apply(arrived);
        self.collector.follow(self.picture.cluster());
        changes
    }

    /// Takes in what the audit of this machine has of the pause.
    pub fn hear_audit(&mut self, note: Option<PauseNote>) -> Vec<Change> {
        let source = SourceId::new(SourceKind::Audit, self.cluster().scope.clone());
        let outcome = Outcome::Heard(Box::new(Fact::PauseNote(note)));
        let at = self.now();
        self.picture.apply(vec![Observation { source, at, rtt: None, outcome }])
    }

    /// Takes in what this machine remembers of pools that it has frozen.
    pub fn hear_frozen(&mut self, frozen: Vec<FrozenPools>) -> Vec<Change> {
        let source = SourceId::new(SourceKind::Audit, self.cluster().scope.clone());
        let outcome = Outcome::Heard(Box::new(Fact::FrozenPools(frozen)));
        let at = self.now();
        self.picture.apply(vec![Observation { source, at, rtt: None, outcome }])
    }

    /// Takes in what this machine remembers of what Airflow ran.
    pub fn hear_rescue(&mut self, memory: RescueMemory) -> Vec<Change> {
        let source = SourceId::new(SourceKind::Audit, self.cluster().scope.clone());
        let outcome = Outcome::Heard(Box::new(Fact::Rescue(Box::new(memory))));
        let at = self.now();
        self.picture.apply(vec![Observation { source, at, rtt: None, outcome }])
    }

    /// What has changed by the mere passing of time.
    pub fn pass(&mut self) -> Vec<Change> {
        let now = self.now();
        self.picture.pass(now)
    }

    /// The picture now.
    pub fn document(&mut self) -> Document {
        let now = self.now();
        self.picture.document(now)
    }

    /// Waits until every source has reported once, good or bad, or `limit` has passed; and for a second reading where the first ones do not fit
    /// together. What changes on the way is returned.
    pub async fn settle(&mut self, limit: Duration) -> Vec<Change> {
        let mut changes = Vec::new();
        let whole = async {
            while !self.whole() {
                changes.extend(self.wait().await);
            }
        };
        // Past the limit the picture is made of what is there; the document says who has not answered.
        let _ = tokio::time::timeout(limit, whole).await;
        // What would be read once only must not miss what a second reading confirms. It is raised, or gone, after that time at the latest.
        let decided = async {
            while self.picture.undecided() {
                changes.extend(self.wait().await);
            }
        };
        let _ = tokio::time::timeout(UNREPEATED, decided).await;
        changes
    }

    /// Whether every source that runs has reported.
    fn whole(&self) -> bool {
        self.collector.expected().iter().all(|source| self.heard.contains(source))
    }
}
