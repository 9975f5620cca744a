//! SQL sessions to the lab's members and through its HAProxies.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::{Client, Config, NoTls};

use super::conf::airflow;
use super::layout::{DATABASE, Lab, POSTGRES, WRITE};
use super::secrets::{Owner, Secrets};

/// Who logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    /// `postgres` in the database `postgres`.
    Superuser,
    /// `app` in its own database.
    App,
    /// `postgres` in the database of Airflow's metadata.
    AirflowAdmin,
}

fn config(secrets: &Secrets, user: User, ip: Ipv4Addr, port: u16) -> Result<Config> {
    let mut config = Config::new();
    match user {
        User::Superuser => config.user("postgres").dbname("postgres").password(secrets.expose(Owner::Superuser)?),
        User::AirflowAdmin => config.user("postgres").dbname(airflow::DATABASE).password(secrets.expose(Owner::Superuser)?),
        User::App => config.user("app").dbname(DATABASE).password(secrets.expose(Owner::App)?),
    };
    config.host(ip.to_string()).port(port).connect_timeout(Duration::from_secs(2)).application_name("pgbaton-lab");
    Ok(config)
}

/// A session with one member's PostgreSQL.
///
/// # Errors
/// When it refuses, or does not answer within three seconds.
pub async fn member(lab: &Lab, member: &str, user: User) -> Result<Client> {
    connect(&config(&lab.secrets()?, user, lab.ip(member), POSTGRES)?)
        .await
        .with_context(|| format!("cannot open an SQL session with {member}"))
}

/// A session through a HAProxy's write port that must end at a server which takes writes.
///
/// # Errors
/// When there is none, or it does not answer within three seconds.
pub async fn through(lab: &Lab, secrets: &Secrets, proxy: &str, user: User) -> Result<Client> {
    let mut config = config(secrets, user, lab.ip(proxy), WRITE)?;
    config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    connect(&config).await
}

async fn connect(config: &Config) -> Result<Client> {
    let limit = Duration::from_secs(3);
    let (client, connection) = tokio::time::timeout(limit, config.connect(NoTls)).await.context("no answer within 3 s")?.map_err(plain)?;
    // Ends when the client is dropped or the server goes; its error reaches the caller through the client's own calls.
    tokio::spawn(connection);
    Ok(client)
}

/// The server's own words, which `Display` of the crate's error leaves to its source.
#[must_use]
pub fn plain(e: tokio_postgres::Error) -> anyhow::Error {
    if let Some(db) = e.as_db_error() {
        return anyhow::anyhow!("{}: {}", db.severity(), db.message());
    }
    let mut text = e.to_string();
    let mut source = std::error::Error::source(&e);
    while let Some(s) = source {
        text = format!("{text}: {s}");
        source = s.source();
    }
    anyhow::anyhow!(text)
}
