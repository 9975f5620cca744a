//! The runs on the disk: one file each in the state directory, written anew after every deed.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use directories::ProjectDirs;
use rustix::fs::{FlockOperation, flock};

use super::holder;
use crate::model::{Time, clean};
use crate::runbook::{Deed, Entry, Run, Step, Taken};

/// A run and its file.
#[derive(Debug)]
pub(in crate::cli) struct Record {
    folder: PathBuf,
    run: Run,
    lock: Option<File>,
}

fn folder() -> anyhow::Result<PathBuf> {
    let dirs = ProjectDirs::from("", "", "pgbaton").context("this user has no home directory, so there is no place for runs")?;
    Ok(dirs.state_dir().context("there is no state directory")?.join("runs"))
}

impl Record {
    /// Writes a new run down. One that is there already is another one, whatever its id says, and stays as it is.
    pub(in crate::cli) fn create(run: Run) -> anyhow::Result<Self> {
        Self::create_in(folder()?, run)
    }

    /// The same in this folder.
    pub(in crate::cli) fn create_in(folder: PathBuf, run: Run) -> anyhow::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut record = Self { folder, run, lock: None };
        record.hold()?;
        if record.path().exists() {
            bail!("there is a run {} already; begin anew", record.run.id);
        }
        record.write()?;
        Ok(record)
    }

    /// The run of this id.
    pub(in crate::cli) fn read(id: &str) -> anyhow::Result<Self> {
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
            bail!("{:?} is no run's id; `pgbaton runbook history` lists them", clean(id));
        }
        let folder = folder()?;
        let run = load(&folder.join(format!("{id}.json")))?;
        Ok(Self { folder, run, lock: None })
    }

    /// Every run that can be read, oldest first; and why others cannot.
    pub(in crate::cli) fn all() -> anyhow::Result<(Vec<Run>, Vec<String>)> {
        let Ok(entries) = std::fs::read_dir(folder()?) else { return Ok(Default::default()) };
        let files = entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "json"));
        let (mut runs, mut unread) = (Vec::new(), Vec::new());
        for path in files {
            match load(&path) {
                Ok(run) => runs.push(run),
                Err(why) => unread.push(format!("{why:#}")),
            }
        }
        runs.sort_by_key(|run| run.begun);
        Ok((runs, unread))
    }

    /// The newest run that is neither at its end nor aborted.
    pub(in crate::cli) fn open() -> anyhow::Result<Option<Self>> {
        let open = |run: &Run| {
            let runbook = super::library::find(&run.runbook).ok();
            !matches!(run.standing(runbook.as_ref()), "aborted" | "finished")
        };
        let folder = folder()?;
        let (runs, unread) = Self::all()?;
        unread.iter().for_each(|why| eprintln!("note: {why}"));
        Ok(runs.into_iter().rev().find(open).map(|run| Self { folder, run, lock: None }))
    }

    /// The run.
    pub(in crate::cli) fn run(&self) -> &Run {
        &self.run
    }

    /// Keeps others from going on with it while this lives, and reads it as it is now.
    pub(in crate::cli) fn lock(&mut self) -> anyhow::Result<()> {
        self.hold()?;
        // Somebody may have gone on with it between our reading and our lock.
        self.run = load(&self.path())?;
        Ok(())
    }

    /// Whether a process has the run of this id open now. Looking is over at once, and lets others look.
    pub(in crate::cli) fn is_held(id: &str) -> bool {
        folder().is_ok_and(|folder| is_locked(&folder.join(format!("{id}.lock"))))
    }

    fn hold(&mut self) -> anyhow::Result<()> {
        if self.lock.is_some() {
            return Ok(());
        }
        let path = self.folder.join(format!("{}.lock", self.run.id));
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            bail!("{}", holder::told(&path, &self.run.id));
        }
        holder::sign(&file).with_context(|| format!("cannot write {}", path.display()))?;
        self.lock = Some(file);
        Ok(())
    }

    /// Writes down what was done.
    pub(in crate::cli) fn add(&mut self, step: Option<&str>, each: Option<&str>, deed: Deed, at: Time) -> anyhow::Result<()> {
        self.run.entries.push(Entry { at, step: step.map(str::to_owned), each: each.map(str::to_owned), deed });
        self.write()
    }

    /// Writes the run down as it is now.
    pub(in crate::cli) fn replace(&mut self, run: Run) -> anyhow::Result<()> {
        self.run = run;
        self.write()
    }

    /// Takes in what became of a step; what is to be written down of it.
    pub(in crate::cli) fn settle(&mut self, step: &Step, taken: &Taken) -> Option<Deed> {
        self.run.settle(step, taken)
    }

    /// Passes a step over; what is to be written down of it.
    pub(in crate::cli) fn pass_over(&mut self, step: &Step, reason: &str) -> Deed {
        self.run.pass_over(step, reason)
    }

    fn path(&self) -> PathBuf {
        self.folder.join(format!("{}.json", self.run.id))
    }

    fn write(&self) -> anyhow::Result<()> {
        let path = self.path();
        let written = || -> std::io::Result<()> {
            // Whole or not at all, whatever ends us.
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            file.write_all(&serde_json::to_vec_pretty(&self.run)?)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            File::open(&self.folder)?.sync_all()
        };
        written().with_context(|| format!("cannot write {}", path.display()))
    }
}

