//! Where a value was found: every setting keeps it, so that `pgbaton config` can say it.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::diagnostic::shown;

/// Where a value, or a mistake, is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A place in a file. Line and column count from 1, the column in characters.
    File {
        /// The file as it was named or found.
        path: Arc<Path>,
        /// Line, from 1.
        line: u32,
        /// Column, from 1, in characters.
        col: u32,
    },
    /// A file as a whole (it cannot be read, it is empty, it exists in a usual place).
    Path(Arc<Path>),
    /// An environment variable, by its name.
    Variable(String),
    /// An argument of the command line, by its name in the usage text.
    CommandLine(&'static str),
    /// The operating system (the name of the user who runs pgbaton).
    System,
    /// Nobody said anything: pgbaton's own default, or libpq's.
    Default,
}

impl Origin {
    /// The beginning of a file, for what the file lacks.
    pub(crate) fn start_of(path: &Path) -> Self {
        Origin::File { path: path.into(), line: 1, col: 1 }
    }

    /// The file, when the origin is in one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Origin::File { path, .. } | Origin::Path(path) => Some(path),
            _ => None,
        }
    }

    /// Line and column, when they are known.
    pub fn line_col(&self) -> Option<(u32, u32)> {
        match self {
            Origin::File { line, col, .. } => Some((*line, *col)),
            _ => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::File { path, line, col } => write!(f, "{}:{line}:{col}", shown(path)),
            Origin::Path(path) => write!(f, "{}", shown(path)),
            Origin::Variable(name) => write!(f, "environment variable {name}"),
            Origin::CommandLine(name) => write!(f, "command line ({name})"),
            Origin::System => write!(f, "operating system user"),
            Origin::Default => write!(f, "default"),
        }
    }
}

/// A value with the place it came from.
#[derive(Debug, Clone)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where it was found.
    pub origin: Origin,
}

impl<T> Setting<T> {
    /// A value and its origin.
    pub fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }

    /// The same origin with another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Setting<U> {
        Setting { value: f(self.value), origin: self.origin }
    }
}
