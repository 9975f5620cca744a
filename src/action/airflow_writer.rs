//! The one client that can change something at Airflow: it cannot be made without a permit, and it sends an order once.
//!
//! Airflow's own command is asked, on its machine over ssh: it writes what it has rules for, and Airflow's log has who it was. Never SQL.

use std::time::Duration;

use tokio::time::timeout;

use super::{AirflowOrder, Reply};
use crate::config::{AirflowCli, Profile};
use crate::model::clean;
use crate::permit::Permit;
use crate::source::ssh::{Unanswered, WriteAccess};

/// How long an answer is waited for: the command takes 3 s of a free processor to begin.
const PATIENCE: Duration = Duration::from_secs(180);
/// The most that is kept of what it says, characters.
const KEPT: usize = 300;

/// Hands a file with the pools to the command, which may run as another user. A line that breaks leaves a piece of JSON, which is none. The words
/// of the configuration are a shell's, so a shell reads them.
const SCRIPT: &str = r#"file=$(mktemp) || exit 125
trap 'rm -f "$file"' EXIT
cat >"$file" && chmod 644 "$file" || exit 125
eval "$1 pools import \"\$file\"" >&2 </dev/null
"#;
/// The script's own word for a file that cannot be made.
const NO_FILE: i32 = 125;
/// A shell's words for a command that cannot be run, and that is not there.
const NO_COMMAND: [i32; 2] = [126, 127];

/// Gives orders to Airflow.
///
/// ```compile_fail,E0061
/// use pgbaton::action::AirflowWriter;
/// fn without(profile: &pgbaton::config::Profile) {
///     let _ = AirflowWriter::new(profile);
/// }
/// ```
///
/// ```
/// use pgbaton::action::AirflowWriter;
/// use pgbaton::permit::Permit;
/// fn with(permit: &Permit, profile: &pgbaton::config::Profile) {
///     let _ = AirflowWriter::new(permit, profile);
/// }
/// ```
#[derive(Debug, Clone)]
pub struct AirflowWriter {
    access: WriteAccess,
    cli: Option<AirflowCli>,
}

impl AirflowWriter {
    /// A client for the Airflow whose metadata lies in the profile's cluster.
    pub fn new(permit: &Permit, profile: &Profile) -> Self {
        let cli = profile.airflow.as_ref().and_then(|airflow| airflow.cli.clone());
        Self { access: WriteAccess::new(permit, &profile.ssh), cli }
    }

    /// Sends an order, once.
    pub async fn send(&self, order: &AirflowOrder) -> Reply {
        let Some(cli) = self.cli.as_ref().filter(|cli| cli.host == order.host) else {
            return Reply::NotSent(format!("no cli_host {} of Airflow is configured", order.host));
        };
        if order.pools.is_empty() {
            return Reply::Taken("nothing was to be sent".to_owned());
        }
        let host = &cli.host;
        let words = ["sh", "-c", SCRIPT, "pgbaton", cli.command.as_str()].map(str::to_owned);
        match timeout(PATIENCE, self.access.run(host, &words, &order.document())).await {
            Ok(Ok((0, _))) => Reply::Taken(format!("Airflow's command at {host} took it")),
            Ok(Ok((NO_FILE, said))) => Reply::Refused(format!("{host} makes no file for Airflow's command: {}", cut(&said))),
            Ok(Ok((code, said))) if NO_COMMAND.contains(&code) => {
                Reply::Refused(format!("{host} does not run Airflow's command: {}", cut(&said)))
            }
            Ok(Ok((code, said))) => Reply::Failed(format!("Airflow's command at {host} ended with {code}: {}", cut(&said))),
            Ok(Err(Unanswered::NotStarted(error))) => Reply::NotSent(error.told()),
            Ok(Err(Unanswered::Lost(why))) => Reply::Lost(why),
            Err(_) => Reply::Lost(format!("nothing from {host} within {} s", PATIENCE.as_secs())),
        }
    }
}

fn cut(said: &str) -> String {
    clean(said).chars().take(KEPT).collect()
}
