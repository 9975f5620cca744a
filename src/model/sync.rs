//! Synchronous replication as its three parties have it: the DCS key `sync`, the leader's `synchronous_standby_names`, and who is connected.

use std::collections::BTreeSet;

use super::{Cluster, Lasting, Parsed, PostgresStatus, Time};

/// For whom commits wait (manual, `synchronous_standby_names`). Names are compared without regard to case, as PostgreSQL does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StandbyNames {
    /// For nobody.
    Nobody,
    /// For so many of any standbys (`*`).
    Anybody(usize),
    /// For so many of these.
    These(usize, BTreeSet<String>),
}

impl StandbyNames {
    /// Reads the setting; `None`: it does not have its form.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Some(Self::Nobody);
        }
        let (number, list) = match text.strip_suffix(')').and_then(|rest| rest.split_once('(')) {
            Some((method, list)) => {
                let method = method.trim().to_ascii_lowercase();
                let number = method.strip_prefix("any").or_else(|| method.strip_prefix("first")).unwrap_or(&method);
                (number.trim().parse().ok()?, list)
            }
            None => (1, text),
        };
        let names = names(list)?;
        Some(if names.iter().any(|name| name == "*") { Self::Anybody(number) } else { Self::These(number, names) })
    }

    /// For how many standbys a commit waits.
    pub fn number(&self) -> usize {
        match self {
            Self::Nobody => 0,
            Self::Anybody(number) | Self::These(number, _) => *number,
        }
    }
}

/// Names between commas, in lower case; one in double quotes may hold anything.
fn names(list: &str) -> Option<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let mut rest = list.trim();
    loop {
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let end = quoted.replace("\"\"", "\0\0").find('"')?;
                (quoted[..end].replace("\"\"", "\""), quoted[end + 1..].trim_start())
            }
            None => {
                let (name, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
                let name = name.trim();
                // Also the mark of a text that was cut ([`clean`](super::clean)): whom it names is not known as a whole.
                if name.contains(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"' | '…')) {
                    return None;
                }
                (name.to_owned(), after)
            }
        };
        if name.is_empty() {
            return None;
        }
        names.insert(name.to_lowercase());
        match after.strip_prefix(',') {
            Some(more) => rest = more.trim_start(),
            None => return after.is_empty().then_some(names),
        }
    }
}

/// The three, at one moment; names in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncSets {
    /// The leader.
    pub leader: String,
    /// The leader for which the DCS key `sync` was written.
    pub key_leader: Option<String>,
    /// Who may take over by the DCS key `sync`.
    pub key: BTreeSet<String>,
    /// For whom commits wait.
    pub names: StandbyNames,
    /// Whom `pg_stat_replication` calls synchronous, one entry for each connection.
    pub connected: Vec<String>,
    /// Whether commits wait for a standby at all (`synchronous_commit`).
    pub commits_wait: bool,
}

impl SyncSets {
    /// Whether commits wait for more standbys than there are.
    pub fn hang(&self) -> bool {
        self.commits_wait && self.connected.len() < self.names.number()
    }

    /// Whether nobody is synchronous, and nobody is waited for.
    pub fn alone(&self) -> bool {
        self.connected.is_empty() && self.names.number() == 0
    }

    /// Whether the three do not name the same standbys.
    pub fn differ(&self) -> bool {
        let connected: BTreeSet<String> = self.connected.iter().cloned().collect();
        let named = match &self.names {
            StandbyNames::Nobody => BTreeSet::new(),
            StandbyNames::Anybody(_) => connected.clone(),
            StandbyNames::These(_, names) => names.clone(),
        };
        self.key != named || named != connected || !self.key_leader.as_ref().is_some_and(|l| l.eq_ignore_ascii_case(&self.leader))
    }
}

/// What of it is not as it should be, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SyncWatch {
    /// [`SyncSets::hang`].
    pub hangs: Lasting,
    /// [`SyncSets::alone`].
    pub alone: Lasting,
    /// [`SyncSets::differ`].
    pub differs: Lasting,
}

