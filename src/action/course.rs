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
    /// Something is made ready before the order goes out.
    preparing: bool,
    reply: Option<(Time, Reply)>,
    outcome: Option<(Time, Outcome, String)>,
    over: bool,
}

impl Course {
    /// An action whose order goes out now.
    pub fn new(goal: Box<dyn Goal>, asked: Time) -> Self {
        Self { goal, asked, preparing: false, reply: None, outcome: None, over: false }
    }

    /// The order does not go out yet: something is to be made ready first.
    pub fn prepare(&mut self) {
        self.preparing = true;
    }

    /// The order goes out now.
    pub fn sent(&mut self, at: Time) {
        self.asked = at;
        self.preparing = false;
    }

    /// Whether the order has not gone out, as far as is known.
    pub fn preparing(&self) -> bool {
        self.preparing
    }

    /// Takes in what was answered.
    pub fn hear(&mut self, reply: Reply, cluster: &Cluster, now: Time) {
        self.reply = Some((now, reply));
        self.goal.heard(now);
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
            Standing::Refused(sentence) => return Some((Outcome::Refused, sentence)),
            Standing::Open => {}
        }
        let (heard, reply) = self.reply.as_ref()?;
        if now.since(self.goal.at_work().map_or(*heard, |at| at.max(*heard))) <= self.goal.patience() {
            return None;
        }
        let told = match reply {
            Reply::Answered(..) => format!("Patroni said {reply}, and nobody else confirms it"),
            Reply::Taken(_) => format!("{reply}, and nobody else confirms it"),
            Reply::Failed(_) => format!("the order was {reply}; what of it was done nobody tells"),
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

    /// When the outcome was known.
    pub fn decided(&self) -> Option<Time> {
        self.outcome.as_ref().map(|(at, ..)| *at)
    }

    /// Whether there is nothing more to be watched.
    pub fn over(&self) -> bool {
        self.over
    }

    /// Who leads now and takes writes, where that was moved: to whom clients have to follow.
    pub fn moved_to(&self) -> Option<&str> {
        self.goal.moved_to()
    }

    /// How far it is, where somebody counts that.
    pub fn progress(&self) -> Option<&str> {
        self.goal.progress()
    }

    /// What is said while the outcome is not known.
    pub fn now_told(&self) -> String {
        match &self.reply {
            None if self.preparing => "making ready; nothing was asked for yet".to_owned(),
            None => "asked, no answer yet".to_owned(),
            Some((_, reply)) if reply.accepted() && self.progress().is_some() => self.progress().unwrap_or_default().to_owned(),
            Some((_, reply @ Reply::Answered(..))) => format!("Patroni said {reply}; waiting for the proof"),
            Some((_, reply @ Reply::Taken(_))) => format!("{reply}; waiting for the proof"),
            Some((_, reply)) => format!("UNKNOWN: {reply}; watching the cluster"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A goal that stands as it is told, and may be seen at work.
    #[derive(Debug)]
    struct Told(Standing, Option<Time>);

    impl Goal for Told {
        fn look(&mut self, _: &Cluster, _: Time) {}

        fn phases(&self) -> &[Phase] {
            &[]
        }

        fn standing(&self, _: &Cluster, _: Option<&Reply>, _: Time) -> Standing {
            self.0.clone()
        }

        fn at_work(&self) -> Option<Time> {
            self.1
        }
    }

    fn cluster() -> Cluster {
        Cluster::new("x", "/service/", std::collections::BTreeMap::new())
    }

    fn at(seconds: i64) -> Time {
        Time::from_micros(seconds * 1_000_000)
    }

    /// The outcome that is told `seconds` after the order, when the reply came after one.
    fn outcome(goal: Told, reply: Option<Reply>, seconds: i64) -> Option<(Outcome, String)> {
        let cluster = cluster();
        let mut course = Course::new(Box::new(goal), at(0));
        if let Some(reply) = reply {
            course.hear(reply, &cluster, at(1));
        }
        course.look(&cluster, at(seconds));
        course.outcome().map(|(outcome, sentence)| (outcome, sentence.to_owned()))
    }

    #[test]
    fn only_what_others_confirm_is_done_and_only_what_cannot_be_known_is_unknown() {
        let lost = || Some(Reply::Lost("cut".to_owned()));
        let said = |status: u16| Some(Reply::Answered(status, "said".to_owned()));
        let reached = || Told(Standing::Reached("there".to_owned()), None);
        let missed = || Told(Standing::Missed("not there".to_owned()), None);
        let open = |at_work: Option<i64>| Told(Standing::Open, at_work.map(at));
        let cases = [
            ("an answer alone proves nothing", open(None), said(200), 5, None),
            ("nor is its absence a failure", open(None), None, 3000, None),
            (
                "no proof within the patience",
                open(None),
                said(200),
                40,
                Some((Outcome::Unknown, "Patroni said 200 said, and nobody else confirms it")),
            ),
            ("a cut line within the patience", open(None), lost(), 5, None),
            (
                "a cut line for good",
                open(None),
                lost(),
                40,
                Some((Outcome::Unknown, "the order was sent, and no answer came: cut; it may still be carried out")),
            ),
            ("a cut line and the proof", reached(), lost(), 5, Some((Outcome::Done, "there"))),
            ("the proof before the answer", reached(), None, 1, Some((Outcome::Done, "there"))),
            ("at work lately", open(Some(35)), said(200), 60, None),
            (
                "at work long ago",
                open(Some(35)),
                said(200),
                70,
                Some((Outcome::Unknown, "Patroni said 200 said, and nobody else confirms it")),
            ),
            ("turned down", open(None), said(412), 1, Some((Outcome::Refused, "Patroni refused: 412 said"))),
            (
                "turned down with the status of a failure",
                Told(Standing::Refused("not begun".to_owned()), None),
                said(503),
                1,
                Some((Outcome::Refused, "not begun")),
            ),
            ("missed", missed(), said(503), 1, Some((Outcome::Failed, "not there"))),
            (
                "never sent",
                open(None),
                Some(Reply::NotSent("refused".to_owned())),
                1,
                Some((Outcome::Failed, "nothing was asked for: refused")),
            ),
        ];
        for (case, goal, reply, seconds, expected) in cases {
            let told = outcome(goal, reply, seconds);
            assert_eq!(told.as_ref().map(|(outcome, sentence)| (*outcome, sentence.as_str())), expected, "{case}");
        }
    }

    #[test]
    fn whoever_leaves_does_not_claim_to_know_and_keeps_what_is_known() {
        let mut course = Course::new(Box::new(Told(Standing::Open, None)), at(0));
        course.leave(at(2));
        assert_eq!(course.outcome(), Some((Outcome::Unknown, "pgbaton was ended before it was known")));
        let mut course = Course::new(Box::new(Told(Standing::Reached("there".to_owned()), None)), at(0));
        course.look(&cluster(), at(1));
        course.leave(at(2));
        assert_eq!(course.outcome(), Some((Outcome::Done, "there")));
    }
}
