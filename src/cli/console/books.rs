//! Runbooks for the console: which there are, and their runs on the disk.

use std::collections::BTreeMap;

use crate::app::{ChoiceRow, Opened, Opening};
use crate::cli::runbook::library::{self, Broken};
use crate::cli::runbook::record::Record;
use crate::cli::runbook::{fits, new, place};
use crate::config::Profile;
use crate::document::Document;
use crate::model::{Time, clean};
use crate::runbook::{Left, Run, Runbook, facts};

/// The shelf, and the run that was taken from it.
#[derive(Debug)]
pub struct Books {
    profile: Profile,
    /// The run that is open; nobody else can go on with it meanwhile.
    record: Option<Record>,
}

impl Books {
    /// Of a profile's cluster.
    pub fn new(profile: &Profile) -> Self {
        Self { profile: profile.clone(), record: None }
    }

    /// The runs that can be gone on with, those of this cluster first and the last one first, then the runbooks.
    pub fn rows(&self, document: &Document) -> Result<Vec<ChoiceRow>, String> {
        let here = place(&self.profile, document);
        let mut runs = in_their_middle(Record::all().map_err(told)?.0);
        runs.sort_by_key(|(run, ..)| run.misplaced(&here).is_some());
        let mut rows: Vec<ChoiceRow> = runs.into_iter().map(|(run, runbook, left)| begun(&run, runbook, &left)).collect();
        rows.extend(library::all().into_iter().map(shelved));
        Ok(rows)
    }

    /// The runs of this cluster that no process has open, the last one first.
    pub fn left(&self, document: &Document) -> Vec<Left> {
        let here = place(&self.profile, document);
        let mut runs = Record::all().map(|(runs, _)| runs).unwrap_or_default();
        runs.retain(|run| run.misplaced(&here).is_none() && !Record::is_held(&run.id));
        in_their_middle(runs).into_iter().map(|(_, _, left)| left).collect()
    }

    /// Opens a runbook for a new run, or a run that was left.
    pub fn open(&mut self, opening: &Opening, document: &Document, now: Time) -> Result<Opened, String> {
        match opening {
            Opening::Runbook(name, finding) => {
                let runbook = library::find(name).map_err(told)?;
                let values = facts(&runbook, document, finding.as_deref());
                let run = new(name, &runbook, &self.profile, document, values, now);
                // What was open is let go of only when something else is.
                self.record = None;
                Ok(Opened { runbook, run, kept: false })
            }
            Opening::Run(id) => {
                let mut other = None;
                let record = match self.record.as_mut().filter(|open| open.run().id == *id) {
                    Some(open) => open,
                    None => other.insert(Record::read(id).map_err(told)?),
                };
                record.lock().map_err(told)?;
                let runbook = library::find(&record.run().runbook).map_err(told)?;
                fits(record.run(), &runbook, &self.profile, document).map_err(told)?;
                let run = record.run().clone();
                if other.is_some() {
                    self.record = other;
                }
                Ok(Opened { runbook, run, kept: true })
            }
        }
    }

    /// Writes the run down.
    pub fn keep(&mut self, run: &Run) -> Result<(), String> {
        match &mut self.record {
            Some(record) if record.run().id == run.id => record.replace(run.clone()).map_err(told),
            _ => {
                self.record = Some(Record::create(run.clone()).map_err(told)?);
                Ok(())
            }
        }
    }
}

/// Those of the runs that can be gone on with, the one of which something was written down last first.
fn in_their_middle(runs: Vec<Run>) -> Vec<(Run, Runbook, Left)> {
    // To read a runbook takes milliseconds, and months of runs are of a few.
    let mut read: BTreeMap<String, Option<Runbook>> = BTreeMap::new();
    let middle = runs.into_iter().filter_map(|run| {
        let runbook = read.entry(run.runbook.clone()).or_insert_with_key(|name| library::find(name).ok());
        let runbook = runbook.as_ref().filter(|runbook| runbook.digest() == run.digest)?;
        let left = Left::of(&run, runbook)?;
        Some((run, runbook.clone(), left))
    });
    let mut middle: Vec<_> = middle.collect();
    middle.sort_by_key(|(_, _, left)| std::cmp::Reverse(left.since));
    middle
}

/// The row of a run that is in its middle.
fn begun(run: &Run, runbook: Runbook, left: &Left) -> ChoiceRow {
    let (at, of) = left.step;
    let what = format!("{}: on {}, at step {at} of {of}, begun {} by {}", run.standing(Some(&runbook)), run.cluster, run.begun, run.by);
    let cells = [runbook.name, runbook.front.danger.to_string(), clean(&what), format!("run {}", run.id)];
    ChoiceRow { id: Opening::Run(run.id.clone()).id(), cells: cells.to_vec() }
}

/// A runbook's row; one that is broken has its own, and whoever opens it is told why it cannot be.
fn shelved(read: Result<Runbook, Broken>) -> ChoiceRow {
    let (name, cells) = match read {
        Ok(Runbook { name, front, .. }) => (name, [front.danger.to_string(), clean(&front.title), front.findings.join(", ")]),
        Err(Broken { name, why }) => (name, ["-".to_owned(), format!("cannot be read: {}", clean(&why.join("; "))), String::new()]),
    };
    ChoiceRow { id: Opening::Runbook(name.clone(), None).id(), cells: [name].into_iter().chain(cells).collect() }
}

fn told(why: anyhow::Error) -> String {
    format!("{why:#}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Env, Request, Selected, load};
    use crate::finding::{Forecast, Tracker};
    use crate::model::Cluster;
    use crate::runbook::{Deed, Entry};

    /// The console's shelf for a cluster of which nothing is known, and what is known of it.
    fn shelf() -> (Books, Document, Time) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pgbaton.toml");
        std::fs::write(&file, "[clusters.card]\nscope = \"card\"\netcd.endpoints = [\"http://192.0.2.1:2379\"]\n").expect("a file");
        let config = load(&Request { file: Some(file), cluster: None, env: Env::default() }).expect("no mistake");
        let Ok(Selected::One(profile)) = config.select(None) else { panic!("one cluster") };
        let (cluster, at) = (Cluster::new("card", "/service/", BTreeMap::new()), Time::from_micros(7_000_000));
        (
            Books::new(&profile),
            Document::of(&cluster, &Tracker::default(), &Forecast::of(&cluster, at), &crate::finding::Limits::default(), "card", at),
            at,
        )
    }

    #[test]
    fn what_is_open_stays_open_when_something_else_cannot_be_opened() {
        let (mut books, document, at) = shelf();
        let folder = tempfile::tempdir().expect("a folder");
        let opened = books.open(&Opening::Runbook("planned-switchover".to_owned(), None), &document, at).expect("it is there");
        let mut run = opened.run;
        books.record = Some(Record::create_in(folder.path().to_owned(), run.clone()).expect("written"));
        for nothing in [Opening::Runbook("no-such".to_owned(), None), Opening::Run("no id".to_owned())] {
            assert!(books.open(&nothing, &document, at).is_err());
        }
        run.entries.push(Entry { at, step: None, each: None, deed: Deed::Note { text: "x".to_owned() } });
        books.keep(&run).expect("it is still ours");
        // The file is what counts, and whoever has a run open can open it again.
        let again = books.open(&Opening::Run(run.id.clone()), &document, at).expect("it is open");
        assert_eq!(again.run, run);
        assert!(Record::create_in(folder.path().to_owned(), run).is_err(), "and nobody else can");
    }
}
