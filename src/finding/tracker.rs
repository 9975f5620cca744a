//! The life of a finding: when it is raised, since when it is there, when it is over.
//!
//! **Raised.** At once, except for one that compares readings of different moments ([`Finding::compares`]): that one is raised when each of
//! them is as new as the newest was when it was first seen. Until then it may be nothing but the time that lies between two readings.
//!
//! **Shown.** While it is true, and not longer: the sentence of a finding that is away describes what was, and old is not current. So nothing
//! that flaps stays on the screen by force; what keeps it calm is its identity. One that is back within [`SAME`] is the same one, with
//! its beginning, and neither its end nor a new start is told.
//!
//! **Over.** When it has been away for [`SAME`]. What is told then ends with the moment at which it was last seen, not with the wait.
//!
//! **At the start** nothing has happened: what is found before everybody was heard once ([`Opening`]) was there when we came.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Evidence, Finding, Opening};
use crate::model::{Change, ChangeKind, Cluster, Level, Time};

/// How long a finding may be away and still be the same one when it is back; how long it must be milder until that is told.
const SAME: Duration = Duration::from_secs(5);

/// How long a comparison waits for readings that do not come: longer than every source's period and its deadline together.
pub const UNREPEATED: Duration = Duration::from_secs(4);

/// A finding with its beginning.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracked {
    /// The finding.
    pub finding: Finding,
    /// When it was first seen.
    pub since: Time,
}

/// Remembers the findings and tells what becomes of them.
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    lives: BTreeMap<(&'static str, Option<String>), Life>,
    opening: Opening,
    standing: Vec<Tracked>,
}

#[derive(Debug, Clone)]
struct Life {
    since: Time,
    seen: Time,
    /// It was looked for since, and was not there. Not to have looked is no sign of its end.
    away: bool,
    /// The newest reading that it compared when it was first seen.
    newest: Option<Time>,
    raised: bool,
    /// As it was last told.
    severity: Level,
    /// Since when it has been milder than that.
    milder: Option<Time>,
    /// It was there when we came.
    found: bool,
}

impl Tracker {
    /// Takes in what is found at `now`, and says what has become of the findings since the last time.
    pub fn track(&mut self, cluster: &Cluster, findings: Vec<Finding>, now: Time) -> Vec<Change> {
        let opening = !self.opening.over(cluster, now);
        let mut told = self.end(now, opening);
        self.lives.values_mut().for_each(|life| life.away = true);
        let mut standing = Vec::new();
        for finding in findings {
            let life = self.lives.entry((finding.code, finding.subject.clone())).or_insert(Life {
                since: now,
                seen: now,
                away: false,
                newest: finding.compares.iter().copied().max(),
                raised: false,
                severity: finding.severity,
                milder: None,
                found: opening,
            });
            life.seen = now;
            life.away = false;
            if !life.raised {
                life.severity = finding.severity;
                let repeated = finding.compares.iter().all(|at| life.newest.is_some_and(|newest| *at >= newest));
                if !repeated && now.since(life.since) < UNREPEATED {
                    continue;
                }
                life.raised = true;
                told.extend((!life.found).then(|| raised(&finding)));
            } else if let Some(from) = life.changed(finding.severity, now) {
                told.push(ChangeKind::FindingChanged {
                    code: finding.code.to_owned(),
                    subject: finding.subject.clone(),
                    from,
                    to: finding.severity,
                    says: finding.sentence.clone(),
                });
            }
            standing.push(Tracked { since: life.since, finding });
        }
        // What was never raised has no memory: it was nothing, or begins anew.
        self.lives.retain(|_, life| life.raised || !life.away);
        self.standing = standing;
        told.into_iter().map(|kind| Change { at: now, kind }).collect()
    }

    /// The findings that are raised and true, in the order in which they were taken in.
    pub fn standing(&self) -> &[Tracked] {
        &self.standing
    }

    /// The worst that was seen and may still be nothing but the moment between two readings.
    pub fn undecided(&self) -> Option<Level> {
        self.lives.values().filter(|life| !life.raised).map(|life| life.severity).max()
    }

    /// Forgets what has been away for long enough.
    fn end(&mut self, now: Time, opening: bool) -> Vec<ChangeKind> {
        let mut over = Vec::new();
        let standing: Vec<(&'static str, Option<String>, Time)> = self
            .lives
            .iter()
            .filter(|(_, life)| life.raised && !life.away)
            .map(|((code, s), life)| (*code, s.clone(), life.since))
            .collect();
        // The same fault by another name: that it "is over" would be false.
        let goes_on = |subject: &Option<String>, ended: Time| {
            let next = |since: Time| since.since(ended) <= SAME && ended.since(since) <= SAME;
            standing.iter().find(|(_, of, since)| of.is_some() && of == subject && next(*since)).map(|(code, ..)| (*code).to_owned())
        };
        self.lives.retain(|(code, subject), life| {
            let stays = !life.away || now.since(life.seen) <= SAME;
            // What nobody was told of, and is gone before the picture was whole, is not told of either.
            if !stays && life.raised && !(opening && life.found) {
                over.push(ChangeKind::FindingCleared {
                    code: (*code).to_owned(),
                    subject: subject.clone(),
                    since: life.since,
                    seconds: (life.seen.since(life.since).as_millis() as f64) / 1000.0,
                    now: goes_on(subject, life.seen),
                });
            }
            stays
        });
        over
    }
}

impl Life {
    /// What the severity was, if it is to be told that it is another: worse at once, milder when it has stayed so.
    fn changed(&mut self, severity: Level, now: Time) -> Option<Level> {
        if severity >= self.severity {
            self.milder = None;
        } else if now.since(*self.milder.get_or_insert(now)) <= SAME {
            return None;
        }
        (severity != self.severity).then(|| {
            self.milder = None;
            std::mem::replace(&mut self.severity, severity)
        })
    }
}

fn raised(finding: &Finding) -> ChangeKind {
    ChangeKind::FindingRaised {
        code: finding.code.to_owned(),
        subject: finding.subject.clone(),
        severity: finding.severity,
        sentence: finding.sentence.clone(),
        evidence: finding.evidence.iter().map(Evidence::sign).collect(),
    }
}

#[cfg(test)]
#[path = "tracker_tests.rs"]
mod tests;
