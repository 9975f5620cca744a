//! What a finding rests on.

use std::fmt;

use crate::model::{Cluster, Member, Observed, Sign, SourceId, SourceKind, Time};

/// One piece of evidence: who said what, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Who said it.
    pub source: SourceId,
    /// What it is: `leader key`, `pg_is_in_recovery()`.
    pub what: String,
    /// What it says.
    pub value: String,
    /// When it was said; `None`: never.
    pub at: Option<Time>,
}

impl Evidence {
    /// What `source` said of `what` at `at`.
    pub fn new(source: SourceId, what: &str, value: impl fmt::Display, at: Option<Time>) -> Self {
        Self { source, what: what.to_owned(), value: value.to_string(), at }
    }

    /// The same for the events, where it is kept.
    pub fn sign(&self) -> Sign {
        Sign { at: self.at, source: self.source.to_string(), what: self.what.clone(), value: self.value.clone() }
    }

    /// What the DCS says.
    pub fn dcs(cluster: &Cluster, what: &str, value: impl fmt::Display) -> Self {
        Self::new(SourceId::new(SourceKind::Dcs, &cluster.scope), what, value, cluster.dcs.confirmed_at)
    }

    /// Why the DCS cannot be read, if so.
    pub fn dcs_error(cluster: &Cluster) -> Option<Self> {
        let source = SourceId::new(SourceKind::Dcs, &cluster.scope);
        cluster.dcs.error().map(|error| Self::new(source, "error", error.told(), cluster.dcs.confirmed_at.or(cluster.dcs.failing_since())))
    }

    /// What a member's REST API says.
    pub fn rest(member: &Member, what: &str, value: impl fmt::Display) -> Self {
        Self::new(SourceId::new(SourceKind::Rest, &member.name), what, value, member.rest.at())
    }

    /// What a member's PostgreSQL says.
    pub fn sql(member: &Member, what: &str, value: impl fmt::Display) -> Self {
        Self::new(SourceId::new(SourceKind::Sql, &member.name), what, value, member.sql.at())
    }

    /// Why a source fails, if it does; its age is that of the last answer, or of the first failure where there never was one.
    pub fn error<T>(kind: SourceKind, target: &str, seen: &Observed<T>) -> Option<Self> {
        seen.error().map(|error| Self::new(SourceId::new(kind, target), "error", error.told(), seen.silent_since()))
    }

    /// Why a member's REST API and its PostgreSQL fail, as far as they do.
    pub fn errors(member: &Member) -> impl Iterator<Item = Self> {
        let rest = Self::error(SourceKind::Rest, &member.name, &member.rest);
        rest.into_iter().chain(Self::error(SourceKind::Sql, &member.name, &member.sql))
    }
}
