//! Debian's packages: installed so that nothing starts, nothing stays enabled, and no database cluster appears.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::super::account::is_root;
use super::program;
use crate::lab::procfs::ProcId;

const POLICY: &str = "/usr/sbin/policy-rc.d";
const CREATE_CONF: &str = "/etc/postgresql-common/createcluster.conf";
const SAVED_CONF: &str = "/etc/postgresql-common/createcluster.conf.pgbaton";

/// Runs as root with the packages as arguments. It undoes its two temporary files itself, whatever ends it; what a SIGKILL
/// leaves is repaired by the next run, or by [`repair`].
///
/// An administrator's own policy-rc.d is left as it is and decides. One of us waits for the other, and for somebody else's apt or dpkg five minutes.
const SCRIPT: &str = r#"
set -eu
exec 9> /run/pgbaton-install.lock
flock 9
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
conf=/etc/postgresql-common/createcluster.conf
made= saved=
undo() {
    if [ -n "$made" ]; then rm -f "$policy"; fi
    if [ -n "$saved" ]; then mv -f "$conf.pgbaton" "$conf"; fi
}
trap undo EXIT
trap 'exit 1' HUP INT TERM
if [ -e "$conf.pgbaton" ]; then saved=1; fi
if [ ! -e "$policy" ] || grep -q 'pgbaton lab, process' "$policy"; then
    made=1
    printf '#!/bin/sh\n# pgbaton lab, process %s: nothing may start while packages are installed\nexit 101\n' "$$" > "$policy"
    chmod 755 "$policy"
fi
before=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p') || true
fetch() { apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" 9>&-; }
no_main_cluster() {
    fetch postgresql-common || return 1
    if [ -z "$saved" ] && [ -e "$conf" ]; then
        cp -p "$conf" "$conf.pgbaton" || return 1
        saved=1
        { grep -v '^[# ]*create_main_cluster' "$conf.pgbaton"; echo 'create_main_cluster = false'; } > "$conf"
    fi
}
all() {
    case " $* " in *" postgresql "*) no_main_cluster || return 1 ;; esac
    fetch "$@"
}
all "$@" || { apt-get update -q && all "$@"; }
for package in "$@"; do
    case " $(echo $before) " in *" $package "*) continue ;; esac
    case $package in
        etcd|etcd-server) units=etcd ;;
        haproxy|postgresql|rabbitmq-server) units=$package ;;
        openssh-server) units='ssh ssh.socket' ;;
        *) continue ;;
    esac
    if [ -d /run/systemd/system ]; then
        for unit in $units; do systemctl disable --now "$unit" 2>/dev/null || true; done
    fi
done
"#;

/// Whether this is a system with apt.
#[must_use]
pub fn is_here() -> bool {
    program("apt-get").is_some() && program("dpkg-query").is_some()
}

/// Whether apt's lists have a package of this name.
#[must_use]
pub fn knows(package: &str) -> bool {
    let out = Command::new("apt-cache").args(["show", "--no-all-versions", package]).output();
    // With empty lists nothing is known; the newer name is then the better guess, as lists are fetched before installing.
    let lists_empty =
        fs::read_dir("/var/lib/apt/lists").is_ok_and(|d| d.flatten().all(|e| !e.file_name().to_string_lossy().ends_with("Packages")));
    lists_empty || out.is_ok_and(|o| o.status.success() && !o.stdout.is_empty())
}

/// Whether packages can be installed from here: apt, and root or sudo.
#[must_use]
pub fn can_install() -> bool {
    is_here() && (is_root() || program("sudo").is_some())
}

/// The command that a person would type.
#[must_use]
pub fn command(packages: &[&str]) -> String {
    let sudo = if is_root() { "" } else { "sudo " };
    format!("{sudo}apt-get install --no-install-recommends {}", packages.join(" "))
}

/// Installs packages.
///
/// # Errors
/// The last lines of what apt said.
pub fn install(packages: &[&str]) -> Result<()> {
    let mut command = if is_root() {
        Command::new("sh")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.arg("sh");
        sudo
    };
    let out = command.args(["-c", SCRIPT, "sh"]).args(packages).output().context("cannot run apt-get")?;
    if !out.status.success() {
        let text = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        let lines: Vec<&str> = text.lines().collect();
        bail!("apt-get failed ({}):\n{}", out.status, lines[lines.len().saturating_sub(15)..].join("\n"));
    }
    Ok(())
}

/// Undoes what an installation that was killed left behind; as root only, anyone else gets a sentence to read.
///
/// # Errors
/// When a file cannot be put back.
pub fn repair() -> Result<Option<String>> {
    let policy = fs::read_to_string(POLICY).unwrap_or_default();
    let stale = installer(&policy).is_some_and(|pid| ProcId::of(pid).is_none_or(|id| !id.argv().iter().any(|a| a.contains("pgbaton lab"))));
    // The script saves the configuration only while its policy file, or an administrator's, stands: an unmarked policy
    // file cannot tell, so the process list does.
    let conf = Path::new(SAVED_CONF).exists() && (stale || !installing());
    if !stale && !conf {
        return Ok(None);
    }
    if !is_root() {
        return Ok(Some(format!("an installation was killed half way and left {POLICY} or {SAVED_CONF}; run this as root once")));
    }
    if stale {
        fs::remove_file(POLICY).with_context(|| format!("cannot remove {POLICY}"))?;
    }
    if conf {
        fs::rename(SAVED_CONF, CREATE_CONF).with_context(|| format!("cannot put {CREATE_CONF} back"))?;
    }
    Ok(Some("put back what a killed installation had left".to_owned()))
}

/// The pid in a policy file that [`SCRIPT`] wrote.
fn installer(policy: &str) -> Option<i32> {
    let (_, rest) = policy.split_once("pgbaton lab, process ")?;
    rest.split(':').next()?.parse().ok()
}

/// Whether a process runs [`SCRIPT`] now.
fn installing() -> bool {
    crate::lab::procfs::pids().into_iter().filter_map(ProcId::of).any(|id| id.argv().iter().any(|a| a == SCRIPT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_policy_file_of_ours_names_an_installer() {
        assert_eq!(installer("#!/bin/sh\n# pgbaton lab, process 4711: nothing may start\nexit 101\n"), Some(4711));
        assert_eq!(installer("#!/bin/sh\nexit 101\n"), None);
    }

    #[test]
    fn the_script_is_a_valid_one() {
        let out = Command::new("sh").args(["-n", "-c", SCRIPT]).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
}
