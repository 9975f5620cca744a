//! Whether a member may take part in the race for the leader key: what Patroni asks of one member alone (`patroni/ha.py`,
//! `is_healthiest_node` and the first half of `_is_healthiest_node`).

use super::Reason;
use crate::model::{Cluster, ErrorKind, Lsn, Member, Parsed, PlaceKind, Time};

/// Patroni's default for `maximum_lag_on_failover`, bytes (`patroni/global_config.py`).
pub(in crate::finding) const MAXIMUM_LAG: u64 = 1_048_576;

/// How a member stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Whether it can take over; `None`: not known.
    pub can: Option<bool>,
    /// Why not, or why that is not known.
    pub reasons: Vec<Reason>,
    /// Up to where it has the WAL.
    pub position: Option<Lsn>,
    /// Its `failover_priority`.
    pub priority: i64,
    /// It could, but this one goes before it, by its position or its priority.
    pub beaten_by: Option<String>,
    /// Its PostgreSQL is a primary already: it takes a free key as it is, and nobody promotes beside it.
    pub primary: bool,
}

impl Standing {
    /// The standing by the reasons found.
    pub(super) fn new(reasons: Vec<Reason>, position: Option<Lsn>, priority: i64) -> Self {
        Self { can: verdict(&reasons), reasons, position, priority, beaten_by: None, primary: false }
    }

    /// Adds a reason that only the comparison with others has brought up.
    pub(super) fn also(&mut self, reason: Reason) {
        self.reasons.push(reason);
        self.can = verdict(&self.reasons);
    }

    /// Takes back what does not count in this case.
    pub(super) fn without(&mut self, set_aside: impl Fn(&Reason) -> bool) {
        self.reasons.retain(|reason| !set_aside(reason));
        self.can = verdict(&self.reasons);
    }

    /// Whether the others see it: it answers, and neither its tags nor its watchdog take it out of the race (`failover_limitation`).
    pub(super) fn seen(&self) -> bool {
        use Reason::{Down, Missing, NoFailover, NotRunning, Silent, Unheard, Watchdog};
        !self.reasons.iter().any(|r| matches!(r, Missing | Down(_) | Silent(_) | Unheard | NotRunning(_) | NoFailover | Watchdog))
    }
}

/// One known hindrance is enough, however much else is not known.
fn verdict(reasons: &[Reason]) -> Option<bool> {
    match reasons {
        [] => Some(true),
        reasons if reasons.iter().all(Reason::doubt) => None,
        _ => Some(false),
    }
}

/// What Patroni asks of `member` alone.
pub(super) fn of(cluster: &Cluster, member: &Member, now: Time) -> Standing {
    let mut reasons = Vec::new();
    if cluster.quorum(now).has == Some(false) {
        reasons.push(Reason::NoQuorum);
    }
    if !member.present && cluster.dcs_current(now) {
        reasons.push(Reason::Missing);
    }
    reasons.extend(voice(member, now));
    let position = position(member, now);
    if is_primary(member, now) {
        // Patroni asks a primary for nothing but its timeline.
        reasons.extend(timeline(cluster, member, now));
        return Standing { primary: true, ..Standing::new(reasons, position, priority(member)) };
    }
    let config = cluster.config();
    if config.is_some_and(|c| c.paused) {
        reasons.push(Reason::Paused);
    }
    if nofailover(member) {
        reasons.push(Reason::NoFailover);
    }
    if member.rest_now(now).is_some_and(|rest| rest.watchdog_failed) {
        reasons.push(Reason::Watchdog);
    }
    reasons.extend(lag(cluster, position));
    reasons.extend(room(cluster, member, now));
    if config.is_some_and(|c| c.check_timeline && !c.standby_cluster) {
        reasons.extend(timeline(cluster, member, now));
    }
    if let Some(sync) = active_sync(cluster)
        && config.is_some_and(|c| c.synchronous_mode == "on")
        && !sync.iter().any(|name| name.eq_ignore_ascii_case(&member.name))
    {
        reasons.push(Reason::NotSync);
    }
    if let Some(names) = cluster.dcs.keys.failsafe.as_ref().and_then(Parsed::good)
        && config.is_some_and(|c| c.failsafe_mode)
        && !names.is_empty()
        && !names.contains_key(&member.name)
    {
        reasons.push(Reason::NotInFailsafe);
    }
    Standing::new(reasons, position, priority(member))
}

/// Whether its Patroni says that it leads and that it serves, and its PostgreSQL does not deny it. Of one that is stopping the others learn no
/// position, and pass it over.
pub(super) fn is_primary(member: &Member, now: Time) -> bool {
    let claims = member.rest_now(now).is_some_and(|rest| rest.says_it_leads() && rest.state.serves());
    claims && member.writable(now) != Some(false)
}

