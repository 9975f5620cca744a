//! What can be done to a cluster.

use std::time::Duration;

use super::{Check, Confirm, Goal, Kept, Order};
use crate::finding::{Forecast, Limits};
use crate::model::{Cluster, FrozenPools, Member, PostgresStatus, Time};

/// The cluster as a plan is made on it.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// Who would take over.
    pub forecast: &'a Forecast,
    /// From where on something is too much.
    pub limits: &'a Limits,
    /// Now.
    pub now: Time,
}

impl<'a> Situation<'a> {
    /// The leader, as etcd has it now.
    pub fn leader(&self) -> Option<&'a str> {
        self.cluster.holder_now(self.now)
    }

    /// Whether etcd's word is current: else nobody knows who leads, nor which members there are.
    pub fn current(&self) -> bool {
        self.cluster.dcs_current(self.now)
    }

    /// Who leads, in a sentence.
    pub fn leader_told(&self) -> &'a str {
        self.leader().unwrap_or(if self.current() { "nobody" } else { "whoever leads" })
    }

    /// That this member is not there, as far as that can be said.
    pub fn no_member(&self, name: &str) -> String {
        match self.current() {
            true => format!("there is no member {name}"),
            false => format!("whether there is a member {name} is not known: etcd does not answer"),
        }
    }

    /// A member, if it is known.
    pub fn member(&self, name: &str) -> Option<&'a Member> {
        self.cluster.members.get(name)
    }

    /// The address of a member's REST API, by its key.
    ///
    /// # Errors
    /// It has none; the error is a sentence.
    pub fn api(&self, name: &str) -> Result<String, String> {
        let member = self.member(name).ok_or_else(|| self.no_member(name))?;
        let url = member.dcs().filter(|_| member.present).and_then(|key| key.api_url.clone());
        url.ok_or_else(|| format!("etcd has no address of {name}'s Patroni"))
    }
}

/// Something that can be done to a cluster. One file each.
pub trait Operation: std::fmt::Debug + Send + Sync {
    /// Its name on the command line: `switchover`.
    fn name(&self) -> &'static str;

    /// Names of other operations that do what this one does too: the policy's word on them is its word on this.
    fn also(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// All that was said of it, to be written down and made again by another process.
    ///
    /// # Errors
    /// It must not be written down; the error is a sentence.
    fn kept(&self) -> Result<Kept, String>;

    /// Whom it is done to, if it is one member.
    fn member(&self) -> Option<&str> {
        None
    }

    /// What it is, as a sentence without a full stop: `switchover from psg1 to psg2`.
    fn sentence(&self, situation: &Situation<'_>) -> String;

    /// The checks before it.
    fn checks(&self, situation: &Situation<'_>) -> Vec<Check>;

    /// What will be asked, of whom.
    ///
    /// # Errors
    /// Nobody is there to be asked; the error is a sentence, and the plan is red.
    fn order(&self, situation: &Situation<'_>) -> Result<Order, String>;

    /// The line of patronictl that does the same, or that of another program where the order is not for Patroni; `None`: there is none.
    fn patronictl(&self, situation: &Situation<'_>) -> Option<String>;

    /// What clients will notice, and what may be lost.
    fn effects(&self, situation: &Situation<'_>) -> Vec<String>;

    /// What has to be typed before it is done.
    fn confirm(&self, situation: &Situation<'_>) -> Confirm;

    /// Why it is done, if that was said.
    fn reason(&self) -> Option<&str> {
        None
    }

    /// After how long somebody is to be reminded of it.
    fn remind_after(&self) -> Option<Duration> {
        None
    }

    /// Whether it moves the writes to another server now: then it is measured how long they are away.
    fn moves_writes(&self) -> bool {
        false
    }

    /// What this machine is to remember before the order goes out; `before`: what it remembers. With the moment, and who it is.
    fn remembers(&self, _: &Situation<'_>, _before: Option<&FrozenPools>, _: (Time, &str)) -> Option<FrozenPools> {
        None
    }

    /// Whether that is to be forgotten once this is done.
    fn forgets(&self) -> bool {
        false
    }

    /// Whether the HAProxies are told who leads, as soon as that is proved.
    fn assisted(&self) -> bool {
        false
    }

    /// By what it is known to be done.
    fn goal(&self, situation: &Situation<'_>) -> Box<dyn Goal>;
}

/// A member's PostgreSQL, as it was read after a moment.
pub(super) fn read_since<'a>(cluster: &'a Cluster, member: &str, moment: Time, now: Time) -> Option<&'a PostgresStatus> {
    let member = cluster.members.get(member)?;
    member.sql_now(now).filter(|_| member.sql.at().is_some_and(|at| at > moment))
}

/// A word for patronictl's line, quoted where a shell would take it apart.
pub(super) fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
