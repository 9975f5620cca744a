//! Airflow on vm1, with a worker on vm4 where there is RabbitMQ, its metadata in the cluster: its configuration, its programs, and tasks to
//! practise with.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::json;

use super::celery;
use crate::lab::files::{self, PRIVATE, PUBLIC};
use crate::lab::layout::{Lab, PROXIES, WRITE};
use crate::lab::secrets::{Owner, Secrets};
use crate::template::airflow::{self, MAX_DB_RETRIES, NAME, connection};

/// The database of the metadata, and its owner.
pub const DATABASE: &str = NAME;
/// The port on which the web server (2.10) or the API server (3.x) answers.
pub const API: u16 = 8080;
/// The port on which the scheduler tells its own health.
pub const HEALTH: u16 = 8974;

/// What the keys of Airflow's programs begin with, behind the node.
pub const PREFIX: &str = "airflow-";

/// The console's user in its API, who may change pools.
pub const CONSOLE: &str = "pgbaton";
/// A user there who may only look.
pub const VIEWER: &str = "viewer";

/// What makes users in 2.10: its own command takes a password among its words only, where everybody could read it.
const USERS: &str = r#"import json
import os

from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

with open(os.path.join(os.environ["AIRFLOW_HOME"], "api-users.json")) as file:
    users = json.load(file)
with get_application_builder() as builder:
    manager = builder.sm
    manager.sync_roles()
    for name, (role, password) in users.items():
        if not manager.add_user(name, name, name, f"{name}@example.org", manager.find_role(role), password):
            raise SystemExit(f"no user {name}")
"#;

/// Tasks of the kinds that a lost database treats differently; each writes START and END to a ledger that is not in the database, as what a task
/// does elsewhere is not. Nothing runs unless it is triggered.
const DAGS: &str = r#""""What a task does elsewhere, for practice: each run writes START and END to a ledger."""
import datetime
import os
import time

from airflow import DAG
try:
    from airflow.providers.standard.operators.python import PythonOperator
except ImportError:
    from airflow.operators.python import PythonOperator

LEDGER = os.environ["PGBATON_LAB_TARGET"]


def work(seconds, ti=None):
    who = f"{ti.dag_id} {ti.task_id} {ti.run_id} {ti.map_index} {ti.try_number}"
    for word, wait in (("START", seconds), ("END", 0)):
        with open(LEDGER, "a") as ledger:
            ledger.write(f"{time.time():.3f} {word} {who}\n")
        time.sleep(wait)


def dag(name, retries, seconds, schedule=None):
    with DAG(name, start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc), schedule=schedule, catchup=False,
             is_paused_upon_creation=schedule is not None, max_active_runs=50) as made:
        PythonOperator(task_id="work", python_callable=work, op_args=[seconds], retries=retries,
                       retry_delay=datetime.timedelta(seconds=15))
    return made


charge = dag("charge", 2, 20)
charge_once = dag("charge_once", 0, 20)
brief = dag("brief", 2, 3)
long = dag("long", 1, 600)
minutely = dag("minutely", 1, 1, "* * * * *")
"#;

/// The folder that Airflow calls its home.
#[must_use]
pub fn home(lab: &Lab) -> PathBuf {
    home_on(lab, PROXIES[0])
}

/// The same on another machine.
fn home_on(lab: &Lab, node: &str) -> PathBuf {
    lab.node_dir(node).join("airflow")
}

/// The folder of its DAGs.
#[must_use]
pub fn dags(lab: &Lab) -> PathBuf {
    home(lab).join("dags")
}

/// The ledger of what the tasks did.
#[must_use]
pub fn target(lab: &Lab) -> PathBuf {
    lab.dir.join("target/ledger")
}

/// Whether it is of the third line.
pub(super) fn is_3(lab: &Lab) -> bool {
    lab.record.options.airflow.as_deref().is_some_and(airflow::is_3)
}

/// The programs on its own machine, by the words behind `airflow`.
pub fn programs(lab: &Lab) -> &'static [&'static str] {
    let options = &lab.record.options;
    match (&options.airflow, is_3(lab)) {
        (None, _) => &[],
        (Some(_), false) if options.airflow_api => &["scheduler", "triggerer", "webserver"],
        (Some(_), false) => &["scheduler", "triggerer"],
        (Some(_), true) => &["api-server", "dag-processor", "scheduler", "triggerer"],
    }
}

/// Its API, where somebody has to say who he is: `http://127.77.1.1:8080`.
#[must_use]
pub fn api(lab: &Lab) -> Option<String> {
    lab.record.options.airflow_api.then(|| format!("http://{}:{API}", lab.ip(PROXIES[0])))
}

