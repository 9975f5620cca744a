//! An estate on loopback addresses, started from the written files as its units say, and ended with the value.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use pgbaton::lab::account::Account;
use pgbaton::lab::address::{self, Claim};
use pgbaton::lab::install;
use pgbaton::lab::options::Options;
use pgbaton::lab::place::Place;
use pgbaton::lab::record::Tools;
use pgbaton::lab::scan;
use pgbaton::lab::steps::Steps;
use rustix::process::Signal;

use crate::run::{files, ok, pgbaton, text};

/// Short, because PostgreSQL's socket lies below it, and open to the account that PostgreSQL runs as.
fn base() -> PathBuf {
    PathBuf::from(format!("/var/tmp/pgbaton-test-labs-{}", rustix::process::getuid().as_raw()))
}

pub struct Estate {
    /// The folder that was written; a machine's folder in it is that machine's file system.
    pub dir: PathBuf,
    pub claim: Claim,
    pub tools: Tools,
    account: Account,
    children: RefCell<Vec<Child>>,
}

impl Estate {
    /// Addresses that nobody has and programs to run; nothing is written yet.
    pub fn new(what: &str) -> Self {
        let place = Place::new(Some(&base()), "scaffold").unwrap();
        let account = Account::choose().unwrap();
        place.prepare(&account).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let tools = runtime.block_on(install::ensure(&place, &Options::default(), true, &mut Steps::default())).unwrap();
        let dir = base().join(format!("{what}-{}", std::process::id()));
        let seed = address::hash(&dir.to_string_lossy());
        let claim = address::claim(address::loopback_blocks(seed), address::ports_free).unwrap();
        fs::create_dir_all(&dir).unwrap();
        Self { dir, claim, tools, account, children: RefCell::default() }
    }

    pub fn ip(&self, machine: &str) -> String {
        pgbaton::lab::layout::address(self.claim.block, machine).to_string()
    }

    /// The inventory of a lab's machines, with more lines at the top of the file and at its end.
    pub fn inventory(&self, top: &str, machines: &str, end: &str) {
        let nodes: String = ["psg1", "psg2", "psg3"].iter().map(|n| format!("{n} = \"{}\"\n", self.ip(n))).collect();
        let Tools { pg_bin, etcd, haproxy, venv, .. } = &self.tools;
        let text = format!(
            "cluster = \"paper\"\n{top}\n[versions]\npostgresql = \"15\"\npatroni = \"4.1\"\netcd = \"3.4\"\nhaproxy = \"2.6\"\nairflow = \"2.10.5\"\n\n\
             [nodes]\n{nodes}\n[machines]\n{machines}\n\
             [paths]\nroot = \"{}/{{node}}\"\npostgresql = {pg_bin:?}\npatroni = \"{}/bin/patroni\"\netcd = {etcd:?}\nhaproxy = {haproxy:?}\nairflow = \"/bin/true\"\n\n\
             [parameters]\nshared_buffers = \"16MB\"\ndynamic_shared_memory_type = \"mmap\"\n{end}",
            self.dir.display(),
            venv.display(),
        );
        fs::write(self.dir.join("inventory.toml"), text).unwrap();
    }

    /// `pgbaton scaffold`, then what the packages' installation and the written README's `chown` do.
    pub fn scaffold(&self, words: &[&str]) -> String {
        let out = self.dir.display().to_string();
        let said = ok(&mut pgbaton(&self.dir, &[&["scaffold", "inventory.toml", "--out", &out], words].concat()));
        let nodes = ["var/lib/etcd", "var/lib/postgresql", "var/log/postgresql", "var/run/postgresql"];
        let machines = [("psg1", &nodes[..]), ("psg2", &nodes), ("psg3", &nodes), ("vm1", &["run/haproxy"]), ("vm4", &["run/haproxy"])];
        for (machine, folders) in machines {
            for folder in folders {
                fs::create_dir_all(self.dir.join(machine).join(folder)).unwrap();
            }
            fs::set_permissions(self.dir.join(machine).join("var/lib/etcd"), fs::Permissions::from_mode(0o700)).ok();
            if self.account.switch {
                own(&self.dir.join(machine), &self.account);
            }
        }
        said
    }

    /// Starts what a unit says, as the account of the estate, with what the unit gives it and nothing else.
    pub fn start(&self, machine: &str, unit: &str) {
        let unit = Unit::read(&self.dir.join(machine).join("etc/systemd/system").join(unit));
        for words in &unit.before {
            ok(&mut self.command(machine, &unit, words));
        }
        let log = fs::File::create(self.dir.join(machine).join(format!("{}.out", unit.name))).unwrap();
        let child = self.command(machine, &unit, &unit.start).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        self.children.borrow_mut().push(child);
    }

