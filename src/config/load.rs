//! From a request to a configuration: search, read, lay over each other, resolve.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::diagnostic::{ConfigError, Diagnostic, shown};
use super::draft::Draft;
use super::env::Env;
use super::file;
use super::origin::{Origin, Setting};
use super::patroni::Patroni;
use super::resolve::resolve;
use super::search::{self, Found};
use super::select::{Config, Kind, acceptable_scope};
use super::{patroni_env, patroni_yaml, pgbaton_toml};

/// What the command line says, and the surroundings.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `-c FILE`.
    pub file: Option<PathBuf>,
    /// `CLUSTER`: a table of pgbaton.toml, or Patroni's scope.
    pub cluster: Option<String>,
    /// Variables and folders.
    pub env: Env,
}

/// Finds and reads the configuration.
///
/// # Errors
/// Nothing was found, a file cannot be read, or it has mistakes. What is wrong with one of several clusters (a secret
/// that is not there, a file to import) is not an error here: it is one when that cluster is selected.
pub fn load(request: &Request) -> Result<Config, ConfigError> {
    let mut looked = Vec::new();
    let mut config = match search::find(request, &mut looked)? {
        Found::Variables => patroni(None, request)?,
        Found::Patroni(path) => patroni(Some(&path), request)?,
        Found::Any(path) if path.is_dir() => patroni(Some(&path), request)?,
        Found::Any(path) => {
            let text = read(&path)?;
            match is_toml(&path, &text) {
                true => pgbaton(&path, &text, request)?,
                false => patroni(Some(&path), request)?,
            }
        }
    };
    config.looked = looked;
    Ok(config)
}

fn read(path: &Path) -> Result<String, ConfigError> {
    Ok(file::read_text(path)?)
}

/// By the name, else by the first line that says something: TOML's is `[table]` or `key = value`.
fn is_toml(path: &Path, text: &str) -> bool {
    match path.extension().and_then(|e| e.to_str()) {
        Some("toml") => return true,
        Some("yaml" | "yml") => return false,
        _ => {}
    }
    let first = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#')).unwrap_or_default();
    first.starts_with('[') || first.split_once('=').is_some_and(|(key, _)| !key.contains([':', '{']))
}

fn pgbaton(path: &Path, text: &str, request: &Request) -> Result<Config, ConfigError> {
    let env = &request.env;
    let read = pgbaton_toml::read(&path.into(), text, file::is_private(path), env).map_err(ConfigError::mistakes)?;
    let mut config = Config::new(Kind::Pgbaton(path.to_owned()), request.cluster.clone());
    for draft in read.clusters {
        let name = draft.name.clone();
        match imported(draft).and_then(|draft| resolve(draft, env)) {
            Ok(ready) => config.add(ready),
            Err(mistakes) => config.add_broken(name, mistakes),
        }
    }
    config.set_default(read.default.map(|d| d.value));
    Ok(config)
}

/// The draft with what its `patronictl` file says below it, and the table's name as its scope if nothing else is.
fn imported(mut draft: Draft) -> Result<Draft, Vec<Diagnostic>> {
    if let Some(import) = draft.patronictl.take() {
        let patroni = patroni_file(&import.value).map_err(|mut mistakes| {
            for mistake in mistakes.iter_mut().filter(|m| m.at == Origin::Path(import.value.as_path().into())) {
                // A file that is not there is a mistake of the line that names it.
                mistake.message = format!("{}: {}", shown(&import.value), mistake.message);
                mistake.at = import.origin.clone();
            }
            mistakes
        })?;
        let whole = Origin::start_of(&import.value);
        // Endpoints that are written beside the import do not need any in the imported file.
        match patroni.clone().into_draft(&whole) {
            Ok(below) => draft = draft.over(below),
            Err(_) if draft.etcd.endpoints.is_some() => draft = draft.over(patroni.without_dcs()),
            Err(mistakes) => return Err(mistakes),
        }
    }
    if draft.scope.is_none() {
        let at = draft.at.clone().unwrap_or(Origin::Default);
        draft.scope = Some(Setting::new(draft.name.clone(), at));
    }
    Ok(draft)
}

/// Patroni's configuration: a file with the variables over it, or the variables alone; `DCS_URL` over all.
fn patroni(path: Option<&Path>, request: &Request) -> Result<Config, ConfigError> {
    let env = &request.env;
    let (below, whole) = match (path, env.var("PATRONI_CONFIGURATION")) {
        (Some(path), _) => (patroni_file(path).map_err(ConfigError::mistakes)?, Origin::start_of(path)),
        (None, Some(text)) => {
            let place: Arc<Path> = Arc::from(Path::new("PATRONI_CONFIGURATION"));
            (patroni_yaml::read(&place, text).map_err(ConfigError::mistakes)?, Origin::start_of(&place))
        }
        (None, None) => (Patroni::default(), Origin::Variable("PATRONI_ETCD3_HOSTS".to_owned())),
    };
    // Patroni takes the variables when there is a file or nothing, but not beside PATRONI_CONFIGURATION.
    let alone = path.is_none() && env.var("PATRONI_CONFIGURATION").is_some();
    let mut patroni = match alone {
        true => below,
        false => patroni_env::read(env).map_err(ConfigError::mistakes)?.over(below),
    };
    if let Some(url) = env.var("DCS_URL") {
        patroni = patroni.with_dcs_url(Setting::new(url.to_owned(), Origin::Variable("DCS_URL".to_owned())))?;
    }
    let mut draft = patroni.into_draft(&whole).map_err(ConfigError::mistakes)?;
    if let Some(cluster) = &request.cluster {
        acceptable_scope(cluster)?;
        draft.scope = Some(Setting::new(cluster.clone(), Origin::CommandLine("CLUSTER")));
    }
    let ready = resolve(draft, env).map_err(ConfigError::mistakes)?;
    let mut config = Config::new(Kind::Patroni(path.map(Path::to_owned)), request.cluster.clone());
    config.add(ready);
    Ok(config)
}

/// One file, or the `*.yml` and `*.yaml` of a folder, later names over earlier ones.
fn patroni_file(path: &Path) -> Result<Patroni, Vec<Diagnostic>> {
    let whole = |why: String| vec![Diagnostic::new(Origin::Path(path.into()), why)];
    if !path.is_dir() {
        let text = file::read_text(path).map_err(|d| vec![d])?;
        return patroni_yaml::read(&path.into(), &text);
    }
    let entries = std::fs::read_dir(path).map_err(|e| whole(file::reason(&e)))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|file| file.is_file() && matches!(file.extension().and_then(|e| e.to_str()), Some("yml" | "yaml")))
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(whole("there is no *.yml or *.yaml file in this folder".to_owned()));
    }
    files.iter().try_fold(Patroni::default(), |below, file| Ok(patroni_file(file)?.over(below)))
}
