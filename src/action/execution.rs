//! An order that went out, until its outcome is known and written down.

use std::collections::BTreeMap;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::audit::{Audit, Begun};
use super::downtime::{Absence, away};
use super::entry::Event;
use super::pool_memory::Memory;
use super::probe::Probe;
use super::{AuditError, Course, Outcome, Reply};
use crate::model::{Cluster, Time};
use crate::source::Clock;

/// What is said by the one who sends the order.
#[derive(Debug)]
pub(super) enum Word {
    /// The order goes out now.
    Sent(Time),
    /// Something that the operator should know.
    Note(String),
    /// What was answered.
    Reply(Reply),
}

/// An action under way. When it is dropped before its outcome is known, the audit says that it is not known.
#[derive(Debug)]
pub struct Execution {
    name: &'static str,
    sentence: String,
    course: Course,
    words: Option<mpsc::Receiver<Word>>,
    /// Listens at the routes, until the end.
    probe: Option<Probe>,
    /// Who held the leader key when it began.
    led: Option<Option<String>>,
    heard: Vec<Absence>,
    /// Stands by and tells HAProxy, until the end; it hears here who holds the leader key.
    assist: Option<(watch::Sender<Option<String>>, JoinSet<()>)>,
    notes: Vec<String>,
    memory: Memory,
    audit: Audit,
    begun: Option<Begun>,
    unwritten: Option<AuditError>,
    clock: Clock,
}

impl Execution {
    pub(super) fn new(
        name: &'static str,
        sentence: String,
        course: Course,
        words: mpsc::Receiver<Word>,
        (audit, begun): (Audit, Begun),
        clock: Clock,
    ) -> Self {
        Self {
            name,
            sentence,
            course,
            words: Some(words),
            probe: None,
            led: None,
            heard: Vec::new(),
            assist: None,
            notes: begun.note().map(str::to_owned).into_iter().collect(),
            memory: Memory::Apart,
            audit,
            begun: Some(begun),
            unwritten: None,
            clock,
        }
    }

    pub(super) fn with_note(mut self, note: String) -> Self {
        self.notes.push(note);
        self
    }

    pub(super) fn with_memory(mut self, memory: Memory) -> Self {
        self.memory = memory;
        self
    }

    pub(super) fn with_probe(mut self, probe: Option<Probe>) -> Self {
        self.probe = probe;
        self
    }

    pub(super) fn with_assist(mut self, assist: Option<(watch::Sender<Option<String>>, JoinSet<()>)>) -> Self {
        self.assist = assist;
        self
    }

