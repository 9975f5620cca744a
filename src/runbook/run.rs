//! A run of a runbook: what was done so far, and so what comes next. Pure; whoever carries it writes it down after every deed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Kind, Runbook, Step, Taken, Values};
use crate::model::Time;

/// A run, as its file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// The runbook's name.
    pub runbook: String,
    /// The runbook's text, by its digest.
    pub digest: String,
    /// The cluster's name in the configuration.
    pub cluster: String,
    /// Where etcd has it: the namespace and Patroni's scope.
    pub key: String,
    /// The endpoints of that etcd in the configuration; none in a run of before they were kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub etcd: Vec<String>,
    /// Its system identifier, where it was known when the run was begun.
    pub system: Option<String>,
    /// Who began it.
    pub by: String,
    /// When it was begun.
    pub begun: Time,
    /// What was said before it began, and since.
    pub values: Values,
    /// For whom each loop is taken, by the id of the step that begins it; kept as it was when the loop began.
    pub loops: BTreeMap<String, Vec<String>>,
    /// What was done, in order.
    pub entries: Vec<Entry>,
}

/// Something that was done in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Time,
    /// The step's id; none for a note on the run itself.
    pub step: Option<String>,
    /// For whom, within a loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// What.
    #[serde(flatten)]
    pub deed: Deed,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr)]
#[serde(tag = "deed", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Deed {
    /// An action is about to be begun: without another entry after it nobody knows what became of it.
    Begun,
    /// It is done, or it holds.
    Done {
        /// What is to be said of it: an answer, an outcome.
        told: String,
    },
    /// It was passed over.
    Skipped {
        /// Why.
        reason: String,
    },
    /// It did not come to be; the run can be taken up again.
    Failed {
        /// Why.
        reason: String,
    },
    /// Something to be remembered.
    Note {
        /// What.
        text: String,
    },
    /// What was measured of a step's action: for how long writes were away.
    Measured {
        /// In words, with where.
        told: String,
    },
    /// Nobody goes on with it.
    Aborted {
        /// Why.
        reason: String,
    },
}

impl Deed {
    /// What there is to be said of it; empty where there is nothing.
    pub fn text(&self) -> &str {
        match self {
            Deed::Begun => "",
            Deed::Done { told } | Deed::Measured { told } => told,
            Deed::Skipped { reason } | Deed::Failed { reason } | Deed::Aborted { reason } => reason,
            Deed::Note { text } => text,
        }
    }

