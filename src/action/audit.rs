//! Who did what, when, and what became of it: one JSON line before and one after each action.
//!
//! The file is only ever appended to. A line is written under a lock, in one piece, and is on the disk before the order goes out; if it cannot
//! be written, nothing is done. A second lock, one for each cluster, keeps two of us from acting on it at once.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions, Permissions, create_dir_all};
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use directories::ProjectDirs;
use rustix::fs::{FlockOperation, flock};
use serde_json::Value;

use super::Outcome;
use super::entry::{Entry, Event};
use super::syslog::Syslog;
use crate::model::{Time, clean};
use crate::permit::{AuditPolicy, Operator};

/// The file's name in its folder.
const NAME: &str = "audit.jsonl";
/// What a request is called as an operation.
pub(super) const ASK: &str = "ask";
/// How the end begins of what was written down and then not sent.
pub(super) const NOTHING_ASKED: &str = "nothing was asked for";
/// What an approval is called as an operation.
pub(super) const APPROVE: &str = "approve";

/// Why the audit cannot be kept; then nothing is done. Displays as a sentence.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// There is no place for it.
    #[error("there is no place for the audit: this user has no home directory, and the policy file names none")]
    NoPlace,
    /// A file cannot be used.
    #[error("the audit cannot be written: {path}: {why}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// The system's log does not take a line, and the policy wants it.
    #[error("the audit cannot be sent to syslog: {path}: {why}", path = path.display())]
    Syslog {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// Another of us is at work on this cluster.
    #[error("another pgbaton on this machine is in the middle of an action on {0}")]
    Busy(String),
}

/// The file.
#[derive(Debug, Clone)]
pub struct Audit {
    folder: PathBuf,
    /// Whether the folder is the policy's, for several users.
    shared: bool,
    /// Where each line goes beside.
    syslog: Option<Syslog>,
}

/// A cluster that is locked for others of us.
#[derive(Debug)]
pub struct Held {
    cluster: String,
    lock: File,
}

/// An action that has begun; the cluster is locked for others of us while this lives.
#[derive(Debug)]
pub struct Begun {
    id: String,
    cluster: String,
    operation: String,
    /// What is to be said of it beside, a sentence.
    note: Option<String>,
    _lock: File,
}

impl Begun {
    /// Patroni's scope.
    pub(super) fn cluster(&self) -> &str {
        &self.cluster
    }

    /// What is to be said of its first line beside, a sentence.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

impl Audit {
    /// Where the policy says, else in the user's state directory (`$XDG_STATE_HOME/pgbaton`).
    ///
    /// # Errors
    /// There is no such place.
    pub fn place(policy: &AuditPolicy) -> Result<Self, AuditError> {
        let syslog = policy.syslog.as_ref().map(|path| Syslog::new(path, policy.syslog_required));
        if let Some(folder) = &policy.dir {
            return Ok(Self { folder: folder.clone(), shared: true, syslog });
        }
        let dirs = ProjectDirs::from("", "", "pgbaton").ok_or(AuditError::NoPlace)?;
        let folder = dirs.state_dir().ok_or(AuditError::NoPlace)?.to_owned();
        Ok(Self { folder, shared: false, syslog })
    }

    /// With each line to the system's log too, if the configuration wants it; the policy's word comes first.
    #[must_use]
    pub fn and_syslog(mut self, path: Option<&Path>) -> Self {
        self.syslog = self.syslog.or_else(|| path.map(|path| Syslog::new(path, false)));
        self
    }

    /// Its folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.folder.join(NAME)
    }

    /// Locks a cluster: no other of us acts on it while this lives.
    ///
    /// # Errors
    /// Another of us is at work on it.
    pub fn hold(&self, cluster: &str) -> Result<Held, AuditError> {
        self.prepare()?;
        Ok(Held { cluster: cluster.to_owned(), lock: self.lock(cluster)? })
    }

