//! What Airflow ran, kept in the user's state directory: a console that is started after an outage must know what ran before it.

use std::fs::{DirBuilder, File, OpenOptions, rename};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use directories::ProjectDirs;
use serde::{Deserialize, Serialize};

use crate::model::{Cluster, RescueMemory};

/// No memory is longer, bytes.
const LONGEST: u64 = 1 << 20;

/// What is in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    /// Patroni's scope.
    cluster: String,
    memory: RescueMemory,
}

/// `$XDG_STATE_HOME/pgbaton/airflow/SCOPE.json`.
fn file(scope: &str) -> Option<PathBuf> {
    let folder = ProjectDirs::from("", "", "pgbaton")?.state_dir()?.join("airflow");
    // A scope can have any character.
    let name: String = scope
        .bytes()
        .map(|b| if b.is_ascii_alphanumeric() || b == b'-' { char::from(b).to_string() } else { format!("%{b:02x}") })
        .collect();
    Some(folder.join(format!("{name}.json")))
}

/// What is remembered of a cluster; what cannot be read is not remembered.
pub(super) fn read(scope: &str) -> Option<RescueMemory> {
    let mut text = String::new();
    File::open(file(scope)?).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    let kept: Line = serde_json::from_str(&text).ok()?;
    (kept.cluster == scope).then_some(kept.memory)
}

/// What was written last, so that it is written again only when it is another.
#[derive(Debug, Default)]
pub(super) struct Kept(Option<RescueMemory>);

impl Kept {
    /// Writes down what is known by now, unless that is there already or another of us knows more. Best effort: nothing depends on it but what can
    /// be told after an outage.
    pub fn keep(&mut self, cluster: &Cluster) {
        let memory = &cluster.rescue_memory;
        if *memory == RescueMemory::default() || self.0.as_ref() == Some(memory) {
            return;
        }
        if read(&cluster.scope).is_none_or(|there| memory.newer_than(&there)) && write(&cluster.scope, memory).is_none() {
            return;
        }
        self.0 = Some(memory.clone());
    }
}

/// Replaces the file as a whole, so that no reader sees half of it.
fn write(scope: &str, memory: &RescueMemory) -> Option<()> {
    let path = file(scope)?;
    DirBuilder::new().recursive(true).mode(0o700).create(path.parent()?).ok()?;
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let text = serde_json::to_string(&Line { cluster: scope.to_owned(), memory: memory.clone() }).ok()?;
    let mut new = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside).ok()?;
    new.write_all(text.as_bytes()).ok()?;
    new.sync_data().ok()?;
    rename(&beside, &path).ok()
}
