//! A switchover that somebody asked for, from the moment at which it is due until clients can write again.

use super::{Cluster, PatroniStatus, RouteKind, Time};

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
        Some(Handover { from: asked.from.to_owned(), to: to.map(str::to_owned), since: asked.since, seen: asked.seen })
    }

    /// Notes when clients can write to the new leader: from then on nothing that happens belongs to the switchover.
    pub(super) fn follow_handover(&mut self, now: Time) {
        let led = self.handover(now).is_some_and(|handover| self.holder().is_some_and(|holder| holder != handover.from));
        if led && self.writes_arrive(now) {
            self.succession.handed_over();
        }
    }

    /// Whether clients can write to whoever holds the leader key: its PostgreSQL says so, and every write route that is heard leads there.
    fn writes_arrive(&self, now: Time) -> bool {
        let Some(holder) = self.holder_now(now) else { return false };
        let Some(member) = self.members.get(holder) else { return false };
        let leads = member.rest_now(now).map(PatroniStatus::says_it_leads);
        let standby_cluster = self.config().is_some_and(|c| c.standby_cluster);
        let accepts = if standby_cluster { leads } else { member.writable(now).or(leads) };
        let mut routes = self.routes(now).into_iter().filter(|route| route.kind == RouteKind::Write);
        accepts == Some(true) && routes.all(|route| route.right(self, now) != Some(false))
    }
}
