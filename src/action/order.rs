//! The exact order, who carries it, and what was answered.

use std::fmt;

use serde::Serialize;

use super::{AirflowOrder, AirflowWriter, Call, DcsOrder, DcsWriter, ProxyOrder, ProxyWriter, RestWriter, SqlOrder, SqlWriter};
use crate::config::{Diagnostic, Profile};
use crate::permit::Permit;

/// An order, of the kind of system that it goes to. A new kind has its writer in [`Writers`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "to", rename_all = "lowercase")]
pub enum Order {
    /// To a member's REST API.
    Rest(Call),
    /// To an HAProxy's admin socket.
    Proxy(ProxyOrder),
    /// To etcd.
    Dcs(DcsOrder),
    /// To a member's PostgreSQL.
    Sql(SqlOrder),
    /// To Airflow.
    Airflow(AirflowOrder),
}

impl From<SqlOrder> for Order {
    fn from(order: SqlOrder) -> Self {
        Order::Sql(order)
    }
}

impl From<DcsOrder> for Order {
    fn from(order: DcsOrder) -> Self {
        Order::Dcs(order)
    }
}

impl From<Call> for Order {
    fn from(call: Call) -> Self {
        Order::Rest(call)
    }
}

impl Order {
    /// The same by programs that are there without us; `None`: by patronictl, or by none.
    pub(super) fn by_hand(&self) -> Option<String> {
        match self {
            Order::Airflow(order) => order.by_hand(),
            Order::Rest(_) | Order::Dcs(_) | Order::Sql(_) | Order::Proxy(_) => None,
        }
    }
}

/// As it goes over the line.
impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Order::Rest(call) => call.fmt(f),
            Order::Dcs(order) => order.fmt(f),
            Order::Sql(order) => order.fmt(f),
            Order::Proxy(order) => order.fmt(f),
            Order::Airflow(order) => order.fmt(f),
        }
    }
}

/// Everything that can write. It takes a permit to make one.
#[derive(Debug, Clone)]
pub struct Writers {
    rest: RestWriter,
    dcs: DcsWriter,
    proxy: ProxyWriter,
    sql: SqlWriter,
    airflow: AirflowWriter,
}

impl Writers {
    /// The writers for the profile's cluster; what only writing needs is read now.
    ///
    /// # Errors
    /// A password is not where the configuration says.
    pub fn new(permit: &Permit, profile: &Profile) -> Result<Self, Diagnostic> {
        Ok(Self {
            rest: RestWriter::new(permit, profile)?,
            dcs: DcsWriter::new(permit, profile),
            proxy: ProxyWriter::new(permit, profile),
            sql: SqlWriter::new(permit, profile),
            airflow: AirflowWriter::new(permit, profile),
        })
    }

    /// The writer to HAProxies.
    pub(super) fn proxy(&self) -> &ProxyWriter {
        &self.proxy
    }

    /// The writer to PostgreSQL.
    pub(super) fn sql(&self) -> &SqlWriter {
        &self.sql
    }

    /// Sends an order, once.
    pub async fn send(&self, order: &Order) -> Reply {
        match order {
            Order::Rest(call) => self.rest.send(call).await,
            Order::Dcs(order) => self.dcs.send(order).await,
            Order::Sql(order) => self.sql.send(order).await,
            Order::Proxy(order) => self.proxy.send(order).await,
            Order::Airflow(order) => self.airflow.send(order).await,
        }
    }
}

/// What became of an order on the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// Nothing was sent: no connection.
    NotSent(String),
    /// Patroni answered: the status, and the text, cleaned and cut.
    Answered(u16, String),
    /// Another system took it up; its word, a sentence.
    Taken(String),
    /// Another system turned it down before anything was begun; the reason, a sentence.
    Refused(String),
    /// Another system took it up and could not carry it out, or not all of it; the reason, a sentence.
    Failed(String),
    /// It was sent, in whole or in part, and no answer came.
    Lost(String),
}

impl Reply {
    /// Whether it was taken up (2xx).
    pub fn accepted(&self) -> bool {
        matches!(self, Reply::Answered(200..=299, _) | Reply::Taken(_))
    }

    /// Whether it was turned down before anything was begun. Of Patroni's statuses 503 and 500 can come in the middle of the work.
    pub fn refused(&self) -> bool {
        matches!(self, Reply::Answered(300..=499, _) | Reply::Refused(_))
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::NotSent(why) => write!(f, "not sent: {why}"),
            // An answer to PATCH /config is the whole configuration, which says nothing here.
            Reply::Answered(status, text) if text.is_empty() || text.starts_with('{') => write!(f, "{status}"),
            Reply::Answered(status, text) => write!(f, "{status} {text}"),
            Reply::Taken(word) => f.write_str(word),
            Reply::Refused(why) => write!(f, "refused: {why}"),
            Reply::Failed(why) => write!(f, "not carried out, or not all of it: {why}"),
            Reply::Lost(why) => write!(f, "sent, and no answer came: {why}"),
        }
    }
}
