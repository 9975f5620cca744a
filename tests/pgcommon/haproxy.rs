//! A real HAProxy in a directory of its own, ended when it is dropped.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{free_port, wait_for};

/// An HAProxy with a stats page and a stats socket.
pub struct Haproxy {
    dir: TempDir,
    child: Child,
    /// The page's port on 127.0.0.1.
    pub port: u16,
}

impl Haproxy {
    /// Starts it. `page` is put into the section of the stats page, `rest` after it.
    pub fn start(page: &str, rest: &str) -> Self {
        let dir = TempDir::new().expect("a directory");
        let port = free_port();
        let socket = dir.path().join("stats.sock");
        let config = format!(
            "global\n    maxconn 100\n    stats socket {} mode 600 level operator\ndefaults\n    mode tcp\n    timeout client 5s\n    timeout connect 1s\n    \
             timeout server 5s\n    timeout check 1s\nlisten stats\n    mode http\n    bind 127.0.0.1:{port}{page}\n{rest}\n",
            socket.display()
        );
        let file = dir.path().join("haproxy.cfg");
        fs::write(&file, &config).expect("the configuration is written");
        let log = fs::File::create(dir.path().join("log")).expect("a log");
        let mut child = Command::new("haproxy")
            .args(["-db", "-q", "-f"])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("haproxy is installed (apt-get install haproxy)");
        wait_for("haproxy listens", || {
            if let Ok(Some(status)) = child.try_wait() {
                panic!("haproxy ended with {status}: {}\n{config}", fs::read_to_string(dir.path().join("log")).unwrap_or_default());
            }
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Self { dir, child, port }
    }

    /// Path of its stats socket.
    pub fn socket(&self) -> PathBuf {
        self.dir.path().join("stats.sock")
    }

    /// Its process.
    pub fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(&self.child)
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        // SIGKILL reaches a stopped process too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
