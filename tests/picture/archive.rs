//! `archive-failing`.

use std::time::Duration;

use pgbaton::model::{Archiver, ErrorKind, Level, Time};

use crate::scenario::Scenario;

/// An archiver that worked so many seconds before the scenario's present and failed so many before it.
fn archiver(s: &Scenario, worked: Option<u64>, failed: Option<u64>) -> Archiver {
    let ago = |seconds: u64| Time::from_micros(s.now().as_micros() - i64::try_from(seconds).unwrap() * 1_000_000);
    Archiver {
        archived: 12,
        failed: 3,
        last_archived: worked.map(ago),
        last_failed: failed.map(ago),
        last_failed_wal: failed.map(|_| "000000010000000000000005".to_owned()),
        waiting: failed.map(|_| 52),
        always: false,
    }
}

fn fails(s: &mut Scenario, member: &str, worked: Option<u64>, failed: Option<u64>) {
    let archiver = archiver(s, worked, failed);
    s.sql(member, |sql| sql.archiver = Some(archiver));
}

#[test]
fn an_archiver_whose_newest_attempt_failed() {
    let mut s = Scenario::healthy();
    fails(&mut s, "psg1", Some(9), None);
    assert_eq!(s.pass(1).codes(), Vec::<&str>::new());
    fails(&mut s, "psg1", Some(839), Some(0));
    s.pass(5);
    assert_eq!(s.codes(), Vec::<&str>::new(), "the next attempt may succeed");
    s.pass(1);
    assert_eq!(s.codes(), ["archive-failing"]);
    assert_eq!(s.sentence("archive-failing"), "psg1 cannot archive its WAL: the last success was 14 min ago, 52 files wait");
    let found = s.finding("archive-failing").unwrap();
    assert_eq!((found.severity, found.subject.as_deref()), (Level::Warning, Some("psg1")));
    let evidence: Vec<_> = found.evidence.iter().map(|e| format!("{}: {}", e.what, e.value)).collect();
    assert_eq!(evidence[2..], ["failed_count: 3", "last_failed_wal: 000000010000000000000005", "files waiting: 52"]);
    let doc = s.member("psg1").archiver.as_ref().unwrap();
    assert_eq!((doc.failing, doc.waiting, doc.last_failed_wal.as_deref()), (true, Some(52), Some("000000010000000000000005")));

    s.sql("psg1", |sql| sql.archiver.as_mut().unwrap().waiting = Some(1)).pass(1);
    assert!(s.sentence("archive-failing").ends_with(" ago, 1 file waits"));
    s.sql("psg1", |sql| sql.archiver.as_mut().unwrap().waiting = None).pass(1);
    assert!(s.sentence("archive-failing").ends_with(" min ago"), "a user without pg_monitor does not see how many");
    s.sql("psg1", |sql| sql.archiver.as_mut().unwrap().last_archived = None).pass(1);
    assert_eq!(s.sentence("archive-failing"), "psg1 cannot archive its WAL: nothing was archived yet");
    s.sql("psg1", |sql| sql.archiver.as_mut().unwrap().waiting = Some(0)).pass(1);
    assert_eq!(s.codes(), Vec::<&str>::new(), "nothing waits");
    fails(&mut s, "psg1", Some(0), Some(3));
    assert_eq!(s.pass(1).codes(), Vec::<&str>::new(), "it worked since");
}

#[test]
fn one_who_looks_once_hears_of_it() {
    let mut s = Scenario::unheard();
    fails(&mut s, "psg1", Some(839), Some(40));
    s.list();
    assert_eq!(s.pass(1).codes(), ["archive-failing"]);
    s.fails("sql psg1", ErrorKind::Timeout, "late").pass(1);
    assert_eq!(s.finding("archive-failing"), None, "it is not known to fail now");
}

#[test]
fn a_standby_keeps_old_figures_unless_it_archives_itself() {
    let mut s = Scenario::healthy();
    fails(&mut s, "psg2", Some(839), Some(400));
    s.pass(10);
    assert_eq!(s.codes(), Vec::<&str>::new());
    assert!(!s.member("psg2").archiver.as_ref().unwrap().failing);
    s.sql("psg2", |sql| sql.archiver.as_mut().unwrap().always = true).pass(10);
    assert_eq!(s.codes(), ["archive-failing"]);

    // It takes over: what it could not archive as a leader of long ago says nothing of now.
    let mut s = Scenario::healthy();
    let old = archiver(&s, Some(90_000), Some(80_000));
    s.promote("psg2", 2).sql("psg2", |sql| sql.archiver = Some(old));
    s.pass(30);
    assert_eq!(s.finding("archive-failing"), None);
    let failed = s.now().plus(Duration::from_secs(1));
    s.sql("psg2", |sql| sql.archiver.as_mut().unwrap().last_failed = Some(failed)).pass(10);
    assert_eq!(s.codes(), ["archive-failing"]);
}
