//! `certificate-expiring`.

use std::time::Duration;

use pgbaton::document::Level;
use pgbaton::model::{Certificate, ErrorKind, Fact, SourceId, SourceKind};

use crate::scenario::{Scenario, url};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// The source shows a certificate that ends in so many seconds, or has ended so many seconds ago.
fn shows(s: &mut Scenario, kind: SourceKind, target: &str, subject: &str, left: i64) {
    let span = Duration::from_secs(left.unsigned_abs());
    let not_after = if left < 0 { s.now().before(span) } else { s.now().plus(span) };
    let certificate = Certificate { ours: target.starts_with('/'), subject: subject.into(), issuer: "CN=Example CA".into(), not_after };
    s.report(SourceId::new(kind, target), Fact::Certificate(Box::new(certificate)));
}

fn sentences(s: &Scenario) -> Vec<(Level, &str)> {
    s.document().findings.iter().map(|f| (f.severity, f.sentence.as_str())).collect()
}

#[test]
fn one_certificate_is_one_finding_whoever_shows_it() {
    let mut s = Scenario::healthy();
    for (kind, target) in [(SourceKind::Rest, "psg1"), (SourceKind::Sql, "psg1"), (SourceKind::Haproxy, "vm1")] {
        shows(&mut s, kind, target, "CN=psg1", (5 * DAY + 3 * HOUR) as i64);
    }
    shows(&mut s, SourceKind::Etcd, &url(2), "CN=psg2", (2 * DAY) as i64);
    assert_eq!(
        sentences(&s),
        [
            (Level::Critical, "the certificate CN=psg2 of etcd at 192.0.2.12:2379 ends in 2 d 00 h (2026-11-26 03:00 UTC)"),
            (
                Level::Warning,
                "the certificate CN=psg1 of the REST API of psg1, PostgreSQL on psg1 and the stats page of vm1 ends in 5 d 03 h \
                 (2026-11-29 06:00 UTC)"
            ),
        ]
    );
    let evidence = &s.document().findings[0].evidence;
    assert_eq!(evidence[0].value, "CN=psg2, by CN=Example CA, until 2026-11-26 03:00 UTC");
    let doc = &s.document().certificates;
    assert_eq!(
        doc.iter().map(|c| (c.source.as_str(), c.target.as_str(), c.days_left)).collect::<Vec<_>>()[0],
        ("etcd", url(2).as_str(), 2)
    );
}

#[test]
fn from_where_on_it_is_told() {
    for (left, level) in [
        (21 * DAY + 60, None),
        (21 * DAY - 60, Some(Level::Warning)),
        (3 * DAY, Some(Level::Warning)),
        (3 * DAY - 1, Some(Level::Critical)),
    ] {
        let mut s = Scenario::healthy();
        shows(&mut s, SourceKind::Rest, "psg2", "CN=psg2", left as i64);
        assert_eq!(s.finding("certificate-expiring").map(|f| f.severity), level, "{left}");
    }
    let mut s = Scenario::healthy();
    shows(&mut s, SourceKind::Rest, "psg2", "", -90);
    assert_eq!(sentences(&s), [(Level::Critical, "the certificate of the REST API of psg2 ended 1 min ago (2026-11-24 02:58 UTC)")]);
    assert_eq!(s.document().certificates[0].days_left, -1);
    // Renewed.
    shows(&mut s, SourceKind::Rest, "psg2", "CN=psg2", (90 * DAY) as i64);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn our_own_is_named_by_its_file() {
    let mut s = Scenario::healthy();
    shows(&mut s, SourceKind::Etcd, "/etc/pgbaton/client.pem", "CN=pgbaton", (4 * DAY) as i64);
    assert_eq!(
        sentences(&s),
        [(Level::Warning, "our certificate CN=pgbaton in /etc/pgbaton/client.pem ends in 4 d 00 h (2026-11-28 03:00 UTC)")]
    );
    assert!(s.document().certificates[0].ours);
    // Without it we are blind, and the cluster goes on.
    shows(&mut s, SourceKind::Etcd, "/etc/pgbaton/client.pem", "CN=pgbaton", -(DAY as i64));
    let ended = "our certificate CN=pgbaton in /etc/pgbaton/client.pem ended 1 d 00 h ago (2026-11-23 03:00 UTC)";
    assert_eq!(sentences(&s), [(Level::Warning, ended)]);
    // It is no endpoint of etcd.
    assert_eq!((s.document().etcd.members.len(), s.document().sources.iter().filter(|d| d.name == "etcd").count()), (3, 3));
}

#[test]
fn two_certificates_of_one_name_are_two_findings() {
    let mut s = Scenario::healthy();
    shows(&mut s, SourceKind::Rest, "psg1", "CN=patroni", (5 * DAY) as i64);
    shows(&mut s, SourceKind::Rest, "psg2", "CN=patroni", (6 * DAY) as i64);
    s.pass(2);
    let subjects: Vec<Option<&str>> = s.document().findings.iter().map(|f| f.subject.as_deref()).collect();
    assert_eq!(subjects, [Some("CN=patroni until 2026-11-29 03:00 UTC"), Some("CN=patroni until 2026-11-30 03:00 UTC")]);
}

#[test]
fn what_was_shown_by_somebody_who_is_silent_is_not_told_of_now() {
    let mut s = Scenario::healthy();
    shows(&mut s, SourceKind::Sql, "psg2", "CN=psg2", (4 * DAY) as i64);
    assert_eq!(s.codes(), ["certificate-expiring"]);
    s.fails("sql psg2", ErrorKind::Refused, "connection refused").pass(1);
    assert_eq!(s.finding("certificate-expiring"), None);
    // A handshake that fails is no silence.
    s.fails("sql psg2", ErrorKind::Tls, "the server's certificate has expired").pass(1);
    assert!(s.finding("certificate-expiring").is_some());
    s.answers("sql psg2").pass(1);
    assert_eq!(s.codes(), ["certificate-expiring"]);
}

#[test]
fn a_handshake_of_long_ago_tells_nothing_of_now() {
    let mut s = Scenario::healthy();
    shows(&mut s, SourceKind::Sql, "psg2", "CN=psg2", (4 * DAY) as i64);
    s.later(Duration::from_secs(3590)).pass(2);
    assert_eq!(s.codes(), ["certificate-expiring"]);
    s.pass(20);
    assert_eq!(s.verdict(), "healthy");
}
