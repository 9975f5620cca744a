//! What kind of practice cluster is asked for.

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

/// The Patroni that is installed when none is named: the newest 4.1 that the lab was run with.
pub const PATRONI_VERSION: &str = "4.1.5";

/// The Airflows that the lab was run with, the newest of the two lines that are in use.
pub const AIRFLOW_VERSIONS: [&str; 2] = ["2.10.5", "3.3.2"];

/// The shape of a lab; fixed when it is started, kept in its record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Nodes with etcd, Patroni and PostgreSQL: `psg1` ... `psgN`, 1 to 9.
    pub members: u8,
    /// etcd and Patroni's REST API with a private CA and client certificates.
    pub tls: bool,
    /// Basic authentication for unsafe REST calls, user and password for etcd.
    pub auth: bool,
    /// Patroni's `synchronous_mode`.
    pub sync: bool,
    /// Patroni's `failsafe_mode`.
    pub failsafe: bool,
    /// Patroni's version as PyPI names it.
    pub patroni: String,
    /// One network namespace per node instead of loopback addresses.
    pub netns: bool,
    /// Patroni's `ttl`, seconds.
    pub ttl: u32,
    /// Patroni's `loop_wait`, seconds.
    pub loop_wait: u32,
    /// Airflow's version as PyPI names it, with its metadata in this cluster; `None`: no Airflow. With RabbitMQ beside it a Celery worker runs its
    /// tasks, without one its scheduler does.
    #[serde(default)]
    pub airflow: Option<String>,
    /// Airflow's API with users and passwords, by which pools are frozen: 2.10's web server takes 250 MB and some seconds.
    #[serde(default)]
    pub airflow_api: bool,
    /// RabbitMQ on three nodes of its own.
    #[serde(default)]
    pub rabbitmq: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            members: 3,
            tls: false,
            auth: false,
            sync: false,
            failsafe: false,
            patroni: PATRONI_VERSION.to_owned(),
            netns: false,
            ttl: 30,
            loop_wait: 10,
            airflow: None,
            airflow_api: false,
            rabbitmq: false,
        }
    }
}

impl Options {
    /// Takes in what is to run beside the cluster: `airflow`, `airflow=2.10`, `airflow=3`, `airflow-api`, `rabbitmq`.
    ///
    /// # Errors
    /// A sentence with what there is.
    pub fn with(&mut self, what: &str) -> Result<()> {
        if what == "rabbitmq" {
            self.rabbitmq = true;
            return Ok(());
        }
        if what == "airflow-api" {
            self.airflow_api = true;
            return Ok(());
        }
        let (name, version) = what.split_once('=').unwrap_or((what, AIRFLOW_VERSIONS[0]));
        let begins = |known: &&&str| known.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let Some(version) = AIRFLOW_VERSIONS.iter().find(begins).filter(|_| name == "airflow") else {
            bail!("--with {what}: there is airflow=2.10, airflow=3, airflow-api and rabbitmq");
        };
        self.airflow = Some((*version).to_owned());
        Ok(())
    }

    /// Whether a Celery worker runs Airflow's tasks.
    #[must_use]
    pub fn celery(&self) -> bool {
        self.airflow.is_some() && self.rabbitmq
    }

    /// Refuses what Patroni would refuse or silently change later.
    ///
    /// # Errors
    /// A sentence that names the option, the value and the limit.
    pub fn check(&self) -> Result<()> {
        if !(1..=9).contains(&self.members) {
            bail!("--members {}: a lab has 1 to 9 members", self.members);
        }
        if self.sync && self.members < 2 {
            bail!("--sync needs at least 2 members: one leads, one confirms");
        }
        if self.airflow_api && self.airflow.is_none() {
            bail!("--with airflow-api: it is Airflow's, and goes with --with airflow=2.10 or airflow=3");
        }
        if self.ttl < 20 {
            bail!("--ttl {}: Patroni's minimum is 20 seconds", self.ttl);
        }
        if self.loop_wait < 1 {
            bail!("--loop-wait 0: Patroni's minimum is 1 second");
        }
        if self.loop_wait.saturating_add(6) > self.ttl {
            bail!(
                "--ttl {} --loop-wait {}: Patroni demands loop_wait + 2 * retry_timeout <= ttl, and retry_timeout is at least 3",
                self.ttl,
                self.loop_wait
            );
        }
        let version_like = !self.patroni.is_empty()
            && self.patroni.starts_with(|c: char| c.is_ascii_digit())
            && self.patroni.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
        if !version_like {
            bail!("--patroni {:?} is not a version such as {PATRONI_VERSION}", self.patroni);
        }
        Ok(())
    }

    /// Patroni's `retry_timeout` in seconds: its default of 10, or as much as ttl and `loop_wait` leave.
    #[must_use]
    pub fn retry_timeout(&self) -> u32 {
        (self.ttl.saturating_sub(self.loop_wait) / 2).clamp(3, 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_timeout_always_satisfies_patronis_rule() {
        for ttl in 20..60 {
            for loop_wait in 1..=(ttl - 6) {
                let o = Options { ttl, loop_wait, ..Options::default() };
                o.check().unwrap();
                assert!(loop_wait + 2 * o.retry_timeout() <= ttl, "ttl {ttl} loop_wait {loop_wait}");
            }
        }
    }

    #[test]
    fn what_patroni_would_refuse_is_refused_here() {
        let refused = |o: Options| o.check().unwrap_err().to_string();
        assert!(refused(Options { members: 0, ..Options::default() }).contains("1 to 9"));
        assert!(refused(Options { ttl: 19, ..Options::default() }).contains("20 seconds"));
        assert!(refused(Options { loop_wait: 25, ..Options::default() }).contains("loop_wait + 2"));
        assert!(refused(Options { sync: true, members: 1, ..Options::default() }).contains("--sync"));
        assert!(refused(Options { airflow_api: true, ..Options::default() }).contains("goes with --with airflow"));
        assert!(refused(Options { patroni: "4.1.5; rm".into(), ..Options::default() }).contains("not a version"));
    }

    #[test]
    fn a_worker_takes_both_in_any_order() {
        let celery = |with: &[&str]| {
            let mut options = Options::default();
            with.iter().for_each(|what| options.with(what).unwrap());
            options.celery()
        };
        assert!(celery(&["airflow=3", "rabbitmq"]) && celery(&["rabbitmq", "airflow"]));
        assert!(!celery(&["airflow"]) && !celery(&["rabbitmq"]) && !celery(&[]));
    }

    #[test]
    fn what_runs_beside_is_named_with_a_line_of_versions() {
        let airflow = |what: &str| {
            let mut options = Options::default();
            options.with(what).map(|()| options.airflow.unwrap()).map_err(|error| error.to_string())
        };
        assert_eq!(airflow("airflow").unwrap(), "2.10.5");
        assert_eq!(airflow("airflow=2.10").unwrap(), "2.10.5");
        assert_eq!(airflow("airflow=3").unwrap(), "3.3.2");
        for bad in ["airflow=2.1", "airflow=4", "rabbit", "rabbitmq=3", ""] {
            assert_eq!(airflow(bad).unwrap_err(), format!("--with {bad}: there is airflow=2.10, airflow=3, airflow-api and rabbitmq"));
        }
    }
}