    fn command(&self, machine: &str, unit: &Unit, line: &str) -> Command {
        let words: Vec<&str> = line.split(' ').collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).env_clear().envs(&unit.environment).env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
        command.env("LANG", "C.UTF-8").env(scan::MARKER, &self.dir).current_dir(self.dir.join(machine)).stdin(Stdio::null());
        if self.account.switch {
            command.uid(self.account.uid).gid(self.account.gid);
        }
        command
    }

    /// `pgbaton` by the written configuration.
    pub fn pgbaton(&self, words: &[&str]) -> Output {
        let toml = self.dir.join("console/pgbaton.toml").display().to_string();
        pgbaton(&self.dir, &[&["-c", &toml], words].concat()).output().unwrap()
    }

    /// `psql` with these words.
    pub fn psql(&self, user: &str, password: &str, words: &[&str]) -> String {
        let mut command = Command::new(self.tools.pg_bin.join("psql"));
        command.args(["-XAtq", "-U", user]).args(words).env_clear().env("PGPASSWORD", password).stdin(Stdio::null());
        let ca = self.dir.join("ca/ca.crt");
        if ca.exists() {
            // As a client that wants to know whom it speaks to.
            command.env("PGSSLMODE", "verify-full").env("PGSSLROOTCERT", ca);
        }
        ok(&mut command)
    }

    /// Members as the written patronictl.yaml has them told: name, role, state.
    pub fn members(&self) -> Result<Vec<(String, String, String)>, String> {
        let mut command = Command::new(self.tools.venv.join("bin/patronictl"));
        command.args(["-c", "patronictl.yaml", "list", "-f", "json"]).current_dir(self.dir.join("console")).env("LANG", "C.UTF-8");
        let out = command.output().unwrap();
        let list: serde_json::Value = serde_json::from_slice(&out.stdout).map_err(|_| text(&out))?;
        let field = |member: &serde_json::Value, key: &str| member[key].as_str().unwrap_or_default().to_owned();
        Ok(list.as_array().unwrap().iter().map(|m| (field(m, "Member"), field(m, "Role"), field(m, "State"))).collect())
    }

    /// The end of every log, for the message of a test that fails.
    pub fn logs(&self) -> String {
        let logs = files(&self.dir).into_iter().filter(|file| file.extension().is_some_and(|e| e == "out" || e == "log"));
        logs.map(|file| format!("=== {}\n{}\n", file.display(), pgbaton::lab::files::tail(&file, 8))).collect()
    }

    /// Asks until there is an answer; fails with what was said last, and the logs.
    pub fn until<T>(&self, what: &str, seconds: u64, mut ask: impl FnMut() -> Result<T, String>) -> T {
        let begun = Instant::now();
        loop {
            match ask() {
                Ok(found) => return found,
                Err(why) if begun.elapsed() > Duration::from_secs(seconds) => {
                    panic!("{what}: not within {seconds} s: {why}\n{}", self.logs())
                }
                Err(_) => std::thread::sleep(Duration::from_millis(200)),
            }
        }
    }
}

impl Drop for Estate {
    fn drop(&mut self) {
        // Everything at once and without a word: nothing of it is kept.
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(20) {
            let left = scan::processes(&self.dir);
            if left.is_empty() {
                break;
            }
            for process in left {
                let _ = process.signal(Signal::KILL);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        for child in self.children.get_mut() {
            let _ = child.wait();
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Gives a folder with all in it to an account.
fn own(path: &Path, account: &Account) {
    chown(path, Some(account.uid), Some(account.gid)).unwrap();
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            own(&entry.unwrap().path(), account);
        }
    }
}

/// What a unit starts.
struct Unit {
    name: String,
    environment: BTreeMap<String, String>,
    before: Vec<String>,
    start: String,
}

impl Unit {
    /// Reads it as systemd does, as far as these units go.
    fn read(path: &Path) -> Self {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut unit = Self { name, environment: BTreeMap::new(), before: Vec::new(), start: String::new() };
        for line in fs::read_to_string(path).unwrap().lines().filter(|line| !line.starts_with('#')) {
            match line.split_once('=') {
                Some(("EnvironmentFile", file)) => unit.environment.extend(environment(Path::new(file))),
                Some(("Environment", pair)) => unit.environment.extend(pair.split_once('=').map(|(n, v)| (n.to_owned(), v.to_owned()))),
                // What may fail, as root: the watchdog, which is the whole machine's.
                Some(("ExecStartPre", command)) if !command.starts_with('-') => unit.before.push(command.to_owned()),
                Some(("ExecStart", command)) => command.clone_into(&mut unit.start),
                _ => {}
            }
        }
        unit
    }
}

/// Variables of an environment file: `NAME="value"`.
pub fn environment(path: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(path).unwrap();
    let pairs = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.strip_prefix('"').unwrap().strip_suffix('"').unwrap().to_owned())).collect()
}
