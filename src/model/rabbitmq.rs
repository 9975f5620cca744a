//! What RabbitMQ's management API says: its nodes, their alarms, the queues that matter; and what of it is remembered.
//!
//! Each configured node is asked for itself and tells of all of them. While one of them hangs, the lists of every node hang with it, and only
//! the check of the alarms answers (measured with 3.10): so each list has an age of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::hygiene::Hygiene;
use super::{AirflowStatus, Cluster, Lasting, Observed, SourceError, SourceKind, Time};

/// An alarm (`/api/health/checks/alarms`): while one stands, the whole cluster takes no messages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RabbitmqAlarm {
    /// The node that has raised it, `rabbit@vm5`.
    pub node: String,
    /// `memory`, `disk`.
    pub resource: String,
}

/// A node of itself (`/api/overview`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RabbitmqOverview {
    /// What RabbitMQ calls the node that was asked.
    pub node: String,
    /// RabbitMQ's version.
    pub version: String,
}

/// A node as another, or it itself, tells of it (`/api/nodes`). What is `None` was not said: of a node that does not run nothing more is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RabbitmqNode {
    /// `rabbit@vm5`.
    pub name: String,
    /// Whether it is up, as the one sees who tells it.
    pub running: bool,
    /// Nodes from which it sees itself parted. Not symmetric: one may see what the other does not.
    pub partitions: Option<Vec<String>>,
    /// Memory in use, bytes.
    pub mem_used: Option<u64>,
    /// Where its memory alarm is raised, bytes.
    pub mem_limit: Option<u64>,
    /// Disk left, bytes.
    pub disk_free: Option<u64>,
    /// Where its disk alarm is raised, bytes.
    pub disk_free_limit: Option<u64>,
}

/// A queue that matters (`/api/queues/VHOST`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RabbitmqQueue {
    /// Its name.
    pub name: String,
    /// `classic`, `quorum`, `stream`.
    pub kind: String,
    /// `running`, `down`, `minority` ...
    pub state: Option<String>,
    /// Messages that wait for a consumer.
    pub ready: Option<u64>,
    /// Messages that a consumer has and has not acknowledged.
    pub unacknowledged: Option<u64>,
    /// Consumers.
    pub consumers: Option<u64>,
    /// The node that leads it.
    pub leader: Option<String>,
    /// The nodes that it lies on.
    pub members: Vec<String>,
    /// Those of them that are up and have it.
    pub online: Vec<String>,
}

/// One reading of the lists of one node; each may fail for itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RabbitmqLists {
    /// What it is.
    pub overview: Result<RabbitmqOverview, SourceError>,
    /// The nodes, as it sees them.
    pub nodes: Result<Vec<RabbitmqNode>, SourceError>,
    /// Of the queues that matter those that there are.
    pub queues: Result<Vec<RabbitmqQueue>, SourceError>,
}

/// What one configured node has said.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RabbitmqSeen {
    /// The alarms of all; this is also the sign that its API lives.
    pub alarms: Observed<Vec<RabbitmqAlarm>>,
    /// What it is.
    pub overview: Observed<RabbitmqOverview>,
    /// The nodes, as it sees them.
    pub nodes: Observed<Vec<RabbitmqNode>>,
    /// The queues.
    pub queues: Observed<Vec<RabbitmqQueue>>,
}

/// How a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum RabbitmqState {
    /// Its API answers, or another node says that it is up.
    Running,
    /// Its API does not answer, and no other node says how it is.
    Silent,
    /// Another node says that it is not up.
    Down,
    /// It cannot be said: not heard yet, or it is us whom it refuses.
    Unknown,
}

/// Unacknowledged messages that do not fit what Airflow runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Misfit {
    /// So many running tasks have no message: their redelivery is not possible.
    TooFew(u64),
    /// So many messages have no task that runs or is queued.
    TooMany(u64),
}

impl Misfit {
    /// With `acks_late` a message is unacknowledged as long as its task runs. A task that begins has its message before Airflow knows it as
    /// running: it counts among the queued until then.
    pub fn of(unacknowledged: u64, running: u64, queued: u64) -> Option<Self> {
        match unacknowledged {
            n if n < running => Some(Self::TooFew(running - n)),
            n if n > running + queued => Some(Self::TooMany(n - running - queued)),
            _ => None,
        }
    }

