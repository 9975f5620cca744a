//! An action of the audit, as it is shown.

use crate::action::{Beginning, Entry, Event, Outcome};
use crate::model::{Time, washed};

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
    /// The actions of these lines, oldest first. An end whose beginning is not there is no action. The file may be one that others write to: what
    /// it says is cleaned as what comes from a node is.
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
        actions.iter_mut().for_each(Self::wash);
        actions
    }

    fn wash(&mut self) {
        // The id is not shown, and finds the lines again.
        let Self { id: _, at: _, cluster, sentence, who, outcome, details } = self;
        let outcome = outcome.iter_mut().map(|(_, sentence)| sentence);
        let details = details.iter_mut().map(|(_, text)| text);
        [cluster, sentence, who].into_iter().chain(outcome).chain(details).for_each(|text| *text = washed(text));
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of the audit as another user of the machine can have written them: who they are they say themselves, by their environment.
    #[test]
    fn what_others_have_written_into_the_audit_reaches_no_terminal_as_it_is() {
        const BAD: &str = "x\\u001b]52;c;aGk=\\u0007 \\u202e";
        let begin = r#"{"id":"1","at":"2026-11-27T03:12:00Z","cluster":"card BAD","operation":"pause","event":"begin","sentence":"pause BAD","member":null,
            "who":{"user":"BAD","sudo_user":"BAD","ssh_client":"BAD"},"pid":7,"request":{"path":"BAD"},"patronictl":"BAD",
            "checks":[{"id":"c","light":"amber","sentence":"BAD","patroni_would":true}],"overridden":["BAD"],"answered":"BAD"}"#;
        let end = r#"{"id":"1","at":"2026-11-27T03:12:01Z","cluster":"card","operation":"pause","event":"end","outcome":"FAILED","sentence":"BAD",
            "reply":"BAD","phases":{"BAD":1.0},"downtime_ms":{"BAD":null},"notes":["BAD"]}"#;
        let entry = |text: &str| serde_json::from_str::<Entry>(&text.replace("BAD", BAD)).expect("an entry");
        let all = Audited::of(&[entry(begin), entry(end)]);
        let [action] = all.as_slice() else { panic!("{all:?}") };
        let outcome = action.outcome.as_ref().map(|(_, sentence)| sentence);
        let texts = [&action.cluster, &action.sentence, &action.who].into_iter().chain(outcome);
        let texts: Vec<&String> = texts.chain(action.details.iter().map(|(_, text)| text)).collect();
        assert_eq!(texts.len(), 4 + 9, "{texts:#?}");
        for text in texts {
            assert!(text.contains('x') && !text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
        }
    }
}
