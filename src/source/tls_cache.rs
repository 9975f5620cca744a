//! One TLS configuration for all connections that use the same certificates.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::ClientConfig;

use super::tls;
use crate::config::TlsProfile;
use crate::model::SourceError;

/// Reads the certificates when the first connection needs them, and again after a handshake has failed: they may have been renewed.
pub struct TlsCache {
    profile: TlsProfile,
    alpn: &'static [&'static [u8]],
    made: Mutex<Option<Arc<ClientConfig>>>,
}

impl TlsCache {
    /// A cache for these certificates; no file is read yet.
    pub fn new(profile: TlsProfile, alpn: &'static [&'static [u8]]) -> Self {
        Self { profile, alpn, made: Mutex::new(None) }
    }

    /// The configuration. The error names the file that cannot be used.
    pub fn get(&self) -> Result<Arc<ClientConfig>, SourceError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = made.as_ref() {
            return Ok(Arc::clone(config));
        }
        let config = tls::client_config(&self.profile, self.alpn)?;
        *made = Some(Arc::clone(&config));
        Ok(config)
    }

    /// Has the files read again the next time.
    pub fn forget(&self) {
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ErrorKind;

    #[test]
    fn a_file_that_was_missing_is_tried_again() {
        let dir = tempfile::tempdir().expect("a directory");
        let ca = dir.path().join("ca.pem");
        let cache = TlsCache::new(TlsProfile { ca: Some(ca.clone()), ..TlsProfile::default() }, &[]);
        let error = cache.get().expect_err("no file");
        assert_eq!(error.kind, ErrorKind::Config);
        assert!(error.message.contains("ca.pem"), "{error}");
        std::fs::write(&ca, "nothing of the kind").expect("written");
        assert!(cache.get().expect_err("no certificate").message.contains("holds no certificate"));
    }
}
