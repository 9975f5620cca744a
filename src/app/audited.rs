//! An action of the audit, as it is shown.

use crate::action::{Beginning, Entry, Event, Outcome};
use crate::model::Time;

/// An action of the audit.
#[derive(Debug, Clone, PartialEq)]
pub struct Audited {
    /// Its number in the audit.
    pub id: String,
    /// When the order went out.
    pub at: Time,
    /// Patroni's scope.
    pub cluster: String,
    /// What it is.
    pub sentence: String,
    /// Who did it: `anna, before sudo bert, from 10.0.0.9`.
    pub who: String,
    /// The outcome and why it is called that; `None`: it is under way, or nobody wrote it down.
    pub outcome: Option<(Outcome, String)>,
    /// What else is known, each with its name.
    pub details: Vec<(&'static str, String)>,
}

impl Audited {
    /// The actions of these lines, oldest first. An end whose beginning is not there is no action.
    pub fn of(entries: &[Entry]) -> Vec<Self> {
        let mut actions: Vec<Self> = Vec::new();
        for entry in entries {
            match &entry.event {
                Event::Begin(begin) => actions.push(Self::begun(entry, begin)),
                Event::End { .. } => {
                    if let Some(action) = actions.iter_mut().rev().find(|action| action.id == entry.id) {
                        action.ended(&entry.event);
                    }
                }
            }
        }
        actions
    }

    fn begun(entry: &Entry, begin: &Beginning) -> Self {
        let told = |key: &str, before: &str| begin.who[key].as_str().map(|text| format!("{before}{text}")).unwrap_or_default();
        let who = format!("{}{}{}", told("user", ""), told("sudo_user", ", before sudo "), told("ssh_client", ", from "));
        let mut details = Vec::new();
        if !begin.overridden.is_empty() {
            details.push(("passed over", begin.overridden.join(", ")));
        }
        details.push(("answered", begin.answered.clone()));
        details.push(("order", begin.request.to_string()));
        if let Some(line) = &begin.patronictl {
            details.push(("same as", line.clone()));
        }
        details.extend(
            begin.checks.iter().filter(|check| check.light != crate::action::Light::Green).map(|check| ("noted", check.sentence.clone())),
        );
        let id = entry.id.clone();
        Self { id, at: entry.at, cluster: entry.cluster.clone(), sentence: begin.sentence.clone(), who, outcome: None, details }
    }

    fn ended(&mut self, end: &Event) {
        let Event::End { outcome, sentence, reply, phases, downtime_ms, notes } = end else { return };
        self.outcome = Some((*outcome, sentence.clone()));
        if let Some(reply) = reply {
            self.details.push(("answer", reply.clone()));
        }
        let mut steps: Vec<(&String, &f64)> = phases.iter().collect();
        steps.sort_by(|a, b| a.1.total_cmp(b.1));
        self.details.extend(steps.into_iter().map(|(name, seconds)| ("step", format!("{name} after {seconds:.2} s"))));
        self.details.extend(notes.iter().map(|note| ("note", note.clone())));
        self.details.extend(downtime_ms.iter().map(|(route, ms)| {
            let told = match ms {
                Some(ms) => format!("{}.{} s on {route}", ms / 1000, ms % 1000 / 100),
                None => format!("not known on {route}"),
            };
            ("writes away", told)
        }));
    }
}
