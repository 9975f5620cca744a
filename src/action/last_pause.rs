//! Who has paused a cluster, by the audit: Patroni keeps neither who nor why.

use super::Outcome;
use super::entry::{Entry, Event};
use crate::model::PauseNote;
use crate::permit::Operator;

/// The newest pause of a cluster that the audit has, unless it was ended from here or did not come to be.
pub fn last_pause(entries: &[Entry], scope: &str) -> Option<PauseNote> {
    let mut standing: Vec<(&str, PauseNote)> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.cluster == scope) {
        match (entry.operation.as_str(), &entry.event) {
            ("pause", Event::Begin(begin)) => {
                let by = serde_json::from_value::<Operator>(begin.who.clone()).map_or_else(|_| "somebody".to_owned(), |who| who.told());
                let asked = begin.request["base"].as_str().map(str::to_owned);
                let note = PauseNote { at: entry.at, by, asked, reason: begin.reason.clone(), remind_at: begin.remind_at };
                standing.push((&entry.id, note));
            }
            ("pause", Event::End { outcome: Outcome::Refused | Outcome::Failed, .. }) => standing.retain(|(id, _)| *id != entry.id),
            ("resume", Event::End { outcome: Outcome::Done, .. }) => standing.clear(),
            _ => {}
        }
    }
    standing.pop().map(|(_, note)| note)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::Time;

    /// Lines: an action's number, the cluster, the operation, and its outcome, or `None` for its beginning.
    fn audit(lines: &[(&str, &str, &str, Option<Outcome>)]) -> Vec<Entry> {
        let line = |(at, (id, cluster, operation, outcome)): (usize, &(&str, &str, &str, Option<Outcome>))| {
            let begin = json!({ "event": "begin", "id": id, "at": format!("2026-01-01T00:00:0{at}Z"), "cluster": cluster, "operation": operation,
                "sentence": "", "who": { "user": "postgres", "uid": 26, "groups": [], "sudo_user": "anna", "ssh_client": null, "host": "jump" }, "pid": 1, "request": { "base": "http://a:8008" }, "checks": [], "overridden": [], "answered": "y",
                "reason": format!("reason {id}"), "remind_at": "2026-01-01T02:00:00Z" });
            let begin: Entry = serde_json::from_value(begin).expect("a line");
            match outcome {
                Some(outcome) => Entry { event: Event::end(*outcome, String::new()), ..begin },
                None => begin,
            }
        };
        lines.iter().enumerate().map(line).collect()
    }

    #[test]
    fn the_newest_pause_that_came_to_be_and_was_not_ended_is_found() {
        let begun = ("1", "x", "pause", None);
        let reason = |lines: &[_]| last_pause(&audit(lines), "x").and_then(|note| note.reason);
        let first = Some("reason 1".to_owned());
        assert_eq!(reason(&[begun]), first, "under way");
        assert_eq!(reason(&[begun, ("1", "x", "pause", Some(Outcome::Done))]), first);
        assert_eq!(reason(&[begun, ("1", "x", "pause", Some(Outcome::Unknown))]), first, "it may be on");
        assert_eq!(reason(&[begun, ("1", "x", "pause", Some(Outcome::Failed))]), None);
        assert_eq!(reason(&[("1", "y", "pause", None)]), None, "another cluster");
        assert_eq!(reason(&[begun, ("2", "x", "resume", None), ("2", "x", "resume", Some(Outcome::Failed))]), first);
        assert_eq!(reason(&[begun, ("2", "x", "resume", None), ("2", "x", "resume", Some(Outcome::Done))]), None);
        let second = ("2", "x", "pause", None);
        assert_eq!(reason(&[begun, second]).as_deref(), Some("reason 2"));
        // One that was refused as the cluster was paused already takes nothing away.
        assert_eq!(reason(&[begun, second, ("2", "x", "pause", Some(Outcome::Refused))]), first);
        let note = last_pause(&audit(&[begun]), "x").expect("a note");
        assert_eq!((note.by.as_str(), note.asked.as_deref()), ("anna (sudo to postgres)", Some("http://a:8008")));
        assert_eq!(note.remind_at, Time::parse("2026-01-01T02:00:00Z"));
    }
}
