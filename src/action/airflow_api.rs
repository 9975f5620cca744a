//! Airflow's pools by its REST API: a request for each pool, one after the other, each sent once. The first that is not taken is the last.

use std::time::Duration;

use reqwest::header::{CONNECTION, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::airflow_order::PoolOrder;
use super::http_client::{client, explain};
use super::{AirflowOrder, Reply};
use crate::config::{AirflowApi, ApiCredential, ApiSecret, TlsProfile};
use crate::model::clean;
use crate::permit::Permit;

/// How long the answer to a request is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// So long after the first request none begins any more: whoever waits for the end takes the order for carried out after five minutes.
const LATEST: Duration = Duration::from_secs(180);
/// The most that is read of an answer, bytes: one is a pool, or a sentence.
const LONGEST: usize = 64 * 1024;
/// The most that is kept of what it says, characters.
const KEPT: usize = 300;

/// Gives orders to Airflow's API.
#[derive(Debug, Clone)]
pub(super) struct ApiWriter {
    url: String,
    credential: ApiCredential,
    tls: TlsProfile,
}

/// Who we are, in a request.
enum Who {
    Login(String, SecretString),
    Token(SecretString),
    /// A token that user and password were given for.
    TokenOf(String, SecretString),
}

impl Who {
    fn sign(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Who::Login(user, password) => request.basic_auth(user, Some(password.expose_secret())),
            Who::Token(token) | Who::TokenOf(_, token) => request.bearer_auth(token.expose_secret()),
        }
    }

    /// Whether it may stand in a text that is shown.
    fn is_in(&self, text: &str) -> bool {
        let (Who::Login(_, secret) | Who::Token(secret) | Who::TokenOf(_, secret)) = self;
        text.contains(secret.expose_secret())
    }

    fn told(&self) -> String {
        match self {
            Who::Login(user, _) | Who::TokenOf(user, _) => clean(user),
            Who::Token(_) => "the token".to_owned(),
        }
    }
}

impl ApiWriter {
    /// A client for this API. The secret is read for each order.
    pub(super) fn new(permit: &Permit, api: &AirflowApi, tls: &TlsProfile) -> Self {
        Self { url: api.url.clone(), credential: api.credential(permit), tls: tls.clone() }
    }

    /// Sends an order, once.
    pub(super) async fn send(&self, order: &AirflowOrder) -> Reply {
        let client = match client(&self.tls, self.url.starts_with("https:")).await {
            Ok(client) => client,
            Err(why) => return Reply::NotSent(format!("{}: {why}", self.url)),
        };
        let who = match self.who(&client, order.is_3).await {
            Ok(who) => who,
            Err(why) => return Reply::NotSent(why),
        };
        let begun = Instant::now();
        for (done, pool) in order.pools.iter().enumerate() {
            let answered = match begun.elapsed() < LATEST {
                true => self.patch(&client, &who, pool, order.is_3).await,
                false => Err(Reply::NotSent("the requests before it took too long".to_owned())),
            };
            if let Err(reply) = answered {
                return after(done, order.pools.len(), &pool.name, reply);
            }
        }
        Reply::Taken(format!("Airflow's API at {} took it", self.url))
    }

    /// Reads the secret; for a user of Airflow 3 it is a token, which that gives for the password.
    async fn who(&self, client: &Client, is_3: bool) -> Result<Who, String> {
        let credential = self.credential.clone();
        let read = tokio::task::spawn_blocking(move || credential.read()).await;
        let secret = read
            .map_err(|e| format!("the secret for Airflow's API cannot be read: {e}"))?
            .map_err(|mistake| mistake.to_string().replace('\n', "; "))?;
        match secret {
            ApiSecret::Token(token) => Ok(Who::Token(token)),
            ApiSecret::Login(user, password) if !is_3 => Ok(Who::Login(user, password)),
            ApiSecret::Login(user, password) => {
                let token = self.token(client, &user, &password).await?;
                Ok(Who::TokenOf(user, token))
            }
        }
    }

