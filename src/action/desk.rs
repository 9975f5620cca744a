//! Where orders are given: holds the permit, the writing client and the audit.

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::assist::Assist;
use super::audit::{self, Audit, Begun, Held, NOTHING_ASKED};
use super::entry::{Beginning, Event, SecondPerson};
use super::execution::Word;
use super::pool_memory::Memory;
use super::probe::Probe;
use super::{
    AuditError, Confirmed, Course, Entry, Execution, Order, Outcome, Plan, Request, SecondError, Situation, Undo, Waiting, Writers, second,
};
use crate::config::{Diagnostic, Profile};
use crate::permit::{Approved, AskedFile, AuditPolicy, NotApproved, Permit, Requests};
use crate::source::Clock;

/// The most words from the one who sends that wait to be heard.
const WORDS: usize = 64;

/// Where orders are given.
#[derive(Debug)]
pub struct Desk {
    permit: Permit,
    writers: Writers,
    audit: Audit,
    profile: Profile,
    clock: Clock,
}

/// Why there is no desk, or why it did not do what was asked for. Displays as a sentence.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The audit cannot be kept.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A password cannot be read.
    #[error("{0}")]
    Login(Diagnostic),
    /// The cluster is not the one that it was any more.
    #[error("{0}")]
    Changed(String),
    /// It needs a second person, or what that person approved is not this.
    #[error("{0}")]
    Second(String),
    /// The permit is for another cluster.
    #[error("the permit is for {0}")]
    OtherCluster(String),
}

impl Desk {
    /// A desk for the profile's cluster.
    ///
    /// # Errors
    /// The password of the REST API cannot be read, or there is no place for the audit.
    pub fn open(permit: Permit, policy: &AuditPolicy, profile: &Profile, clock: Clock) -> Result<Self, DeskError> {
        if profile.scope.as_deref() != Some(permit.scope()) {
            return Err(DeskError::OtherCluster(permit.scope().to_owned()));
        }
        let writers = Writers::new(&permit, profile).map_err(DeskError::Login)?;
        Ok(Self { permit, writers, audit: Audit::place(policy)?.and_syslog(profile.syslog.as_deref()), profile: profile.clone(), clock })
    }

    /// The last edit of the cluster's configuration that the audit knows, to be taken back.
    ///
    /// # Errors
    /// The audit cannot be read.
    pub fn last_edit(&self) -> Result<Option<Undo>, AuditError> {
        Ok(Undo::last(&self.audit.read()?.0, self.permit.scope()))
    }

    /// Actions of before whose end nobody wrote: they are told, and the audit says from now on that it is not known.
    ///
    /// # Errors
    /// The audit cannot be read or written.
    pub fn left_open(&self) -> Result<Vec<Entry>, AuditError> {
        let open = self.audit.left_open(self.permit.scope())?;
        for entry in &open {
            self.audit.close(entry, self.clock.now())?;
        }
        Ok(open)
    }

    /// That this may be done without a second person.
    ///
    /// # Errors
    /// The policy wants one.
    pub fn alone(&self, plan: &Plan) -> Result<(), DeskError> {
        self.permit.alone(plan.name, &plan.also).map_err(DeskError::Second)
    }

    /// Asks a second person for a plan that is ready.
    ///
    /// # Errors
    /// It cannot be asked for; nothing waits.
    pub fn ask(&self, plan: &Plan, overridden: &[String], s: &Situation<'_>) -> Result<Waiting, SecondError> {
        second::ask(&self.permit, &self.audit, plan, overridden, s, &self.profile.name)
    }

    /// What a second person has said to a request of ours.
    ///
    /// # Errors
    /// Nobody who may has approved it, or it is not good any more.
    pub fn approved(&self, requests: &Requests, asked: AskedFile) -> Result<Approved, NotApproved> {
        let entries = self.audit.read().map(|(entries, _)| entries).unwrap_or_default();
        Approved::of(requests, &self.permit, asked, self.clock.now(), |asked, by| second::noted(&entries, asked, by))
    }

    /// Carries a confirmed plan out: checks it again on the cluster as it is now, writes it down, and sends the order. Must be called within a
    /// tokio runtime.
    ///
    /// # Errors
    /// Something has changed since the plan was made, the policy wants a second person, or the audit cannot be written; nothing was sent.
    pub fn execute(&self, confirmed: &Confirmed, s: &Situation<'_>) -> Result<Execution, DeskError> {
        self.alone(confirmed.plan())?;
        confirmed.again(s).map_err(DeskError::Changed)?;
        let held = self.audit.hold(self.permit.scope())?;
        let order = order(confirmed)?;
        let (begun, memory) = self.begin(held, confirmed, &order, None, s)?;
        Ok(self.send(confirmed, s, order, begun).with_memory(memory))
    }

