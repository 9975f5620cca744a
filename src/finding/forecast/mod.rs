//! *If the leader died now, who would take over, and what would be lost?* As Patroni itself would decide it: each member by itself
//! ([`standing`]), then all against each other ([`race`]), from current answers only.
//!
//! What is assumed is the worst of a leader's ends: its node falls silent. Whoever still lives keeps what they have and does as Patroni does.

mod loss;
mod quorum;
mod race;
mod reason;
mod standing;

use std::collections::BTreeMap;

use crate::model::{Cluster, Member, Time};

pub use loss::Loss;
pub use quorum::WithoutQuorum;
pub use reason::{Reason, Stage};
pub(super) use standing::MAXIMUM_LAG;
pub use standing::Standing;

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The leader whose end is thought of; `None`: there is none now, and the question is who takes over next.
    pub leader: Option<String>,
    /// What would happen.
    pub outcome: Outcome,
    /// How each other member stands; without a leader, every member.
    pub standings: BTreeMap<String, Standing>,
    /// Of those who may take over: who has to replay so many seconds first. Patroni does not ask for it; a replay that hangs never ends, and its
    /// member takes the leader key all the same.
    pub late: Vec<(String, f64)>,
    /// What the leader would do if etcd lost its majority.
    pub without_quorum: WithoutQuorum,
}

/// Seconds that a replica which keeps up is not behind with its replay.
const LATE: f64 = 10.0;

/// What would happen.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// One of these takes over, and this would be lost.
    TakesOver(Vec<String>, Loss),
    /// Nobody can.
    Nobody,
    /// Not enough is known.
    Unknown,
}

impl Forecast {
    /// The forecast at `now`.
    pub fn of(cluster: &Cluster, now: Time) -> Self {
        let leader = cluster.leader_now(now).map(str::to_owned);
        let known = leader.is_some() || (cluster.dcs_current(now) && cluster.holder().is_none());
        let others = cluster.members.values().filter(|m| Some(m.name.as_str()) != leader.as_deref());
        let mut standings: BTreeMap<String, Standing> =
            others.map(|member| (member.name.clone(), standing::of(cluster, member, now))).collect();
        reserve(cluster, &mut standings, leader.as_deref(), now);
        let winners = race::winners(cluster, &mut standings, leader.as_deref(), now);
        // Without a leader and without a single member in sight, somebody may still come.
        let outcome = if !known || (leader.is_none() && standings.is_empty()) {
            Outcome::Unknown
        } else if !winners.is_empty() {
            let loss = Loss::of(cluster, leader.as_deref(), &winners, &standings, now);
            Outcome::TakesOver(winners, loss)
        } else if standings.values().any(|s| s.can.is_none()) {
            Outcome::Unknown
        } else {
            Outcome::Nobody
        };
        let without_quorum = WithoutQuorum::of(cluster, leader.as_deref(), now);
        let late = match &outcome {
            Outcome::TakesOver(who, _) => {
                let seconds = |name: &String| Some((name.clone(), cluster.lag(name, now).seconds.filter(|seconds| *seconds >= LATE)?));
                who.iter().filter_map(seconds).collect()
            }
            _ => Vec::new(),
        };
        Self { leader, outcome, standings, late, without_quorum }
    }

    /// What would be lost if this member took over, whoever else could.
    pub fn loss_of(&self, cluster: &Cluster, name: &str, now: Time) -> Loss {
        Loss::of(cluster, self.leader.as_deref(), &[name.to_owned()], &self.standings, now)
    }

    /// What stands behind "if psg1 died now:" or, without a leader, "next:".
    pub fn sentence(&self) -> String {
        match &self.outcome {
            Outcome::TakesOver(who, loss) => {
                let who = who.join(" or ");
                let late: String = self.late.iter().map(|(name, seconds)| format!("; {name} has {seconds:.0} s to replay first")).collect();
                if self.leader.is_some() { format!("{who}, {}{late}", loss.told()) } else { format!("{who} takes over") }
            }
            Outcome::Nobody => match self.reasons() {
                reasons if reasons.is_empty() => "nobody can take over".to_owned(),
                reasons => format!("nobody can take over: {reasons}"),
            },
            Outcome::Unknown if self.standings.is_empty() => "not known".to_owned(),
            Outcome::Unknown => format!("not known: {}", self.reasons()),
        }
    }

    /// Why nobody can, member by member: `psg2 is 4.2 MB behind (limit 1.0 MB), psg3 has nofailover`.
    pub fn reasons(&self) -> String {
        if self.standings.is_empty() {
            return "there is no other member".to_owned();
        }
        let general = self.standings.values().all(|s| s.reasons.iter().any(Reason::general));
        if general && let Some(reason) = self.standings.values().flat_map(|s| &s.reasons).find(|r| r.general()) {
            return match reason {
                Reason::Paused => "the cluster is paused".to_owned(),
                _ => "etcd has no quorum".to_owned(),
            };
        }
        let each = self.standings.iter().filter_map(|(name, s)| {
            if let Some(other) = &s.beaten_by {
                return Some(format!("{name} gives way to {other}, which is ahead"));
            }
            // What is known keeps it away; what is not known is told only when it is all there is.
            let reason = s.reasons.iter().find(|r| !r.doubt()).or_else(|| s.reasons.first())?;
            Some(format!("{name} {}", reason.short()))
        });
        let each: Vec<String> = each.collect();
        if each.len() > 4 { format!("{}, and {} more", each[..3].join(", "), each.len() - 3) } else { each.join(", ") }
    }
}

/// A primary that answers keeps everybody else from promoting, and a switchover that is asked for is for its candidate
/// (`manual_failover_process_no_leader`, which does not look at the lag).
fn reserve(cluster: &Cluster, standings: &mut BTreeMap<String, Standing>, leader: Option<&str>, now: Time) {
    let alive = |m: &&Member| Some(m.name.as_str()) != leader && standing::is_primary(m, now);
    if let Some(primary) = cluster.members.values().find(alive) {
        for (_, standing) in standings.iter_mut().filter(|(_, s)| !s.primary) {
            standing.also(Reason::PrimaryAlive(primary.name.clone()));
        }
    }
    let Some(asked) = cluster.dcs.keys.pending_failover() else { return };
    for standing in standings.values_mut() {
        standing.without(|reason| matches!(reason, Reason::Lagging(..)));
    }
    let Some(candidate) = asked.candidate.clone().filter(|c| standings.get(c).is_some_and(Standing::seen)) else { return };
    for (name, standing) in standings.iter_mut() {
        if *name == candidate {
            standing.without(|reason| matches!(reason, Reason::PositionUnknown | Reason::Timeline(..) | Reason::NotInFailsafe));
        } else {
            standing.also(Reason::Reserved(candidate.clone()));
        }
    }
}
