//! Members, as a loop takes them and a question chooses among them.

use crate::document::Document;

/// For whom the steps of a loop are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loop {
    /// For whom.
    pub among: Among,
    /// The name of the value.
    pub name: String,
}

/// Members, in an order.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize, strum::Display, strum::EnumString, strum::EnumIter, strum::IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Among {
    /// All, by name.
    Members,
    /// All but the leader.
    Replicas,
    /// The replicas, the leader last.
    ReplicasThenLeader,
    /// Those whose PostgreSQL waits for a restart, the leader last.
    PendingRestart,
}

/// Whom a word means; the error lists what there is.
pub(super) fn among(word: &str) -> Result<Among, String> {
    let all: Vec<&'static str> = <Among as strum::IntoEnumIterator>::iter().map(Into::into).collect();
    word.parse().map_err(|_| format!("one of {}", all.join(", ")))
}

/// Whether what the document has of the keys in etcd is current.
pub fn etcd_answers(document: &Document) -> bool {
    document.sources.iter().any(|source| source.name == "dcs" && source.fresh)
}

/// Who leads, if etcd's word is current.
pub fn leader(document: &Document) -> Option<&str> {
    document.cluster.leader.as_deref().filter(|_| etcd_answers(document))
}

/// For whom a loop is taken, now; the error is a sentence.
pub fn members(among: Among, document: &Document) -> Result<Vec<String>, String> {
    if !etcd_answers(document) {
        return Err("which members there are is not known: etcd does not answer".to_owned());
    }
    let leader = document.cluster.leader.as_deref();
    if leader.is_none() && among != Among::Members {
        return Err("nobody leads".to_owned());
    }
    let present = document.members.iter().filter(|member| member.present);
    let mut names: Vec<(bool, String)> = Vec::new();
    for member in present {
        let leads = leader == Some(member.name.as_str());
        let counts = match among {
            Among::Replicas => !leads,
            Among::Members | Among::ReplicasThenLeader => true,
            Among::PendingRestart => {
                member.pending_restart.ok_or_else(|| format!("whether {} waits for a restart is not known", member.name))?
            }
        };
        if counts {
            names.push((leads && among != Among::Members, member.name.clone()));
        }
    }
    names.sort();
    Ok(names.into_iter().map(|(_, name)| name).collect())
}
