//! A server of an HAProxy is drained, taken out, or given back to the checks.

use serde::{Deserialize, Serialize};

use super::checks::Check;
use super::{Confirm, Goal, Kept, Operation, Order, Phase, ProxyOrder, ProxyState, Reply, Situation, Standing};
use crate::model::{Cluster, HaproxyServer, Route, RouteKind, SourceKind, Time, listed};

/// Gives a server of an HAProxy another administrative state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetProxy {
    /// The HAProxy, as the configuration calls it.
    pub proxy: String,
    /// The backend.
    pub backend: String,
    /// The server.
    pub server: String,
    /// The state.
    pub state: ProxyState,
    /// Whether an admin socket of it is configured.
    pub socket: bool,
}

impl SetProxy {
    fn place(&self) -> String {
        format!("{}/{} of {}", self.backend, self.server, self.proxy)
    }

    fn told(&self) -> &'static str {
        match self.state {
            ProxyState::Drain => "drained",
            ProxyState::Maint => "in maintenance",
            ProxyState::Ready => "left to the checks",
        }
    }

    fn route<'a>(&self, s: &Situation<'a>) -> Option<Route<'a>> {
        s.cluster.routes(s.now).into_iter().find(|route| route.instance == self.proxy && route.backend == self.backend)
    }

    /// Whether no new session would go anywhere on a route.
    fn takes_the_last(&self, s: &Situation<'_>) -> Option<RouteKind> {
        let route = self.route(s).filter(|_| self.state != ProxyState::Ready)?;
        let taking: Vec<&str> = route.servers.iter().filter(|(x, _)| x.takes_sessions()).map(|(x, _)| x.name.as_str()).collect();
        (taking == [self.server.as_str()]).then_some(route.kind)
    }

    fn last(&self, s: &Situation<'_>) -> Check {
        const ID: &str = "last-server";
        let told = format!("{} is the only server that takes sessions in {}", self.server, self.backend);
        match self.takes_the_last(s) {
            None => Check::green(ID, format!("{} does not lose its last server by this", self.backend)),
            Some(RouteKind::Write) => Check::red(ID, format!("{told}: nobody could write through {} any more", self.proxy)),
            Some(_) => Check::amber(ID, told),
        }
    }

    fn now(&self, server: &HaproxyServer) -> Check {
        const ID: &str = "state";
        let told = format!("{} is {} now", self.place(), server.status);
        match self.state {
            _ if shows(server, self.state) && self.state != ProxyState::Ready => Check::amber(ID, format!("{told} already")),
            ProxyState::Drain if server.status.starts_with("DOWN") => {
                Check::red(ID, format!("{told}: the statistics would not show whether it is drained, as they would with maint"))
            }
            _ => Check::green(ID, told),
        }
    }
}

impl Operation for SetProxy {
    fn name(&self) -> &'static str {
        "haproxy"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::Haproxy(self.clone()))
    }

    fn sentence(&self, _: &Situation<'_>) -> String {
        format!("{} of {}", self.state, self.place())
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        let proxy = &self.proxy;
        let mut all = vec![match self.socket {
            true => Check::green("admin-socket", format!("{proxy} has an admin socket")),
            false => Check::impossible("admin-socket", format!("no admin_socket of {proxy} is configured")),
        }];
        let Some(status) = statistics(s.cluster, proxy, s.now) else {
            all.push(Check::impossible("statistics", format!("{proxy} does not tell its statistics, so nothing would be proved")));
            return all;
        };
        let backend = || status.servers.iter().filter(|server| server.backend == self.backend);
        match backend().find(|server| server.name == self.server) {
            Some(server) => all.extend([self.now(server), self.last(s)]),
            None => {
                let names: Vec<&str> = backend().map(|server| server.name.as_str()).collect();
                let there = match names.as_slice() {
                    [] => format!("{proxy} has no backend {}", self.backend),
                    names => format!("{} of {proxy} has no server {}; there are {}", self.backend, self.server, listed(names)),
                };
                all.push(Check::impossible("server", there));
            }
        }
        all
    }

    fn order(&self, _: &Situation<'_>) -> Result<Order, String> {
        ProxyOrder::state(&self.proxy, &self.backend, &self.server, self.state).map(Order::Proxy)
    }

    fn patronictl(&self, _: &Situation<'_>) -> Option<String> {
        None
    }

    fn effects(&self, _: &Situation<'_>) -> Vec<String> {
        let (place, server) = (self.place(), &self.server);
        let mut told = match self.state {
            ProxyState::Drain => vec![format!("no new sessions go to {place}; those that are open go on")],
            ProxyState::Maint => {
                vec![format!(
                    "no sessions go to {place}, and it is not checked; with on-marked-down shutdown-sessions the open ones are cut off"
                )]
            }
            ProxyState::Ready => vec![format!("HAProxy's checks decide whether sessions go to {place}")],
        };
        if self.state != ProxyState::Ready {
            told.push(format!(
                "it stays so until somebody says ready, also when {server} leads; a reload or restart of HAProxy forgets it"
            ));
        }
        told
    }

    fn confirm(&self, s: &Situation<'_>) -> Confirm {
        match self.takes_the_last(s) {
            Some(_) => Confirm::Type(self.server.clone()),
            None => Confirm::YesNo,
        }
    }

    fn goal(&self, s: &Situation<'_>) -> Box<dyn Goal> {
        Box::new(Shown { what: self.clone(), after: s.now, phases: [Phase::ahead("the statistics show it")] })
    }
}

/// What an HAProxy says, if that is current.
fn statistics<'a>(cluster: &'a Cluster, proxy: &str, now: Time) -> Option<&'a crate::model::HaproxyStatus> {
    cluster.haproxies.get(proxy).filter(|seen| seen.error().is_none())?.fresh(now, SourceKind::Haproxy.freshness())
}

/// Whether a server is in this state, by the statistics.
fn shows(server: &HaproxyServer, state: ProxyState) -> bool {
    let (drained, out) = (server.status.starts_with("DRAIN"), server.status.starts_with("MAINT"));
    match state {
        ProxyState::Drain => drained,
        ProxyState::Maint => out,
        ProxyState::Ready => !drained && !out,
    }
}

/// The statistics show the state.
#[derive(Debug)]
struct Shown {
    what: SetProxy,
    /// Older statistics prove nothing.
    after: Time,
    phases: [Phase; 1],
}

impl Goal for Shown {
    fn look(&mut self, cluster: &Cluster, now: Time) {
        let SetProxy { proxy, backend, server, state, .. } = &self.what;
        let newer = cluster.haproxies.get(proxy).and_then(|seen| seen.at()).is_some_and(|at| at > self.after);
        let seen = statistics(cluster, proxy, now).filter(|_| newer).and_then(|status| {
            let mut all = status.servers.iter();
            all.find(|x| x.backend == *backend && x.name == *server)
        });
        self.phases[0].see(seen.is_some_and(|server| shows(server, *state)), now);
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn standing(&self, _: &Cluster, reply: Option<&Reply>, _: Time) -> Standing {
        // What was so before proves nothing while the order is still on its way.
        match reply {
            Some(_) if self.whole() => Standing::Reached(format!("{} is {}, by its statistics", self.what.place(), self.what.told())),
            _ => Standing::Open,
        }
    }
}
