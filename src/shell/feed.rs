//! Where the picture comes from.

use std::future::Future;

use crate::app::{Asked, Audited, ChoiceRow, CourseSheet, EventLine, Opened, Opening, PlanSheet};
use crate::doctor::Report;
use crate::document::Document;
use crate::log::Heard;
use crate::runbook::{Left, Run};

/// Where the picture comes from: the live sources, a recording, a test.
pub trait Feed {
    /// Ends when something new is known, with what has changed by it. It is dropped and called again at any time, so it must lose nothing
    /// when it is dropped.
    fn wait(&mut self) -> impl Future<Output = Vec<EventLine>>;

    /// The picture at this moment, ages included. Called at once when the console opens, before anybody can have answered.
    fn document(&mut self) -> Document;

    /// Makes a plan of what was asked for and keeps it. The error is a sentence. A feed that can change nothing has no plans.
    fn plan(&mut self, _asked: &Asked) -> Result<PlanSheet, String> {
        Err(NOTHING.to_owned())
    }

    /// Carries the kept plan out, if the answer is the one that it asks for. The error is a sentence.
    fn confirm(&mut self, _answer: &str) -> Result<CourseSheet, String> {
        Err(NOTHING.to_owned())
    }

    /// Begins to read the rows of which one is to be chosen. The error is a sentence.
    fn list(&mut self, _asked: &Asked) -> Result<(), String> {
        Err(NOTHING.to_owned())
    }

    /// The rows that were asked for, once they are read.
    fn listed(&mut self) -> Option<(Asked, Result<Vec<ChoiceRow>, String>)> {
        None
    }

    /// The configuration as a text to be edited; what comes of it goes into [`Self::plan`]. The error is a sentence.
    fn draft(&mut self) -> Result<String, String> {
        Err(NOTHING.to_owned())
    }

    /// The configuration to be read: a title and lines. The error is a sentence.
    fn configuration(&mut self) -> Result<(String, Vec<String>), String> {
        Err("the configuration is not known here".to_owned())
    }

    /// Forgets the kept plan and what was kept for one.
    fn abandon(&mut self) {}

    /// The runbooks there are and the runs that can be gone on with, as rows to be chosen. The error is a sentence.
    fn books(&mut self) -> Result<Vec<ChoiceRow>, String> {
        Err("there are no runbooks here".to_owned())
    }

    /// The runs of this cluster that were left in their middle and that no process has open, the last one first.
    fn left(&mut self) -> Vec<Left> {
        Vec::new()
    }

    /// Opens one of them; whoever opens a run is alone with it. The error is a sentence.
    fn open_book(&mut self, _opening: &Opening) -> Result<Opened, String> {
        Err("there are no runbooks here".to_owned())
    }

    /// Writes a run down as it is. The error is a sentence.
    fn keep(&mut self, _run: &Run) -> Result<(), String> {
        Err(NOTHING.to_owned())
    }

    /// Makes a plan of a runbook's action and keeps it; none if nothing is to be done. The error is a sentence.
    fn plan_action(&mut self, _words: &[String]) -> Result<Option<PlanSheet>, String> {
        Err(NOTHING.to_owned())
    }

    /// The same of what is next of that action.
    fn plan_next(&mut self) -> Result<Option<PlanSheet>, String> {
        Err(NOTHING.to_owned())
    }

    /// What was done from this machine, when that is new.
    fn audit(&mut self) -> Option<Result<Vec<Audited>, String>> {
        None
    }

    /// Begins to read the nodes' logs, and goes on until we end. The error is a sentence.
    fn read_logs(&mut self) -> Result<(), String> {
        Err("the nodes' logs are not read here".to_owned())
    }

    /// What was heard of them since: so much at a time that a key is answered in between; the rest comes with the next call.
    fn logs(&mut self) -> Vec<Heard> {
        Vec::new()
    }

    /// Begins to ask what the doctor wants to know. The error is a sentence.
    fn examine(&mut self) -> Result<(), String> {
        Err("the doctor cannot ask anybody here".to_owned())
    }

    /// What the doctor says, once all has been asked; the error is a sentence.
    fn examined(&mut self) -> Option<Result<Report, String>> {
        None
    }

    /// The action under way, until it was told once that it is over.
    fn course(&mut self) -> Option<CourseSheet> {
        None
    }
}

/// What a feed answers that can change nothing.
const NOTHING: &str = "nothing can be changed here";
