//! `[clusters.NAME.rabbitmq]` of pgbaton.toml.

use super::diagnostic::{Diagnostic, quote};
use super::draft::{RabbitmqDraft, RabbitmqNodeDraft};
use super::origin::Setting;
use super::pgbaton_airflow::api_url;
use super::pgbaton_toml::Reader;
use super::section::Section;

const KEYS: [&str; 9] = ["nodes", "username", "password", "vhost", "queues", "cacert", "certfile", "keyfile", "insecure"];

impl Reader<'_> {
    /// The table `rabbitmq`; `None` when there is none, or nobody in it to ask.
    pub fn rabbitmq(&mut self, table: &Section<'_>) -> Option<RabbitmqDraft> {
        let section = table.table("rabbitmq", self.out)?;
        section.only(&KEYS, self.out);
        let nodes = self.rabbitmq_nodes(&section);
        let username = section.text("username", self.out);
        let password = self.secret(&section, "password");
        let (vhost, queues, tls) = (section.text("vhost", self.out), section.texts("queues", self.out), self.tls(&section));
        if let Some(queues) = &queues
            && queues.is_empty()
            && let Some(node) = section.get("queues", &mut Vec::new())
        {
            let told = format!("{} names no queue", quote(&section.path("queues")));
            self.out.push(Diagnostic::new(node.at.clone(), told).hint("queues = [\"default\"], as Airflow's default_queue"));
        }
        for (key, hint) in [
            ("username", "username = \"pgbaton\": a user with the tag monitoring"),
            ("password", "password = { file = \"PATH\" } or { env = \"NAME\" }"),
        ] {
            if section.get(key, &mut Vec::new()).is_none() {
                self.out.push(Diagnostic::new(section.at.clone(), format!("{} is missing", quote(&section.path(key)))).hint(hint));
            }
        }
        Some(RabbitmqDraft { nodes, username: username?, password: password?, vhost, queues, tls })
    }

    fn rabbitmq_nodes(&mut self, section: &Section<'_>) -> Vec<RabbitmqNodeDraft> {
        const HINT: &str = "nodes = { vm5 = \"http://HOST:15672\", vm6 = ... }: the management API of each node, by the node's name";
        if section.get("nodes", &mut Vec::new()).is_none() {
            let told = format!("{} is missing", quote(&section.path("nodes")));
            self.out.push(Diagnostic::new(section.at.clone(), told).hint(HINT));
            return Vec::new();
        }
        let Some(nodes) = section.table("nodes", self.out) else { return Vec::new() };
        if nodes.entries().is_empty() {
            self.out.push(Diagnostic::new(nodes.at.clone(), format!("{} is empty", quote(&nodes.name))).hint(HINT));
        }
        let mut all = Vec::new();
        for entry in nodes.entries() {
            let Some(url) = nodes.text(&entry.key, self.out) else { continue };
            match api_url(&url.value) {
                Ok(_) => all.push(RabbitmqNodeDraft { name: entry.key.clone(), url }),
                Err(why) => self.out.push(Diagnostic::new(url.origin, why).hint(HINT)),
            }
        }
        all
    }
}

/// What is looked at when nothing is said: RabbitMQ's and Celery's own names.
pub(super) fn defaults() -> (Setting<String>, Vec<Setting<String>>) {
    use super::origin::Origin;
    (Setting::new("/".to_owned(), Origin::Default), vec![Setting::new("default".to_owned(), Origin::Default)])
}
