//! An order to a member's PostgreSQL.

use std::fmt;

use serde::Serialize;

use super::Situation;
use crate::model::Time;

/// An order to a member's PostgreSQL: one statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SqlOrder {
    /// The member.
    pub member: String,
    /// Where its PostgreSQL listens, as its key has it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The database; `None`: the configuration's.
    pub database: Option<String>,
    /// What is asked for.
    #[serde(flatten)]
    pub statement: Statement,
}

/// What can be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Statement {
    /// `CHECKPOINT`.
    Checkpoint,
    /// `pg_wal_replay_resume()`.
    ResumeReplay,
    /// `pg_drop_replication_slot()`, if nobody uses it.
    DropSlot {
        /// Its name.
        slot: String,
    },
    /// `pg_terminate_backend()`, if it is still the same session.
    Terminate {
        /// The number of its process.
        pid: i32,
        /// `backend_start`.
        started: Time,
    },
}

impl SqlOrder {
    /// An order to a member, where its key says that it listens.
    ///
    /// # Errors
    /// There is no such member, or etcd has no address of it; the error is a sentence.
    pub fn new(s: &Situation<'_>, member: &str, statement: Statement) -> Result<Self, String> {
        let known = s.member(member).ok_or_else(|| format!("there is no member {member}"))?;
        let address = known.address().ok_or_else(|| format!("etcd has no address of {member}'s PostgreSQL"))?;
        Ok(Self { member: member.to_owned(), host: address.0.to_owned(), port: address.1, database: None, statement })
    }

    /// In this database.
    #[must_use]
    pub fn database(self, database: Option<String>) -> Self {
        Self { database, ..self }
    }
}

/// As a person would write it.
impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Statement::Checkpoint => f.write_str("CHECKPOINT"),
            Statement::ResumeReplay => f.write_str("SELECT pg_wal_replay_resume()"),
            Statement::DropSlot { slot } => {
                write!(f, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{slot}' AND NOT active")
            }
            Statement::Terminate { pid, started } => write!(
                f,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {pid} AND backend_start = '{started}' \
                 AND backend_type = 'client backend'"
            ),
        }
    }
}

/// `SQL at psg1 (10.0.0.11:5432): CHECKPOINT`.
impl fmt::Display for SqlOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SQL at {} ({}:{}): {}", self.member, self.host, self.port, self.statement)
    }
}