/// What its Patroni's answer, or its silence, means.
fn voice(member: &Member, now: Time) -> Option<Reason> {
    if let Some(error) = member.rest.error() {
        let told = error.to_string();
        return Some(if error.kind == ErrorKind::Refused { Reason::Down(told) } else { Reason::Silent(told) });
    }
    match member.rest_now(now) {
        None if member.rest.heard() => Some(Reason::Silent("nothing was heard for a while".to_owned())),
        None => Some(Reason::Unheard),
        Some(rest) if rest.role.as_deref() == Some("uninitialized") => Some(Reason::NotRunning("not set up yet".to_owned())),
        Some(rest) if !rest.state.serves() => Some(Reason::NotRunning(rest.state.0.clone())),
        Some(_) => None,
    }
}

/// What Patroni compares: the position at the leader's last loop, as the leader wrote it to etcd, and the replica's own. Without a word from
/// the replica nothing is known, without one from the leader nothing is asked.
fn lag(cluster: &Cluster, position: Option<Lsn>) -> Option<Reason> {
    let Some(position) = position else { return Some(Reason::PositionUnknown) };
    let limit = cluster.config().and_then(|c| c.maximum_lag_on_failover).unwrap_or(MAXIMUM_LAG);
    let written = cluster.dcs.keys.status.as_ref().and_then(Parsed::good).and_then(|s| s.optime)?;
    let lacks = written.bytes_since(position);
    (lacks > limit).then_some(Reason::Lagging(lacks, limit))
}

/// A segment of WAL, bytes, as `initdb` makes them unless it is told otherwise.
const SEGMENT: u64 = 16 << 20;

/// Whether there is room for what a leader writes, where its node tells.
fn room(cluster: &Cluster, member: &Member, now: Time) -> Option<Reason> {
    let places = &cluster.hosts.get(&member.name)?.status_now(now)?.places;
    let full =
        places.iter().find(|place| place.kind != PlaceKind::Etcd && place.space.as_ref().is_ok_and(|space| space.available < SEGMENT));
    full.map(|place| Reason::NoRoom(place.kind))
}

fn timeline(cluster: &Cluster, member: &Member, now: Time) -> Option<Reason> {
    // `Cluster.timeline` in `patroni/dcs/__init__.py`: one after the last that ended, 1 while none has.
    let needed = cluster.history().map_or(0, |history| history.last().map_or(1, |last| last.timeline + 1));
    match cluster.timeline(&member.name, now) {
        Some(own) if own >= needed => None,
        own => Some(Reason::Timeline(own, needed)),
    }
}

/// Leader and standbys in the key `sync`, if synchronous mode is on and the leader has written its name there (`sync_mode_is_active`).
pub(super) fn active_sync(cluster: &Cluster) -> Option<Vec<String>> {
    cluster.config().filter(|c| c.synchronous_mode != "off" && !c.standby_cluster)?;
    let sync = cluster.dcs.keys.sync.as_ref().and_then(Parsed::good)?;
    let leader = sync.leader.clone().filter(|leader| !leader.is_empty())?;
    Some(std::iter::once(leader).chain(sync.standbys.iter().cloned()).collect())
}

/// Up to where it has the WAL, by the newer of its two voices.
fn position(member: &Member, now: Time) -> Option<Lsn> {
    let sql = member.sql_now(now).and_then(|s| s.wal_held());
    sql.max(member.rest_now(now).and_then(|r| r.wal_held()))
}

/// A tag, as its Patroni says it now, else as it wrote it to etcd.
fn tag<'m>(member: &'m Member, name: &str) -> Option<&'m serde_json::Value> {
    let said = member.rest.last().map(|rest| &rest.tags).or_else(|| member.dcs().map(|key| &key.tags));
    said.and_then(|tags| tags.get(name))
}

fn whole(value: &serde_json::Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// `patroni/tags.py`: the tag itself, else a priority of 0 or below.
fn nofailover(member: &Member) -> bool {
    match tag(member, "nofailover") {
        Some(value) => truthy(value),
        None => tag(member, "failover_priority").and_then(whole).is_some_and(|priority| priority <= 0),
    }
}

fn priority(member: &Member) -> i64 {
    if tag(member, "nofailover").is_some_and(truthy) { 0 } else { tag(member, "failover_priority").and_then(whole).unwrap_or(1) }
}

/// As Python's `bool()` has it, for that is what Patroni asks.
fn truthy(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Null => false,
        serde_json::Value::Bool(yes) => *yes,
        serde_json::Value::Number(number) => number.as_f64() != Some(0.0),
        serde_json::Value::String(text) => !text.is_empty(),
        serde_json::Value::Array(items) => !items.is_empty(),
        serde_json::Value::Object(fields) => !fields.is_empty(),
    }
}