    /// The same for what a second person has approved: it must be what was asked for, and is done once.
    ///
    /// # Errors
    /// As for [`Desk::execute`]; or the plan is another than the one that was approved, or the request is over or was carried out.
    pub fn execute_approved(
        &self,
        confirmed: &Confirmed,
        approved: &Approved,
        requests: &Requests,
        s: &Situation<'_>,
    ) -> Result<Execution, DeskError> {
        let asked = approved.asked();
        let request = Request::parse(&asked.bytes).map_err(DeskError::Second)?;
        if request.scope != self.permit.scope() || request.overridden != confirmed.passed() {
            return Err(DeskError::Second("it is not what was approved".to_owned()));
        }
        request.still(confirmed.plan()).map_err(DeskError::Changed)?;
        confirmed.again(s).map_err(DeskError::Changed)?;
        // The answer may have taken its time.
        request.no_worse(&confirmed.operation().checks(s)).map_err(DeskError::Changed)?;
        let held = self.audit.hold(self.permit.scope())?;
        // Who asked can take the mark of their own away; the audit's word then stands. Without the audit the approval does not count either, so
        // only who can write another story into it can have it twice (README, "Two persons").
        let (entries, _) = self.audit.read()?;
        if second::has_run(&entries, &asked.id) {
            return Err(DeskError::Second("the audit says that it was carried out before".to_owned()));
        }
        if !second::noted(&entries, asked, approved.by()) {
            return Err(DeskError::Second("the audit does not have the approval any more".to_owned()));
        }
        let note = format!("{} has approved it (request {})", approved.by().user, asked.id);
        let second =
            SecondPerson { request: asked.id.clone(), sha256: asked.sha256.clone(), approved_by: Some(approved.by().user.clone()) };
        let order = order(confirmed)?;
        // Written down first: an approval is not spent by an audit that cannot be kept.
        let (begun, memory) = self.begin(held, confirmed, &order, Some(second), s)?;
        if let Err(why) = approved.spend(requests, &self.permit, self.clock.now()) {
            let why = why.to_string();
            memory.take_back(&self.audit, &begun)?;
            self.audit.end(&begun, self.clock.now(), Event::end(Outcome::Refused, format!("{NOTHING_ASKED}: {why}")))?;
            return Err(DeskError::Second(why));
        }
        let differs = request.differs(confirmed.plan());
        let execution = self.send(confirmed, s, order, begun).with_note(note).with_memory(memory);
        Ok(differs.into_iter().fold(execution, Execution::with_note))
    }

    /// Writes an action down that is about to be done, and what is to be remembered for it.
    fn begin(
        &self,
        held: Held,
        confirmed: &Confirmed,
        order: &Order,
        second: Option<SecondPerson>,
        s: &Situation<'_>,
    ) -> Result<(Begun, Memory), DeskError> {
        let plan = confirmed.plan();
        let now = self.clock.now();
        let event = Event::Begin(Box::new(Beginning {
            sentence: plan.sentence.clone(),
            member: plan.member.clone(),
            who: audit::who(self.permit.operator()),
            pid: std::process::id(),
            request: serde_json::to_value(order).unwrap_or_default(),
            patronictl: plan.patronictl.clone(),
            checks: plan.checks.clone(),
            overridden: confirmed.overridden().to_vec(),
            answered: confirmed.answered().to_owned(),
            reason: confirmed.operation().reason().map(str::to_owned),
            remind_at: confirmed.operation().remind_after().map(|span| now.plus(span)),
            second,
        }));
        let begun = self.audit.begin(held, now, plan.name, event)?;
        let by = self.permit.operator().told();
        match Memory::begin(&self.audit, &begun, confirmed.operation(), s, (now, &by)) {
            Ok(memory) => Ok((begun, memory)),
            Err(why) => {
                self.audit.end(&begun, self.clock.now(), Event::end(Outcome::Refused, format!("{NOTHING_ASKED}: {why}")))?;
                Err(why.into())
            }
        }
    }

    fn send(&self, confirmed: &Confirmed, s: &Situation<'_>, order: Order, begun: Begun) -> Execution {
        let plan = confirmed.plan();
        let goal = confirmed.operation().goal(s);
        let mut course = Course::new(goal, self.clock.now());
        let (tell, words) = mpsc::channel(WORDS);
        let writers = self.writers.clone();
        let clock = self.clock;
        let (probe, ready) = confirmed.operation().moves_writes().then(|| Probe::start(&self.profile, clock)).unzip();
        let assist = confirmed
            .operation()
            .assisted()
            .then(|| Assist::of(s, self.writers.proxy().clone(), self.profile.postgres.clone(), tell.clone()));
        let (mut assist, standing_by) = match assist.flatten() {
            None => (None, None),
            Some(assist) => {
                let ((ready, is_ready), (holder, leader)) = (oneshot::channel::<Assist>(), watch::channel(None));
                let mut standing_by = JoinSet::new();
                standing_by.spawn(async move {
                    if let Ok(assist) = is_ready.await {
                        assist.stand_by(leader).await;
                    }
                });
                (Some((assist, ready)), Some((holder, standing_by)))
            }
        };
        if assist.is_some() {
            course.prepare();
        }
        // A task of its own: the order goes out whole, whatever the one who waits for it does.
        tokio::spawn(async move {
            if let Some((assist, _)) = &mut assist {
                assist.prepare(writers.sql()).await;
            }
            if let Some(ready) = ready {
                ready.wait().await;
            }
            if let Some((assist, standing_by)) = assist.take() {
                let _ = standing_by.send(assist);
            }
            let _ = tell.send(Word::Sent(clock.now())).await;
            let reply = writers.send(&order).await;
            let _ = tell.send(Word::Reply(reply)).await;
        });
        let execution = Execution::new(plan.name, plan.sentence.clone(), course, words, (self.audit.clone(), begun), self.clock);
        execution.with_probe(probe).with_assist(standing_by)
    }
}

fn order(confirmed: &Confirmed) -> Result<Order, DeskError> {
    confirmed.plan().order.clone().map_err(DeskError::Changed)
}
