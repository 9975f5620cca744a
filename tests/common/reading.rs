//! The readers of the cluster's keys, running.

use std::sync::Arc;

use pgbaton::config::{EtcdProfile, TlsProfile};
use pgbaton::model::{Consistency, DcsEvent, DcsKey, Fact};
use pgbaton::source::etcd::{Access, Endpoint, Keys};
use pgbaton::source::{Clock, inbox};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::Feed;

/// The readers of the keys of `/service/psg/`, and what they report. They end with it.
pub struct Reading {
    pub feed: Feed,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// Of these endpoints, without a user and without certificates.
pub fn read(urls: &[String]) -> Reading {
    read_with(&profile(urls))
}

pub fn read_with(profile: &EtcdProfile) -> Reading {
    let (sink, inbox) = inbox();
    let endpoints = profile.endpoints.iter().map(|u| Endpoint::parse(u).unwrap()).collect();
    // The sender may go: the endpoints then stay as they are.
    let (_, endpoints) = watch::channel(endpoints);
    let keys = Arc::new(Keys::new(Arc::new(Access::new(profile)), "/service/", "psg", endpoints, sink, Clock::start()));
    let lease = Arc::clone(&keys);
    let tasks = vec![tokio::spawn(async move { keys.watch().await }), tokio::spawn(async move { lease.lease().await })];
    Reading { feed: Feed::new(inbox), tasks }
}

/// Endpoints, without a user and without certificates.
pub fn profile(urls: &[String]) -> EtcdProfile {
    EtcdProfile { endpoints: urls.to_vec(), username: None, password: None, tls: TlsProfile::default(), operate: None }
}

/// The keys of a list.
pub fn listed(fact: &Fact) -> Option<(Consistency, i64, Vec<DcsKey>)> {
    match fact {
        Fact::DcsListed { revision, consistency, keys } => Some((*consistency, *revision, keys.clone())),
        _ => None,
    }
}

/// The revision of a confirmation.
pub fn confirmed(fact: &Fact) -> Option<i64> {
    match fact {
        Fact::DcsConfirmed { revision } => Some(*revision),
        _ => None,
    }
}

/// The value that a pushed change gives a key.
pub fn put_of<'a>(fact: &'a Fact, name: &str) -> Option<&'a str> {
    let Fact::DcsChanged { events, .. } = fact else { return None };
    events.iter().find_map(|event| match event {
        DcsEvent::Put(key) if key.key == name => Some(key.value.as_str()),
        _ => None,
    })
}