    /// Writes the first line of an action on a cluster that is held.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn begin(&self, held: Held, at: Time, operation: &str, event: Event) -> Result<Begun, AuditError> {
        let Held { cluster, lock } = held;
        let id = format!("{}-{}", at.as_micros(), std::process::id());
        let entry = Entry { id: id.clone(), at, cluster: cluster.clone(), operation: operation.to_owned(), event };
        let note = self.append_or_take_back(vec![entry], NOTHING_ASKED)?;
        Ok(Begun { id, cluster, operation: operation.to_owned(), note, _lock: lock })
    }

    /// Writes the lines of what touches no cluster: a request, an approval.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn note(&self, at: Time, cluster: &str, operation: &str, events: Vec<Event>) -> Result<Option<String>, AuditError> {
        self.prepare()?;
        let id = format!("{}-{}", at.as_micros(), std::process::id());
        let entry = |event| Entry { id: id.clone(), at, cluster: cluster.to_owned(), operation: operation.to_owned(), event };
        self.append_or_take_back(events.into_iter().map(entry).collect(), "it does not count")
    }

    /// Writes the last line.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn end(&self, begun: &Begun, at: Time, event: Event) -> Result<(), AuditError> {
        let Begun { id, cluster, operation, .. } = begun;
        let entry = Entry { id: id.clone(), at, cluster: cluster.clone(), operation: operation.clone(), event };
        self.append(&[entry]).map(drop)
    }

    /// Every line that can be read, oldest first, and how many could not.
    ///
    /// # Errors
    /// The file cannot be read; one that is not there is an empty one.
    pub fn read(&self) -> Result<(Vec<Entry>, usize), AuditError> {
        let path = self.path();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Vec::new(), 0)),
            Err(why) => return Err(AuditError::File { path, why }),
        };
        let (mut entries, mut bad) = (Vec::new(), 0);
        for line in BufReader::new(file).split(b'\n') {
            let line = line.map_err(|why| AuditError::File { path: path.clone(), why })?;
            match serde_json::from_slice(&line) {
                Ok(entry) => entries.push(entry),
                Err(_) if line.is_empty() => {}
                Err(_) => bad += 1,
            }
        }
        Ok((entries, bad))
    }

    /// Actions on a cluster that were begun by one who is gone, and whose end nobody wrote.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn left_open(&self, cluster: &str) -> Result<Vec<Entry>, AuditError> {
        let (entries, _) = self.read()?;
        let mut open: BTreeMap<String, Entry> = BTreeMap::new();
        for entry in entries.into_iter().filter(|entry| entry.cluster == cluster) {
            match entry.event {
                Event::Begin(_) => drop(open.insert(entry.id.clone(), entry)),
                Event::End { .. } => drop(open.remove(&entry.id)),
            }
        }
        if open.is_empty() {
            return Ok(Vec::new());
        }
        // Whoever holds the lock is at it still.
        match self.lock(cluster) {
            Err(AuditError::Busy(_)) => Ok(Vec::new()),
            _ => Ok(open.into_values().collect()),
        }
    }

    /// Says of an action that was left open that its end is not known, so that it is said once.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn close(&self, open: &Entry, at: Time) -> Result<(), AuditError> {
        let event = Event::end(Outcome::Unknown, "pgbaton ended before it was known; found at a later start".to_owned());
        self.append(&[Entry { at, event, ..open.clone() }]).map(drop)
    }

    fn lock(&self, cluster: &str) -> Result<File, AuditError> {
        let path = self.folder.join(format!("{}.lock", clean(cluster).replace('/', "_")));
        let file = self.open(&path)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(file),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(AuditError::Busy(cluster.to_owned())),
            Err(why) => Err(AuditError::File { path, why: why.into() }),
        }
    }

    fn prepare(&self) -> Result<(), AuditError> {
        match self.shared {
            true => Ok(()),
            false => create_private(&self.folder).map_err(|why| AuditError::File { path: self.folder.clone(), why }),
        }
    }

    /// Writes lines; what the file has and the system's log does not take, though it must, is said in the file to be void.
    fn append_or_take_back(&self, mut entries: Vec<Entry>, void: &str) -> Result<Option<String>, AuditError> {
        match self.append(&entries) {
            Err(why @ AuditError::Syslog { .. }) => {
                let event = Event::end(Outcome::Refused, format!("{void}: {why}"));
                if let Some(last) = entries.pop() {
                    self.write(&lines(&[Entry { event, ..last }]).map_err(|e| self.failed(e))?)?;
                }
                Err(why)
            }
            other => other,
        }
    }

    /// Writes lines to the file, then to the system's log; what is to be said if that took one of them not, and need not.
    fn append(&self, entries: &[Entry]) -> Result<Option<String>, AuditError> {
        self.write(&lines(entries).map_err(|e| self.failed(e))?)?;
        let Some(syslog) = &self.syslog else { return Ok(None) };
        let mut note = None;
        for entry in entries {
            let line = serde_json::to_string(entry).map_err(|e| self.failed(e.into()))?;
            note = syslog.send(entry.at, &line)?.or(note);
        }
        Ok(note)
    }

    fn failed(&self, why: std::io::Error) -> AuditError {
        AuditError::File { path: self.path(), why }
    }

    fn write(&self, lines: &[u8]) -> Result<(), AuditError> {
        self.write_to(&self.path(), lines)
    }

    /// Adds lines to a file in the audit's folder; they are on the disk when this returns.
    pub(super) fn write_to(&self, path: &Path, lines: &[u8]) -> Result<(), AuditError> {
        let failed = |why: std::io::Error| AuditError::File { path: path.to_owned(), why };
        let mut file = self.open(path)?;
        flock(&file, FlockOperation::LockExclusive).map_err(|e| failed(e.into()))?;
        // What a full disk has left of a line must not take ours with it.
        let mut end = *b"\n";
        if let Some(last) = file.metadata().map_err(failed)?.len().checked_sub(1) {
            file.read_exact_at(&mut end, last).map_err(failed)?;
        }
        let lines = if end == *b"\n" { lines.to_vec() } else { [b"\n", lines].concat() };
        file.write_all(&lines).map_err(failed)?;
        file.sync_data().map_err(failed)
    }

    /// Whoever writes first must not keep the others out, whatever their umask is.
    fn share(&self, file: &File, mode: u32) -> std::io::Result<()> {
        let meta = file.metadata()?;
        let ours = meta.uid() == rustix::process::geteuid().as_raw();
        if self.shared && ours && meta.mode() & mode != mode { file.set_permissions(Permissions::from_mode(mode)) } else { Ok(()) }
    }

    fn open(&self, path: &Path) -> Result<File, AuditError> {
        let mode = if self.shared { 0o660 } else { 0o600 };
        let no_link = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();
        let mut how = OpenOptions::new();
        how.read(true).append(true).mode(mode).custom_flags(no_link);
        // In a sticky folder the kernel refuses O_CREAT for a file of another's, even where it is there (`fs.protected_regular`).
        let opened = match how.open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => how.create(true).open(path),
            opened => opened,
        };
        let shared = opened.and_then(|file| self.share(&file, mode).map(|()| file));
        shared.map_err(|why| AuditError::File { path: path.to_owned(), why })
    }
}

