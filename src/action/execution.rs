//! An order that went out, until its outcome is known and written down.

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::audit::{Audit, Begun, Event};
use super::{AuditError, Course, Outcome, Reply};
use crate::model::{Cluster, Time};
use crate::source::Clock;

/// An action under way. When it is dropped before its outcome is known, the audit says that it is not known.
#[derive(Debug)]
pub struct Execution {
    name: &'static str,
    sentence: String,
    course: Course,
    reply: Option<oneshot::Receiver<Reply>>,
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
        reply: oneshot::Receiver<Reply>,
        (audit, begun): (Audit, Begun),
        clock: Clock,
    ) -> Self {
        Self { name, sentence, course, reply: Some(reply), audit, begun: Some(begun), unwritten: None, clock }
    }

    /// Looks at the cluster and at the line. To be called whenever something may have changed, and at least some times a second.
    pub fn look(&mut self, cluster: &Cluster) {
        let now = self.clock.now();
        match self.reply.as_mut().map(oneshot::Receiver::try_recv) {
            Some(Ok(reply)) => {
                self.reply = None;
                self.course.hear(reply, cluster, now);
            }
            Some(Err(TryRecvError::Closed)) => {
                self.reply = None;
                self.course.hear(Reply::Lost("the task that sent it has ended".to_owned()), cluster, now);
            }
            Some(Err(TryRecvError::Empty)) | None => self.course.look(cluster, now),
        }
        if self.course.over() {
            self.finish(now);
        }
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

    fn finish(&mut self, now: Time) {
        let Some(begun) = self.begun.take() else { return };
        let (outcome, sentence) = self.course.outcome().unwrap_or((Outcome::Unknown, ""));
        let asked = self.course.asked();
        let phases = self.course.phases().iter().filter_map(|phase| Some((phase.name.clone(), phase.at?.since(asked).as_secs_f64())));
        let event = Event::End {
            outcome,
            sentence: sentence.to_owned(),
            reply: self.course.reply().map(ToString::to_string),
            phases: phases.collect(),
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
