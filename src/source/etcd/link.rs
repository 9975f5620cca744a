//! A connection to one etcd endpoint. The client inside could write; what is offered here only reads.

use std::sync::Arc;
use std::time::Duration;

use etcd_client::{AlarmAction, AlarmType, Channel, Client, ConnectOptions, Error, GetOptions, GetResponse, WatchOptions, WatchStream};
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret, SecretString};
use tower::service_fn;

use super::Endpoint;
use super::errors::{Asked, explain, explain_reason, is_auth_off};
use super::first_words::{FirstWords, Reason};
use crate::config::EtcdProfile;
use crate::model::{Consistency, DcsKey, ErrorKind, EtcdAlarm, EtcdMember, EtcdStatus, Lease, SourceError, clean};
use crate::source::TlsCache;
use crate::source::certificate::Presented;
use crate::source::dial::dial;

/// The largest answer that is read; a cluster's keys are a few KiB, a long history some hundred.
const LARGEST: usize = 64 * 1024 * 1024;

/// HTTP/2 pings. etcd ends connections that ping more often than each 5 s (`--grpc-keepalive-min-time`).
const PING: Duration = Duration::from_secs(6);
const PONG: Duration = Duration::from_secs(3);

/// What it takes to connect: who we are, and our certificates.
pub struct Access {
    login: Option<(String, SecretString)>,
    tls: Arc<TlsCache>,
    http_tls: Arc<TlsCache>,
}

/// As whom an endpoint is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// As nobody, which is enough for a status on most versions and spares etcd a password check.
    Anonymous,
    /// As the configured user, if there is one.
    User,
}

impl Access {
    /// What the profile gives. No file is read and nothing is connected yet.
    pub fn new(profile: &EtcdProfile) -> Self {
        let login = profile.username.clone().map(|user| (user, profile.password.clone().unwrap_or_default()));
        let cache = |alpn| Arc::new(TlsCache::new(profile.tls.clone(), alpn));
        Self { login, tls: cache(&[b"h2"]), http_tls: cache(&[b"http/1.1"]) }
    }

    /// Our certificates for etcd's plain HTTP.
    pub(super) fn http_tls(&self) -> Arc<TlsCache> {
        Arc::clone(&self.http_tls)
    }

    /// Whether there is a user to log in as.
    pub(super) fn has_login(&self) -> bool {
        self.login.is_some()
    }

    /// A link to an endpoint. It connects when it is first asked something, except that logging in asks at once.
    pub(super) async fn open(&self, endpoint: &Endpoint, identity: Identity) -> Result<Link, SourceError> {
        self.open_telling(endpoint, identity, None).await
    }

    /// The same, the endpoint's certificate being told.
    pub(super) async fn open_telling(
        &self,
        endpoint: &Endpoint,
        identity: Identity,
        presented: Option<Arc<Presented>>,
    ) -> Result<Link, SourceError> {
        let reason = Reason::default();
        let channel = self.channel(endpoint, reason.clone(), presented)?;
        let asked = Asked { endpoint, user: None, prefix: None, reason: &reason };
        let client = Client::from_channel(channel.clone(), None).await.map_err(|e| explain(&e, asked))?;
        let mut link = Link { endpoint: endpoint.clone(), client, user: None, reason, tls: Arc::clone(&self.tls) };
        if let Some((user, password)) = self.login.as_ref().filter(|_| identity == Identity::User) {
            let options = ConnectOptions::new().with_user(user, password.expose_secret()).with_auto_token_refresh(true);
            link.user = Some(Arc::from(user.as_str()));
            match Client::from_channel(channel, Some(options)).await {
                Ok(client) => link.client = client,
                // A user is configured and etcd has no authentication (any more): it answers everybody.
                Err(error) if is_auth_off(&error) => link.user = None,
                Err(error) => return Err(link.explain(&error, None)),
            }
        }
        Ok(link)
    }

