//! The lines of `pgbaton config`: one fact per value, with its origin; a secret never gets further than this.

use std::fmt;
use std::path::PathBuf;

use super::diagnostic::{quote, shown};
use super::draft::Secret;
use super::origin::{Origin, Setting};
use super::passfile::PassFile;

/// One value of the effective configuration, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// `etcd.endpoints`.
    pub key: String,
    /// As it would be written in pgbaton.toml; `********` for a secret. Empty when nobody gave a value.
    pub value: String,
    /// Where it was found; `None` for a remark.
    pub origin: Option<Origin>,
    /// A remark: where the secret is kept, what is discovered later.
    pub remark: Option<String>,
    /// Why the file that the value names cannot be read now; `None`: it can, or the value is not a path.
    pub missing: Option<String>,
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut about: Vec<String> = self.origin.iter().map(ToString::to_string).collect();
        about.extend(self.remark.clone());
        about.extend(self.missing.clone());
        match self.value.as_str() {
            "" => write!(f, "# {}: {}", self.key, about.join("; ")),
            value => write!(f, "{} = {value}   # {}", self.key, about.join("; ")),
        }
    }
}

/// A name as a key of TOML: in quotes when it is not a bare word.
pub(crate) fn toml_key(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { name.to_owned() } else { format!("{name:?}") }
}

/// Collects facts.
#[derive(Debug, Default)]
pub(crate) struct Facts(Vec<Fact>);

impl Facts {
    pub fn into_vec(self) -> Vec<Fact> {
        self.0
    }

    pub fn plain(&mut self, key: &str, value: impl fmt::Display, origin: &Origin) {
        self.0.push(Fact { key: key.into(), value: value.to_string(), origin: Some(origin.clone()), remark: None, missing: None });
    }

    pub fn text(&mut self, key: &str, setting: &Setting<String>) {
        self.plain(key, format_args!("{:?}", setting.value), &setting.origin);
    }

    /// A path, and whether there is something to read at it: who reads the file later will say the same.
    pub fn path(&mut self, key: &str, setting: &Setting<PathBuf>) {
        let missing = std::fs::metadata(&setting.value).err().map(|e| super::file::reason(&e));
        let value = format!("{:?}", setting.value.display().to_string());
        self.0.push(Fact { key: key.into(), value, origin: Some(setting.origin.clone()), remark: None, missing });
    }

    /// A password file: that the usual one is not there is no news, that it cannot be used is.
    pub fn passfile(&mut self, key: &str, file: &PassFile, origin: &Origin) {
        let value = format!("{:?}", file.path.display().to_string());
        let absent = !file.required && !file.path.exists();
        let remark = absent.then(|| "there is no such file".to_owned());
        let missing = file.problem().map(|e| e.to_string());
        self.0.push(Fact { key: key.into(), value, origin: Some(origin.clone()), remark, missing });
    }

    pub fn secret(&mut self, key: &str, secret: &Secret, origin: &Origin) {
        let remark = match secret {
            Secret::Value(_) => None,
            Secret::Variable(name) => Some(format!("environment variable {}", quote(name))),
            Secret::File(path) => Some(format!("file {}", shown(path))),
        };
        self.0.push(Fact { key: key.into(), value: "********".into(), origin: Some(origin.clone()), remark, missing: None });
    }

    /// A key without a value, and why that is so.
    pub fn note(&mut self, key: &str, remark: &str) {
        self.0.push(Fact { key: key.into(), value: String::new(), origin: None, remark: Some(remark.into()), missing: None });
    }
}
