//! A switchover that HAProxy is helped to follow.

use serde::{Deserialize, Serialize};

use super::checks::Check;
use super::{Confirm, Goal, Kept, Operation, Order, Situation, Switchover};
use crate::model::{RouteKind, listed};

/// A switchover now, with a checkpoint before it, and every HAProxy that has an admin socket told who leads as soon as SQL has proved it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assisted {
    /// The switchover.
    pub switchover: Switchover,
    /// The HAProxies whose admin socket is configured.
    pub sockets: Vec<String>,
}

impl Assisted {
    /// The HAProxies with a write route: those that can be told, and those that cannot.
    fn proxies<'a>(&self, s: &Situation<'a>) -> (Vec<&'a str>, Vec<&'a str>) {
        let routes = s.cluster.routes(s.now).into_iter().filter(|route| route.kind == RouteKind::Write);
        routes.map(|route| route.instance).partition(|name| self.sockets.iter().any(|socket| socket == name))
    }

    fn assist(&self, s: &Situation<'_>) -> Check {
        const ID: &str = "assist";
        if self.switchover.at.is_some() {
            return Check::impossible(ID, "a scheduled switchover cannot be assisted: nobody may be here then");
        }
        match self.proxies(s) {
            (told, _) if told.is_empty() => Check::amber(ID, "no HAProxy with a write route has an admin socket: none will be told"),
            (told, rest) if rest.is_empty() => Check::green(ID, format!("{} will be told who leads", listed(&told))),
            (_, rest) => Check::amber(ID, format!("no admin_socket of {} is configured: there the checks alone decide", listed(&rest))),
        }
    }
}

impl Operation for Assisted {
    fn name(&self) -> &'static str {
        self.switchover.name()
    }

    /// It gives orders to HAProxies as well.
    fn also(&self) -> Vec<&'static str> {
        vec!["haproxy"]
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::Assisted(self.clone()))
    }

    fn sentence(&self, s: &Situation<'_>) -> String {
        format!("assisted {}", self.switchover.sentence(s))
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        let mut all = self.switchover.checks(s);
        all.push(self.assist(s));
        all
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        self.switchover.order(s)
    }

    fn patronictl(&self, _: &Situation<'_>) -> Option<String> {
        None
    }

    fn effects(&self, s: &Situation<'_>) -> Vec<String> {
        let mut told = self.switchover.effects(s);
        let from = s.leader().unwrap_or("the leader");
        told.push(format!("before it {from} makes a checkpoint, if our user may"));
        let (proxies, _) = self.proxies(s);
        if !proxies.is_empty() {
            told.push(format!(
                "{} are told when the new leader's SQL says that it takes writes; open sessions on {from} are cut off, and the checks stay in charge",
                listed(&proxies)
            ));
        }
        told
    }

    fn confirm(&self, s: &Situation<'_>) -> Confirm {
        self.switchover.confirm(s)
    }

    fn moves_writes(&self) -> bool {
        self.switchover.moves_writes()
    }

    fn assisted(&self) -> bool {
        true
    }

    fn goal(&self, s: &Situation<'_>) -> Box<dyn Goal> {
        self.switchover.goal(s)
    }
}
