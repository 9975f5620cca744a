//! Who works here.

use std::collections::BTreeSet;
use std::ffi::CString;

use nix::unistd::{Gid, Group, Uid, User, getgid, getgrouplist, getgroups, getuid};
use serde::{Deserialize, Serialize};

use crate::model::clean;

/// Who works here, as the operating system has it. Names come from its user database, by number; no variable has a say in `user`, `uid` and
/// `groups`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// The name of the real user; its number, where it has no name.
    pub user: String,
    /// The number of the real user.
    pub uid: u32,
    /// Names of its groups; numbers of those without a name.
    pub groups: Vec<String>,
    /// Who became this user by sudo, as sudo's variable tells. For the audit only.
    pub sudo_user: Option<String>,
    /// The number of that user, as sudo's variable tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sudo_uid: Option<u32>,
    /// The number of the user who logged in, as the kernel has it for its audit; `None`: nobody did, or it is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_uid: Option<u32>,
    /// Whence the SSH session comes, as sshd's variable tells. For the audit only.
    pub ssh_client: Option<String>,
    /// This host.
    pub host: String,
}

impl Operator {
    /// The one who started this process.
    pub fn of_process() -> Self {
        let uid = getuid();
        let groups = names(getgroups().unwrap_or_default().into_iter().chain([getgid()]));
        let told = |name: &str| std::env::var(name).ok().map(|value| clean(&value)).filter(|value| !value.is_empty());
        let ssh = told("SSH_CONNECTION").and_then(|line| line.split(' ').next().map(str::to_owned));
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let login = std::fs::read_to_string("/proc/self/loginuid").ok().and_then(|text| text.trim().parse().ok());
        Self {
            user: name(uid),
            uid: uid.as_raw(),
            groups,
            sudo_user: told("SUDO_USER"),
            sudo_uid: told("SUDO_UID").and_then(|number| number.parse().ok()),
            // The kernel's word for nobody.
            login_uid: login.filter(|uid| *uid != u32::MAX),
            ssh_client: ssh,
            host,
        }
    }

    /// A user of this host of whom the number alone is known, with the groups of the user database.
    pub fn of_uid(uid: u32) -> Self {
        let known = User::from_uid(Uid::from_raw(uid)).ok().flatten();
        let gids = known.as_ref().and_then(|user| getgrouplist(&CString::new(user.name.as_str()).ok()?, user.gid).ok());
        Self {
            user: name(Uid::from_raw(uid)),
            uid,
            groups: names(gids.unwrap_or_default().into_iter()),
            sudo_user: None,
            sudo_uid: None,
            login_uid: None,
            ssh_client: None,
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        }
    }

    /// The numbers of everybody who may stand behind this: the user, who became it by sudo, and who logged in.
    pub fn persons(&self) -> BTreeSet<u32> {
        [Some(self.uid), self.sudo_uid, self.login_uid].into_iter().flatten().collect()
    }

    /// Whether one person may stand behind both.
    pub fn may_be(&self, other: &Self) -> bool {
        !self.persons().is_disjoint(&other.persons())
    }

    /// Whether it is not known which person this is: root's work, and nobody who became root.
    pub fn nobody_known(&self) -> bool {
        self.persons().iter().all(|uid| *uid == 0)
    }

    /// As a line of the audit and a lock name them: `anna (sudo to root)`. Washed, as it may have been read from a file of another's.
    pub fn told(&self) -> String {
        match &self.sudo_user {
            Some(before) if *before != self.user => format!("{} (sudo to {})", clean(before), clean(&self.user)),
            _ => clean(&self.user),
        }
    }
}

fn name(uid: Uid) -> String {
    User::from_uid(uid).ok().flatten().map_or_else(|| uid.to_string(), |user| user.name)
}

fn names(gids: impl Iterator<Item = Gid>) -> Vec<String> {
    let mut groups: Vec<String> =
        gids.map(|gid| Group::from_gid(gid).ok().flatten().map_or_else(|| gid.to_string(), |group| group.name)).collect();
    groups.sort();
    groups.dedup();
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behind(uid: u32, sudo_uid: Option<u32>, login_uid: Option<u32>) -> Operator {
        Operator { uid, sudo_uid, login_uid, ..Operator::of_uid(uid) }
    }

    #[test]
    fn who_stands_behind_another_user_is_the_same_person() {
        let anna = behind(1001, None, Some(1001));
        for (other, same) in [
            (behind(1001, None, None), true),
            (behind(1002, None, None), false),
            (behind(1002, None, Some(1002)), false),
            // By sudo, and by sudo with its variables taken away.
            (behind(1002, Some(1001), None), true),
            (behind(1002, None, Some(1001)), true),
            (behind(0, Some(1001), Some(1001)), true),
            (behind(0, Some(1002), Some(1002)), false),
        ] {
            assert_eq!((anna.may_be(&other), other.may_be(&anna)), (same, same), "{other:?}");
        }
        assert!(behind(1002, None, Some(0)).may_be(&behind(1003, None, Some(0))), "root logged in, and became both");
    }

    #[test]
    fn whoever_became_another_is_told_washed() {
        let told =
            |before: &str| Operator { user: "bert".to_owned(), sudo_user: Some(before.to_owned()), ..behind(1002, None, None) }.told();
        assert_eq!((told("anna").as_str(), told("bert").as_str()), ("anna (sudo to bert)", "bert"));
        assert_eq!(told("\u{1b}[2Janna\n"), "\u{FFFD}[2Janna (sudo to bert)");
    }

    #[test]
    fn root_is_a_person_only_by_who_became_it() {
        assert!(behind(0, None, None).nobody_known() && behind(0, None, Some(0)).nobody_known());
        assert!(!behind(0, Some(1001), None).nobody_known() && !behind(0, None, Some(1001)).nobody_known());
        assert!(!behind(1001, None, None).nobody_known());
    }
}
