//! Whether a member's PostgreSQL has started since an order went out, and what is said of the new one.

use super::Situation;
use crate::model::{Cluster, PatroniStatus, PostgresStatus, Time};

/// The start of before, to tell another one from it.
#[derive(Debug)]
pub struct Anew {
    member: String,
    /// When it had started before, if that was known.
    before: Option<Time>,
    asked: Time,
}

impl Anew {
    /// Of a member, as an order is about to go out.
    pub fn of(s: &Situation<'_>, member: &str) -> Self {
        let known = s.member(member);
        let by_sql = known.and_then(|member| member.sql_now(s.now)).and_then(|sql| sql.postmaster_start);
        let by_rest = known.and_then(|member| member.rest_now(s.now)).and_then(|rest| rest.postmaster_start);
        Self { member: member.to_owned(), before: by_sql.or(by_rest), asked: s.now }
    }

    /// The member.
    pub fn member(&self) -> &str {
        &self.member
    }

    /// Whether a start is another one than that of before. The API and SQL round differently.
    fn is_new(&self, start: Option<Time>) -> bool {
        match (start, self.before) {
            (Some(start), Some(before)) => start > before && !start.same_second(before),
            (Some(start), None) => start > self.asked,
            (None, _) => false,
        }
    }

    /// What the new PostgreSQL says.
    pub fn sql<'a>(&self, cluster: &'a Cluster, now: Time) -> Option<&'a PostgresStatus> {
        cluster.members.get(&self.member)?.sql_now(now).filter(|sql| self.is_new(sql.postmaster_start))
    }

    /// What its Patroni says of the new PostgreSQL: what it had said before was about the old one.
    pub fn rest<'a>(&self, cluster: &'a Cluster, now: Time) -> Option<&'a PatroniStatus> {
        cluster.members.get(&self.member)?.rest_now(now).filter(|rest| self.is_new(rest.postmaster_start))
    }

    /// Whether either of them tells of a new one.
    pub fn seen(&self, cluster: &Cluster, now: Time) -> bool {
        self.sql(cluster, now).is_some() || self.rest(cluster, now).is_some()
    }
}