impl Cluster {
    /// The three, as far as synchronous replication is asked for and all of them are known now.
    pub fn sync_sets(&self, now: Time) -> Option<SyncSets> {
        if self.synchronous(now) != Some(true) {
            return None;
        }
        let leader = self.members.get(self.leader_now(now)?)?;
        let sql = leader.sql_now(now).filter(|sql| !sql.in_recovery)?;
        let lower = |name: &String| name.to_lowercase();
        let key = match &self.dcs.keys.sync {
            None => None,
            Some(Parsed::Good(key)) => Some(key),
            // What is wrong with it is said elsewhere.
            Some(Parsed::Bad(_)) => return None,
        };
        Some(SyncSets {
            leader: leader.name.clone(),
            key_leader: key.and_then(|key| key.leader.clone()),
            key: key.map(|key| key.standbys.iter().map(lower).collect()).unwrap_or_default(),
            names: StandbyNames::parse(sql.settings.synchronous_standby_names.as_deref()?)?,
            connected: connected(sql)?,
            commits_wait: !matches!(sql.settings.synchronous_commit.as_deref(), Some("off" | "local")),
        })
    }

    /// Whether synchronous replication is asked for; `None`: not known now. A standby cluster has none of its own.
    fn synchronous(&self, now: Time) -> Option<bool> {
        let config = self.config().filter(|_| self.dcs_current(now))?;
        Some(config.synchronous_mode != "off" && !config.standby_cluster)
    }

    /// Keeps in mind since when something is not as it should be.
    pub(super) fn follow_sync(&mut self, at: Time) {
        let (hangs, alone, differs) = match self.sync_sets(at) {
            Some(sets) => (sets.hang(), sets.alone(), sets.differ()),
            None if self.synchronous(at) == Some(false) => (false, false, false),
            None => return,
        };
        self.sync_watch.hangs.follow(hangs, at);
        self.sync_watch.alone.follow(alone, at);
        self.sync_watch.differs.follow(differs, at);
    }
}

/// The synchronous connections; `None` when our user may not see which they are.
fn connected(sql: &PostgresStatus) -> Option<Vec<String>> {
    sql.replication.iter().all(|row| row.sync_state.is_some()).then(|| {
        let synchronous = sql.replication.iter().filter(|row| matches!(row.sync_state.as_deref(), Some("sync" | "quorum")));
        synchronous.map(|row| row.application_name.to_lowercase()).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::StandbyNames::{self, Anybody, Nobody, These};

    fn these(number: usize, names: &[&str]) -> Option<StandbyNames> {
        Some(These(number, names.iter().map(|n| (*n).to_owned()).collect()))
    }

    #[test]
    fn the_setting_in_each_of_its_forms() {
        let parse = StandbyNames::parse;
        assert_eq!(parse(" "), Some(Nobody));
        assert_eq!(parse("psg2"), these(1, &["psg2"]));
        assert_eq!(parse("PSG2, psg3"), these(1, &["psg2", "psg3"]));
        assert_eq!(parse("2 (psg2,psg3)"), these(2, &["psg2", "psg3"]));
        assert_eq!(parse("FIRST 2 (psg2, psg3)"), these(2, &["psg2", "psg3"]));
        assert_eq!(parse("ANY 1 (\"psg-2\",psg3 , \"a \"\"b\"\", (c)\")"), these(1, &["psg-2", "psg3", "a \"b\", (c)"]));
        assert_eq!(parse("any 3(psg2)"), these(3, &["psg2"]));
        assert_eq!(parse("*"), Some(Anybody(1)));
        assert_eq!(parse("1 (*)"), Some(Anybody(1)));
        for bad in ["psg2,", ",", "any (psg2)", "2 psg2)", "\"psg2", "\"a\" b", "some 2 (psg2)", "2 ()", "psg2, psg…"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
