//! What a reader of a node's logs reports, before any of it is understood.

use std::fmt;

use serde::Serialize;

use crate::model::{SourceError, Time};

/// A program whose log is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Program {
    /// Patroni.
    Patroni,
    /// PostgreSQL.
    Postgres,
    /// etcd.
    Etcd,
    /// HAProxy.
    Haproxy,
}

impl Program {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Patroni, Self::Postgres, Self::Etcd, Self::Haproxy];

    /// Its name, as in `--program`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Patroni => "patroni",
            Self::Postgres => "postgres",
            Self::Etcd => "etcd",
            Self::Haproxy => "haproxy",
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One program's log on one node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Stream {
    /// The member's name, or the HAProxy's name in the configuration.
    pub node: String,
    /// Whose log it is.
    pub program: Program,
}

/// How the lines of a stream are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// Patroni's `log.format`, the default one or a similar one: `2026-11-26 23:24:45,123 INFO: no action. I am (psg2), ...`; times without a zone
    /// are of the node's own.
    Patroni {
        /// The node's zone, seconds east of Greenwich; `None`, here and below: it was not told.
        utc_offset: Option<i32>,
    },
    /// PostgreSQL's `stderr` with this `log_line_prefix`.
    PostgresStderr {
        /// `log_line_prefix`, as the server has it.
        prefix: String,
        /// `log_timezone` at this moment, seconds east of Greenwich, for zones that a line names by letters only.
        utc_offset: Option<i32>,
    },
    /// PostgreSQL's `csvlog`.
    PostgresCsv {
        /// The same.
        utc_offset: Option<i32>,
    },
    /// PostgreSQL's `jsonlog`.
    PostgresJson {
        /// The same.
        utc_offset: Option<i32>,
    },
    /// etcd's zap logger, as JSON, whose times have their zone; older lines as text are read too.
    Etcd {
        /// The node's zone, seconds east of Greenwich.
        utc_offset: Option<i32>,
    },
    /// HAProxy's log, raw or as syslog has it.
    Haproxy {
        /// The node's zone, seconds east of Greenwich.
        utc_offset: Option<i32>,
    },
}

/// Why lines can be missing here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// The line to the node was away from the first moment to the second, and what was written meanwhile could not be read afterwards.
    Unread {
        /// When the last line before was heard.
        from: Time,
        /// When reading went on.
        to: Time,
        /// Why it cannot be read any more: rotated away, truncated, vacuumed from the journal.
        why: String,
    },
    /// So many lines, or bytes of one line, were let go, as more came than can be kept.
    Dropped {
        /// Lines.
        lines: u64,
        /// Bytes of them.
        bytes: u64,
    },
}

/// One thing heard of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Of which stream.
    pub stream: Stream,
    /// When it was heard, by our clock.
    pub at: Time,
    /// What.
    pub what: What,
}

/// What was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Reading begins, or goes on after a pause without anything missing: from here on lines are written so. `file` is what a person would open.
    Open {
        /// How the lines that follow are written.
        format: Format,
        /// A file's path or a unit's name on the node.
        file: String,
    },
    /// A line, without its end. Bytes: nothing is known of its encoding.
    Line {
        /// The line, at most [`Heard::LONGEST`] bytes of it.
        bytes: Vec<u8>,
        /// When the node's journal says that it was written; a plain file has only what stands in the line.
        stamp: Option<Time>,
        /// How many bytes of the line were let go beyond the longest that is kept.
        cut: u64,
    },
    /// Lines are missing here, or may be.
    Gap(Gap),
    /// The file was replaced or emptied, nothing is missing; what follows is the new one's.
    Rotated,
    /// It is not read at the moment, for this reason. What was heard before stays.
    Failed(SourceError),
    /// It was tried just now, and is not read for the reason that was told last.
    Tried {
        /// When it is tried again, by our clock.
        next: Time,
    },
}

impl Heard {
    /// The most bytes of a line that are kept: a statement in PostgreSQL's log can be of any length.
    pub const LONGEST: usize = 64 * 1024;
}
