//! Runbooks for the console: which there are, and their runs on the disk.

use crate::app::{ChoiceRow, Opened, Opening};
use crate::cli::runbook::library;
use crate::cli::runbook::record::Record;
use crate::cli::runbook::{fits, new};
use crate::config::Profile;
use crate::document::Document;
use crate::model::{Time, clean};
use crate::runbook::{Run, facts};

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

    /// The runs that can be gone on with, the newest first, then the runbooks.
    pub fn rows() -> Result<Vec<ChoiceRow>, String> {
        let (runs, _) = Record::all().map_err(told)?;
        let mut rows = Vec::new();
        for run in runs.iter().rev() {
            let runbook = library::find(&run.runbook).ok().filter(|runbook| runbook.digest() == run.digest);
            let (Some(runbook), false) = (&runbook, run.aborted()) else { continue };
            let standing = run.standing(Some(runbook));
            if standing != "finished" {
                let what = format!("{}: on {}, begun {} by {}", standing, run.cluster, run.begun, run.by);
                let cells = [runbook.name.clone(), runbook.front.danger.to_string(), clean(&what), format!("run {}", run.id)];
                rows.push(ChoiceRow { id: Opening::Run(run.id.clone()).id(), cells: cells.to_vec() });
            }
        }
        for runbook in library::all().into_iter().flatten() {
            let cells =
                [&runbook.name, &runbook.front.danger.to_string(), &clean(&runbook.front.title), &runbook.front.findings.join(", ")];
            let id = Opening::Runbook(runbook.name.clone(), None).id();
            rows.push(ChoiceRow { id, cells: cells.map(String::clone).to_vec() });
        }
        Ok(rows)
    }

    /// Opens a runbook for a new run, or a run that was left.
    pub fn open(&mut self, opening: &Opening, document: &Document, now: Time) -> Result<Opened, String> {
        self.record = None;
        match opening {
            Opening::Runbook(name, finding) => {
                let runbook = library::find(name).map_err(told)?;
                let values = facts(&runbook, document, finding.as_deref());
                let run = new(name, &runbook, &self.profile, document, values, now);
                Ok(Opened { runbook, run, kept: false })
            }
            Opening::Run(id) => {
                let mut record = Record::read(id).map_err(told)?;
                record.lock().map_err(told)?;
                let runbook = library::find(&record.run().runbook).map_err(told)?;
                fits(record.run(), &runbook, &self.profile, document).map_err(told)?;
                let run = record.run().clone();
                self.record = Some(record);
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

fn told(why: anyhow::Error) -> String {
    format!("{why:#}")
}
