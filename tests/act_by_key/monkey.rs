//! Random keys in a console before which every server is a recorder.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::common::lab::TestLab;
use crate::common::pty::Pty;
use crate::keys::{self, REST};
use crate::recorder::{NOBODY, Recorder};

/// Keys pressed by each monkey, unless `PGBATON_MONKEY_KEYS` says otherwise.
const KEYS: usize = 20_000;

/// What the console reads from etcd.
const READING: [&str; 7] = [
    "/etcdserverpb.KV/Range",
    "/etcdserverpb.Watch/Watch",
    "/etcdserverpb.Lease/LeaseTimeToLive",
    "/etcdserverpb.Cluster/MemberList",
    "/etcdserverpb.Maintenance/Status",
    "/etcdserverpb.Maintenance/Alarm",
    "/etcdserverpb.Auth/Authenticate",
];

/// A folder that [`NOBODY`] can use, with the program, a configuration and a home.
struct Place {
    folder: tempfile::TempDir,
    recorder: Recorder,
}

impl Place {
    fn new(lab: &TestLab) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        open(folder.path());
        let program = folder.path().join("pgbaton");
        fs::copy(env!("CARGO_BIN_EXE_pgbaton"), &program).unwrap();
        open(&program);
        let home = folder.path().join("home");
        fs::create_dir(&home).unwrap();
        chown(&home, Some(NOBODY), Some(NOBODY)).unwrap();
        let passfile = folder.path().join("pgpass");
        fs::copy(lab.layout().pgpass(), &passfile).unwrap();
        chown(&passfile, Some(NOBODY), Some(NOBODY)).unwrap();
        fs::set_permissions(&passfile, fs::Permissions::from_mode(0o600)).unwrap();
        let leader = lab.layout().ip(&lab.leader()).to_string();
        let block = format!("{}.0/24", leader.rsplit_once('.').unwrap().0);
        let socket = lab.layout().stats_socket("vm4");
        let recorder = Recorder::start(&block, &socket, folder.path());
        let config = lab.config_text();
        let config = config.replace(&lab.layout().pgpass().display().to_string(), &passfile.display().to_string());
        let config = config.replace(&socket.display().to_string(), &recorder.socket.display().to_string());
        fs::write(folder.path().join("pgbaton.toml"), config).unwrap();
        Self { folder, recorder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self, flags: &[&str]) -> Pty {
        let (program, config, home) = (self.path("pgbaton"), self.path("pgbaton.toml"), self.path("home"));
        let user = NOBODY.to_string();
        let mut args =
            vec!["--reuid", &user, "--regid", &user, "--clear-groups", program.to_str().unwrap(), "-c", config.to_str().unwrap()];
        args.extend(flags);
        let home = home.to_str().unwrap();
        let state = format!("{home}/state");
        // An editor that leaves everything as it is.
        let env = [("HOME", home), ("XDG_STATE_HOME", state.as_str()), ("XDG_CONFIG_HOME", home), ("VISUAL", "true")];
        let mut pty = Pty::spawn(Path::new("setpriv"), &args, &env, (80, 24));
        pty.patience = Duration::from_secs(120);
        keys::until_read(&mut pty);
        pty
    }