    /// Whether it stands beside the run, and changes nothing of how far that is.
    pub fn beside(&self) -> bool {
        matches!(self, Deed::Note { .. } | Deed::Measured { .. })
    }
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next<'r> {
    /// A step, for a member within a loop.
    Step(&'r Step, Option<String>),
    /// Nothing: all is done.
    Finished,
    /// Nothing: somebody said so.
    Aborted,
}

impl Run {
    /// Whether nobody goes on with it.
    pub fn aborted(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.deed, Deed::Aborted { .. }))
    }

    /// What was last done of a step.
    pub fn last(&self, step: &str, each: Option<&str>) -> Option<&Entry> {
        let of = |entry: &&Entry| entry.step.as_deref() == Some(step) && entry.each.as_deref() == each;
        self.entries.iter().rev().filter(of).find(|entry| !entry.deed.beside())
    }

    /// What was measured of its actions, in order: for how long writes were away.
    pub fn measured(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().filter(|entry| matches!(entry.deed, Deed::Measured { .. })).map(|entry| entry.deed.text())
    }

    /// Whether a step is behind us.
    fn passed(&self, step: &str, each: Option<&str>) -> bool {
        self.last(step, each).is_some_and(|entry| matches!(entry.deed, Deed::Done { .. } | Deed::Skipped { .. }))
    }

    /// The steps in the order in which they are taken, so far as that is known: a loop that was not begun is only its first step, and so is a
    /// branch that was passed over.
    pub fn course<'r>(&self, runbook: &'r Runbook) -> Vec<(&'r Step, Option<String>)> {
        let mut course = Vec::new();
        let mut rest = runbook.steps.iter().peekable();
        while let Some(step) = rest.next() {
            course.push((step, None));
            if !step.kind.heads() {
                continue;
            }
            let mut inner = Vec::new();
            while let Some(next) = rest.next_if(|next| next.within.as_deref() == Some(step.id.as_str())) {
                inner.push(next);
            }
            if matches!(step.kind, Kind::ForEach(_)) {
                let members = self.loops.get(&step.id).map(Vec::as_slice).unwrap_or_default();
                course.extend(members.iter().flat_map(|member| inner.iter().map(|step| (*step, Some(member.clone())))));
            } else if !self.last(&step.id, None).is_some_and(|entry| matches!(entry.deed, Deed::Skipped { .. })) {
                course.extend(inner.into_iter().map(|step| (step, None)));
            }
        }
        course
    }

    /// The first step that is not behind us.
    pub fn next<'r>(&self, runbook: &'r Runbook) -> Next<'r> {
        if self.aborted() {
            return Next::Aborted;
        }
        let ahead = self.course(runbook).into_iter().find(|(step, each)| !self.passed(&step.id, each.as_deref()));
        ahead.map_or(Next::Finished, |(step, each)| Next::Step(step, each))
    }

    /// The values that hold for a step, with who leads now.
    pub fn values(&self, runbook: &Runbook, step: &Step, each: Option<&str>, leader: Option<&str>) -> Values {
        let mut values = self.values.clone();
        values.insert("cluster".to_owned(), self.cluster.clone());
        values.insert("run".to_owned(), self.id.clone());
        if let Some(leader) = leader {
            values.insert("leader".to_owned(), leader.to_owned());
        }
        if let (Some(each), Some(Kind::ForEach(all))) = (each, step.within.as_deref().and_then(|id| runbook.step(id)).map(|s| &s.kind)) {
            values.insert(all.name.clone(), each.to_owned());
        }
        values
    }

    /// Takes in what became of a step: what is to be written down of it. Without a word on its end, an action stays one of which nobody knows.
    pub fn settle(&mut self, step: &Step, taken: &Taken) -> Option<Deed> {
        Some(match taken {
            Taken::Done(told) => Deed::Done { told: told.clone() },
            Taken::Answered(name, value) => {
                self.values.insert(name.clone(), value.clone());
                Deed::Done { told: format!("{name} = {value}") }
            }
            Taken::Members(members) => {
                self.loops.insert(step.id.clone(), members.clone());
                Deed::Done { told: if members.is_empty() { "for nobody".to_owned() } else { format!("for {}", members.join(", ")) } }
            }
            Taken::Skipped(reason) => self.pass_over(step, reason),
            Taken::Failed(reason) => Deed::Failed { reason: reason.clone() },
            Taken::Unknown(_) => return None,
            Taken::Interrupted => Deed::Failed { reason: "interrupted".to_owned() },
        })
    }

    /// Passes a step over: what is to be written down of it. What was not asked is empty from then on, which no action takes.
    pub fn pass_over(&mut self, step: &Step, reason: &str) -> Deed {
        if let Kind::Ask { into, .. } = &step.kind {
            self.values.insert(into.clone(), String::new());
        }
        Deed::Skipped { reason: reason.to_owned() }
    }

    /// How it stands, in a word.
    pub fn standing(&self, runbook: Option<&Runbook>) -> &'static str {
        let last = self.entries.iter().rev().find(|entry| !entry.deed.beside());
        match (last.map(|entry| &entry.deed), runbook) {
            (Some(Deed::Aborted { .. }), _) => "aborted",
            (_, Some(runbook)) if self.next(runbook) == Next::Finished => "finished",
            (Some(Deed::Begun), _) => "unknown",
            (Some(Deed::Failed { .. }), _) => "stopped",
            _ => "open",
        }
    }
}

