//! All sources of one cluster, each in a task of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;

use super::certificate;
use super::etcd::{self, Access, Endpoint, Keys};
use super::ssh::{self, Connections};
use super::supervise::{Task, supervise};
use super::{Clock, Inbox, Sink, Targets, TlsCache, airflow, haproxy, inbox, patroni, postgres, rabbitmq};
use crate::config::Profile;
use crate::model::{Cluster, Observation, Outcome, SourceId, SourceKind};

/// Starts the sources and keeps them running. Dropping it ends them all and closes their connections.
pub struct Collector {
    profile: Profile,
    clock: Clock,
    sink: Sink,
    access: Arc<Access>,
    rest_tls: Arc<TlsCache>,
    configured: Vec<Endpoint>,
    endpoints: watch::Sender<Vec<Endpoint>>,
    targets: Targets,
    connections: Connections,
    running: BTreeMap<SourceId, Running>,
    _own_certificates: Task,
    /// Endpoints whose address cannot be read; that was reported at the start.
    unusable: BTreeSet<SourceId>,
}

/// A source that runs, and the address that it asks.
struct Running {
    address: String,
    _task: Task,
}

impl Collector {
    /// Starts what the profile itself names: the keys and the leader's lease of its scope, the etcd endpoints, the HAProxies, RabbitMQ's nodes. The members are
    /// started when [`follow`](Self::follow) or [`ensure`](Self::ensure) names them. Without a scope there are no keys to read.
    ///
    /// Must be called within a tokio runtime.
    pub fn start(profile: Profile, clock: Clock) -> (Self, Inbox) {
        let (sink, inbox) = inbox();
        let mut configured: Vec<Endpoint> = Vec::new();
        let mut unusable = BTreeSet::new();
        for text in &profile.etcd.endpoints {
            match Endpoint::parse(text) {
                Ok(endpoint) if configured.contains(&endpoint) => {}
                Ok(endpoint) => configured.push(endpoint),
                Err(error) => {
                    let source = SourceId::new(SourceKind::Etcd, Endpoint::shown(text));
                    sink.report(Observation { source: source.clone(), at: clock.now(), rtt: None, outcome: Outcome::Failed(error) });
                    unusable.insert(source);
                }
            }
        }
        let mut collector = Self {
            access: Arc::new(Access::new(&profile.etcd)),
            rest_tls: Arc::new(TlsCache::new(profile.restapi.tls.clone(), &[b"http/1.1"])),
            endpoints: watch::Sender::new(configured.clone()),
            targets: Targets::default(),
            connections: Connections::default(),
            running: BTreeMap::new(),
            _own_certificates: Task::of(certificate::own(sink.clone(), clock, profile.clone())),
            profile,
            clock,
            sink,
            configured,
            unusable,
        };
        collector.start_keys();
        for endpoint in collector.configured.clone() {
            collector.start_endpoint(endpoint);
        }
        for proxy in collector.profile.haproxy.clone() {
            let source = SourceId::new(SourceKind::Haproxy, &proxy.name);
            collector.run(source, String::new(), move |sink, clock| haproxy::run(sink, clock, proxy.clone()));
        }
        collector.start_airflow_health();
        collector.start_rabbitmq();
        collector.start_estate();
        (collector, inbox)
    }

    fn start_airflow_health(&mut self) {
        let Some(profile) = self.profile.airflow.clone() else { return };
        let tls = Arc::new(TlsCache::new(profile.tls, &[]));
        for endpoint in profile.health {
            let (source, tls) = (SourceId::new(SourceKind::AirflowHealth, &endpoint.name), Arc::clone(&tls));
            self.run(source, String::new(), move |sink, clock| airflow::health::run(sink, clock, endpoint.clone(), Arc::clone(&tls)));
        }
    }

    fn start_rabbitmq(&mut self) {
        let Some(profile) = self.profile.rabbitmq.clone() else { return };
        let tls = Arc::new(TlsCache::new(profile.tls.clone(), &[b"http/1.1"]));
        for node in profile.nodes.clone() {
            let (profile, tls) = (profile.clone(), Arc::clone(&tls));
            self.run(SourceId::new(SourceKind::Rabbitmq, &node.name), node.url.clone(), move |sink, clock| {
                rabbitmq::run(sink, clock, node.clone(), profile.clone(), Arc::clone(&tls))
            });
        }
    }

    /// The machines around the cluster that are asked over ssh.
    fn start_estate(&mut self) {
        if let Some(dags) = self.profile.dags.clone() {
            for host in dags.hosts.clone() {
                let (dags, ssh, connections) = (dags.clone(), self.profile.ssh.clone(), self.connections.clone());
                self.run(SourceId::new(SourceKind::Dags, &host), String::new(), move |sink, clock| {
                    ssh::dags(sink, clock, host.clone(), dags.clone(), ssh.clone(), connections.clone())
                });
            }
        }
        if let Some(target) = self.profile.target.clone() {
            let (ssh, connections) = (self.profile.ssh.clone(), self.connections.clone());
            self.run(SourceId::new(SourceKind::Target, &target.host), String::new(), move |sink, clock| {
                ssh::target(sink, clock, target.clone(), ssh.clone(), connections.clone())
            });
        }
    }

