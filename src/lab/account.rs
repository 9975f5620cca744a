//! The system account that the lab's programs run as: never root, because PostgreSQL refuses it and nothing here needs it.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// A system account, by name and numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Login name, which ssh to a node uses too.
    pub name: String,
    /// User id.
    pub uid: u32,
    /// Primary group id.
    pub gid: u32,
    /// The lab was started by root, which has to step down to this account for every program.
    pub switch: bool,
}

/// Whether this process is root.
#[must_use]
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

impl Account {
    /// The account to use: `postgres` (made by Debian's package) when started by root, else the caller's own.
    ///
    /// # Errors
    /// When the account is not in the system's user database.
    pub fn choose() -> Result<Self> {
        if is_root() {
            Self::lookup("postgres", true).context("PostgreSQL may not run as root, and its package makes the account `postgres`")
        } else {
            Self::lookup(&rustix::process::geteuid().as_raw().to_string(), false)
        }
    }

    fn lookup(key: &str, switch: bool) -> Result<Self> {
        let out = Command::new("getent").args(["passwd", key]).output().context("cannot run getent to look up an account")?;
        let text = String::from_utf8_lossy(&out.stdout);
        let Some(account) = text.lines().next().and_then(|line| Self::from_passwd(line, switch)) else {
            bail!("no account `{key}` on this machine");
        };
        Ok(account)
    }

    /// One line of passwd(5).
    fn from_passwd(line: &str, switch: bool) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Self { name, uid, gid, switch })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passwd_line_is_read_and_a_broken_one_is_not() {
        let a = Account::from_passwd("postgres:x:101:104:PostgreSQL administrator,,,:/var/lib/postgresql:/bin/bash", true).unwrap();
        assert_eq!((a.name.as_str(), a.uid, a.gid, a.switch), ("postgres", 101, 104, true));
        assert_eq!(Account::from_passwd("postgres:x:abc", true), None);
    }
}
