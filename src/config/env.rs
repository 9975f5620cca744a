//! The surroundings of the process: variables, home, user name. Tests build their own, and touch nobody's home.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// What the configuration may depend on besides files that are named.
#[derive(Clone, Default)]
pub struct Env {
    /// Environment variables. Those that are not UTF-8 are not here.
    pub vars: BTreeMap<String, String>,
    /// The home directory.
    pub home: Option<PathBuf>,
    /// Where configuration files are (`$XDG_CONFIG_HOME`, else `~/.config`).
    pub config_home: Option<PathBuf>,
    /// The system's configuration folder, `/etc`.
    pub system: PathBuf,
    /// Name of the user who runs the process, which libpq takes when no user is given.
    pub user: Option<String>,
}

impl Env {
    /// The surroundings of this process.
    pub fn of_process() -> Self {
        let vars: BTreeMap<String, String> =
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect();
        let dirs = directories::BaseDirs::new();
        let user = passwd_name().or_else(|| vars.get("LOGNAME").cloned()).or_else(|| vars.get("USER").cloned());
        Self {
            home: dirs.as_ref().map(|d| d.home_dir().to_owned()),
            config_home: dirs.as_ref().map(|d| d.config_dir().to_owned()),
            system: PathBuf::from("/etc"),
            user,
            vars,
        }
    }

    /// A variable that is set to something; set but empty counts as not set, as for libpq and Patroni.
    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// `~` and `~/x` become the home directory's; any other path stays as it is.
    pub fn expand(&self, path: &str) -> PathBuf {
        let rest = match path.strip_prefix('~') {
            Some("") => Some(""),
            Some(rest) => rest.strip_prefix('/'),
            None => None,
        };
        match (rest, &self.home) {
            (Some(""), Some(home)) => home.clone(),
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        }
    }

    /// A path in a file: `~` is expanded, a relative one is relative to the file's folder.
    pub fn relative_to(&self, file: &Path, path: &str) -> PathBuf {
        let expanded = self.expand(path);
        match file.parent() {
            Some(folder) if expanded.is_relative() => folder.join(expanded),
            _ => expanded,
        }
    }
}

/// Values of variables can be passwords.
impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env")
            .field("vars", &self.vars.keys().collect::<Vec<_>>())
            .field("home", &self.home)
            .field("config_home", &self.config_home)
            .field("system", &self.system)
            .field("user", &self.user)
            .finish()
    }
}

/// The effective user's name in /etc/passwd; `None` for users of a directory service.
fn passwd_name() -> Option<String> {
    let uid = rustix::process::geteuid().as_raw().to_string();
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_names_and_no_values() {
        let env = Env { vars: BTreeMap::from([("PGPASSWORD".into(), "hunter2".into())]), ..Env::default() };
        let shown = format!("{env:?}");
        assert!(shown.contains("PGPASSWORD") && !shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn a_tilde_is_the_home_and_other_users_are_not() {
        let env = Env { home: Some("/h".into()), ..Env::default() };
        assert_eq!(env.expand("~/a"), Path::new("/h/a"));
        assert_eq!(env.expand("~"), Path::new("/h"));
        assert_eq!(env.expand("~bob/a"), Path::new("~bob/a"));
        assert_eq!(env.relative_to(Path::new("/c/x.toml"), "ca.pem"), Path::new("/c/ca.pem"));
        assert_eq!(env.relative_to(Path::new("/c/x.toml"), "/ca.pem"), Path::new("/ca.pem"));
    }
}