    fn channel(&self, endpoint: &Endpoint, reason: Reason, presented: Option<Arc<Presented>>) -> Result<Channel, SourceError> {
        let target = tonic::transport::Endpoint::from_shared(endpoint.url().to_owned())
            .map_err(|e| SourceError::new(ErrorKind::Config, format!("the etcd endpoint {endpoint} is no address: {e}")))?
            .keep_alive_while_idle(true)
            .http2_keep_alive_interval(PING)
            .keep_alive_timeout(PONG);
        let (endpoint, tls) = (endpoint.clone(), Arc::clone(&self.tls));
        let connector = service_fn(move |_: http::Uri| {
            let (endpoint, tls, reason, presented) = (endpoint.clone(), Arc::clone(&tls), reason.clone(), presented.clone());
            async move {
                let config = if endpoint.tls() { Some(tls.get()?) } else { None };
                let opened = dial(endpoint.host(), endpoint.port(), config).await?;
                if let Some(presented) = presented {
                    presented.note(&opened.chain);
                }
                Ok::<_, SourceError>(TokioIo::new(FirstWords::new(opened.io, endpoint, reason)))
            }
        });
        Ok(Channel::Tonic(target.connect_with_connector_lazy(connector)))
    }
}

/// A connection to one endpoint. Clones share it; when the last is dropped, it is closed.
#[derive(Clone)]
pub(super) struct Link {
    endpoint: Endpoint,
    client: Client,
    user: Option<Arc<str>>,
    reason: Reason,
    tls: Arc<TlsCache>,
}

/// The keys under a prefix.
pub(super) struct Listing {
    pub cluster_id: u64,
    pub revision: i64,
    pub keys: Vec<DcsKey>,
}

/// What has been written under a prefix since a revision.
pub(super) struct Since {
    pub revision: i64,
    /// How many keys there are under the prefix.
    pub count: i64,
    /// The newest of the revisions at which one was written; `None`: none was.
    pub newest: Option<i64>,
}

impl Link {
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The client, for whom a permit lets write.
    pub fn into_client(self) -> Client {
        self.client
    }

    /// Lists the keys under a prefix; the prefix is taken off.
    pub async fn list(&self, prefix: &str, consistency: Consistency) -> Result<Listing, SourceError> {
        let answer = self.get(prefix, with(consistency)).await?;
        let (cluster_id, revision) = self.header(&answer)?;
        let keys = answer.kvs().iter().map(|kv| dcs_key(kv, prefix)).collect();
        Ok(Listing { cluster_id, revision, keys })
    }

    /// The names only, with the prefix taken off.
    pub async fn names(&self, prefix: &str, consistency: Consistency) -> Result<Vec<String>, SourceError> {
        let answer = self.get(prefix, with(consistency).with_keys_only()).await?;
        Ok(answer.kvs().iter().map(|kv| without(kv.key(), prefix)).collect())
    }

    /// Asks, of a majority, what has been written under a prefix after a revision.
    pub async fn since(&self, prefix: &str, revision: i64) -> Result<Since, SourceError> {
        let options = GetOptions::new().with_keys_only().with_min_mod_revision(revision.saturating_add(1));
        let answer = self.get(prefix, options).await?;
        let (_, now) = self.header(&answer)?;
        let newest = answer.kvs().iter().map(etcd_client::KeyValue::mod_revision).max();
        Ok(Since { revision: now, count: answer.count(), newest })
    }

    async fn get(&self, prefix: &str, options: GetOptions) -> Result<GetResponse, SourceError> {
        let mut kv = self.client.kv_client().max_decoding_message_size(LARGEST);
        kv.get(prefix, Some(options.with_prefix())).await.map_err(|e| self.explain(&e, Some(prefix)))
    }

    /// Watches a prefix, from this revision on.
    pub async fn watch(&self, prefix: &str, from: i64) -> Result<WatchStream, SourceError> {
        let options = WatchOptions::new().with_prefix().with_start_revision(from);
        let mut watch = self.client.watch_client().max_decoding_message_size(LARGEST);
        watch.watch(prefix, Some(options)).await.map_err(|e| self.explain(&e, Some(prefix)))
    }

    /// The lease's remaining seconds; needs a majority.
    pub async fn time_to_live(&self, id: i64) -> Result<Lease, SourceError> {
        let answer = self.client.lease_client().time_to_live(id, None).await.map_err(|e| self.explain(&e, None))?;
        Ok(Lease { id, ttl: answer.ttl(), granted: answer.granted_ttl() })
    }

