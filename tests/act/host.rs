//! A host of a test's own: the machine's files in a mount namespace with another `/etc`, in which there are a policy file and people.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::bench::{PATIENCE, Told};
use crate::lab::{Running, said, until};

/// Their numbers: of nobody on any machine.
const READER: u32 = 64_501;
const ONCALL: u32 = 64_502;
const SECOND: u32 = 64_503;
const DBA: u32 = 64_510;

/// The namespace, and a folder that both people may enter.
pub struct Host {
    /// Holds the namespace; nothing outside of it changes.
    holder: Running,
    /// The folder.
    pub dir: tempfile::TempDir,
}

impl Host {
    /// `reader` is in a group of their own name, `oncall` and `second` in `dba` too.
    pub fn start() -> Self {
        let dir = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap();
        let people = [("reader", READER), ("oncall", ONCALL), ("second", SECOND)];
        let (mut passwd, mut group) = (String::new(), format!("dba:x:{DBA}:oncall,second\n"));
        for (name, id) in people {
            let home = dir.path().join(name);
            fs::create_dir(&home).unwrap();
            chown(&home, Some(id), Some(id)).unwrap();
            passwd += &format!("{name}:x:{id}:{id}::{}:/bin/sh\n", home.display());
            group += &format!("{name}:x:{id}:\n");
        }
        let audit = dir.path().join("audit");
        fs::create_dir(&audit).unwrap();
        chown(&audit, Some(0), Some(DBA)).unwrap();
        fs::set_permissions(&audit, fs::Permissions::from_mode(0o3770)).unwrap();
        // The program where everybody can read it.
        fs::copy(env!("CARGO_BIN_EXE_pgbaton"), dir.path().join("pgbaton")).unwrap();
        let etc = dir.path().join("etc");
        fs::create_dir(&etc).unwrap();
        let script = format!(
            "set -e; mount -t tmpfs -o mode=755 tmpfs {etc}; cp -a /etc/. {etc}; mkdir {etc}/pgbaton; printf '{passwd}' >> {etc}/passwd; \
             printf '{group}' >> {etc}/group; mount --bind {etc} /etc; touch {}/ready; exec sleep 600",
            dir.path().display(),
            etc = etc.display(),
            passwd = passwd.replace('\n', "\\n"),
            group = group.replace('\n', "\\n"),
        );
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", &script]).stdin(Stdio::null());
        let host = Self { holder: Running(command.spawn().unwrap()), dir };
        until("the namespace", PATIENCE, || if host.path("ready").exists() { Ok(()) } else { Err("not ready".to_owned()) });
        host
    }

    /// A place in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A command in the namespace, as root.
    fn inside(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--mount=/proc/{}/ns/mnt", self.holder.0.id())).arg(program).args(args).stdin(Stdio::null());
        command
    }

    /// Runs a line of shell as root in the namespace.
    pub fn root(&self, line: &str) {
        let out = self.inside("sh", &["-c", line]).output().unwrap();
        assert!(out.status.success(), "{line}: {}", said(&out));
    }

    /// Puts a policy there, beside which the audit goes to the shared folder.
    pub fn policy(&self, text: &str) {
        self.policy_with(text, "");
    }

    /// The same with more about the audit.
    pub fn policy_with(&self, text: &str, audit: &str) {
        let file = self.path("policy.new");
        fs::write(&file, format!("{text}\n[audit]\ndir = {:?}\n{audit}\n", self.path("audit"))).unwrap();
        self.root(&format!("rm -f /etc/pgbaton/policy.toml && install -m 644 {} /etc/pgbaton/policy.toml", file.display()));
    }

    /// Gives a file to one of them alone.
    pub fn give(&self, who: &str, path: &Path) {
        let id = uid(who);
        chown(path, Some(id), Some(id)).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// The program as one of them, from their folder, with nothing but these variables.
    pub fn command(&self, who: &str, env: &[(&str, &str)], program: &Path, args: &[&str]) -> Command {
        self.command_behind(who, who, env, program, args)
    }

    /// The same by somebody who logged in as another, where the kernel keeps that.
    pub fn command_behind(&self, login: &str, who: &str, env: &[(&str, &str)], program: &Path, args: &[&str]) -> Command {
        // A namespace is entered at its root.
        let go = format!("cd {} && exec \"$0\" \"$@\"", self.path(who).display());
        let them = ["--reuid", who, "--regid", who, "--init-groups", "--no-new-privs", "sh", "-c", &go, program.to_str().unwrap()];
        let log_in = format!("echo {} 2>/dev/null > /proc/self/loginuid; exec setpriv \"$@\"", uid(login));
        let mut command = self.inside("sh", &[&["-c", &log_in, "sh"], &them[..], args].concat());
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("HOME", self.path(who)).envs(env.iter().copied());
        command
    }

    /// The same, run with `--json`.
    pub fn told(&self, who: &str, env: &[(&str, &str)], args: &[&str]) -> Told {
        let out = self.command(who, env, &self.path("pgbaton"), &[args, &["--json"]].concat()).output().unwrap();
        Told::of(&out)
    }
}

/// Somebody's number.
pub fn uid(who: &str) -> u32 {
    match who {
        "reader" => READER,
        "oncall" => ONCALL,
        "second" => SECOND,
        other => panic!("who is {other}?"),
    }
}
