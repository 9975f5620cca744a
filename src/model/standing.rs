//! Patroni's word for a member's state, what it means, and since when it is said.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Member, SourceKind, Time};

/// How long a member may be unheard and its state still be called the same one all the time.
const GAP: Duration = Duration::from_secs(30);

/// Patroni's word for the state of its PostgreSQL, as it gives it (`patroni/postgresql/misc.py`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PatroniState(pub String);

/// What a state means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// PostgreSQL serves.
    Serves,
    /// It is on its way up, down, or being restarted.
    Changing,
    /// Its data is being made, which may take as long as the data is large.
    Creating,
    /// It is stopped.
    Stopped,
    /// Something failed.
    Failed,
    /// A word that says nothing, or that we do not know.
    Unknown,
}

impl PatroniState {
    /// Whether it is one of the two that mean that PostgreSQL serves: `running`, or `streaming` as `/cluster` has it. Words that are not
    /// known are not among them.
    pub fn serves(&self) -> bool {
        self.phase() == Phase::Serves
    }

    /// What it means.
    pub fn phase(&self) -> Phase {
        match self.0.as_str() {
            "running" | "streaming" => Phase::Serves,
            "starting" | "starting after custom bootstrap" | "stopping" | "restarting" => Phase::Changing,
            "initializing new cluster" | "running custom bootstrap script" | "creating replica" => Phase::Creating,
            "stopped" => Phase::Stopped,
            "start failed" | "restart failed" | "stop failed" | "crashed" | "initdb failed" | "custom bootstrap failed" => Phase::Failed,
            _ => Phase::Unknown,
        }
    }
}

/// Since when a member's Patroni has said what it says now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The state.
    pub state: PatroniState,
    /// When it was first said, without another between.
    pub since: Time,
    /// When it was first said that PostgreSQL does not serve, without another answer that it does between. A member that cannot start is
    /// `starting` and `start failed` by turns.
    pub down_since: Option<Time>,
    /// When it was last said.
    pub at: Time,
}

impl Standing {
    /// What was said so far and one more answer.
    pub(super) fn next(before: Option<Self>, state: &PatroniState, at: Time) -> Self {
        let before = before.filter(|b| at.since(b.at) <= GAP);
        let since = before.as_ref().filter(|b| b.state == *state).map_or(at, |b| b.since);
        let down_since = match state.phase() {
            Phase::Serves => None,
            // A word that says nothing ends no row, and begins none.
            Phase::Unknown => before.and_then(|b| b.down_since),
            _ => Some(before.and_then(|b| b.down_since).unwrap_or(at)),
        };
        Self { state: state.clone(), since, down_since, at }
    }
}

/// How many starts of a member's PostgreSQL are remembered.
const REMEMBERED: usize = 32;

/// The starts of a member's PostgreSQL that were seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Starts {
    /// The newest `pg_postmaster_start_time()` heard, by SQL or by REST.
    pub newest: Option<Time>,
    /// The starts that were seen after the first answer, oldest first.
    pub seen: Vec<Start>,
}

/// One start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// When it was seen.
    pub at: Time,
    /// When it was, by the server's clock.
    pub started: Time,
    /// Who told it first: [`SourceKind::Sql`] or [`SourceKind::Rest`].
    pub by: SourceKind,
}

impl Starts {
    /// Takes in an answer. SQL and REST tell the same start a microsecond apart, and the older of two answers may come later.
    pub(super) fn hear(&mut self, by: SourceKind, started: Option<Time>, at: Time) {
        let Some(started) = started else { return };
        match self.newest {
            None => self.newest = Some(started),
            Some(newest) if started > newest && started.since(newest) > Duration::from_millis(500) => {
                self.newest = Some(started);
                self.seen.push(Start { at, started, by });
                let many = self.seen.len().saturating_sub(REMEMBERED);
                self.seen.drain(..many);
            }
            Some(_) => {}
        }
    }

    /// Those seen within `span` before `now`.
    pub fn within(&self, span: Duration, now: Time) -> &[Start] {
        let old = self.seen.iter().take_while(|start| now.since(start.at) > span).count();
        &self.seen[old..]
    }
}

impl Member {
    /// What its Patroni says of its PostgreSQL and since when, if that is current.
    pub fn standing_now(&self, now: Time) -> Option<&Standing> {
        self.rest_now(now).and(self.standing.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_fails_to_start_by_turns_is_down_since_the_first() {
        let mut standing = None;
        for (second, state, since, down) in [
            (1, "running", 1, None),
            (2, "starting", 2, Some(2)),
            (3, "start failed", 3, Some(2)),
            (4, "start failed", 3, Some(2)),
            (5, "unknown", 5, Some(2)),
            (6, "starting", 6, Some(2)),
            (7, "running", 7, None),
            (8, "unknown", 8, None),
            (9, "starting", 9, Some(9)),
            (40, "starting", 40, Some(40)),
        ] {
            let at = |second: i64| Time::from_micros(second * 1_000_000);
            let next = Standing::next(standing, &PatroniState(state.to_owned()), at(second));
            assert_eq!((next.since, next.down_since), (at(since), down.map(at)), "{second}: {state}");
            standing = Some(next);
        }
    }
}
