//! Conditions of a runbook, with the values of a run.

use super::{Deed, Kind, Run, Runbook, Values, fill_condition, leader};
use crate::condition::Condition;
use crate::document::Document;

/// Whether a condition holds.
///
/// # Errors
/// It cannot be judged; the error is a sentence.
pub fn judged(condition: &str, values: &Values, document: &Document) -> Result<bool, String> {
    holds(&fill_condition(condition, values)?, document)
}

/// Whether a condition holds that has its values in it.
///
/// # Errors
/// It cannot be judged; the error is a sentence.
pub(super) fn holds(condition: &str, document: &Document) -> Result<bool, String> {
    Condition::parse(condition).map_err(|mistake| mistake.message)?.holds(document)
}

/// A condition with the values that are known.
pub fn shown(condition: &str, values: &Values) -> String {
    fill_condition(condition, values).unwrap_or_else(|_| condition.to_owned())
}

impl Run {
    /// Why a runbook is not for this cluster.
    pub fn unsuited(&self, runbook: &Runbook, document: &Document) -> Option<String> {
        let suits = runbook.front.suits.as_ref()?;
        let mut values = self.values.clone();
        values.insert("cluster".to_owned(), self.cluster.clone());
        values.insert("run".to_owned(), self.id.clone());
        match judged(suits, &values, document) {
            Ok(true) => None,
            Ok(false) => Some(format!("{} is not for {}: not so: {suits}", runbook.name, self.cluster)),
            Err(why) => Some(format!("whether {} is for {} is not known: {why}", runbook.name, self.cluster)),
        }
    }

    /// What held since the last action, and holds no longer: the steps, each with the reason.
    pub fn no_longer(&self, runbook: &Runbook, document: &Document) -> Vec<(String, String)> {
        let course = self.course(runbook);
        let passed: Vec<_> = course
            .into_iter()
            .take_while(|(step, each)| {
                self.last(&step.id, each.as_deref()).is_some_and(|entry| matches!(entry.deed, Deed::Done { .. } | Deed::Skipped { .. }))
            })
            .collect();
        let since = passed.iter().rposition(|(step, _)| matches!(step.kind, Kind::Action(_) | Kind::Command { .. })).map_or(0, |at| at + 1);
        let held = passed[since..]
            .iter()
            .filter(|(step, each)| self.last(&step.id, each.as_deref()).is_some_and(|entry| matches!(entry.deed, Deed::Done { .. })));
        let gone = held.filter_map(|(step, each)| {
            let (Kind::Require { condition, .. } | Kind::Wait { condition, .. } | Kind::When(condition)) = &step.kind else { return None };
            let values = self.values(runbook, step, each.as_deref(), leader(document));
            match judged(condition, &values, document) {
                Ok(true) => None,
                Ok(false) => Some((step.id.clone(), format!("not so: {condition}"))),
                Err(why) => Some((step.id.clone(), why)),
            }
        });
        gone.collect()
    }
}