#[cfg(test)]
impl Run {
    /// A run of which nothing was done, for tests.
    pub(crate) fn sample(digest: String) -> Self {
        Self {
            id: "1".to_owned(),
            runbook: "t".to_owned(),
            digest,
            cluster: "card".to_owned(),
            key: "/service/card".to_owned(),
            etcd: Vec::new(),
            system: None,
            by: "ada".to_owned(),
            begun: Time::from_micros(0),
            values: Values::new(),
            loops: BTreeMap::new(),
            entries: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runbook::parse;

    const TEXT: &str = concat!(
        "---\ntitle: t\ndanger: reads\n---\n# T\n```pgbaton\nid = \"a\"\nlook = \"x?\"\n```\n",
        "## Each\n```pgbaton\nid = \"each\"\nfor_each = \"replicas\"\n```\n### One\n```pgbaton\nid = \"b\"\nlook = \"{member}?\"\n```\n",
        "```pgbaton\nid = \"c\"\ncommand = \"x {member}\"\n```\n## End\n```pgbaton\nid = \"d\"\nlook = \"x?\"\n```\n",
    );

    fn order(run: &Run, runbook: &Runbook) -> Vec<String> {
        run.course(runbook).into_iter().map(|(step, each)| format!("{}{}", step.id, each.unwrap_or_default())).collect()
    }

    #[test]
    fn a_branch_that_is_passed_over_takes_its_steps_with_it() {
        let text = TEXT.replace("for_each = \"replicas\"", "when = \"cluster.paused\"").replace("{member}", "x");
        let runbook = parse("t", "t.md", &text, &|_| Ok(())).expect("no mistake");
        let mut run = Run::sample(runbook.digest());
        assert_eq!(order(&run, &runbook), ["a", "each", "b", "c", "d"]);
        let entry = |deed| Entry { at: run.begun, step: Some("each".to_owned()), each: None, deed };
        let (taken, passed) = (entry(Deed::Done { told: String::new() }), entry(Deed::Skipped { reason: String::new() }));
        run.entries.push(taken);
        assert_eq!(order(&run, &runbook), ["a", "each", "b", "c", "d"]);
        run.entries.push(passed);
        assert_eq!(order(&run, &runbook), ["a", "each", "d"]);
    }

    #[test]
    fn a_run_goes_on_where_it_was_left_and_a_loop_keeps_its_members() {
        let runbook = parse("t", "t.md", TEXT, &|_| Ok(())).expect("no mistake");
        let mut run = Run::sample(runbook.digest());
        let begun = run.begun;
        assert_eq!(order(&run, &runbook), ["a", "each", "d"]);
        let does = |run: &mut Run, step: &str, each: Option<&str>, deed: Deed| {
            run.entries.push(Entry { at: begun, step: Some(step.to_owned()), each: each.map(str::to_owned), deed });
        };
        let done = || Deed::Done { told: String::new() };
        does(&mut run, "a", None, done());
        run.loops.insert("each".to_owned(), vec!["p".to_owned(), "q".to_owned()]);
        does(&mut run, "each", None, done());
        assert_eq!(order(&run, &runbook), ["a", "each", "bp", "cp", "bq", "cq", "d"]);
        does(&mut run, "b", Some("p"), done());
        does(&mut run, "c", Some("p"), Deed::Failed { reason: "x".to_owned() });
        does(&mut run, "c", Some("p"), Deed::Note { text: "y".to_owned() });
        does(&mut run, "c", Some("p"), Deed::Measured { told: "writes were away for 1.9 s on vm1".to_owned() });
        assert_eq!(run.measured().collect::<Vec<_>>(), ["writes were away for 1.9 s on vm1"]);
        let c = runbook.step("c").expect("it is there");
        assert_eq!(run.next(&runbook), Next::Step(c, Some("p".to_owned())), "what failed is not behind us");
        assert_eq!(run.standing(Some(&runbook)), "stopped");
        assert_eq!(run.values(&runbook, c, Some("p"), Some("l")).get("member").map(String::as_str), Some("p"));
        for (step, each) in [("c", Some("p")), ("b", Some("q")), ("c", Some("q")), ("d", None)] {
            assert_ne!(run.next(&runbook), Next::Finished);
            does(&mut run, step, each, done());
        }
        assert_eq!((run.next(&runbook), run.standing(Some(&runbook))), (Next::Finished, "finished"));
        let written = serde_json::to_string(&run).expect("JSON");
        assert_eq!(serde_json::from_str::<Run>(&written).expect("read again"), run);
        run.entries.push(Entry { at: begun, step: None, each: None, deed: Deed::Aborted { reason: "z".to_owned() } });
        assert_eq!((run.next(&runbook), run.standing(Some(&runbook))), (Next::Aborted, "aborted"));
    }
}