    fn airflow(&self) -> SourceId {
        SourceId::new(SourceKind::Airflow, self.profile.scope.clone().unwrap_or_default())
    }

    /// Asks whom the cluster names by now: members by their keys, and etcd members that the configuration does not name. To be called after
    /// each batch of observations; it costs little when nothing is new.
    pub fn follow(&mut self, cluster: &Cluster) {
        let targets = Targets::of(cluster, &self.configured);
        self.ensure(&targets);
    }

    /// Starts what is missing and restarts what has changed its address. What is no longer named is still asked at its last address: a
    /// member whose key is gone may well be alive, and that is worth knowing.
    pub fn ensure(&mut self, targets: &Targets) {
        if self.targets == *targets {
            return;
        }
        // A session takes the longest to open, so these go first.
        for (name, target) in &targets.members {
            if let Some((host, port)) = &target.sql {
                let (member, host, port, profile) = (name.clone(), host.clone(), *port, self.profile.postgres.clone());
                self.run(SourceId::new(SourceKind::Sql, name), format!("{host}:{port}"), move |sink, clock| {
                    postgres::run(sink, clock, member.clone(), host.clone(), port, profile.clone())
                });
            }
        }
        for (name, target) in &targets.members {
            if let Some(api_url) = &target.api_url {
                let (member, url, tls) = (name.clone(), api_url.clone(), Arc::clone(&self.rest_tls));
                self.run(SourceId::new(SourceKind::Rest, name), api_url.clone(), move |sink, clock| {
                    let (member, url, tls) = (member.clone(), url.clone(), Arc::clone(&tls));
                    async move { patroni::run(sink, clock, &member, &url, tls).await }
                });
            }
        }
        if let (Some((host, port)), Some(profile)) = (targets.leader.clone(), self.profile.airflow.clone()) {
            let (source, postgres) = (self.airflow(), self.profile.postgres.clone());
            self.run(source.clone(), format!("{host}:{port}"), move |sink, clock| {
                airflow::run(sink, clock, source.clone(), host.clone(), port, profile.clone(), postgres.clone())
            });
        }
        for endpoint in targets.etcd_endpoints.iter().filter_map(|url| Endpoint::parse(url).ok()) {
            self.start_endpoint(endpoint);
        }
        for target in ssh::hosts(&self.profile, &targets.members) {
            let (asked, profile, connections) = (target.clone(), self.profile.clone(), self.connections.clone());
            self.run(target.source(), target.address(), move |sink, clock| {
                ssh::host(sink, clock, asked.clone(), profile.clone(), connections.clone())
            });
        }
        self.targets = targets.clone();
    }

    /// All sources that run. Each reports, good or bad, within its deadline of the start; so when all of these have, the picture is whole.
    pub fn expected(&self) -> BTreeSet<SourceId> {
        self.running.keys().chain(&self.unusable).cloned().collect()
    }

    /// The connections to the nodes, for who else reads there.
    pub fn connections(&self) -> Connections {
        self.connections.clone()
    }

    /// Ends all sources.
    pub fn stop(self) {}

    fn start_keys(&mut self) {
        let Some(scope) = self.profile.scope.clone() else { return };
        let endpoints = self.endpoints.subscribe();
        let keys = Keys::new(Arc::clone(&self.access), &self.profile.namespace, &scope, endpoints, self.sink.clone(), self.clock);
        let keys = Arc::new(keys);
        let lease = Arc::clone(&keys);
        self.run(SourceId::new(SourceKind::Dcs, &scope), String::new(), move |_, _| {
            let keys = Arc::clone(&keys);
            async move { keys.watch().await }
        });
        self.run(SourceId::new(SourceKind::Lease, &scope), String::new(), move |_, _| {
            let keys = Arc::clone(&lease);
            async move { keys.lease().await }
        });
    }

    fn start_endpoint(&mut self, endpoint: Endpoint) {
        let (asked, access) = (endpoint.clone(), Arc::clone(&self.access));
        self.run(SourceId::new(SourceKind::Etcd, endpoint.url()), endpoint.url().to_owned(), move |sink, clock| {
            etcd::status(sink, clock, asked.clone(), Arc::clone(&access))
        });
        self.endpoints.send_if_modified(|known| {
            let new = !known.contains(&endpoint);
            if new {
                known.push(endpoint);
            }
            new
        });
    }

    /// Runs a source unless it runs already with this address.
    fn run<Make, Source>(&mut self, source: SourceId, address: String, make: Make)
    where
        Make: Fn(Sink, Clock) -> Source + Send + 'static,
        Source: Future<Output = ()> + Send + 'static,
    {
        if self.running.get(&source).is_some_and(|running| running.address == address) {
            return;
        }
        let (sink, clock) = (self.sink.clone(), self.clock);
        let task = supervise(self.sink.clone(), self.clock, source.clone(), move || make(sink.clone(), clock));
        self.running.insert(source, Running { address, _task: task });
    }
}
