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
            let newest = newest(versions.keys());
            Judged::hurts(Severity::Note, sentence)
                .of(program)
                .by(evidence.clone())
                .change("the package on the other nodes", format!("{program} {newest}"))
        }));
    }
    unless(found, open, || Judged::holds("all members run the same Patroni and the same PostgreSQL").by(evidence))
}

/// The newest of them. As words "4.1.9" would come behind "4.1.10".
fn newest<'a>(versions: impl Iterator<Item = &'a String>) -> &'a str {
    let numbers =
        |version: &str| -> Vec<u64> { version.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect() };
    versions.max_by_key(|version| numbers(version)).map_or("", String::as_str)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_newest_is_so_by_its_numbers() {
        let of = |versions: &[&str]| super::newest(versions.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>().iter()).to_owned();
        assert_eq!(of(&["4.1.10", "4.1.9"]), "4.1.10");
        assert_eq!(of(&["17.5", "9.6"]), "17.5");
        assert_eq!(of(&[]), "");
    }
}
