//! Why a member cannot take over.

use crate::model::{PlaceKind, size};

/// A reason that keeps a member from taking over, or from being known to be able to.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// In maintenance mode nobody takes over on their own.
    Paused,
    /// Without etcd's majority the leader key cannot be taken.
    NoQuorum,
    /// Its key in etcd is gone: its Patroni is not there, or does not reach etcd.
    Missing,
    /// Its Patroni refuses connections.
    Down(String),
    /// Its Patroni does not answer us; whether it answers others is not known.
    Silent(String),
    /// It was not heard yet.
    Unheard,
    /// Patroni's word for the state of its PostgreSQL, which is not one that serves.
    NotRunning(String),
    /// The tag `nofailover`, or a `failover_priority` of 0.
    NoFailover,
    /// A watchdog is required and does not work.
    Watchdog,
    /// Bytes that it lacks of what the leader wrote at its last loop, and `maximum_lag_on_failover`.
    Lagging(u64, u64),
    /// Nobody current says up to where it has the WAL.
    PositionUnknown,
    /// Where this is kept on its node, there is no room for one more segment of WAL. Patroni does not ask for it.
    NoRoom(PlaceKind),
    /// Its timeline (if that is known), and the cluster's, where Patroni looks at them: with `check_timeline`, and of a primary.
    Timeline(Option<u32>, u32),
    /// In synchronous mode only members of the synchronous set may take over.
    NotSync,
    /// With quorum commit: the votes it would get beside its own, and those it needs.
    Votes(u32, u32),
    /// With failsafe mode: it is not in the key `failsafe`.
    NotInFailsafe,
    /// Somebody else, who answers, still accepts writes; Patroni does not promote beside them.
    PrimaryAlive(String),
    /// A switchover to this member is asked for, and only it may take part.
    Reserved(String),
}

/// At which of Patroni's two checks a reason counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
#[strum(serialize_all = "kebab-case")]
pub enum Stage {
    /// When a switchover or failover is requested (`POST /switchover` answers 412).
    Request,
    /// Later, in the HA loop, when the leader key is raced for (a request that was accepted then fails with 503).
    Race,
}

impl Reason {
    /// A stable code for scripts: `lagging`.
    pub fn code(&self) -> &'static str {
        match self {
            Reason::Paused => "paused",
            Reason::NoQuorum => "no-quorum",
            Reason::Missing => "missing",
            Reason::Down(_) => "down",
            Reason::Silent(_) => "silent",
            Reason::Unheard => "unheard",
            Reason::NotRunning(_) => "not-running",
            Reason::NoFailover => "nofailover",
            Reason::Watchdog => "watchdog",
            Reason::Lagging(..) => "lagging",
            Reason::PositionUnknown => "position-unknown",
            Reason::NoRoom(_) => "no-room",
            Reason::Timeline(..) => "timeline",
            Reason::NotSync => "not-sync",
            Reason::Votes(..) => "votes",
            Reason::NotInFailsafe => "not-in-failsafe",
            Reason::PrimaryAlive(_) => "primary-alive",
            Reason::Reserved(_) => "reserved",
        }
    }

    /// Whether it is only a gap in our knowledge and not a known hindrance: Patroni may promote a member without room, and nobody knows for how
    /// long it then writes.
    pub fn doubt(&self) -> bool {
        matches!(self, Reason::Silent(_) | Reason::Unheard | Reason::PositionUnknown | Reason::NoRoom(_) | Reason::Timeline(None, _))
    }

    /// Whether it keeps everybody away, and not just this member.
    pub fn general(&self) -> bool {
        matches!(self, Reason::Paused | Reason::NoQuorum)
    }

    /// At which check it counts.
    pub fn stage(&self) -> Stage {
        match self {
            Reason::Missing
            | Reason::Down(_)
            | Reason::Silent(_)
            | Reason::Unheard
            | Reason::NoFailover
            | Reason::Watchdog
            | Reason::NotSync => Stage::Request,
            _ => Stage::Race,
        }
    }

    /// What follows the member's name in a list: `is 4.2 MB behind (limit 1.0 MB)`.
    pub fn short(&self) -> String {
        match self {
            Reason::Paused => "waits for the end of the pause".to_owned(),
            Reason::NoQuorum => "cannot take the key without etcd's quorum".to_owned(),
            Reason::Missing => "is missing".to_owned(),
            Reason::Down(_) => "is down".to_owned(),
            Reason::Silent(_) => "does not answer".to_owned(),
            Reason::Unheard => "was not heard yet".to_owned(),
            Reason::NotRunning(state) => format!("is {state}"),
            Reason::NoFailover => "has nofailover".to_owned(),
            Reason::Watchdog => "has no working watchdog".to_owned(),
            Reason::Lagging(bytes, limit) => format!("is {} behind (limit {})", size(*bytes), size(*limit)),
            Reason::PositionUnknown => "does not tell its position".to_owned(),
            Reason::NoRoom(kind) => format!("has no room for {}", kind.told()),
            Reason::Timeline(Some(own), needed) => format!("is on timeline {own}, not {needed}"),
            Reason::Timeline(None, _) => "does not tell its timeline".to_owned(),
            Reason::NotSync => "is not in the synchronous set".to_owned(),
            Reason::Votes(votes, needed) => format!("would get {votes} of {needed} votes"),
            Reason::NotInFailsafe => "is not in the failsafe key".to_owned(),
            Reason::PrimaryAlive(name) => format!("waits while {name} accepts writes"),
            Reason::Reserved(name) => format!("leaves it to {name}, as asked for"),
        }
    }

    /// The whole reason, for the member's details.
    pub fn told(&self) -> String {
        match self {
            Reason::Down(error) => format!("its Patroni is down: {error}"),
            Reason::Silent(error) => format!("its Patroni does not answer us, and may or may not answer others: {error}"),
            Reason::Missing => "its key in etcd is gone: its Patroni has stopped, or does not reach etcd".to_owned(),
            Reason::Lagging(bytes, limit) => {
                format!("it lacks {bytes} bytes of what the leader had written at its last loop; maximum_lag_on_failover allows {limit}")
            }
            Reason::Votes(votes, needed) => {
                format!("quorum commit: {votes} members of the quorum's set would say that it has what they have, {needed} must")
            }
            Reason::PrimaryAlive(name) => format!("{name} answers and accepts writes: Patroni promotes nobody beside it"),
            Reason::Timeline(Some(own), needed) => format!("it is on timeline {own}, and the history has the cluster on {needed}"),
            other => format!("it {}", other.short()),
        }
    }
}
