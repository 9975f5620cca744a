//! What a key asks for, with what was typed or chosen for it.

use crate::action::{
    AirflowWay, Assisted, Base, Check, Checkpoint, DemoteCluster, DropSlot, EditConfig, Failover, FlushRestart, FlushSwitchover, Freeze,
    Operation, Pause, PromoteCluster, Reinit, Reload, Remove, Restart, Resume, ResumeReplay, Rolling, RollingStep, SetProxy, Situation,
    Switchover, Terminate, Thaw, Undo, needless, next_pending,
};
use crate::app::{Asked, Choice, source};
use crate::cli::act::edited;
use crate::command::CommandId;
use crate::model::{ClientSession, Time, quantity, spoken};

/// What is known or kept beside the cluster.
#[derive(Debug, Default)]
pub struct Parts {
    /// The HAProxies whose admin socket is configured.
    pub sockets: Vec<String>,
    /// By whom Airflow's pools are changed, if that is configured.
    pub airflow_way: Option<AirflowWay>,
    /// Whether switchovers are to be assisted.
    pub assist: bool,
    /// The sessions of which one is to be chosen.
    pub sessions: Vec<ClientSession>,
    /// The configuration as it was before it was edited.
    pub base: Option<Base>,
    /// The last edit of the configuration, when it is to be taken back.
    pub undo: Option<Undo>,
    /// A rolling restart that was begun.
    pub rolling: Option<Rolling>,
}

/// An operation, and what the plan tells beside it.
pub struct Chosen {
    /// The operation.
    pub operation: Box<dyn Operation>,
    /// Sentences.
    pub told: Vec<String>,
    /// What is to be known beside its own checks.
    pub noted: Option<Check>,
}

impl Parts {
    /// Forgets what was kept for a plan; not a rolling restart of which a step was carried out.
    pub fn forget(&mut self) {
        self.sessions.clear();
        self.base = None;
        self.undo = None;
        self.rolling = self.rolling.take().filter(Rolling::begun);
    }

    /// What tells a session from every other: its process's number is given anew after its end.
    pub fn session_id(session: &ClientSession) -> String {
        format!("{} {}", session.pid, session.started.as_micros())
    }

    fn switchover(&self, switchover: Switchover) -> Box<dyn Operation> {
        match self.assist && switchover.at.is_none() {
            true => Box::new(Assisted { switchover, sockets: self.sockets.clone() }),
            false => Box::new(switchover),
        }
    }

    /// The next step of the rolling restart, which begins if none is under way.
    fn roll(&mut self, s: &Situation<'_>) -> Result<RollingStep, String> {
        let rolling = match self.rolling.take() {
            Some(rolling) => rolling,
            None => Rolling::begin(s)?,
        };
        let step = rolling.next(s).ok_or("every member has started anew: the rolling restart is complete")?;
        self.rolling = Some(rolling);
        Ok(step)
    }
}

