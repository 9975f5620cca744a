//! How a silence is told: who takes connections and says nothing hangs, who refuses them does not run, and where nothing comes back at all it may
//! be the network as well as the machine.
//!
//! The kernel takes connections for a program that is stopped, until that program's queue of them is full, which for Patroni's REST API is after
//! five. So one that was taken proves a machine that lives, and one that was not proves nothing while something else on that machine is heard.

use std::time::Duration;

use crate::model::{Cluster, ErrorKind, Member, Observed, SourceError, SourceKind, Time, etcd_beside, spoken};

/// What lasts for less has no number.
const MOMENT: Duration = Duration::from_secs(1);

/// The silence of somebody who is asked.
#[derive(Clone, Copy)]
pub(super) struct Silence<'a> {
    error: &'a SourceError,
    /// For how long nothing good was heard: the age of the last answer, as the panes show it.
    lasting: Duration,
    /// Whether there ever was an answer.
    answered: bool,
    /// Whether something else on the same machine is heard.
    machine_lives: bool,
}

impl<'a> Silence<'a> {
    /// That of a source, if it fails.
    pub fn of<T>(seen: &'a Observed<T>, now: Time) -> Option<Self> {
        let since = seen.silent_since()?;
        Some(Self { error: seen.error()?, lasting: now.since(since), answered: seen.at().is_some(), machine_lives: false })
    }

    /// That of a source which fails with `error`, and whose last answer is so old.
    pub fn aged(error: &'a SourceError, age: Option<Duration>) -> Self {
        Self { error, lasting: age.unwrap_or_default(), answered: age.is_some(), machine_lives: false }
    }

    /// That of a member's REST API.
    pub fn rest(cluster: &Cluster, member: &'a Member, now: Time) -> Option<Self> {
        let asked = asked(&member.rest)?;
        let machine_lives = signs_of_life(&member.sql, asked) || beside(cluster, member, asked);
        Some(Self { machine_lives, ..Self::of(&member.rest, now)? })
    }

    /// That of a member's PostgreSQL.
    pub fn sql(cluster: &Cluster, member: &'a Member, now: Time) -> Option<Self> {
        let asked = asked(&member.sql)?;
        let machine_lives = signs_of_life(&member.rest, asked) || beside(cluster, member, asked);
        Some(Self { machine_lives, ..Self::of(&member.sql, now)? })
    }

    /// The error's kind.
    pub fn kind(&self) -> ErrorKind {
        self.error.kind
    }

    /// Whether the kind of silence says more than that it is one.
    pub fn says_more(&self) -> bool {
        matches!(self.error.kind, ErrorKind::Hung | ErrorKind::Refused | ErrorKind::Unreachable)
    }

    /// Whether nothing came back from a machine of which nothing else is heard either.
    pub fn is_far(&self) -> bool {
        self.error.kind == ErrorKind::Unreachable && !self.machine_lives
    }

    /// `for 5 s`, with what stands before it; nothing when it has only just begun.
    pub fn lasts(&self, before: &str) -> String {
        if self.lasting < MOMENT { String::new() } else { format!("{before}for {}", spoken(self.lasting)) }
    }

    /// What it does, behind its name: `hangs: accepts connections, answers nothing for 5 s`.
    pub fn told(&self) -> String {
        match self.error.kind {
            ErrorKind::Hung => format!("hangs: accepts connections, answers nothing{}", self.lasts(" ")),
            ErrorKind::Refused => "refuses connections: not running".to_owned(),
            ErrorKind::Unreachable if self.machine_lives => {
                format!("takes no connections{}, though its machine is there: it hangs, or a firewall drops them", self.lasts(" "))
            }
            ErrorKind::Unreachable => format!("is out of reach: no answer from the host{}: network or machine", self.lasts(" ")),
            _ => format!("does not answer ({})", self.error),
        }
    }

    /// The same, with the age of the last answer in any case.
    pub fn told_aged(&self) -> String {
        let told = self.told();
        let has_age = matches!(self.error.kind, ErrorKind::Hung | ErrorKind::Unreachable);
        if has_age || !self.answered || self.lasting < MOMENT { told } else { format!("{told}, last answer {} ago", spoken(self.lasting)) }
    }

    /// Behind a colon: the same of one who was named before, where the kind says more than the error.
    pub fn said(&self) -> String {
        if self.says_more() { format!("it {}", self.told()) } else { self.error.told() }
    }
}

/// When the newest question was asked that was not answered: only what is heard after that says that the machine did not fall silent as a whole.
fn asked<T>(seen: &Observed<T>) -> Option<Time> {
    seen.failed_at().map(|at| at.before(SourceKind::Rest.deadline()))
}

/// Whether somebody answered since then, or the kernel took or refused a connection in its stead.
fn signs_of_life<T>(seen: &Observed<T>, since: Time) -> bool {
    match seen.error() {
        None => seen.at() > Some(since),
        Some(error) => matches!(error.kind, ErrorKind::Hung | ErrorKind::Refused) && seen.failed_at() > Some(since),
    }
}

/// The same of the etcd on a member's machine, and of what the machine says over ssh.
fn beside(cluster: &Cluster, member: &Member, since: Time) -> bool {
    let etcd = etcd_beside(cluster, member).is_some_and(|(_, seen)| signs_of_life(seen, since));
    etcd || cluster.hosts.get(&member.name).is_some_and(|host| signs_of_life(&host.seen, since))
}
