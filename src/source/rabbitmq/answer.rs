//! What the management API answers, as it writes it (3.10; the fields have the same names up to 4).

use serde::Deserialize;

use crate::model::{ErrorKind, RabbitmqAlarm, RabbitmqNode, RabbitmqOverview, RabbitmqQueue, SourceError};

/// `{"status":"ok"}`, or with status 503 `{"status":"failed","alarms":[{"node":..,"resource":..}]}`.
#[derive(Deserialize)]
pub(super) struct Alarms {
    // Kept, so that JSON of something else is not taken for an answer without alarms.
    status: String,
    #[serde(default)]
    alarms: Vec<RabbitmqAlarm>,
}

impl Alarms {
    /// A check that fails without naming an alarm has failed all the same.
    pub fn alarms(self) -> Vec<RabbitmqAlarm> {
        if self.status != "ok" && self.alarms.is_empty() {
            return vec![RabbitmqAlarm { node: "a node".to_owned(), resource: self.status }];
        }
        self.alarms
    }
}

#[derive(Deserialize)]
pub(super) struct OverviewRow {
    node: String,
    rabbitmq_version: String,
}

impl From<OverviewRow> for RabbitmqOverview {
    fn from(row: OverviewRow) -> Self {
        Self { node: row.node, version: row.rabbitmq_version }
    }
}

/// A node that does not run has its name and `running`; one whose statistics are not ready, and one beside ours at times, no more.
#[derive(Deserialize)]
pub(super) struct NodeRow {
    name: String,
    running: bool,
    partitions: Option<Vec<String>>,
    mem_used: Option<u64>,
    mem_limit: Option<Limit>,
    disk_free: Option<Limit>,
    disk_free_limit: Option<Limit>,
}

/// Bytes, or a word where the system does not tell (`disk_free_monitoring_disabled`, `memory_monitoring_disabled`).
#[derive(Deserialize)]
#[serde(untagged)]
enum Limit {
    Bytes(u64),
    Other(serde::de::IgnoredAny),
}

impl Limit {
    fn bytes(self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Other(_) => None,
        }
    }
}

impl From<NodeRow> for RabbitmqNode {
    fn from(row: NodeRow) -> Self {
        Self {
            name: row.name,
            running: row.running,
            partitions: row.partitions,
            mem_used: row.mem_used,
            mem_limit: row.mem_limit.and_then(Limit::bytes),
            disk_free: row.disk_free.and_then(Limit::bytes),
            disk_free_limit: row.disk_free_limit.and_then(Limit::bytes),
        }
    }
}

/// Counts are missing until a queue's statistics are ready. A quorum queue has `leader`, `members`, `online`; a classic one `node` and the
/// nodes that mirror it.
#[derive(Deserialize)]
pub(super) struct QueueRow {
    name: String,
    #[serde(rename = "type", default)]
    kind: String,
    state: Option<String>,
    messages_ready: Option<u64>,
    messages_unacknowledged: Option<u64>,
    consumers: Option<u64>,
    leader: Option<String>,
    #[serde(default)]
    members: Vec<String>,
    #[serde(default)]
    online: Vec<String>,
    node: Option<String>,
    #[serde(default)]
    slave_nodes: Vec<String>,
    #[serde(default)]
    synchronised_slave_nodes: Vec<String>,
}

impl From<QueueRow> for RabbitmqQueue {
    fn from(row: QueueRow) -> Self {
        let leader = row.leader.or(row.node);
        let with_leader = |others: Vec<String>| leader.clone().into_iter().chain(others).collect();
        let (members, online) = match row.members.is_empty() {
            true => (with_leader(row.slave_nodes), with_leader(row.synchronised_slave_nodes)),
            false => (row.members, row.online),
        };
        Self {
            name: row.name,
            kind: row.kind,
            state: row.state,
            ready: row.messages_ready,
            unacknowledged: row.messages_unacknowledged,
            consumers: row.consumers,
            leader,
            members,
            online,
        }
    }
}

/// `{"error":"not_authorised","reason":"User not authorised to access virtual host"}`.
#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    reason: String,
}

