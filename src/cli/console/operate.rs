//! What an operator's console can do beside looking: plans, orders, and what becomes of them.

use std::collections::VecDeque;

use futures_util::FutureExt;
use tokio::task::JoinHandle;

use super::chosen::{Chosen, Parts, chosen};
use crate::action::{AirflowWay, Answer, Base, Desk, Execution, Operation, Plan, Situation};
use crate::app::{Ask, Asked, ChoiceRow, CourseSheet, PlanSheet};
use crate::cli::operations;
use crate::cli::situation::with_situation;
use crate::command::CommandId;
use crate::config::{PostgresProfile, Profile, yaml_text};
use crate::live::Live;
use crate::model::{ClientSession, SourceError, Time, spoken};
use crate::source::postgres;

/// Sessions that are being read.
type Listing = JoinHandle<Result<Vec<ClientSession>, SourceError>>;

/// An operator's desk with what lies on it.
pub struct Operating {
    desk: Desk,
    parts: Parts,
    postgres: PostgresProfile,
    profile: Profile,
    /// What is left of a runbook's action.
    rest: VecDeque<Box<dyn Operation>>,
    /// The plan, and what it was asked for by.
    plan: Option<(CommandId, Plan)>,
    listing: Option<(Asked, Listing)>,
    /// The action under way, or the one whose outcome is known and what follows it watched.
    execution: Option<Execution>,
}

impl Operating {
    /// A desk with nothing on it, for the profile's cluster.
    pub fn new(desk: Desk, profile: &Profile) -> Self {
        let with_socket = profile.haproxy.iter().filter(|proxy| proxy.admin_socket.is_some()).map(|proxy| proxy.name.clone());
        let parts =
            Parts { sockets: with_socket.collect(), assist: profile.assist, airflow_way: AirflowWay::of(profile), ..Parts::default() };
        Self {
            desk,
            parts,
            postgres: profile.postgres.clone(),
            profile: profile.clone(),
            rest: VecDeque::new(),
            plan: None,
            listing: None,
            execution: None,
        }
    }

    /// Whether there is something to be looked at often.
    pub fn busy(&self) -> bool {
        self.execution.is_some() || self.listing.is_some()
    }

    /// Makes a plan and keeps it.
    pub fn plan(&mut self, live: &Live, asked: &Asked) -> Result<PlanSheet, String> {
        if asked.command == CommandId::UndoConfig {
            self.parts.undo = self.desk.last_edit().map_err(|why| why.to_string())?;
        }
        let (plan, target, told) = with_situation(live, |s| {
            let Chosen { operation, told, noted } = chosen(asked, s, &mut self.parts)?;
            let mut plan = Plan::of(operation, s);
            plan.checks.extend(noted);
            let target = target(&plan, asked.member.as_deref(), s);
            Ok::<_, String>((plan, target, told))
        })?;
        let mut sheet = self.lay(asked.command, plan, target)?;
        sheet.effects.splice(0..0, told);
        Ok(sheet)
    }

    /// Makes a plan of the first thing that a runbook's action comes to, and keeps the rest.
    pub fn plan_action(&mut self, live: &Live, words: &[String]) -> Result<Option<PlanSheet>, String> {
        let all = with_situation(live, |s| operations(words, s, &self.profile)).map_err(|why| format!("{why:#}"))?;
        self.rest = all.into();
        self.plan = None;
        self.plan_next(live)
    }

    /// Makes a plan of the next; what was planned and not confirmed is next still.
    pub fn plan_next(&mut self, live: &Live) -> Result<Option<PlanSheet>, String> {
        let planned = self.plan.take().map(|(_, plan)| plan.into_operation());
        let Some(operation) = planned.or_else(|| self.rest.pop_front()) else { return Ok(None) };
        let (plan, target) = with_situation(live, |s| {
            let plan = Plan::of(operation, s);
            let target = target(&plan, None, s);
            (plan, target)
        });
        self.lay(CommandId::BookGo, plan, target).map(Some)
    }

    /// Keeps a plan.
    fn lay(&mut self, command: CommandId, plan: Plan, target: Option<String>) -> Result<PlanSheet, String> {
        self.desk.alone(&plan).map_err(|why| why.to_string())?;
        let sheet = sheet(&plan, target);
        self.plan = Some((command, plan));
        Ok(sheet)
    }

    /// Begins to read the sessions of the member.
    pub fn list(&mut self, live: &Live, asked: &Asked) -> Result<(), String> {
        let name = asked.member.clone().ok_or("no member is selected")?;
        let known = live.cluster().members.get(&name).ok_or_else(|| format!("there is no member {name}"))?;
        let (host, port) = known.address().ok_or_else(|| format!("etcd has no address of {name}'s PostgreSQL"))?;
        let (profile, host) = (self.postgres.clone(), host.to_owned());
        let reading = tokio::spawn(async move { postgres::sessions(&profile, &host, port).await });
        self.listing = Some((asked.clone(), reading));
        Ok(())
    }

