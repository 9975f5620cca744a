//! Small HTTP requests to the lab's own servers: one connection per request, closed at once, two seconds at most.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;

use super::layout::Lab;
use super::secrets::Owner;

/// A client for one lab.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    rest_user: Option<secrecy::SecretString>,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Body as text.
    pub body: String,
}

impl Http {
    /// Makes a client; with `--tls` it presents the lab's client certificate and trusts the lab's CA only.
    ///
    /// # Errors
    /// When a certificate or the password of the REST API cannot be read.
    pub fn new(lab: &Lab) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut roots = rustls::RootCertStore::empty();
        let tls = if lab.record.options.tls {
            roots
                .add(CertificateDer::from_pem_file(lab.cert("ca")).with_context(|| format!("cannot read {}", lab.cert("ca").display()))?)?;
            let cert = CertificateDer::from_pem_file(lab.cert("client")).context("cannot read the lab's client certificate")?;
            let key = PrivateKeyDer::from_pem_file(lab.key("client")).context("cannot read the lab's client key")?;
            builder.with_root_certificates(roots).with_client_auth_cert(vec![cert], key)?
        } else {
            builder.with_root_certificates(roots).with_no_client_auth()
        };
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            // A proxy of the environment must not see, nor break, what goes to the lab's own addresses.
            .no_proxy()
            // Five idle connections block Patroni's API.
            .pool_max_idle_per_host(0)
            .timeout(Duration::from_secs(2))
            .build()?;
        let rest_user = if lab.record.options.auth { Some(lab.secrets()?.expose(Owner::Rest)?.to_owned().into()) } else { None };
        Ok(Self { client, rest_user })
    }

    /// GET.
    ///
    /// # Errors
    /// When there is no complete answer within two seconds.
    pub async fn get(&self, url: &str) -> Result<Answer> {
        answer(self.client.get(url)).await
    }

    /// GET as this user.
    ///
    /// # Errors
    /// When there is no complete answer within two seconds.
    pub async fn get_as(&self, url: &str, user: &str, password: &str) -> Result<Answer> {
        answer(self.client.get(url).basic_auth(user, Some(password))).await
    }

    /// PUT, POST and so on with a JSON body as this user.
    ///
    /// # Errors
    /// When there is no complete answer within two seconds.
    pub async fn send_as(&self, method: reqwest::Method, url: &str, user: &str, password: &str, body: &Value) -> Result<Answer> {
        answer(self.client.request(method, url).basic_auth(user, Some(password)).json(body)).await
    }

    /// GET of a JSON document, whatever its status: Patroni sends the same document with 200 and 503.
    ///
    /// # Errors
    /// When there is no complete answer within two seconds, or it is not JSON.
    pub async fn get_json(&self, url: &str) -> Result<Value> {
        let answer = self.get(url).await?;
        serde_json::from_str(&answer.body).with_context(|| format!("{url} answered {} with something that is not JSON", answer.status))
    }

    /// PATCH with a JSON body, with the REST API's user if the lab has one.
    ///
    /// # Errors
    /// When there is no complete answer within two seconds.
    pub async fn patch(&self, url: &str, body: &Value) -> Result<Answer> {
        answer(self.signed(self.client.patch(url).json(body))).await
    }

    /// POST to a REST API, with its user if the lab has one.
    ///
    /// # Errors
    /// When there is no complete answer within two seconds.
    pub async fn order(&self, url: &str, body: &Value) -> Result<Answer> {
        answer(self.signed(self.client.post(url).json(body))).await
    }

    fn signed(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        use secrecy::ExposeSecret;
        match &self.rest_user {
            Some(password) => request.basic_auth("patroni", Some(password.expose_secret())),
            None => request,
        }
    }

    /// POST with a JSON body.
    ///
    /// # Errors
    /// When there is no complete answer within two seconds.
    pub async fn post(&self, url: &str, body: &Value) -> Result<Answer> {
        answer(self.client.post(url).json(body)).await
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Answer> {
    let response = request.send().await.map_err(plain)?;
    let status = response.status().as_u16();
    let body = response.text().await.map_err(plain)?;
    Ok(Answer { status, body })
}

/// reqwest puts the reason at the end of its chain of sources; that end is what a person needs.
fn plain(e: reqwest::Error) -> anyhow::Error {
    let url = e.url().map(ToString::to_string).unwrap_or_default();
    let mut last: &dyn std::error::Error = &e;
    while let Some(next) = last.source() {
        last = next;
    }
    let reason = if e.is_timeout() { "no answer within 2 s".to_owned() } else { last.to_string() };
    anyhow::anyhow!("{url}: {reason}")
}
