//! The end of a pause of the replay: `pg_wal_replay_resume()` (PostgreSQL's manual, "Recovery Control Functions").

use serde::{Deserialize, Serialize};

use super::checks::{self, Check};
use super::operation::read_since;
use super::{Confirm, Goal, Kept, Operation, Order, Phase, Reply, Situation, SqlOrder, Standing, Statement};
use crate::model::{Cluster, Time};

/// Has a standby go on replaying.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResumeReplay {
    /// The member.
    pub member: String,
}

impl Operation for ResumeReplay {
    fn name(&self) -> &'static str {
        "resume-replay"
    }

    fn kept(&self) -> Result<Kept, String> {
        Ok(Kept::ResumeReplay(self.clone()))
    }

    fn member(&self) -> Option<&str> {
        Some(&self.member)
    }

    fn sentence(&self, _: &Situation<'_>) -> String {
        format!("end of the pause of {}'s replay", self.member)
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        const ID: &str = "replay";
        let name = &self.member;
        let paused = s.member(name).and_then(|member| member.sql_now(s.now)).map(|sql| (sql.in_recovery, sql.replay_paused));
        let replay = match paused {
            Some((false, _)) => Check::impossible(ID, format!("{name} is no standby: it replays nothing")),
            Some((true, Some(false))) => Check::impossible(ID, format!("{name}'s replay is not paused")),
            Some((true, Some(true))) => Check::green(ID, format!("{name}'s replay is paused")),
            Some((true, None)) | None => Check::amber(ID, format!("whether {name}'s replay is paused is not known")),
        };
        vec![checks::sql(s, name), replay]
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        Ok(SqlOrder::new(s, &self.member, Statement::ResumeReplay)?.into())
    }

    fn patronictl(&self, _: &Situation<'_>) -> Option<String> {
        None
    }

    fn effects(&self, _: &Situation<'_>) -> Vec<String> {
        vec!["what has piled up is replayed; queries on it that stand in the way are cancelled as usual".to_owned()]
    }

    fn confirm(&self, _: &Situation<'_>) -> Confirm {
        Confirm::YesNo
    }

    fn goal(&self, s: &Situation<'_>) -> Box<dyn Goal> {
        Box::new(Replays { member: self.member.clone(), asked: s.now, phases: [Phase::ahead("its replay is not paused any more")] })
    }
}

/// A reading after the order says so.
#[derive(Debug)]
struct Replays {
    member: String,
    asked: Time,
    phases: [Phase; 1],
}

impl Goal for Replays {
    fn look(&mut self, cluster: &Cluster, now: Time) {
        let reading = read_since(cluster, &self.member, self.asked, now);
        self.phases[0].see(reading.is_some_and(|sql| sql.replay_paused == Some(false)), now);
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn standing(&self, _: &Cluster, _: Option<&Reply>, _: Time) -> Standing {
        if self.whole() { Standing::Reached(format!("{} replays", self.member)) } else { Standing::Open }
    }
}
