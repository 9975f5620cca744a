//! A real sshd on the loopback interface, with keys of its own, for whoever runs the test; and a client's configuration that leads to it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// One that runs; dropping it ends it.
pub struct Sshd {
    folder: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Sshd {
    /// Starts one that lets in who runs the test, by each of these names of hosts.
    pub fn start(hosts: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["host_key", "user_key"] {
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(at(name)).status().unwrap();
            assert!(made.success());
        }
        fs::copy(at("user_key.pub"), at("authorized_keys")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let shown = folder.path().display();
        let server = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {shown}/host_key\nAuthorizedKeysFile {shown}/authorized_keys\nStrictModes no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\nPidFile none\nPrintMotd no\n"
        );
        fs::write(at("sshd_config"), server).unwrap();
        let key = fs::read_to_string(at("host_key.pub")).unwrap();
        let key: Vec<&str> = key.split(' ').take(2).collect();
        fs::write(at("known_hosts"), format!("[127.0.0.1]:{port} {}\n", key.join(" "))).unwrap();
        let client = format!(
            "Host {}\n    HostName 127.0.0.1\n    Port {port}\n    IdentityFile {shown}/user_key\n    IdentitiesOnly yes\n    \
             UserKnownHostsFile {shown}/known_hosts\n    GlobalKnownHostsFile /dev/null\n    BatchMode yes\n",
            hosts.join(" ")
        );
        fs::write(at("ssh_config"), client).unwrap();
        fs::set_permissions(at("host_key"), fs::Permissions::from_mode(0o600)).unwrap();
        if rustix::process::getuid().is_root() {
            // Where sshd of root wants to be locked up in; it is made at boot where systemd starts one.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let mut sshd = Self { folder, port, process: None };
        sshd.again();
        sshd
    }

    /// Starts it, on the same port.
    pub fn again(&mut self) {
        let config = self.folder.path().join("sshd_config");
        let mut command = Command::new("/usr/sbin/sshd");
        command.args(["-D", "-e", "-f"]).arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(command.spawn().unwrap());
    }

    /// Ends it, and the sessions that it has.
    pub fn end(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        let own = i32::try_from(process.id()).unwrap();
        let sessions: Vec<i32> = pgbaton::lab::procfs::pids()
            .into_iter()
            .filter(|pid| pgbaton::lab::procfs::stat(*pid).is_some_and(|stat| stat.ppid == own))
            .collect();
        let _ = process.kill();
        let _ = process.wait();
        for pid in sessions {
            let _ = rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL);
        }
    }

    /// The configuration of OpenSSH that leads to it.
    pub fn client(&self) -> PathBuf {
        self.folder.path().join("ssh_config")
    }

    /// A folder of the test's own.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The port.
    #[allow(dead_code, reason = "each test file uses its part of it")]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.end();
    }
}
