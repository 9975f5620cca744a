//! Whose password is what: from the environment, from a file, or made once and kept.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use secrecy::{ExposeSecret, SecretString};

use super::inventory::{Inventory, Reference, Who};
use crate::credential;

/// The folder with those that were made.
pub const FOLDER: &str = "secrets";

/// All that are needed.
#[derive(Debug)]
pub struct Passwords {
    all: BTreeMap<Who, SecretString>,
    made: Vec<Who>,
}

impl Passwords {
    /// Finds them all. Files of the inventory are relative to `beside`; what was made before is below `out`.
    ///
    /// # Errors
    /// One is not there, others may read its file, or it has signs that no file can hold.
    pub fn find(inventory: &Inventory, beside: &Path, out: &Path) -> Result<Self> {
        let (mut all, mut made) = (BTreeMap::new(), Vec::new());
        for who in inventory.who() {
            let reference = inventory.passwords.iter().find(|(of, _)| *of == who).map_or(&Reference::Generate, |(_, reference)| reference);
            let password = match reference {
                Reference::Generate => {
                    made.push(who);
                    let path = out.join(FOLDER).join(who.name());
                    match private(&path)? {
                        Some(kept) => kept,
                        None => credential::random()?.into(),
                    }
                }
                Reference::Env(name) => std::env::var(name).map(SecretString::from).map_err(|_| {
                    anyhow::anyhow!("the password of {} is to come from {name}, which the environment does not have as text", who.name())
                })?,
                Reference::File(path) => {
                    let path = beside.join(path);
                    private(&path)?.with_context(|| format!("the password of {}: there is no file {}", who.name(), path.display()))?
                }
            };
            check(who, &password)?;
            all.insert(who, password);
        }
        Ok(Self { all, made })
    }

    /// One of them.
    ///
    /// # Errors
    /// It is not needed in this inventory.
    pub fn of(&self, who: Who) -> Result<&SecretString> {
        self.all.get(&who).with_context(|| format!("nobody asked for the password of {}", who.name()))
    }

    /// Those that are kept in `secrets/`.
    pub fn made(&self) -> impl Iterator<Item = (Who, &SecretString)> {
        self.made.iter().filter_map(|who| Some((*who, self.all.get(who)?)))
    }

    /// The words of all of them.
    pub fn words(&self) -> impl Iterator<Item = &SecretString> {
        self.all.values()
    }
}

/// A secret's file without its last line end; `None`: there is no such file.
///
/// # Errors
/// Others may read it, or it is no text.
pub fn private(path: &Path) -> Result<Option<SecretString>> {
    let meta = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.with_context(|| format!("{} cannot be read", path.display()))?,
    };
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        bail!(
            "{} holds a secret and has mode {mode:04o}: others may have read it\nhint: put another secret there, with `chmod 600`",
            path.display()
        );
    }
    let text = fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Some(line.strip_suffix('\r').unwrap_or(line).to_owned().into()))
}

/// Control characters would end a line of a file that the password stands in; too short a one is none.
fn check(who: Who, password: &SecretString) -> Result<()> {
    let word = password.expose_secret();
    if word.chars().any(char::is_control) {
        bail!("the password of {} has a control character or more than one line", who.name());
    }
    if word.chars().count() < 8 {
        bail!("the password of {} has fewer than 8 characters", who.name());
    }
    Ok(())
}
