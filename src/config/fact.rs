//! The lines of `pgbaton config`: one fact per value, with its origin; a secret never gets further than this.

use std::fmt;
use std::path::PathBuf;

use super::draft::Secret;
use super::origin::{Origin, Setting};

/// One value of the effective configuration, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// `etcd.endpoints`.
    pub key: String,
    /// As it would be written in pgbaton.toml; `********` for a secret. Empty when nobody gave a value.
    pub value: String,
    /// Where it was found; `None` for a remark.
    pub origin: Option<Origin>,
    /// A remark: the file is not there, the value is discovered later.
    pub remark: Option<String>,
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut about: Vec<String> = self.origin.iter().map(ToString::to_string).collect();
        about.extend(self.remark.clone());
        match self.value.as_str() {
            "" => write!(f, "# {}: {}", self.key, about.join("; ")),
            value => write!(f, "{} = {value}   # {}", self.key, about.join("; ")),
        }
    }
}

/// Collects facts.
#[derive(Debug, Default)]
pub(crate) struct Facts(Vec<Fact>);

impl Facts {
    pub fn into_vec(self) -> Vec<Fact> {
        self.0
    }

    pub fn plain(&mut self, key: &str, value: impl fmt::Display, origin: &Origin) {
        self.0.push(Fact { key: key.into(), value: value.to_string(), origin: Some(origin.clone()), remark: None });
    }

    pub fn text(&mut self, key: &str, setting: &Setting<String>) {
        self.plain(key, format_args!("{:?}", setting.value), &setting.origin);
    }

    /// A path, with a remark when there is nothing to read at it: the reader of the file will say the same, later.
    pub fn path(&mut self, key: &str, setting: &Setting<PathBuf>) {
        let remark = std::fs::metadata(&setting.value).err().map(|e| match e.kind() {
            std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
            _ => e.to_string(),
        });
        let value = format!("{:?}", setting.value.display().to_string());
        self.0.push(Fact { key: key.into(), value, origin: Some(setting.origin.clone()), remark });
    }

    pub fn secret(&mut self, key: &str, secret: &Secret, origin: &Origin) {
        let remark = match secret {
            Secret::Value(_) => None,
            Secret::Variable(name) => Some(format!("environment variable {name}")),
            Secret::File(path) => Some(format!("file {}", path.display())),
        };
        self.0.push(Fact { key: key.into(), value: "********".into(), origin: Some(origin.clone()), remark });
    }

    /// A key without a value, and why that is so.
    pub fn note(&mut self, key: &str, remark: &str) {
        self.0.push(Fact { key: key.into(), value: String::new(), origin: None, remark: Some(remark.into()) });
    }
}
