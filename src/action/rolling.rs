//! Restarts of several members, one after the other: which is the next, by what the cluster says and not by what was asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Check, Situation};
use crate::model::{Member, Time, listed, spoken};

/// A rolling restart under way: when each member's PostgreSQL had started before it.
#[derive(Debug)]
pub struct Rolling {
    starts: BTreeMap<String, Time>,
    /// Whether a step of it was confirmed.
    begun: bool,
}

/// The next member, and what is to be told of the others.
#[derive(Debug, PartialEq, Eq)]
pub struct RollingStep {
    /// The member.
    pub member: String,
    /// Whether it leads: then it hands over, and starts anew by that.
    pub leads: bool,
    /// Which step it is, and what is left after it.
    pub told: String,
}

impl Rolling {
    /// Begins one.
    ///
    /// # Errors
    /// It is not known of every member when it has started: what is done to them could not be told.
    pub fn begin(s: &Situation<'_>) -> Result<Self, String> {
        if !s.current() {
            return Err("which members there are is not known: etcd does not answer".to_owned());
        }
        let members = s.cluster.members.values().filter(|member| member.present);
        let starts = members.map(|member| {
            let start = started(s, &member.name).ok_or_else(|| format!("when {}'s PostgreSQL has started is not known", member.name))?;
            Ok((member.name.clone(), start))
        });
        let starts: BTreeMap<String, Time> = starts.collect::<Result<_, String>>()?;
        if starts.is_empty() { Err("there is no member".to_owned()) } else { Ok(Self { starts, begun: false }) }
    }

    /// A step of it is carried out now.
    pub fn go_on(&mut self) {
        self.begun = true;
    }

    /// Whether a step of it was carried out.
    pub fn begun(&self) -> bool {
        self.begun
    }

    /// The next step; `None`: every member that is there has started anew.
    pub fn next(&self, s: &Situation<'_>) -> Option<RollingStep> {
        let anew = |name: &str, before: Time| started(s, name).is_some_and(|start| start > before && !start.same_second(before));
        // Who is gone by etcd's current word has nothing to restart any more.
        let gone = |name: &str| s.current() && s.member(name).is_none_or(|member| !member.present);
        let there: Vec<(&str, Time)> = self.starts.iter().map(|(name, at)| (name.as_str(), *at)).filter(|(name, _)| !gone(name)).collect();
        let left: Vec<&str> = there.iter().filter(|(name, before)| !anew(name, *before)).map(|(name, _)| *name).collect();
        let all = there.len();
        let step = in_turn(s, &left)?;
        Some(RollingStep { told: format!("step {} of {all} of a rolling restart; {}", all - left.len() + 1, step.told), ..step })
    }
}

/// Since when every member has started anew at the most, for another round to need a reason.
const LATELY: Duration = Duration::from_secs(3600);

/// That a rolling restart would do again what was just done: every member's PostgreSQL has started within the last hour, and no setting waits for
/// a restart. `None`: it is not so, or not known.
pub fn needless(s: &Situation<'_>) -> Option<Check> {
    let members: Vec<_> = s.cluster.members.values().filter(|member| member.present).collect();
    let pending = |member: &&Member| member.rest_now(s.now).is_none_or(|rest| rest.pending_restart);
    if !s.current() || members.iter().any(pending) {
        return None;
    }
    let ages: Option<Vec<Duration>> = members.iter().map(|member| Some(s.now.since(started(s, &member.name)?))).collect();
    let oldest = ages?.into_iter().max().filter(|oldest| *oldest < LATELY)?;
    let told = format!("every member's PostgreSQL has started within the last {}, and nothing waits for a restart", spoken(oldest));
    Some(Check::amber("needless", told))
}

/// The next member whose settings wait for a restart.
pub fn next_pending(s: &Situation<'_>) -> Option<RollingStep> {
    let pending = s.cluster.members.values().filter(|m| m.rest_now(s.now).is_some_and(|rest| rest.pending_restart));
    let names: Vec<&str> = pending.map(|member| member.name.as_str()).collect();
    in_turn(s, &names)
}

/// The first of these, the leader last.
fn in_turn(s: &Situation<'_>, names: &[&str]) -> Option<RollingStep> {
    let mut names = names.to_vec();
    names.sort_by_key(|name| s.leader() == Some(*name));
    let (member, rest) = names.split_first()?;
    let told = match rest {
        [] => "it is the last".to_owned(),
        rest => format!("left after it: {}; the same command goes on with them", listed(rest)),
    };
    Some(RollingStep { member: (*member).to_owned(), leads: s.leader() == Some(*member), told })
}

/// When a member's PostgreSQL has started, by its own word or its Patroni's.
fn started(s: &Situation<'_>, name: &str) -> Option<Time> {
    let member = s.member(name)?;
    let by_sql = member.sql_now(s.now).and_then(|sql| sql.postmaster_start);
    by_sql.or_else(|| member.rest_now(s.now).and_then(|rest| rest.postmaster_start))
}
