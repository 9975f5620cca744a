//! What was written runs: etcd, Patroni and HAProxy by their units, pgbaton and patronictl by the written configurations.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use pgbaton::lab::health::parse_servers;

use crate::estate::{Estate, environment};
use crate::run::text;

/// One estate at a time: each is a whole cluster.
static ALONE: Mutex<()> = Mutex::new(());

const MEMBERS: [&str; 3] = ["psg1", "psg2", "psg3"];
const PROXIES: [&str; 2] = ["vm1", "vm4"];

/// Signs that mean something in YAML, SQL, a password file, a URL, a shell.
const ODD: &str = r#"it's "a" \b: %40 $HOME #1 @x/é"#;

/// Follows the written README: etcd, Patroni, the roles, HAProxy. Returns the superuser's password.
fn start(estate: &Estate) -> String {
    for member in MEMBERS {
        estate.start(member, "etcd.service");
    }
    for member in MEMBERS {
        estate.start(member, "patroni.service");
    }
    let leader = estate.until("a leader and two replicas", 90, || {
        let members = estate.members()?;
        let leader = members.iter().find(|(_, role, state)| role == "Leader" && state == "running").map(|(name, ..)| name.clone());
        let streaming = members.iter().filter(|(.., state)| state == "streaming").count();
        leader.filter(|_| streaming == 2).ok_or_else(|| format!("{members:?}"))
    });
    let word = |file: &str| fs::read_to_string(estate.dir.join(file)).unwrap().trim_end().to_owned();
    let password = word("secrets/superuser");
    let roles = estate.dir.join("roles.sql").display().to_string();
    // Twice: the second time changes nothing.
    for _ in 0..2 {
        estate.psql("postgres", &password, &["-h", &estate.ip(&leader), "-d", "postgres", "-f", &roles]);
    }
    for proxy in PROXIES {
        estate.start(proxy, "haproxy.service");
    }
    password
}

fn is_ok(estate: &Estate) {
    estate.until("`pgbaton check` to say OK", 60, || {
        let out = estate.pgbaton(&["check"]);
        let said = text(&out);
        if out.status.success() && said.contains("OK") { Ok(()) } else { Err(said) }
    });
}

/// Looks again and again how many servers a HAProxy sends writes to.
struct Watch {
    stop: Arc<AtomicBool>,
    seen: JoinHandle<Vec<usize>>,
}

impl Watch {
    fn begin(address: &str) -> Self {
        let (stop, place) = (Arc::new(AtomicBool::new(false)), format!("{address}:7000"));
        let stopped = Arc::clone(&stop);
        let seen = std::thread::spawn(move || {
            let mut counts = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let mut page = String::new();
                let mut stream = TcpStream::connect(&place).unwrap();
                stream.write_all(b"GET /;csv HTTP/1.0\r\n\r\n").unwrap();
                stream.read_to_string(&mut page).unwrap();
                // Behind the head and the length of the page's one chunk.
                let servers = parse_servers(&page[page.find("# pxname").unwrap()..]);
                assert!(servers.iter().any(|server| server.backend == "pg_write"), "{page}");
                counts.push(servers.iter().filter(|server| server.backend == "pg_write" && server.status.starts_with("UP")).count());
                std::thread::sleep(Duration::from_millis(50));
            }
            counts
        });
        Self { stop, seen }
    }

    fn end(self) -> Vec<usize> {
        self.stop.store(true, Ordering::Relaxed);
        self.seen.join().unwrap()
    }
}

