//! `version-skew`: members run different major versions.

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, Evidence, Explanation, Finding, Rule, listed};
use crate::model::{Level, PostgresStatus};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "version-skew",
        runbook: None,
        fires: "members run different major versions of PostgreSQL or of Patroni (3 and 4), by what each says of itself now. Different minor versions are \
                no finding: every rolling update has them, and the members' list shows them.",
        matters: "A PostgreSQL of another major version cannot replicate from the leader nor take over. Patroni 4 calls a primary `primary` where Patroni 3 says `master`, \
                  and does not treat all settings alike: together they are meant for the time of an update only.",
        next: &[
            "If an update is under way, finish it: replicas first, then a switchover, then the old leader.",
            "If none is, find out why the package on one node differs.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let mut postgres = Versions::new("PostgreSQL");
    let mut patroni = Versions::new("Patroni");
    for member in cluster.members.values() {
        let (sql, rest) = (member.sql_now(now), member.rest_now(now));
        if let Some(version) = rest.and_then(|r| r.version.as_deref()) {
            patroni.add(&member.name, version, Evidence::rest(member, "patroni.version", version));
        }
        if let Some(sql) = sql {
            let version = PostgresStatus::version(sql);
            postgres.add(&member.name, &version, Evidence::sql(member, "server_version", &version));
        } else if let Some(number) = rest.and_then(|r| r.server_version) {
            // 150018 is 15.18.
            let version = format!("{}.{}", number / 10_000, number % 10_000);
            postgres.add(&member.name, &version, Evidence::rest(member, "server_version", &version));
        }
    }
    postgres.finding().into_iter().chain(patroni.finding()).collect()
}

/// The versions of one program.
struct Versions {
    program: &'static str,
    majors: BTreeSet<u32>,
    members: BTreeMap<String, Vec<String>>,
    evidence: Vec<Evidence>,
}

impl Versions {
    fn new(program: &'static str) -> Self {
        Self { program, majors: BTreeSet::new(), members: BTreeMap::new(), evidence: Vec::new() }
    }

    /// A version that does not begin with a number is nobody's.
    fn add(&mut self, member: &str, version: &str, evidence: Evidence) {
        let Some(major) = version.split('.').next().and_then(|m| m.parse().ok()) else { return };
        self.majors.insert(major);
        self.members.entry(version.to_owned()).or_default().push(member.to_owned());
        self.evidence.push(evidence);
    }

    fn finding(self) -> Option<Finding> {
        if self.majors.len() < 2 {
            return None;
        }
        let told: Vec<String> = self.members.iter().map(|(version, members)| format!("{} {version}", listed(members))).collect();
        let sentence = format!("the members run different major versions of {}: {}", self.program, told.join(", "));
        Some(Finding::new("version-skew", Level::Warning, sentence).about(self.program).because(self.evidence))
    }
}
