//! The steps of a finding with the names in them: a word in capitals stands for a name, and who knows the finding puts it in.

use super::{Finding, explanation};
use crate::model::Cluster;

/// The words that stand for names in the steps.
pub const PLACEHOLDERS: [&str; 17] = [
    "CLUSTER",
    "NAMESPACE",
    "SCOPE",
    "MEMBER",
    "HOST",
    "PROXY",
    "BACKEND",
    "SERVER",
    "SLOT",
    "DATABASE",
    "PLUGIN",
    "PID",
    "UNIT",
    "MOUNT",
    "KEY",
    "DAG_ID",
    "RUN",
];

/// What stands for each of some placeholders.
pub(super) type Names = Vec<(&'static str, String)>;

/// So often a step is repeated at the most, when it is about several.
const MOST: usize = 5;

impl Finding {
    /// Says what its steps have in the place of these words. Said several times, a step with such a word stands there once for each.
    pub(super) fn naming<const N: usize>(mut self, names: [(&'static str, &str); N]) -> Self {
        self.names.push(names.map(|(word, name)| (word, name.to_owned())).into());
        self
    }

    /// What to do next, with the names that it knows; `called` is the cluster's name in the configuration. What is not known stays in capitals.
    pub fn next(&self, cluster: &Cluster, called: Option<&str>) -> Vec<String> {
        let mut common: Names = vec![("SCOPE", cluster.scope.clone()), ("NAMESPACE", cluster.namespace.trim_matches('/').to_owned())];
        common.extend(called.map(|called| ("CLUSTER", called.to_owned())));
        // What it is about begins with the member's name, if it is about one.
        let first = self.subject.as_deref().and_then(|subject| subject.split(' ').next());
        common.extend(first.filter(|name| cluster.members.contains_key(*name)).map(|name| ("MEMBER", name.to_owned())));
        let mut steps: Vec<String> = Vec::new();
        for step in explanation(self.code).map_or(&[][..], |explained| explained.next) {
            let step = fill(step, &common);
            let mut each: Vec<String> = self.names.iter().take(MOST).map(|names| fill(&step, names)).collect();
            each.dedup();
            if each.is_empty() {
                each.push(step);
            }
            steps.extend(each);
        }
        steps
    }
}

/// The text with the names in it, each as a shell takes it for one word.
fn fill(text: &str, names: &[(&'static str, String)]) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(is_word) {
        let (before, from) = rest.split_at(begin);
        let (word, after) = from.split_at(from.find(|c| !is_word(c)).unwrap_or(from.len()));
        out.push_str(before);
        match names.iter().find(|(placeholder, _)| *placeholder == word) {
            // One with a NUL in it cannot be quoted, nor be typed.
            Some((_, name)) => out.push_str(&shlex::try_quote(name).unwrap_or_else(|_| word.into())),
            None => out.push_str(word),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::finding::explanations;
    use crate::model::Level;

    #[test]
    fn a_name_is_put_in_as_one_word_of_a_shell() {
        let names: Names = vec![("SLOT", "cdc".to_owned()), ("SERVER", "psg 1; rm -rf".to_owned())];
        assert_eq!(fill("see slots.SLOT.type=x, SLOTS, aSLOT, SLOT_ and SERVER", &names), {
            "see slots.cdc.type=x, SLOTS, aSLOT, SLOT_ and 'psg 1; rm -rf'"
        });
        assert_eq!(fill("('SLOT')", &names), "('cdc')");
        assert_eq!(fill("É ünd SLOT – ende", &names), "É ünd cdc – ende");
    }

    #[test]
    fn a_step_about_several_stands_there_for_each() {
        let cluster = Cluster::new("card", "/service/", BTreeMap::new());
        let finding = Finding::new("server-out", Level::Warning, "x".to_owned());
        let open = finding.next(&cluster, None);
        assert!(open.iter().any(|step| step.contains("haproxy CLUSTER PROXY BACKEND SERVER ready")), "{open:?}");
        let server = |finding: Finding, name| finding.naming([("PROXY", "vm1"), ("BACKEND", "pg_write"), ("SERVER", name)]);
        let filled = server(server(finding, "psg1"), "psg2").next(&cluster, Some("prod"));
        assert_eq!(filled.len(), open.len() + 1);
        for name in ["psg1", "psg2"] {
            assert!(filled.iter().any(|step| step.contains(&format!("haproxy prod vm1 pg_write {name} ready"))), "{filled:?}");
        }
    }

    /// What looks like a placeholder is one, or is meant as it stands.
    #[test]
    fn capitals_in_a_step_are_placeholders_or_words_of_the_field() {
        // A user of RabbitMQ's and its virtual host are of our configuration, which no finding knows.
        const WORDS: [&str; 13] = [
            "API",
            "DAG",
            "SQL",
            "WAL",
            "REST",
            "NOSPACE",
            "CORRUPT",
            "ALTER",
            "SYSTEM",
            "SELECT",
            "VHOST",
            "USER",
            "AIRFLOW__CELERY__EXTRA_CELERY_CONFIG",
        ];
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let capitals = |word: &&str| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        let steps = explanations().flat_map(|explained| explained.next);
        let used: BTreeSet<&str> = steps.flat_map(|step| step.split(|c| !is_word(c))).filter(capitals).collect();
        let unknown: Vec<_> = used.iter().filter(|word| !PLACEHOLDERS.contains(word) && !WORDS.contains(word)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        let idle: Vec<_> = PLACEHOLDERS.iter().filter(|word| !used.contains(**word)).collect();
        assert!(idle.is_empty(), "{idle:?}");
    }
}
