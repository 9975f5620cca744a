//! The one TLS stack: rustls with ring, for etcd, the REST APIs, PostgreSQL and HAProxy.

use std::path::Path;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::certificate::{Noting, Shown};
use crate::config::TlsProfile;
use crate::model::{ErrorKind, SourceError, Time, listed};

/// What of a server's certificate is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verify {
    /// The chain and the name.
    Full,
    /// The chain only (libpq's `verify-ca`).
    Chain,
    /// Nothing.
    Nothing,
}

/// The client side of a TLS connection with these certificates, verifying chain and name unless the profile says `insecure`.
///
/// The error says which file cannot be read or does not hold what it should.
pub fn client_config(profile: &TlsProfile, alpn: &[&[u8]]) -> Result<Arc<ClientConfig>, SourceError> {
    client_config_verifying(profile, if profile.insecure { Verify::Nothing } else { Verify::Full }, alpn)
}

/// The same with the extent of verification given.
pub fn client_config_verifying(profile: &TlsProfile, verify: Verify, alpn: &[&[u8]]) -> Result<Arc<ClientConfig>, SourceError> {
    make(profile, verify, alpn, |verifier| verifier)
}

/// The same, keeping the chain that a server has shown and that was accepted.
pub(super) fn client_config_noting(profile: &TlsProfile, verify: Verify, shown: &Shown) -> Result<Arc<ClientConfig>, SourceError> {
    make(profile, verify, &[], |verifier| Arc::new(Noting { verifier, shown: shown.clone() }))
}

fn make(
    profile: &TlsProfile,
    verify: Verify,
    alpn: &[&[u8]],
    wrap: impl FnOnce(Arc<dyn ServerCertVerifier>) -> Arc<dyn ServerCertVerifier>,
) -> Result<Arc<ClientConfig>, SourceError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| config_error(format!("TLS cannot be set up: {e}")))?;
    let verifier = wrap(verifier(profile, verify, provider)?);
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match (&profile.cert, &profile.key) {
        (Some(cert), Some(key)) => builder
            .with_client_auth_cert(certificates(cert)?, private_key(key)?)
            .map_err(|e| config_error(format!("the client certificate {} and its key do not fit: {e}", cert.display())))?,
        // Patroni and libpq accept one file that holds both.
        (Some(both), None) => builder
            .with_client_auth_cert(certificates(both)?, private_key(both)?)
            .map_err(|e| config_error(format!("the client certificate {} cannot be used: {e}", both.display())))?,
        (None, Some(key)) => return Err(config_error(format!("a client key {} without a client certificate", key.display()))),
        (None, None) => builder.with_no_client_auth(),
    };
    // A resumed session shows no certificate: one that was renewed would stay unseen for as long as the server's tickets are good.
    config.resumption = Resumption::disabled();
    config.alpn_protocols = alpn.iter().map(|p| p.to_vec()).collect();
    Ok(Arc::new(config))
}

fn verifier(profile: &TlsProfile, verify: Verify, provider: Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, SourceError> {
    if verify == Verify::Nothing {
        return Ok(Arc::new(NoVerification(provider)));
    }
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots(profile.ca.as_deref())?), provider)
        .build()
        .map_err(|e| config_error(format!("the CA certificates cannot be used: {e}")))?;
    Ok(if verify == Verify::Full { inner } else { Arc::new(ChainOnly(inner)) })
}

fn config_error(message: String) -> SourceError {
    SourceError::new(ErrorKind::Config, message)
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, SourceError> {
    let mut store = RootCertStore::empty();
    match ca {
        Some(path) => {
            for certificate in certificates(path)? {
                store.add(certificate).map_err(|e| config_error(format!("{} holds a certificate that is no CA: {e}", path.display())))?;
            }
        }
        None => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if store.is_empty() {
                return Err(config_error("the system has no CA certificates".to_owned()).with_hint("name the CA's file (cacert)"));
            }
        }
    }
    Ok(store)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, SourceError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    match found {
        Ok(list) if list.is_empty() => Err(config_error(format!("{} holds no certificate", path.display()))),
        Ok(list) => Ok(list),
        Err(error) => Err(config_error(format!("cannot read the certificates in {}: {error}", path.display()))),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, SourceError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| {
        let encrypted = std::fs::read_to_string(path).is_ok_and(|text| text.contains("ENCRYPTED"));
        let error = config_error(format!("cannot read the private key in {}: {error}", path.display()));
        if encrypted { error.with_hint("the key is encrypted; pgbaton reads keys that are not") } else { error }
    })
}

