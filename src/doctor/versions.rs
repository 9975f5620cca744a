//! `versions`: whether all members run the same programs.

use std::collections::BTreeMap;

use super::judged::{Judged, Severity, unless};
use super::{Case, Judgement};
use crate::finding::Evidence;
use crate::model::listed;

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "versions",
    why: "After a failover another Patroni and another PostgreSQL are in charge: with other defaults, other defects and another idea of the settings.",
    cites: &["version-skew"],
    judge,
};

fn judge(case: &Case<'_>) -> Vec<Judged> {
    let mut found = case.cite(JUDGEMENT.cites);
    let (rest, mut open) = case.rest();
    let (sql, silent) = case.sql();
    open.extend(silent);
    let mut patroni: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (member, status) in &rest {
        match &status.version {
            Some(version) => patroni.entry(version.clone()).or_default().push(&member.name),
            None => open.push(Judged::not_known("its Patroni tells no version").of(&member.name)),
        }
    }
    let mut postgres: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (member, status) in &sql {
        postgres.entry(status.version()).or_default().push(&member.name);
    }
    let evidence: Vec<Evidence> = rest
        .iter()
        .filter_map(|(m, status)| Some(Evidence::rest(m, "patroni.version", status.version.as_deref()?)))
        .chain(sql.iter().map(|(m, status)| Evidence::sql(m, "server_version", status.version())))
        .collect();
    // Different major versions are a finding already.
    if found.is_empty() {
        let differ = [("Patroni", &patroni), ("PostgreSQL", &postgres)].into_iter().filter(|(_, versions)| versions.len() > 1);
        found.extend(differ.map(|(program, versions)| {
            let told: Vec<String> = versions.iter().map(|(version, members)| format!("{} {version}", listed(members))).collect();
            let sentence = format!("the members run different versions of {program}: {}", told.join(", "));
            let newest = versions.keys().next_back().cloned().unwrap_or_default();
            Judged::hurts(Severity::Note, sentence)
                .of(program)
                .by(evidence.clone())
                .change("the package on the other nodes", format!("{program} {newest}"))
        }));
    }
    unless(found, open, || Judged::holds("all members run the same Patroni and the same PostgreSQL").by(evidence))
}