    fn same_side(self, other: Self) -> bool {
        matches!((self, other), (Self::TooFew(_), Self::TooFew(_)) | (Self::TooMany(_), Self::TooMany(_)))
    }
}

/// RabbitMQ, as it is configured and as all nodes told it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rabbitmq {
    /// The virtual host of Airflow's queues.
    pub vhost: String,
    /// Our user.
    pub user: String,
    /// The queues that matter.
    pub wanted: Vec<String>,
    /// By the node's name in the configuration.
    pub seen: BTreeMap<String, RabbitmqSeen>,
    /// By queue: whether nobody takes from it although there is work.
    without_consumers: BTreeMap<String, Lasting>,
    misfit: Option<(Misfit, Time)>,
}

/// How often the lists are asked for.
pub const RABBITMQ_LISTS_PERIOD: Duration = Duration::from_secs(3);
/// How old a list may be and still be called current: two periods, a deadline of 2 s, rounded up.
pub const RABBITMQ_LISTS_FRESH: Duration = Duration::from_secs(9);

impl Rabbitmq {
    /// One of which nothing is known; `nodes` are the names of those that are asked.
    pub fn new(vhost: &str, user: &str, wanted: &[String], nodes: impl IntoIterator<Item = String>) -> Self {
        Self {
            vhost: vhost.to_owned(),
            user: user.to_owned(),
            wanted: wanted.to_vec(),
            seen: nodes.into_iter().map(|name| (name, RabbitmqSeen::default())).collect(),
            ..Self::default()
        }
    }

    /// The lists of nodes that are current, with who tells them.
    pub fn nodes_now(&self, now: Time) -> impl Iterator<Item = (&str, &Observed<Vec<RabbitmqNode>>)> {
        self.seen.iter().map(|(name, seen)| (name.as_str(), &seen.nodes)).filter(move |(_, nodes)| current(nodes, now).is_some())
    }

    /// How the node of this name is at `now`.
    pub fn state(&self, name: &str, now: Time) -> RabbitmqState {
        let Some(seen) = self.seen.get(name) else { return RabbitmqState::Unknown };
        let own = self.erlang_name(name, now);
        let absent = seen.alarms.error().is_some_and(|error| error.kind.is_absence());
        let failing = seen.alarms.failing_since();
        let (mut up, mut down) = (false, false);
        for (_, list) in self.nodes_now(now).filter(|(teller, _)| *teller != name) {
            let row = list.last().and_then(|nodes| nodes.iter().find(|node| Some(node.name.as_str()) == own));
            down |= row.is_some_and(|row| !row.running);
            // That it was up before it fell silent says nothing.
            up |= row.is_some_and(|row| row.running) && failing.is_none_or(|since| list.at().is_some_and(|at| at >= since));
        }
        match (seen.alive(now), up, down) {
            // One that answers and is down for another is parted from it; `rabbitmq-partition` tells that.
            (true, ..) => RabbitmqState::Running,
            (false, _, true) => RabbitmqState::Down,
            (false, true, false) => RabbitmqState::Running,
            (false, false, false) if absent => RabbitmqState::Silent,
            _ => RabbitmqState::Unknown,
        }
    }

    /// Whether a node is down or does not answer at all.
    pub fn gone(&self, name: &str, now: Time) -> bool {
        matches!(self.state(name, now), RabbitmqState::Down | RabbitmqState::Silent)
    }

    /// The newest list of the queues, however old, with who told it.
    pub fn queues(&self) -> Option<(&str, &Observed<Vec<RabbitmqQueue>>)> {
        let told = self.seen.iter().map(|(name, seen)| (name.as_str(), &seen.queues)).filter(|(_, queues)| queues.at().is_some());
        told.max_by_key(|(_, queues)| queues.at())
    }

    /// The same if it is current.
    pub fn queues_now(&self, now: Time) -> Option<(&str, &Observed<Vec<RabbitmqQueue>>)> {
        self.queues().filter(|(_, queues)| queues.fresh(now, RABBITMQ_LISTS_FRESH).is_some())
    }

    /// Unacknowledged messages of the queues that matter; `None`: not known of each that there is.
    pub fn unacknowledged(&self, now: Time) -> Option<u64> {
        let (_, queues) = self.queues_now(now)?;
        queues.last()?.iter().map(|queue| queue.unacknowledged).sum()
    }

