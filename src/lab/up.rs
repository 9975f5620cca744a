//! Starting a lab, step by step; each step ends when its result was seen, not after a time.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio_postgres::Client;

use super::account::Account;
use super::address::{self, Claim};
use super::airflow;
use super::conf::{self, LEDGER};
use super::down;
use super::etcd_auth;
use super::files;
use super::health::{self, Fact};
use super::http::Http;
use super::layout::{DATABASE, Lab, PROXIES, RABBITS};
use super::ledger;
use super::netns;
use super::options::Options;
use super::place::{DirLock, Place};
use super::process;
use super::rabbitmq;
use super::record::{Phase, Record, SCHEMA, Tools};
use super::secrets::{Owner, Secrets};
use super::sql::{self, User};
use super::steps::Steps;
use super::wait::{self, NotYet};
use crate::template::roles;

/// Time between two looks at something that is being waited for.
const EVERY: Duration = Duration::from_millis(150);

/// Starts a lab, or finds it running already with the same options.
///
/// # Errors
/// When another pgbaton works on it, it runs with other options, or a step does not come to its end. What was started stays
/// for inspection; `down` and the next `up` clear it.
pub async fn up(place: &Place, options: &Options, tools: Tools, account: &Account, steps: &mut Steps) -> Result<Lab> {
    let dir = place.dir();
    files::make_dir(&dir, 0o755, account)?;
    let Some(_lock) = DirLock::try_take(&dir)? else { bail!("another pgbaton works on the lab `{}`", place.name) };
    if let Ok(lab) = Lab::open(&dir) {
        if lab.record.phase == Phase::Up {
            return already_up(place, lab, options).await;
        }
        steps.begin("clearing what an earlier run left");
        let ended = down::clear(&dir).await?;
        steps.done(&format!("{ended} processes ended"));
        // The folder and its lock are gone together: begin again with new ones.
        return Box::pin(up(place, options, tools, account, steps)).await;
    }

    let result = start(place, options, tools, account, steps).await;
    if let Err(e) = &result {
        steps.failed(format!("{e:#}").lines().next().unwrap_or_default());
    }
    result.with_context(|| format!("the lab did not start; its logs are below {}, `{}` clears it", dir.display(), place.command("down")))
}

async fn already_up(place: &Place, lab: Lab, options: &Options) -> Result<Lab> {
    if lab.record.options != *options {
        bail!("the lab `{}` runs with other options; end it first with `{}`", place.name, place.command("down"));
    }
    let silent: Vec<String> = conf::keys(&lab).into_iter().filter(|k| process::running(&lab, k).is_none()).collect();
    if !silent.is_empty() {
        bail!(
            "the lab `{}` was started, but {} of its programs do not run (a fault, or the machine was restarted)\n\
             hint: `{}` starts them again, `{}` ends the lab",
            place.name,
            silent.len(),
            place.command("heal"),
            place.command("down")
        );
    }
    let facts = health::facts(&lab, &lab.secrets()?, &Http::new(&lab)?).await;
    if let Some(bad) = facts.iter().find(|f| !f.ok) {
        bail!("the lab `{}` runs, but is not healthy: {}: {}\nhint: `{}`", place.name, bad.name, bad.detail, place.command("heal"));
    }
    Ok(lab)
}

