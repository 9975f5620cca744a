//! The end of a client's session: `pg_terminate_backend()` (PostgreSQL's manual, "Server Signaling Functions").

use serde::{Deserialize, Serialize};

use super::checks::{self, Check};
use super::operation::read_since;
use super::{Confirm, Goal, Kept, Operation, Order, Phase, Reply, Situation, SqlOrder, Standing, Statement};
use crate::model::{ClientSession, Cluster, Time, spoken};

/// Ends a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terminate {
    /// The member on which it is.
    pub member: String,
    /// The session, as it was read lately.
    pub session: ClientSession,
}

impl Terminate {
    fn told(&self) -> String {
        let ClientSession { user, application, database, client, state, transaction, blocks, server_time, .. } = &self.session;
        let program = if application.is_empty() { String::new() } else { format!(" ({application})") };
        let from = client.as_deref().unwrap_or("the host itself");
        let age = transaction.map(|since| format!(", in a transaction for {}", spoken(server_time.since(since)))).unwrap_or_default();
        let blocks = match blocks {
            0 => String::new(),
            1 => ", blocks another session".to_owned(),
            n => format!(", blocks {n} other sessions"),
        };
        format!("{user}{program} in {database} from {from}, {state}{age}{blocks}")
    }
}

impl Operation for Terminate {
    fn name(&self) -> &'static str {
        "terminate"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::Terminate(self.clone()))
    }

    fn member(&self) -> Option<&str> {
        Some(&self.member)
    }

    fn sentence(&self, _: &Situation<'_>) -> String {
        format!("end of the session {} on {}: {}", self.session.pid, self.member, self.told())
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        const ID: &str = "session";
        let session = match self.session.kind.as_str() {
            "client backend" => Check::green(ID, format!("it is a client's: {}", self.told())),
            "" => Check::impossible(ID, "our user may not see what kind of session that is"),
            kind => Check::impossible(ID, format!("it is no client's session, but a {kind}")),
        };
        vec![checks::sql(s, &self.member), session]
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        let statement = Statement::Terminate { pid: self.session.pid, started: self.session.started };
        Ok(SqlOrder::new(s, &self.member, statement)?.into())
    }

    fn patronictl(&self, _: &Situation<'_>) -> Option<String> {
        None
    }

    fn effects(&self, _: &Situation<'_>) -> Vec<String> {
        let lost = if self.session.transaction.is_some() { ", and its open transaction is undone" } else { "" };
        vec![format!("the client's connection breaks off{lost}")]
    }

    fn confirm(&self, _: &Situation<'_>) -> Confirm {
        Confirm::YesNo
    }

    fn goal(&self, s: &Situation<'_>) -> Box<dyn Goal> {
        let phases = [Phase::ahead("the next reading does not show it")];
        Box::new(Ended { member: self.member.clone(), pid: self.session.pid, asked: s.now, phases })
    }
}

/// `pg_stat_activity` does not have it any more. Our readings show only the oldest transactions' sessions; of the others whoever carried the
/// order out has looked there once more.
#[derive(Debug)]
struct Ended {
    member: String,
    pid: i32,
    asked: Time,
    phases: [Phase; 1],
}

impl Goal for Ended {
    fn look(&mut self, cluster: &Cluster, now: Time) {
        let reading = read_since(cluster, &self.member, self.asked, now);
        let gone = reading.is_some_and(|sql| {
            let shown = [&sql.oldest_transaction, &sql.idle_transaction].into_iter().flatten();
            shown.into_iter().all(|transaction| i64::from(transaction.pid) != i64::from(self.pid))
        });
        self.phases[0].see(gone, now);
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn standing(&self, _: &Cluster, reply: Option<&Reply>, _: Time) -> Standing {
        match reply {
            Some(Reply::Taken(_)) if self.whole() => Standing::Reached(format!("the session {} is gone", self.pid)),
            _ => Standing::Open,
        }
    }
}
