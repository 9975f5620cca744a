//! The certificates that are shown in the TLS handshakes that are made anyway, and our own.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use tokio::time::{Instant, sleep};
use x509_cert::der::Decode;

use super::{Clock, Sink};
use crate::config::{HaproxyProfile, Profile, SslMode};
use crate::model::{Certificate, Fact, Observation, Outcome, SourceId, SourceKind, Time, clean};

/// How often the same certificate is reported again, and our own files are read.
const AGAIN: Duration = Duration::from_secs(60);

/// Reports what one source shows.
pub(super) struct Presented {
    sink: Sink,
    clock: Clock,
    source: SourceId,
    last: Mutex<Option<(Vec<u8>, Instant)>>,
}

impl Presented {
    /// Nothing was shown yet.
    pub fn new(sink: Sink, clock: Clock, source: SourceId) -> Self {
        Self { sink, clock, source, last: Mutex::new(None) }
    }

    /// Reports the chain that was shown in a handshake, when it is another one than before and once a minute.
    pub fn note(&self, chain: &[CertificateDer<'_>]) {
        let Some(first) = chain.first() else { return };
        {
            let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if last.as_ref().is_some_and(|(der, at)| der == first.as_ref() && at.elapsed() < AGAIN) {
                return;
            }
            *last = Some((first.to_vec(), Instant::now()));
        }
        if let Some(certificate) = first_to_end(chain, false) {
            report(&self.sink, self.clock, self.source.clone(), certificate);
        }
    }
}

fn report(sink: &Sink, clock: Clock, source: SourceId, certificate: Certificate) {
    let outcome = Outcome::Heard(Box::new(Fact::Certificate(Box::new(certificate))));
    sink.report(Observation { source, at: clock.now(), rtt: None, outcome });
}

/// The certificate of a chain that ends first; those that cannot be read are passed over.
pub(super) fn first_to_end(chain: &[CertificateDer<'_>], ours: bool) -> Option<Certificate> {
    chain.iter().filter_map(|der| read(der, ours)).min_by_key(|certificate| certificate.not_after)
}

fn read(der: &CertificateDer<'_>, ours: bool) -> Option<Certificate> {
    let parsed = x509_cert::Certificate::from_der(der).ok()?.tbs_certificate;
    let not_after = parsed.validity.not_after.to_unix_duration();
    Some(Certificate {
        ours,
        subject: clean(&parsed.subject.to_string()),
        issuer: clean(&parsed.issuer.to_string()),
        not_after: Time::from_micros(i64::try_from(not_after.as_micros()).unwrap_or(i64::MAX)),
    })
}

/// The client certificates that the profile names, with the kind of source that they are for.
fn own_files(profile: &Profile) -> Vec<SourceId> {
    let postgres = profile.postgres.sslcert.as_ref().filter(|_| profile.postgres.sslmode != SslMode::Disable);
    let haproxies = profile.haproxy.iter().filter_map(|proxy: &HaproxyProfile| Some((SourceKind::Haproxy, proxy.tls.cert.as_ref()?)));
    let named = [
        (SourceKind::Etcd, profile.etcd.tls.cert.as_ref()),
        (SourceKind::Rest, profile.restapi.tls.cert.as_ref()),
        (SourceKind::Sql, postgres),
        (SourceKind::Rabbitmq, profile.rabbitmq.as_ref().and_then(|rabbitmq| rabbitmq.tls.cert.as_ref())),
    ];
    let named = named.into_iter().filter_map(|(kind, file)| Some((kind, file?)));
    let mut files: Vec<SourceId> = named.chain(haproxies).map(|(kind, file)| SourceId::new(kind, file.display().to_string())).collect();
    files.sort();
    files.dedup();
    files
}

/// Reads our own client certificates once a minute, for ever. One that cannot be read is told by the source that needs it.
pub(super) async fn own(sink: Sink, clock: Clock, profile: Profile) {
    let files = own_files(&profile);
    while !files.is_empty() {
        for source in &files {
            let path = PathBuf::from(&source.target);
            // On a thread where a hanging file system harms nobody else.
            let reading = tokio::task::spawn_blocking(move || {
                let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(path).ok()?.filter_map(Result::ok).collect();
                first_to_end(&chain, true)
            });
            if let Ok(Some(certificate)) = reading.await {
                report(&sink, clock, source.clone(), certificate);
            }
        }
        sleep(AGAIN).await;
    }
}

/// The chain that was shown in the newest handshake.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown(Arc<Mutex<Vec<CertificateDer<'static>>>>);

impl Shown {
    /// The chain; empty before a handshake.
    pub fn chain(&self) -> Vec<CertificateDer<'static>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Verifies as another one does, and keeps what was shown: for connections whose TLS stream is out of reach.
#[derive(Debug)]
pub(super) struct Noting {
    /// Who verifies.
    pub verifier: Arc<dyn ServerCertVerifier>,
    /// Where the chain is kept.
    pub shown: Shown,
}

impl ServerCertVerifier for Noting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        let chain = std::iter::once(end_entity).chain(intermediates).map(|der| der.clone().into_owned()).collect();
        *self.shown.0.lock().unwrap_or_else(PoisonError::into_inner) = chain;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
