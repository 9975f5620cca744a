//! The subcommands of actions, with patronictl's flags.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};

use super::ask::{can_ask, line};
use super::drain::DrainArgs;
use super::{HowArgs, run, run_with};
use crate::action::{
    Assisted, Failover, FlushRestart, FlushSwitchover, Operation, Pause, Reinit, Reload, Restart, RestartRole, Resume, Situation,
    Switchover,
};
use crate::cli::connect::{ClusterArg, ConnectArgs};
use crate::config::Profile;
use crate::live::Live;
use crate::model::{Role, Time, quantity};

/// What is to be done, one thing after the other.
pub(in crate::cli) type Operations = Vec<Box<dyn Operation>>;

/// `pgbaton switchover`.
#[derive(Debug, clap::Args)]
pub struct SwitchoverArgs {
    #[command(flatten)]
    cluster: ClusterArg,
    /// Who is to lead [default: the best at that moment, as Patroni finds it]
    #[arg(long, value_name = "MEMBER")]
    candidate: Option<String>,
    /// Who leads; refused when somebody else does
    #[arg(long, visible_alias = "primary", value_name = "MEMBER")]
    leader: Option<String>,
    /// When: a time with its zone, as 2026-11-24T03:00:00+00:00 [default: now]
    #[arg(long, value_name = "TIME", value_parser = when)]
    scheduled: Option<When>,
    /// Make a checkpoint first, and tell every HAProxy with an admin_socket when SQL has proved the new leader [default: as `assist` in
    /// the configuration]
    #[arg(long)]
    assist: bool,
    #[command(flatten)]
    drain: DrainArgs,
    #[command(flatten)]
    how: HowArgs,
}

/// `pgbaton failover`.
#[derive(Debug, clap::Args)]
pub struct FailoverArgs {
    #[command(flatten)]
    cluster: ClusterArg,
    /// Who is to lead
    #[arg(long, value_name = "MEMBER")]
    candidate: String,
    #[command(flatten)]
    drain: DrainArgs,
    #[command(flatten)]
    how: HowArgs,
}

/// `pgbaton pause`.
#[derive(Debug, clap::Args)]
pub struct PauseArgs {
    /// Why, for the audit [default: asked for on a terminal]
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// After how long a finding reminds of it, on this machine, if it is still on: 30min, 2h, 1d
    #[arg(long, value_name = "TIME", value_parser = span)]
    remind: Option<Duration>,
    #[command(flatten)]
    drain: DrainArgs,
    #[command(flatten)]
    mode: ModeArgs,
}

/// `pgbaton resume`, and what it shares with `pause`.
#[derive(Debug, clap::Args)]
pub struct ModeArgs {
    #[command(flatten)]
    cluster: ClusterArg,
    /// Wait until every member has seen it; pgbaton always does
    #[arg(long, hide = true)]
    wait: bool,
    #[command(flatten)]
    how: HowArgs,
}

/// Which members.
#[derive(Debug, Clone, clap::Args)]
pub struct MembersArgs {
    /// A cluster of pgbaton.toml, or with Patroni's configuration a scope
    #[arg(value_name = "CLUSTER")]
    cluster: String,
    /// The members [default: all, or all of a role]
    #[arg(value_name = "MEMBER")]
    members: Vec<String>,
    /// Only members of this role: leader, primary, standby-leader, replica, standby, any
    #[arg(long, short, value_name = "ROLE", value_parser = ["leader", "primary", "standby-leader", "replica", "standby", "any"])]
    role: Option<String>,
    #[command(flatten)]
    how: HowArgs,
}

/// `pgbaton restart`.
#[derive(Debug, clap::Args)]
pub struct RestartArgs {
    #[command(flatten)]
    members: MembersArgs,
    /// One member only: the first replica that can be taken, else the leader
    #[arg(long)]
    any: bool,
    /// Writes are away for a switchover only: the replicas first, each streaming again before the next; then the leader hands over, which starts its PostgreSQL anew
    #[arg(long, conflicts_with_all = ["any", "scheduled"])]
    rolling: bool,
    /// When: a time with its zone [default: now]
    #[arg(long, value_name = "TIME", value_parser = when)]
    scheduled: Option<When>,
    /// Only where PostgreSQL is older than this version
    #[arg(long, value_name = "VERSION")]
    pg_version: Option<String>,
    /// Only where a restart is pending
    #[arg(long)]
    pending: bool,
    /// If it takes longer than this, seconds, another takes over
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
    #[command(flatten)]
    drain: DrainArgs,
}

/// `pgbaton reinit`.
#[derive(Debug, clap::Args)]
pub struct ReinitArgs {
    #[command(flatten)]
    members: MembersArgs,
    /// Copy from the leader, whatever other sources are configured
    #[arg(long)]
    from_leader: bool,
    /// Wait for the end; pgbaton always does
    #[arg(long, hide = true)]
    wait: bool,
    /// Cancel what is under way on the member
    #[arg(long)]
    cancel_running: bool,
}

