//! From the order to the outcome: pure, fed with the cluster and the answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Goal, Phase, Reply, Standing};
use crate::model::{Cluster, Time};

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "UPPERCASE")]
#[strum(serialize_all = "UPPERCASE")]
pub enum Outcome {
    /// It is done, as the sources prove.
    Done,
    /// It was turned down, and nothing was begun.
    Refused,
    /// It was begun or could not be asked for, and is not done.
    Failed,
    /// Nobody can tell.
    Unknown,
}

impl Outcome {
    /// The exit code of the command line: 0 done, 1 failed, 3 refused, 4 unknown (2 is wrong usage).
    pub fn code(self) -> u8 {
        match self {
            Outcome::Done => 0,
            Outcome::Failed => 1,
            Outcome::Refused => 3,
            Outcome::Unknown => 4,
        }
    }
}

/// For how long what follows a success is still watched: routes that move, a leader of before that follows.
const AFTERWARDS: Duration = Duration::from_secs(60);

/// An action under way.
#[derive(Debug)]
pub struct Course {
    goal: Box<dyn Goal>,
    asked: Time,
    reply: Option<(Time, Reply)>,
    outcome: Option<(Time, Outcome, String)>,
    over: bool,
}

impl Course {
    /// An action whose order goes out now.
    pub fn new(goal: Box<dyn Goal>, asked: Time) -> Self {
        Self { goal, asked, reply: None, outcome: None, over: false }
    }

    /// Takes in what was answered.
    pub fn hear(&mut self, reply: Reply, cluster: &Cluster, now: Time) {
        self.reply = Some((now, reply));
        self.look(cluster, now);
    }

    /// Looks at the cluster.
    pub fn look(&mut self, cluster: &Cluster, now: Time) {
        if self.over {
            return;
        }
        self.goal.look(cluster, now);
        if self.outcome.is_none()
            && let Some((outcome, sentence)) = self.decide(cluster, now)
        {
            self.outcome = Some((now, outcome, sentence));
        }
        self.over = match &self.outcome {
            Some((at, Outcome::Done, _)) => self.goal.whole() || now.since(*at) > AFTERWARDS,
            Some(_) => true,
            None => false,
        };
    }

    fn decide(&self, cluster: &Cluster, now: Time) -> Option<(Outcome, String)> {
        let reply = self.reply.as_ref().map(|(_, reply)| reply);
        match reply {
            Some(Reply::NotSent(why)) => return Some((Outcome::Failed, format!("nothing was asked for: {why}"))),
            Some(Reply::Refused(why)) => return Some((Outcome::Refused, why.clone())),
            Some(reply) if reply.refused() => return Some((Outcome::Refused, format!("Patroni refused: {reply}"))),
            _ => {}
        }
        match self.goal.standing(cluster, reply, now) {
            Standing::Reached(sentence) => return Some((Outcome::Done, sentence)),
            Standing::Missed(sentence) => return Some((Outcome::Failed, sentence)),
            Standing::Open => {}
        }
        let (heard, reply) = self.reply.as_ref()?;
        if now.since(*heard) <= self.goal.patience() {
            return None;
        }
        let told = match reply {
            Reply::Answered(..) => format!("Patroni said {reply}, and nobody else confirms it"),
            Reply::Taken(_) => format!("{reply}, and nobody else confirms it"),
            _ => format!("the order was {reply}; it may still be carried out"),
        };
        Some((Outcome::Unknown, told))
    }

    /// Gives up watching: pgbaton has to end.
    pub fn leave(&mut self, now: Time) {
        self.outcome.get_or_insert((now, Outcome::Unknown, "pgbaton was ended before it was known".to_owned()));
        self.over = true;
    }

    /// When the order went out.
    pub fn asked(&self) -> Time {
        self.asked
    }

    /// The steps.
    pub fn phases(&self) -> &[Phase] {
        self.goal.phases()
    }

    /// What was answered.
    pub fn reply(&self) -> Option<&Reply> {
        self.reply.as_ref().map(|(_, reply)| reply)
    }

    /// The outcome, as soon as it is known; what follows may still be watched.
    pub fn outcome(&self) -> Option<(Outcome, &str)> {
        self.outcome.as_ref().map(|(_, outcome, sentence)| (*outcome, sentence.as_str()))
    }

    /// Whether there is nothing more to be watched.
    pub fn over(&self) -> bool {
        self.over
    }

    /// What is said while the outcome is not known.
    pub fn now_told(&self) -> String {
        match &self.reply {
            None => "asked, no answer yet".to_owned(),
            Some((_, reply @ Reply::Answered(..))) => format!("Patroni said {reply}; waiting for the proof"),
            Some((_, reply @ Reply::Taken(_))) => format!("{reply}; waiting for the proof"),
            Some((_, reply)) => format!("UNKNOWN: {reply}; watching the cluster"),
        }
    }
}
