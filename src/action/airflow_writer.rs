//! The one client that can change something at Airflow: it cannot be made without a permit, and it sends an order once.
//!
//! Its API is asked, or its own command on its machine over ssh, as the configuration says: they write what they have rules for, and Airflow's
//! log has who it was. Never SQL.

use std::time::Duration;

use tokio::time::timeout;

use super::airflow_api::ApiWriter;
use super::{AirflowOrder, AirflowWay, Reply};
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
    way: Option<AirflowWay>,
    cli: Option<AirflowCli>,
    api: Option<ApiWriter>,
}

impl AirflowWriter {
    /// A client for the Airflow whose metadata lies in the profile's cluster.
    pub fn new(permit: &Permit, profile: &Profile) -> Self {
        let airflow = profile.airflow.as_ref();
        let api = airflow.and_then(|airflow| Some(ApiWriter::new(permit, airflow.api.as_ref()?, &airflow.tls)));
        let cli = airflow.and_then(|airflow| airflow.cli.clone());
        Self { access: WriteAccess::new(permit, &profile.ssh), way: AirflowWay::of(profile), cli, api }
    }

    /// Sends an order, once. Another may have written whom it is for: only who is configured here is told it, and shown who we are.
    pub async fn send(&self, order: &AirflowOrder) -> Reply {
        if self.way.as_ref() != Some(&order.way) {
            return Reply::NotSent(format!("{} is not the way that is configured here for Airflow's pools", order.way));
        }
        if order.pools.is_empty() {
            return Reply::Taken("nothing was to be sent".to_owned());
        }
        match (&order.way, &self.cli, &self.api) {
            (AirflowWay::Cli { .. }, Some(cli), _) => self.by_command(cli, order).await,
            (AirflowWay::Api { .. }, _, Some(api)) => api.send(order).await,
            (way, ..) => Reply::NotSent(format!("{way} is not configured")),
        }
    }

    async fn by_command(&self, cli: &AirflowCli, order: &AirflowOrder) -> Reply {
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