/// `pgbaton flush`.
#[derive(Debug, clap::Args)]
pub struct FlushArgs {
    /// A cluster, then members, then `restart` or `switchover`
    #[arg(value_name = "CLUSTER [MEMBER...] restart|switchover", num_args = 2.., required = true)]
    words: Vec<String>,
    /// Only members of this role
    #[arg(long, short, value_name = "ROLE", value_parser = ["leader", "primary", "standby-leader", "replica", "standby", "any"])]
    role: Option<String>,
    #[command(flatten)]
    how: HowArgs,
}

/// A time, or now.
#[derive(Debug, Clone, Copy)]
pub struct When(Option<Time>);

fn when(text: &str) -> Result<When, String> {
    if text == "now" {
        return Ok(When(None));
    }
    let wrong = || "expected a time with its zone, as 2026-11-24T03:00:00+00:00".to_owned();
    Time::parse(text).map(|time| When(Some(time))).ok_or_else(wrong)
}

impl SwitchoverArgs {
    /// Does it.
    pub fn run(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        let (cluster, how) = (self.cluster.name.clone(), self.how.clone().waiting(&self.drain));
        run_with(connect, cluster.as_deref(), &how, async move |_: &mut Live, profile: &Profile| Ok(self.operations(profile)))
    }

    /// What is to be done.
    pub(in crate::cli) fn operations(self, profile: &Profile) -> Operations {
        let Self { cluster: _, candidate, leader, scheduled, assist, drain: _, how: _ } = self;
        let at = scheduled.and_then(|when| when.0);
        let switchover = Switchover { candidate, at, leader };
        // What is said on the command line holds for all; what the configuration says, where it can.
        if !(assist || profile.assist && at.is_none()) {
            return vec![Box::new(switchover)];
        }
        let sockets = profile.haproxy.iter().filter(|h| h.admin_socket.is_some()).map(|h| h.name.clone()).collect();
        vec![Box::new(Assisted { switchover, sockets })]
    }
}

impl FailoverArgs {
    /// Does it.
    pub fn run(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        let (cluster, how) = (self.cluster.name.clone(), self.how.clone().waiting(&self.drain));
        run(connect, cluster.as_deref(), &how, |_| Ok(self.operations()))
    }

    /// What is to be done.
    pub(in crate::cli) fn operations(self) -> Operations {
        vec![Box::new(Failover { candidate: self.candidate })]
    }
}

/// A time with its unit.
fn span(text: &str) -> Result<Duration, String> {
    quantity::span(text).ok_or_else(|| quantity::SPAN.to_owned())
}

impl PauseArgs {
    /// Switches it on.
    pub fn run(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        let Self { reason, remind, drain, mode } = self;
        let asked = reason.is_none() && mode.how.asks() && can_ask();
        let reason = if asked { Some(line("why? (for the audit) ")?) } else { reason };
        let (cluster, how) = (mode.cluster.name.clone(), mode.how.clone().waiting(&drain));
        run(connect, cluster.as_deref(), &how, |_| Ok(Self { reason, remind, drain, mode }.operations()))
    }

    /// What is to be done.
    pub(in crate::cli) fn operations(self) -> Operations {
        let Self { reason, remind, drain: _, mode: _ } = self;
        vec![Box::new(Pause { reason: reason.filter(|reason| !reason.is_empty()), remind })]
    }
}

impl ModeArgs {
    /// Switches it off.
    pub fn resume(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        run(connect, self.cluster.name.as_deref(), &self.how, |_| Ok(vec![Box::new(Resume)]))
    }
}

impl MembersArgs {
    /// The members that are meant, replicas first.
    fn chosen(&self, s: &Situation<'_>) -> anyhow::Result<Vec<String>> {
        chosen(s, &self.members, self.role.as_deref())
    }

    /// Reloads them.
    pub fn reload(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        run(connect, Some(&self.cluster), &self.how, |s| self.reloads(s))
    }

    /// What is to be done for that.
    pub(in crate::cli) fn reloads(&self, s: &Situation<'_>) -> anyhow::Result<Operations> {
        Ok(self.chosen(s)?.into_iter().map(|member| Box::new(Reload { member }) as Box<dyn Operation>).collect())
    }
}

