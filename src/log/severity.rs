//! How much a line matters, by its own word: one scale over the programs.

use serde::Serialize;

/// How much a line matters, by its own word. The order is from little to much.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    strum::Display,
    strum::EnumString,
    strum::EnumIter,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase", ascii_case_insensitive)]
pub enum Severity {
    /// For whoever works on the program.
    Debug,
    /// It does not say; never hidden by a level, as nobody knows what it is.
    Unknown,
    /// What happens: PostgreSQL's `LOG`, `INFO` and `NOTICE` too.
    Info,
    /// Wants attention.
    #[strum(serialize = "warning", serialize = "warn")]
    Warning,
    /// Something did not work.
    Error,
    /// A process or a session ended by it: `FATAL`, `PANIC`, `CRITICAL`, HAProxy's `ALERT`.
    Fatal,
}

impl Severity {
    /// The word of a program's log for it; upper and lower case alike.
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "debug" | "debug1" | "debug2" | "debug3" | "debug4" | "debug5" | "trace" => Self::Debug,
            "info" | "log" | "notice" => Self::Info,
            "warning" | "warn" => Self::Warning,
            "error" | "err" => Self::Error,
            "fatal" | "panic" | "dpanic" | "critical" | "crit" | "alert" | "emerg" => Self::Fatal,
            _ => return None,
        })
    }

    /// One character for a narrow column.
    pub const fn sign(self) -> char {
        match self {
            Self::Debug => 'D',
            Self::Unknown => ' ',
            Self::Info => 'I',
            Self::Warning => 'W',
            Self::Error => 'E',
            Self::Fatal => 'F',
        }
    }

    /// Whether it is at least so much, or does not say how much it is.
    pub fn reaches(self, least: Self) -> bool {
        self == Self::Unknown || self >= least
    }
}
