//! A real PostgreSQL in a directory of its own, stopped and removed when it is dropped.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{free_port, wait_for};

/// A server on 127.0.0.1 and on a socket in its directory; `postgres` is its superuser, and the socket trusts everybody.
pub struct Server {
    dir: TempDir,
    /// Its TCP port.
    pub port: u16,
}

impl Server {
    /// A new primary. `conf` and `hba` are added to postgresql.conf and put before the socket's line in pg_hba.conf.
    pub fn primary(conf: &str, hba: &str) -> Self {
        let server = Self::empty();
        server.tool(
            "initdb",
            &["-U", "postgres", "-A", "trust", "-N", "--no-instructions", "-E", "UTF8", "--locale=C", "-D", &server.data()],
        );
        let own = format!(
            "\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{}'\nfsync = off\nshared_buffers = 16MB\nmax_connections = 20\n\
             log_min_messages = log\n{conf}\n",
            server.dir.path().display()
        );
        append(&server.file("postgresql.conf"), &own);
        fs::write(server.file("pg_hba.conf"), format!("local all all trust\nlocal replication all trust\n{hba}\n"))
            .expect("pg_hba.conf is written");
        server.start();
        server
    }

    /// A standby of `primary` that streams through a slot `name`, made by `pg_basebackup`.
    pub fn standby(primary: &Server, name: &str) -> Self {
        let server = Self::empty();
        let from = format!("host={} port={} user=postgres application_name={name}", primary.dir.path().display(), primary.port);
        server.tool("pg_basebackup", &["-D", &server.data(), "-d", &from, "-R", "-C", "-S", name, "-c", "fast", "-X", "stream", "-N"]);
        append(&server.file("postgresql.conf"), &format!("\nunix_socket_directories = '{}'\n", server.dir.path().display()));
        server.start();
        server
    }

    /// Begins a copy of its data that takes long, over TCP, into its directory.
    pub fn slow_copy(&self) -> std::process::Child {
        let copy = self.dir.path().join("copy").display().to_string();
        let from = format!("host=127.0.0.1 port={} user=postgres", self.port);
        let mut command = Command::new(tool_path("pg_basebackup"));
        command.args(["-D", &copy, "-d", &from, "-c", "fast", "-X", "none", "-N", "-r", "1M"]).env("LC_ALL", "C").env_remove("PGPASSWORD");
        if let Some((uid, gid)) = owner() {
            command.uid(uid).gid(gid);
        }
        command.spawn().expect("pg_basebackup starts")
    }

    fn empty() -> Self {
        let dir = TempDir::new().expect("a directory");
        if let Some((uid, gid)) = owner() {
            std::os::unix::fs::chown(dir.path(), Some(uid), Some(gid)).expect("the directory is given to postgres");
        }
        Self { dir, port: free_port() }
    }

    fn data(&self) -> String {
        self.file("").display().to_string().trim_end_matches('/').to_owned()
    }

