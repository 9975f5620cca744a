//! How Airflow reaches its metadata, and the settings that decide what a lost database does to it.

use std::fmt::Write;

use secrecy::{ExposeSecret, SecretString};

use super::comment;

/// Airflow's user and its database have this name.
pub const NAME: &str = "airflow";

/// How often Airflow tries again what the database refused: about 30 s of a database that is away.
pub const MAX_DB_RETRIES: u32 = 30;

/// What libpq is told in the connection, in this order.
pub const OPTIONS: [(&str, &str); 5] = [
    ("connect_timeout", "5"),
    ("target_session_attrs", "read-write"),
    ("keepalives_idle", "30"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "3"),
];

/// A connection as `SQLAlchemy` takes it. Every sign of the password that means something in a URL, in Airflow (`$`) or in a file for systemd is
/// written by its number.
#[must_use]
pub fn connection(host: &str, port: u16, password: &SecretString, options: &[(&str, &str)]) -> String {
    let mut word = String::new();
    for byte in password.expose_secret().bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            word.push(char::from(byte));
        } else {
            let _ = write!(word, "%{byte:02X}");
        }
    }
    let options: Vec<String> = options.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("postgresql+psycopg2://{NAME}:{word}@{host}:{port}/{NAME}?{}", options.join("&"))
}

/// The programs of a line of Airflow, by the words behind `airflow`.
#[must_use]
pub fn programs(version: &str) -> &'static [&'static str] {
    if is_3(version) {
        &["api-server", "dag-processor", "scheduler", "triggerer", "worker"]
    } else {
        &["dag-processor", "scheduler", "triggerer", "webserver", "worker"]
    }
}

/// Whether it is of the third line.
#[must_use]
pub fn is_3(version: &str) -> bool {
    version == "3" || version.starts_with("3.")
}

/// The words behind `airflow` that start a program.
#[must_use]
pub fn words(program: &str) -> String {
    if program == "worker" { "celery worker".to_owned() } else { program.to_owned() }
}

/// The environment of all of Airflow's programs on one machine.
#[derive(Debug)]
pub struct Environment<'a> {
    /// Airflow's version.
    pub version: &'a str,
    /// The machine's name.
    pub machine: &'a str,
    /// Where its HAProxy listens.
    pub address: &'a str,
    /// HAProxy's port to the leader.
    pub port: u16,
    /// The password of its user in PostgreSQL.
    pub password: &'a SecretString,
    /// The CA that signed PostgreSQL's certificates.
    pub ca: Option<&'a str>,
    /// Where its files are.
    pub home: &'a str,
}

impl Environment<'_> {
    /// The file.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = comment(
            "",
            &format!(
                "Airflow on {}: read by every airflow-*.service there. What is here wins over airflow.cfg.\n\
                 A task that ends while the database is away is not written down as done, and runs again. No setting prevents that in 2.10: for planned \
                 work freeze the pools first (`pgbaton freeze`), and see `pgbaton quiet`.",
                self.machine
            ),
        );
        let mut set = |why: &str, name: &str, value: &str| {
            if !why.is_empty() {
                let _ = write!(out, "\n{}", comment("", why));
            }
            let _ = writeln!(out, "{name}=\"{value}\"");
        };
        set("", "AIRFLOW_HOME", self.home);
        let mut options = OPTIONS.to_vec();
        if let Some(ca) = self.ca {
            options.extend([("sslmode", "verify-ca"), ("sslrootcert", ca)]);
        }
        set(
            "By the HAProxy of this machine, which leads to whoever leads.\n\
             target_session_attrs: a session that lands on an old leader is refused and tried again; read-only, it ends the scheduler (an error of \
             another kind than a lost connection, which Airflow does not catch).\n\
             keepalives: a frozen leader is noticed after 30 + 3 * 5 s, not after the system's two hours.",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
            &connection(self.address, self.port, self.password, &options),
        );
        set(
            "3 by default, which covers 1.5 s: the scheduler then ends with every switchover. 30 cover half a minute.",
            "AIRFLOW__DATABASE__MAX_DB_RETRIES",
            &MAX_DB_RETRIES.to_string(),
        );
        set(
            "A connection of the pool is tried before it is used. Heals those that were idle, not one in the middle of a transaction.",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_POOL_PRE_PING",
            "True",
        );
        set(
            "The scheduler tells of itself at once on this port; /health of the web server tells of it up to 30 s late.",
            "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK",
            "True",
        );
        set("", "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST", self.address);
        set("", "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_PORT", "8974");
        set(
            "A task whose worker died goes to another. Airflow's own records keep it from running twice.",
            "AIRFLOW__CELERY__TASK_ACKS_LATE",
            "True",
        );
        if is_3(self.version) {
            set(
                "Tasks talk to the api-server. With 15 retries an outage of 30 s ran none twice; with 5, the default, it did.",
                "AIRFLOW__WORKERS__EXECUTION_API_RETRIES",
                "15",
            );
            set("", "AIRFLOW__WORKERS__MAX_FAILED_HEARTBEATS", "30");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sign_of_a_password_means_something_else_on_the_way() {
        let url = connection("10.0.0.1", 5000, &"a@b:c/d$e%\"é".into(), &[("connect_timeout", "5")]);
        assert_eq!(url, "postgresql+psycopg2://airflow:a%40b%3Ac%2Fd%24e%25%22%C3%A9@10.0.0.1:5000/airflow?connect_timeout=5");
    }
}
