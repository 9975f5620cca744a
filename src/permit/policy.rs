//! The machine's policy file: who may operate which cluster.
//!
//! ```toml
//! [[operate]]               # one entry is enough to be let in; without any entry nobody is
//! clusters = ["card-*"]     # Patroni's scopes; * stands for any text
//! groups = ["dba"]
//! users = ["anna"]
//!
//! [[second_person]]         # what needs a second person
//! clusters = ["card-*"]
//! operations = ["failover", "remove"]   # as the audit calls them; all, if not said
//!
//! [requests]                # needed with second_person
//! dir = "/var/spool/pgbaton"            # root's and sticky, for the operators' group: install -d -m 1770 -g dba /var/spool/pgbaton
//! minutes = 60              # for so long a request is good; 60, if not said
//!
//! [console]
//! act_by_sequence = true    # in the console no single key begins what acts on a cluster; false, if not said
//!
//! [audit]
//! dir = "/var/log/pgbaton"  # needed with second_person
//! syslog = "/dev/log"       # each line also to the journal or the syslog daemon that listens there
//! syslog_required = true    # nothing is done when it is not taken there; false, if not said
//! ```
//!
//! Where there is no such file, everybody may whom etcd, Patroni and the configuration let. A file that is there and cannot be used lets
//! nobody: an editor's slip must not open what the file was written to close.

use std::fs::Metadata;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::Operator;
use crate::model::clean;

/// Where it is. No flag and no variable names another.
pub const PATH: &str = "/etc/pgbaton/policy.toml";

/// What can be named as `operations`, in the order of the alphabet: an operation that is misspelt would need nobody else.
pub const OPERATIONS: [&str; 20] = [
    "checkpoint",
    "demote-cluster",
    "drop-slot",
    "edit-config",
    "failover",
    "flush-restart",
    "flush-switchover",
    "freeze",
    "haproxy",
    "pause",
    "promote-cluster",
    "reinit",
    "reload",
    "remove",
    "restart",
    "resume",
    "resume-replay",
    "switchover",
    "terminate",
    "thaw",
];

/// A policy; the default lets everybody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    rules: Option<Vec<Rule>>,
    second: Vec<SecondRule>,
    requests: Option<RequestsPolicy>,
    console: ConsolePolicy,
    /// Where the audit goes.
    pub audit: AuditPolicy,
}

/// What the policy says of the audit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditPolicy {
    /// The folder of the audit file; the user's state directory if not said.
    pub dir: Option<PathBuf>,
    /// The socket on which the journal or a syslog daemon listens; not sent there if not said.
    pub syslog: Option<PathBuf>,
    /// Whether nothing may be done when it does not take a line.
    #[serde(default)]
    pub syslog_required: bool,
}

/// What the policy says of the console.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConsolePolicy {
    #[serde(default)]
    act_by_sequence: bool,
}

/// Where requests wait for a second person, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestsPolicy {
    /// Their folder.
    pub dir: PathBuf,
    #[serde(default = "an_hour")]
    minutes: u16,
}

impl RequestsPolicy {
    /// For how long a request is good.
    pub fn lifetime(&self) -> Duration {
        Duration::from_secs(u64::from(self.minutes) * 60)
    }
}

fn an_hour() -> u16 {
    60
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    operate: Vec<Rule>,
    #[serde(default)]
    second_person: Vec<Spanned<SecondRule>>,
    requests: Option<RequestsPolicy>,
    #[serde(default)]
    console: ConsolePolicy,
    #[serde(default)]
    audit: AuditPolicy,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    clusters: Vec<String>,
    #[serde(default)]
    users: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecondRule {
    clusters: Vec<String>,
    operations: Option<Vec<String>>,
}

/// Why a policy file cannot be used. Displays as a sentence with the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It cannot be read.
    #[error("{path} cannot be read: {why}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        why: String,
    },
    /// Others than root could change it.
    #[error("{path} is not root's alone to change: {why}")]
    Open {
        /// The file or the folder.
        path: String,
        /// Who could.
        why: String,
    },
    /// A mistake in it.
    #[error("{path}:{line}:{column}: {message}")]
    Mistake {
        /// The file.
        path: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
}