    /// A token for user and password. Of an answer that is none only the status is told: it may have in it what was sent.
    async fn token(&self, client: &Client, user: &str, password: &SecretString) -> Result<SecretString, String> {
        let about = |why: &str| format!("no token from {}/auth/token for {}: {why}", self.url, clean(user));
        let body = json!({ "username": user, "password": password.expose_secret() });
        let request = client.post(format!("{}/auth/token", self.url)).timeout(PATIENCE).json(&body);
        let response = match request.header(CONNECTION, HeaderValue::from_static("close")).send().await {
            Ok(response) => response,
            Err(error) if error.is_timeout() && !error.is_connect() => {
                return Err(about(&format!("nothing within {} s", PATIENCE.as_secs())));
            }
            Err(error) => return Err(about(&explain(error))),
        };
        let status = response.status();
        if status.is_success() {
            let answer: Value = serde_json::from_slice(&body_of(response).await).unwrap_or_default();
            let token = answer["access_token"].as_str().filter(|token| !token.is_empty());
            return token.map(SecretString::from).ok_or_else(|| about("there is none in the answer"));
        }
        Err(about(&match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => format!("user or password is not accepted ({})", status.as_u16()),
            _ => told(status),
        }))
    }

    async fn patch(&self, client: &Client, who: &Who, pool: &PoolOrder, is_3: bool) -> Result<(), Reply> {
        let request = client.patch(format!("{}{}", self.url, pool.path(is_3))).timeout(PATIENCE).json(&pool.body(is_3));
        let request = who.sign(request.header(CONNECTION, HeaderValue::from_static("close")));
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() || error.is_builder() => {
                return Err(Reply::NotSent(format!("{}: {}", self.url, explain(error))));
            }
            Err(error) if error.is_timeout() => {
                return Err(Reply::Lost(format!("nothing from {} within {} s", self.url, PATIENCE.as_secs())));
            }
            Err(error) => return Err(Reply::Lost(format!("{}: {}", self.url, explain(error)))),
        };
        let status = response.status();
        let body = body_of(response).await;
        self.answered(status, &body, who, pool)
    }

    /// What an answer means. An answer in place of Airflow's, by what stands before it, leaves open what Airflow did.
    fn answered(&self, status: StatusCode, body: &[u8], who: &Who, pool: &PoolOrder) -> Result<(), Reply> {
        let (url, code) = (&self.url, status.as_u16());
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let word = body["detail"].as_str().map(clean).filter(|word| !word.is_empty() && !who.is_in(word));
        let word: String = word.map(|word| format!(": {}", word.chars().take(KEPT).collect::<String>())).unwrap_or_default();
        // Airflow 3 says 403 to a token that is none, as to a user who may not.
        let no_token = code == 403 && body["detail"].as_str().is_some_and(|word| word.contains("JWT"));
        Err(match code {
            200 if body["slots"].as_i64() == Some(pool.slots) => return Ok(()),
            200 => Reply::Failed(format!("{url} answers 200 without the pool as it is to be; is that Airflow's API?")),
            300..=399 => Reply::Refused(format!("{url} answers {}, and is not followed elsewhere", told(status))),
            401 | 403 if code == 401 || no_token => Reply::Refused(match who {
                Who::Login(user, _) => format!(
                    "{url} does not accept {} and the password (401): both are right for Airflow 2.10 only if its [api] auth_backends has \
                     airflow.providers.fab.auth_manager.api.auth.backend.basic_auth",
                    clean(user)
                ),
                Who::Token(_) => format!("{url} does not accept the token ({code}): is it over?"),
                Who::TokenOf(user, _) => format!("{url} does not accept the token that it gave {} ({code})", clean(user)),
            }),
            403 => Reply::Refused(format!("{url} does not let {} change pools (403), as a user with the role Op may{word}", who.told())),
            400..=499 => Reply::Refused(format!("{url} answers {}{word}", told(status))),
            502..=504 => Reply::Lost(format!("what stands before {url} answers {}", told(status))),
            _ => Reply::Failed(format!("{url} answers {}{word}", told(status))),
        })
    }
}

/// `404 Not Found`.
fn told(status: StatusCode) -> String {
    format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or("of no known meaning"))
}

/// As much of the body as is read; the status decides, and one that breaks off is one.
async fn body_of(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST {
            break;
        }
    }
    body
}

/// What the answer to one request means for the order, of which some may be done already.
fn after(done: usize, of: usize, name: &str, reply: Reply) -> Reply {
    let in_all = |why: String| match of {
        1 => why,
        _ => format!("{done} of {of} pools were changed, then {}: {why}", clean(name)),
    };
    match (done, reply) {
        (0, reply @ (Reply::NotSent(_) | Reply::Refused(_))) => reply,
        (_, Reply::NotSent(why) | Reply::Refused(why) | Reply::Failed(why)) => Reply::Failed(in_all(why)),
        (_, Reply::Lost(why)) => Reply::Lost(in_all(why)),
        (_, reply) => reply,
    }
}

#[cfg(test)]
#[path = "airflow_api_tests.rs"]
mod tests;
