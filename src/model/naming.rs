//! By which name the Patroni at a member's address answers.

use std::time::Duration;

use super::{Cluster, Member, PatroniStatus, Time};

/// How much longer than `ttl` the key of a member that is no more may stay.
const SLACK: Duration = Duration::from_secs(12);
/// Patroni's default `ttl`, seconds.
const TTL: u32 = 30;

/// The names that were heard at a member's address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Naming {
    /// Its own name was heard there.
    own: bool,
    /// The newest answer gave another name, and every answer since then.
    other: Option<(String, Time)>,
}

impl Naming {
    /// Takes in an answer. One without a name (before Patroni 3.2) changes nothing.
    pub(super) fn hear(&mut self, member: &str, status: &PatroniStatus, at: Time) {
        match &status.name {
            Some(name) if name == member => *self = Self { own: true, other: None },
            Some(name) if self.other.as_ref().is_none_or(|(known, _)| known != name) => self.other = Some((name.clone(), at)),
            _ => {}
        }
    }
}

impl Cluster {
    /// What a member is called now, if it was renamed: the Patroni at its address gives another name, and either that member has, or had, the
    /// same addresses of Patroni and PostgreSQL, or it has no key there yet, we heard the old name there, and it answers still. A key that is
    /// still there long after its lease must have ended belongs to somebody who lives: then two have one address.
    pub fn renamed<'m>(&self, member: &'m Member, now: Time) -> Option<&'m str> {
        let (name, since) = member.naming.other.as_ref()?;
        let ours = |rest: &PatroniStatus| rest.scope.as_deref().is_none_or(|scope| scope == self.scope);
        let other = self.members.get(name);
        let known = other.is_some_and(|other| one_and_the_same(member, other));
        // Of one whose key has gone, the last answer counts, however old it is: it is not coming back under that name by being silent. But
        // somebody must have come under the new one.
        let said = if member.present || !known { member.rest_now(now) } else { member.rest.last() };
        said.filter(|rest| ours(rest))?;
        let same = known || member.naming.own && !other.is_some_and(|other| other.present);
        let ttl = Duration::from_secs(self.config().and_then(|c| c.ttl).unwrap_or(TTL).into());
        (same && (!member.present || now.since(*since) <= ttl + SLACK)).then_some(name.as_str())
    }

    /// Whether this member can be left out because it was renamed and is counted under its new name: one must not be taken for two. One that
    /// accepts writes only if it is heard to do so under the new name as well.
    pub fn told_under_its_new_name(&self, member: &Member, now: Time) -> bool {
        let new = self.renamed(member, now).and_then(|name| self.members.get(name)).filter(|new| one_and_the_same(member, new));
        new.is_some_and(|new| member.writable(now) != Some(true) || new.writable(now) == Some(true))
    }

    /// The member under the name that was last heard at this one's address, if it has the same addresses; else itself.
    pub(super) fn by_its_new_name<'m>(&'m self, member: &'m Member) -> &'m Member {
        let new = member.naming.other.as_ref().and_then(|(name, _)| self.members.get(name));
        new.filter(|other| other.present && one_and_the_same(member, other)).unwrap_or(member)
    }
}

fn one_and_the_same(member: &Member, other: &Member) -> bool {
    let api = |m: &Member| m.dcs().and_then(|key| key.api_url.clone());
    other.address().is_some() && other.address() == member.address() && api(other) == api(member)
}