impl Policy {
    /// The machine's policy.
    pub fn of_machine() -> Result<Self, PolicyError> {
        Self::at(Path::new(PATH))
    }

    /// A policy before it is the machine's: what it says, whoever could change it.
    ///
    /// # Errors
    /// It cannot be read, or has a mistake.
    pub fn read(path: &Path) -> Result<Self, PolicyError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|why| PolicyError::Unreadable { path: name.clone(), why: why.to_string() })?;
        Self::parse(&name, &text)
    }

    fn at(path: &Path) -> Result<Self, PolicyError> {
        let unreadable = |why: std::io::Error| PolicyError::Unreadable { path: path.display().to_string(), why: why.to_string() };
        // Where links lead, others could change the folders on the way as well.
        let real = match path.canonicalize() {
            Ok(real) => real,
            // A link that leads nowhere is not the same as no file.
            Err(error) if error.kind() == ErrorKind::NotFound && path.symlink_metadata().is_err() => return Ok(Self::default()),
            Err(error) => return Err(unreadable(error)),
        };
        let mut file = std::fs::File::open(&real).map_err(unreadable)?;
        root_alone(&real, &file.metadata().map_err(unreadable)?)?;
        let folders = path.ancestors().skip(1).chain(real.ancestors().skip(1));
        for folder in folders.filter(|folder| folder.parent().is_some()) {
            root_alone(folder, &std::fs::metadata(folder).map_err(unreadable)?)?;
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(unreadable)?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Reads a policy's text.
    pub fn parse(path: &str, text: &str) -> Result<Self, PolicyError> {
        let mistake = |at: usize, message: &str| {
            let before = text.get(..at).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
            PolicyError::Mistake { path: path.to_owned(), line, column, message: clean(message) }
        };
        let file: File = toml::from_str(text).map_err(|error| mistake(error.span().map_or(0, |span| span.start), error.message()))?;
        if file.audit.syslog_required && file.audit.syslog.is_none() {
            let at = text.find("syslog_required").unwrap_or_default();
            return Err(mistake(at, "syslog_required needs syslog, the socket: \"/dev/log\""));
        }
        if let (Some(rule), None) = (file.second_person.first(), &file.requests) {
            return Err(mistake(rule.span().start, "second_person needs the folder of the requests: [requests] with dir"));
        }
        if let (Some(rule), None) = (file.second_person.first(), &file.audit.dir) {
            let why =
                "second_person needs the folder of the audit: [audit] with dir; else each user's audit is their own file, to be taken away";
            return Err(mistake(rule.span().start, why));
        }
        for rule in &file.second_person {
            let mut named = rule.get_ref().operations.iter().flatten();
            if let Some(unknown) = named.find(|operation| !OPERATIONS.contains(&operation.as_str())) {
                let told = format!("{unknown:?} is no operation; there are {}", OPERATIONS.join(", "));
                return Err(mistake(rule.span().start, &told));
            }
        }
        let second = file.second_person.into_iter().map(Spanned::into_inner).collect();
        Ok(Self { rules: Some(file.operate), second, requests: file.requests, console: file.console, audit: file.audit })
    }

    /// Whether this operation on the cluster of this scope needs a second person.
    pub fn wants_second(&self, scope: &str, operation: &str) -> bool {
        self.second.iter().any(|rule| {
            let named = |operations: &Vec<String>| operations.iter().any(|known| known == operation);
            rule.clusters.iter().any(|pattern| matches(pattern, scope)) && rule.operations.as_ref().is_none_or(named)
        })
    }

    /// Where requests wait for a second person; `None`: nothing needs one.
    pub fn requests(&self) -> Option<&RequestsPolicy> {
        self.requests.as_ref()
    }

    /// Whether keys that begin what acts on a cluster must be sequences of two at least.
    pub fn sequences(&self) -> bool {
        self.console.act_by_sequence
    }

    /// Whether it lets this one operate the cluster of this scope.
    pub fn lets(&self, operator: &Operator, scope: &str) -> bool {
        let Some(rules) = &self.rules else { return true };
        rules.iter().any(|rule| {
            rule.clusters.iter().any(|pattern| matches(pattern, scope))
                && (rule.users.contains(&operator.user) || rule.groups.iter().any(|group| operator.groups.contains(group)))
        })
    }
}

/// That nobody but root can change this.
pub(super) fn root_alone(place: &Path, meta: &Metadata) -> Result<(), PolicyError> {
    let open = |why: String| Err(PolicyError::Open { path: place.display().to_string(), why });
    match (meta.uid(), meta.mode() & 0o7777) {
        (0, mode) if mode & 0o022 == 0 => Ok(()),
        (0, mode) => open(format!("its mode is {mode:o}")),
        (owner, _) => open(format!("it belongs to user {owner}")),
    }
}

/// Whether a pattern, in which `*` stands for any text, is of the whole name.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut left) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, fits) in [
            ("*", "card-prod", true),
            ("card-*", "card-prod", true),
            ("card-*", "my-card-prod", false),
            ("*-prod", "card-prod", true),
            ("c*d-*d", "card-prod", true),
            ("card-prod", "card-prod", true),
            ("card", "card-prod", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn mistakes_have_a_place() {
        for (text, told) in [
            ("[[operate]]\nusers = [\"a\"]\n", "p:1:1: missing field `clusters`"),
            ("[audit]\ndir = 3\n", "p:2:7: invalid type: integer `3`, expected path string"),
            ("operate = 1\n", "p:1:11: invalid type: integer `1`, expected a sequence"),
            ("[[operate]\n", "p:1:11: "),
            ("[audit]\nsyslog_required = true\n", "p:2:1: syslog_required needs syslog, the socket: \"/dev/log\""),
        ] {
            let error = Policy::parse("p", text).expect_err(text).to_string();
            assert!(error.starts_with(told), "{error}");
        }
    }

    #[test]
    fn a_second_person_is_wanted_for_what_is_named() {
        let text = "[[second_person]]\nclusters = [\"card-*\"]\noperations = [\"failover\"]\n\n[[second_person]]\nclusters = [\"gold\"]\n\n\
                    [requests]\ndir = \"/r\"\nminutes = 5\n\n[audit]\ndir = \"/a\"\n";
        let policy = Policy::parse("p", text).expect("a policy");
        for (scope, operation, wanted) in [
            ("card-prod", "failover", true),
            ("card-prod", "switchover", false),
            ("gold", "switchover", true),
            ("gold", "reload", true),
            ("other", "failover", false),
        ] {
            assert_eq!(policy.wants_second(scope, operation), wanted, "{operation} of {scope}");
        }
        assert_eq!(policy.requests().map(RequestsPolicy::lifetime), Some(Duration::from_secs(300)));
        assert!(!Policy::default().wants_second("gold", "failover"));
        let nowhere = Policy::parse("p", "[[second_person]]\nclusters = [\"gold\"]\n").expect_err("no folder").to_string();
        assert_eq!(nowhere, "p:1:1: second_person needs the folder of the requests: [requests] with dir");
        let own = Policy::parse("p", &text.replace("dir = \"/a\"", "syslog = \"/dev/log\"")).expect_err("no audit of all").to_string();
        assert!(own.starts_with("p:1:1: second_person needs the folder of the audit: [audit] with dir"), "{own}");
        let misspelt = Policy::parse("p", &text.replace("failover", "failovr")).expect_err("misspelt").to_string();
        assert!(misspelt.starts_with("p:1:1: \"failovr\" is no operation; there are checkpoint, demote-cluster, "), "{misspelt}");
    }

    #[test]
    fn sequences_are_wanted_only_by_who_says_so() {
        let wants = |text: &str| Policy::parse("p", text).map(|policy| policy.sequences());
        assert_eq!((wants(""), wants("[console]\nact_by_sequence = true\n"), Policy::default().sequences()), (Ok(false), Ok(true), false));
        let misspelt = wants("[console]\nact_by_sequences = true\n").expect_err("misspelt").to_string();
        assert!(misspelt.starts_with("p:2:1: unknown field `act_by_sequences`"), "{misspelt}");
    }

    #[test]
    fn a_file_without_an_entry_lets_nobody() {
        let policy = Policy::parse("p", "").expect("a policy");
        assert!(!policy.lets(&Operator::of_process(), "x"));
        assert!(Policy::default().lets(&Operator::of_process(), "x"));
    }
}
