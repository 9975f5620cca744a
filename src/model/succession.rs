//! How the leader key went from one to the next: what was seen before, and what can be concluded from it.

use std::sync::Arc;
use std::time::Duration;

use super::past::Past;
use super::silence::{SILENT, sign, signs, silences};
use super::{Cause, Cluster, DcsEvent, Failover, Parsed, Sign, SourceKind, Time};

/// How long after its end a request still explains a change: Patroni takes the key `failover` away when the new leader has the key.
const JUST_BEFORE: Duration = Duration::from_secs(10);

/// By how much the clock of who scheduled it may differ from ours.
const SKEW: Duration = Duration::from_secs(5);

/// Patroni's default `ttl`, seconds.
const TTL: u32 = 30;

/// How a leader key went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gone {
    /// With the member's own key in one revision: both hang on one lease, which ended.
    Expired,
    /// By itself: only its holder deletes it.
    Deleted,
    /// Nobody watched: a later list does not have it, or has another's.
    Unseen,
}

impl Gone {
    /// How the leader key of `holder` went by these events.
    pub(super) fn by(events: &[DcsEvent], holder: &str) -> Self {
        let deleted = |wanted: &str| {
            events.iter().find_map(|event| match event {
                DcsEvent::Delete { key, revision } if key == wanted => Some(*revision),
                _ => None,
            })
        };
        match (deleted("leader"), deleted(&format!("members/{holder}"))) {
            (None, _) => Gone::Unseen,
            (Some(leader), Some(member)) if leader == member => Gone::Expired,
            (Some(_), _) => Gone::Deleted,
        }
    }
}

/// What is remembered for the next change of leader, and the last one.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Succession {
    request: Option<Request>,
    outage: Option<Outage>,
    loss: Option<Loss>,
    /// The newest change of leader that was seen.
    pub won: Option<Arc<Won>>,
    /// What of the history was seen.
    pub past: Past,
}

/// A change of leader with its story.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Won {
    /// The new holder.
    pub to: String,
    /// How long there was no leader key, if its end and its beginning were watched.
    pub seconds: Option<f64>,
    pub cause: Cause,
    /// What that rests on, the oldest first.
    pub evidence: Vec<Sign>,
}

#[derive(Debug, Clone, PartialEq)]
struct Request {
    asked: Failover,
    /// `None`: it was there when we came.
    since: Option<Time>,
    /// When it was first seen, even so.
    seen: Time,
    /// Whom it takes the leader key from: who held it then, or, if nobody did, who is said to have. `None`: nobody whom it asks.
    from: Option<String>,
    gone: Option<Time>,
    /// Some clients could write to the new leader.
    arrived: bool,
    /// All could.
    over: bool,
}

/// A request that is due and named or found a leader, and what has become of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub from: &'a str,
    pub candidate: Option<&'a str>,
    /// `None`: it was due before we came, and nobody says since when.
    pub since: Option<Time>,
    pub seen: Time,
    /// It is still there.
    pub stands: bool,
    /// It went so lately that it explains what happens now.
    pub lately: bool,
    pub arrived: bool,
    pub over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Outage {
    since: Time,
    until: Option<Time>,
}

#[derive(Debug, Clone, PartialEq)]
struct Loss {
    leader: String,
    at: Time,
    how: Gone,
    signs: Vec<Sign>,
}

impl Succession {
    /// Takes in whether etcd has a quorum.
    pub(super) fn follow_quorum(&mut self, has: Option<bool>, now: Time) {
        match (has, &mut self.outage) {
            (Some(false), Some(Outage { until: None, .. })) => {}
            (Some(false), outage) => *outage = Some(Outage { since: now, until: None }),
            (Some(true), Some(outage)) => drop(outage.until.get_or_insert(now)),
            _ => {}
        }
    }

    /// Takes in the keys after a change. `before` held the leader key, which went this way if it did; `first`: they were never read before.
    pub(super) fn follow(&mut self, cluster: &Cluster, before: Option<&str>, how: Gone, first: bool, at: Time) {
        self.follow_request(cluster, first, at);
        if first {
            return;
        }
        let holder = cluster.holder();
        if let Some(leader) = before.filter(|leader| holder != Some(leader)) {
            self.loss = Some(Loss { leader: leader.to_owned(), at, how, signs: signs(cluster, leader, at) });
        }
        if let Some(to) = holder.filter(|to| before != Some(to)) {
            let won = self.won(cluster, to, at);
            self.won = Some(Arc::new(won));
            self.past.led(to);
            self.loss = None;
        }
    }

