//! What has changed: the events.
//!
//! A change is the difference between two summaries of the cluster, so that there is one place that says what counts as a change, whichever
//! source it came from.

mod sentence;
mod summary;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Cause, Level, Role, RouteKind, Sign, SourceId, Time};

pub(super) use summary::Summary;

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// When it was known here.
    pub at: Time,
    /// What changed.
    #[serde(flatten)]
    pub kind: ChangeKind,
}

/// What can change. The serialized name, in the field `event`, is stable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, strum::AsRefStr)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
#[allow(missing_docs)]
pub enum ChangeKind {
    /// The leader key has another holder, or a holder again.
    LeaderChanged {
        from: Option<String>,
        to: String,
        /// The timeline on which the one before led; the new one is told when its leader writes on it.
        #[serde(default)]
        timeline: Option<u32>,
        /// How long there was no leader key; `None`: that was not watched.
        #[serde(default)]
        seconds: Option<f64>,
        #[serde(default)]
        cause: Cause,
        /// What the cause rests on, the oldest first.
        #[serde(default)]
        evidence: Vec<Sign>,
    },
    /// The leader key is gone.
    LeaderLost { from: String },
    /// The leader writes on another timeline.
    TimelineChanged {
        from: Option<u32>,
        to: u32,
        #[serde(default)]
        leader: Option<String>,
    },
    /// A member that was not known.
    MemberAdded { member: String },
    /// A member's key is gone.
    MemberMissing { member: String },
    /// A member's key is back.
    MemberReturned { member: String },
    /// A member's state is another; `None`: nobody current says.
    MemberState { member: String, from: Option<String>, to: Option<String> },
    /// A member's role is another.
    MemberRole { member: String, from: Role, to: Role },
    /// A member's PostgreSQL was started anew, however short it was away: every session on it has ended.
    PostgresStarted {
        member: String,
        /// When, by its server's clock.
        started: Time,
    },
    /// Maintenance mode.
    Paused,
    /// Maintenance mode ended. `None`: it had begun before we looked.
    Resumed {
        #[serde(default)]
        seconds: Option<f64>,
    },
    /// The dynamic configuration was changed.
    ConfigChanged { keys: Vec<ConfigChange> },
    /// The synchronous set is another.
    SyncChanged { from: Vec<String>, to: Vec<String> },
    /// A switchover or failover is asked for or scheduled.
    SwitchoverRequested { from: Option<String>, to: Option<String>, scheduled_at: Option<Time> },
    /// The request is gone: done, refused or withdrawn.
    SwitchoverCleared,
    /// etcd has no majority any more.
    QuorumLost,
    /// etcd has a majority again. `None`: it had none when we came.
    QuorumRegained {
        #[serde(default)]
        seconds: Option<f64>,
    },
    /// A route sends new sessions to others than before.
    RouteChanged {
        instance: String,
        backend: String,
        kind: RouteKind,
        from: Vec<String>,
        to: Vec<String>,
        /// How long it has led nowhere until now, if it has and that was seen to begin.
        #[serde(default)]
        seconds: Option<f64>,
    },
    /// A source fails.
    SourceLost { source: SourceId, error: String },
    /// A source answers again.
    SourceReturned { source: SourceId },
    /// PostgreSQL's system identifier in the DCS is another: the cluster was made anew.
    SystemIdentifierChanged { from: String, to: Option<String> },
    /// A rule has fired.
    FindingRaised {
        code: String,
        subject: Option<String>,
        severity: Level,
        sentence: String,
        #[serde(default)]
        evidence: Vec<Sign>,
    },
    /// A finding is of another severity; `says` is its own sentence now.
    FindingChanged { code: String, subject: Option<String>, from: Level, to: Level, says: String },
    /// A finding is over: it was there from `since` for so many seconds. `now`: the code of another on the same subject, which began when this
    /// one ended and stands.
    FindingCleared {
        code: String,
        subject: Option<String>,
        since: Time,
        seconds: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        now: Option<String>,
    },
}

/// One changed key of the dynamic configuration, as a path with dots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConfigChange {
    /// The path: `postgresql.parameters.max_connections`.
    pub key: String,
    /// What it was; `null`: it was not there.
    pub from: Value,
    /// What it is; `null`: it is gone.
    pub to: Value,
}

impl Change {
    /// The stable code: `leader-changed`.
    pub fn code(&self) -> &str {
        self.kind.as_ref()
    }

    /// What it rests on, for the changes that have something to show.
    pub fn evidence(&self) -> &[Sign] {
        match &self.kind {
            ChangeKind::LeaderChanged { evidence, .. } | ChangeKind::FindingRaised { evidence, .. } => evidence,
            _ => &[],
        }
    }

    /// The finding that it is about, if it is about one: `lag-high of psg2`. A change of which a rule says the same is about that rule's finding.
    pub fn about(&self) -> Option<String> {
        match &self.kind {
            ChangeKind::MemberMissing { member } => Some(sentence::finding("member-missing", Some(member))),
            ChangeKind::Paused => Some(sentence::finding("paused", None)),
            ChangeKind::QuorumLost => Some(sentence::finding("quorum-lost", None)),
            ChangeKind::FindingRaised { code, subject, .. }
            | ChangeKind::FindingChanged { code, subject, .. }
            | ChangeKind::FindingCleared { code, subject, .. } => Some(sentence::finding(code, subject.as_deref())),
            _ => None,
        }
    }

    /// How much it matters.
    pub fn severity(&self) -> Level {
        match &self.kind {
            ChangeKind::LeaderLost { .. } | ChangeKind::QuorumLost | ChangeKind::SystemIdentifierChanged { .. } => Level::Critical,
            ChangeKind::RouteChanged { kind: RouteKind::Write, to, .. } if to.len() != 1 => Level::Critical,
            ChangeKind::MemberRole { to: Role::Primary, .. } => Level::Critical,
            ChangeKind::FindingRaised { severity, .. } | ChangeKind::FindingChanged { to: severity, .. } => *severity,
            ChangeKind::LeaderChanged { .. }
            | ChangeKind::MemberMissing { .. }
            | ChangeKind::Paused
            | ChangeKind::SwitchoverRequested { .. }
            | ChangeKind::SourceLost { .. }
            | ChangeKind::PostgresStarted { .. }
            | ChangeKind::RouteChanged { .. } => Level::Warning,
            _ => Level::Ok,
        }
    }
}