    /// Looks at the cluster and at the line. To be called whenever something may have changed, and at least some times a second.
    pub fn look(&mut self, cluster: &Cluster) {
        let now = self.clock.now();
        while let Some(words) = &mut self.words {
            match words.try_recv() {
                Ok(Word::Sent(at)) => self.course.sent(at),
                Ok(Word::Note(note)) => self.notes.push(note),
                Ok(Word::Reply(reply)) => self.course.hear(reply, cluster, now),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    self.words = None;
                    if self.course.reply().is_none() {
                        self.course.hear(Reply::Lost("the task that sent it has ended".to_owned()), cluster, now);
                    }
                }
            }
        }
        self.course.look(cluster, now);
        if let Some((holder, _)) = &self.assist {
            let now_leads = cluster.holder_now(now);
            holder.send_if_modified(|before| {
                let changed = before.as_deref() != now_leads;
                *before = now_leads.map(str::to_owned);
                changed
            });
        }
        if let Some(probe) = &self.probe {
            self.heard = probe.heard();
            let holder = cluster.holder_now(now);
            let before = self.led.get_or_insert_with(|| holder.map(str::to_owned));
            if holder.is_some() && holder != before.as_deref() {
                probe.expect();
            }
        }
        if self.course.over() {
            self.finish(now);
        }
    }

    /// Ends the watching of what follows a known outcome, because another action is to begin: what that one does must not be taken for this one's.
    pub fn conclude(&mut self) {
        if self.begun.is_none() {
            return;
        }
        let now = self.clock.now();
        if let Some(since) = self.course.decided() {
            self.notes
                .push(format!("what followed was watched for {:.0} s; then another action was to begin", now.since(since).as_secs_f64()));
        }
        self.course.leave(now);
        self.finish(now);
    }

    /// The operation's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it is.
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// How it stands.
    pub fn course(&self) -> &Course {
        &self.course
    }

    /// Why the audit has no end of it, if that could not be written.
    pub fn unwritten(&self) -> Option<&AuditError> {
        self.unwritten.as_ref()
    }

    /// What the operator should know beside the outcome, a sentence each, in the order of time.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// How long writes were away on the routes, as a sentence; `None`: that was not measured, or they were not.
    pub fn away(&self) -> Option<String> {
        away(&self.heard, self.clock.now())
    }

    /// How long writes were away on each route that was listened at, milliseconds; `None`: not known.
    pub fn downtime_ms(&self) -> BTreeMap<String, Option<u64>> {
        let each = self.heard.iter();
        each.map(|route| (route.route().to_owned(), route.away().and_then(|span| u64::try_from(span.as_millis()).ok()))).collect()
    }

    fn finish(&mut self, now: Time) {
        let Some(begun) = self.begun.take() else { return };
        self.assist = None;
        if let Some(probe) = self.probe.take() {
            self.heard = probe.heard();
        }
        let (outcome, sentence) = self.course.outcome().unwrap_or((Outcome::Unknown, ""));
        if let Err(why) = self.memory.end(&self.audit, &begun, outcome, self.course.reply()) {
            self.notes.push(format!("what is remembered of Airflow's pools is not as it should be: {why}"));
        }
        let asked = self.course.asked();
        let phases = self.course.phases().iter().filter_map(|phase| Some((phase.name.clone(), phase.at?.since(asked).as_secs_f64())));
        let event = Event::End {
            outcome,
            sentence: sentence.to_owned(),
            reply: self.course.reply().map(ToString::to_string),
            phases: phases.collect(),
            downtime_ms: self.downtime_ms(),
            notes: self.notes.clone(),
        };
        self.unwritten = self.audit.end(&begun, now, event).err();
    }
}

impl Drop for Execution {
    fn drop(&mut self) {
        if self.begun.is_some() {
            let now = self.clock.now();
            self.course.leave(now);
            self.finish(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Beginning;
    use crate::action::{Entry, Goal, Phase, Standing};
    use crate::permit::AuditPolicy;

    /// A goal that is reached and of which something is left to be seen.
    #[derive(Debug)]
    struct Half([Phase; 1]);

    impl Goal for Half {
        fn look(&mut self, _: &Cluster, _: Time) {}

        fn phases(&self) -> &[Phase] {
            &self.0
        }

        fn standing(&self, _: &Cluster, _: Option<&Reply>, _: Time) -> Standing {
            Standing::Reached("so it is".to_owned())
        }
    }

    #[test]
    fn the_watching_of_what_follows_ends_with_the_next_action_and_the_audit_says_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let audit = Audit::place(&AuditPolicy { dir: Some(folder.path().to_owned()), ..AuditPolicy::default() }).expect("a place");
        let clock = Clock::start();
        let begin = || {
            let line = serde_json::json!({
                "sentence": "", "member": null, "who": null, "pid": 1, "request": null, "patronictl": null, "checks": [], "overridden": [],
                "answered": "y"
            });
            Event::Begin(Box::new(serde_json::from_value::<Beginning>(line).expect("a beginning")))
        };
        let begun = audit.begin(audit.hold("card").expect("held"), clock.now(), "switchover", begin()).expect("begun");
        let course = Course::new(Box::new(Half([Phase::ahead("the old leader follows")])), clock.now());
        let (_tell, words) = mpsc::channel(1);
        let mut execution = Execution::new("switchover", "switchover".to_owned(), course, words, (audit.clone(), begun), clock);
        execution.look(&Cluster::new("card", "/service/", BTreeMap::new()));
        assert!(!execution.course().over());
        assert!(audit.hold("card").is_err(), "one at a time");
        execution.conclude();
        assert!(execution.course().over());
        audit.begin(audit.hold("card").expect("held"), clock.now(), "reload", begin()).expect("the next");
        let (entries, _) = audit.read().expect("read");
        let [_, Entry { event: Event::End { outcome, notes, .. }, .. }, _] = entries.as_slice() else { panic!("{entries:?}") };
        assert_eq!(*outcome, Outcome::Done);
        assert!(notes[0].starts_with("what followed was watched for "), "{notes:?}");
        drop(execution);
        assert_eq!(audit.read().expect("read").0.len(), 3, "the end is written once");
    }
}
