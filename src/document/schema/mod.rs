//! The document's types.

mod member;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::NodeDoc;
pub use crate::model::{Level, Role, RouteKind};
use crate::model::{Lsn, Time};
pub use member::*;

/// Name and version of the document, its field `schema`.
pub const SCHEMA: &str = "pgbaton.status/1";

/// The whole picture at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// [`SCHEMA`].
    pub schema: String,
    /// When the picture was made; ages are counted from here.
    pub at: Time,
    /// The answer to "how bad is it", in one sentence.
    pub headline: Headline,
    /// The cluster as a whole.
    pub cluster: ClusterDoc,
    /// Every member ever seen since the program started, by name.
    pub members: Vec<MemberDoc>,
    /// The etcd cluster that holds the leader key.
    pub etcd: EtcdDoc,
    /// The ways on which clients reach the members: one for each HAProxy backend.
    pub routes: Vec<RouteDoc>,
    /// What Airflow does; `null`: none is configured.
    #[serde(default)]
    pub airflow: Option<super::AirflowDoc>,
    /// RabbitMQ; `null`: none is configured.
    #[serde(default)]
    pub rabbitmq: Option<super::RabbitmqDoc>,
    /// The folder of its DAGs, as the machines that mount it see it; `null`: none is configured.
    #[serde(default)]
    pub dags: Option<super::DagsDoc>,
    /// The machine on which its tasks work; `null`: none is configured.
    #[serde(default)]
    pub target: Option<super::TargetDoc>,
    /// What the newest outage of Airflow's writes has put at risk; `null`: none is known.
    #[serde(default)]
    pub rescue: Option<super::RescueDoc>,
    /// If the leader died now: who would take over, and what would be lost.
    pub forecast: ForecastDoc,
    /// The rules that fired, worst first.
    pub findings: Vec<FindingDoc>,
    /// The timelines that Patroni's history tells of, the oldest first.
    #[serde(default)]
    pub history: Vec<TimelineDoc>,
    /// The certificates that were shown to us, and our own.
    pub certificates: Vec<CertificateDoc>,
    /// The nodes as they tell of themselves, where the configuration has a table `ssh`.
    #[serde(default)]
    pub nodes: Vec<NodeDoc>,
    /// Who was asked, and how that went.
    pub sources: Vec<SourceDoc>,
}

/// The headline sentence and its level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Headline {
    /// The worst of the findings.
    pub level: Level,
    /// Who leads: `psg1 leads`, `nobody leads`, `leader unknown`, always true on its own.
    pub leads: String,
    /// The verdict: `healthy`, or the worst finding's sentence.
    pub verdict: String,
}

/// The cluster as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClusterDoc {
    /// The name in the configuration.
    pub name: String,
    /// Patroni's scope.
    pub scope: String,
    /// Patroni's namespace, `/service/`.
    pub namespace: String,
    /// PostgreSQL's system identifier (DCS key `initialize`).
    pub system_identifier: Option<String>,
    /// Holder of the leader key, as etcd last said.
    pub leader: Option<String>,
    /// When the present holder took the leader key, if that was seen or the history tells, and as long as something current says that it leads.
    pub leader_since: Option<Time>,
    /// Since when there has been no leader key, if it was seen to go; `null` while etcd cannot be read.
    pub leaderless_since: Option<Time>,
    /// The leader's timeline.
    pub timeline: Option<u32>,
    /// Maintenance mode (dynamic configuration `pause`).
    pub paused: Option<bool>,
    /// Seconds until the leader key's lease ends, counted down from the last reading.
    pub lease_ttl_seconds: Option<f64>,
    /// Age of that reading.
    pub lease_age_ms: Option<u64>,
    /// When the leader last renewed it, to the second.
    pub lease_renewed: Option<Time>,
    /// Dynamic configuration `ttl`, seconds.
    pub ttl: Option<u32>,
    /// Dynamic configuration `loop_wait`, seconds.
    pub loop_wait: Option<u32>,
    /// Dynamic configuration `retry_timeout`, seconds.
    pub retry_timeout: Option<u32>,
    /// Dynamic configuration `maximum_lag_on_failover`, bytes.
    pub maximum_lag_on_failover: Option<u64>,
    /// Dynamic configuration `synchronous_mode`: `off`, `on`, `quorum`.
    pub synchronous_mode: Option<String>,
    /// Dynamic configuration `failsafe_mode`.
    pub failsafe_mode: Option<bool>,
    /// Names in the DCS key `sync`.
    pub sync_standbys: Vec<String>,
    /// A switchover that is requested or scheduled (DCS key `failover`).
    pub scheduled_switchover: Option<ScheduledSwitchover>,
    /// Highest version of PostgreSQL seen, `15.18`.
    pub postgres_version: Option<String>,
    /// What the four parties say about who leads.
    pub truths: Vec<Truth>,
    /// etcd's revision of the newest change seen.
    pub dcs_revision: Option<i64>,
    /// Time since etcd last confirmed that the DCS values are current.
    pub dcs_age_ms: Option<u64>,
    /// Whether that confirmation was linearizable; `false`: one member answered for itself, without a majority.
    pub dcs_linearizable: Option<bool>,
    /// Why the DCS cannot be read, if so.
    pub dcs_error: Option<String>,
}

