//! A node of RabbitMQ, asked by its management API: the alarms once a second, the lists of nodes and queues every three.
//!
//! The alarms answer within a millisecond even while another node hangs, so they are the sign of life; the lists of every node wait for the
//! one that hangs. Both are asked for in connections of their own, and neither waits for the other. Nothing here writes: the user needs the
//! tag `monitoring` and the right to see the virtual host.

mod answer;

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use self::answer::{Alarms, NodeRow, OverviewRow, QueueRow};
use super::certificate::Presented;
use super::http::{Answer, Http};
use super::{Clock, Sink, TlsCache, poll};
use crate::config::{RabbitmqNodeProfile, RabbitmqProfile};
use crate::model::{
    ErrorKind, Fact, Observation, Outcome, RABBITMQ_LISTS_PERIOD, RabbitmqLists, RabbitmqNode, RabbitmqOverview, RabbitmqQueue,
    SourceError, SourceId, SourceKind,
};

/// The largest body that is read: a list of some ten thousand queues.
const LARGEST: usize = 4 << 20;
/// For each list. While a node hangs the others' take more than 12 s: nobody waits for that.
const LISTS_DEADLINE: Duration = Duration::from_secs(2);

/// For the alarms: with the second between two, one that hangs is told within three.
const ALARMS_DEADLINE: Duration = Duration::from_millis(1_500);

const ALARMS: &str = "/api/health/checks/alarms";
const OVERVIEW: &str = "/api/overview?columns=node,rabbitmq_version";
const NODES: &str = "/api/nodes?columns=name,running,partitions,mem_used,mem_limit,disk_free,disk_free_limit";
const QUEUES: &str = "columns=name,type,state,messages_ready,messages_unacknowledged,consumers,leader,members,online,node,slave_nodes,synchronised_slave_nodes";

/// Asks one node, for ever; dropping the future ends it.
///
/// Reports [`Fact::RabbitmqAlarms`] and [`Fact::RabbitmqLists`] under [`SourceKind::Rabbitmq`] and the node's name, or why it does not answer.
pub async fn run(sink: Sink, clock: Clock, node: RabbitmqNodeProfile, profile: RabbitmqProfile, tls: Arc<TlsCache>) {
    let source = SourceId::new(SourceKind::Rabbitmq, &node.name);
    let presented = Arc::new(Presented::new(sink.clone(), clock, source.clone()));
    let http = Http::new("the node's url", &node.url, tls, LARGEST)
        .and_then(|http| http.telling(presented).with_login(&profile.username, &profile.password));
    let asker = match http {
        Ok(http) => Asker { http, profile, first: Notify::new() },
        Err(error) => return poll(sink, clock, source, || std::future::ready(Err(error.clone()))).await,
    };
    tokio::join!(poll(sink.clone(), clock, source.clone(), || asker.alarms()), asker.lists(sink, clock, source));
}

struct Asker {
    http: Http,
    profile: RabbitmqProfile,
    /// The alarms were asked for once.
    first: Notify,
}

impl Asker {
    /// 503 is an answer too: it names the alarms.
    async fn alarms(&self) -> Result<Fact, SourceError> {
        let late = || self.late(ALARMS, ALARMS_DEADLINE);
        let answer = timeout(ALARMS_DEADLINE, self.get(ALARMS)).await.unwrap_or_else(|_| Err(late()));
        self.first.notify_one();
        let answer = answer?;
        if !matches!(answer.status, 200 | 503) {
            return Err(self.refused(ALARMS, &answer));
        }
        Ok(Fact::RabbitmqAlarms(self.parsed::<Alarms>(ALARMS, &answer)?.alarms()))
    }

    /// They come as one report, good or bad, so that whoever looks only once has all of them.
    async fn lists(&self, sink: Sink, clock: Clock, source: SourceId) {
        // A queue is looked for in its virtual host: a list over all of them is empty, not refused, for a user who may see none.
        let vhost: String = url::form_urlencoded::byte_serialize(self.profile.vhost.as_bytes()).collect();
        let queues = format!("/api/queues/{}?{QUEUES}", vhost.replace('+', "%20"));
        let mut begun = Instant::now();
        let mut first = true;
        loop {
            let (overview, nodes, rows) =
                tokio::join!(self.list::<OverviewRow>(OVERVIEW), self.list::<Vec<NodeRow>>(NODES), self.list::<Vec<QueueRow>>(&queues));
            let wanted = |queue: &RabbitmqQueue| self.profile.queues.contains(&queue.name);
            let lists = RabbitmqLists {
                overview: overview.map(RabbitmqOverview::from),
                nodes: nodes.map(|rows| rows.into_iter().map(RabbitmqNode::from).collect()),
                queues: rows.map(|rows| rows.into_iter().map(RabbitmqQueue::from).filter(wanted).collect()),
            };
            if std::mem::take(&mut first) {
                // Their own failure is reported by then.
                let _ = timeout(source.kind.deadline(), self.first.notified()).await;
            }
            let outcome = Outcome::Heard(Box::new(Fact::RabbitmqLists(Box::new(lists))));
            sink.report(Observation { source: source.clone(), at: clock.now(), rtt: Some(begun.elapsed()), outcome });
            sleep_until(begun + RABBITMQ_LISTS_PERIOD).await;
            begun = Instant::now();
        }
    }

    async fn list<T: DeserializeOwned>(&self, path: &str) -> Result<T, SourceError> {
        let asked = async {
            let answer = self.get(path).await?;
            if answer.status != 200 {
                return Err(self.refused(path, &answer));
            }
            self.parsed(path, &answer)
        };
        timeout(LISTS_DEADLINE, asked).await.unwrap_or_else(|_| {
            let hint = "while one node hangs, the lists of all nodes wait for it";
            Err(self.late(path, LISTS_DEADLINE).with_hint(hint))
        })
    }

    async fn get(&self, path: &str) -> Result<Answer, SourceError> {
        self.http.get(path, &[200, 401, 403, 404, 503]).await
    }

    fn late(&self, path: &str, deadline: Duration) -> SourceError {
        let sentence = format!("{}: no answer within {} s to {}", self.http.authority(), deadline.as_secs_f64(), plain(path));
        SourceError::new(ErrorKind::Timeout, sentence)
    }

    fn parsed<T: DeserializeOwned>(&self, path: &str, answer: &Answer) -> Result<T, SourceError> {
        // Through a map: a quorum queue of which a member is away has the field `online` twice (3.10).
        let value = serde_json::from_slice::<Value>(&answer.body);
        value.and_then(serde_json::from_value).map_err(|why| {
            let sentence = format!("GET {} of {}: not what the management API answers: {why}", plain(path), self.http.authority());
            SourceError::new(ErrorKind::Malformed, sentence).with_hint("is this the port of rabbitmq_management, 15672 mostly?")
        })
    }

    fn refused(&self, path: &str, answer: &Answer) -> SourceError {
        let RabbitmqProfile { username, vhost, .. } = &self.profile;
        answer::refused(answer.status, &answer.body, plain(path), self.http.authority(), username, vhost)
    }
}

/// A path without its query, for sentences.
fn plain(path: &str) -> &str {
    path.split('?').next().unwrap_or(path)
}
