//! Which host is connected to for a node.

use std::path::PathBuf;

use crate::config::SshProfile;
use crate::model::{ErrorKind, SourceError, clean};

/// How one node is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Way {
    /// What ssh is given: an alias of its configuration, `user@host`, a name or an address.
    pub destination: String,
    /// OpenSSH's configuration; `None`: the user's.
    pub config_file: Option<PathBuf>,
}

impl Way {
    /// The way to the node of this name, whose address is `host` as the cluster knows it.
    ///
    /// # Errors
    /// No host is known, or what is known is no host: names and addresses of members come from etcd, and what ssh is given can reach the
    /// shell of a `ProxyCommand`.
    pub fn to(profile: &SshProfile, node: &str, host: Option<&str>) -> Result<Self, SourceError> {
        let destination = match (profile.hosts.get(node), profile.host.as_deref().unwrap_or("{host}")) {
            (Some(given), _) => given.clone(),
            (None, template) if template.contains("{host}") && host.is_none() => {
                let error = SourceError::new(ErrorKind::Config, format!("no host of {node} for ssh is known"));
                return Err(error.with_hint(format!("name it in pgbaton.toml, in [clusters.NAME.ssh.hosts]: {node} = \"HOST\"")));
            }
            (None, template) => filled(template, node, host.unwrap_or_default()),
        };
        if !acceptable(&destination) {
            let message = format!("{:?} is no host that ssh is given", clean(&destination));
            return Err(SourceError::new(ErrorKind::Config, message)
                .with_hint("a host has letters, digits, and of . _ : @ - what it needs; another is named in [clusters.NAME.ssh.hosts]"));
        }
        Ok(Self { destination, config_file: profile.config_file.clone() })
    }

    /// The arguments of ssh that say whom, after these others.
    pub fn arguments(&self, others: &[&str]) -> Vec<String> {
        let mut all = Vec::new();
        if let Some(file) = &self.config_file {
            all.extend(["-F".to_owned(), file.to_string_lossy().into_owned()]);
        }
        all.extend(others.iter().map(|other| (*other).to_owned()));
        all.extend(["--".to_owned(), self.destination.clone()]);
        all
    }

    /// What a person types to get there: `ssh psg1`.
    pub fn typed(&self) -> String {
        let mut words = vec!["ssh".to_owned()];
        words.extend(self.arguments(&[]).into_iter().filter(|word| word != "--"));
        shown(&words)
    }
}

/// Words as they are typed to a shell.
pub(super) fn shown(words: &[String]) -> String {
    shlex::try_join(words.iter().map(String::as_str)).unwrap_or_else(|_| words.join(" "))
}

/// A template with its places filled.
pub(super) fn filled(template: &str, name: &str, host: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        let (value, length) = match &rest[at..] {
            place if place.starts_with("{name}") => (name, "{name}".len()),
            place if place.starts_with("{host}") => (host, "{host}".len()),
            _ => ("{", 1),
        };
        out.push_str(value);
        rest = &rest[at + length..];
    }
    out + rest
}

fn acceptable(destination: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._:@-".contains(c);
    !destination.is_empty() && !destination.starts_with('-') && destination.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn profile(host: Option<&str>) -> SshProfile {
        let hosts = BTreeMap::from([("psg9".to_owned(), "admin@vm9".to_owned())]);
        SshProfile { config_file: None, host: host.map(str::to_owned), hosts, ..SshProfile::default() }
    }

    #[test]
    fn a_node_is_reached_by_the_table_then_by_the_template_then_by_its_address() {
        let to = |host: Option<&str>, node: &str, address: Option<&str>| Way::to(&profile(host), node, address).map(|way| way.destination);
        assert_eq!(to(None, "psg1", Some("10.0.0.8")).as_deref(), Ok("10.0.0.8"));
        assert_eq!(to(Some("{name}"), "psg1", None).as_deref(), Ok("psg1"));
        assert_eq!(to(Some("dba@{name}.example"), "psg1", Some("10.0.0.8")).as_deref(), Ok("dba@psg1.example"));
        assert_eq!(to(Some("{name}"), "psg9", None).as_deref(), Ok("admin@vm9"));
        assert_eq!(to(None, "vm1", None).map_err(|e| e.message), Err("no host of vm1 for ssh is known".to_owned()));
    }

    #[test]
    fn an_address_that_a_shell_could_take_for_more_is_not_given_to_ssh() {
        for hostile in ["-oProxyCommand=x", "a;b", "a b", "$(x)", "`x`", "a\nb", "%h", "a'b", "", "{name}"] {
            assert!(Way::to(&profile(None), "psg1", Some(hostile)).is_err(), "{hostile:?}");
        }
        for good in ["fe80::1", "10.0.0.8", "vm-8.example_x"] {
            assert!(Way::to(&profile(None), "psg1", Some(good)).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn what_fills_a_place_is_not_filled_again() {
        assert_eq!(filled("/log/{name}/{host}.log", "{host}", "h"), "/log/{host}/h.log");
    }
}