/// The DCS key `failover`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScheduledSwitchover {
    /// The leader it is to be taken from.
    pub from: Option<String>,
    /// The candidate.
    pub to: Option<String>,
    /// When; `None`: now.
    pub at: Option<Time>,
}

/// What one of the four parties says about who leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Truth {
    /// `etcd`, `rest`, `sql` or `haproxy`.
    pub source: String,
    /// Whom it names; more than one is a fault in itself.
    pub leaders: Vec<String>,
    /// Whether that is the one the others name; `None` when it says nothing or nothing fresh.
    pub agrees: Option<bool>,
    /// Age of the oldest answer that went into it.
    pub age_ms: Option<u64>,
    /// What it lacks: `psg2 and psg3 do not answer`, `not configured`.
    pub note: Option<String>,
}

/// How asking somebody about a member went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    /// Time since the last good answer; `None`: there never was one.
    pub age_ms: Option<u64>,
    /// Whether that is within the freshness limit.
    pub fresh: bool,
    /// Why the newest attempt failed, if it did.
    pub error: Option<String>,
    /// What kind of failure that is: `refused` (nobody listens), `hung` (the connection is taken, nothing comes over it: the machine lives, and no
    /// more is proved), `unreachable` (not even the connection is taken), `timeout` (how far the question came is not known), `broken`, `dns`,
    /// `tls`, `auth`, `denied`, `malformed`, `unavailable`, `config`, `other`.
    #[serde(default)]
    pub error_kind: Option<String>,
    /// How long the last good answer took.
    pub rtt_ms: Option<f64>,
}

/// The etcd cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EtcdDoc {
    /// Whether a majority decides; `None`: nobody fresh says.
    pub quorum: Option<bool>,
    /// Voting members.
    pub size: Option<u32>,
    /// Voting members that answered within the freshness limit and see a raft leader.
    pub healthy: u32,
    /// How many more may fail before the quorum is lost.
    pub failure_tolerance: Option<u32>,
    /// Name of the raft leader.
    pub leader: Option<String>,
    /// Its members.
    pub members: Vec<EtcdMemberDoc>,
}

/// One etcd member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EtcdMemberDoc {
    /// Its name, or its endpoint's host while the name is not known.
    pub name: String,
    /// Its id in hexadecimal, as `etcdctl` prints it.
    pub id: Option<String>,
    /// The address we ask.
    pub endpoint: String,
    /// `leader`, `follower`, `learner`, `no leader`, `unreachable`, `unknown`.
    pub state: String,
    /// Raft term.
    pub raft_term: Option<u64>,
    /// Raft index.
    pub raft_index: Option<u64>,
    /// Raft applied index.
    pub raft_applied_index: Option<u64>,
    /// Entries by which its raft index is behind the farthest member's for certain; `null` while two readings that can be compared are lacking.
    pub behind_entries: Option<u64>,
    /// Size of the database file.
    pub db_size_bytes: Option<u64>,
    /// Part of it in use.
    pub db_in_use_bytes: Option<u64>,
    /// Size at which it is full (`--quota-backend-bytes`); `null` when not told, and when there is no limit.
    pub quota_bytes: Option<u64>,
    /// How long an fsync of its write-ahead log took, 99th percentile of those between the last two readings of its counters, interpolated
    /// within etcd's buckets; `null` before the second reading, when there was no fsync, and when the counters cannot be read.
    pub fsync_p99_ms: Option<f64>,
    /// How long a commit of its database took, likewise.
    pub commit_p99_ms: Option<f64>,
    /// Changes of the raft leader that it has seen since its process started.
    pub leader_changes_total: Option<u64>,
    /// Proposals that wait to be committed.
    pub proposals_pending: Option<u64>,
    /// Proposals that failed since its process started.
    pub proposals_failed_total: Option<u64>,
    /// Entries that took it long to apply since its process started.
    pub slow_applies_total: Option<u64>,
    /// Age of these counters; `null`: they were never read.
    pub metrics_age_ms: Option<u64>,
    /// Version.
    pub version: Option<String>,
    /// Alarms raised: `NOSPACE`, `CORRUPT`.
    pub alarms: Vec<String>,
    /// What it complains of in its own status.
    pub errors: Vec<String>,
    /// How asking it went.
    pub asked: Asked,
}

