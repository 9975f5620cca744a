//! The HTTP client of the writers: no proxy, no redirection, a connection for each order.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, redirect};
use rustls::ClientConfig;

use crate::config::TlsProfile;
use crate::model::{SourceError, clean};
use crate::source::tls::{self, Verify};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(3);

/// A client with these certificates, which are read now: they may have been renewed since the last order.
///
/// # Errors
/// They cannot be read; the error is a sentence.
pub(super) async fn client(profile: &TlsProfile, encrypted: bool) -> Result<Client, String> {
    let profile = profile.clone();
    let reading = tokio::task::spawn_blocking(move || -> Result<Arc<ClientConfig>, SourceError> {
        match encrypted {
            true => tls::client_config(&profile, &[]),
            false => tls::client_config_verifying(&TlsProfile::default(), Verify::Nothing, &[]),
        }
    });
    let config = reading.await.map_err(|e| format!("the certificates cannot be read: {e}"))?.map_err(|e| e.told())?;
    Client::builder()
        .tls_backend_preconfigured(ClientConfig::clone(&config))
        .no_proxy()
        .redirect(redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .http1_only()
        .connect_timeout(CONNECT)
        .user_agent(concat!("pgbaton/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|e| format!("no HTTP client: {e}"))
}

/// The deepest cause says the most; the address is said elsewhere.
pub(super) fn explain(error: reqwest::Error) -> String {
    if let Some(failed) = tls::explain(&error) {
        return failed.told();
    }
    let error = error.without_url();
    let first: &(dyn std::error::Error + 'static) = &error;
    let deepest = std::iter::successors(Some(first), |e| e.source()).last();
    clean(&deepest.map(ToString::to_string).unwrap_or_default())
}
