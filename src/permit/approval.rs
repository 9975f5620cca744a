//! What was approved by a second person.

use serde::{Deserialize, Serialize};

use super::{AskedFile, Operator, Permit, Policy, Requests, RequestsError};
use crate::model::{Time, clean};

/// By how much a time in a file may be ahead of ours: the same host's clock, set back a little.
const AHEAD: std::time::Duration = std::time::Duration::from_secs(5);

/// What of a request matters here.
#[derive(Debug, Deserialize)]
struct Head {
    scope: String,
    at: Time,
    who: Operator,
}

/// An approval's text.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Approval {
    /// The hash of the request.
    approves: String,
    at: Time,
    who: Operator,
}

/// Why a request is not approved, or cannot be. Displays as a sentence.
#[derive(Debug, thiserror::Error)]
pub enum NotApproved {
    /// The folder or a file cannot be used.
    #[error(transparent)]
    Requests(#[from] RequestsError),
    /// Somebody may not, or not any more.
    #[error("{0}")]
    Not(String),
}

fn not<T>(why: impl Into<String>) -> Result<T, NotApproved> {
    Err(NotApproved::Not(why.into()))
}

/// That another person has approved a request: made by [`Approved::of`] alone, which looks at whose file the approval is.
///
/// ```compile_fail,E0451
/// use pgbaton::permit::{Approved, AskedFile, Operator};
/// fn forged(asked: AskedFile) -> Approved {
///     Approved { asked, by: Operator::of_process() }
/// }
/// ```
///
/// ```
/// use pgbaton::model::Time;
/// use pgbaton::permit::{Approved, AskedFile, NotApproved, Permit, Requests};
/// fn looked_up(requests: &Requests, permit: &Permit, asked: AskedFile, now: Time) -> Result<Approved, NotApproved> {
///     Approved::of(requests, permit, asked, now, |_, _| true)
/// }
/// ```
#[derive(Debug)]
pub struct Approved {
    asked: AskedFile,
    by: Operator,
}

impl Approved {
    /// Looks for an approval of what the holder of the permit has asked for. `noted`: whether the audit has this one's approval of it, beside
    /// the file.
    ///
    /// # Errors
    /// It is not theirs, is over, was carried out, or nobody who may has approved it.
    pub fn of(
        requests: &Requests,
        permit: &Permit,
        asked: AskedFile,
        now: Time,
        noted: impl Fn(&AskedFile, &Operator) -> bool,
    ) -> Result<Self, NotApproved> {
        let (me, policy) = (permit.operator(), permit.policy());
        let head = good(policy, &asked, now)?;
        if head.scope != permit.scope() {
            return not(format!("the request is for {}, not for {}", clean(&head.scope), permit.scope()));
        }
        if asked.owner != me.uid {
            return not(format!("only {} may carry it out, who asked for it", Operator::of_uid(asked.owner).user));
        }
        if requests.spent(&asked.id) {
            return not("it was carried out before; a request is good for once");
        }
        let mut reasons = Vec::new();
        for (owner, bytes) in requests.approvals(&asked.id)? {
            match counts(policy, &asked, &head, me, owner, &bytes) {
                Ok(by) if noted(&asked, &by) => return Ok(Self { asked, by }),
                Ok(by) => reasons.push(format!("the approval by {} does not count: the audit does not have it", by.user)),
                Err(why) => reasons.push(why),
            }
        }
        match reasons.is_empty() {
            true => not(format!("nobody has approved it yet: another operator does by `pgbaton approve {}`", asked.id)),
            false => not(reasons.join("; ")),
        }
    }

    /// The request.
    pub fn asked(&self) -> &AskedFile {
        &self.asked
    }

    /// Who has approved it.
    pub fn by(&self) -> &Operator {
        &self.by
    }

