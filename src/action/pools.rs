//! What freezing and thawing Airflow's pools have in common: what is read of them, and by what they are known to be as they should.

use std::collections::BTreeMap;

use super::checks::Check;
use super::{AirflowOrder, AirflowWay, Goal, Phase, Reply, Situation, Standing};
use crate::model::{AirflowPool, AirflowStatus, Cluster, SourceError, SourceKind, Time, listed};

/// What Airflow's metadata says, if that is current.
pub fn read(cluster: &Cluster, now: Time) -> Option<&AirflowStatus> {
    cluster.airflow.as_ref().filter(|seen| seen.error().is_none())?.fresh(now, SourceKind::Airflow.freshness())
}

/// What it says now.
///
/// # Errors
/// It is not known; the error is a sentence.
pub fn known<'a>(s: &Situation<'a>) -> Result<&'a AirflowStatus, String> {
    let Some(seen) = &s.cluster.airflow else { return Err("no Airflow is configured".to_owned()) };
    read(s.cluster, s.now).ok_or_else(|| match seen.error() {
        Some(error) => format!("which pools Airflow has is not known: {}", SourceError::told(error)),
        None => "which pools Airflow has is not known: its metadata was not heard lately".to_owned(),
    })
}

/// What is said where nobody is there who can be told.
const NOBODY: &str = "neither `api` nor `cli_host` of Airflow is configured: its pools are read, and not written";

/// That these pools get these slots.
///
/// # Errors
/// Nobody is there who can be told, or a pool cannot be written as it is; the error is a sentence.
pub fn order<'p>(
    way: Option<&AirflowWay>,
    status: &AirflowStatus,
    pools: impl IntoIterator<Item = (&'p AirflowPool, i64)>,
) -> Result<AirflowOrder, String> {
    AirflowOrder::new(way.cloned().ok_or(NOBODY)?, status.is_3, pools)
}

/// Whether somebody is there who can be told, and whether it would be seen.
pub fn checks(s: &Situation<'_>, way: Option<&AirflowWay>) -> Vec<Check> {
    let mut all = vec![match way {
        Some(AirflowWay::Cli { host }) => Check::green("command", format!("Airflow's own command is asked at {host}")),
        Some(way @ AirflowWay::Api { .. }) => Check::green("api", format!("pools are changed by {way}")),
        None => Check::impossible("command", NOBODY),
    }];
    match known(s) {
        Err(why) => all.push(Check::impossible("metadata", why)),
        Ok(status) if status.migrating => {
            all.push(Check::red("metadata", "`airflow db migrate` is at work: whether Airflow takes an order is not known"));
        }
        Ok(_) => all.push(Check::green("metadata", "Airflow's metadata is read: what becomes of the pools will be seen")),
    }
    all
}

/// A pool with its slots.
pub fn told(name: &str, slots: i64) -> String {
    format!("{name} {}", if slots < 0 { "without limit".to_owned() } else { slots.to_string() })
}

/// Tasks that run, or are about to.
pub fn busy(status: &AirflowStatus) -> u64 {
    ["running", "restarting", "queued"].iter().filter_map(|state| status.tasks.get(*state)).sum()
}

/// Every pool that was written has its slots, by SQL.
#[derive(Debug)]
pub struct Read {
    /// What was asked for.
    wanted: BTreeMap<String, i64>,
    /// No pool may have slots, whether or not it was written.
    closed: bool,
    /// Older readings prove nothing.
    after: Time,
    answered: Option<Time>,
    /// When the newest reading was asked for, and the pools that are not as they should be, with their slots.
    last: Option<(Time, Vec<String>)>,
    /// What there is to be said when it is reached.
    reached: String,
    phases: [Phase; 1],
}

impl Read {
    /// That these pools have these slots.
    pub fn new(s: &Situation<'_>, wanted: BTreeMap<String, i64>) -> Self {
        let told: Vec<String> = wanted.iter().map(|(name, slots)| self::told(name, *slots)).collect();
        let reached = match told.is_empty() {
            true => "nothing was to be changed, and what was remembered is forgotten".to_owned(),
            false => format!("the pools have their slots again, by SQL: {}", listed(&told)),
        };
        Self { wanted, closed: false, after: s.now, answered: None, last: None, reached, phases: [Phase::ahead("SQL reads the pools so")] }
    }

    /// That no pool has any.
    pub fn closed(s: &Situation<'_>) -> Self {
        Self { closed: true, phases: [Phase::ahead("SQL reads 0 slots in every pool")], ..Self::new(s, BTreeMap::new()) }
    }

    /// The pools that are not as they should be.
    fn others(&self, status: &AirflowStatus) -> Vec<String> {
        let is = |name: &str| status.pools.iter().find(|pool| pool.name == name).map(|pool| pool.slots);
        let wrong = self.wanted.iter().filter(|(name, slots)| is(name) != Some(**slots)).map(|(name, _)| match is(name) {
            Some(slots) => told(name, slots),
            None => format!("{name} is not there"),
        });
        let open = |pool: &&AirflowPool| self.closed && pool.slots != 0;
        wrong.chain(status.pools.iter().filter(open).map(|pool| told(&pool.name, pool.slots))).collect()
    }
}

impl Goal for Read {
    fn look(&mut self, cluster: &Cluster, now: Time) {
        let Some(seen) = &cluster.airflow else { return };
        let Some(asked) = seen.at().map(|at| at.before(seen.rtt().unwrap_or_default())).filter(|asked| *asked > self.after) else { return };
        let Some(status) = read(cluster, now) else { return };
        let others = self.others(status);
        self.phases[0].see(others.is_empty() && !status.pools.is_empty(), now);
        if self.closed && others.is_empty() {
            let goes_on = match busy(status) {
                0 => "nothing runs or is queued".to_owned(),
                1 => "1 task that runs or is queued goes on".to_owned(),
                n => format!("{n} tasks that run or are queued go on"),
            };
            self.reached = format!("every pool has 0 slots, by SQL, so that no task begins; {goes_on}");
        }
        self.last = Some((asked, others));
    }

    fn heard(&mut self, now: Time) {
        self.answered = Some(now);
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn standing(&self, _: &Cluster, reply: Option<&Reply>, _: Time) -> Standing {
        // What was read after the command has ended is what it has left.
        let left = self.last.as_ref().zip(self.answered).filter(|((asked, _), answered)| asked > answered).map(|((_, others), _)| others);
        match (reply, left) {
            (None, _) => Standing::Open,
            (Some(_), _) if self.whole() => Standing::Reached(self.reached.clone()),
            (Some(reply @ (Reply::Taken(_) | Reply::Failed(_))), Some(others)) => {
                Standing::Missed(format!("{reply}; SQL reads {}", listed(others)))
            }
            _ => Standing::Open,
        }
    }
}
