//! `[clusters.NAME.ssh]` and `[clusters.NAME.logs.PROGRAM]` of pgbaton.toml: how nodes are reached, and where their logs are.

use super::diagnostic::{Diagnostic, quote};
use super::draft::{LogDraft, LogsDraft, SshDraft};
use super::origin::Setting;
use super::pgbaton_toml::Reader;
use super::profile::LOGS;
use super::section::Section;
use crate::model::PlaceKind;

/// What can stand between braces.
const PLACES: [&str; 2] = ["{name}", "{host}"];

impl Reader<'_> {
    /// The table `ssh`; `None` when there is none.
    pub fn ssh(&mut self, table: &Section<'_>) -> Option<SshDraft> {
        let section = table.table("ssh", self.out)?;
        section.only(&["config_file", "host", "hosts", "facts", "folders"], self.out);
        let host = section.text("host", self.out).filter(|host| self.template(host));
        let mut hosts = Vec::new();
        if let Some(names) = section.table("hosts", self.out) {
            for entry in names.entries() {
                if let Some(name) = names.text(&entry.key, self.out) {
                    hosts.push((entry.key.clone(), name));
                }
            }
        }
        for (_, name) in &hosts {
            self.option(name);
        }
        if let Some(host) = &host {
            self.option(host);
        }
        let facts = section.boolean("facts", self.out);
        let folders = self.folders(&section);
        Some(SshDraft { facts, folders, config_file: self.file_path(&section, "config_file"), host, hosts })
    }

    /// Where data lies on the nodes.
    fn folders(&mut self, table: &Section<'_>) -> Vec<(PlaceKind, Setting<String>)> {
        let Some(section) = table.table("folders", self.out) else { return Vec::new() };
        let kinds = [("data", PlaceKind::Data), ("wal", PlaceKind::Wal), ("etcd", PlaceKind::Etcd)];
        section.only(&kinds.map(|(key, _)| key), self.out);
        let mut folders = Vec::new();
        for (key, kind) in kinds {
            let path = section.text(key, self.out).filter(|path| self.template(path) && self.absolute(path, &section.path(key)));
            folders.extend(path.map(|path| (kind, path)));
        }
        folders
    }

    /// The table `logs`.
    pub fn logs(&mut self, table: &Section<'_>) -> LogsDraft {
        let mut draft = LogsDraft::default();
        let Some(section) = table.table("logs", self.out) else { return draft };
        section.only(&LOGS, self.out);
        for program in LOGS {
            let Some(one) = section.table(program, self.out) else { continue };
            let postgres: &[&str] = if program == "postgres" { &["log_line_prefix"] } else { &[] };
            one.only(&[&["file", "unit"], postgres].concat(), self.out);
            let file = one.text("file", self.out).filter(|file| self.template(file) && self.absolute(file, &one.path("file")));
            let unit = one.text("unit", self.out);
            if let (Some(_), Some(unit)) = (&file, &unit) {
                let message = format!("{} has both a `file` and a `unit`", quote(&section.path(program)));
                self.out.push(Diagnostic::new(unit.origin.clone(), message).hint("a program's log is read from one place"));
            }
            let log_line_prefix = (program == "postgres").then(|| one.text("log_line_prefix", self.out)).flatten();
            draft.programs.insert(program, LogDraft { file, unit, log_line_prefix });
        }
        draft
    }

    /// Whether nothing stands between braces that is not known.
    fn template(&mut self, text: &Setting<String>) -> bool {
        let rest = PLACES.iter().fold(text.value.clone(), |rest, place| rest.replace(place, ""));
        let good = !rest.contains(['{', '}']);
        if !good {
            let message = format!("{} has braces that mean nothing", quote(&text.value));
            self.out.push(Diagnostic::new(text.origin.clone(), message).hint("{name} is the member's name, {host} its address"));
        }
        good
    }

    pub(super) fn absolute(&mut self, path: &Setting<String>, key: &str) -> bool {
        let good = path.value.starts_with('/') && !path.value.ends_with('/');
        if !good {
            let message = format!("{} is {}, which is no whole path", quote(key), quote(&path.value));
            self.out.push(Diagnostic::new(path.origin.clone(), message).hint("it is a path on the node, beginning with /"));
        }
        good
    }

    /// ssh would take it for an option.
    pub(super) fn option(&mut self, host: &Setting<String>) {
        if host.value.starts_with('-') {
            self.out.push(Diagnostic::new(host.origin.clone(), format!("{} is no host for ssh", quote(&host.value))));
        }
    }
}