    /// Marks it as carried out; to be called before it is.
    ///
    /// # Errors
    /// It is over, was carried out before, or the mark cannot be written.
    pub fn spend(&self, requests: &Requests, permit: &Permit, now: Time) -> Result<(), NotApproved> {
        good(permit.policy(), &self.asked, now)?;
        Ok(requests.spend(&self.asked.id)?)
    }
}

/// Whether this one may approve a request.
///
/// # Errors
/// They may not; the error says why.
pub fn may_approve(requests: &Requests, permit: &Permit, asked: &AskedFile, now: Time) -> Result<(), NotApproved> {
    let me = permit.operator();
    let head = good(permit.policy(), asked, now)?;
    if head.scope != permit.scope() {
        return not(format!("the request is for {}, not for {}", clean(&head.scope), permit.scope()));
    }
    if requests.spent(&asked.id) {
        return not("it was carried out before");
    }
    other_person(&head, asked, me)
}

/// Approves a request, by a file of ours.
///
/// # Errors
/// They may not, or the file cannot be written.
pub fn approve(requests: &Requests, permit: &Permit, asked: &AskedFile, now: Time) -> Result<(), NotApproved> {
    may_approve(requests, permit, asked, now)?;
    let text = Approval { approves: asked.sha256.clone(), at: now, who: permit.operator().clone() };
    let bytes = serde_json::to_vec(&text).map_err(|why| NotApproved::Not(why.to_string()))?;
    Ok(requests.approve(&asked.id, &bytes)?)
}

/// A request that says who asked as the kernel does, and is not over.
fn good(policy: &Policy, asked: &AskedFile, now: Time) -> Result<Head, NotApproved> {
    let head: Head = match serde_json::from_slice(&asked.bytes) {
        Ok(head) => head,
        Err(why) => return not(format!("it is no request: {}", clean(&why.to_string()))),
    };
    if head.who.uid != asked.owner {
        return not(format!("it is forged: it says that user {} asked, and it is a file of user {}", head.who.uid, asked.owner));
    }
    if head.who.nobody_known() {
        return not("root asked, and who became root is not known: ask as yourself");
    }
    if head.at.since(now) > AHEAD {
        return not(format!("it is forged, or a clock is wrong: it was made at {}, which is to come", head.at));
    }
    match policy.requests() {
        Some(requests) if now.since(head.at) <= requests.lifetime() => Ok(head),
        _ => not(format!("it is over: it was made at {}", head.at)),
    }
}

/// That this is somebody else than who asked, as far as anybody can tell.
fn other_person(head: &Head, asked: &AskedFile, who: &Operator) -> Result<(), NotApproved> {
    if who.uid == 0 {
        return not("root is no person: approve as yourself");
    }
    if who.uid == asked.owner {
        return not(format!("{} asked for it: another person has to approve it", who.user));
    }
    if who.may_be(&head.who) {
        return not(format!("{} may be the person who asked for it, as {}: another has to approve it", who.told(), head.who.told()));
    }
    Ok(())
}

/// Whether a file in the folder is an approval that counts, and whose.
fn counts(policy: &Policy, asked: &AskedFile, head: &Head, me: &Operator, owner: u32, bytes: &[u8]) -> Result<Operator, String> {
    let by = Operator::of_uid(owner);
    let named = format!("the approval by {} does not count: ", by.user);
    let approval: Approval = serde_json::from_slice(bytes).map_err(|_| format!("{named}it is none"))?;
    if approval.approves != asked.sha256 {
        return Err(format!("{named}it is of another request"));
    }
    if approval.who.uid != owner {
        return Err(format!("{named}it says that user {} approved", approval.who.uid));
    }
    // By the file's owner first, which the kernel says; then by what the text adds.
    for who in [&by, &approval.who] {
        other_person(head, asked, who).map_err(|why| format!("{named}{why}"))?;
        if who.may_be(me) {
            return Err(format!("{named}it may be you"));
        }
    }
    if !policy.lets(&by, &head.scope) {
        return Err(format!("{named}the policy does not let {} operate {}", by.user, head.scope));
    }
    Ok(by)
}