    /// The alarms that stand, with who told them first; `None`: nobody says so now.
    pub fn alarms_now(&self, now: Time) -> Option<BTreeMap<&RabbitmqAlarm, &str>> {
        let told = self.seen.iter().filter(|(_, seen)| seen.alive(now));
        let mut known = false;
        let mut all = BTreeMap::new();
        for (name, seen) in told {
            known = true;
            for alarm in seen.alarms.last().into_iter().flatten() {
                all.entry(alarm).or_insert(name.as_str());
            }
        }
        known.then_some(all)
    }

    /// What a node is called here, by RabbitMQ's name for it; that name itself where nobody told which it is.
    pub fn called<'a>(&'a self, node: &'a str) -> &'a str {
        let same = |seen: &RabbitmqSeen| seen.overview.last().is_some_and(|overview| overview.node == node);
        self.seen.iter().find(|(_, seen)| same(seen)).map_or(node, |(name, _)| name)
    }

    /// RabbitMQ's name for a node: its own word; of one that has never spoken the one that is left over in the lists of the others, or that
    /// has its name behind the `@`.
    pub fn erlang_name(&self, name: &str, now: Time) -> Option<&str> {
        let own = |seen: &RabbitmqSeen| seen.overview.last().is_some();
        if let Some(overview) = self.seen.get(name).and_then(|seen| seen.overview.last()) {
            return Some(&overview.node);
        }
        let listed = self.nodes_now(now).filter_map(|(_, list)| list.last()).flatten().map(|node| node.name.as_str());
        let left: BTreeSet<&str> = listed.filter(|node| self.called(node) == *node).collect();
        let by_host = left.iter().copied().find(|node| node.split_once('@').is_some_and(|(_, host)| host == name));
        let alone = self.seen.values().filter(|seen| !own(seen)).count() == 1 && left.len() == 1;
        by_host.or_else(|| left.first().copied().filter(|_| alone))
    }

    /// Since when unacknowledged messages have not fitted what Airflow runs, if that was seen.
    pub fn misfit(&self) -> Option<(Misfit, Time)> {
        self.misfit
    }

    /// Whether a queue has been without consumers for `span` although there is work for them.
    pub fn without_consumers(&self, queue: &str, now: Time, span: Duration) -> bool {
        self.without_consumers.get(queue).is_some_and(|lasting| lasting.lasts(now, span))
    }

    /// Whether any node has said, or failed to say, anything.
    pub fn heard(&self) -> bool {
        self.seen.values().any(|seen| seen.alarms.heard())
    }

    fn follow(&mut self, work: Option<Work>, at: Time) {
        let Some((_, queues)) = self.queues_now(at) else {
            self.misfit = None;
            return;
        };
        let waits = work.is_some_and(Work::any);
        let queues = queues.last().cloned().unwrap_or_default();
        for name in &self.wanted {
            let idle = match queues.iter().find(|queue| queue.name == *name) {
                // Whose consumers were not told is not known to have none.
                Some(queue) => queue.consumers == Some(0) && (waits || queue.holds()),
                None => waits,
            };
            self.without_consumers.entry(name.clone()).or_default().follow(idle, at);
        }
        let now = work.zip(self.unacknowledged(at)).and_then(|(work, n)| Misfit::of(n, work.running, work.queued));
        self.misfit = match (now, self.misfit) {
            (Some(now), Some((before, since))) if now.same_side(before) => Some((now, since)),
            (now, _) => now.map(|misfit| (misfit, at)),
        };
    }
}

impl RabbitmqQueue {
    /// Whether it is known to hold messages.
    pub fn holds(&self) -> bool {
        self.ready.unwrap_or(0) + self.unacknowledged.unwrap_or(0) > 0
    }
}

/// What Airflow has given to its workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Tasks that run.
    pub running: u64,
    /// Tasks that are queued.
    pub queued: u64,
}

impl Work {
    /// By Airflow's metadata.
    pub fn of(status: &AirflowStatus) -> Self {
        let of = |state: &str| status.tasks.get(state).copied().unwrap_or(0);
        Self { running: of("running") + of("restarting"), queued: of("queued") }
    }

    fn any(self) -> bool {
        self.running + self.queued > 0
    }
}

impl RabbitmqSeen {
    /// Whether its API answers now.
    pub fn alive(&self, now: Time) -> bool {
        self.alarms.error().is_none() && self.alarms.fresh(now, SourceKind::Rabbitmq.freshness()).is_some()
    }
}

