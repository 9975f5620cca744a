//! The files as they are to be, against those that are there; and writing them, all or none.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use secrecy::{ExposeSecret, SecretString};

use super::diff::{self, Secrets};

/// Who may read a file, and what of it may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Anybody.
    Public,
    /// Its owner; of its differences what is no secret is shown.
    Private,
    /// Its owner; nothing of it is ever shown.
    Opaque,
}

impl Kind {
    fn mode(self) -> u32 {
        if self == Self::Public { 0o644 } else { 0o600 }
    }
}

/// A file as it is to be.
#[derive(Debug)]
pub struct Wanted {
    /// Below the folder that is written to.
    pub path: String,
    /// Its text.
    pub text: SecretString,
    /// Who may read it.
    pub kind: Kind,
}

/// What is to be done for one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is not there.
    New,
    /// It is as it is to be.
    Same,
    /// It is there with another text.
    Changed,
}

/// A file with what is to be done for it.
#[derive(Debug)]
struct Item {
    wanted: Wanted,
    state: State,
    /// What is different, as it may be shown.
    diff: String,
}

/// The folder as it is and as it is to be.
#[derive(Debug)]
pub struct Tree {
    out: PathBuf,
    items: Vec<Item>,
}

impl Tree {
    /// Compares.
    ///
    /// # Errors
    /// What is there is no plain file, cannot be read, or is a secret that others may read.
    pub fn compare(out: &Path, mut wanted: Vec<Wanted>, secrets: &Secrets) -> Result<Self> {
        wanted.sort_by(|one, other| one.path.cmp(&other.path));
        let items = wanted.into_iter().map(|wanted| item(out, wanted, secrets)).collect::<Result<_>>()?;
        Ok(Self { out: out.to_owned(), items })
    }

    /// How many files are in a state.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.items.iter().filter(|item| item.state == state).count()
    }

    /// Every file with what is to be done for it and who may read it.
    #[must_use]
    pub fn listing(&self) -> String {
        let line = |item: &Item| {
            let word = match item.state {
                State::New => "new",
                State::Same => "same",
                State::Changed => "changed",
            };
            format!("{word:<8} {:04o}  {}\n", item.wanted.kind.mode(), item.wanted.path)
        };
        self.items.iter().map(line).collect()
    }

    /// What is different in files that are there.
    #[must_use]
    pub fn diffs(&self) -> String {
        let changed = self.items.iter().filter(|item| item.state == State::Changed);
        changed.map(|item| format!("{}\n{}", self.out.join(&item.wanted.path).display(), item.diff)).collect::<Vec<_>>().join("\n")
    }

    /// Writes what is new or changed. Each text is on the disk beside its place before the first takes it, so that what can fail fails before.
    ///
    /// # Errors
    /// Names the path that could not be written.
    pub fn write(&self) -> Result<()> {
        // The rest is behind this one; a folder in it keeps its mode where it is unpacked on its machine.
        folder(&self.out, 0o700)?;
        let mut ready = Vec::new();
        for Item { wanted, .. } in self.items.iter().filter(|item| item.state != State::Same) {
            let path = self.out.join(&wanted.path);
            let place = path.parent().unwrap_or(&self.out);
            folder(place, 0o755)?;
            let staged = (|| {
                let mut file =
                    tempfile::Builder::new().prefix(".new-").permissions(Permissions::from_mode(wanted.kind.mode())).tempfile_in(place)?;
                file.write_all(wanted.text.expose_secret().as_bytes())?;
                // The umask has taken from it what it is to have.
                file.as_file().set_permissions(Permissions::from_mode(wanted.kind.mode()))?;
                file.as_file().sync_all()?;
                Ok::<_, std::io::Error>(file)
            })();
            ready.push((staged.with_context(|| format!("cannot write {}", path.display()))?, path));
        }
        for (file, path) in ready {
            file.persist(&path).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

/// Makes a folder, unless it is there.
fn folder(path: &Path, mode: u32) -> Result<()> {
    DirBuilder::new().recursive(true).mode(mode).create(path).with_context(|| format!("cannot make the folder {}", path.display()))
}

fn item(out: &Path, wanted: Wanted, secrets: &Secrets) -> Result<Item> {
    let path = out.join(&wanted.path);
    let meta = match fs::symlink_metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Item { wanted, state: State::New, diff: String::new() }),
        other => other.with_context(|| format!("cannot look at {}", path.display()))?,
    };
    if !meta.is_file() {
        bail!("{} is there and is no plain file: nothing was written", path.display());
    }
    let mode = meta.permissions().mode() & 0o777;
    if wanted.kind != Kind::Public && mode & 0o077 != 0 {
        bail!(
            "{} holds secrets and has mode {mode:04o}: others may have read them; nothing was written\nhint: change those passwords, then `chmod 600` it",
            path.display()
        );
    }
    let there = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if there == wanted.text.expose_secret().as_bytes() {
        return Ok(Item { wanted, state: State::Same, diff: String::new() });
    }
    let diff = match wanted.kind {
        Kind::Opaque => "  it differs; it is a secret and not shown\n".to_owned(),
        _ => diff::lines(&String::from_utf8_lossy(&there), wanted.text.expose_secret(), secrets),
    };
    Ok(Item { wanted, state: State::Changed, diff })
}