    fn follow_request(&mut self, cluster: &Cluster, first: bool, at: Time) {
        // What cannot be read is neither asked for nor withdrawn.
        if matches!(cluster.dcs.keys.failover, Some(Parsed::Bad(_))) {
            return;
        }
        let holder = cluster.holder();
        match (cluster.dcs.keys.pending_failover(), &mut self.request) {
            (Some(asked), Some(known)) if known.gone.is_none() && (known.asked == *asked || known.written_anew(asked, holder)) => {}
            (Some(asked), known) => {
                let from = leader_asked(asked, holder).map(str::to_owned);
                *known = Some(Request {
                    asked: asked.clone(),
                    since: (!first).then_some(at),
                    seen: at,
                    from,
                    gone: None,
                    arrived: false,
                    over: false,
                });
            }
            (None, Some(known)) => drop(known.gone.get_or_insert(at)),
            (None, None) => {}
        }
    }

    /// Since when something has been asked for that is due.
    pub(super) fn asked_since(&self, now: Time) -> Option<Time> {
        let request = self.request.as_ref().filter(|r| r.gone.is_none() && r.asked.scheduled_at.is_none_or(|due| due <= now))?;
        request.due_since()
    }

    /// The newest request, if it is or was due and there was a leader to ask.
    pub(super) fn asked(&self, now: Time) -> Option<Asked<'_>> {
        let request = self.request.as_ref().filter(|r| r.asked.scheduled_at.is_none_or(|due| due <= now))?;
        Some(Asked {
            from: request.from.as_deref()?,
            candidate: request.asked.candidate.as_deref(),
            since: request.due_since(),
            seen: request.due_since().unwrap_or(request.seen),
            stands: request.gone.is_none(),
            lately: request.explains(None, now),
            arrived: request.arrived,
            over: request.over,
        })
    }

    /// Whether this one took the leader key because it was asked for.
    pub(super) fn won_as_asked(&self, holder: &str) -> bool {
        self.won.as_ref().is_some_and(|won| won.to == holder && matches!(won.cause, Cause::AskedFor { .. }))
    }

    /// Clients can write to the one who took the key as asked: all of them, or some.
    pub(super) fn handed_over(&mut self, all: bool) {
        if let Some(request) = &mut self.request {
            request.arrived = true;
            request.over = all;
        }
    }

    fn won(&self, cluster: &Cluster, to: &str, at: Time) -> Won {
        let mut evidence: Vec<Sign> = self.request.iter().filter(|r| r.explains(None, at)).map(Request::sign).collect();
        evidence.extend(self.outage.iter().filter(|o| o.recent(cluster, at)).flat_map(Outage::signs));
        let Some(loss) = &self.loss else {
            let asked = self.request.as_ref().filter(|r| r.explains(None, at));
            evidence.push(sign(Some(at), SourceKind::Dcs, "", "leader key", to.to_owned()));
            return Won {
                to: to.to_owned(),
                seconds: None,
                cause: asked.map_or(Cause::Unknown, Request::cause),
                evidence: sorted(evidence),
            };
        };
        evidence.extend(loss.signs.iter().cloned());
        // What has fallen silent since its key was gone.
        let later = signs(cluster, &loss.leader, at).into_iter().filter(|s| s.what == SILENT);
        evidence.extend(later.filter(|s| !loss.signs.iter().any(|known| known.source == s.source && known.what == s.what)));
        let gone = match loss.how {
            Gone::Expired => "gone, in one revision with the member's own key: its lease ran out",
            Gone::Deleted => "deleted by its holder",
            Gone::Unseen => "its end was not seen",
        };
        evidence.push(sign(Some(loss.at), SourceKind::Dcs, "", "leader key", gone.to_owned()));
        evidence.push(sign(Some(at), SourceKind::Dcs, "", "leader key", to.to_owned()));
        let watched = loss.how != Gone::Unseen && at > loss.at;
        Won {
            to: to.to_owned(),
            seconds: watched.then(|| seconds(at.since(loss.at))),
            cause: self.cause(cluster, loss, at),
            evidence: sorted(evidence),
        }
    }

    fn cause(&self, cluster: &Cluster, loss: &Loss, at: Time) -> Cause {
        if let Some(request) = self.request.as_ref().filter(|r| r.explains(Some(&loss.leader), at)) {
            return request.cause();
        }
        let leader = loss.leader.clone();
        // Only the holder deletes its key, so it lived.
        if loss.how == Gone::Deleted {
            return Cause::Released { leader };
        }
        let silent = silences(cluster, &leader, &loss.signs, at);
        // When nobody's Patroni answers, it may be us who do not reach them.
        let heard = cluster.members.values().any(|m| m.name != leader && m.rest.error().is_none() && m.rest_now(at).is_some());
        if heard && silent.iter().any(|s| s.source == SourceKind::Rest) {
            return Cause::Crash { leader, silent, lease_ran_out: loss.how == Gone::Expired };
        }
        if let Some(outage) = self.outage.filter(|o| o.recent(cluster, at)) {
            return Cause::QuorumLost { leader, seconds: outage.until.map(|until| seconds(until.since(outage.since))) };
        }
        let answers = cluster.members.get(&leader).is_some_and(|m| m.rest_now(at).is_some());
        if loss.how == Gone::Expired && answers { Cause::NotRenewed { leader } } else { Cause::Unknown }
    }
}

