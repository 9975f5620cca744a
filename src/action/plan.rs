//! What will be done, why it may be, and what it takes to say yes.

use serde::{Deserialize, Serialize};

use super::{Check, Light, Operation, Order, Situation};
use crate::model::{Failover, Time};

/// What has to be answered before it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    /// `y`.
    YesNo,
    /// This word, typed in full: the name of the cluster, or of the member.
    Type(String),
}

/// The facts that a plan rests on: when one of them changes, the plan is void.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Basis {
    /// Whether etcd's word on the rest was current.
    current: bool,
    leader: Option<String>,
    timeline: Option<u32>,
    paused: Option<bool>,
    request: Option<Failover>,
}

impl Basis {
    fn of(s: &Situation<'_>) -> Self {
        Self {
            current: s.current(),
            leader: s.leader().map(str::to_owned),
            timeline: s.leader().and_then(|leader| s.cluster.timeline(leader, s.now)),
            paused: s.cluster.config().map(|config| config.paused),
            request: s.cluster.dcs.keys.pending_failover().cloned(),
        }
    }

    /// What is different now.
    pub(super) fn changed(&self, now: &Self) -> Option<String> {
        if self.current && !now.current {
            return Some("etcd does not answer any more: whether the plan still holds is not known".to_owned());
        }
        let name = |leader: &Option<String>| leader.clone().unwrap_or_else(|| "nobody".to_owned());
        if self.leader != now.leader {
            return Some(format!(
                "the leader changed since the plan was made: it was {}, now it is {}",
                name(&self.leader),
                name(&now.leader)
            ));
        }
        if let (Some(before), Some(after)) = (self.timeline, now.timeline)
            && before != after
        {
            return Some(format!("the timeline changed since the plan was made: it was {before}, now it is {after}"));
        }
        if self.paused != now.paused {
            return Some("the maintenance mode changed since the plan was made".to_owned());
        }
        (self.request != now.request).then(|| "another request was made since the plan was made".to_owned())
    }
}

/// What will be done.
#[derive(Debug)]
pub struct Plan {
    /// The operation's name.
    pub name: &'static str,
    /// Names of other operations that do what this does too.
    pub also: Vec<&'static str>,
    /// What it is, as a sentence without a full stop.
    pub sentence: String,
    /// Patroni's scope.
    pub scope: String,
    /// Whom it is done to, if it is one member.
    pub member: Option<String>,
    /// The checks, as they were made.
    pub checks: Vec<Check>,
    /// The exact order; an error when nobody is there to be asked.
    pub order: Result<Order, String>,
    /// The line of patronictl, or of another program, that does the same.
    pub patronictl: Option<String>,
    /// What clients will notice, and what may be lost.
    pub effects: Vec<String>,
    /// What has to be answered.
    pub confirm: Confirm,
    /// When it was made.
    pub made: Time,
    basis: Basis,
    operation: Box<dyn Operation>,
}

/// What whoever operates has answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// This was typed.
    Typed(&'a str),
    /// `--yes` on the command line.
    Yes,
}

/// Why a plan was not confirmed. Displays as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotConfirmed {
    /// Red checks are left.
    #[error("{0}")]
    Red(String),
    /// Something else was typed than asked for.
    #[error("it was not confirmed")]
    Answer,
    /// Somebody is to be asked who is not there.
    #[error("nobody can be asked: {0}")]
    NoOrder(String),
}

/// A plan that was confirmed. Only [`Plan::confirm`] makes one.
///
/// ```compile_fail,E0451
/// use pgbaton::action::{Confirmed, Plan};
/// fn sneak(plan: Plan) -> Confirmed {
///     Confirmed { plan, passed: Vec::new(), overridden: Vec::new(), answered: String::new() }
/// }
/// ```
///
/// ```
/// use pgbaton::action::{Answer, Confirmed, NotConfirmed, Plan};
/// fn ask(plan: Plan, typed: &str) -> Result<Confirmed, NotConfirmed> {
///     plan.confirm(Answer::Typed(typed), &[])
/// }
/// ```
#[derive(Debug)]
pub struct Confirmed {
    plan: Plan,
    /// What was to be passed over, whether or not it is red.
    passed: Vec<String>,
    overridden: Vec<String>,
    answered: String,
}

