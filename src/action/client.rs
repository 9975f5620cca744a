//! The one client that can change something at Patroni: it cannot be made without a permit, and it sends an order once.

use reqwest::Method;
use reqwest::header::{CONNECTION, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use super::http_client::{client, explain};
use super::{Call, Reply};
use crate::config::{Diagnostic, Profile, TlsProfile};
use crate::model::clean;
use crate::permit::Permit;

/// The most that is kept of an answer, characters.
const LONGEST: usize = 500;

/// Gives orders to the members' REST APIs.
///
/// ```compile_fail,E0061
/// use pgbaton::action::RestWriter;
/// fn without(profile: &pgbaton::config::Profile) {
///     let _ = RestWriter::new(profile);
/// }
/// ```
///
/// ```
/// use pgbaton::action::RestWriter;
/// use pgbaton::permit::Permit;
/// fn with(permit: &Permit, profile: &pgbaton::config::Profile) {
///     let _ = RestWriter::new(permit, profile);
/// }
/// ```
#[derive(Debug, Clone)]
pub struct RestWriter {
    tls: TlsProfile,
    login: Option<(String, SecretString)>,
}

impl RestWriter {
    /// A client for the members of the profile's cluster; the password is read now.
    ///
    /// # Errors
    /// The password is not where the configuration says.
    pub fn new(permit: &Permit, profile: &Profile) -> Result<Self, Diagnostic> {
        let login = match &profile.restapi.login {
            Some(login) => Some((login.username().to_owned(), login.reveal(permit)?)),
            None => None,
        };
        Ok(Self { tls: profile.restapi.operating(permit), login })
    }

    /// Sends an order, once, in a connection of its own. Whatever goes wrong after the connection stands may have reached Patroni.
    pub async fn send(&self, call: &Call) -> Reply {
        let client = match client(&self.tls, call.base.starts_with("https:")).await {
            Ok(client) => client,
            Err(why) => return Reply::NotSent(why),
        };
        let Ok(method) = Method::from_bytes(call.method.as_bytes()) else {
            return Reply::NotSent(format!("{} is no method of HTTP", call.method));
        };
        let mut request = client.request(method, format!("{}{}", call.base, call.path)).timeout(call.patience);
        request = request.header(CONNECTION, HeaderValue::from_static("close"));
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        if let Some((user, password)) = &self.login {
            request = request.basic_auth(user, Some(password.expose_secret()));
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() || error.is_builder() => return Reply::NotSent(explain(error)),
            Err(error) if error.is_timeout() => return Reply::Lost(format!("nothing within {} s", call.patience.as_secs())),
            Err(error) => return Reply::Lost(explain(error)),
        };
        let status = response.status().as_u16();
        // The status decides; an answer whose text breaks off is an answer.
        let text = response.text().await.unwrap_or_default();
        let text: String = clean(&text).chars().take(LONGEST).collect();
        Reply::Answered(status, text)
    }
}
