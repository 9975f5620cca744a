//! The PostgreSQL source and libpq's `sslmode`s, on a real server with certificates of a CA of the test's own.

mod pgcommon;

use std::path::PathBuf;

use pgbaton::config::{PostgresProfile, SslMode};
use pgbaton::model::{ErrorKind, SourceError};
use pgcommon::certificates::{Ca, Certified};
use pgcommon::server::Server;
use pgcommon::watch::Watch;
use pgcommon::{profile, wait_for};
use secrecy::SecretString;

/// Who may come in how: `anyway`, `encrypted` and `plain` by name, `certified` with a client certificate, `secret` with a password.
const HBA: &str = "hostssl all encrypted 127.0.0.1/32 trust\nhostnossl all plain 127.0.0.1/32 trust\n\
                   host all anyway 127.0.0.1/32 trust\nhostssl all certified 127.0.0.1/32 cert\n\
                   hostssl all secret 127.0.0.1/32 scram-sha-256";

struct Tls {
    server: Server,
    ca: Ca,
    root: PathBuf,
}

impl Tls {
    fn new() -> Self {
        let server = Server::primary("", HBA);
        for role in ["encrypted", "plain", "anyway", "certified", "secret"] {
            server.psql(&format!("CREATE ROLE {role} LOGIN PASSWORD 'right'"));
        }
        let ca = Ca::new("the test's CA");
        let root = server.put("root.crt", &ca.certificate());
        let tls = Self { server, ca, root };
        tls.present(&tls.ca.sign("server", &["localhost", "127.0.0.1"]));
        tls
    }

    /// Lets the server present this certificate from now on.
    fn present(&self, certified: &Certified) {
        let certificate = self.server.put("server.crt", &certified.certificate);
        let key = self.server.put("server.key", &certified.key);
        self.server.configure(&format!(
            "ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\nssl_ca_file = '{}'",
            certificate.display(),
            key.display(),
            self.root.display()
        ));
        self.server.restart();
    }

    fn profile(&self, user: &str, sslmode: SslMode, root: Option<&PathBuf>) -> PostgresProfile {
        PostgresProfile { sslmode, sslrootcert: root.cloned(), ..profile(user) }
    }

    /// Whether the session of this profile is encrypted, or why there is none.
    fn connect(&self, profile: PostgresProfile) -> Result<bool, SourceError> {
        self.connect_as("127.0.0.1", profile)
    }

    fn connect_as(&self, host: &str, profile: PostgresProfile) -> Result<bool, SourceError> {
        wait_for("no session of ours is left", || self.server.sessions("pgbaton").is_empty().then_some(()));
        let mut watch = Watch::postgres_at(host, self.server.port, profile);
        watch.outcome()?;
        let seen = self
            .server
            .psql("SELECT s.ssl FROM pg_stat_ssl AS s JOIN pg_stat_activity AS a USING (pid) WHERE a.application_name = 'pgbaton'");
        Ok(seen == "t")
    }

    fn fails(&self, profile: PostgresProfile) -> SourceError {
        self.connect(profile).expect_err("it must not connect")
    }
}

#[test]
fn every_sslmode_does_what_libpq_says() {
    let tls = Tls::new();
    let none = None;
    let root = Some(&tls.root);

    // disable: never.
    assert_eq!(tls.connect(tls.profile("anyway", SslMode::Disable, root)), Ok(false));
    let refused = tls.fails(tls.profile("encrypted", SslMode::Disable, none));
    assert_eq!(refused.kind, ErrorKind::Denied);
    assert!(refused.message.contains("no encryption"), "{refused:?}");

    // allow: without first, with when that is turned away.
    assert_eq!(tls.connect(tls.profile("anyway", SslMode::Allow, none)), Ok(false));
    assert_eq!(tls.connect(tls.profile("encrypted", SslMode::Allow, none)), Ok(true));

    // prefer: with first, without when that is turned away.
    assert_eq!(tls.connect(tls.profile("anyway", SslMode::Prefer, none)), Ok(true));
    assert_eq!(tls.connect(tls.profile("plain", SslMode::Prefer, none)), Ok(false));
    let both = tls.fails(tls.profile("nobody", SslMode::Prefer, none));
    assert_eq!(both.kind, ErrorKind::Denied);
    assert!(both.message.starts_with("with TLS: ") && both.message.contains("; without: "), "{both:?}");

    // require: with, unverified unless there is a root certificate.
    assert_eq!(tls.connect(tls.profile("encrypted", SslMode::Require, none)), Ok(true));
    assert_eq!(tls.connect(tls.profile("encrypted", SslMode::Require, Some(&"/nonexistent".into()))), Ok(true));
    assert_eq!(tls.fails(tls.profile("plain", SslMode::Require, none)).kind, ErrorKind::Denied);
    let stranger = tls.server.put("stranger.crt", &Ca::new("a stranger's CA").certificate());
    let unknown = tls.fails(tls.profile("encrypted", SslMode::Require, Some(&stranger)));
    assert_eq!(unknown.kind, ErrorKind::Tls);
    assert!(unknown.message.contains("unknown CA"), "{unknown:?}");
    assert_eq!(unknown.hint.as_deref(), Some("name the CA's file (sslrootcert)"));

    // verify-ca, verify-full: the file must be there, the chain must be good.
    for mode in [SslMode::VerifyCa, SslMode::VerifyFull] {
        assert_eq!(tls.connect(tls.profile("encrypted", mode, root)), Ok(true), "{mode:?}");
        assert_eq!(tls.fails(tls.profile("encrypted", mode, Some(&stranger))).kind, ErrorKind::Tls, "{mode:?}");
        let missing = tls.fails(tls.profile("encrypted", mode, Some(&"/nonexistent".into())));
        assert_eq!(missing.kind, ErrorKind::Config, "{mode:?}");
        assert!(missing.message.contains("/nonexistent"), "{missing:?}");
    }
    // The certificate is for localhost too; the first of its addresses may be ::1, where nobody listens.
    assert_eq!(tls.connect_as("localhost", tls.profile("encrypted", SslMode::VerifyFull, root)), Ok(true));

    // A client certificate, in two files; without one, with a stranger's.
    let client = tls.ca.sign("certified", &[]);
    let cert = tls.server.put("client.crt", &client.certificate);
    let key = tls.server.put("client.key", &client.key);
    let mut certified = tls.profile("certified", SslMode::VerifyFull, root);
    assert_eq!(tls.fails(certified.clone()).kind, ErrorKind::Auth);
    certified.sslkey = Some(key);
    assert_eq!(tls.fails(certified.clone()).kind, ErrorKind::Auth, "a key alone is nothing");
    certified.sslcert = Some(cert);
    assert_eq!(tls.connect(certified.clone()), Ok(true));
    let other = Ca::new("a stranger's CA").sign("certified", &[]);
    certified.sslcert = Some(tls.server.put("other.crt", &other.certificate));
    certified.sslkey = Some(tls.server.put("other.key", &other.key));
    let refused = tls.fails(certified);
    assert_eq!(refused.kind, ErrorKind::Tls, "{refused:?}");

    // A password over TLS: scram with channel binding, which the server offers.
    let mut secret = tls.profile("secret", SslMode::VerifyFull, root);
    secret.password = Some(SecretString::from("right"));
    assert_eq!(tls.connect(secret), Ok(true));

    // Every session took its leave.
    assert!(!tls.server.log().contains("could not receive data"), "{}", tls.server.log());
}