    /// The audit's lines.
    fn audit(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("home/state/pgbaton/audit.jsonl")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// That nothing but reading was recorded; and that it was recorded at all, from each kind of server.
    fn assert_only_read(&self) {
        let asked = self.recorder.asked();
        println!("{asked:#?}");
        assert!(!asked.http.is_empty() && !asked.etcd.is_empty() && !asked.sql.is_empty() && !asked.socket.is_empty(), "{asked:#?}");
        for line in asked.http.keys() {
            assert!(["GET ", "HEAD ", "OPTIONS "].iter().any(|method| line.starts_with(method)), "{line}");
        }
        for path in asked.etcd.keys() {
            assert!(READING.contains(&path.as_str()), "{path}");
        }
        assert_eq!(asked.alarms, 0, "an alarm was asked to change");
        for statement in asked.sql.keys() {
            assert!(reads(statement), "{statement}");
        }
        for line in asked.socket.keys() {
            assert!(line.starts_with("show "), "{line}");
        }
    }
}

/// Whether a statement only reads: sessions begin read-only by the server's own setting, and no function is called that acts.
fn reads(statement: &str) -> bool {
    let acts = [
        "pg_terminate",
        "pg_cancel",
        "pg_wal_replay_resume",
        "pg_wal_replay_pause",
        "pg_promote",
        "pg_switch_wal",
        "pg_reload_conf",
        "pg_drop_replication_slot",
        "pg_create_",
        "set_config",
        "nextval",
        "lo_",
        "dblink",
        "pg_logical_emit",
    ];
    if let Some(start) = statement.strip_prefix("start ") {
        return start.contains("default_transaction_read_only=on");
    }
    // A setting of the session's own.
    let statement = statement.replace("set_config('idle_session_timeout', '60s', false)", "");
    let upper = statement.to_uppercase();
    let begins = ["SELECT ", "WITH ", "SHOW ", "SET STATEMENT_TIMEOUT", "SET LOCK_TIMEOUT"].iter().any(|word| upper.starts_with(word));
    begins && !upper.contains(" INTO ") && !acts.iter().any(|act| statement.contains(act))
}

#[test]
fn what_acts_is_told_from_what_reads() {
    assert!(reads("SELECT pg_is_in_recovery()") && reads("start user a options -c default_transaction_read_only=on"));
    for acts in ["DELETE FROM x", "SELECT pg_terminate_backend(1)", "SELECT 1 INTO t", "start user a", "message F", "CHECKPOINT", ""] {
        assert!(!reads(acts), "{acts}");
    }
}

/// Pseudo-random keys (Marsaglia's xorshift), the same for the same seed.
struct Monkey(u64);

impl Monkey {
    /// A monkey whose seed is told, or given by `PGBATON_MONKEY_SEED`.
    fn new() -> Self {
        let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
        let given = std::env::var("PGBATON_MONKEY_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or(u64::try_from(clock % u128::from(u64::MAX)).unwrap()) | 1;
        println!("PGBATON_MONKEY_SEED={seed}");
        Self(seed)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(bound).unwrap()).unwrap()
    }

