//! Who works here.

use nix::unistd::{Group, User, getgid, getgroups, getuid};
use serde::Serialize;

use crate::model::clean;

/// Who works here, as the operating system has it. Names come from its user database, by number; no variable has a say in `user`, `uid` and
/// `groups`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Operator {
    /// The name of the real user; its number, where it has no name.
    pub user: String,
    /// The number of the real user.
    pub uid: u32,
    /// Names of its groups; numbers of those without a name.
    pub groups: Vec<String>,
    /// Who became this user by sudo, as sudo's variable tells. For the audit only.
    pub sudo_user: Option<String>,
    /// Whence the SSH session comes, as sshd's variable tells. For the audit only.
    pub ssh_client: Option<String>,
    /// This host.
    pub host: String,
}

impl Operator {
    /// The one who started this process.
    pub fn of_process() -> Self {
        let uid = getuid();
        let user = User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name);
        let mut groups: Vec<String> = getgroups()
            .unwrap_or_default()
            .into_iter()
            .chain([getgid()])
            .map(|gid| Group::from_gid(gid).ok().flatten().map_or_else(|| gid.to_string(), |group| group.name))
            .collect();
        groups.sort();
        groups.dedup();
        let told = |name: &str| std::env::var(name).ok().map(|value| clean(&value)).filter(|value| !value.is_empty());
        let ssh = told("SSH_CONNECTION").and_then(|line| line.split(' ').next().map(str::to_owned));
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        Self { user, uid: uid.as_raw(), groups, sudo_user: told("SUDO_USER"), ssh_client: ssh, host }
    }

    /// As a line of the audit and a lock name them: `anna (sudo to root)`.
    pub fn told(&self) -> String {
        match &self.sudo_user {
            Some(before) if *before != self.user => format!("{before} (sudo to {})", self.user),
            _ => self.user.clone(),
        }
    }
}