#[test]
fn with_tls_and_odd_passwords_it_is_healthy_switches_over_and_takes_airflow_in() {
    let _alone = ALONE.lock();
    let estate = Estate::new("sc-tls");
    fs::write(estate.dir.join("odd"), ODD).unwrap();
    fs::set_permissions(estate.dir.join("odd"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let machines = |airflow: &str| PROXIES.map(|proxy| format!("{proxy} = {{ address = \"{}\"{airflow} }}\n", estate.ip(proxy))).concat();
    let odd = "[passwords]\n".to_owned()
        + &["replicator", "rewind", "pgbaton", "operator", "restapi", "airflow"]
            .map(|who| format!("{who} = {{ file = \"odd\" }}\n"))
            .concat();
    let top = "tls = true\nsynchronous = true\nfailsafe = true\n";
    estate.inventory(top, &machines(""), &odd);
    estate.scaffold(&[]);
    let password = start(&estate);
    is_ok(&estate);

    // By the REST API's password and with a client's certificate; afterwards all is well again.
    let before = estate.members().unwrap();
    let watch = Watch::begin(&estate.ip(PROXIES[0]));
    let moved = estate.pgbaton(&["switchover", "--yes"]);
    let up = watch.end();
    assert!(up.len() > 20 && up.iter().all(|count| *count < 2), "an old and a new leader were up together: {up:?}");
    assert!(moved.status.success(), "{}\n{}", text(&moved), estate.logs());
    assert_ne!(estate.members().unwrap(), before);
    is_ok(&estate);

    // Airflow comes later: what is there stays as it is, and its connection leads to the leader by each HAProxy.
    estate.inventory(top, &machines(", airflow = [\"scheduler\"]"), &odd);
    let said = estate.scaffold(&["--yes"]);
    assert!(said.contains("7 new, "), "the grants, and for each machine a unit and an environment with the CA beside it: {said}");
    let leader = estate.members().unwrap().into_iter().find(|(_, role, _)| role == "Leader").unwrap().0;
    let roles = estate.dir.join("roles.sql").display().to_string();
    estate.psql("postgres", &password, &["-h", &estate.ip(&leader), "-d", "postgres", "-f", &roles]);
    for proxy in PROXIES {
        let variables = environment(&estate.dir.join(proxy).join("etc/airflow/airflow.env"));
        let url = variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("postgresql+psycopg2://", "postgresql://");
        let mut psql = Command::new(estate.tools.pg_bin.join("psql"));
        psql.args([
            "-XAtqc",
            "SELECT current_user, current_database(), pg_is_in_recovery(), ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
        ]);
        let out = psql.arg(&url).env_clear().env("PGAPPNAME", "airflow-scheduler").output().unwrap();
        assert_eq!(String::from_utf8_lossy(&out.stdout), "airflow|airflow|f|t\n", "{}", text(&out));
    }
    // Nobody comes in without TLS.
    let mut psql = Command::new(estate.tools.pg_bin.join("psql"));
    psql.args(["-XAtqc", "SELECT 1", "-h", &estate.ip(PROXIES[0]), "-p", "5000", "-U", "airflow"]);
    let out = psql.env_clear().env("PGPASSWORD", ODD).env("PGSSLMODE", "disable").output().unwrap();
    assert!(!out.status.success() && text(&out).contains("pg_hba.conf"), "{}", text(&out));
}

#[test]
fn without_tls_it_is_healthy_too() {
    let _alone = ALONE.lock();
    let estate = Estate::new("sc-plain");
    let machines = PROXIES.map(|proxy| format!("{proxy} = {{ address = \"{}\" }}\n", estate.ip(proxy))).concat();
    estate.inventory("watchdog = \"off\"", &machines, "");
    estate.scaffold(&[]);
    start(&estate);
    is_ok(&estate);
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        eprintln!("no systemd-analyze here: the units are not verified");
        return;
    }
    let estate = Estate::new("sc-units");
    let machines =
        format!("vm1 = {{ address = \"{}\", airflow = [\"scheduler\", \"triggerer\", \"webserver\", \"worker\"] }}\n", estate.ip("vm1"));
    estate.inventory("", &machines, "");
    estate.scaffold(&[]);
    for machine in ["psg1", "vm1"] {
        let units: Vec<_> = crate::run::files(&estate.dir.join(machine).join("etc/systemd/system"));
        assert!(units.len() >= 2, "{units:?}");
        let out = Command::new("systemd-analyze").args(["verify", "--man=no", "--recursive-errors=no"]).args(&units).output().unwrap();
        assert!(out.status.success() && out.stderr.is_empty(), "{}", text(&out));
    }
}