    /// The endpoint's own status; needs no majority.
    pub async fn status(&self) -> Result<EtcdStatus, SourceError> {
        let answer = self.client.maintenance_client().status().await.map_err(|e| self.explain(&e, None))?;
        let member_id = answer.header().map(etcd_client::ResponseHeader::member_id).unwrap_or_default();
        if member_id == 0 {
            return Err(self.malformed("its status has no member id"));
        }
        let size = |bytes: i64| u64::try_from(bytes).unwrap_or(0);
        Ok(EtcdStatus {
            member_id,
            leader_id: (answer.leader() != 0).then_some(answer.leader()),
            raft_term: answer.raft_term(),
            raft_index: answer.raft_index(),
            raft_applied_index: answer.raft_applied_index(),
            db_size: size(answer.db_size()),
            db_quota: Some(answer.db_size_quota()).filter(|quota| *quota != 0),
            db_in_use: (answer.raft_used_db_size() > 0).then(|| size(answer.raft_used_db_size())),
            version: clean(answer.version()),
            is_learner: answer.is_learner(),
            errors: answer.errors().iter().map(|e| clean(e)).collect(),
        })
    }

    /// The sentence for a first answer that has not come within `limit`.
    pub fn late(&self, limit: Duration) -> SourceError {
        let (at, seconds) = (self.endpoint.authority(), limit.as_secs_f64());
        if self.reason.is_silent() {
            return SourceError::new(ErrorKind::Hung, format!("{at} takes the connection and gives no answer within {seconds} s"));
        }
        SourceError::new(ErrorKind::Timeout, format!("{at}: no answer within {seconds} s"))
    }

    /// The cluster's members, as this endpoint knows them; needs no majority.
    pub async fn members(&self) -> Result<Vec<EtcdMember>, SourceError> {
        let answer = self.client.cluster_client().member_list().await.map_err(|e| self.explain(&e, None))?;
        let member = |m: &etcd_client::Member| EtcdMember {
            id: m.id(),
            name: clean(m.name()),
            client_urls: m.client_urls().iter().map(|u| clean(u)).collect(),
            is_learner: m.is_learner(),
        };
        Ok(answer.members().iter().map(member).collect())
    }

    /// The alarms; needs a majority.
    pub async fn alarms(&self) -> Result<Vec<EtcdAlarm>, SourceError> {
        let mut client = self.client.maintenance_client();
        let answer = client.alarm(AlarmAction::Get, AlarmType::None, None).await.map_err(|e| self.explain(&e, None))?;
        let kind = |alarm: AlarmType| match alarm {
            AlarmType::Nospace => "NOSPACE",
            AlarmType::Corrupt => "CORRUPT",
            AlarmType::None => "NONE",
        };
        Ok(answer.alarms().iter().map(|a| EtcdAlarm { member_id: a.member_id(), kind: kind(a.alarm()).to_owned() }).collect())
    }

    /// The sentence for an error of a watch's stream.
    pub fn explain_watch(&self, error: &Error, prefix: &str) -> SourceError {
        self.explain(error, Some(prefix))
    }

    /// The sentence for the reason etcd gives when it cancels a watch.
    pub fn explain_cancel(&self, reason: &str, prefix: &str) -> SourceError {
        explain_reason(&clean(reason), self.asked(Some(prefix)))
    }

    fn explain(&self, error: &Error, prefix: Option<&str>) -> SourceError {
        let error = explain(error, self.asked(prefix));
        if error.kind == ErrorKind::Tls {
            // One side's certificate may have been renewed since ours were read.
            self.tls.forget();
        }
        error
    }

    fn asked<'a>(&'a self, prefix: Option<&'a str>) -> Asked<'a> {
        Asked { endpoint: &self.endpoint, user: self.user.as_deref(), prefix, reason: &self.reason }
    }

    fn header(&self, answer: &GetResponse) -> Result<(u64, i64), SourceError> {
        answer.header().map(|h| (h.cluster_id(), h.revision())).ok_or_else(|| self.malformed("its answer has no header"))
    }

    fn malformed(&self, what: &str) -> SourceError {
        SourceError::new(ErrorKind::Malformed, format!("{}: {what}", self.endpoint.authority()))
    }
}

fn with(consistency: Consistency) -> GetOptions {
    match consistency {
        Consistency::Linearizable => GetOptions::new(),
        Consistency::Serializable => GetOptions::new().with_serializable(),
    }
}

/// A key as the model has it.
pub(super) fn dcs_key(kv: &etcd_client::KeyValue, prefix: &str) -> DcsKey {
    DcsKey {
        key: without(kv.key(), prefix),
        value: String::from_utf8_lossy(kv.value()).into_owned(),
        create_revision: kv.create_revision(),
        mod_revision: kv.mod_revision(),
        lease: kv.lease(),
    }
}

/// A key without the prefix it was asked by.
pub(super) fn without(key: &[u8], prefix: &str) -> String {
    String::from_utf8_lossy(key.strip_prefix(prefix.as_bytes()).unwrap_or(key)).into_owned()
}