/// Its pools there.
#[must_use]
pub fn api_pools(lab: &Lab) -> Option<String> {
    let version = if is_3(lab) { "v2" } else { "v1" };
    api(lab).map(|url| format!("{url}/api/{version}/pools"))
}

/// The file with the console's password there.
#[must_use]
pub fn password(lab: &Lab) -> PathBuf {
    lab.dir.join("airflow-password")
}

/// The file with the password of the user who may only look.
#[must_use]
pub fn viewer_password(lab: &Lab) -> PathBuf {
    lab.dir.join("airflow-viewer-password")
}

/// What makes the users of the API, for Python; `None`: there are none to be made.
///
/// # Errors
/// When the lab has no Airflow.
pub fn make_users(lab: &Lab) -> Result<Option<Vec<String>>> {
    if !lab.record.options.airflow_api || is_3(lab) {
        return Ok(None);
    }
    let venv = lab.record.tools.airflow.as_ref().context("the lab has no Airflow")?;
    Ok(Some([venv.join("bin/python"), home(lab).join("users.py")].map(|word| word.to_string_lossy().into_owned()).to_vec()))
}

/// Writes who may use the API.
fn users(lab: &Lab, secrets: &Secrets) -> Result<()> {
    let (owner, home) = (&lab.record.account, home(lab));
    let (own, viewer) = (secrets.expose(Owner::AirflowApi)?, secrets.expose(Owner::AirflowViewer)?);
    files::write(&password(lab), own, PRIVATE, owner)?;
    files::write(&viewer_password(lab), viewer, PRIVATE, owner)?;
    if is_3(lab) {
        let all = json!({ CONSOLE: own, VIEWER: viewer });
        return files::write(&home.join("api-passwords.json"), &all.to_string(), PRIVATE, owner);
    }
    let all = json!({ CONSOLE: ["Op", own], VIEWER: ["Viewer", viewer] });
    files::write(&home.join("api-users.json"), &all.to_string(), PRIVATE, owner)?;
    files::write(&home.join("users.py"), USERS, PUBLIC, owner)
}

/// Writes Airflow's configuration and its DAGs; it calls its machine as the lab does, whatever this one is called.
///
/// # Errors
/// When a file cannot be written.
pub fn write(lab: &Lab, secrets: &Secrets) -> Result<()> {
    let owner = &lab.record.account;
    make_dags_folder(lab)?;
    files::make_dir(&lab.dir.join("target"), 0o755, owner)?;
    files::write(&dags(lab).join("practice.py"), DAGS, PUBLIC, owner)?;
    // One that is not there would be a target of which nobody knows what it has done.
    files::write(&target(lab), "", PUBLIC, owner)?;
    if lab.record.options.airflow_api {
        users(lab, secrets)?;
    }
    let worker = lab.record.options.celery().then_some(celery::NODE);
    for node in [PROXIES[0]].into_iter().chain(worker) {
        let home = home_on(lab, node);
        files::make_dir(&home, 0o755, owner)?;
        files::make_dir(&home.join("config"), 0o755, owner)?;
        files::write(&home.join("config/lab_host.py"), &format!("def name():\n    return {node:?}\n"), PUBLIC, owner)?;
        files::write(&home.join("airflow.cfg"), &config(lab, secrets, node)?, PRIVATE, owner)?;
    }
    Ok(())
}

/// Makes the folder of the DAGs.
///
/// # Errors
/// When it cannot be made.
pub fn make_dags_folder(lab: &Lab) -> Result<()> {
    [lab.node_dir(PROXIES[0]), home(lab), dags(lab)].iter().try_for_each(|dir| files::make_dir(dir, 0o755, &lab.record.account))
}

/// What its programs on a machine read. A worker is told no more than it needs: how it reaches the metadata, its tasks and the DAGs.
fn config(lab: &Lab, secrets: &Secrets, node: &str) -> Result<String> {
    let ip = lab.ip(node).to_string();
    // As Airflow comes, besides the retries: what a lost database does to it is to be seen here.
    let connection = connection(&ip, WRITE, secrets.of(Owner::Airflow)?, &[("connect_timeout", "5")]);
    let mut out = format!(
        "[core]\nexecutor = {}\nload_examples = False\ndags_folder = {}\nhostname_callable = lab_host.name\nparallelism = 8\ndefault_timezone = utc\n",
        celery::executor(lab),
        dags(lab).display()
    );
    if is_3(lab) {
        writeln!(out, "execution_api_server_url = http://{}:{API}/execution/", lab.ip(PROXIES[0]))?;
    }
    if node == PROXIES[0] {
        out.push_str(&servers(lab, secrets.expose(Owner::Airflow)?, &ip)?);
    }
    write!(
        out,
        "\n[database]\nsql_alchemy_conn = {connection}\nmax_db_retries = {MAX_DB_RETRIES}\n\n[logging]\nbase_log_folder = {}/logs\n",
        home_on(lab, node).display()
    )?;
    out.push_str(&celery::section(lab, secrets, &connection)?);
    Ok(out)
}

