//! Reading an inventory strictly: a mistake is told with its line and column, and nothing is guessed in its place.

use std::path::PathBuf;
use std::str::FromStr;

use strum::VariantNames;

use super::inventory::{Client, Inventory, Paths, Reference, Versions, Watchdog, Who, address};
use super::table::{Table, text};
use crate::template::{Machine, airflow};
use crate::userfile::{Entry, Mistake, Reader, Value, nearest};

const KEYS: [&str; 11] =
    ["cluster", "tls", "synchronous", "failsafe", "allow", "watchdog", "versions", "nodes", "machines", "passwords", "parameters"];

/// Names that folders beside the machines' have.
const TAKEN: [&str; 4] = ["ca", "console", "secrets", "airflow"];

/// Reads an inventory. `path` is what the file is called in mistakes.
///
/// # Errors
/// Every mistake in it.
pub fn read(path: &str, content: &str) -> Result<Inventory, Vec<Mistake>> {
    let (mut reader, entries) = Reader::parse(path, content);
    let inventory = inventory(&mut reader, &Table::top(&entries));
    let mut mistakes = reader.finish();
    mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
    match inventory {
        Some(inventory) if mistakes.is_empty() => Ok(inventory),
        _ => Err(mistakes),
    }
}

fn inventory(reader: &mut Reader<'_>, top: &Table<'_>) -> Option<Inventory> {
    top.only(reader, &[&KEYS[..], &["paths"]].concat());
    let cluster = match top.text(reader, "cluster") {
        Some((name, at)) => name_of(reader, name, at).then(|| name.to_owned()),
        None => {
            if top.get("cluster").is_none() {
                top.missing(reader, "cluster", "cluster = \"card-prod\": Patroni's scope");
            }
            None
        }
    };
    let nodes = nodes(reader, top);
    let clients = clients(reader, top);
    unique(reader, top);
    let synchronous = top.switch(reader, "synchronous").unwrap_or(false);
    if synchronous
        && nodes.len() == 1
        && let Some(entry) = top.get("synchronous")
    {
        reader.mistake(entry.value_at, "one node has nobody who could confirm a commit", Some("it needs three nodes".to_owned()));
    }
    let watchdog = top.text(reader, "watchdog").map_or(Some(Watchdog::Automatic), |(word, at)| {
        one_of(reader, word, at, Watchdog::VARIANTS).and_then(|word| Watchdog::from_str(word).ok())
    });
    let versions = versions(reader, top, &clients);
    let tls = top.switch(reader, "tls").unwrap_or(false);
    let failsafe = top.switch(reader, "failsafe").unwrap_or(false);
    let allow = allow(reader, top);
    let passwords = passwords(reader, top);
    let parameters = parameters(reader, top);
    let paths = paths(reader, top, versions.as_ref().map_or(0, |v| v.postgresql));
    Some(Inventory {
        cluster: cluster?,
        tls,
        synchronous,
        failsafe,
        allow,
        watchdog: watchdog?,
        versions: versions?,
        nodes,
        clients,
        passwords,
        parameters,
        paths,
    })
}

