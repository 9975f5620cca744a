//! A home, a system folder and an environment of the tests' own.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pgbaton::config::{Config, ConfigError, Env, Profile, Request, Selected, load};

/// Surroundings with nothing in them but a folder.
pub struct World {
    pub folder: tempfile::TempDir,
    pub request: Request,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        let env = Env {
            vars: BTreeMap::new(),
            home: Some(root.join("home")),
            config_home: Some(root.join("home/.config")),
            system: root.join("etc"),
            user: Some("ops".into()),
        };
        Self { request: Request { file: None, cluster: None, env }, folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file that is its owner's alone, and makes the folders above it.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(&path, text).expect("a file");
        self.mode(&path, 0o600);
        path
    }

    pub fn mode(&self, path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
    }

    pub fn var(&mut self, name: &str, value: impl AsRef<Path>) -> &mut Self {
        self.request.env.vars.insert(name.into(), value.as_ref().to_str().expect("UTF-8").into());
        self
    }

    pub fn load(&self) -> Result<Config, ConfigError> {
        load(&self.request)
    }

    /// The cluster that opens.
    pub fn profile(&self) -> Profile {
        match self.load().and_then(|config| config.select(None)).unwrap_or_else(|e| panic!("{e}")) {
            Selected::One(profile) => *profile,
            Selected::Several(several) => panic!("several: {several:?}"),
        }
    }

    /// The message of what cannot be opened, with the temporary folder's name taken out.
    pub fn error(&self) -> String {
        match self.load().and_then(|config| config.select(None)) {
            Err(error) => error.to_string().replace(self.folder.path().to_str().expect("UTF-8"), "DIR"),
            Ok(selected) => panic!("no error, but {selected:?}"),
        }
    }

    /// The origin of one value of the only cluster, as `pgbaton config` shows it.
    pub fn origin(&self, key: &str) -> String {
        let config = self.load().unwrap_or_else(|e| panic!("{e}"));
        let fact = config.facts(0).iter().find(|f| f.key == key).unwrap_or_else(|| panic!("no {key}"));
        let origin = fact.origin.as_ref().map(ToString::to_string).unwrap_or_default();
        origin.replace(self.folder.path().to_str().expect("UTF-8"), "DIR")
    }
}