#[test]
fn the_certificate_that_is_shown_is_told() {
    let tls = Tls::new();
    for (mode, root) in [(SslMode::Require, None), (SslMode::VerifyCa, Some(&tls.root)), (SslMode::VerifyFull, Some(&tls.root))] {
        let mut watch = Watch::postgres_at("127.0.0.1", tls.server.port, tls.profile("encrypted", mode, root));
        let shown = watch.certificate();
        assert!(shown.subject.contains("CN=server") && shown.issuer.contains("the test's CA"), "{mode:?}: {shown:?}");
        assert_eq!(shown.not_after.minute(), "2100-01-01 00:00 UTC");
        watch.reading();
    }
}

#[test]
fn a_certificate_that_is_not_good() {
    let tls = Tls::new();
    let root = Some(&tls.root);

    tls.present(&tls.ca.sign("server", &["psg1.example"]));
    assert_eq!(tls.connect(tls.profile("encrypted", SslMode::VerifyCa, root)), Ok(true), "verify-ca does not look at the name");
    let name = tls.fails(tls.profile("encrypted", SslMode::VerifyFull, root));
    assert_eq!(name.kind, ErrorKind::Tls);
    assert!(name.message.contains("for another name"), "{name:?}");
    assert_eq!(name.hint.as_deref(), Some("it names psg1.example, and we ask for 127.0.0.1"));

    tls.present(&tls.ca.sign_expired("server", &["localhost", "127.0.0.1"]));
    for mode in [SslMode::Require, SslMode::VerifyCa, SslMode::VerifyFull] {
        let expired = tls.fails(tls.profile("encrypted", mode, root));
        assert_eq!(expired.kind, ErrorKind::Tls, "{mode:?}");
        let sentence = format!("TLS with PostgreSQL at 127.0.0.1:{}: the server's certificate has expired", tls.server.port);
        assert_eq!(expired.message, sentence, "{mode:?}");
    }
    assert_eq!(tls.connect(tls.profile("encrypted", SslMode::Require, None)), Ok(true), "nothing is verified without a root certificate");
    // prefer goes on without TLS where that is let in, and tells both where it is not.
    assert_eq!(tls.connect(tls.profile("anyway", SslMode::Prefer, root)), Ok(false));
    let both = tls.fails(tls.profile("encrypted", SslMode::Prefer, root));
    assert_eq!(both.kind, ErrorKind::Tls);
    assert!(both.message.contains("has expired") && both.message.contains("no encryption"), "{both:?}");

    tls.server.configure("ssl = off");
    tls.server.restart();
    let off = tls.fails(tls.profile("anyway", SslMode::Require, None));
    assert_eq!((off.kind, off.hint.is_some()), (ErrorKind::Tls, true), "{off:?}");
    assert!(off.message.ends_with("does not offer TLS, which sslmode demands"), "{off:?}");
    assert_eq!(tls.connect(tls.profile("anyway", SslMode::Prefer, None)), Ok(false));
    let once = tls.fails(tls.profile("nobody", SslMode::Prefer, None));
    assert!(!once.message.contains("without"), "there was no second way: {once:?}");
}