async fn start(place: &Place, options: &Options, tools: Tools, account: &Account, steps: &mut Steps) -> Result<Lab> {
    let dir = place.dir();
    steps.begin("addresses, keys, configuration");
    // Held until everything listens: another lab that starts meanwhile looks elsewhere.
    let claim = claim(place, options)?;
    let record = Record {
        schema: SCHEMA,
        name: place.name.clone(),
        created: jiff::Timestamp::now().to_string(),
        phase: Phase::Starting,
        options: options.clone(),
        block: claim.block,
        account: account.clone(),
        tools,
        dags_mounted: false,
    };
    record.save(&dir)?;
    let mut lab = Lab { dir: dir.clone(), record };
    if options.airflow.is_some() {
        // Where that is not allowed it is a folder as others are, and there is no disk that could hang.
        lab.record.dags_mounted = airflow::mount_dags(&lab).is_ok();
        lab.record.save(&dir)?;
    }
    let secrets = Secrets::generate()?;
    secrets.save(&dir, account)?;
    conf::write_all(&lab, &secrets)?;
    if options.netns {
        netns::make(&lab)?;
    }
    let http = Http::new(&lab)?;
    steps.done(&format!("{}/24", claim.block));

    steps.begin(&format!("etcd on {}", lab.members().join(", ")));
    start_all(&lab, "etcd")?;
    wait_for(&lab, steps, 30, async || fact(health::etcd(&lab, &http).await)).await?;
    steps.done(&format!("{} members, quorum", options.members));
    if options.auth {
        steps.begin("etcd's users");
        etcd_auth::enable(&lab, &secrets, &http).await?;
        steps.done("authentication is on");
    }

    steps.begin("Patroni and PostgreSQL");
    start_all(&lab, "patroni")?;
    start_all(&lab, "sshd")?;
    let leader = wait_for(&lab, steps, 90, async || {
        let members = health::members(&lab, &http).await;
        health::leader(&members).ok_or_else(|| "no leader yet".to_owned())
    })
    .await?;
    steps.done(&format!("{leader} leads"));

    steps.begin("users and the application's database");
    make_database(&lab, &secrets, &leader).await?;
    steps.done("");

    steps.begin("replicas");
    wait_for(&lab, steps, 90, async || {
        let members = health::members(&lab, &http).await;
        fact(health::replicas(&lab, &members))
    })
    .await?;
    steps.done(&format!("{} streaming", options.members - 1));

    steps.begin("HAProxy on vm1 and vm4, ledger");
    start_all(&lab, "haproxy")?;
    wait_for(&lab, steps, 30, async || {
        let bad = health::paths(&lab, &secrets, &http).await.into_iter().find(|f| !f.ok);
        bad.map_or(Ok(()), fact)
    })
    .await?;
    if options.rabbitmq {
        steps.begin(&format!("RabbitMQ on {}", RABBITS.join(", ")));
        start_all(&lab, "epmd")?;
        // Who does not find it starts one of its own.
        wait_for(&lab, steps, 10, async || fact(rabbitmq::directory(&lab).await)).await?;
        start_all(&lab, "rabbitmq")?;
        wait_for(&lab, steps, 90, async || fact(rabbitmq::health(&lab, &secrets, &http).await)).await?;
        rabbitmq::make(&lab, &secrets, &http).await?;
        steps.done("3 nodes together");
    }
    if let Some(version) = &lab.record.options.airflow {
        steps.begin(&format!("Airflow {version} on {}", PROXIES[0]));
        airflow::make(&lab, &secrets, &leader).await?;
        for key in conf::keys_of(&lab, PROXIES[0]).iter().filter(|key| key.contains(conf::airflow::PREFIX)) {
            process::start(&lab, &conf::spec(&lab, key)?)?;
        }
        wait_for(&lab, steps, 90, async || fact(airflow::health(&lab, &leader).await)).await?;
        if let Some(pools) = conf::airflow::api_pools(&lab) {
            wait_for(&lab, steps, 120, async || fact(airflow::api_health(&http, &pools).await)).await?;
        }
        steps.done("its programs have heartbeats");
    }
    if let Some(key) = conf::celery::key(&lab) {
        steps.begin(&format!("Celery worker on {}", conf::celery::NODE));
        process::start(&lab, &conf::spec(&lab, &key)?)?;
        wait_for(&lab, steps, 90, async || fact(rabbitmq::consumed(&lab, &secrets, &http).await)).await?;
        steps.done("it takes from the queue");
    }

    // Only now, so that a ledger begins without failures.
    process::start(&lab, &conf::spec(&lab, LEDGER)?)?;
    wait_healthy(&lab, &secrets, &http, steps, 60).await?;
    lab.record.phase = Phase::Up;
    lab.record.save(&dir)?;
    steps.done("writes arrive");
    Ok(lab)
}