    /// A file of its data directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join("data").join(name)
    }

    /// Puts a file of this content beside the data, readable by the server only, as it wants its private key.
    pub fn put(&self, name: &str, content: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, content).expect("the file is written");
        if let Some((uid, gid)) = owner() {
            std::os::unix::fs::chown(&path, Some(uid), Some(gid)).expect("the file is given to postgres");
        }
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("the file is protected");
        path
    }

    /// Its server log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    fn tool(&self, name: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(tool_path(name));
        command.args(arguments).current_dir(self.dir.path()).env("LC_ALL", "C").env_remove("PGPASSWORD");
        if let Some((uid, gid)) = owner() {
            command.uid(uid).gid(gid);
        }
        let output = command.output().expect("the tool starts");
        assert!(output.status.success(), "{name} failed: {}{}\n{}", text(&output.stdout), text(&output.stderr), self.log());
        output
    }

    fn pg_ctl(&self, arguments: &[&str]) {
        let log = self.dir.path().join("log").display().to_string();
        let port = format!("-p {}", self.port);
        let data = self.data();
        let mut all = vec!["-D", &data, "-s", "-w", "-l", &log];
        if arguments.first().is_some_and(|a| *a != "stop") {
            all.extend(["-o", &port]);
        }
        all.extend(arguments);
        self.tool("pg_ctl", &all);
    }

    /// Adds this to postgresql.conf; it holds from the next start on.
    pub fn configure(&self, conf: &str) {
        append(&self.file("postgresql.conf"), &format!("\n{conf}\n"));
    }

    /// Starts it and waits until it takes connections.
    pub fn start(&self) {
        self.pg_ctl(&["start"]);
    }

    /// Stops it, sessions or not.
    pub fn stop(&self) {
        self.pg_ctl(&["stop", "-m", "fast"]);
    }

    /// Restarts it, sessions or not.
    pub fn restart(&self) {
        self.pg_ctl(&["restart", "-m", "fast"]);
    }

    /// What `psql` prints for this, unaligned and without headers; several columns are separated by `|`.
    pub fn psql(&self, sql: &str) -> String {
        let socket = self.dir.path().display().to_string();
        let port = self.port.to_string();
        let output = self.tool(
            "psql",
            &["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", &socket, "-p", &port, "-U", "postgres", "-d", "postgres", "-c", sql],
        );
        text(&output.stdout).trim().to_owned()
    }

    /// Sends a signal to the postmaster.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.postmaster().expect("it runs"), signal).expect("the signal is sent");
    }

    /// Sends a signal to every process of it: postmaster first.
    pub fn signal_all(&self, signal: Signal) {
        let postmaster = self.postmaster().expect("it runs");
        kill_process(postmaster, signal).expect("the signal is sent");
        for child in children(postmaster) {
            // A child may have ended meanwhile.
            let _ = kill_process(child, signal);
        }
    }

    fn postmaster(&self) -> Option<Pid> {
        let file = fs::read_to_string(self.file("postmaster.pid")).ok()?;
        Pid::from_raw(file.lines().next()?.trim().parse().ok()?)
    }

    /// Process ids of sessions with this `application_name`.
    pub fn sessions(&self, name: &str) -> Vec<i32> {
        let pids = self.psql(&format!("SELECT pid FROM pg_stat_activity WHERE application_name = '{name}'"));
        pids.lines().map(|pid| pid.parse().expect("a pid")).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(postmaster) = self.postmaster() else { return };
        for frozen in std::iter::once(postmaster).chain(children(postmaster)) {
            let _ = kill_process(frozen, Signal::CONT);
        }
        // SIGQUIT: immediate shutdown.
        let _ = kill_process(postmaster, Signal::QUIT);
        wait_for("the server ends", || {
            (!self.file("postmaster.pid").exists() || !Path::new(&format!("/proc/{}", postmaster.as_raw_nonzero())).exists()).then_some(())
        });
    }
}

/// A primary and its standby `psg2`.
pub struct Pair {
    /// The primary.
    pub primary: Server,
    /// The standby; it ends first.
    pub standby: Server,
}

impl Pair {
    /// The pair that the tests of one file share while any of them runs.
    pub fn shared() -> Arc<Pair> {
        static SHARED: Mutex<Weak<Pair>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = shared.upgrade() {
            return pair;
        }
        let hba = "host all rejected 127.0.0.1/32 reject\nhost all secretive 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust";
        let primary = Server::primary("archive_mode = on\narchive_command = 'exit 0'\n", hba);
        primary.psql("CREATE ROLE secretive LOGIN PASSWORD 'right'");
        primary.psql("CREATE ROLE rejected LOGIN");
        primary.psql("CREATE ROLE watcher LOGIN IN ROLE pg_monitor");
        primary.psql("CREATE ROLE stranger LOGIN");
        let standby = Server::standby(&primary, "psg2");
        let pair = Arc::new(Pair { primary, standby });
        *shared = Arc::downgrade(&pair);
        pair
    }
}

fn children(parent: Pid) -> Vec<Pid> {
    let list = fs::read_to_string(format!("/proc/{0}/task/{0}/children", parent.as_raw_nonzero())).unwrap_or_default();
    list.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect()
}

fn append(path: &Path, text: &str) {
    let before = fs::read_to_string(path).expect("the file is there");
    fs::write(path, before + text).expect("the file is written");
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// User and group of `postgres`, when we are root: the server refuses to run as that.
fn owner() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let passwd = fs::read_to_string("/etc/passwd").expect("/etc/passwd is readable");
    let line = passwd.lines().find(|line| line.starts_with("postgres:")).expect("there is a user postgres");
    let mut fields = line.split(':').skip(2).map(|field| field.parse().expect("a number"));
    Some((fields.next()?, fields.next()?))
}

/// The tool in PATH's or the newest packaged PostgreSQL.
fn tool_path(name: &str) -> PathBuf {
    let mut packaged: Vec<_> =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|e| e.path().join("bin").join(name)).collect();
    packaged.retain(|path| path.exists());
    packaged.sort();
    packaged.pop().unwrap_or_else(|| PathBuf::from(name))
}