    /// Half of the keys lead towards actions and answers. What would end or stop the console is left out: it would only rest from it. So is
    /// `:`, behind which any letters can find `quit`, but for some commands that are searched for by name.
    fn key(&mut self, without: &str) -> String {
        const LIKELY: [&str; 33] = [
            "a",
            "s",
            "f",
            "r",
            "l",
            "i",
            "x",
            "p",
            "u",
            "c",
            "\r",
            "\x1b",
            "j",
            "k",
            "\t",
            "y",
            "/",
            "1",
            "2",
            "?",
            "S",
            "R",
            "o",
            "w",
            "g",
            "d",
            "t",
            "h",
            "e",
            "v",
            ":restart\r",
            ":switchover\r",
            ":resume\r",
        ];
        const OTHER: [&str; 19] = [
            "\x1b[A",
            "\x1b[B",
            "\x1b[5~",
            "\x1b[6~",
            "\x1b[H",
            "\x1b[F",
            "\x1bOP",
            "\x7f",
            "\x15",
            "\x17",
            "\x0c",
            "\x01",
            "\x05",
            "\x02",
            "\x06",
            "\x0b",
            "\x19",
            "\x1bd",
            "\x1b[200~y\r\x1b[201~",
        ];
        let key = match self.below(10) {
            0..5 => LIKELY[self.below(LIKELY.len())].to_owned(),
            5 => OTHER[self.below(OTHER.len())].to_owned(),
            _ => char::from(u8::try_from(0x20 + self.below(0x5f)).unwrap()).to_string(),
        };
        // What leaves the console, in whichever keymap it has come upon: `v k` chooses one.
        let leaves = matches!(key.as_str(), "q" | "Q" | "Z" | ":");
        if leaves || without.contains(&key) { self.key(without) } else { key }
    }
}

fn press_keys(pty: &mut Pty, without: &str) {
    let count = std::env::var("PGBATON_MONKEY_KEYS").ok().and_then(|n| n.parse().ok()).unwrap_or(KEYS);
    let mut monkey = Monkey::new();
    let begun = Instant::now();
    for n in 0..count {
        pty.press(&monkey.key(without));
        // Now and then the console is waited for: else the keys of a whole run would lie in the terminal's buffer at its end.
        if n % 500 == 499 {
            settle(pty);
        }
    }
    settle(pty);
    println!("{count} keys in {:?}", begun.elapsed());
}

/// Out of everything that is open, until the help shows when it is asked for: all keys before were taken. An escape that other bytes follow at
/// once is no escape key, so each is sent when the screen rests, and again when it was not understood.
fn settle(pty: &mut Pty) {
    let help = |pty: &Pty| pty.screen().contains("Show every key and what it does");
    for _ in 0..40 {
        for key in ["\x1b", "\x1b", "\x1b", "?"] {
            pty.until_quiet(REST);
            pty.press(key);
        }
        // A machine that has much to do shows it later than the screen seems to rest; an escape at once would close it unseen.
        for _ in 0..20 {
            pty.until_quiet(REST);
            if help(pty) {
                break;
            }
        }
        if help(pty) {
            pty.press("\x1b");
            pty.until("the panes", |screen| !screen.contents().contains("Show every key and what it does"));
            return;
        }
    }
    panic!("the console does not come to rest; the screen is\n{}", pty.screen());
}

/// What the cluster was asked to do, by etcd's own tool: the keys in which that stands, with their revisions. Not who leads: on a machine that
/// is slow enough that can change unasked.
fn orders(lab: &TestLab) -> Vec<serde_json::Value> {
    let keys = ["config", "failover", "initialize"];
    let revision = |key: &str| {
        lab.tool_json("etcdctl", &["get", &format!("/service/{}/{key}", lab.scope()), "-w", "json"])["kvs"][0]["mod_revision"].clone()
    };
    keys.iter().map(|key| revision(key)).collect()
}

/// `PGBATON_MONKEY_KEYS=100000` presses a hundred thousand; here fewer, for the time it takes.
pub fn a_read_only_console_only_reads(lab: &TestLab) {
    let place = Place::new(lab);
    let before = orders(lab);
    let mut pty = place.open(&["--read-only"]);
    pty.until_text("READ-ONLY");
    press_keys(&mut pty, "");
    assert!(pty.screen().contains("READ-ONLY"), "{}", pty.screen());
    pty.press("q");
    assert_eq!(pty.end(), 0);
    place.assert_only_read();
    assert_eq!(place.audit(), [""; 0]);
    assert_eq!(orders(lab), before);
}

/// With a permit, and every key but the one that says yes.
pub fn nothing_happens_without_a_typed_confirmation(lab: &TestLab) {
    let place = Place::new(lab);
    let before = orders(lab);
    let mut pty = place.open(&[]);
    pty.until_text("OPERATOR");
    press_keys(&mut pty, "y");
    place.assert_only_read();
    assert_eq!(place.audit(), [""; 0]);
    assert_eq!(orders(lab), before);
    pty.press("q");
    assert_eq!(pty.end(), 0);
    // The recorder does see what is written.
    let mut pty = place.open(&[]);
    keys::act(&mut pty, "al", "Reload of", "y");
    let asked = place.recorder.asked();
    assert_eq!(asked.http.iter().filter(|(line, _)| line.starts_with("POST ")).collect::<Vec<_>>(), [(&"POST /reload".to_owned(), &1)]);
    assert_eq!(place.audit().len(), 2);
    settle(&mut pty);
    pty.press("q");
    assert_eq!(pty.end(), 0);
}
