//! A changed dynamic configuration, written to etcd if nobody has written it since it was read (`patroni/ctl.py`, `edit_config`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::change::put;
use super::undo::Undo;
use super::{Change, rules};
use crate::action::checks::{self, Check};
use crate::action::operation::word;
use crate::action::{Confirm, DcsOrder, Goal, Kept, Operation, Order, Phase, Reply, Situation, Standing};
use crate::model::{Cluster, DynamicConfig, Time, listed};

/// The configuration as it was read, before it is edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// etcd's revision at which it was last written.
    pub revision: i64,
    /// The whole of it.
    pub value: Value,
}

impl Base {
    /// The configuration as a majority of etcd has it now.
    ///
    /// # Errors
    /// It is not known, or is none; the error is a sentence.
    pub fn of(cluster: &Cluster, now: Time) -> Result<Self, String> {
        if !cluster.dcs_current(now) {
            let why = cluster.dcs.error().map(|error| format!(": {error}")).unwrap_or_default();
            return Err(format!("the configuration in etcd is not known{why}"));
        }
        if let Some(why) = cluster.dcs.keys.config.as_ref().and_then(|config| config.bad()) {
            return Err(why.to_owned());
        }
        let config = cluster.dcs.keys.config().zip(cluster.dcs.keys.config_revision);
        let (config, revision) = config.ok_or_else(|| format!("etcd has no configuration of {}", cluster.scope))?;
        Ok(Self { revision, value: config.raw.clone() })
    }

    /// Its settings.
    pub fn settings(&self) -> Map<String, Value> {
        self.value.as_object().cloned().unwrap_or_default()
    }
}

/// Writes a changed configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditConfig {
    base: Base,
    after: Value,
    changes: Vec<Change>,
    undo: Option<Undo>,
}

impl EditConfig {
    /// An edit of what was read.
    pub fn new(base: Base, after: Map<String, Value>) -> Self {
        let after = Value::Object(after);
        let changes = Change::between(&base.value, &after);
        Self { base, after, changes, undo: None }
    }

    /// The way back to what was before an edit.
    pub fn undoing(base: Base, undo: Undo) -> Self {
        let after = undo.applied(base.settings());
        Self { undo: Some(undo), ..Self::new(base, after) }
    }

    /// What is different; nothing is when it is empty.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    fn names(&self) -> String {
        listed(&self.changes.iter().map(Change::name).collect::<Vec<_>>())
    }

    /// The value as Patroni writes it: without spaces, and in ASCII.
    fn text(&self) -> String {
        ascii(&self.after.to_string())
    }

    fn unchanged_since(&self, s: &Situation<'_>) -> Check {
        const ID: &str = "config";
        match Base::of(s.cluster, s.now) {
            Err(why) => Check::impossible(ID, why),
            Ok(now) if now.revision == self.base.revision => {
                Check::green(ID, format!("the configuration is the one that was read (revision {})", now.revision))
            }
            Ok(_) => Check::impossible(ID, "somebody changed the configuration meanwhile"),
        }
    }
}

/// An edit as it is written down: what is different, and since when nothing else may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptEdit {
    revision: i64,
    changes: Vec<Change>,
    undo: Option<Undo>,
}

impl KeptEdit {
    /// That whoever reads it sees all of it.
    ///
    /// # Errors
    /// A setting of it may be a secret, which an order shows masked.
    pub fn whole(&self) -> Result<(), String> {
        match self.changes.iter().find(|change| Change::clone(change).without_secrets().masked) {
            Some(secret) => Err(format!("{} may be a secret, which is not written down for another to read", secret.name())),
            None => Ok(()),
        }
    }

    /// The edit again, if the configuration is the one that it was made on.
    ///
    /// # Errors
    /// It is another, or not known.
    pub fn operation(self, s: &Situation<'_>) -> Result<EditConfig, String> {
        let base = Base::of(s.cluster, s.now)?;
        if base.revision != self.revision {
            return Err("somebody changed the configuration meanwhile".to_owned());
        }
        let mut after = base.settings();
        for change in self.changes {
            put(&mut after, &change.path, change.after);
        }
        Ok(EditConfig { undo: self.undo, ..EditConfig::new(base, after) })
    }
}

/// JSON in ASCII: outside of texts it is that already.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if (' '..='~').contains(&c) {
            out.push(c);
        } else {
            out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}