impl Request {
    /// Since when it has been there and due.
    fn due_since(&self) -> Option<Time> {
        match (self.asked.scheduled_at, self.since) {
            (Some(due), Some(put)) => Some(due.max(put)),
            (due, put) => due.or(put),
        }
    }

    /// Whether it can be why the key went from `leader` (`None`: from nobody that is known) at `at`.
    fn explains(&self, leader: Option<&str>, at: Time) -> bool {
        let there = self.gone.is_none_or(|gone| at.since(gone) <= JUST_BEFORE);
        let due = self.asked.scheduled_at.is_none_or(|due| due <= at.plus(SKEW));
        let his = self.asked.leader.as_deref().zip(leader).is_none_or(|(asked, leader)| asked == leader);
        there && due && his
    }

    /// Whether this is the same, as the one who was asked for writes it when he has taken the key while the cluster is paused: without the old
    /// leader's name (`ha.py`, `process_unhealthy_cluster`).
    fn written_anew(&self, asked: &Failover, holder: Option<&str>) -> bool {
        let anew = Failover { leader: None, ..self.asked.clone() };
        *asked == anew && anew.candidate.is_some() && anew.candidate.as_deref() == holder
    }

    fn cause(&self) -> Cause {
        let Failover { leader, candidate, scheduled_at } = self.asked.clone();
        Cause::AskedFor { from: leader, to: candidate, scheduled_at }
    }

    fn sign(&self) -> Sign {
        let from = self.asked.leader.as_deref().map(|n| format!(" from {n}")).unwrap_or_default();
        let to = self.asked.candidate.as_deref().map_or(" to whoever can".to_owned(), |n| format!(" to {n}"));
        let due = self.asked.scheduled_at.map(|at| format!(", for {at}")).unwrap_or_default();
        sign(self.since, SourceKind::Dcs, "", "failover key", format!("asked for{from}{to}{due}"))
    }
}

impl Outage {
    /// Whether a lease that could not be renewed then may have ended because of it.
    fn recent(&self, cluster: &Cluster, at: Time) -> bool {
        let ttl = cluster.config().and_then(|c| c.ttl).unwrap_or(TTL);
        self.until.is_none_or(|until| at.since(until) <= Duration::from_secs(u64::from(ttl)) + JUST_BEFORE)
    }

    fn signs(&self) -> impl Iterator<Item = Sign> {
        let of = |at, value: &str| sign(Some(at), SourceKind::Dcs, "", "quorum", value.to_owned());
        [Some(of(self.since, "lost")), self.until.map(|until| of(until, "regained"))].into_iter().flatten()
    }
}

/// Whom a request asks to hand over when it is first seen: the holder of the leader key, if it does not name another and he is not the one who
/// is to have it; while there is none, the one it names. What asks nobody, Patroni takes away.
fn leader_asked<'a>(asked: &'a Failover, holder: Option<&'a str>) -> Option<&'a str> {
    let named = asked.leader.as_deref();
    match holder {
        Some(holder) if named.is_some_and(|named| named != holder) || asked.candidate.as_deref() == Some(holder) => None,
        holder => holder.or(named),
    }
}

fn sorted(mut signs: Vec<Sign>) -> Vec<Sign> {
    signs.sort_by_key(|sign| sign.at);
    signs
}

/// Seconds to the millisecond.
pub(super) fn seconds(span: Duration) -> f64 {
    span.as_millis() as f64 / 1000.0
}
