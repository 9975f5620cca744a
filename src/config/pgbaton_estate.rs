//! `[clusters.NAME.dags]` and `[clusters.NAME.target]` of pgbaton.toml.

use super::diagnostic::{Diagnostic, one_of, quote};
use super::estate::{DagsDraft, LedgerFormat, TargetDraft};
use super::origin::Setting;
use super::pgbaton_toml::Reader;
use super::section::Section;

impl Reader<'_> {
    /// The table `dags`; `None` when there is none, or one that cannot be used.
    pub fn dags(&mut self, table: &Section<'_>) -> Option<DagsDraft> {
        let section = table.table("dags", self.out)?;
        section.only(&["path", "mount", "from", "hosts"], self.out);
        let path = self.needed(&section, "path", "the folder of the DAGs, as the machines see it: \"/opt/airflow/dags\"");
        let path = path.filter(|path| self.absolute(path, &section.path("path")));
        let mount = section.text("mount", self.out).filter(|mount| mount.value == "/" || self.absolute(mount, &section.path("mount")));
        let from = section.text("from", self.out);
        let hosts = section.texts("hosts", self.out);
        if hosts.as_ref().map_or_else(|| section.get("hosts", &mut Vec::new()).is_none(), Vec::is_empty) {
            let message = format!("{} names no machine", quote(&section.path("hosts")));
            self.out
                .push(Diagnostic::new(section.at.clone(), message).hint("hosts = [\"vm1\", \"vm4\"]: who mounts it, as ssh knows them"));
        }
        let hosts = hosts.unwrap_or_default();
        hosts.iter().for_each(|host| self.option(host));
        Some(DagsDraft { path: path?, mount, from, hosts })
    }

    /// The table `target`; `None` when there is none, or one that cannot be used.
    pub fn target(&mut self, table: &Section<'_>) -> Option<TargetDraft> {
        let section = table.table("target", self.out)?;
        section.only(&["host", "disk", "ledger", "format", "guard"], self.out);
        let host = self.needed(&section, "host", "the machine on which tasks work, as ssh knows it");
        host.iter().for_each(|host| self.option(host));
        let [disk, ledger, guard] = ["disk", "ledger", "guard"]
            .map(|key| section.text(key, self.out).filter(|path| path.value == "/" || self.absolute(path, &section.path(key))));
        if let (Some(_), Some(guard)) = (&ledger, &guard) {
            let message = format!("{} has both a `ledger` and a `guard`", quote(&section.name));
            self.out.push(Diagnostic::new(guard.origin.clone(), message).hint("what tasks have done is read in one place"));
        }
        let format = section.text("format", self.out).filter(|format| self.format(format));
        if let (None, Some(format)) = (&ledger, &format)
            && section.get("ledger", &mut Vec::new()).is_none()
        {
            self.out
                .push(Diagnostic::new(format.origin.clone(), "`format` without `ledger`").hint("it says what is in the ledger's lines"));
        }
        Some(TargetDraft { host: host?, disk, ledger, format, guard })
    }

    fn needed(&mut self, section: &Section<'_>, key: &str, what: &str) -> Option<Setting<String>> {
        let found = section.text(key, self.out);
        if found.is_none() && section.get(key, &mut Vec::new()).is_none() {
            self.out.push(Diagnostic::new(section.at.clone(), format!("{} is missing", quote(&section.path(key)))).hint(what));
        }
        found
    }

    fn format(&mut self, format: &Setting<String>) -> bool {
        let words: Vec<&str> = format.value.split_whitespace().collect();
        let unknown = words.iter().find(|word| !LedgerFormat::KNOWN.contains(word));
        let twice = words.iter().find(|word| **word != "{}" && words.iter().filter(|other| other == word).count() > 1);
        let missing = LedgerFormat::NEEDED.iter().find(|word| !words.contains(word));
        let message = match (unknown, twice, missing) {
            (Some(word), ..) => format!("{} is no word of a ledger's line", quote(word)),
            (_, Some(word), _) => format!("{} stands twice in the format", quote(word)),
            (.., Some(word)) => format!("{} is not in the format", quote(word)),
            _ => return true,
        };
        let hint = format!("its words are {}", one_of(&LedgerFormat::KNOWN).replace(" or ", " and "));
        self.out.push(Diagnostic::new(format.origin.clone(), message).hint(hint));
        false
    }
}
