//! Real etcd servers on free ports of 127.0.0.1, with their data in a directory that goes with them.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use etcd_client::{Client, ConnectOptions};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::PATIENCE;

/// An etcd cluster. Its processes end with it.
pub struct Etcd {
    pub members: Vec<Member>,
    dir: TempDir,
    scheme: &'static str,
    extra: Vec<String>,
}

pub struct Member {
    pub url: String,
    peer: String,
    name: String,
    child: Option<Child>,
}

impl Etcd {
    /// `n` members, ready to be read and written.
    pub async fn start(n: usize) -> Self {
        Self::start_with(n, "http", &[]).await
    }

    /// With more arguments for each member.
    pub async fn start_with(n: usize, scheme: &'static str, extra: &[&str]) -> Self {
        let mut etcd = Self::prepare(n, scheme, extra);
        (0..n).for_each(|i| etcd.launch(i));
        if scheme == "http" {
            etcd.wait_ready().await;
        }
        etcd
    }

    fn prepare(n: usize, scheme: &'static str, extra: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        // Held together until all are known, so that they differ.
        let listeners: Vec<TcpListener> = (0..2 * n).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let ports: Vec<u16> = listeners.iter().map(|l| l.local_addr().unwrap().port()).collect();
        let member = |i: usize| Member {
            url: format!("{scheme}://127.0.0.1:{}", ports[2 * i]),
            peer: format!("http://127.0.0.1:{}", ports[2 * i + 1]),
            name: format!("e{i}"),
            child: None,
        };
        let extra = extra.iter().map(|s| (*s).to_owned()).collect();
        Self { members: (0..n).map(member).collect(), dir, scheme, extra }
    }

    /// Starts a member, or starts it again with its data.
    pub fn launch(&mut self, i: usize) {
        let cluster: Vec<String> = self.members.iter().map(|m| format!("{}={}", m.name, m.peer)).collect();
        let member = &self.members[i];
        let log = File::options().create(true).append(true).open(self.dir.path().join(format!("{}.log", member.name))).unwrap();
        let child = Command::new("etcd")
            .args(["--name", &member.name, "--data-dir"])
            .arg(self.data(i))
            .args(["--listen-client-urls", &member.url, "--advertise-client-urls", &member.url])
            .args(["--listen-peer-urls", &member.peer, "--initial-advertise-peer-urls", &member.peer])
            .args(["--initial-cluster", &cluster.join(","), "--logger", "zap", "--log-level", "error"])
            .args(&self.extra)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("etcd is installed (package etcd-server)");
        self.members[i].child = Some(child);
    }

    fn data(&self, i: usize) -> PathBuf {
        self.dir.path().join(&self.members[i].name)
    }

    /// The members' client URLs.
    pub fn urls(&self) -> Vec<String> {
        self.members.iter().map(|m| m.url.clone()).collect()
    }

    /// Waits until every member answers for a majority.
    pub async fn wait_ready(&self) {
        let deadline = Instant::now() + PATIENCE;
        for i in 0..self.members.len() {
            while !self.reads(i).await {
                assert!(Instant::now() < deadline, "etcd member {i} is not ready: {}", self.log(i));
            }
        }
    }

    async fn reads(&self, i: usize) -> bool {
        let ask = async { self.client(i).await.get("ready", None).await.is_ok() };
        let ready = tokio::time::timeout(Duration::from_secs(1), ask).await.unwrap_or(false);
        if !ready {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        ready
    }

    pub fn log(&self, i: usize) -> String {
        fs::read_to_string(self.dir.path().join(format!("{}.log", self.members[i].name))).unwrap_or_default()
    }

    /// A client that can write, of one member.
    pub async fn client(&self, i: usize) -> Client {
        let options = ConnectOptions::new().with_timeout(Duration::from_secs(3)).with_connect_timeout(Duration::from_secs(1));
        Client::connect([&self.members[i].url], Some(options)).await.unwrap()
    }

    /// Which member is the raft leader, as member `ask` sees it.
    pub async fn raft_leader(&self, ask: usize) -> usize {
        let mut client = self.client(ask).await;
        let leader = client.status().await.unwrap().leader();
        let list = client.member_list().await.unwrap();
        let name = list.members().iter().find(|m| m.id() == leader).unwrap().name().to_owned();
        self.members.iter().position(|m| m.name == name).unwrap()
    }

    /// Kills a member, as a power failure would.
    pub fn kill(&mut self, i: usize) {
        if let Some(mut child) = self.members[i].child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Kills a member and deletes what it stored.
    pub fn wipe(&mut self, i: usize) {
        self.kill(i);
        fs::remove_dir_all(self.data(i)).unwrap();
    }

    /// Stops a member's process without ending it.
    pub fn freeze(&self, i: usize) {
        self.signal(i, Signal::STOP);
    }

    pub fn thaw(&self, i: usize) {
        self.signal(i, Signal::CONT);
    }

    fn signal(&self, i: usize, signal: Signal) {
        let child = self.members[i].child.as_ref().expect("the member runs");
        kill_process(Pid::from_raw(child.id() as i32).unwrap(), signal).unwrap();
    }
}

impl Drop for Etcd {
    fn drop(&mut self) {
        (0..self.members.len()).for_each(|i| self.kill(i));
    }
}