/// One of a few words.
fn one_of<'w>(reader: &mut Reader<'_>, word: &str, at: usize, allowed: &[&'w str]) -> Option<&'w str> {
    let found = allowed.iter().find(|known| **known == word).copied();
    if found.is_none() {
        let hint = nearest(word, allowed.iter().copied()).map(|near| format!("did you mean \"{near}\"?"));
        reader.mistake(
            at,
            format!("\"{word}\" is none of them"),
            Some(hint.unwrap_or_else(|| format!("there are {}", allowed.join(", ")))),
        );
    }
    found
}

/// Whether a name fits into a file's name, a URL and an SQL identifier alike.
fn name_of(reader: &mut Reader<'_>, name: &str, at: usize) -> bool {
    let first = name.chars().next().is_some_and(|c| c.is_ascii_lowercase());
    let good = first && name.len() <= 32 && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !good {
        let hint = "a lower-case letter, then letters, digits and -, 32 at most".to_owned();
        reader.mistake(at, format!("\"{name}\" does not fit into file names and URLs"), Some(hint));
    }
    good
}

fn address_of(reader: &mut Reader<'_>, word: &str, at: usize) -> Option<String> {
    let found = address(word).map(|ip| ip.to_string());
    if found.is_none() {
        reader.mistake(at, format!("\"{word}\" is no IPv4 address"), Some("as in \"10.0.0.8\": etcd listens at addresses only".to_owned()));
    }
    found
}

fn nodes(reader: &mut Reader<'_>, top: &Table<'_>) -> Vec<Machine> {
    let Some(table) = top.table(reader, "nodes") else {
        if top.get("nodes").is_none() {
            top.missing(reader, "nodes", "[nodes] with psg1 = \"10.0.0.8\" and so on");
        }
        return Vec::new();
    };
    let mut nodes = Vec::new();
    for entry in table.entries {
        let named = name_of(reader, &entry.key, entry.key_at);
        let at = text(reader, entry).and_then(|(word, at)| address_of(reader, word, at));
        if let (true, Some(address)) = (named, at) {
            nodes.push(Machine { name: entry.key.clone(), address });
        }
    }
    if table.entries.len() % 2 == 0 {
        let (count, spare) = (table.entries.len(), table.entries.len().saturating_sub(1) / 2);
        let hint = "an odd number: 3 can lose one, 5 two".to_owned();
        reader.mistake(table.at, format!("{count} nodes: etcd's majority can lose {spare} of them, as with one less"), Some(hint));
    }
    nodes
}

fn clients(reader: &mut Reader<'_>, top: &Table<'_>) -> Vec<Client> {
    let Some(table) = top.table(reader, "machines") else {
        if top.get("machines").is_none() {
            top.missing(reader, "machines", "[machines] with vm1 = { address = \"10.0.0.1\" }: where HAProxy runs");
        }
        return Vec::new();
    };
    let mut clients = Vec::new();
    for entry in table.entries {
        let named = name_of(reader, &entry.key, entry.key_at);
        let Some(of) = table.table(reader, &entry.key) else { continue };
        of.only(reader, &["address", "airflow"]);
        let at = match of.text(reader, "address") {
            Some((word, at)) => address_of(reader, word, at),
            None => {
                if of.get("address").is_none() {
                    of.missing(reader, "address", "address = \"10.0.0.1\"");
                }
                None
            }
        };
        let airflow = of.texts(reader, "airflow").iter().map(|(word, _)| (*word).to_owned()).collect();
        if let (true, Some(address)) = (named, at) {
            clients.push(Client { machine: Machine { name: entry.key.clone(), address }, airflow });
        }
    }
    clients
}

/// Complains about machines with the same name or address.
fn unique(reader: &mut Reader<'_>, top: &Table<'_>) {
    let mut seen: Vec<(&str, usize)> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for entry in ["nodes", "machines"].iter().filter_map(|key| top.get(key)) {
        let Value::Table(entries) = &entry.value else { continue };
        for machine in entries {
            if names.contains(&machine.key.as_str()) {
                reader.mistake(machine.key_at, format!("a second machine is called \"{}\"", machine.key), None);
            }
            if TAKEN.contains(&machine.key.as_str()) {
                reader.mistake(machine.key_at, format!("\"{}\" is a folder of what is written", machine.key), None);
            }
            names.push(&machine.key);
            let at = match &machine.value {
                Value::Text(address) => Some((address.as_str(), machine.value_at)),
                Value::Table(of) => of.iter().find(|e| e.key == "address").and_then(|e| match &e.value {
                    Value::Text(address) => Some((address.as_str(), e.value_at)),
                    _ => None,
                }),
                _ => None,
            };
            let Some((address, at)) = at else { continue };
            if seen.iter().any(|(other, _)| *other == address) {
                let hint = "each has a machine of its own: what fails together protects from nothing".to_owned();
                reader.mistake(at, format!("a second machine has the address {address}"), Some(hint));
            }
            seen.push((address, at));
        }
    }
}

/// The first two numbers of a version.
fn numbers(word: &str) -> Option<(u32, u32)> {
    let mut parts = word.split('.').map(|part| part.parse::<u32>().ok());
    Some((parts.next()??, parts.next().unwrap_or(Some(0))?))
}

fn versions(reader: &mut Reader<'_>, top: &Table<'_>, clients: &[Client]) -> Option<Versions> {
    let Some(table) = top.table(reader, "versions") else {
        if top.get("versions").is_none() {
            top.missing(reader, "versions", "[versions] with postgresql = \"15\" and so on");
        }
        return None;
    };
    // What the files are written for; older ones lack what stands in them.
    let oldest = [("postgresql", (13, 0)), ("patroni", (3, 0)), ("etcd", (3, 4)), ("haproxy", (2, 0)), ("airflow", (2, 10))];
    table.only(reader, &oldest.map(|(name, _)| name));
    let wants_airflow = clients.iter().any(|client| !client.airflow.is_empty());
    let mut version = |name: &str, least: (u32, u32)| -> Option<(u32, u32)> {
        let Some((word, at)) = table.text(reader, name) else {
            if table.get(name).is_none() && (name != "airflow" || wants_airflow) {
                table.missing(reader, name, "what is installed on the machines");
            }
            return None;
        };
        match numbers(word) {
            None => reader.mistake(at, format!("\"{word}\" is no version"), Some("as in \"2.10\"".to_owned())),
            Some(found) if found < least => {
                let hint = Some(format!("{}.{} is the oldest that these files are for", least.0, least.1));
                reader.mistake(at, format!("{name} {word} is too old"), hint);
            }
            found => return found,
        }
        None
    };
    let found = oldest.map(|(name, least)| version(name, least));
    let airflow = table.get("airflow").and_then(|entry| match &entry.value {
        Value::Text(word) => Some(word.clone()),
        _ => None,
    });
    if let Some(version) = &airflow {
        programs(reader, top, version);
    }
    let [Some((postgresql, _)), Some(_), Some(_), Some(haproxy), _] = found else { return None };
    Some(Versions { postgresql, haproxy, airflow: airflow.unwrap_or_default() })
}

/// Complains about programs that this Airflow does not have.
fn programs(reader: &mut Reader<'_>, top: &Table<'_>, version: &str) {
    let Some(Value::Table(machines)) = top.get("machines").map(|entry| &entry.value) else { return };
    for of in machines {
        let Value::Table(of) = &of.value else { continue };
        let Some(Value::List(words)) = of.iter().find(|entry| entry.key == "airflow").map(|entry| &entry.value) else { continue };
        for (word, at) in words {
            if let Value::Text(word) = word {
                one_of(reader, word, *at, airflow::programs(version));
            }
        }
    }
}

fn allow(reader: &mut Reader<'_>, top: &Table<'_>) -> Vec<String> {
    let mut networks = Vec::new();
    for (word, at) in top.texts(reader, "allow") {
        let good = word
            .split_once('/')
            .is_some_and(|(ip, bits)| ip.parse::<std::net::Ipv4Addr>().is_ok() && bits.parse::<u8>().is_ok_and(|b| b <= 32));
        if good {
            networks.push(word.to_owned());
        } else {
            reader.mistake(
                at,
                format!("\"{word}\" is no network"),
                Some("as in \"10.0.0.0/24\", or \"10.0.0.7/32\" for one machine".to_owned()),
            );
        }
    }
    networks
}

fn passwords(reader: &mut Reader<'_>, top: &Table<'_>) -> Vec<(Who, Reference)> {
    let Some(table) = top.table(reader, "passwords") else { return Vec::new() };
    table.only(reader, Who::VARIANTS);
    table.entries.iter().filter_map(|entry| Some((Who::from_str(&entry.key).ok()?, reference(reader, entry)?))).collect()
}

/// What stands there is never repeated: it may be a password.
fn reference(reader: &mut Reader<'_>, entry: &Entry) -> Option<Reference> {
    let hint = || Some("\"generate\", { env = \"NAME\" } or { file = \"PATH\" }".to_owned());
    match &entry.value {
        Value::Text(word) if word == "generate" => Some(Reference::Generate),
        Value::Text(_) => {
            reader.mistake(entry.value_at, "a password does not belong in this file, only where it comes from", hint());
            None
        }
        Value::Table(of) => match of.as_slice() {
            [Entry { key, value: Value::Text(word), .. }] if key == "env" && !word.is_empty() => Some(Reference::Env(word.clone())),
            [Entry { key, value: Value::Text(word), .. }] if key == "file" && !word.is_empty() => {
                Some(Reference::File(PathBuf::from(word)))
            }
            _ => {
                reader.mistake(entry.value_at, "expected where a password comes from", hint());
                None
            }
        },
        other => {
            reader.mistake(entry.value_at, format!("expected where a password comes from, found {}", other.kind()), hint());
            None
        }
    }
}

fn parameters(reader: &mut Reader<'_>, top: &Table<'_>) -> Vec<(String, String)> {
    let Some(table) = top.table(reader, "parameters") else { return Vec::new() };
    let mut all = Vec::new();
    for entry in table.entries {
        if !entry.key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.".contains(c)) {
            reader.mistake(entry.key_at, format!("\"{}\" is no parameter of PostgreSQL", entry.key), None);
        }
        match &entry.value {
            Value::Integer(number) => all.push((entry.key.clone(), number.to_string())),
            Value::Bool(on) => all.push((entry.key.clone(), if *on { "on" } else { "off" }.to_owned())),
            Value::Text(word) if word.chars().any(char::is_control) => {
                reader.mistake(entry.value_at, "a parameter is one line", None);
            }
            Value::Text(word) => all.push((entry.key.clone(), word.clone())),
            other => reader.mistake(entry.value_at, format!("expected a parameter's value, found {}", other.kind()), None),
        }
    }
    all
}

