//! A plan that waits for a second person.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::plan::Basis;
use super::{Check, Kept, Light, Operation, Plan, Situation};
use crate::model::{Time, clean, listed};
use crate::permit::Operator;

/// A plan as it is written down for another to approve, and to be carried out only if it comes out the same again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// The cluster, as the configuration of who asks calls it.
    pub cluster: String,
    /// Patroni's scope.
    pub scope: String,
    /// PostgreSQL's system identifier: a scope can be given anew.
    pub system_identifier: String,
    /// When it was made.
    pub at: Time,
    /// Until when it is good; the policy decides, this tells.
    pub until: Time,
    /// Who asks.
    pub who: Operator,
    /// The operation with all its arguments.
    pub operation: Kept,
    /// The operation's name.
    pub name: String,
    /// What it is.
    pub sentence: String,
    /// Whom it is done to, if it is one member.
    pub member: Option<String>,
    /// The exact order, as it goes over the line.
    pub order: String,
    /// The same with all that is not told of it there.
    pub request: Value,
    /// The line of patronictl that does the same.
    pub patronictl: Option<String>,
    /// What clients will notice, and what may be lost.
    pub effects: Vec<String>,
    /// The checks, as they were made.
    pub checks: Vec<Check>,
    /// Red checks that are to be passed over.
    pub overridden: Vec<String>,
    basis: Basis,
}

impl Request {
    /// Of a plan that is ready.
    ///
    /// # Errors
    /// It cannot be written down whole; the error is a sentence.
    pub fn of(plan: &Plan, overridden: &[String], s: &Situation<'_>, who: &Operator, cluster: &str, until: Time) -> Result<Self, String> {
        let order = plan.order.clone()?;
        Ok(Self {
            cluster: cluster.to_owned(),
            scope: plan.scope.clone(),
            system_identifier: identifier(s)?,
            at: s.now,
            until,
            who: who.clone(),
            operation: plan.operation().kept()?,
            name: plan.name.to_owned(),
            sentence: plan.sentence.clone(),
            member: plan.member.clone(),
            order: order.to_string(),
            request: serde_json::to_value(&order).map_err(|why| why.to_string())?,
            patronictl: plan.patronictl.clone(),
            effects: plan.effects.clone(),
            checks: plan.checks.clone(),
            overridden: overridden.to_vec(),
            basis: plan.basis().clone(),
        })
    }

    /// As it lies in its file.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn bytes(&self) -> Result<Vec<u8>, String> {
        serde_json::to_vec_pretty(self).map_err(|why| why.to_string())
    }

    /// Read again.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(bytes).map_err(|why| format!("it is no request: {}", clean(&why.to_string())))
    }

    /// The operation again, on the cluster for which it was asked.
    ///
    /// # Errors
    /// It is another cluster, or what the operation was made from is not there any more.
    pub fn operation(&self, s: &Situation<'_>) -> Result<Box<dyn Operation>, String> {
        if s.cluster.scope != self.scope {
            return Err(format!("the request is for {}, not for {}", self.scope, s.cluster.scope));
        }
        let now = identifier(s)?;
        if now != self.system_identifier {
            return Err(format!(
                "{} is another cluster now: its system identifier is {now}, it was {}",
                self.scope, self.system_identifier
            ));
        }
        self.operation.clone().operation(s)
    }

    /// That a plan made anew is what was approved: the same order, on the same facts, with no check worse.
    ///
    /// # Errors
    /// It is not; the error says what is different.
    pub fn still(&self, plan: &Plan) -> Result<(), String> {
        if let Some(changed) = self.basis.changed(plan.basis()) {
            return Err(changed.replace("the plan was made", "it was asked for"));
        }
        plan.operation().kept()?.whole()?;
        let order = plan.order.clone()?;
        let same = order.to_string() == self.order && serde_json::to_value(&order).is_ok_and(|order| order == self.request);
        if !same {
            return Err(format!("the order is another one than was asked for: it would be {order}, it was {}", self.order));
        }
        if (plan.name, &plan.sentence, &plan.member) != (self.name.as_str(), &self.sentence, &self.member) {
            return Err(format!("it is called another thing than was asked for: it is {}, it was {}", plan.sentence, self.sentence));
        }
        self.no_worse(&plan.checks)
    }

    /// That none of these checks is worse than it was when it was asked for.
    ///
    /// # Errors
    /// One is; the error says which.
    pub fn no_worse(&self, now: &[Check]) -> Result<(), String> {
        no_worse(&self.checks, now)
    }

    /// What a plan made anew tells of its effects, and the one that was approved did not; sentences.
    pub fn differs(&self, plan: &Plan) -> Vec<String> {
        let other = |effect: &&String| !self.effects.contains(effect);
        plan.effects.iter().filter(other).map(|effect| format!("not told when it was approved: {effect}")).collect()
    }
}