fn is_locked(lock: &Path) -> bool {
    File::open(lock).is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockShared).is_err())
}

fn load(path: &Path) -> anyhow::Result<Run> {
    let text = std::fs::read(path).with_context(|| format!("there is no run in {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is no run", path.display()))
}

#[cfg(test)]
mod tests {

    use super::*;

    fn run() -> Run {
        Run { id: "1-2".to_owned(), ..Run::sample(String::new()) }
    }

    #[test]
    fn a_run_that_is_there_is_not_taken_for_a_new_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let create = |run: Run| Record::create_in(folder.path().to_owned(), run);
        let mut first = create(run()).expect("there is none");
        first.add(Some("a"), None, Deed::Begun, Time::from_micros(1)).expect("written");
        assert!(create(run()).expect_err("it is open").to_string().starts_with("run 1-2 is held by "));
        let was = first.run().clone();
        drop(first);
        let newer = Run { by: "bert".to_owned(), ..run() };
        assert_eq!(create(newer).expect_err("it is there").to_string(), "there is a run 1-2 already; begin anew");
        assert_eq!(load(&folder.path().join("1-2.json")).expect("a run"), was, "and it stays as it was");
    }

    #[test]
    fn whoever_holds_a_run_is_told_to_the_next_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let held = || Record::create_in(folder.path().to_owned(), run());
        // A lock that nobody has signed yet, or that one has signed who is gone, names nobody.
        let path = folder.path().join("1-2.lock");
        assert!(!is_locked(&path), "there is none");
        for text in ["", r#"{"pid":2147483646,"by":"ada","since":"2026-11-24T03:00:00Z"}"#] {
            let lock = File::create(&path).expect("a file");
            (&lock).write_all(text.as_bytes()).expect("written");
            flock(&lock, FlockOperation::NonBlockingLockExclusive).expect("nobody has it");
            assert!(held().expect_err("it is locked").to_string().starts_with("run 1-2 is held by another pgbaton: "), "{text}");
        }
        let _first = held().expect("it is free");
        assert!(is_locked(&path), "who looks sees that");
        let told = held().expect_err("it is open").to_string();
        let by = crate::permit::Operator::of_process().told();
        assert!(told.starts_with(&format!("run 1-2 is held by process {}, of {by}, since 20", std::process::id())), "{told}");
        assert!(told.ends_with("`pgbaton runbook resume 1-2`"), "{told}");
    }

    #[test]
    fn a_run_is_read_anew_by_whoever_holds_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut record = Record::create_in(folder.path().to_owned(), run()).expect("there is none");
        record.run.by = "bert".to_owned();
        record.lock().expect("it is ours");
        assert_eq!(record.run(), &run(), "what is not on the disk was not done");
    }
}