fn paths(reader: &mut Reader<'_>, top: &Table<'_>, postgresql: u32) -> Paths {
    let mut paths = Paths {
        root: String::new(),
        postgresql: format!("/usr/lib/postgresql/{postgresql}/bin"),
        patroni: "/usr/bin/patroni".to_owned(),
        etcd: "/usr/bin/etcd".to_owned(),
        haproxy: "/usr/sbin/haproxy".to_owned(),
        airflow: "/opt/airflow/bin/airflow".to_owned(),
    };
    let Some(table) = top.table(reader, "paths") else { return paths };
    let mut places = [
        ("root", &mut paths.root),
        ("postgresql", &mut paths.postgresql),
        ("patroni", &mut paths.patroni),
        ("etcd", &mut paths.etcd),
        ("haproxy", &mut paths.haproxy),
        ("airflow", &mut paths.airflow),
    ];
    table.only(reader, &places.each_ref().map(|(key, _)| *key));
    for (key, place) in &mut places {
        let Some((word, at)) = table.text(reader, key) else { continue };
        let bare = if *key == "root" { word.replace("{node}", "") } else { word.to_owned() };
        if bare.starts_with('/') && bare.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+@".contains(c)) {
            **place = word.trim_end_matches('/').to_owned();
        } else {
            let hint = "it begins with /, and has letters, digits and / . _ - + @ only: it goes unquoted into the files of five programs";
            reader.mistake(at, format!("\"{word}\" is no path that every program takes"), Some(hint.to_owned()));
        }
    }
    paths
}
