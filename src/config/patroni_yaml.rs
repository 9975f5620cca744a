//! patronictl.yaml and a node's patroni.yml: the few keys that say how to reach the cluster. The rest is Patroni's.

use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;

use super::diagnostic::{Diagnostic, quote};
use super::node::{Kind, Node, Value};
use super::origin::{Origin, Setting};
use super::patroni::{Ctl, Etcd3, Login, OTHER_DCS, Patroni};
use super::section::{Manner, Section, wrong_type};
use super::yaml_tree;

/// Reads the text of one file.
pub(crate) fn read(path: &Arc<Path>, text: &str) -> Result<Patroni, Vec<Diagnostic>> {
    let root = yaml_tree::parse(path, text).map_err(|d| vec![d])?;
    if root.is_null() {
        return Err(vec![Diagnostic::new(Origin::start_of(path), "the file is empty")]);
    }
    let mut out = Vec::new();
    let patroni = match Section::of(&root, "", Manner::Patroni, &mut out) {
        Some(top) => file(&top, &mut out),
        None => Patroni::default(),
    };
    out.sort_by_key(|d| d.at.line_col());
    if out.is_empty() { Ok(patroni) } else { Err(out) }
}

fn file(top: &Section<'_>, out: &mut Vec<Diagnostic>) -> Patroni {
    let etcd3 = match (top.get("etcd3", out), top.table("etcd3", &mut Vec::new())) {
        (Some(_), Some(table)) => etcd3(&table, out),
        (Some(node), None) => {
            out.push(wrong_type(node, "etcd3", "a table"));
            Etcd3::default()
        }
        (None, _) => Etcd3::default(),
    };
    let restapi = top.table("restapi", out);
    let other = top.entries().iter().find(|e| OTHER_DCS.contains(&e.key.as_str()) && !e.value.is_null());
    Patroni {
        scope: top.text("scope", out),
        namespace: top.text("namespace", out),
        etcd3,
        other_dcs: other.map(|e| Setting::new(e.key.clone(), e.key_at.clone())),
        dcs_api: top.text("dcs_api", out),
        ctl: top.table("ctl", out).map(|t| ctl(&t, out)).unwrap_or_default(),
        restapi_cafile: restapi.as_ref().and_then(|t| t.text("cafile", out)),
        restapi_login: restapi.as_ref().map(|t| login(t, out)).unwrap_or_default(),
    }
}

fn etcd3(table: &Section<'_>, out: &mut Vec<Diagnostic>) -> Etcd3 {
    let srv = ["srv", "discovery_srv", "srv_domain"].into_iter().find_map(|key| table.text(key, out));
    Etcd3 {
        at: Some(table.at.clone()),
        url: table.text("url", out),
        hosts: hosts(table, out),
        host: table.text("host", out),
        port: table.count("port", 65535, out),
        protocol: table.text("protocol", out),
        srv,
        proxy: table.get("proxy", out).map(|node| node.at.clone()),
        use_proxies: table.boolean("use_proxies", out),
        username: table.text("username", out),
        password: table.text("password", out).map(|p| p.map(SecretString::from)),
        cacert: table.text("cacert", out),
        cert: table.text("cert", out),
        key: table.text("key", out),
    }
}

/// A list, or one string with commas.
fn hosts(table: &Section<'_>, out: &mut Vec<Diagnostic>) -> Option<Setting<Vec<String>>> {
    let node = table.get("hosts", out)?;
    let path = table.path("hosts");
    let hosts = match &node.value {
        Value::Scalar(s) if s.kind == Kind::Text => split_hosts(&s.text),
        Value::List(items) => items.iter().filter_map(|item| host_text(table, item, &path, out)).collect(),
        _ => {
            out.push(wrong_type(node, &path, "a list of host:port, or one string with commas"));
            return None;
        }
    };
    // An empty list is as good as none; what is wrong with the section is then said of the whole.
    (!hosts.is_empty()).then(|| Setting::new(hosts, node.at.clone()))
}

fn host_text(table: &Section<'_>, item: &Node, path: &str, out: &mut Vec<Diagnostic>) -> Option<String> {
    // `- host: 2379` is a slip for `- host:2379`, and YAML makes a table of it.
    if let Value::Table(entries) = &item.value
        && let [entry] = entries.as_slice()
        && let Value::Scalar(port) = &entry.value.value
    {
        out.push(
            wrong_type(item, path, "a list of host:port")
                .hint(format!("without the space: {}", quote(&format!("{}:{}", entry.key, port.text)))),
        );
        return None;
    }
    table.node_text(item, path, out).map(|t| t.value)
}

/// `a:2379, b:2379` as its parts.
pub(crate) fn split_hosts(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|h| !h.is_empty()).map(str::to_owned).collect()
}

fn ctl(table: &Section<'_>, out: &mut Vec<Diagnostic>) -> Ctl {
    Ctl {
        insecure: table.boolean("insecure", out),
        cacert: table.text("cacert", out),
        certfile: table.text("certfile", out),
        keyfile: table.text("keyfile", out),
        keyfile_password: table.get("keyfile_password", out).map(|node| node.at.clone()),
        login: login(table, out),
    }
}

fn login(table: &Section<'_>, out: &mut Vec<Diagnostic>) -> Login {
    let authentication = table.table("authentication", out);
    let of = |key: &str, out: &mut Vec<Diagnostic>| authentication.as_ref().and_then(|t| t.text(key, out));
    Login {
        auth: table.text("auth", out).map(|a| a.map(SecretString::from)),
        username: of("username", out),
        password: of("password", out).map(|p| p.map(SecretString::from)),
    }
}