    /// The sessions, once they are read; they are kept for the plan.
    pub fn listed(&mut self) -> Option<(Asked, Result<Vec<ChoiceRow>, String>)> {
        let (_, listing) = self.listing.as_mut()?;
        let read = listing.now_or_never()?;
        let (asked, _) = self.listing.take()?;
        let sessions = match read {
            Ok(Ok(sessions)) => sessions,
            Ok(Err(error)) => return Some((asked, Err(error.to_string()))),
            Err(_) => return Some((asked, Err("the sessions could not be read".to_owned()))),
        };
        let rows = sessions.iter().map(row).collect();
        self.parts.sessions = sessions;
        Some((asked, Ok(rows)))
    }

    /// The configuration to be edited; it is kept for the plan.
    pub fn draft(&mut self, live: &Live) -> Result<String, String> {
        let base = Base::of(live.cluster(), live.now())?;
        let text = yaml_text(&base.value);
        self.parts.base = Some(base);
        Ok(text)
    }

    /// Forgets the plan and what was kept for it.
    pub fn abandon(&mut self) {
        self.plan = None;
        self.rest.clear();
        self.parts.forget();
    }

    /// Carries the plan out.
    pub fn confirm(&mut self, live: &Live, answer: &str) -> Result<CourseSheet, String> {
        let (command, plan) = self.plan.take().ok_or("there is no plan any more")?;
        let overridden: Vec<String> = plan.overridable().into_iter().map(str::to_owned).collect();
        let (typed, overridden) = match (answer.strip_prefix("override "), overridden.is_empty()) {
            (Some(typed), false) => (typed, overridden),
            _ => (answer, Vec::new()),
        };
        let confirmed = plan.confirm(Answer::Typed(typed), &overridden).map_err(|why| why.to_string())?;
        // The audit knows one action under way, and what this one does must not be taken for what follows the one before.
        if let Some(before) = &mut self.execution {
            before.conclude();
        }
        // When it is refused, the one before is looked at once more, to be told as ended.
        let mut execution = with_situation(live, |s| self.desk.execute(&confirmed, s)).map_err(|why| why.to_string())?;
        if let Some(rolling) = self.parts.rolling.as_mut().filter(|_| command == CommandId::RestartRolling) {
            rolling.go_on();
        }
        execution.look(live.cluster());
        let mut sheet = course(&execution);
        sheet.notes.extend(self.execution.replace(execution).as_ref().and_then(unwritten));
        Ok(sheet)
    }

    /// Looks at the action under way.
    pub fn look(&mut self, live: &Live) -> Option<CourseSheet> {
        let execution = self.execution.as_mut()?;
        execution.look(live.cluster());
        let mut sheet = course(execution);
        if execution.course().over() {
            sheet.notes.extend(unwritten(execution));
            self.execution = None;
        }
        Some(sheet)
    }
}

/// Whom it is done to.
fn target(plan: &Plan, selected: Option<&str>, s: &Situation<'_>) -> Option<String> {
    plan.member.as_deref().or(selected).map(|name| {
        let host = s.member(name).and_then(|member| member.address()).map(|(host, _)| format!(" on {host}"));
        format!("{name}{}, {}", host.unwrap_or_default(), s.cluster.role(name, s.now))
    })
}

/// A session as a row to be chosen.
fn row(session: &ClientSession) -> ChoiceRow {
    let since = |at: Option<Time>| at.map_or_else(|| "–".to_owned(), |at| spoken(session.server_time.since(at)));
    let blocks = if session.blocks == 0 { "–".to_owned() } else { session.blocks.to_string() };
    let cells = vec![
        session.pid.to_string(),
        session.user.clone(),
        session.state.clone(),
        since(session.transaction),
        since(session.query),
        blocks,
        session.database.clone(),
        session.client.clone().unwrap_or_else(|| "the host".to_owned()),
        session.application.clone(),
    ];
    ChoiceRow { id: Parts::session_id(session), cells }
}

fn sheet(plan: &Plan, target: Option<String>) -> PlanSheet {
    let overridable: Vec<String> = plan.overridable().into_iter().map(str::to_owned).collect();
    let ask = match plan.ready(&overridable) {
        Ok(()) => Ok(Ask::of(&plan.confirm, overridable)),
        Err(why) => Err(why.to_string()),
    };
    PlanSheet {
        sentence: plan.sentence.clone(),
        cluster: plan.scope.clone(),
        target,
        checks: plan.checks.iter().map(|check| (check.light, check.id.clone(), check.sentence.clone())).collect(),
        effects: plan.effects.clone(),
        order: plan.order.as_ref().map_or_else(Clone::clone, ToString::to_string),
        patronictl: plan.patronictl.clone(),
        ask,
    }
}

/// That the audit has no end of it, if it has none.
fn unwritten(execution: &Execution) -> Option<String> {
    execution.unwritten().map(|why| format!("the end of the {} was not written down: {why}", execution.name()))
}

fn course(execution: &Execution) -> CourseSheet {
    let course = execution.course();
    let after = |at: Time| at.since(course.asked());
    CourseSheet {
        sentence: execution.sentence().to_owned(),
        asked: course.asked(),
        phases: course.phases().iter().map(|phase| (phase.name.clone(), phase.at.map(after))).collect(),
        now: course.now_told(),
        notes: execution.notes().to_vec(),
        outcome: course.outcome().map(|(outcome, sentence)| (outcome, sentence.to_owned())),
        moved_to: course.moved_to().map(str::to_owned),
        away: execution.away(),
        over: course.over(),
    }
}