/// That no check is worse than it was: in its colour, or, where it is red and was passed over, in what it says and in what would be lost.
fn no_worse(before: &[Check], now: &[Check]) -> Result<(), String> {
    let (colour, colour_now) = (worst(before), worst(now));
    let worse = colour_now.iter().find(|(id, light)| **light > colour.get(*id).copied().unwrap_or(Light::Green));
    if let Some((id, light)) = worse {
        let sentence = now.iter().find(|check| check.id == *id && check.light == *light).map(|check| check.sentence.as_str());
        return Err(format!("the check {id} is {light} now, which it was not when it was asked for: {}", sentence.unwrap_or_default()));
    }
    for check in now.iter().filter(|check| check.light == Light::Red) {
        let was: Vec<&Check> = before.iter().filter(|was| was.id == check.id && was.light == Light::Red).collect();
        let no_more = |was: &&Check| check.loss.zip(was.loss).is_some_and(|(now, before)| now <= before);
        if !was.iter().any(|was| was.sentence == check.sentence || no_more(was)) {
            let told = listed(&was.iter().map(|was| was.sentence.as_str()).collect::<Vec<_>>());
            return Err(format!("the red check {} is not what was passed over: it says {}, it said {told}", check.id, check.sentence));
        }
    }
    Ok(())
}

/// The worst colour of each check.
fn worst(checks: &[Check]) -> BTreeMap<&str, Light> {
    let mut worst = BTreeMap::new();
    for check in checks {
        let light = worst.entry(check.id.as_str()).or_insert(check.light);
        *light = check.light.max(*light);
    }
    worst
}

fn identifier(s: &Situation<'_>) -> Result<String, String> {
    let known = s.cluster.dcs.keys.initialize.clone().filter(|identifier| !identifier.is_empty() && s.current());
    known.ok_or_else(|| "the cluster's system identifier is not known".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_was_passed_over_may_not_be_about_more() {
        let green = |told: &str| Check::green("loss", told);
        let amber = |told: &str| Check::amber("loss", told);
        let red = |told: &str| Check::red("loss", told);
        let lost = |told: &str, bytes: u64| Check { loss: Some(bytes), ..red(told) };
        let mb = 1 << 20;
        for (before, now, same) in [
            (vec![red("a")], vec![red("a")], true),
            (vec![red("a")], vec![amber("b")], true),
            (vec![amber("a")], vec![red("a")], false),
            (vec![], vec![amber("a")], false),
            (vec![green("a")], vec![green("b")], true),
            // In other words, and of that another: somebody passed over something else.
            (vec![red("a")], vec![red("b")], false),
            (vec![red("a")], vec![red("a"), red("b")], false),
            (vec![red("b"), red("a")], vec![red("a")], true),
            // Less may be lost than was approved, not more, and not what was not known.
            (vec![lost("up to 1.0 MB lost", mb)], vec![lost("up to 5.0 GB lost", 5 << 30)], false),
            (
                vec![lost("up to 1.0 MB lost of what was seen 2 s ago", mb)],
                vec![lost("up to 1.0 MB lost of what was seen 9 s ago", mb)],
                true,
            ),
            (vec![lost("up to 5.0 GB lost", 5 << 30)], vec![lost("up to 1.0 MB lost", mb)], true),
            (vec![red("loss not known")], vec![lost("up to 5.0 GB lost", 5 << 30)], false),
            (vec![lost("up to 1.0 MB lost", mb)], vec![red("loss not known")], false),
        ] {
            assert_eq!(no_worse(&before, &now).is_ok(), same, "{before:?} {now:?}");
        }
    }
}
