//! What etcd's members say of themselves: `etcd-alarm`, `etcd-member-behind`, `etcd-slow`, `etcd-db-near-quota`.

use pgbaton::document::Level;
use pgbaton::model::{ErrorKind, EtcdMetrics, EtcdStatus, Histogram};

use crate::scenario::Scenario;

fn index(index: u64, applied: u64) -> impl FnOnce(&mut EtcdStatus) {
    move |status| (status.raft_index, status.raft_applied_index) = (index, applied)
}

/// All members have written up to here.
fn at(s: &mut Scenario, indices: &[u64]) {
    for (n, i) in indices.iter().enumerate() {
        s.etcd(n as u64 + 1, index(*i, *i));
    }
    s.pass(1);
}

#[test]
fn an_alarm_is_critical_as_long_as_it_is_told() {
    let mut s = Scenario::healthy();
    s.etcd_alarms(Some(&[(2, "NOSPACE")]));
    assert_eq!(s.codes(), ["etcd-alarm"]);
    assert_eq!(s.sentence("etcd-alarm"), "etcd is full (alarm NOSPACE of psg2): it takes no writes, so nobody can take over");
    let finding = s.finding("etcd-alarm").unwrap();
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Critical, Some("NOSPACE")));
    assert_eq!(finding.evidence[0].source, "etcd http://192.0.2.12:2379");
    assert_eq!(s.document().etcd.members[1].alarms, ["NOSPACE"]);

    s.etcd_alarms(Some(&[(3, "CORRUPT"), (2, "NOSPACE"), (1, "NOSPACE")]));
    let sentences: Vec<&str> = s.document().findings.iter().map(|f| f.sentence.as_str()).collect();
    assert_eq!(
        sentences,
        [
            "etcd has found its data on psg3 corrupt (alarm CORRUPT): it takes no writes, so nobody can take over",
            "etcd is full (alarm NOSPACE of psg1 and psg2): it takes no writes, so nobody can take over",
        ]
    );
    s.etcd_alarms(Some(&[]));
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn alarms_that_cannot_be_read_are_neither_there_nor_gone() {
    let mut s = Scenario::healthy();
    s.etcd_alarms(None).pass(1);
    assert_eq!(s.verdict(), "healthy");
    s.etcd_alarms(Some(&[(1, "NOSPACE")])).pass(1);
    // One member that has no majority behind it does not know of the alarms; that is no word on them.
    s.etcd_alarms(None).pass(20);
    assert_eq!(s.codes(), ["etcd-alarm"]);
    s.pass(5);
    assert_eq!(s.codes(), Vec::<&str>::new(), "too old to be said of now");
}

