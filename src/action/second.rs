//! What is asked of a second person, and what that person says; both are written down.

use super::audit::{self, APPROVE, ASK, Audit, NOTHING_ASKED};
use super::entry::{Beginning, Event, SecondPerson};
use super::{AuditError, Entry, Outcome, Plan, Request, Situation};
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
    // A text that was written by hand can have in it what the order only shows masked.
    let whole = request.operation.whole().map_err(SecondError::Plan);
    if let Err(why) = whole.and_then(|()| Ok(permit::may_approve(requests, permit, asked, now)?)) {
        said(None, Outcome::Refused, why.to_string())?;
        return Err(why);
    }
    // Written down first: nobody acts on an approval that is then taken back.
    let noted = said(Some(who.user.clone()), Outcome::Done, format!("{} has approved {}", who.told(), asked.id))?;
    if let Err(why) = permit::approve(requests, permit, asked, now) {
        said(Some(who.user.clone()), Outcome::Refused, format!("it does not count: {why}"))?;
        return Err(why.into());
    }
    Ok(noted)
}

/// Whether the audit's lines say that a request was carried out.
pub(super) fn has_run(entries: &[Entry], request: &str) -> bool {
    let approved = |second: &SecondPerson| second.request == request && second.approved_by.is_some();
    let void = |id: &str| {
        entries.iter().any(|entry| match &entry.event {
            Event::End { outcome: Outcome::Refused, sentence, .. } => entry.id == id && sentence.starts_with(NOTHING_ASKED),
            _ => false,
        })
    };
    entries.iter().any(|entry| match &entry.event {
        Event::Begin(begin) => entry.operation != APPROVE && begin.second.as_ref().is_some_and(approved) && !void(&entry.id),
        Event::End { .. } => false,
    })
}

/// Whether the audit's lines have this one's approval of exactly this request, which none of them takes back.
pub(super) fn noted(entries: &[Entry], asked: &AskedFile, by: &Operator) -> bool {
    let theirs = |begin: &Beginning| {
        let of_it = begin.second.as_ref().is_some_and(|second| second.sha256 == asked.sha256 && second.approved_by.is_some());
        of_it && begin.who.get("uid").and_then(serde_json::Value::as_u64) == Some(u64::from(by.uid))
    };
    let stands = |id: &str| {
        entries.iter().filter(|entry| entry.id == id).all(|entry| match &entry.event {
            Event::End { outcome, .. } => *outcome == Outcome::Done,
            Event::Begin(_) => true,
        })
    };
    entries.iter().any(|entry| match &entry.event {
        Event::Begin(begin) => entry.operation == APPROVE && theirs(begin) && stands(&entry.id),
        Event::End { .. } => false,
    })
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
        reason: None,
        remind_at: None,
        second: Some(SecondPerson { request: asked.id.clone(), sha256: asked.sha256.clone(), approved_by }),
    }));
    audit.note(at, &request.scope, operation, vec![begin, Event::end(outcome, sentence)])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const REQUEST: &str = "0123456789abcdef";

    /// Lines of one action: an operation, the hash and the approver's number, and the ends.
    fn lines(id: &str, operation: &str, (sha256, approved): (&str, Option<u32>), ends: &[(Outcome, &str)]) -> Vec<Entry> {
        let second =
            SecondPerson { request: REQUEST.to_owned(), sha256: sha256.to_owned(), approved_by: approved.map(|uid| uid.to_string()) };
        let begin = json!({ "event": "begin", "id": id, "at": "2026-01-01T00:00:00Z", "cluster": "x", "operation": operation, "sentence": "",
            "who": { "uid": approved }, "pid": 1, "request": null, "checks": [], "overridden": [], "answered": "", "second": second });
        let begin: Entry = serde_json::from_value(begin).expect("a line");
        let end = |(outcome, told): &(Outcome, &str)| Entry { event: Event::end(*outcome, (*told).to_owned()), ..begin.clone() };
        let ends: Vec<Entry> = ends.iter().map(end).collect();
        [vec![begin], ends].concat()
    }

    #[test]
    fn an_approval_counts_if_the_audit_has_it_of_the_same_text_by_the_same_user() {
        let asked = AskedFile { id: REQUEST.to_owned(), sha256: "ab".to_owned(), owner: 1001, bytes: Vec::new() };
        let by = Operator::of_uid(1002);
        let done = (Outcome::Done, "");
        let void = (Outcome::Refused, "it does not count: x");
        for (entries, counts) in [
            (vec![], false),
            (lines("1", APPROVE, ("ab", Some(1002)), &[done]), true),
            (lines("1", APPROVE, ("cd", Some(1002)), &[done]), false),
            (lines("1", APPROVE, ("ab", Some(1003)), &[done]), false),
            (lines("1", APPROVE, ("ab", None), &[(Outcome::Refused, "")]), false),
            (lines("1", ASK, ("ab", Some(1002)), &[done]), false),
            // Written down, and taken back as it could not be sent to syslog.
            (lines("1", APPROVE, ("ab", Some(1002)), &[done, void]), false),
            // A second time, which did not count, takes the first not away.
            ([lines("1", APPROVE, ("ab", Some(1002)), &[done]), lines("2", APPROVE, ("ab", Some(1002)), &[done, void])].concat(), true),
        ] {
            assert_eq!(noted(&entries, &asked, &by), counts, "{entries:#?}");
        }
    }

    #[test]
    fn a_request_has_run_when_its_order_may_have_gone_out() {
        let approved = ("ab", Some(1002));
        for (entries, ran) in [
            (vec![], false),
            (lines("1", ASK, ("ab", None), &[(Outcome::Done, "")]), false),
            (lines("1", APPROVE, approved, &[(Outcome::Done, "")]), false),
            (lines("1", "reload", approved, &[]), true),
            (lines("1", "reload", approved, &[(Outcome::Unknown, "")]), true),
            (lines("1", "reload", approved, &[(Outcome::Refused, "Patroni refuses it")]), true),
            // The audit could not be kept, so nothing was sent.
            (lines("1", "reload", approved, &[(Outcome::Refused, "nothing was asked for: no syslog")]), false),
        ] {
            assert_eq!(has_run(&entries, REQUEST), ran, "{entries:#?}");
        }
    }
}
