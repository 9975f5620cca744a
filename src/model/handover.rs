//! A switchover that somebody asked for, from the moment at which it is due until clients can write again.

use super::{Cluster, Member, PatroniStatus, RouteKind, SourceId, SourceKind, Time};

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
    /// The newest commit of the old leader that a replica has replayed, and which source says so: clients could write then, at the earliest by
    /// our clock. `None`: nobody says, or by how much the old leader's clock differs from ours is not known.
    pub wrote: Option<(SourceId, Time)>,
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
        let wrote = self.last_commit(&from, now);
        Some(Handover { from, to, since: asked.since, seen: asked.seen, arrived: asked.arrived, wrote })
    }

    /// The newest commit of this leader that a replica has replayed. The commit has the leader's time, so its clock has to be known, from an
    /// answer of its host's.
    fn last_commit(&self, leader: &str, now: Time) -> Option<(SourceId, Time)> {
        let (_, skew) = self.clock(leader, now)?;
        let replicas = self.members.values().filter(|member| member.name != leader);
        let told = replicas.flat_map(|member| {
            let sql = member.sql_now(now).and_then(|sql| sql.replay_timestamp).map(|at| (SourceKind::Sql, at));
            let rest = member.rest_now(now).and_then(|rest| rest.replayed_at).map(|at| (SourceKind::Rest, at));
            sql.into_iter().chain(rest).map(|(kind, at)| (SourceId::new(kind, &member.name), at))
        });
        let (source, theirs) = told.max_by_key(|(_, at)| *at)?;
        let at = Time::from_micros(theirs.as_micros().saturating_sub(skew.most));
        // What lies ahead proves that one of the clocks was set meanwhile.
        (at <= now).then_some((source, at))
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