/// A sentence for a failed handshake, when `error` was one.
///
/// Walks the causes, as rustls's own error lies below those of the connection and of the protocol.
pub fn explain(error: &(dyn std::error::Error + 'static)) -> Option<SourceError> {
    let mut cause = Some(error);
    while let Some(this) = cause {
        if let Some(found) = this.downcast_ref::<rustls::Error>() {
            return Some(explain_rustls(found));
        }
        if let Some(inner) = this.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            if let Some(found) = inner.downcast_ref::<rustls::Error>() {
                return Some(explain_rustls(found));
            }
            if let Some(found) = explain(inner) {
                return Some(found);
            }
        }
        cause = this.source();
    }
    None
}

const OTHER_NAME: &str = "the server's certificate is for another name";

/// A name as rustls writes it, `DnsName("etcd1")` or `IpAddress(10.0.0.8)`, without its kind.
fn bare(name: &str) -> &str {
    let inner = name.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(name);
    inner.trim_matches('"')
}

fn explain_rustls(error: &rustls::Error) -> SourceError {
    let tls = |message: String| SourceError::new(ErrorKind::Tls, message);
    match error {
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::Expired => tls("the server's certificate has expired".to_owned()),
            CertificateError::ExpiredContext { not_after, .. } => {
                let until = Time::from_micros(i64::try_from(not_after.as_secs()).unwrap_or(0).saturating_mul(1_000_000));
                tls("the server's certificate has expired".to_owned()).with_hint(format!("it was valid until {}", until.minute()))
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                tls("the server's certificate is not valid yet".to_owned()).with_hint("compare the clocks")
            }
            CertificateError::UnknownIssuer => {
                tls("the server's certificate is from an unknown CA".to_owned()).with_hint("name the CA's file (cacert)")
            }
            CertificateError::NotValidForName => tls(OTHER_NAME.to_owned()),
            CertificateError::NotValidForNameContext { expected, presented } => {
                let names: Vec<&str> = presented.iter().map(|name| bare(name)).collect();
                let names = if names.is_empty() { "none".to_owned() } else { listed(&names) };
                tls(OTHER_NAME.to_owned()).with_hint(format!("it names {names}, and we ask for {}", expected.to_str()))
            }
            CertificateError::Revoked => tls("the server's certificate is revoked".to_owned()),
            other => tls(format!("the server's certificate is not accepted: {other:?}")),
        },
        rustls::Error::AlertReceived(alert) => {
            let text = format!("{alert:?}");
            match text.as_str() {
                "CertificateRequired" => {
                    tls("the server demands a client certificate".to_owned()).with_hint("name ours and its key (certfile, keyfile)")
                }
                "HandshakeFailure" | "BadCertificate" => {
                    tls(format!("the server ended the TLS handshake: {text}")).with_hint("does it demand a client certificate?")
                }
                "CertificateExpired" => tls("the server says that our certificate has expired".to_owned()),
                "UnknownCA" => tls("the server does not know the CA of our certificate".to_owned()),
                _ => tls(format!("the server ended the TLS handshake: {text}")),
            }
        }
        rustls::Error::InvalidMessage(_) => {
            tls("the server does not speak TLS on this port".to_owned()).with_hint("is it http instead of https?")
        }
        other => tls(format!("TLS failed: {other}")),
    }
}

/// Accepts every certificate, for `insecure` and for libpq's modes that do not verify. Signatures are still checked.
#[derive(Debug)]
struct NoVerification(Arc<CryptoProvider>);

impl ServerCertVerifier for NoVerification {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Verifies the chain and forgives the name: libpq's `verify-ca`, which rustls has no mode for.
#[derive(Debug)]
struct ChainOnly(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for ChainOnly {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(rustls::Error::InvalidCertificate(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. })) => {
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
