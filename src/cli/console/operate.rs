//! What an operator's console can do beside looking: plans, orders, and what becomes of them.

use crate::action::{
    Answer, Assisted, Desk, Execution, Failover, FlushRestart, FlushSwitchover, Operation, Pause, Plan, Reinit, Reload, Restart, Resume,
    Switchover,
};
use crate::app::{Ask, Asked, CourseSheet, PlanSheet};
use crate::cli::situation::with_situation;
use crate::command::CommandId;
use crate::config::Profile;
use crate::live::Live;
use crate::model::Time;

/// An operator's desk with what lies on it.
pub struct Operating {
    desk: Desk,
    /// The HAProxies whose admin socket is configured, if switchovers are to be assisted.
    assist: Option<Vec<String>>,
    plan: Option<Plan>,
    /// The action under way, or the one whose outcome is known and what follows it watched.
    execution: Option<Execution>,
}

impl Operating {
    /// A desk with nothing on it, for the profile's cluster.
    pub fn new(desk: Desk, profile: &Profile) -> Self {
        let sockets = profile.haproxy.iter().filter(|proxy| proxy.admin_socket.is_some()).map(|proxy| proxy.name.clone());
        Self { desk, assist: profile.assist.then(|| sockets.collect()), plan: None, execution: None }
    }

    /// Whether an action is under way.
    pub fn busy(&self) -> bool {
        self.execution.is_some()
    }

    /// Makes a plan and keeps it.
    pub fn plan(&mut self, live: &Live, asked: &Asked) -> Result<PlanSheet, String> {
        let (plan, target) = with_situation(live, |s| {
            let operation = operation(asked, s.leader(), self.assist.as_deref())?;
            let target = asked.member.as_ref().map(|name| {
                let host = s.member(name).and_then(|member| member.address()).map(|(host, _)| format!(" on {host}"));
                format!("{name}{}, {}", host.unwrap_or_default(), s.cluster.role(name, s.now))
            });
            Ok::<_, String>((Plan::of(operation, s), target))
        })?;
        self.desk.alone(plan.name).map_err(|why| why.to_string())?;
        let sheet = sheet(&plan, target);
        self.plan = Some(plan);
        Ok(sheet)
    }

    /// Forgets the plan.
    pub fn abandon(&mut self) {
        self.plan = None;
    }

    /// Carries the plan out.
    pub fn confirm(&mut self, live: &Live, answer: &str) -> Result<CourseSheet, String> {
        let plan = self.plan.take().ok_or("there is no plan any more")?;
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

/// What a key asks for.
fn operation(asked: &Asked, leader: Option<&str>, assist: Option<&[String]>) -> Result<Box<dyn Operation>, String> {
    let member = || asked.member.clone().ok_or("no member is selected");
    Ok(match asked.command {
        CommandId::Switchover => {
            let selected = member()?;
            // From the leader to the best; on a replica, to this one.
            let candidate = Some(selected).filter(|name| leader != Some(name.as_str()));
            let switchover = Switchover { candidate, at: None, leader: None };
            match assist {
                Some(sockets) => Box::new(Assisted { switchover, sockets: sockets.to_vec() }),
                None => Box::new(switchover),
            }
        }
        CommandId::Failover => Box::new(Failover { candidate: member()? }),
        CommandId::Restart => Box::new(Restart { member: member()?, ..Restart::default() }),
        CommandId::Reload => Box::new(Reload { member: member()? }),
        CommandId::Reinit => Box::new(Reinit { member: member()?, force: false, from_leader: false }),
        CommandId::FlushRestart => Box::new(FlushRestart { member: member()? }),
        CommandId::FlushSwitchover => Box::new(FlushSwitchover),
        CommandId::Pause => Box::new(Pause { reason: asked.given.first().filter(|reason| !reason.is_empty()).cloned() }),
        CommandId::Resume => Box::new(Resume),
        other => return Err(format!("{other} changes nothing")),
    })
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
        notes: execution.notes().iter().cloned().chain(execution.away()).collect(),
        outcome: course.outcome().map(|(outcome, sentence)| (outcome, sentence.to_owned())),
        over: course.over(),
    }
}