/// What was asked for.
///
/// # Errors
/// It cannot be made of what was typed, chosen, or is known; the error is a sentence.
pub fn chosen(asked: &Asked, s: &Situation<'_>, parts: &mut Parts) -> Result<Chosen, String> {
    let member = || asked.member.clone().ok_or("no member is selected");
    let given = |n: usize| asked.given.get(n).map(String::as_str).ok_or("something is missing");
    let (mut told, mut noted) = (Vec::new(), None);
    let operation: Box<dyn Operation> = match asked.command {
        CommandId::Switchover | CommandId::SwitchoverAt => {
            let selected = member()?;
            // From the leader to the best; on a replica, to this one.
            let candidate = Some(selected).filter(|name| s.leader() != Some(name.as_str()));
            let at = at(asked, s.now, &mut told)?;
            parts.switchover(Switchover { candidate, at, leader: None })
        }
        CommandId::Failover => Box::new(Failover { candidate: member()? }),
        CommandId::Restart | CommandId::RestartAt => {
            Box::new(Restart { member: member()?, at: at(asked, s.now, &mut told)?, ..Restart::default() })
        }
        CommandId::RestartPending => {
            let step = next_pending(s).ok_or("no restart is pending, as far as the members answer")?;
            told.push(step.told);
            Box::new(Restart { member: step.member, pending: true, ..Restart::default() })
        }
        CommandId::RestartRolling => {
            let step = parts.roll(s)?;
            told.push(step.told);
            noted = needless(s).filter(|_| !parts.rolling.as_ref().is_some_and(Rolling::begun));
            match step.leads {
                // A leader that hands over stops, and is started anew as a replica: its restart is in that.
                true => parts.switchover(Switchover { candidate: None, at: None, leader: Some(step.member) }),
                false => Box::new(Restart { member: step.member, ..Restart::default() }),
            }
        }
        CommandId::Reload => Box::new(Reload { member: member()? }),
        CommandId::Reinit => Box::new(Reinit { member: member()?, force: false, from_leader: false }),
        CommandId::Checkpoint => Box::new(Checkpoint { member: member()? }),
        CommandId::ResumeReplay => Box::new(ResumeReplay { member: member()? }),
        CommandId::DropSlot => Box::new(DropSlot { member: member()?, slot: given(0)?.to_owned() }),
        CommandId::Terminate => {
            let session = parts.sessions.iter().find(|session| given(0) == Ok(Parts::session_id(session).as_str()));
            Box::new(Terminate { member: member()?, session: session.ok_or("the session is not known any more")?.clone() })
        }
        CommandId::SetProxy => {
            let (proxy, backend, server) = Choice::server_of(given(0)?).ok_or("no server is chosen")?;
            let state = given(1)?.parse().map_err(|_| "no state is chosen")?;
            let socket = parts.sockets.iter().any(|known| known == proxy);
            Box::new(SetProxy { proxy: proxy.to_owned(), backend: backend.to_owned(), server: server.to_owned(), state, socket })
        }
        CommandId::FlushRestart => Box::new(FlushRestart { member: member()? }),
        CommandId::FlushSwitchover => Box::new(FlushSwitchover),
        CommandId::Pause => {
            let reason = asked.given.first().filter(|reason| !reason.is_empty()).cloned();
            Box::new(Pause { reason, remind: asked.given.get(1).and_then(|after| quantity::span(after)) })
        }
        CommandId::Resume => Box::new(Resume),
        CommandId::EditConfig => {
            let base = parts.base.take().ok_or("the configuration was not read")?;
            let after = edited(given(0)?).map_err(|error| format!("{error:#}; nothing was changed"))?;
            let edit = EditConfig::new(base, after);
            if edit.changes().is_empty() {
                return Err("nothing would be changed".to_owned());
            }
            Box::new(edit)
        }
        CommandId::UndoConfig => {
            let undo = parts.undo.take().ok_or_else(|| format!("the audit has no edit of {}'s configuration", s.cluster.scope))?;
            Box::new(EditConfig::undoing(Base::of(s.cluster, s.now)?, undo))
        }
        CommandId::DemoteCluster => {
            let (host, port) = source(given(0)?)?;
            Box::new(DemoteCluster { host: Some(host), port, ..DemoteCluster::default() })
        }
        CommandId::PromoteCluster => Box::new(PromoteCluster),
        CommandId::Remove => Box::new(Remove),
        CommandId::Freeze => {
            let reason = asked.given.first().filter(|reason| !reason.is_empty()).cloned();
            Box::new(Freeze { way: parts.airflow_way.clone(), reason, run: None })
        }
        CommandId::Thaw => Box::new(Thaw { way: parts.airflow_way.clone() }),
        other => return Err(format!("{other} changes nothing")),
    };
    Ok(Chosen { operation, told, noted })
}

/// The time that was typed, if one was, and what it is here.
fn at(asked: &Asked, now: Time, told: &mut Vec<String>) -> Result<Option<Time>, String> {
    if !matches!(asked.command, CommandId::SwitchoverAt | CommandId::RestartAt) {
        return Ok(None);
    }
    let at = asked.given.first().and_then(|text| Time::parse(text)).ok_or("no time was given")?;
    told.push(format!("{} is {} here, in {}", at.minute(), at.minute_here(), spoken(at.since(now))));
    Ok(Some(at))
}