impl Plan {
    /// The plan of an operation in a situation.
    pub fn of(operation: Box<dyn Operation>, s: &Situation<'_>) -> Self {
        let order = operation.order(s);
        let mut checks = operation.checks(s);
        if let Err(why) = &order
            && !checks.iter().any(|check| check.light == Light::Red)
        {
            checks.push(Check::impossible("order", why.clone()));
        }
        Self {
            name: operation.name(),
            also: operation.also(),
            sentence: operation.sentence(s),
            scope: s.cluster.scope.clone(),
            member: operation.member().map(str::to_owned),
            checks,
            order,
            patronictl: operation.patronictl(s),
            effects: operation.effects(s),
            confirm: operation.confirm(s),
            made: s.now,
            basis: Basis::of(s),
            operation,
        }
    }

    pub(super) fn operation(&self) -> &dyn Operation {
        self.operation.as_ref()
    }

    pub(super) fn basis(&self) -> &Basis {
        &self.basis
    }

    /// The worst colour of its checks.
    pub fn light(&self) -> Light {
        self.checks.iter().map(|check| check.light).max().unwrap_or(Light::Green)
    }

    /// The red checks that nobody has overridden, as one sentence.
    ///
    /// # Errors
    /// There are some.
    pub fn ready(&self, overridden: &[String]) -> Result<(), NotConfirmed> {
        let left = |check: &&Check| check.light == Light::Red && !(check.patroni_would && overridden.contains(&check.id));
        let reasons: Vec<&str> = self.checks.iter().filter(left).map(|check| check.sentence.as_str()).collect();
        if reasons.is_empty() { Ok(()) } else { Err(NotConfirmed::Red(reasons.join("; "))) }
    }

    /// Whether it depends on what Airflow runs.
    pub fn minds_airflow(&self) -> bool {
        self.checks.iter().any(|check| check.id.starts_with("airflow-"))
    }

    /// The red checks that could be overridden.
    pub fn overridable(&self) -> Vec<&str> {
        self.checks.iter().filter(|check| check.light == Light::Red && check.patroni_would).map(|check| check.id.as_str()).collect()
    }

    /// What it is a plan of, so that it can be planned anew.
    pub fn into_operation(self) -> Box<dyn Operation> {
        self.operation
    }

    /// Takes the answer. `overridden`: ids of red checks that are to be passed over.
    ///
    /// # Errors
    /// Red is left, or the answer is not the one that was asked for.
    pub fn confirm(self, answer: Answer<'_>, overridden: &[String]) -> Result<Confirmed, NotConfirmed> {
        self.ready(overridden)?;
        if let Err(why) = &self.order {
            return Err(NotConfirmed::NoOrder(why.clone()));
        }
        let answered = match (answer, &self.confirm) {
            (Answer::Yes, _) => "--yes".to_owned(),
            (Answer::Typed(text), Confirm::YesNo) if matches!(text, "y" | "yes") => text.to_owned(),
            (Answer::Typed(text), Confirm::Type(word)) if text == word => text.to_owned(),
            (Answer::Typed(_), _) => return Err(NotConfirmed::Answer),
        };
        let red = self.checks.iter().filter(|check| check.light == Light::Red).map(|check| check.id.clone()).collect();
        Ok(Confirmed { plan: self, passed: overridden.to_vec(), overridden: red, answered })
    }
}

impl Confirmed {
    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The checks that were to be passed over.
    pub(super) fn passed(&self) -> &[String] {
        &self.passed
    }

    /// Red checks that were passed over.
    pub fn overridden(&self) -> &[String] {
        &self.overridden
    }

    /// What was answered.
    pub fn answered(&self) -> &str {
        &self.answered
    }

    /// Makes the plan again, on the cluster as it is at this moment, and says why it must not be carried out any more.
    ///
    /// # Errors
    /// A fact that it rests on has changed, or a check that was not red before is red now.
    pub(super) fn again(&self, s: &Situation<'_>) -> Result<(), String> {
        if let Some(changed) = self.plan.basis.changed(&Basis::of(s)) {
            return Err(changed);
        }
        // It has in it what the pools are, which is to be remembered: not what they were when somebody began to think about it.
        if let Ok(Order::Airflow(_)) = &self.plan.order
            && self.plan.operation.order(s) != self.plan.order
        {
            return Err("Airflow's pools changed since the plan was made".to_owned());
        }
        let checks = self.plan.operation.checks(s);
        let red = checks.iter().find(|check| check.light == Light::Red && !self.overridden.contains(&check.id));
        red.map_or(Ok(()), |check| Err(check.sentence.clone()))
    }

    pub(super) fn operation(&self) -> &dyn Operation {
        self.plan.operation.as_ref()
    }
}
