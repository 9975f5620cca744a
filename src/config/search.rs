//! Where configuration is looked for, in which order, and what was there.

use std::path::{Path, PathBuf};

use super::diagnostic::{ConfigError, quote, shown};
use super::load::Request;

/// One place, and what was found there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// A path, the name of a variable, `-c FILE`.
    pub place: String,
    /// "used", "not set", "there is no such file" ...
    pub outcome: String,
}

/// What the search ended at.
#[derive(Debug)]
pub(crate) enum Found {
    /// A file by its path; its kind is seen from its name or its text.
    Any(PathBuf),
    /// A file, or a folder of files, of Patroni's.
    Patroni(PathBuf),
    /// Nothing but variables of Patroni's.
    Variables,
}

/// Looks at one place after the other until there is something.
pub(crate) fn find(request: &Request, looked: &mut Vec<Looked>) -> Result<Found, ConfigError> {
    let env = &request.env;
    let mut note = |place: &dyn std::fmt::Display, outcome: &str| {
        looked.push(Looked { place: place.to_string(), outcome: outcome.to_owned() });
    };

    if let Some(file) = &request.file {
        note(&format_args!("-c {}", shown(file)), "used");
        return Ok(Found::Any(file.clone()));
    }
    note(&"-c FILE", "not given");

    if let Some(file) = env.var("PGBATON_CONFIG") {
        note(&format_args!("PGBATON_CONFIG={file}"), "used");
        return Ok(Found::Any(env.expand(file)));
    }
    note(&"PGBATON_CONFIG", "not set");

    let in_config_home = |file: &str| env.config_home.as_ref().map(|folder| folder.join(file));
    if let Some(file) = in_config_home("pgbaton/pgbaton.toml") {
        if file.exists() {
            note(&shown(&file), "used");
            return Ok(Found::Any(file));
        }
        note(&shown(&file), "there is no such file");
    }

    if let Some(file) = env.var("PATRONICTL_CONFIG_FILE") {
        note(&format_args!("PATRONICTL_CONFIG_FILE={file}"), "used");
        return Ok(Found::Patroni(PathBuf::from(file)));
    }
    note(&"PATRONICTL_CONFIG_FILE", "not set");

    let on_a_node = ["patroni/patroni.yml", "patroni.yml", "patroni/config.yml"].map(|file| env.system.join(file));
    for file in in_config_home("patroni/patronictl.yaml").into_iter().chain(on_a_node) {
        match readable(&file) {
            Ok(()) => {
                note(&shown(&file), "used");
                return Ok(Found::Patroni(file));
            }
            Err(why) => note(&shown(&file), &why),
        }
    }

    let telling = env.vars.keys().find(|name| {
        (name.starts_with("PATRONI_ETCD3_")
            || matches!(name.as_str(), "PATRONI_SCOPE" | "PATRONI_CONFIGURATION" | "DCS_URL")
            || names_other_dcs(name))
            && env.var(name).is_some()
    });
    if let Some(name) = telling {
        note(name, "used");
        return Ok(Found::Variables);
    }
    note(&"PATRONI_ETCD3_HOSTS, PATRONI_SCOPE, DCS_URL", "not set");
    Err(nothing(looked))
}

/// Variables that mean a DCS which pgbaton does not speak lead to the message that says so.
fn names_other_dcs(name: &str) -> bool {
    super::patroni_env::names_other_dcs(name).is_some()
}

/// A file that can be opened, as patronictl asks (`os.access`); a folder is no file.
fn readable(file: &Path) -> Result<(), String> {
    match std::fs::metadata(file) {
        Ok(about) if about.is_dir() => Err("it is a folder".into()),
        Ok(_) => std::fs::File::open(file).map(drop).map_err(|e| super::file::reason(&e)),
        Err(e) => Err(super::file::reason(&e)),
    }
}

fn nothing(looked: &[Looked]) -> ConfigError {
    let width = looked.iter().map(|l| l.place.chars().count()).max().unwrap_or(0);
    let mut sentence = String::from("no configuration was found. These places were looked at:");
    for place in looked {
        let padded = format!("{:width$}", place.place);
        sentence.push_str(&format!("\n  {padded}  {}", place.outcome));
    }
    let example = quote("[clusters.NAME.etcd]");
    ConfigError::sentence(
        sentence,
        vec![
            "pgbaton takes the file that patronictl uses: pgbaton -c patronictl.yaml".to_owned(),
            format!("or write pgbaton.toml, which begins with {example} and endpoints = [\"HOST:2379\"]"),
            "without a cluster: `pgbaton lab` starts a practice cluster; one that runs is reached after eval \"$(pgbaton lab env)\""
                .to_owned(),
        ],
    )
}
