//! libpq's `sslmode` (manual, "Protection Provided in Different Modes"): which ways are tried in which order, and what is verified.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;

use crate::config::{PostgresProfile, SslMode, TlsProfile};
use crate::model::SourceError;
use crate::source::certificate::Shown;
use crate::source::tls::{self, Verify};

/// One way to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Without TLS.
    Plain,
    /// With TLS if the server offers it, else without, in the same connection.
    TlsIfOffered,
    /// With TLS or not at all.
    Tls,
}

/// The ways of a mode, first to last. The second is tried when the first is turned away by `pg_hba.conf` or its TLS handshake fails.
pub(super) fn ways(mode: SslMode) -> &'static [Way] {
    match mode {
        SslMode::Disable => &[Way::Plain],
        SslMode::Allow => &[Way::Plain, Way::Tls],
        SslMode::Prefer => &[Way::TlsIfOffered, Way::Plain],
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[Way::Tls],
    }
}

/// What of the server's certificate is verified, `root` telling whether a root certificate's file is there.
///
/// libpq verifies the chain in every mode as soon as that file exists, so that `require` with it is `verify-ca`.
fn verification(mode: SslMode, root: bool) -> Verify {
    match mode {
        SslMode::VerifyFull => Verify::Full,
        SslMode::VerifyCa => Verify::Chain,
        SslMode::Disable | SslMode::Allow | SslMode::Prefer | SslMode::Require if root => Verify::Chain,
        SslMode::Disable | SslMode::Allow | SslMode::Prefer | SslMode::Require => Verify::Nothing,
    }
}

/// The client side of TLS for this profile; `None` with `disable`. Reads the certificates' files. `shown` keeps what the server shows.
///
/// A root certificate's file that is missing counts as none, unless the mode verifies; a client certificate's that is missing is not sent: in
/// both libpq does so. Without `sslrootcert` the verifying modes trust the system's CAs.
pub(super) fn client_config(profile: &PostgresProfile, shown: &Shown) -> Result<Option<Arc<ClientConfig>>, SourceError> {
    let verifies = match profile.sslmode {
        SslMode::Disable => return Ok(None),
        SslMode::VerifyCa | SslMode::VerifyFull => true,
        SslMode::Allow | SslMode::Prefer | SslMode::Require => false,
    };
    let exists = |path: &&Path| path.exists();
    let root = profile.sslrootcert.as_deref().filter(|path| verifies || exists(path));
    let cert = profile.sslcert.as_deref().filter(exists);
    let certificates =
        TlsProfile { ca: root.map(Path::to_owned), cert: cert.map(Path::to_owned), key: cert.and(profile.sslkey.clone()), insecure: false };
    tls::client_config_noting(&certificates, verification(profile.sslmode, root.is_some()), shown).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_certificate_makes_every_mode_verify_the_chain() {
        for mode in [SslMode::Allow, SslMode::Prefer, SslMode::Require] {
            assert_eq!(verification(mode, true), Verify::Chain, "{mode:?}");
            assert_eq!(verification(mode, false), Verify::Nothing, "{mode:?}");
        }
        assert_eq!(verification(SslMode::VerifyCa, false), Verify::Chain);
        assert_eq!(verification(SslMode::VerifyFull, true), Verify::Full);
    }

    #[test]
    fn only_allow_and_prefer_have_a_second_way() {
        for mode in [SslMode::Disable, SslMode::Require, SslMode::VerifyCa, SslMode::VerifyFull] {
            assert_eq!(ways(mode).len(), 1, "{mode:?}");
        }
        assert_eq!(ways(SslMode::Allow), [Way::Plain, Way::Tls]);
        assert_eq!(ways(SslMode::Prefer), [Way::TlsIfOffered, Way::Plain]);
        assert!(!ways(SslMode::Require).contains(&Way::TlsIfOffered));
    }
}
