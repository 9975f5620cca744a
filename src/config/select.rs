//! The configuration as a whole: the clusters it knows, and the choice of one.

use std::path::PathBuf;

use super::diagnostic::{ConfigError, Diagnostic, nearest, one_of, quote, shown};
use super::fact::Fact;
use super::origin::Origin;
use super::profile::Profile;
use super::resolve::Ready;
use super::search::Looked;

/// Where the configuration came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// pgbaton's own file.
    Pgbaton(PathBuf),
    /// A file or folder of Patroni's, or (`None`) its variables alone.
    Patroni(Option<PathBuf>),
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Config {
    /// The clusters that can be opened, in the order of the file.
    pub profiles: Vec<Profile>,
    /// The one that opens when none is named, as an index of `profiles`.
    pub default: Option<usize>,
    /// Where it came from.
    pub kind: Kind,
    /// The places that were looked at, the one used last.
    pub looked: Vec<Looked>,
    facts: Vec<Vec<Fact>>,
    broken: Vec<(String, Vec<Diagnostic>)>,
    default_name: Option<String>,
    cluster: Option<String>,
}

/// What a choice led to.
#[derive(Debug, Clone)]
pub enum Selected {
    /// This one.
    One(Box<Profile>),
    /// None was named and there is no default: these are to be offered.
    Several(Vec<Profile>),
}

impl Config {
    pub(crate) fn new(kind: Kind, cluster: Option<String>) -> Self {
        let (profiles, looked, facts, broken) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { profiles, default: None, kind, looked, facts, broken, default_name: None, cluster }
    }

    pub(crate) fn add(&mut self, ready: Ready) {
        self.profiles.push(ready.profile);
        self.facts.push(ready.facts);
    }

    pub(crate) fn add_broken(&mut self, name: String, mistakes: Vec<Diagnostic>) {
        self.broken.push((name, mistakes));
    }

    pub(crate) fn set_default(&mut self, name: Option<String>) {
        self.default = name.as_ref().and_then(|name| self.profiles.iter().position(|p| p.name == *name));
        self.default_name = name;
    }

    /// The clusters that cannot be opened, each with its mistakes.
    pub fn broken(&self) -> &[(String, Vec<Diagnostic>)] {
        &self.broken
    }

    /// The values of one cluster (an index of `profiles`) with their origins.
    pub fn facts(&self, index: usize) -> &[Fact] {
        self.facts.get(index).map(Vec::as_slice).unwrap_or_default()
    }

    /// Chooses a cluster: the named one, else the one of the request, else the default, else the only one.
    /// In a configuration of Patroni's a name is a scope, and any scope will do.
    ///
    /// # Errors
    /// There is no cluster of that name, or it cannot be opened.
    pub fn select(&self, name: Option<&str>) -> Result<Selected, ConfigError> {
        let name = name.or(self.cluster.as_deref());
        match (&self.kind, name) {
            (Kind::Patroni(_), name) => match (self.profiles.first(), name) {
                (Some(profile), Some(scope)) => {
                    acceptable_scope(scope)?;
                    let mut profile = profile.clone();
                    profile.scope = Some(scope.to_owned());
                    profile.name = scope.to_owned();
                    Ok(Selected::One(Box::new(profile)))
                }
                (Some(profile), None) => Ok(Selected::One(Box::new(profile.clone()))),
                (None, _) => Err(self.none()),
            },
            (Kind::Pgbaton(_), Some(name)) => self.named(name),
            (Kind::Pgbaton(_), None) => match &self.default_name {
                Some(name) => self.named(name),
                None => self.only(),
            },
        }
    }

    fn named(&self, name: &str) -> Result<Selected, ConfigError> {
        if let Some(profile) = self.profiles.iter().find(|p| p.name == name) {
            return Ok(Selected::One(Box::new(profile.clone())));
        }
        if let Some((_, mistakes)) = self.broken.iter().find(|(broken, _)| broken == name) {
            return Err(ConfigError::mistakes(mistakes.clone()));
        }
        let known = self.names();
        let hint = match nearest(name, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it has {}", one_of(&known).replace(" or ", " and ")),
        };
        let place = match &self.kind {
            Kind::Pgbaton(path) => shown(path),
            Kind::Patroni(_) => "the configuration".to_owned(),
        };
        Err(ConfigError::sentence(format!("{place} has no cluster {}", quote(name)), vec![hint]))
    }

    fn only(&self) -> Result<Selected, ConfigError> {
        match (self.profiles.as_slice(), self.broken.as_slice()) {
            ([], []) => Err(self.none()),
            ([], broken) => Err(ConfigError::mistakes(broken.iter().flat_map(|(_, m)| m.clone()).collect())),
            ([one], []) => Ok(Selected::One(Box::new(one.clone()))),
            (several, _) => Ok(Selected::Several(several.to_vec())),
        }
    }

    /// All names, of clusters that can be opened and of those that cannot.
    pub fn names(&self) -> Vec<String> {
        self.profiles.iter().map(|p| p.name.clone()).chain(self.broken.iter().map(|(name, _)| name.clone())).collect()
    }

    fn none(&self) -> ConfigError {
        ConfigError::sentence("the configuration has no cluster", Vec::new())
    }
}

/// A scope from the command line becomes a part of etcd's keys.
pub(crate) fn acceptable_scope(scope: &str) -> Result<(), ConfigError> {
    if scope.trim().is_empty() || scope.contains('/') || scope.chars().any(char::is_control) {
        let message = format!("{} cannot be a cluster's name", quote(scope));
        return Err(Diagnostic::new(Origin::CommandLine("CLUSTER"), message)
            .hint("a name is not empty and has no slashes; the namespace is configured")
            .into());
    }
    Ok(())
}
