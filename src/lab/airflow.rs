//! Making Airflow's database, and seeing that its programs are at work.

use std::process::Command;

use anyhow::{Context, Result, bail};

use super::conf::{self, airflow as conf_airflow};
use super::health::Fact;
use super::http::Http;
use super::layout::{Lab, PROXIES};
use super::mounts;
use super::process::{self, Spec};
use super::secrets::{Owner, Secrets};
use super::sql::{self, User};
use crate::template::roles;

/// Makes its user and database, and the tables by Airflow's own command, through the HAProxy.
///
/// # Errors
/// What PostgreSQL or Airflow said.
pub async fn make(lab: &Lab, secrets: &Secrets, leader: &str) -> Result<()> {
    let name = conf_airflow::DATABASE;
    let admin = sql::member(lab, leader, User::Superuser).await?;
    admin.batch_execute(&roles::login(name, "", secrets.of(Owner::Airflow)?)).await.map_err(sql::plain)?;
    admin.batch_execute(&format!("CREATE DATABASE {name} OWNER {name}")).await.map_err(sql::plain)?;
    tokio::task::spawn_blocking({
        let lab = lab.clone();
        move || run(&lab, &["db", "migrate"])
    })
    .await??;
    if let Some(argv) = conf_airflow::make_users(lab)? {
        let lab = lab.clone();
        tokio::task::spawn_blocking(move || run_words(&lab, argv)).await??;
    }
    let owner = sql::member(lab, leader, User::AirflowAdmin).await?;
    owner.batch_execute(&grants(lab)?).await.map_err(sql::plain)
}

/// Airflow's own command with these words, as its programs run; what it wrote to its standard output.
///
/// # Errors
/// The lab has no Airflow, or the command fails.
pub fn run(lab: &Lab, words: &[&str]) -> Result<String> {
    run_words(lab, conf_airflow::command(lab, words)?)
}

/// These words, as its programs run.
fn run_words(lab: &Lab, argv: Vec<String>) -> Result<String> {
    let spec = conf::spec(lab, &format!("{}/{}scheduler", PROXIES[0], conf_airflow::PREFIX))?;
    process::run(lab, &Spec { argv, ..spec })
}

/// What the console's user needs there, as this very program prints it.
fn grants(lab: &Lab) -> Result<String> {
    let exe = std::env::current_exe().context("cannot find this program's own file")?;
    let out = Command::new(exe).arg("-c").arg(lab.pgbaton_toml()).args(["airflow", "grants"]).output()?;
    if !out.status.success() {
        bail!("`pgbaton airflow grants` failed: {}", String::from_utf8_lossy(&out.stderr));
    }
    Ok(String::from_utf8(out.stdout)?)
}

/// Makes the folder of the DAGs a mount of its own, as it is one on the machines of an estate.
///
/// # Errors
/// When that is not allowed here.
pub fn mount_dags(lab: &Lab) -> Result<()> {
    let folder = conf_airflow::dags(lab);
    conf_airflow::make_dags_folder(lab)?;
    if mounts::below(&folder).is_empty() { mounts::bind(&folder, &folder) } else { Ok(()) }
}

/// Whether each of its programs has told in its own database within the last 15 s that it lives, and every DAG file can be imported.
pub async fn health(lab: &Lab, leader: &str) -> Fact {
    let wanted = conf_airflow::programs(lab).iter().filter(|program| !matches!(**program, "api-server" | "webserver")).count();
    let state = "SELECT (SELECT count(DISTINCT job_type) FROM job WHERE job_type IN ('SchedulerJob', 'TriggererJob', 'DagProcessorJob')
                 AND latest_heartbeat > clock_timestamp() - interval '15 seconds'), (SELECT count(*) FROM import_error)";
    let told = async {
        let client = sql::member(lab, leader, User::AirflowAdmin).await?;
        client.query_one(state, &[]).await.map_err(sql::plain).map(|row| (row.get::<_, i64>(0), row.get::<_, i64>(1)))
    };
    let (ok, detail) = match told.await {
        Ok((beating, broken)) => {
            let broken_too = if broken > 0 { format!(", DAG files that cannot be imported: {broken}") } else { String::new() };
            let ok = broken == 0 && usize::try_from(beating).is_ok_and(|n| n >= wanted);
            (ok, format!("{beating} of {wanted} programs have a heartbeat{broken_too}"))
        }
        Err(error) => (false, format!("{error:#}")),
    };
    Fact { name: "airflow".into(), ok, detail }
}

/// Whether its API answers, which the console gives its orders to: one that works refuses a stranger.
pub async fn api_health(http: &Http, pools: &str) -> Fact {
    let (ok, detail) = match http.get(pools).await {
        Ok(answer) => (answer.status == 401, format!("a stranger is answered {}", answer.status)),
        Err(error) => (false, format!("{error:#}")),
    };
    Fact { name: "airflow api".into(), ok, detail }
}
