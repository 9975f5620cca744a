//! Airflow, as the configuration describes it: where its metadata lies, and by whom its pools are changed.

use secrecy::SecretString;

use super::diagnostic::Diagnostic;
use super::draft::{LoginDraft, Secret, TlsDraft};
use super::env::Env;
use super::fact::Facts;
use super::login::look_up;
use super::origin::{Origin, Setting};
use super::profile::TlsProfile;
use super::resolve::tls;
use crate::permit::Permit;

/// Where Airflow's metadata lies. It is read with the user of [`PostgresProfile`](super::PostgresProfile).
#[derive(Debug, Clone)]
pub struct AirflowProfile {
    /// The database.
    pub database: String,
    /// The schema in it.
    pub schema: String,
    /// Airflow's own command.
    pub cli: Option<AirflowCli>,
    /// Airflow's REST API.
    pub api: Option<AirflowApi>,
    /// Which of the two changes pools; `None`: there is neither, and they are not changed.
    pub pools_by: Option<PoolsBy>,
    /// Its health endpoints.
    pub health: Vec<AirflowHealthEndpoint>,
    /// Certificates, for the API and the health endpoints.
    pub tls: TlsProfile,
}

/// By whom pools are changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum PoolsBy {
    /// By Airflow's REST API.
    Api,
    /// By Airflow's own command, on its machine over ssh.
    Cli,
}

/// Where a program of Airflow's tells of its health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AirflowHealthEndpoint {
    /// What it is called: `10.0.0.1:8974`.
    pub name: String,
    /// Its URL.
    pub url: String,
}

/// Where Airflow's own command is run to change something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AirflowCli {
    /// The machine, as nodes are named for ssh.
    pub host: String,
    /// The command, as a shell there takes it: `sudo -u airflow airflow`.
    pub command: String,
}

/// Airflow's REST API: of the web server (2.10) or the API server (3). Where the secret is by which it knows us, only who holds a permit gets to
/// know:
///
/// ```compile_fail,E0061
/// fn without(api: &pgbaton::config::AirflowApi) {
///     let _ = api.credential();
/// }
/// ```
///
/// ```compile_fail,E0616
/// fn around(api: &pgbaton::config::AirflowApi) {
///     let _ = &api.who;
/// }
/// ```
///
/// ```
/// fn with(api: &pgbaton::config::AirflowApi, permit: &pgbaton::permit::Permit) {
///     let _ = api.credential(permit);
/// }
/// ```
#[derive(Debug, Clone)]
pub struct AirflowApi {
    /// Scheme, host and port, and what a proxy puts before `/api`; no slash at the end.
    pub url: String,
    who: Who,
}

#[derive(Debug, Clone)]
enum Who {
    Token(Setting<Secret>),
    Login(String, Setting<Secret>),
}

impl AirflowApi {
    /// The user; `None`: a token says who we are.
    pub fn user(&self) -> Option<&str> {
        match &self.who {
            Who::Token(_) => None,
            Who::Login(user, _) => Some(user),
        }
    }

    /// What it knows us by. Nothing is read yet.
    pub fn credential(&self, _: &Permit) -> ApiCredential {
        ApiCredential(self.who.clone())
    }
}

/// Where the secret is by which Airflow's API knows us. It is read for each order anew, as a token can be over and be replaced by another.
#[derive(Debug, Clone)]
pub struct ApiCredential(Who);

/// What Airflow's API knows us by.
#[derive(Debug, Clone)]
pub enum ApiSecret {
    /// A token.
    Token(SecretString),
    /// User and password.
    Login(String, SecretString),
}

impl ApiCredential {
    /// Reads it from where it is.
    ///
    /// # Errors
    /// It is not there; the error says where it was looked for.
    pub fn read(&self) -> Result<ApiSecret, Diagnostic> {
        let env = Env::of_process();
        match &self.0 {
            Who::Token(token) => look_up(token, "airflow.token", &env).map(ApiSecret::Token),
            Who::Login(user, password) => {
                look_up(password, "airflow.password", &env).map(|password| ApiSecret::Login(user.clone(), password))
            }
        }
    }
}

/// Airflow, as it is written.
#[derive(Debug, Clone)]
pub(crate) struct AirflowDraft {
    pub database: Option<Setting<String>>,
    pub schema: Option<Setting<String>>,
    pub cli_host: Option<Setting<String>>,
    pub cli: Option<Setting<String>>,
    pub api: Option<Setting<String>>,
    pub token: Option<Setting<Secret>>,
    pub login: LoginDraft,
    pub pools_by: Option<Setting<PoolsBy>>,
    /// Health endpoints: host and port, and the whole URL.
    pub health: Vec<Setting<(String, String)>>,
    pub tls: TlsDraft,
}

impl AirflowDraft {
    pub(super) fn resolve(self, facts: &mut Facts) -> AirflowProfile {
        let mut known = |key: &str, setting: Option<Setting<String>>, otherwise: &str| {
            let setting = setting.unwrap_or_else(|| Setting::new(otherwise.to_owned(), Origin::Default));
            facts.text(&format!("airflow.{key}"), &setting);
            setting.value
        };
        let database = known("database", self.database, "airflow");
        let schema = known("schema", self.schema, "public");
        let cli = self.cli_host.map(|host| {
            facts.text("airflow.cli_host", &host);
            let command = self.cli.unwrap_or_else(|| Setting::new("airflow".to_owned(), Origin::Default));
            facts.text("airflow.cli", &command);
            AirflowCli { host: host.value, command: command.value }
        });
        let api = self.api.and_then(|url| api(url, self.token, self.login, facts));
        let only = match (&api, &cli) {
            (Some(_), _) => Some(PoolsBy::Api),
            (None, Some(_)) => Some(PoolsBy::Cli),
            (None, None) => None,
        };
        let pools_by = self.pools_by.or_else(|| Some(Setting::new(only?, Origin::Default)));
        if let Some(by) = &pools_by {
            facts.plain("airflow.pools_by", format_args!("\"{}\"", by.value), &by.origin);
        }
        for endpoint in &self.health {
            facts.plain("airflow.health", format_args!("{:?}", endpoint.value.1), &endpoint.origin);
        }
        let health = self.health.into_iter().map(|Setting { value: (name, url), .. }| AirflowHealthEndpoint { name, url }).collect();
        AirflowProfile { database, schema, cli, api, pools_by: pools_by.map(|by| by.value), health, tls: tls(self.tls, "airflow", facts) }
    }
}

/// The secret's place is noted and nothing more: only who may write will read it.
fn api(url: Setting<String>, token: Option<Setting<Secret>>, login: LoginDraft, facts: &mut Facts) -> Option<AirflowApi> {
    facts.text("airflow.api", &url);
    let who = match (token, login.username, login.password) {
        (Some(token), ..) => {
            facts.secret("airflow.token", &token.value, &token.origin);
            Who::Token(token)
        }
        (None, Some(username), Some(password)) => {
            facts.text("airflow.username", &username);
            facts.secret("airflow.password", &password.value, &password.origin);
            Who::Login(username.value, password)
        }
        // The reader of the file has complained.
        _ => return None,
    };
    Some(AirflowApi { url: url.value, who })
}