/// The rest of `[core]`, and what those of its programs are told that others reach, or that read the DAGs.
fn servers(lab: &Lab, secret: &str, ip: &str) -> Result<String> {
    let (home, with_users) = (home(lab), lab.record.options.airflow_api);
    let mut out = String::new();
    if is_3(lab) {
        match with_users {
            true => writeln!(
                out,
                "simple_auth_manager_users = {CONSOLE}:op,{VIEWER}:viewer\nsimple_auth_manager_passwords_file = {}/api-passwords.json",
                home.display()
            )?,
            false => writeln!(out, "simple_auth_manager_all_admins = True")?,
        }
        write!(
            out,
            "\n[api]\nhost = {ip}\nport = {API}\nworkers = 1\nsecret_key = {secret}\n\n[api_auth]\njwt_secret = {secret}{secret}\n"
        )?;
        out.push_str("\n[dag_processor]\nrefresh_interval = 10\nmin_file_process_interval = 10\n");
    } else if with_users {
        out.push_str("\n[api]\nauth_backends = airflow.providers.fab.auth_manager.api.auth.backend.basic_auth\n");
    }
    let web = match with_users && !is_3(lab) {
        true => format!("web_server_host = {ip}\nweb_server_port = {API}\nworkers = 1\n"),
        false => String::new(),
    };
    write!(
        out,
        "\n[webserver]\nsecret_key = {secret}\n{web}\n[scheduler]\nenable_health_check = True\nscheduler_health_check_server_host = {ip}\n\
         scheduler_health_check_server_port = {HEALTH}\n"
    )?;
    if !is_3(lab) {
        out.push_str("dag_dir_list_interval = 10\nmin_file_process_interval = 10\n");
    }
    Ok(out)
}

/// Where its programs tell of their health: the scheduler, and where there is one the web server or API server.
#[must_use]
pub fn health(lab: &Lab) -> Vec<String> {
    let ip = lab.ip(PROXIES[0]);
    let api = match (is_3(lab), api(lab)) {
        (true, _) => Some(format!("http://{ip}:{API}/api/v2/monitor/health")),
        (false, api) => api.map(|url| format!("{url}/health")),
    };
    std::iter::once(format!("http://{ip}:{HEALTH}/health")).chain(api).collect()
}

/// Airflow's own command with these words.
///
/// # Errors
/// When the lab has none.
pub fn command(lab: &Lab, words: &[&str]) -> Result<Vec<String>> {
    let venv = lab.record.tools.airflow.as_ref().context("the lab has no Airflow")?;
    let program = venv.join("bin/airflow").to_string_lossy().into_owned();
    Ok([program].into_iter().chain(words.iter().map(|word| (*word).to_owned())).collect())
}

/// Airflow's own command as a shell on its node takes it, with the environment that its programs have.
///
/// # Errors
/// When the lab has none.
pub fn shell_command(lab: &Lab) -> Result<String> {
    let environment = env(lab, PROXIES[0], "cli").into_iter().map(|(name, value)| format!("{name}={value}"));
    let words: Vec<String> = std::iter::once("env".to_owned()).chain(environment).chain(command(lab, &[])?).collect();
    shlex::try_join(words.iter().map(String::as_str)).context("a path with a character that no shell takes")
}

/// One of its programs, started again five seconds after it ended: Airflow's exit when the database goes away, and are meant to be kept up so.
///
/// # Errors
/// When the lab has no Airflow.
pub fn argv(lab: &Lab, program: &str) -> Result<Vec<String>> {
    let keep_up = ["sh", "-c", "while :; do \"$@\"; sleep 5; done", "keep-up"].map(str::to_owned);
    let words: &[&str] = if program == celery::PROGRAM { &celery::WORDS } else { &[program] };
    Ok(keep_up.into_iter().chain(command(lab, words)?).collect())
}

/// What a program on a machine finds in its environment.
#[must_use]
pub fn env(lab: &Lab, node: &str, program: &str) -> Vec<(String, String)> {
    let venv = lab.record.tools.airflow.as_ref().map(|venv| format!("{}/bin:", venv.display())).unwrap_or_default();
    [
        ("AIRFLOW_HOME", home_on(lab, node).to_string_lossy().into_owned()),
        ("PGBATON_LAB_TARGET", target(lab).to_string_lossy().into_owned()),
        ("PGAPPNAME", format!("airflow-{program}")),
        ("PATH", format!("{venv}/usr/local/bin:/usr/bin:/bin")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}
