//! The machines around the cluster that are asked over ssh, as the cluster takes in what they say.

use std::time::Duration;

use super::{Cluster, Fact, Heard, Observed, SourceError, SourceId, SourceKind, Time};

impl Cluster {
    /// The same, with Airflow's metadata in it: that nothing was read of it yet does not mean that there is none.
    #[must_use]
    pub fn with_airflow(mut self, configured: bool) -> Self {
        self.airflow = configured.then(Observed::default);
        self
    }

    /// The same, with Airflow's health endpoints in it, by their names.
    #[must_use]
    pub fn with_airflow_health(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.airflow_health = names.into_iter().map(|name| (name, Observed::default())).collect();
        self
    }

    /// Takes in a fact of the machines around, or what this one remembers of them.
    pub(super) fn estate_told(&mut self, source: &SourceId, at: Time, rtt: Option<Duration>, fact: Fact) {
        match fact {
            Fact::Dags(status) => self.dags_told(&source.target, *status, at, rtt),
            Fact::Target(status) => self.target_told(&source.target, *status, at, rtt),
            Fact::Rescue(memory) => self.rescue_remembered(*memory),
            _ => {}
        }
    }

    /// Takes in that one could not be asked.
    pub(super) fn estate_failed(&mut self, source: &SourceId, error: SourceError, at: Time) {
        match source.kind {
            SourceKind::Dags => self.dags_failed(&source.target, error, at),
            SourceKind::Target => self.target_failed(&source.target, error, at),
            _ => {}
        }
    }

    /// How asking them goes.
    pub(super) fn estate(&self, now: Time) -> impl Iterator<Item = Heard<'_>> {
        let dags = self.dags.iter().flat_map(|dags| &dags.seen);
        let dags = dags.map(move |(name, seen)| Heard::of(SourceKind::Dags, name, seen, now));
        dags.chain(self.target.iter().map(move |target| Heard::of(SourceKind::Target, &target.host, &target.seen, now)))
    }
}
