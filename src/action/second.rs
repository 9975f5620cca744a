//! What is asked of a second person, and what that person says; both are written down.

use std::collections::BTreeMap;

use super::audit::{self, APPROVE, ASK, Audit, Beginning, Event, SecondPerson};
use super::{AuditError, Outcome, Plan, Request, Situation};
use crate::model::Time;
use crate::permit::{self, AskedFile, NotApproved, Operator, Permit, Requests, RequestsError};

/// Why nothing was asked for, or nothing was approved. Displays as a sentence.
#[derive(Debug, thiserror::Error)]
pub enum SecondError {
    /// The folder or a file cannot be used.
    #[error(transparent)]
    Requests(#[from] RequestsError),
    /// They may not.
    #[error(transparent)]
    NotApproved(#[from] NotApproved),
    /// It could not be written down, so it does not count.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// The plan cannot be asked for.
    #[error("{0}")]
    Plan(String),
}

/// A request that waits.
#[derive(Debug)]
pub struct Waiting {
    /// Its file.
    pub asked: AskedFile,
    /// What is asked for.
    pub request: Request,
    /// What is to be said beside, a sentence.
    pub note: Option<String>,
}

/// Asks for a plan that is ready: it waits in the policy's folder from now on. `cluster`: as the configuration of who asks calls it.
///
/// # Errors
/// It cannot be asked for, or that cannot be written down; then nothing waits.
pub fn ask(
    permit: &Permit,
    audit: &Audit,
    plan: &Plan,
    overridden: &[String],
    s: &Situation<'_>,
    cluster: &str,
) -> Result<Waiting, SecondError> {
    let requests = Requests::open(permit.policy())?;
    let who = permit.operator();
    if who.nobody_known() {
        return Err(SecondError::Plan("root is no person, and who became root is not known: ask as yourself".to_owned()));
    }
    let lifetime = permit.policy().requests().map(permit::RequestsPolicy::lifetime).unwrap_or_default();
    let request = Request::of(plan, overridden, s, who, cluster, s.now.plus(lifetime)).map_err(SecondError::Plan)?;
    let asked = requests.ask(&request.bytes().map_err(SecondError::Plan)?)?;
    let told = format!("it waits for a second person as {} until {}", asked.id, request.until);
    let noted = note(audit, s.now, ASK, &request, &asked, who, (None, Outcome::Done, told));
    match noted {
        Ok(note) => Ok(Waiting { asked, request, note }),
        Err(why) => {
            requests.take_back(&asked, None)?;
            Err(why.into())
        }
    }
}

/// Approves a request; what is to be said beside. `answered`: what was answered when the approver was asked.
///
/// # Errors
/// They may not, which the audit says; or it cannot be written down, and then it does not count.
pub fn approve(
    permit: &Permit,
    audit: &Audit,
    requests: &Requests,
    waiting: &Waiting,
    answered: &str,
    now: Time,
) -> Result<Option<String>, SecondError> {
    let Waiting { asked, request, .. } = waiting;
    let who = permit.operator();
    let said = |by, outcome, sentence| note(audit, now, APPROVE, request, asked, who, (by, outcome, format!("{sentence} ({answered})")));
    match permit::approve(requests, permit, asked, now) {
        Err(why) => {
            said(None, Outcome::Refused, why.to_string())?;
            Err(why.into())
        }
        Ok(()) => match said(Some(who.user.clone()), Outcome::Done, format!("{} has approved {}", who.told(), asked.id)) {
            Ok(note) => Ok(note),
            Err(why) => {
                requests.take_back(asked, Some(who.uid))?;
                Err(why.into())
            }
        },
    }
}

/// Writes down what was done to a request, by whom, and what came of it.
fn note(
    audit: &Audit,
    at: Time,
    operation: &str,
    request: &Request,
    asked: &AskedFile,
    who: &Operator,
    (approved_by, outcome, sentence): (Option<String>, Outcome, String),
) -> Result<Option<String>, AuditError> {
    let begin = Event::Begin(Box::new(Beginning {
        sentence: format!("{} of: {}", if operation == ASK { "request" } else { "approval" }, request.sentence),
        member: request.member.clone(),
        who: audit::who(who),
        pid: std::process::id(),
        request: request.request.clone(),
        patronictl: request.patronictl.clone(),
        checks: request.checks.clone(),
        overridden: request.overridden.clone(),
        answered: String::new(),
        second: Some(SecondPerson { request: asked.id.clone(), sha256: asked.sha256.clone(), approved_by }),
    }));
    let (phases, downtime_ms) = (BTreeMap::new(), BTreeMap::new());
    audit.note(
        at,
        &request.scope,
        operation,
        [begin, Event::End { outcome, sentence, reply: None, phases, downtime_ms, notes: Vec::new() }],
    )
}
