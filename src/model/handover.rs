//! A switchover that somebody asked for, from the moment at which it is due until clients can write again.

use super::{Cluster, Member, PatroniStatus, RouteKind, Time};

/// A switchover that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// Who held the leader key when it was asked for.
    pub from: String,
    /// Who took the key; while nobody has, who was asked for. `None`: whoever can.
    pub to: Option<String>,
    /// When it was asked for, or due; `None`: it was there when we came, at [`Self::seen`], and nobody says for how long.
    pub since: Option<Time>,
    /// From when on it has been known and due, at the latest.
    pub seen: Time,
    /// Clients could write to the new leader at some time, if not on every route.
    pub arrived: bool,
}

impl Cluster {
    /// The switchover that is under way, if one is: it was asked for while somebody led, is due, was not taken back, and clients could not write
    /// to the new leader yet.
    pub fn handover(&self, now: Time) -> Option<Handover> {
        let asked = self.succession.asked(now).filter(|asked| !asked.over)?;
        let holder = self.holder();
        let to = match holder {
            // The request is gone and nothing came of it.
            Some(holder) if holder == asked.from && !asked.stands => return None,
            Some(holder) if holder == asked.from => asked.candidate,
            Some(holder) if !self.succession.won_as_asked(holder) => return None,
            Some(holder) => Some(holder),
            // Its end without anybody who takes the key is told otherwise.
            None if !asked.stands && !asked.lately => return None,
            None => asked.candidate,
        };
        let (from, to) = (asked.from.to_owned(), to.map(str::to_owned));
        Some(Handover { from, to, since: asked.since, seen: asked.seen, arrived: asked.arrived })
    }

    /// Notes when clients can write to the new leader: when all can, nothing that happens from then on belongs to the switchover.
    pub(super) fn follow_handover(&mut self, now: Time) {
        let led = self.handover(now).is_some_and(|handover| self.holder().is_some_and(|holder| holder != handover.from));
        let holder = self.holder_now(now).and_then(|holder| self.members.get(holder)).filter(|_| led);
        if holder.and_then(|holder| self.takes_writes(holder, now)) != Some(true) {
            return;
        }
        let routes = self.routes(now).into_iter().filter(|route| route.kind == RouteKind::Write);
        let right: Vec<Option<bool>> = routes.map(|route| route.right(self, now)).collect();
        let all = !right.contains(&Some(false));
        if all || right.contains(&Some(true)) {
            self.succession.handed_over(all);
        }
    }

    /// Whether a new leader takes what clients write, by its PostgreSQL; if that says nothing, by its Patroni. In a standby cluster, whether
    /// it leads.
    pub fn takes_writes(&self, member: &Member, now: Time) -> Option<bool> {
        let leads = member.rest_now(now).map(PatroniStatus::says_it_leads);
        let standby_cluster = self.config().is_some_and(|c| c.standby_cluster);
        if standby_cluster { leads } else { member.writable(now).or(leads) }
    }
}
