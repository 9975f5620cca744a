//! What is made of a scenario.

use pgbaton::document::{Document, FindingDoc, MemberDoc};
use pgbaton::finding::Tracked;
use pgbaton::model::*;

use super::Scenario;
use super::answers::START;

impl Scenario {
    /// Everything that was heard so far.
    pub fn recorded(&self) -> &[Observation] {
        &self.recorded
    }

    pub fn document(&self) -> &Document {
        &self.document
    }

    pub fn cluster(&self) -> &Cluster {
        self.picture.cluster()
    }

    pub fn standing(&self) -> &[Tracked] {
        self.picture.standing()
    }

    pub fn now(&self) -> Time {
        self.now
    }

    /// Second 0.
    pub fn began(&self) -> Time {
        Time::from_micros(START)
    }

    pub fn member(&self, name: &str) -> &MemberDoc {
        self.document.members.iter().find(|m| m.name == name).unwrap()
    }

    pub fn verdict(&self) -> &str {
        &self.document.headline.verdict
    }

    /// The codes of all findings, worst first.
    pub fn codes(&self) -> Vec<&str> {
        self.document.findings.iter().map(|f| f.code.as_str()).collect()
    }

    pub fn finding(&self, code: &str) -> Option<&FindingDoc> {
        self.document.findings.iter().find(|f| f.code == code)
    }

    /// The sentence of the first finding with this code; an empty one when there is none.
    pub fn sentence(&self, code: &str) -> &str {
        self.finding(code).map_or("", |f| &f.sentence)
    }

    /// The changes since this was last called, each as `code: sentence`; what became of findings is left out, and forgotten.
    pub fn changes(&mut self) -> Vec<String> {
        self.told(false)
    }

    /// What became of findings since this was last called, likewise; all other changes are forgotten.
    pub fn lives(&mut self) -> Vec<String> {
        self.told(true)
    }

    fn told(&mut self, lives: bool) -> Vec<String> {
        let told = self.changes.drain(..).filter(|c| c.code().starts_with("finding-") == lives);
        told.map(|c| format!("{}: {}", c.code(), c.sentence())).collect()
    }

    /// Everything that has changed since then, as values.
    pub fn raw_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }
}