/// Waits until every fact is as it should be.
///
/// # Errors
/// After `seconds`, with the facts that are not; at once when a program of the lab ended.
pub async fn wait_healthy(lab: &Lab, secrets: &Secrets, http: &Http, steps: &Steps, seconds: u64) -> Result<Vec<Fact>> {
    wait_for(lab, steps, seconds, async || {
        let facts = health::facts(lab, secrets, http).await;
        let bad: Vec<String> = facts.iter().filter(|f| !f.ok).map(|f| format!("{}: {}", f.name, f.detail)).collect();
        if bad.is_empty() { Ok(facts) } else { Err(bad.join("; ")) }
    })
    .await
}

fn fact(fact: Fact) -> Result<(), String> {
    if fact.ok { Ok(()) } else { Err(format!("{}: {}", fact.name, fact.detail)) }
}

/// Waits for a condition, and gives up at once when a program that was started has ended.
async fn wait_for<T>(lab: &Lab, steps: &Steps, seconds: u64, mut probe: impl AsyncFnMut() -> Result<T, String>) -> Result<T> {
    wait::until(Duration::from_secs(seconds), EVERY, async || {
        let reason = match probe().await {
            Ok(value) => return Ok(value),
            Err(reason) => reason,
        };
        if let Some(dead) = process::started(&lab.dir).into_iter().find(|s| !s.is_alive()) {
            let log = conf::spec(lab, &dead.key).map(|s| s.log).unwrap_or_default();
            return Err(NotYet::Never(format!("{} ended; the end of {}:\n{}", dead.key, log.display(), files::tail(&log, 12))));
        }
        steps.note(&reason);
        Err(NotYet::Reason(reason))
    })
    .await
}

fn claim(place: &Place, options: &Options) -> Result<Claim> {
    let seed = address::hash(&place.dir().to_string_lossy());
    if options.netns {
        netns::check()?;
        return address::claim(netns::blocks(seed), netns::is_free);
    }
    address::claim(address::loopback_blocks(seed), address::ports_free)
}

/// Starts one program on every node that has it.
fn start_all(lab: &Lab, program: &str) -> Result<()> {
    let suffix = format!("/{program}");
    for key in conf::keys(lab).into_iter().filter(|k| k.ends_with(&suffix)) {
        process::start(lab, &conf::spec(lab, &key)?)?;
    }
    Ok(())
}

/// Makes the console's user, the application's user and database, and the ledger's table.
async fn make_database(lab: &Lab, secrets: &Secrets, leader: &str) -> Result<()> {
    let admin = sql::member(lab, leader, User::Superuser).await?;
    let run = async |client: &Client, statement: &str| client.batch_execute(statement).await.map_err(sql::plain);
    run(&admin, &roles::console(secrets.of(Owner::Console)?)).await?;
    run(&admin, &roles::operator(secrets.of(Owner::Operator)?)).await?;
    run(&admin, &roles::login("app", "", secrets.of(Owner::App)?)).await?;
    run(&admin, &format!("CREATE DATABASE {DATABASE} OWNER app")).await?;
    let app = sql::member(lab, leader, User::App).await?;
    run(&app, ledger::client::TABLE).await
}

/// What `up` says at its end.
#[must_use]
pub fn summary(place: &Place, lab: &Lab) -> String {
    let name = &place.name;
    let nodes: Vec<String> = lab.nodes().iter().map(|n| format!("{n} {}", lab.ip(n))).collect();
    format!(
        "The lab `{name}` is up: {}\n  writes {}:5000   reads {}:5001   files {}\n  eval \"$({})\"\n  {}   {}",
        nodes.join("  "),
        lab.ip(PROXIES[0]),
        lab.ip(PROXIES[0]),
        lab.dir.display(),
        place.command("env"),
        place.command("fault"),
        place.command("down")
    )
}

/// Whether a lab's folder is there at all.
#[must_use]
pub fn exists(place: &Place) -> bool {
    fs::metadata(place.dir()).is_ok_and(|m| m.is_dir())
}