/// The last value, if nothing has failed since and it is not too old.
fn current<T>(seen: &Observed<T>, now: Time) -> Option<&T> {
    seen.fresh(now, RABBITMQ_LISTS_FRESH).filter(|_| seen.error().is_none())
}

/// Airflow's metadata, if it is current.
pub fn fresh_airflow(cluster: &Cluster, now: Time) -> Option<&AirflowStatus> {
    let seen = cluster.airflow.as_ref().filter(|seen| seen.error().is_none())?;
    seen.fresh(now, SourceKind::Airflow.freshness())
}

impl Cluster {
    /// The same, with a RabbitMQ in it.
    #[must_use]
    pub fn with_rabbitmq(mut self, rabbitmq: Option<Rabbitmq>) -> Self {
        self.rabbitmq = rabbitmq;
        self
    }

    /// Takes in the lists of one node.
    pub(super) fn rabbitmq_listed(&mut self, name: &str, lists: RabbitmqLists, at: Time, rtt: Option<Duration>) {
        let rabbitmq = self.rabbitmq.get_or_insert_default();
        let seen = rabbitmq.seen.entry(name.to_owned()).or_default();
        take(&mut seen.overview, lists.overview, at, rtt);
        take(&mut seen.nodes, lists.nodes, at, rtt);
        take(&mut seen.queues, lists.queues, at, rtt);
        self.follow_rabbitmq(at);
    }

    /// What the check of a node's alarms was answered with.
    pub(super) fn rabbitmq_alarms(&mut self, name: &str) -> &mut Observed<Vec<RabbitmqAlarm>> {
        &mut self.rabbitmq.get_or_insert_default().seen.entry(name.to_owned()).or_default().alarms
    }

    /// Compares the queues with what Airflow runs.
    pub(super) fn follow_rabbitmq(&mut self, at: Time) {
        let work = fresh_airflow(self, at).map(Work::of);
        if let Some(rabbitmq) = &mut self.rabbitmq {
            rabbitmq.follow(work, at);
        }
    }
}

fn take<T>(seen: &mut Observed<T>, told: Result<T, SourceError>, at: Time, rtt: Option<Duration>) {
    match told {
        Ok(value) => seen.record(value, at, rtt),
        Err(error) => seen.fail(error, at),
    }
}

/// The members that a list of queues names and that are not up.
pub fn missing_members(queue: &RabbitmqQueue) -> Vec<&str> {
    let online: BTreeSet<&String> = queue.online.iter().collect();
    queue.members.iter().filter(|member| !online.contains(member)).map(String::as_str).collect()
}

impl Hygiene for RabbitmqLists {
    fn wash(&mut self) {
        let Self { overview, nodes, queues } = self;
        overview.wash();
        nodes.wash();
        queues.wash();
    }
}

impl<T: Hygiene> Hygiene for Result<T, SourceError> {
    fn wash(&mut self) {
        match self {
            Ok(value) => value.wash(),
            Err(error) => error.wash(),
        }
    }
}

impl Hygiene for RabbitmqAlarm {
    fn wash(&mut self) {
        let Self { node, resource } = self;
        node.wash();
        resource.wash();
    }
}

impl Hygiene for RabbitmqOverview {
    fn wash(&mut self) {
        let Self { node, version } = self;
        node.wash();
        version.wash();
    }
}

impl Hygiene for RabbitmqNode {
    fn wash(&mut self) {
        let Self { name, running: _, partitions, mem_used: _, mem_limit: _, disk_free: _, disk_free_limit: _ } = self;
        name.wash();
        partitions.wash();
    }
}

impl Hygiene for RabbitmqQueue {
    fn wash(&mut self) {
        let Self { name, kind, state, ready: _, unacknowledged: _, consumers: _, leader, members, online } = self;
        name.wash();
        kind.wash();
        state.wash();
        leader.wash();
        members.wash();
        online.wash();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_begins_may_have_its_message_before_airflow_knows() {
        for (unacknowledged, running, queued, misfit) in [
            (0, 0, 0, None),
            (2, 2, 0, None),
            (3, 2, 1, None),
            (2, 2, 5, None),
            (1, 2, 5, Some(Misfit::TooFew(1))),
            (4, 2, 1, Some(Misfit::TooMany(1))),
            (1, 0, 0, Some(Misfit::TooMany(1))),
        ] {
            assert_eq!(Misfit::of(unacknowledged, running, queued), misfit, "{unacknowledged} {running} {queued}");
        }
    }
}
