//! One member, as its three voices describe it: its key in the DCS, its REST API, its PostgreSQL.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{
    ClockSkew, DcsMember, Lasting, Naming, Observed, Parsed, PatroniStatus, PostgresStatus, Recent, SlotTrend, SourceKind, Stall, Standing,
    Standstill, Starts, Time, Writing,
};

/// One member. It stays after its key has gone: a row that vanishes is read as "fine".
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Patroni's name of it.
    pub name: String,
    /// Its key, as it last was.
    pub key: Option<Parsed<DcsMember>>,
    /// Whether the key is there now.
    pub present: bool,
    /// When the key went.
    pub missing_since: Option<Time>,
    /// Where an HAProxy reaches it, for one whose key was never seen.
    pub behind_proxy: Option<(String, u16)>,
    /// Its REST API.
    pub rest: Observed<PatroniStatus>,
    /// Its PostgreSQL.
    pub sql: Observed<PostgresStatus>,
    /// How much WAL each of its slots kept over the last minutes, by the slot's name.
    pub slot_trends: BTreeMap<String, SlotTrend>,
    /// Whether its archiver fails.
    pub archive_failing: Lasting,
    /// Its answers that it is not in recovery, up to the newest; `None`: the newest says otherwise, or failed.
    pub writing: Option<Writing>,
    /// What its REST API last said of its state, and since when.
    pub standing: Option<Standing>,
    /// Since when it has received from somebody else than it should.
    pub stray_since: Option<Time>,
    /// The starts of its PostgreSQL.
    pub starts: Starts,
    /// What it lacks of the leader's WAL, if it has received nothing for a while.
    pub stall: Option<Stall>,
    /// What has stood still in its answers.
    pub standstill: Standstill,
    /// By which name its Patroni answers.
    pub naming: Naming,
    /// How its host's clock was, by its REST API.
    pub rest_clock: Recent<ClockSkew>,
    /// How its host's clock was, by its PostgreSQL.
    pub sql_clock: Recent<ClockSkew>,
}

/// How old a member's REST answer may be and still be called current.
const REST: Duration = SourceKind::Rest.freshness();
/// How old a member's SQL answer may be and still be called current.
const SQL: Duration = SourceKind::Sql.freshness();

impl Member {
    /// A member of which only the name is known.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            key: None,
            present: false,
            missing_since: None,
            behind_proxy: None,
            rest: Observed::default(),
            sql: Observed::default(),
            slot_trends: BTreeMap::new(),
            archive_failing: Lasting::default(),
            writing: None,
            standing: None,
            stray_since: None,
            starts: Starts::default(),
            stall: None,
            standstill: Standstill::default(),
            naming: Naming::default(),
            rest_clock: Recent::default(),
            sql_clock: Recent::default(),
        }
    }

    /// Takes in an answer of its PostgreSQL, and what follows from it together with the answers before.
    pub(super) fn hear_sql(&mut self, status: PostgresStatus, at: Time, rtt: Option<Duration>) {
        // After a change of its part or its timeline the positions are not those of before.
        let same = self.sql.last().is_some_and(|s| (s.in_recovery, s.timeline) == (status.in_recovery, status.timeline));
        self.slot_trends.retain(|name, _| same && status.slots.iter().any(|slot| slot.name == *name));
        for slot in &status.slots {
            self.slot_trends.entry(slot.name.clone()).or_default().record(slot, at);
        }
        self.standstill.hear(&status, rtt.map_or(at, |rtt| at.before(rtt)));
        self.archive_failing.follow(status.archiver.as_ref().is_some_and(|a| status.archives() && a.failing()), at);
        self.sql.record(status, at, rtt);
    }

    /// Its key's value, if it could be read.
    pub fn dcs(&self) -> Option<&DcsMember> {
        self.key.as_ref().and_then(Parsed::good)
    }

    /// What its REST API said, if that is current and the newest attempt did not fail: after a switchover the old leader's last words would
    /// otherwise stand beside the new one's as a second leader.
    pub fn rest_now(&self, now: Time) -> Option<&PatroniStatus> {
        self.rest.fresh(now, REST).filter(|_| self.rest.error().is_none())
    }

    /// What its PostgreSQL said, if that is current and the newest attempt did not fail.
    pub fn sql_now(&self, now: Time) -> Option<&PostgresStatus> {
        self.sql.fresh(now, SQL).filter(|_| self.sql.error().is_none())
    }

    /// Whether it accepts writes as far as its own PostgreSQL says; `None`: it says nothing current.
    pub fn writable(&self, now: Time) -> Option<bool> {
        self.sql_now(now).map(|sql| !sql.in_recovery)
    }

    /// Host and port of its PostgreSQL: by its key, else as an HAProxy has it.
    pub fn address(&self) -> Option<(&str, u16)> {
        let by_key = self.dcs().and_then(|key| Some((key.host.as_deref()?, key.port?)));
        by_key.or_else(|| self.behind_proxy.as_ref().map(|(host, port)| (host.as_str(), *port)))
    }

    /// Patroni's word for its state: from its own REST API if that is current. A replica that runs and receives is `streaming`, as
    /// `patronictl list` has it.
    pub fn state(&self, now: Time) -> Option<String> {
        let rest = self.rest_now(now)?;
        let running = rest.state.0 == "running";
        match rest.replication_state.as_deref() {
            Some(replication) if running && !rest.says_it_leads() => Some(replication.to_owned()),
            _ => Some(rest.state.0.clone()),
        }
    }

    /// How Patroni calls the replication slot of a member (`patroni/dcs/__init__.py`, `slot_name_from_member_name`).
    pub fn slot_name(name: &str) -> String {
        let word = |c: char| match c {
            'a'..='z' | '0'..='9' | '_' => c.to_string(),
            '-' | '.' => "_".to_owned(),
            other => format!("u{:04}", u32::from(other)),
        };
        name.to_lowercase().chars().map(word).collect::<String>().chars().take(63).collect()
    }

    /// Whether a tag is set to true.
    pub fn tag(&self, name: &str) -> bool {
        self.dcs().and_then(|key| key.tags.get(name)).and_then(serde_json::Value::as_bool).unwrap_or(false)
    }
}