/// One HAProxy backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouteDoc {
    /// The HAProxy's name in the configuration.
    pub instance: String,
    /// The backend (or listen section).
    pub backend: String,
    /// What it is for.
    pub kind: RouteKind,
    /// Whether it leads where it should; `None`: not known.
    pub right: Option<bool>,
    /// The members that it sends new sessions to.
    pub up: Vec<String>,
    /// Its servers.
    pub servers: Vec<RouteServerDoc>,
    /// Sessions open through it.
    pub sessions: Option<u32>,
    /// How asking the HAProxy went.
    pub asked: Asked,
}

/// One server of a backend.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RouteServerDoc {
    /// Its name in HAProxy's configuration.
    pub name: String,
    /// The member behind it, by address or else by name.
    pub member: Option<String>,
    /// HAProxy's status: `UP`, `DOWN`, `UP 1/2`, `DRAIN`, `MAINT`, `no check`.
    pub status: String,
    /// Whether new sessions go to it.
    pub up: bool,
    /// The last check: `L7OK/200 in 5 ms`.
    pub check: Option<String>,
    /// Sessions open to it.
    pub sessions: Option<u32>,
    /// Seconds since its status changed.
    pub last_change_seconds: Option<u64>,
}

/// If the leader died now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ForecastDoc {
    /// The leader whose end is thought of; `None`: there is none, and it says who takes over next.
    pub leader: Option<String>,
    /// `takes-over`, `nobody`, `unknown`.
    pub outcome: String,
    /// Who would take over; several: chance decides between them.
    pub next: Vec<String>,
    /// Bytes of WAL that the leader has written and the next one has not received.
    pub lost_bytes: Option<u64>,
    /// Seconds of committed work in them.
    pub lost_seconds: Option<f64>,
    /// Whether synchronous replication keeps every commit that a client was told of.
    pub acknowledged_kept: Option<bool>,
    /// In words: `psg2, nothing lost`.
    pub sentence: String,
    /// Whether the leader would stay one if etcd lost its majority.
    pub leader_stays_without_quorum: Option<bool>,
    /// That in words.
    pub without_quorum: String,
}

/// A rule that fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingDoc {
    /// Its stable code: `no-leader`.
    pub code: String,
    /// How bad.
    pub severity: Level,
    /// What it is about: a member, an HAProxy, an etcd member.
    pub subject: Option<String>,
    /// One sentence a tired person understands.
    pub sentence: String,
    /// When it was first seen.
    pub since: Time,
    /// What it rests on.
    pub evidence: Vec<EvidenceDoc>,
    /// The runbook that answers it, of those that come with pgbaton.
    #[serde(default)]
    pub runbook: Option<String>,
    /// Why it matters.
    pub matters: String,
    /// What to do next, in the order in which to do it. A name that is not known is a word in capitals: `MEMBER`.
    pub next: Vec<String>,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceDoc {
    /// Who said it: `etcd`, `rest psg1`, `sql psg1`, `haproxy vm1`.
    pub source: String,
    /// What it is: `leader key`, `pg_is_in_recovery()`.
    pub what: String,
    /// What it says.
    pub value: String,
    /// Time since it was said.
    pub age_ms: Option<u64>,
}

/// A certificate: of a chain, the one that ends first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CertificateDoc {
    /// Who showed it, or what our own is for: `etcd`, `rest`, `sql`, `haproxy`.
    pub source: String,
    /// Whom that source asks: an address or a name. For our own the file.
    pub target: String,
    /// Whether it is our own.
    pub ours: bool,
    /// Whose it is.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Until when it is valid.
    pub not_after: Time,
    /// Whole days until then; negative when that is past.
    pub days_left: i64,
    /// Time since it was seen.
    pub age_ms: Option<u64>,
}

/// One source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SourceDoc {
    /// `dcs`, `lease`, `etcd`, `rest`, `sql`, `haproxy`.
    pub name: String,
    /// Whom it asks: an address or a name.
    pub target: String,
    /// Time since its last good answer.
    pub age_ms: Option<u64>,
    /// Whether that is within its freshness limit.
    pub fresh: bool,
    /// Its freshness limit.
    pub limit_ms: u64,
    /// Why the newest attempt failed, if it did.
    pub error: Option<String>,
    /// What kind of failure that is, as in `Asked`: `refused`, `hung`, `unreachable`, `timeout`, `tls` ...
    #[serde(default)]
    pub error_kind: Option<String>,
    /// How long the last good answer took.
    pub rtt_ms: Option<f64>,
}

/// The beginning of a timeline, as Patroni's history tells it (DCS key `history`, else `GET /history`). Its cause is not recorded there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TimelineDoc {
    /// The timeline that began.
    pub timeline: u32,
    /// When, by the clock of the one who led; `null` where Patroni has not noted it.
    pub at: Option<Time>,
    /// Who led; `null` likewise.
    pub leader: Option<String>,
    /// Where the timeline before ended.
    pub lsn: Lsn,
    /// Whether pgbaton saw that change of leader itself, and told it as an event.
    pub watched: bool,
}
