//! The machines around the cluster: who mounts the folder of Airflow's DAGs, and where its tasks work.

use super::fact::Facts;
use super::origin::{Origin, Setting};
use crate::model::DagsWanted;

/// The folder of Airflow's DAGs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DagsProfile {
    /// The folder, and how it must be mounted.
    pub wanted: DagsWanted,
    /// The machines that mount it, as nodes are named for ssh.
    pub hosts: Vec<String>,
}

/// The machine on which Airflow's tasks work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetProfile {
    /// The machine, as nodes are named for ssh.
    pub host: String,
    /// A folder on the disk that is watched.
    pub disk: String,
    /// Where it writes down what tasks have done, if it does.
    pub book: Option<TargetBook>,
}

/// Where a machine writes down what tasks have done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetBook {
    /// A file to which a line is added for each start and each end.
    Ledger {
        /// Its path there.
        file: String,
        /// What is in a line.
        format: LedgerFormat,
    },
    /// A folder with one for each task that has started: `DAG/RUN/TASK/MAP_INDEX`, with `done` in it when it has ended.
    Guard(String),
}

/// The words of a ledger's line, with spaces between: `{time}` (seconds of Unix time, or RFC 3339), `{event}` (`START`, `END`), `{dag}`, `{task}`,
/// `{run}`, `{map}`, `{try}`; `{}` is a word that says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerFormat(pub String);

impl LedgerFormat {
    /// What there must be.
    pub(super) const NEEDED: [&'static str; 4] = ["{event}", "{dag}", "{task}", "{run}"];
    /// What there can be.
    pub(super) const KNOWN: [&'static str; 8] = ["{time}", "{event}", "{dag}", "{task}", "{run}", "{map}", "{try}", "{}"];
}

impl Default for LedgerFormat {
    fn default() -> Self {
        Self("{time} {event} {dag} {task} {run} {map} {try}".to_owned())
    }
}

/// The folder, as it is written.
#[derive(Debug, Clone)]
pub(crate) struct DagsDraft {
    pub path: Setting<String>,
    pub mount: Option<Setting<String>>,
    pub from: Option<Setting<String>>,
    pub hosts: Vec<Setting<String>>,
}

/// The machine, as it is written.
#[derive(Debug, Clone)]
pub(crate) struct TargetDraft {
    pub host: Setting<String>,
    pub disk: Option<Setting<String>>,
    pub ledger: Option<Setting<String>>,
    pub format: Option<Setting<String>>,
    pub guard: Option<Setting<String>>,
}

impl DagsDraft {
    pub(super) fn resolve(self, facts: &mut Facts) -> DagsProfile {
        facts.text("dags.path", &self.path);
        let mount = self.mount.unwrap_or_else(|| Setting::new(self.path.value.clone(), Origin::Default));
        facts.text("dags.mount", &mount);
        if let Some(from) = &self.from {
            facts.text("dags.from", from);
        }
        self.hosts.iter().enumerate().for_each(|(n, host)| facts.text(&format!("dags.hosts[{n}]"), host));
        DagsProfile {
            wanted: DagsWanted { path: self.path.value, mount: mount.value, from: self.from.map(|from| from.value) },
            hosts: self.hosts.into_iter().map(|host| host.value).collect(),
        }
    }
}

impl TargetDraft {
    pub(super) fn resolve(self, facts: &mut Facts) -> TargetProfile {
        facts.text("target.host", &self.host);
        let book = match (self.ledger, self.guard) {
            (Some(file), _) => {
                facts.text("target.ledger", &file);
                let format = self.format.unwrap_or_else(|| Setting::new(LedgerFormat::default().0, Origin::Default));
                facts.text("target.format", &format);
                Some(TargetBook::Ledger { file: file.value, format: LedgerFormat(format.value) })
            }
            (None, Some(folder)) => {
                facts.text("target.guard", &folder);
                Some(TargetBook::Guard(folder.value))
            }
            (None, None) => None,
        };
        let disk = self.disk.unwrap_or_else(|| {
            let beside = match &book {
                Some(TargetBook::Ledger { file, .. }) => {
                    file.rsplit_once('/').map(|(folder, _)| folder).filter(|f| !f.is_empty()).unwrap_or("/")
                }
                Some(TargetBook::Guard(folder)) => folder,
                None => "/",
            };
            Setting::new(beside.to_owned(), Origin::Default)
        });
        facts.text("target.disk", &disk);
        TargetProfile { host: self.host.value, disk: disk.value, book }
    }
}