#[test]
fn a_member_that_has_not_heard_of_an_alarm_does_not_end_it() {
    let mut s = Scenario::healthy();
    s.etcd(2, |status| status.errors.push("memberID:2 alarm:NOSPACE ".to_owned()));
    s.etcd_alarms(Some(&[(2, "NOSPACE")])).pass(1);
    s.etcd_alarms(Some(&[])).pass(1);
    assert_eq!(s.codes(), ["etcd-alarm"]);
    s.etcd(2, |status| status.errors.clear()).pass(1);
    s.etcd_alarms(Some(&[])).pass(1);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn a_member_far_behind_is_told_after_three_readings() {
    let mut s = Scenario::healthy();
    at(&mut s, &[5000, 5000, 140]);
    at(&mut s, &[5010, 5010, 150]);
    at(&mut s, &[5020, 5020, 160]);
    assert_eq!(s.codes(), Vec::<&str>::new(), "two readings can be compared so far");
    at(&mut s, &[5030, 5030, 170]);
    assert_eq!(s.codes(), ["etcd-member-behind"]);
    let finding = s.finding("etcd-member-behind").unwrap();
    assert_eq!(finding.sentence, "the etcd member psg3 is 4850 entries behind the others (limit 1000)");
    assert_eq!((finding.severity, finding.subject.as_deref()), (Level::Warning, Some("psg3")));
    let said: Vec<&str> = finding.evidence.iter().map(|e| e.value.as_str()).collect();
    assert_eq!(said, ["170", "170", "4850", "5030"]);
    assert_eq!(s.document().etcd.members[2].behind_entries, Some(4850));

    // It has caught up for one reading, and for three.
    at(&mut s, &[5040, 5040, 5030]);
    assert_eq!(s.codes(), ["etcd-member-behind"]);
    at(&mut s, &[5050, 5050, 5040]);
    at(&mut s, &[5060, 5060, 5050]);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn a_member_that_was_read_earlier_is_not_behind() {
    // 2000 entries in each second: whoever is read first has fewer, and none lags.
    let mut s = Scenario::healthy();
    for second in 1..10 {
        let written = second * 2000;
        at(&mut s, &[written, written + 500, written + 1900]);
        assert_eq!(s.codes(), Vec::<&str>::new());
    }
    assert!(s.document().etcd.members.iter().all(|m| m.behind_entries == Some(0)));
}

#[test]
fn what_is_not_applied_counts_without_a_comparison() {
    let mut s = Scenario::healthy();
    for n in 1..=3 {
        s.etcd(2, index(5000 + n, 140)).etcd(1, index(5000 + n, 5000 + n)).etcd(3, index(5000 + n, 5000 + n)).pass(1);
    }
    assert_eq!(s.sentence("etcd-member-behind"), "the etcd member psg2 has 4863 entries that it has not applied (limit 1000)");
    // A version that does not tell what it has applied (before 3.4) says nothing of it.
    let mut s = Scenario::healthy();
    s.etcd(2, index(5000, 0)).etcd(1, index(5000, 0)).etcd(3, index(5000, 0)).pass(4);
    assert_eq!(s.verdict(), "healthy");
}

#[test]
fn a_learner_has_time_to_catch_up() {
    let mut s = Scenario::healthy();
    s.etcd_members(4).etcd_learner(4);
    s.etcd(1, index(9000, 9000)).etcd(2, index(9000, 9000)).etcd(3, index(9000, 9000)).etcd(4, index(10, 10)).pass(10);
    assert_eq!(s.verdict(), "healthy");
    assert_eq!((s.document().etcd.size, s.document().etcd.members[3].state.as_str()), (Some(3), "learner"));
    s.pass(4);
    assert_eq!(
        s.sentence("etcd-member-behind"),
        "the etcd learner psg4 is 8990 entries behind the others (limit 1000); it has no vote, and cannot be given one before it has caught up"
    );
}

#[test]
fn a_member_that_is_silent_is_not_called_behind() {
    let mut s = Scenario::healthy();
    for n in 1..=5 {
        at(&mut s, &[5000 + n, 5000 + n, 140]);
    }
    assert_eq!(s.codes(), ["etcd-member-behind"]);
    s.fails("etcd 3", ErrorKind::Refused, "refused").pass(1);
    assert_eq!(s.codes(), ["quorum-at-risk"]);
    // It comes back with what it had: the row begins anew.
    s.etcd(3, index(140, 140)).pass(2);
    assert_eq!(s.codes(), Vec::<&str>::new());
    s.pass(1);
    assert_eq!(s.codes(), ["etcd-member-behind"]);
}

/// Counters after so many fsyncs of at most 1 ms, and so many of 128 to 256 ms.
fn counted(quick: u64, slow: u64) -> EtcdMetrics {
    let buckets = vec![(0.001, quick), (0.064, quick), (0.128, quick), (0.256, quick + slow)];
    EtcdMetrics {
        fsync: Some(Histogram { buckets: buckets.clone(), count: quick + slow }),
        commit: Some(Histogram { buckets, count: quick + slow }),
        quota: Some(0),
        ..EtcdMetrics::default()
    }
}

#[test]
fn slow_answers_of_one_member() {
    let mut s = Scenario::healthy();
    s.etcd_takes(2, 412).pass(2);
    assert_eq!(s.codes(), Vec::<&str>::new(), "two slow answers are none yet");
    s.pass(1);
    assert_eq!(s.codes(), ["etcd-slow"]);
    assert_eq!(s.sentence("etcd-slow"), "the etcd member psg2 takes 412 ms to answer (limit 250 ms)");
    assert_eq!(s.finding("etcd-slow").unwrap().severity, Level::Warning);
    s.etcd_takes(2, 3).pass(1);
    s.etcd_takes(2, 412).pass(1);
    assert_eq!(s.codes(), ["etcd-slow"]);
    s.etcd_takes(2, 3).pass(1);
    assert_eq!(s.sentence("etcd-slow"), "the etcd member psg2 takes 412 ms to answer (limit 250 ms)", "a quick one in between");
    s.etcd_takes(2, 3).pass(3);
    assert_eq!(s.verdict(), "healthy");
    s.etcd_takes(2, 250).pass(5);
    assert_eq!(s.verdict(), "healthy", "the limit itself is not too long");
}

#[test]
fn slow_answers_of_all_members_are_one_finding() {
    let mut s = Scenario::healthy();
    s.etcd_takes(1, 300).etcd_takes(2, 412).etcd_takes(3, 280).pass(3);
    assert_eq!(s.codes(), ["etcd-slow"]);
    let all = "all etcd members take long to answer, up to 412 ms (limit 250 ms): is the way there from here slow?";
    assert_eq!(s.sentence("etcd-slow"), all);
    assert_eq!((s.finding("etcd-slow").unwrap().subject.as_deref(), s.finding("etcd-slow").unwrap().evidence.len()), (None, 3));
    s.fails("etcd 2", ErrorKind::Timeout, "no answer within 2 s").pass(1);
    assert!(!s.sentence("etcd-slow").contains("412"), "one that is silent is not slow: {}", s.sentence("etcd-slow"));
}

#[test]
fn a_slow_disk_is_told_by_the_fsyncs_of_the_last_seconds() {
    let mut s = Scenario::healthy();
    let read = |s: &mut Scenario, quick, slow| {
        s.etcd_counts(3, counted(quick, slow)).pass(10);
    };
    // Since its start it has had thousands of slow ones: that is the past.
    read(&mut s, 10, 5000);
    assert_eq!(s.document().etcd.members[2].fsync_p99_ms, None, "one reading tells nothing");
    read(&mut s, 20, 5000);
    assert_eq!(s.document().etcd.members[2].fsync_p99_ms, Some(0.99));
    assert_eq!(s.codes(), Vec::<&str>::new());
    read(&mut s, 30, 5010);
    assert_eq!(s.codes(), Vec::<&str>::new(), "one slow reading");
    read(&mut s, 40, 5020);
    assert_eq!(
        s.sentence("etcd-slow"),
        "the disk of the etcd member psg3 is slow: the 99th percentile of its fsyncs is over 128 ms (limit 100 ms)"
    );
    assert_eq!(s.finding("etcd-slow").unwrap().evidence[1].value, "about 253 ms");
    read(&mut s, 50, 5020);
    assert!(s.sentence("etcd-slow").contains("over 128 ms"), "one quick reading in between: {}", s.sentence("etcd-slow"));
    read(&mut s, 60, 5020);
    assert_eq!(s.codes(), Vec::<&str>::new());
    read(&mut s, 70, 5030);
    read(&mut s, 80, 5040);
    assert_eq!(s.codes(), ["etcd-slow"]);
    // It is restarted and counts anew: nothing is known until the second reading.
    read(&mut s, 1, 2);
    assert_eq!((s.codes(), s.document().etcd.members[2].fsync_p99_ms), (vec![], None));
    // And no reading at all is no finding.
    s.pass(60);
    assert_eq!((s.codes(), s.document().etcd.members[2].fsync_p99_ms), (vec![], None));
}

#[test]
fn a_bucket_that_holds_the_limit_proves_nothing() {
    let mut s = Scenario::healthy();
    for n in 1..=5 {
        let buckets = vec![(0.064, 0), (0.128, 10 * n)];
        let metrics = EtcdMetrics { fsync: Some(Histogram { buckets, count: 10 * n }), ..EtcdMetrics::default() };
        s.etcd_counts(1, metrics).pass(10);
    }
    assert!(s.document().etcd.members[0].fsync_p99_ms.is_some_and(|ms| ms > 100.0));
    assert_eq!(s.codes(), Vec::<&str>::new(), "it may have been 65 ms");
}

#[test]
fn a_database_that_nears_its_quota() {
    let mut s = Scenario::healthy();
    let size = |size: u64, used: u64| move |status: &mut EtcdStatus| (status.db_size, status.db_in_use) = (size, Some(used));
    s.etcd(1, size(1_800_000_000, 1_700_000_000)).pass(1);
    assert_eq!((s.codes(), s.document().etcd.members[0].quota_bytes), (vec![], None), "the quota is not known");
    s.etcd_counts(1, counted(1, 0));
    assert_eq!(
        s.sentence("etcd-db-near-quota"),
        "the database of the etcd member psg1 is at 83 % of its quota: 1.7 GB of 2.0 GB",
        "a quota of 0 is the default"
    );
    s.etcd(1, size(1_800_000_000, 3_000_000)).pass(1);
    let frees = "the database of the etcd member psg1 is at 83 % of its quota: 1.7 GB of 2.0 GB; only 2.9 MB of it are in use, a \
                 defragmentation frees the rest";
    assert_eq!(s.sentence("etcd-db-near-quota"), frees);
    s.etcd(1, size(1_700_000_000, 1_700_000_000)).pass(1);
    assert_eq!(s.verdict(), "healthy");
    // etcd 3.6 tells the quota in its status, and that counts.
    s.etcd(1, |status| (status.db_size, status.db_quota) = (1_700_000_000, Some(2_000_000_000))).pass(1);
    assert_eq!(s.codes(), ["etcd-db-near-quota"]);
    s.etcd(1, |status| (status.db_size, status.db_quota) = (1_700_000_000, Some(-1))).pass(1);
    assert_eq!((s.verdict(), s.document().etcd.members[0].quota_bytes), ("healthy", None), "without a limit");
}