/// The members of these names and this role, the leader last: what goes wrong on a replica shall stop what would be done to it.
pub(in crate::cli) fn chosen(s: &Situation<'_>, names: &[String], role: Option<&str>) -> anyhow::Result<Vec<String>> {
    for name in names {
        if s.member(name).is_none() && !s.current() {
            bail!(s.no_member(name));
        }
        if s.member(name).is_none() {
            let known: Vec<&str> = s.cluster.members.keys().map(String::as_str).collect();
            bail!("there is no member {name}; there are {}", known.join(", "));
        }
    }
    let fits = |name: &str| {
        let leads = s.leader() == Some(name);
        match role {
            None | Some("any") => true,
            Some("leader") => leads,
            Some("primary") => leads && s.cluster.role(name, s.now) == Role::Leader,
            Some("standby-leader") => leads && s.cluster.role(name, s.now) == Role::StandbyLeader,
            Some(_) => !leads,
        }
    };
    let all = s.cluster.members.values().filter(|member| member.present && (names.is_empty() || names.contains(&member.name)));
    let mut chosen: Vec<String> = all.map(|member| member.name.clone()).filter(|name| fits(name)).collect();
    chosen.sort_by_key(|name| s.leader() == Some(name));
    if chosen.is_empty() && !s.current() {
        bail!("which members there are is not known: etcd does not answer");
    }
    if chosen.is_empty() {
        bail!("no member fits{}", role.map(|role| format!(" the role {role}")).unwrap_or_default());
    }
    Ok(chosen)
}

impl RestartArgs {
    /// Does it.
    pub fn run(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        let (cluster, how) = (self.members.cluster.clone(), self.members.how.clone().waiting(&self.drain));
        run(connect, Some(&cluster), &how, |s| self.operations(s))
    }

    /// What is to be done.
    pub(in crate::cli) fn operations(self, s: &Situation<'_>) -> anyhow::Result<Operations> {
        let Self { members, any, rolling, scheduled, pg_version, pending, timeout, drain: _ } = self;
        let restart = Restart {
            member: String::new(),
            // Patroni looks at the role again, at the time of the restart.
            role: match members.role.as_deref() {
                Some("primary") => Some(RestartRole::Primary),
                Some("standby-leader") => Some(RestartRole::StandbyLeader),
                Some("replica" | "standby") => Some(RestartRole::Replica),
                _ => None,
            },
            pending,
            older_than: pg_version,
            timeout: timeout.map(Duration::from_secs),
            at: scheduled.and_then(|when| when.0),
        };
        let mut chosen = members.chosen(s)?;
        if pending {
            chosen.retain(|name| s.member(name).and_then(|m| m.rest_now(s.now)).is_some_and(|rest| rest.pending_restart));
            if chosen.is_empty() {
                bail!("no restart is pending");
            }
        }
        if any {
            chosen.truncate(1);
        }
        let mut operations: Operations = Vec::new();
        for member in chosen {
            // A leader that hands over stops, and is started anew as a replica: its restart is in that.
            operations.push(match rolling && s.leader() == Some(member.as_str()) {
                true => Box::new(Switchover { candidate: None, at: None, leader: Some(member) }),
                false => Box::new(Restart { member, ..restart.clone() }),
            });
        }
        Ok(operations)
    }
}

impl ReinitArgs {
    /// Does it.
    pub fn run(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        if self.members.members.is_empty() {
            bail!("name the members whose data is to be thrown away");
        }
        run(connect, Some(&self.members.cluster), &self.members.how, |s| self.operations(s))
    }

    /// What is to be done.
    pub(in crate::cli) fn operations(&self, s: &Situation<'_>) -> anyhow::Result<Operations> {
        let Self { members, from_leader, wait: _, cancel_running: force } = self;
        if members.members.is_empty() {
            bail!("name the members whose data is to be thrown away");
        }
        let each = members.chosen(s)?.into_iter();
        let one = |member| Box::new(Reinit { member, force: *force, from_leader: *from_leader }) as Box<dyn Operation>;
        Ok(each.map(one).collect())
    }
}

impl FlushArgs {
    /// Does it.
    pub fn run(self, connect: &ConnectArgs) -> anyhow::Result<ExitCode> {
        let cluster = self.words.first().cloned();
        let how = self.how.clone();
        run(connect, cluster.as_deref(), &how, |s| self.operations(s))
    }

    /// What is to be done.
    pub(in crate::cli) fn operations(self, s: &Situation<'_>) -> anyhow::Result<Operations> {
        let Self { mut words, role, how: _ } = self;
        let what = words.pop().context("say what is to be taken back: restart or switchover")?;
        words.remove(0);
        match what.as_str() {
            "switchover" => Ok(vec![Box::new(FlushSwitchover)]),
            "restart" => {
                let mut members = chosen(s, &words, role.as_deref())?;
                if words.is_empty() {
                    members
                        .retain(|name| s.member(name).and_then(|m| m.rest_now(s.now)).is_some_and(|rest| rest.scheduled_restart.is_some()));
                    if members.is_empty() {
                        bail!("no restart is scheduled");
                    }
                }
                Ok(members.into_iter().map(|member| Box::new(FlushRestart { member }) as Box<dyn Operation>).collect())
            }
            other => bail!("restart or switchover can be taken back, not {other}"),
        }
    }
}
