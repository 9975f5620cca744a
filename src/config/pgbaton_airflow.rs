//! `[clusters.NAME.airflow]` of pgbaton.toml.

use std::str::FromStr;

use strum::VariantNames;
use url::Url;

use super::airflow::{AirflowDraft, PoolsBy};
use super::diagnostic::{Diagnostic, quote};
use super::draft::LoginDraft;
use super::endpoint::without_user;
use super::origin::Setting;
use super::pgbaton_toml::Reader;
use super::section::Section;

const KEYS: [&str; 14] = [
    "database", "schema", "cli_host", "cli", "api", "token", "username", "password", "pools_by", "health", "cacert", "certfile", "keyfile",
    "insecure",
];

impl Reader<'_> {
    /// The table `airflow`; `None` when there is none.
    pub fn airflow(&mut self, table: &Section<'_>) -> Option<AirflowDraft> {
        let section = table.table("airflow", self.out)?;
        section.only(&KEYS, self.out);
        let [database, schema, cli_host, cli] = ["database", "schema", "cli_host", "cli"].map(|key| section.text(key, self.out));
        if let (None, Some(cli)) = (&cli_host, &cli)
            && section.get("cli_host", &mut Vec::new()).is_none()
        {
            self.out.push(
                Diagnostic::new(cli.origin.clone(), "`cli` without `cli_host`")
                    .hint("cli_host names the machine on which it is run, over ssh"),
            );
        }
        let api = self.api(&section);
        let token = self.secret(&section, "token");
        let login = LoginDraft { username: section.text("username", self.out), password: self.secret(&section, "password") };
        self.out.extend(nobody(&section));
        let pools_by = self.word(&section, "pools_by", PoolsBy::VARIANTS);
        let pools_by = pools_by.and_then(|word| Some(Setting::new(PoolsBy::from_str(&word.value).ok()?, word.origin)));
        self.out.extend(no_way(&section, pools_by.as_ref()));
        Some(AirflowDraft {
            database,
            schema,
            cli_host,
            cli,
            api,
            token,
            login,
            pools_by,
            health: self.health(&section),
            tls: self.tls(&section),
        })
    }

    /// `api`: a URL without what is Airflow's own in it.
    fn api(&mut self, section: &Section<'_>) -> Option<Setting<String>> {
        let text = section.text("api", self.out)?;
        match api_root(&text.value) {
            Ok(url) => Some(Setting::new(url, text.origin)),
            Err(why) => {
                let hint = "api = \"https://HOST:8080\": the web server of 2.10, the API server of 3, without /api/v1 or /api/v2";
                self.out.push(Diagnostic::new(text.origin, why).hint(hint));
                None
            }
        }
    }

    /// `health`: URLs. The port is what tells the scheduler's from the web server's, so that it is always in the name.
    fn health(&mut self, section: &Section<'_>) -> Vec<Setting<(String, String)>> {
        let mut all: Vec<Setting<(String, String)>> = Vec::new();
        for Setting { value: text, origin } in section.texts("health", self.out).unwrap_or_default() {
            let named = match Url::parse(&text) {
                Err(why) => Err(format!("is no URL: {why}")),
                Ok(url) if !matches!(url.scheme(), "http" | "https") => Err("is neither http nor https".to_owned()),
                Ok(url) if url.path() == "/" => Err("names no path".to_owned()),
                Ok(url) if url.query().is_some() || !url.username().is_empty() => Err("has more than host, port and path".to_owned()),
                Ok(url) => url
                    .host_str()
                    .zip(url.port_or_known_default())
                    .map(|(host, port)| format!("{host}:{port}"))
                    .ok_or_else(|| "names no host".to_owned()),
            };
            match named {
                Ok(name) if all.iter().any(|other| other.value.0 == name) => {
                    self.out.push(Diagnostic::new(origin, format!("a second endpoint on {name}")).hint("one is enough"));
                }
                Ok(name) => all.push(Setting::new((name, text), origin)),
                Err(why) => self.out.push(
                    Diagnostic::new(origin, format!("{} {why}", quote(&text)))
                        .hint("the scheduler's own is \"http://HOST:8974/health\", the web server's \"http://HOST:8080/health\" (3.x: /api/v2/monitor/health)"),
                ),
            }
        }
        all
    }
}

/// What stands before `/api`.
fn api_root(text: &str) -> Result<String, String> {
    let url = api_url(text)?;
    let whole = url.as_str().trim_end_matches('/');
    match whole.ends_with("/api") || whole.ends_with("/api/v1") || whole.ends_with("/api/v2") {
        true => Err(format!("{} has the path of the API in it", quote(&without_user(text)))),
        false => Ok(whole.to_owned()),
    }
}

/// The address of an HTTP API whose user is told by keys of their own.
pub(super) fn api_url(text: &str) -> Result<Url, String> {
    let shown = quote(&without_user(text));
    let url = Url::parse(text).map_err(|_| format!("{shown} is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(format!("{shown} is not an http URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL carries a user name: use the keys `username` and `password`".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("{shown} has more than a host, a port and a path"));
    }
    Ok(url)
}

/// The complaint about an API to which nobody says who we are, or about a secret that is for nobody.
fn nobody(section: &Section<'_>) -> Option<Diagnostic> {
    let [api, token, username, password] =
        ["api", "token", "username", "password"].map(|key| Some(section.get(key, &mut Vec::new())?.at.clone()));
    let without = |at, key: &str, other: &str| Diagnostic::new(at, format!("`{key}` without `{other}`"));
    let whose = "they say to Airflow's API who changes its pools";
    Some(match (api, token, username, password) {
        (None, Some(at), ..) => without(at, "token", "api").hint("it says to Airflow's API who changes its pools"),
        (None, None, Some(at), _) => without(at, "username", "api").hint(whose),
        (None, None, None, Some(at)) => without(at, "password", "api").hint(whose),
        (Some(_), Some(at), Some(_), _) | (Some(_), Some(at), None, Some(_)) => {
            Diagnostic::new(at, "a `token` beside `username` and `password`").hint("either the one or the others say who we are")
        }
        (Some(_), None, Some(at), None) => without(at, "username", "password").hint("password = { file = \"PATH\" } or { env = \"NAME\" }"),
        (Some(_), None, None, Some(at)) => without(at, "password", "username").hint("a user of Airflow's with the role Op"),
        (Some(at), None, None, None) => Diagnostic::new(at, "`api` without `username` and `password`, or `token`")
            .hint("token = { file = \"PATH\" } or { env = \"NAME\" }"),
        _ => return None,
    })
}

/// The complaint about pools that nobody, or one of two, is to change.
fn no_way(section: &Section<'_>, by: Option<&Setting<PoolsBy>>) -> Option<Diagnostic> {
    let said = section.get("pools_by", &mut Vec::new()).is_some();
    let [api, cli] = ["api", "cli_host"].map(|key| section.get(key, &mut Vec::new()));
    match (by, api, cli) {
        (Some(Setting { value: PoolsBy::Api, origin }), None, _) => {
            Some(Diagnostic::new(origin.clone(), "`pools_by` names the API, and there is no `api`"))
        }
        (Some(Setting { value: PoolsBy::Cli, origin }), _, None) => {
            Some(Diagnostic::new(origin.clone(), "`pools_by` names the command, and there is no `cli_host`"))
        }
        (None, Some(api), Some(_)) if !said => Some(
            Diagnostic::new(api.at.clone(), "both `api` and `cli_host`, and no word on which of them changes the pools")
                .hint("pools_by = \"api\" or \"cli\""),
        ),
        _ => None,
    }
}