impl Operation for EditConfig {
    fn name(&self) -> &'static str {
        "edit-config"
    }

    /// A key under which another operation writes, whatever it becomes.
    fn also(&self) -> Vec<&'static str> {
        let touched = |key: &str| self.changes.iter().any(|change| change.path.first().is_none_or(|first| first == key));
        let kinds = [("pause", ["pause", "resume"]), ("standby_cluster", ["demote-cluster", "promote-cluster"])];
        kinds.into_iter().filter(|(key, _)| touched(key)).flat_map(|(_, names)| names).collect()
    }

    fn kept(&self) -> Result<Kept, String> {
        let edit = KeptEdit { revision: self.base.revision, changes: self.changes.clone(), undo: self.undo.clone() };
        edit.whole()?;
        Ok(Kept::EditConfig(edit))
    }

    fn sentence(&self, s: &Situation<'_>) -> String {
        match &self.undo {
            Some(undo) => format!("undo of the edit of {}'s configuration of {}: {}", s.cluster.scope, undo.at, self.names()),
            None => format!("edit of {}'s configuration: {}", s.cluster.scope, self.names()),
        }
    }

    fn checks(&self, s: &Situation<'_>) -> Vec<Check> {
        let mut all = vec![checks::quorum(s), self.unchanged_since(s)];
        if let Some(undo) = &self.undo {
            all.extend(undo.checks(&self.base.value));
        }
        if self.changes.is_empty() && !all.iter().any(|check| check.light == checks::Light::Red) {
            all.push(Check::impossible("changes", "nothing would be changed"));
        }
        all.extend(rules::checks(&self.base, &self.after, &self.changes));
        all
    }

    fn order(&self, s: &Situation<'_>) -> Result<Order, String> {
        let changes = self.changes.iter().cloned().map(Change::without_secrets).collect();
        let key = format!("{}{}/config", s.cluster.namespace, s.cluster.scope);
        Ok(DcsOrder::Put { key, revision: self.base.revision, value: self.text(), changes }.into())
    }

    fn patronictl(&self, s: &Situation<'_>) -> Option<String> {
        let mut line = format!("patronictl edit-config {} --force", word(&s.cluster.scope));
        for change in &self.changes {
            let shown = change.clone().without_secrets();
            let parameter = matches!(shown.path.as_slice(), [a, b, _] if a == "postgresql" && b == "parameters");
            if !parameter && shown.path.iter().any(|key| key.contains('.')) {
                return None;
            }
            let value = shown.after.as_ref().map_or_else(|| "null".to_owned(), Value::to_string);
            line += &format!(" -s {}", word(&crate::model::clean(&format!("{}={value}", shown.path.join(".")))));
        }
        Some(line)
    }

    fn effects(&self, _: &Situation<'_>) -> Vec<String> {
        let mut told: Vec<String> = self.changes.iter().map(Change::told).collect();
        told.push("every member runs with it from its next loop on".to_owned());
        told
    }

    fn confirm(&self, s: &Situation<'_>) -> Confirm {
        let standby = |change: &Change| change.path.first().is_some_and(|key| key == "standby_cluster");
        // What Patroni would pass over, or fail at, is not put there by a single key.
        let spoils = || rules::checks(&self.base, &self.after, &self.changes).iter().any(|check| check.light == checks::Light::Red);
        if self.changes.iter().any(standby) || spoils() { Confirm::Type(s.cluster.scope.clone()) } else { Confirm::YesNo }
    }

    fn goal(&self, _: &Situation<'_>) -> Box<dyn Goal> {
        // As it will be read: what is written passes through text.
        let value = serde_json::from_str(&self.text()).unwrap_or(Value::Null);
        Box::new(Written { value, before: self.base.revision, phases: [Phase::ahead("etcd has it")] })
    }
}

/// etcd's watch shows the value.
#[derive(Debug)]
struct Written {
    value: Value,
    /// The revision at which the key was last written before.
    before: i64,
    phases: [Phase; 1],
}

impl Written {
    /// The key, if it was written since.
    fn written<'a>(&self, cluster: &'a Cluster, now: Time) -> Option<&'a DynamicConfig> {
        let keys = &cluster.dcs.keys;
        keys.config().filter(|_| cluster.dcs_current(now) && keys.config_revision.is_some_and(|revision| revision > self.before))
    }
}

impl Goal for Written {
    fn look(&mut self, cluster: &Cluster, now: Time) {
        let stands = self.written(cluster, now).is_some_and(|config| config.raw == self.value);
        self.phases[0].see(stands, now);
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn standing(&self, cluster: &Cluster, reply: Option<&Reply>, now: Time) -> Standing {
        match reply {
            _ if self.whole() => Standing::Reached("etcd has the new configuration".to_owned()),
            // Two writings one after the other can be seen as one.
            Some(Reply::Taken(_)) if self.written(cluster, now).is_some() => {
                Standing::Reached("etcd took the new configuration, and somebody has changed it again since".to_owned())
            }
            _ => Standing::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ascii;

    #[test]
    fn what_is_written_is_ascii() {
        assert_eq!(ascii(r#"{"a":"ä€😀\n"}"#), r#"{"a":"\u00e4\u20ac\ud83d\ude00\n"}"#);
    }
}