/// Why an answer has a status that is none of success. The API says 401 to a wrong password and to a right that lacks alike; its reason tells.
pub(super) fn refused(status: u16, body: &[u8], path: &str, authority: &str, user: &str, vhost: &str) -> SourceError {
    let Said { reason } = serde_json::from_slice(body).unwrap_or_default();
    let denied = |sentence: String, hint: String| SourceError::new(ErrorKind::Denied, format!("{authority}: {sentence}")).with_hint(hint);
    match status {
        401 | 403 if reason.contains("virtual host") => denied(
            format!("the user {user} may not see the virtual host {vhost}"),
            format!("rabbitmqctl set_permissions -p {vhost} {user} '^$' '^$' '^$' lets it see and touch nothing"),
        ),
        401 | 403 if reason.contains("management user") || reason.contains("monitor user") => denied(
            format!("the user {user} has not the tag monitoring"),
            format!("rabbitmqctl set_user_tags {user} monitoring lets it look, and change nothing"),
        ),
        401 if reason.is_empty() || reason.contains("ogin") => {
            SourceError::new(ErrorKind::Auth, format!("{authority} does not accept the user {user} with our password"))
                .with_hint("a user `guest` may come from the node itself only; see username and password in [clusters.NAME.rabbitmq]")
        }
        401 | 403 => denied(format!("GET {path} is refused to the user {user}: {reason}"), "see its tags and permissions".to_owned()),
        404 if path.starts_with("/api/queues/") => {
            SourceError::new(ErrorKind::Config, format!("{authority}: there is no virtual host {vhost}"))
                .with_hint("vhost in [clusters.NAME.rabbitmq] is the last part of Airflow's broker_url")
        }
        404 => SourceError::new(ErrorKind::Malformed, format!("GET {path} of {authority}: 404"))
            .with_hint("is this the port of rabbitmq_management, 15672 mostly? RabbitMQ 3.8 and later have this"),
        _ => SourceError::new(ErrorKind::Unavailable, format!("GET {path} of {authority}: {status} {reason}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_is_down_says_only_that() {
        let rows: Vec<NodeRow> = serde_json::from_str(
            r#"[{"name":"rabbit5@vm5","running":false},
                {"name":"rabbit6@vm6","running":true,"partitions":["rabbit5@vm5"],"mem_used":7,"mem_limit":9,"disk_free":"unknown"}]"#,
        )
        .expect("both are read");
        let [down, up] = <[RabbitmqNode; 2]>::try_from(rows.into_iter().map(RabbitmqNode::from).collect::<Vec<_>>()).expect("two");
        assert_eq!((down.running, down.partitions, down.mem_used), (false, None, None));
        assert_eq!((up.running, up.mem_limit, up.disk_free), (true, Some(9), None));
    }

    #[test]
    fn a_queue_of_either_type_has_a_leader_and_members() {
        let queue = |text: &str| RabbitmqQueue::from(serde_json::from_str::<QueueRow>(text).expect("it is read"));
        let quorum = queue(r#"{"name":"default","type":"quorum","leader":"a","members":["a","b"],"online":["a"],"consumers":0}"#);
        assert_eq!((quorum.leader.as_deref(), quorum.members.len(), quorum.online.len(), quorum.ready), (Some("a"), 2, 1, None));
        let classic = queue(r#"{"name":"default","type":"classic","node":"a","slave_nodes":["b"],"messages_ready":3}"#);
        assert_eq!((classic.leader.as_deref(), classic.members.len(), classic.online.len(), classic.ready), (Some("a"), 2, 1, Some(3)));
    }

    #[test]
    fn a_field_that_is_there_twice_counts_once() {
        // As 3.10 answers while a member of the queue is away; a map is read first, in which the last one counts.
        let text = r#"[{"name":"default","type":"quorum","members":["a","b"],"online":["a"],"messages_ready":1,"online":["a"]}]"#;
        assert!(serde_json::from_str::<Vec<QueueRow>>(text).is_err());
        let value: serde_json::Value = serde_json::from_str(text).expect("JSON");
        let rows: Vec<QueueRow> = serde_json::from_value(value).expect("a queue");
        assert_eq!(rows.into_iter().map(|row| RabbitmqQueue::from(row).online).collect::<Vec<_>>(), [["a"]]);
    }

    #[test]
    fn what_is_no_check_of_alarms_is_none() {
        assert!(serde_json::from_str::<Alarms>("{}").is_err());
        let failed: Alarms = serde_json::from_str(r#"{"status":"failed","reason":"x"}"#).expect("it is read");
        assert_eq!(failed.alarms().len(), 1);
    }

    #[test]
    fn a_password_and_a_right_are_told_apart() {
        let kind = |status: u16, body: &str| refused(status, body.as_bytes(), "/api/queues/%2F", "vm5:15672", "ops", "/").kind;
        assert_eq!(kind(401, r#"{"error":"not_authorized","reason":"Login failed"}"#), ErrorKind::Auth);
        assert_eq!(kind(401, r#"{"error":"not_authorised","reason":"User not authorised to access virtual host"}"#), ErrorKind::Denied);
        assert_eq!(kind(401, r#"{"error":"not_authorised","reason":"Not monitor user"}"#), ErrorKind::Denied);
        assert_eq!(kind(401, "<html>"), ErrorKind::Auth);
        assert_eq!(kind(404, "{}"), ErrorKind::Config);
        assert_eq!(kind(503, "{}"), ErrorKind::Unavailable);
    }
}
