//! Every file of a lab and every command line, word for word, so that a change of a template is seen before it is made.
//! `INSTA_UPDATE=always cargo test --test scaffold the_lab` writes them anew, to be read before a commit.

use std::fmt::Write;
use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use pgbaton::lab::account::Account;
use pgbaton::lab::options::Options;
use pgbaton::lab::record::{Phase, Record, SCHEMA, Tools};
use pgbaton::lab::secrets::{FILE, Secrets};
use pgbaton::lab::{Lab, conf};

fn lab(dir: &Path, options: Options) -> Lab {
    let program = |name: &str| PathBuf::from("/opt").join(name);
    let tools = Tools {
        pg_bin: program("postgresql/bin"),
        etcd: program("etcd"),
        haproxy: program("haproxy"),
        sshd: program("sshd"),
        ssh_keygen: PathBuf::from("ssh-keygen"),
        venv: program("patroni"),
        airflow: options.airflow.is_some().then(|| program("airflow")),
        rabbitmq: options.rabbitmq.then(|| program("rabbitmq")),
    };
    let options_airflow = options.airflow.is_some();
    let record = Record {
        schema: SCHEMA,
        name: "lab".into(),
        created: "2026-01-01T00:00:00Z".into(),
        phase: Phase::Starting,
        options,
        block: Ipv4Addr::new(127, 77, 3, 0),
        account: Account { name: "me".into(), uid: 0, gid: 0, switch: false },
        tools,
        dags_mounted: options_airflow,
    };
    Lab { dir: dir.to_owned(), record }
}

/// What is made anew in every lab.
fn is_random(path: &Path) -> bool {
    let folder = path.parent().and_then(Path::file_name);
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    folder.is_some_and(|f| f == "tls") || ["known_hosts", "authorized_keys"].contains(&name.as_str()) || name.contains("_key")
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// All of it as one text, in which the lab's folder is `DIR`.
fn told(options: Options) -> String {
    let dir = tempfile::tempdir().unwrap();
    let lab = lab(dir.path(), options);
    let owners = ["superuser", "replicator", "rewind", "console", "operator", "app", "airflow", "rest"];
    let others = ["etcd-root", "etcd-patroni", "etcd-console", "rabbitmq", "rabbitmq-app", "erlang-cookie"];
    let passwords = owners.iter().chain(&others).map(|owner| (*owner, format!("PW-{owner}")));
    let passwords: serde_json::Map<String, serde_json::Value> = passwords.map(|(owner, word)| (owner.into(), word.into())).collect();
    fs::write(dir.path().join(FILE), serde_json::Value::Object(passwords).to_string()).unwrap();
    conf::write_all(&lab, &Secrets::load(dir.path()).unwrap()).unwrap();
    let mut out = String::new();
    for key in conf::keys(&lab) {
        let spec = conf::spec(&lab, &key).unwrap();
        // The ledger's client is the program under test, wherever it was built.
        let argv = if key == conf::LEDGER { &spec.argv[1..] } else { &spec.argv[..] };
        writeln!(out, "$ {key}\n{}\n{:?}", argv.join(" "), spec.env).unwrap();
    }
    for file in files(dir.path()) {
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        let text = if is_random(&file) { String::new() } else { fs::read_to_string(&file).unwrap() };
        writeln!(out, "=== {mode:o} {}\n{text}", file.display()).unwrap();
    }
    out.replace(&dir.path().display().to_string(), "DIR")
}

#[test]
fn the_lab_writes_these_files() {
    insta::assert_snapshot!("lab_plain", told(Options::default()));
    let all = Options { tls: true, auth: true, sync: true, failsafe: true, airflow: Some("3.3.2".into()), ..Options::default() };
    insta::assert_snapshot!("lab_everything", told(all));
    insta::assert_snapshot!("lab_airflow_2", told(Options { airflow: Some("2.10.5".into()), members: 1, ..Options::default() }));
    let celery = Options { airflow: Some("3.3.2".into()), rabbitmq: true, members: 1, ..Options::default() };
    insta::assert_snapshot!("lab_celery", told(celery));
}
