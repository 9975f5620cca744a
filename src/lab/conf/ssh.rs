//! sshd on every node, and a client's configuration to reach it: keys of the lab's own, no passwords.

use std::fmt::Write;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::lab::files::{self, PRIVATE, PUBLIC};
use crate::lab::layout::{Lab, SSH};
use crate::lab::scan::MARKER;

/// sshd of one node, in the foreground.
#[must_use]
pub fn argv(lab: &Lab, node: &str) -> Vec<String> {
    let config = lab.node_dir(node).join("sshd_config");
    vec![lab.record.tools.sshd.to_string_lossy().into_owned(), "-D".into(), "-e".into(), "-f".into(), config.to_string_lossy().into_owned()]
}

/// Makes the keys and writes the configurations of all nodes and of the client.
///
/// # Errors
/// When `ssh-keygen` fails or a file cannot be written.
pub fn write(lab: &Lab) -> Result<()> {
    let owner = &lab.record.account;
    let dir = lab.dir.join("ssh");
    let host_key = make_key(lab, "host_key")?;
    let user_key = make_key(lab, "user_key")?;
    files::write(&dir.join("authorized_keys"), &user_key, PUBLIC, owner)?;

    let mut known = String::new();
    let mut client = String::from("# ssh -F this-file psg1\n");
    let shown = dir.display();
    for node in lab.nodes() {
        let ip = lab.ip(&node);
        let (kind, rest) = host_key.trim().split_once(' ').context("ssh-keygen wrote an unexpected public key")?;
        let key = rest.split(' ').next().unwrap_or(rest);
        writeln!(known, "[{ip}]:{SSH} {kind} {key}")?;
        writeln!(client, "Host {node} {ip}\n    HostName {ip}")?;
        // It runs as the lab's own account and lets nobody else in, so it needs neither root nor PAM.
        let server = format!(
            "Port {SSH}
ListenAddress {ip}
HostKey {shown}/host_key
AuthorizedKeysFile {shown}/authorized_keys
AllowUsers {}
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PidFile none
PrintMotd no
Subsystem sftp internal-sftp
SetEnv {MARKER}={}
",
            owner.name,
            lab.dir.display()
        );
        files::write(&lab.node_dir(&node).join("sshd_config"), &server, PUBLIC, owner)?;
    }
    write!(
        client,
        "Host *
    Port {SSH}
    User {}
    IdentityFile {shown}/user_key
    IdentitiesOnly yes
    UserKnownHostsFile {shown}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    BatchMode yes
",
        owner.name
    )?;
    files::write(&dir.join("known_hosts"), &known, PUBLIC, owner)?;
    files::write(&lab.ssh_config(), &client, PUBLIC, owner)
}

/// Makes a key pair unless it is there; returns the public half.
fn make_key(lab: &Lab, name: &str) -> Result<String> {
    let path = lab.dir.join("ssh").join(name);
    if !path.exists() {
        let out = Command::new(&lab.record.tools.ssh_keygen)
            .args(["-q", "-t", "ed25519", "-N", "", "-C", &format!("pgbaton-lab-{}", lab.record.name), "-f"])
            .arg(&path)
            .output()
            .context("cannot run ssh-keygen")?;
        if !out.status.success() {
            bail!("ssh-keygen: {}", String::from_utf8_lossy(&out.stderr).trim());
        }
        // Owned by the account that sshd runs as, which must read it and may not share it.
        let private = fs::read_to_string(&path)?;
        files::write(&path, &private, PRIVATE, &lab.record.account)?;
    }
    let public = path.with_extension("pub");
    fs::read_to_string(&public).with_context(|| format!("cannot read {}", public.display()))
}
