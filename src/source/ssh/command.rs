//! Everything that pgbaton runs on a node: a closed list of fixed scripts, which take what differs as arguments.

use super::way::shown;

/// A place in a file that cannot be mistaken for another file: device and inode as `stat` prints them, `65024:131`.
pub(super) type FileId = String;

/// One thing to run. Each reads only, and ends when its standard input does, or by itself within seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// Holds the line.
    Hold,
    /// Asks once for what a node has.
    Ask,
    /// Lists the newest files of a folder that match one of two patterns.
    Look { folder: String, pattern: String, more: String },
    /// Reads a file from a byte on.
    Follow { folder: String, name: String, id: FileId, from: u64, on: bool, pattern: String },
    /// Asks how the servers were started, which names their folders.
    Homes,
    /// Asks for what a node is doing; for each folder a word and its path.
    Facts { homes: Vec<String> },
    /// Asks for the folder of the DAGs: it, tenths of a second to wait for its disk, seconds between two counts of its files.
    Dags { folder: String, wait: u32, every: u32 },
    /// Asks the target for its load and a disk, and where tasks are written down in folders for those.
    Target { disk: String, guard: String },
    /// Reads what was added to the target's ledger.
    Ledger { file: String, id: FileId, from: u64 },
    /// Reads HAProxy's configuration, and tells whether an HAProxy runs with it.
    Proxy { file: String },
    /// Asks how each etcd was started, as far as its election goes.
    Election,
    /// Asks for the node's watchdog, and what its Patronis' configurations say of it.
    Watchdog,
    /// Reads a unit's entries in the journal.
    Journal { unit: String, cursor: String, since: i64, on: bool },
}

/// How often a file is looked at, seconds.
const PACE: &str = "0.5";

impl Command {
    /// Its text.
    pub fn script(&self) -> &'static str {
        match self {
            Self::Hold => include_str!("scripts/hold.sh"),
            Self::Ask => include_str!("scripts/ask.sh"),
            Self::Look { .. } => include_str!("scripts/look.sh"),
            Self::Follow { .. } => include_str!("scripts/follow.sh"),
            Self::Homes => include_str!("scripts/homes.sh"),
            Self::Facts { .. } => include_str!("scripts/facts.sh"),
            Self::Dags { .. } => include_str!("scripts/dags.sh"),
            Self::Target { .. } => include_str!("scripts/target.sh"),
            Self::Ledger { .. } => include_str!("scripts/ledger.sh"),
            Self::Proxy { .. } => include_str!("scripts/proxy.sh"),
            Self::Election => include_str!("scripts/election.sh"),
            Self::Watchdog => include_str!("scripts/watchdog.sh"),
            Self::Journal { .. } => include_str!("scripts/journal.sh"),
        }
    }

    /// What it is given.
    fn arguments(&self) -> Vec<String> {
        let flag = |on: bool| if on { "1" } else { "0" }.to_owned();
        match self {
            Self::Hold | Self::Ask | Self::Homes | Self::Election | Self::Watchdog => Vec::new(),
            Self::Proxy { file } => vec![file.clone()],
            Self::Facts { homes } => homes.clone(),
            Self::Dags { folder, wait, every } => vec![folder.clone(), wait.to_string(), every.to_string()],
            Self::Target { disk, guard } => vec![disk.clone(), guard.clone()],
            Self::Ledger { file, id, from } => vec![file.clone(), id.clone(), from.to_string()],
            Self::Look { folder, pattern, more } => vec![folder.clone(), pattern.clone(), more.clone()],
            Self::Follow { folder, name, id, from, on, pattern } => {
                vec![folder.clone(), name.clone(), id.clone(), from.to_string(), PACE.to_owned(), flag(*on), pattern.clone()]
            }
            Self::Journal { unit, cursor, since, on } => vec![unit.clone(), cursor.clone(), since.to_string(), flag(*on)],
        }
    }

    /// The words of the command line. `sh` reads the script, whatever the login's shell is.
    pub fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = ["sh", "-c", self.script(), "pgbaton"].map(str::to_owned).to_vec();
        words.extend(self.arguments());
        words
    }

    /// Name and arguments, for a person: the text is told once.
    pub fn told(&self) -> String {
        let name = match self {
            Self::Hold => "hold",
            Self::Ask => "ask",
            Self::Look { .. } => "look",
            Self::Follow { .. } => "follow",
            Self::Homes => "homes",
            Self::Facts { .. } => "facts",
            Self::Dags { .. } => "dags",
            Self::Target { .. } => "target",
            Self::Ledger { .. } => "ledger",
            Self::Proxy { .. } => "proxy",
            Self::Election => "election",
            Self::Watchdog => "watchdog",
            Self::Journal { .. } => "journal",
        };
        match self.arguments() {
            arguments if arguments.is_empty() => name.to_owned(),
            arguments => format!("{name} {}", shown(&arguments)),
        }
    }

    /// One of each, with words for what is put in.
    pub fn all() -> [Self; 13] {
        let [folder, name, unit] = ["FOLDER", "FILE", "UNIT"].map(str::to_owned);
        let (pattern, more, cursor, id) = ("PATTERN".to_owned(), "PATTERN".to_owned(), "CURSOR".to_owned(), "DEVICE:INODE".to_owned());
        [
            Self::Hold,
            Self::Ask,
            Self::Look { folder: folder.clone(), pattern: pattern.clone(), more },
            Self::Follow { folder, name, id, from: 0, on: true, pattern },
            Self::Journal { unit, cursor, since: 0, on: true },
            Self::Homes,
            Self::Facts { homes: ["WORD", "FOLDER"].map(str::to_owned).to_vec() },
            Self::Dags { folder: "FOLDER".to_owned(), wait: 13, every: 20 },
            Self::Target { disk: "FOLDER".to_owned(), guard: "FOLDER".to_owned() },
            Self::Ledger { file: "FILE".to_owned(), id: "DEVICE:INODE".to_owned(), from: 0 },
            Self::Proxy { file: "FILE".to_owned() },
            Self::Election,
            Self::Watchdog,
        ]
    }
}

/// Characters of a file's name that a pattern has meaning for, taken literally.
pub(super) fn literally(name: &str) -> String {
    name.chars().flat_map(|c| if "*?[]\\".contains(c) { vec!['\\', c] } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_shells_signs_is_one_word() {
        let name = "a'b;$(x) \"*".to_owned();
        let command =
            Command::Follow { folder: "/l".into(), name: name.clone(), id: "1:2".into(), from: 7, on: false, pattern: String::new() };
        let line = shown(&command.words());
        let words = shlex::split(&line).expect("splits");
        assert_eq!(words, command.words());
        assert!(words.contains(&name));
    }

    #[test]
    fn each_command_is_told_by_its_name() {
        let told: Vec<String> = Command::all().iter().map(|c| c.told().split(' ').next().unwrap_or_default().to_owned()).collect();
        let reading = ["hold", "ask", "look", "follow", "journal", "homes", "facts", "dags", "target", "ledger"];
        assert_eq!(told, [&reading[..], &["proxy", "election", "watchdog"]].concat());
    }
}
