//! What a finding tells of what a run asks for.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Runbook, Values};
use crate::document::{Document, FindingDoc};

/// Something that a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// A member, by its name.
    Member,
    /// A replication slot, by its name.
    Slot,
    /// Where a file system is mounted.
    Mount,
    /// An HAProxy, by its name in the configuration.
    Proxy,
    /// A kind of source, as `status --json` has it: `rest`.
    Source,
    /// The etcd member that does not answer, or sees no leader.
    EtcdMember,
}

impl Fact {
    /// What the finding says of it.
    fn of<'f>(self, finding: &'f FindingDoc, document: &'f Document) -> Option<&'f str> {
        if self == Self::EtcdMember {
            let mut bad = document.etcd.members.iter().filter(|m| matches!(m.state.as_str(), "unreachable" | "no leader"));
            return bad.next().filter(|_| bad.next().is_none()).map(|member| member.name.as_str());
        }
        let (first, rest) = finding.subject.as_deref().map(|subject| subject.split_once(' ').unwrap_or((subject, "")))?;
        match self {
            Self::Proxy => return document.routes.iter().any(|route| route.instance == first).then_some(first),
            Self::Source => return document.sources.iter().any(|source| source.name == first).then_some(first),
            _ => document.members.iter().find(|member| member.name == first)?,
        };
        match self {
            Self::Member => Some(first),
            Self::EtcdMember | Self::Proxy | Self::Source => None,
            Self::Mount => Some(rest).filter(|rest| finding.code.starts_with("disk-") && !rest.is_empty()),
            Self::Slot => Some(rest).filter(|rest| finding.code.starts_with("slot-") && !rest.is_empty()),
        }
    }
}

/// Whether a finding is the one that is meant: by its code, or by its code and its subject.
pub fn is_meant(finding: &FindingDoc, wanted: &str) -> bool {
    match wanted.split_once(' ') {
        None => finding.code == wanted,
        Some((code, subject)) => finding.code == code && finding.subject.as_deref() == Some(subject),
    }
}

/// What the findings that a runbook answers tell of its inputs, where they all tell the same; of the finding that is meant alone, if one is.
pub fn facts(runbook: &Runbook, document: &Document, wanted: Option<&str>) -> Values {
    let meant = |finding: &&FindingDoc| match wanted {
        Some(wanted) => is_meant(finding, wanted),
        None => runbook.front.findings.contains(&finding.code),
    };
    let findings: Vec<&FindingDoc> = document.findings.iter().filter(meant).collect();
    let mut values = Values::new();
    for input in &runbook.front.inputs {
        let Some(fact) = input.fact else { continue };
        let told: BTreeSet<&str> = findings.iter().filter_map(|finding| fact.of(finding, document)).collect();
        if let (1, Some(value)) = (told.len(), told.first()) {
            values.insert(input.name.clone(), (*value).to_owned());
        }
    }
    values
}