fn lines(entries: &[Entry]) -> std::io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut lines, entry)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

fn create_private(folder: &Path) -> std::io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        result => result,
    }
}

/// Who, as a line has it.
pub(super) fn who(operator: &Operator) -> Value {
    serde_json::to_value(operator).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::{Beginning, Check};

    fn audit() -> (tempfile::TempDir, Audit) {
        let folder = tempfile::tempdir().expect("a folder");
        let audit = Audit { folder: folder.path().join("state"), shared: false, syslog: None };
        (folder, audit)
    }

    fn begin() -> Event {
        Event::Begin(Box::new(Beginning {
            sentence: "reload of psg1".to_owned(),
            member: Some("psg1".to_owned()),
            who: Value::Null,
            pid: 1,
            request: Value::Null,
            patronictl: None,
            checks: vec![Check::green("member", "psg1's Patroni answers")],
            overridden: Vec::new(),
            answered: "y".to_owned(),
            reason: None,
            remind_at: None,
            second: None,
        }))
    }

    fn begun_on(audit: &Audit, at: Time, cluster: &str) -> Result<Begun, AuditError> {
        audit.begin(audit.hold(cluster)?, at, "reload", begin())
    }

    fn end() -> Event {
        Event::end(Outcome::Done, String::new())
    }

    #[test]
    fn what_was_begun_and_has_no_end_is_found_once() {
        let (_folder, audit) = audit();
        let at = Time::from_micros(1_000_000);
        let begun = begun_on(&audit, at, "x").expect("begun");
        assert!(audit.left_open("x").expect("readable").is_empty(), "it is under way");
        drop(begun);
        let open = audit.left_open("x").expect("readable");
        assert_eq!(open.len(), 1);
        assert!(audit.left_open("y").expect("readable").is_empty());
        audit.close(&open[0], at).expect("written");
        assert!(audit.left_open("x").expect("readable").is_empty());
        let begun = begun_on(&audit, at, "x").expect("begun");
        audit.end(&begun, at, end()).expect("written");
        drop(begun);
        assert!(audit.left_open("x").expect("readable").is_empty());
        assert_eq!(audit.read().expect("readable").0.len(), 4);
    }

    #[test]
    fn two_do_not_act_on_one_cluster_at_once() {
        let (_folder, audit) = audit();
        let at = Time::from_micros(0);
        let begun = begun_on(&audit, at, "x").expect("begun");
        assert!(matches!(begun_on(&audit, at, "x"), Err(AuditError::Busy(_))));
        assert!(begun_on(&audit, at, "y").is_ok());
        drop(begun);
        assert!(begun_on(&audit, at, "x").is_ok());
    }

    #[test]
    fn a_line_that_is_none_or_torn_is_counted_and_hides_no_other() {
        let (_folder, audit) = audit();
        drop(begun_on(&audit, Time::from_micros(0), "x").expect("begun"));
        let mut file = OpenOptions::new().append(true).open(audit.path()).expect("the file");
        file.write_all(b"\xff{\n").expect("written");
        drop(begun_on(&audit, Time::from_micros(9), "x").expect("begun"));
        let (entries, bad) = audit.read().expect("readable");
        assert_eq!((entries.len(), bad), (2, 1));
        file.write_all(b"{\"id\":").expect("written");
        drop(begun_on(&audit, Time::from_micros(18), "x").expect("begun"));
        let (entries, bad) = audit.read().expect("readable");
        assert_eq!((entries.len(), bad), (3, 2));
    }
}
