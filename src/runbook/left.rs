//! Where a run stands that has not come to its end.

use super::{Deed, Next, Run, Runbook};
use crate::model::{Sign, Time, clean};

/// A run in its middle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Its id.
    pub id: String,
    /// The runbook's name.
    pub runbook: String,
    /// What it is: the runbook's title.
    pub title: String,
    /// The step that is next, from 1, and how many there are as far as that is known.
    pub step: (usize, usize),
    /// That step's title, and for whom it is.
    pub next: String,
    /// When something was last written down of it.
    pub since: Time,
    /// Whether nobody knows what became of that step.
    pub unknown: bool,
    /// Who began it.
    pub by: String,
}

impl Left {
    /// Of a run; none when it is at its end.
    pub fn of(run: &Run, runbook: &Runbook) -> Option<Self> {
        let Next::Step(step, each) = run.next(runbook) else { return None };
        let course = run.course(runbook);
        let at = course.iter().position(|(other, of)| other.id == step.id && *of == each)?;
        let whose = each.as_deref().map(|each| format!(", {each}")).unwrap_or_default();
        Some(Self {
            id: run.id.clone(),
            runbook: run.runbook.clone(),
            title: runbook.front.title.clone(),
            step: (at + 1, course.len()),
            next: clean(&format!("{}{whose}: {}", step.title, step.id)),
            since: run.entries.last().map_or(run.begun, |entry| entry.at),
            unknown: run.last(&step.id, each.as_deref()).is_some_and(|entry| entry.deed == Deed::Begun),
            by: clean(&run.by),
        })
    }

    /// That it was left, in a sentence that stays true as time passes.
    pub fn sentence(&self) -> String {
        let (at, of) = self.step;
        let unknown = if self.unknown { "; what became of that step is not known" } else { "" };
        format!("a run of \"{}\" was left at step {at} of {of}{unknown}", self.title)
    }

    /// What that rests on.
    pub fn evidence(&self) -> Vec<Sign> {
        let said = |what: &str, value: String| Sign { at: Some(self.since), source: "runs".to_owned(), what: what.to_owned(), value };
        vec![
            said("run", format!("{}, begun by {}", self.id, self.by)),
            said("next step", self.next.clone()),
            said("last written down", self.since.to_string()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::{Entry, parse};

    #[test]
    fn a_run_tells_at_which_step_it_was_left_and_since_when() {
        let text = "---\ntitle: Hand over\ndanger: reads\n---\n# T\n## One\n```pgbaton\nid = \"a\"\nlook = \"x?\"\n```\n\
            ## Two\n```pgbaton\nid = \"b\"\naction = \"resume\"\n```\n";
        let runbook = parse("t", "t.md", text, &|_| Ok(())).expect("no mistake");
        let mut run = Run::sample(runbook.digest());
        let left = |run: &Run| Left::of(run, &runbook).map(|left| (left.step, left.next, left.since.as_micros(), left.unknown));
        assert_eq!(left(&run), Some(((1, 2), "One: a".to_owned(), 0, false)), "nothing was done of it");
        let mut does = |step: &str, at: i64, deed: Deed| {
            run.entries.push(Entry { at: Time::from_micros(at), step: Some(step.to_owned()), each: None, deed });
            left(&run)
        };
        assert_eq!(does("a", 5, Deed::Done { told: String::new() }), Some(((2, 2), "Two: b".to_owned(), 5, false)));
        assert_eq!(does("b", 7, Deed::Begun), Some(((2, 2), "Two: b".to_owned(), 7, true)));
        assert_eq!(does("b", 9, Deed::Done { told: String::new() }), None, "it is at its end");
    }
}
