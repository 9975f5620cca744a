//! `slot-retains-wal`, `slot-lost`, `logical-slot-unmanaged`, and what the document says of slots and subscriptions.

use std::time::Duration;

use pgbaton::model::{ErrorKind, Level, Lsn, Slot, Subscription};
use serde_json::json;

use crate::scenario::{Scenario, slot};

const GB: u64 = 1 << 30;
const MB: u64 = 1 << 20;

/// The member has this one slot.
fn has(s: &mut Scenario, member: &str, slot: &Slot) {
    s.sql(member, |sql| sql.slots = vec![slot.clone()]);
}

/// So many seconds pass; in each one the slot keeps so many bytes more.
fn grows(s: &mut Scenario, member: &str, seconds: u32, bytes: u64) {
    for _ in 0..seconds {
        s.sql(member, |sql| {
            let slot = &mut sql.slots[0];
            slot.retained = slot.retained.map(|b| b + bytes);
            slot.safe = slot.safe.map(|b| b.saturating_sub(bytes));
        });
        s.pass(1);
    }
}

#[test]
fn a_forgotten_slot_is_told_at_once() {
    let mut s = Scenario::healthy();
    has(&mut s, "psg1", &Slot { retained: Some(GB), ..slot("forgotten", "physical") });
    assert_eq!(s.pass(1).codes(), Vec::<&str>::new(), "the limit itself is allowed");
    has(&mut s, "psg1", &Slot { retained: Some(256 * GB), ..slot("forgotten", "physical") });
    assert_eq!(s.pass(29).codes(), Vec::<&str>::new(), "on a replica Patroni may move it on at its next loop");
    assert_eq!(s.pass(15).codes(), ["slot-retains-wal"]);
    let mut s = Scenario::healthy();
    has(&mut s, "psg1", &Slot { retained: Some(256 * GB), ..slot("forgotten", "physical") });
    assert_eq!(s.pass(1).codes(), ["slot-retains-wal"], "one that is so when first seen");
    assert_eq!(
        s.sentence("slot-retains-wal"),
        "the slot forgotten on psg1 keeps 256.0 GB of WAL, and nobody reads it; only the disk limits it"
    );
    let found = s.finding("slot-retains-wal").unwrap();
    assert_eq!((found.severity, found.subject.as_deref()), (Level::Warning, Some("psg1 forgotten")));
    let evidence: Vec<_> = found.evidence.iter().map(|e| format!("{} {}: {}", e.source, e.what, e.value)).collect();
    assert_eq!(
        evidence,
        [
            "sql psg1 WAL kept: 274877906944 bytes",
            "sql psg1 active: false",
            "sql psg1 growth: not known yet",
            "sql psg1 wal_status: reserved",
            "sql psg1 safe_wal_size: no limit is set"
        ]
    );
    s.sql("psg1", |sql| sql.slots[0].retained = None).pass(1);
    assert_eq!(s.codes(), Vec::<&str>::new(), "how much is kept is not known");
}

#[test]
fn the_rate_and_the_end_are_told_when_they_are_known() {
    let mut s = Scenario::healthy();
    has(&mut s, "psg3", &Slot { retained: Some(2 * GB), ..slot("cdc", "physical") });
    grows(&mut s, "psg3", 50, MB);
    assert_eq!(s.member("psg3").slots[0].growth_bytes_per_second, None, "too short a time for a rate");
    grows(&mut s, "psg3", 30, MB);
    assert_eq!(
        s.sentence("slot-retains-wal"),
        "the slot cdc on psg3 keeps 2.1 GB of WAL, and nobody reads it; it grows by 3.5 GB an hour, and only the disk ends that"
    );

    let mut s = Scenario::healthy();
    has(&mut s, "psg1", &Slot { retained: Some(2 * GB), safe: Some(18 * GB), ..slot("cdc", "physical") });
    s.pass(1);
    assert!(s.sentence("slot-retains-wal").ends_with("and nobody reads it; after 18.0 GB more it is lost"));
    grows(&mut s, "psg1", 80, MB);
    assert!(s.sentence("slot-retains-wal").ends_with("; at 3.5 GB an hour it is lost in 5 h 05 min"), "{}", s.sentence("slot-retains-wal"));
    let doc = &s.member("psg1").slots[0];
    assert_eq!(doc.growth_bytes_per_second.map(f64::round), Some(MB as f64));
    assert_eq!(doc.safe_seconds.map(f64::round), Some((18 * 1024 - 80) as f64));
    grows(&mut s, "psg1", 700, 0);
    let doc = &s.member("psg1").slots[0];
    assert_eq!((doc.growth_bytes_per_second, doc.safe_seconds), (Some(0.0), None), "nothing is written: there is no end in sight");
}

#[test]
fn a_replica_that_catches_up_makes_no_noise() {
    let mut s = Scenario::healthy();
    has(&mut s, "psg1", &Slot { retained: Some(0), active: true, ..slot("psg2", "physical") });
    s.pass(5);
    // It is restarted, and for some seconds it is away and then behind.
    has(&mut s, "psg1", &Slot { retained: Some(3 * GB), active: false, ..slot("psg2", "physical") });
    s.pass(10);
    assert_eq!(s.codes(), Vec::<&str>::new());
    has(&mut s, "psg1", &Slot { retained: Some(2 * GB), active: true, ..slot("psg2", "physical") });
    s.pass(10);
    assert_eq!(s.codes(), Vec::<&str>::new());
    has(&mut s, "psg1", &Slot { retained: Some(MB), active: true, ..slot("psg2", "physical") });
    assert_eq!(s.pass(60).codes(), Vec::<&str>::new());

    has(&mut s, "psg1", &Slot { retained: Some(3 * GB), active: true, ..slot("psg2", "physical") });
    s.pass(29);
    assert_eq!(s.codes(), Vec::<&str>::new());
    s.pass(20);
    assert_eq!(s.codes(), ["slot-retains-wal"], "it does not catch up");
    assert!(s.sentence("slot-retains-wal").starts_with("the slot psg2 on psg1 keeps 3.0 GB of WAL, and its reader is behind; "));

    let mut s = Scenario::healthy();
    has(&mut s, "psg1", &Slot { retained: Some(12 * GB), active: true, ..slot("psg2", "physical") });
    assert_eq!(s.pass(1).codes(), ["slot-retains-wal"], "so much is told without waiting");
}

#[test]
fn what_is_not_current_is_not_found_and_not_remembered() {
    let mut s = Scenario::healthy();
    has(&mut s, "psg2", &Slot { retained: Some(2 * GB), ..slot("cdc", "physical") });
    grows(&mut s, "psg2", 80, MB);
    s.fails("sql psg2", ErrorKind::Refused, "refused").pass(1);
    assert_eq!(s.finding("slot-retains-wal"), None);
    assert!(s.member("psg2").slots.is_empty());
    s.answers("sql psg2");
    has(&mut s, "psg2", &Slot { retained: Some(2 * GB), ..slot("cdc", "physical") });
    s.sql("psg2", |sql| sql.timeline = Some(2)).pass(1);
    assert_eq!(s.member("psg2").slots[0].growth_bytes_per_second, None, "on another timeline it is another figure");
}

#[test]
fn a_slot_that_is_lost_or_about_to_be() {
    let mut s = Scenario::healthy();
    let lost = |reason: Option<&str>| Slot {
        retained: None,
        wal_status: Some("lost".to_owned()),
        invalidation: reason.map(str::to_owned),
        ..slot("psg3", "physical")
    };
    for (reason, sentence) in [
        (None, "the slot psg3 on psg1 is lost: WAL that its reader needs is removed"),
        (Some("wal_removed"), "the slot psg3 on psg1 is lost: WAL that its reader needs is removed"),
        (Some("rows_removed"), "the slot psg3 on psg1 is lost: rows that its reader needs are removed"),
        (Some("wal_level_insufficient"), "the slot psg3 on psg1 is lost: wal_level is too low for it"),
        (Some("idle_timeout"), "the slot psg3 on psg1 is lost: nobody has read it for idle_replication_slot_timeout"),
        (Some("moonlight"), "the slot psg3 on psg1 is lost: moonlight"),
    ] {
        has(&mut s, "psg1", &lost(reason));
        assert_eq!(s.pass(1).codes(), ["slot-lost"]);
        assert_eq!(s.sentence("slot-lost"), sentence);
    }
    has(&mut s, "psg1", &Slot { retained: Some(5 * GB), wal_status: Some("unreserved".to_owned()), ..slot("psg3", "physical") });
    assert_eq!(s.pass(1).codes(), ["slot-lost"], "one finding, not two");
    assert_eq!(s.sentence("slot-lost"), "the slot psg3 on psg1 is over max_slot_wal_keep_size at 5.0 GB: the next checkpoint may lose it");
    assert_eq!(s.finding("slot-lost").unwrap().severity, Level::Warning);
    for status in [Some("reserved"), Some("extended"), None] {
        has(&mut s, "psg1", &Slot { wal_status: status.map(str::to_owned), ..slot("psg3", "physical") });
        assert_eq!(s.pass(1).codes(), Vec::<&str>::new(), "{status:?}");
    }
}

#[test]
fn a_logical_slot_that_a_failover_ends() {
    let mut s = Scenario::healthy();
    has(&mut s, "psg1", &Slot { active: true, ..slot("debezium", "logical") });
    assert_eq!(s.pass(1).codes(), ["logical-slot-unmanaged"]);
    assert_eq!(
        s.sentence("logical-slot-unmanaged"),
        "the logical slot debezium on psg1 is gone after a failover, and its subscriber stops; Patroni drops what nobody reads"
    );
    let found = s.finding("logical-slot-unmanaged").unwrap();
    assert_eq!((found.severity, found.subject.as_deref()), (Level::Warning, Some("psg1")));
    assert_eq!(found.evidence[0].value, "active, database app, plugin pgoutput, not configured");

    s.sql("psg1", |sql| sql.slots.push(slot("other", "logical"))).pass(1);
    assert_eq!(
        s.sentence("logical-slot-unmanaged"),
        "the logical slots debezium and other on psg1 are gone after a failover, and their subscribers stop; Patroni drops what nobody reads"
    );
}

#[test]
fn a_slot_that_is_carried_over_or_ends_by_itself_is_fine() {
    let wanted = json!({"type": "logical", "database": "app", "plugin": "pgoutput"});
    let untyped = json!({"database": "app", "plugin": "pgoutput"});
    for (key, value) in [("slots", &wanted), ("permanent_slots", &wanted), ("permanent_replication_slots", &untyped)] {
        let mut s = Scenario::healthy();
        s.merge("config", json!({key: {"cdc": value}}));
        has(&mut s, "psg1", &slot("cdc", "logical"));
        assert_eq!(s.pass(1).codes(), Vec::<&str>::new(), "{key} {value}");
    }
    for fine in [
        Slot { failover: true, ..slot("cdc", "logical") },
        Slot { temporary: true, ..slot("cdc", "logical") },
        slot("pg_16394_sync_16385_7711549358043286544", "logical"),
        slot("backup", "physical"),
    ] {
        let mut s = Scenario::healthy();
        has(&mut s, "psg1", &fine);
        assert_eq!(s.pass(1).codes(), Vec::<&str>::new(), "{fine:?}");
    }
    // On a replica, and on the leader of a standby cluster, whose slots are made by others.
    let mut s = Scenario::healthy();
    has(&mut s, "psg2", &slot("cdc", "logical"));
    assert_eq!(s.pass(1).codes(), Vec::<&str>::new());
    let mut s = Scenario::healthy();
    has(&mut s, "psg1", &slot("cdc", "logical"));
    s.sql("psg1", |sql| sql.in_recovery = true).pass(1);
    assert_eq!(s.finding("logical-slot-unmanaged"), None);
}

#[test]
fn a_configuration_that_does_not_fit_does_not_carry() {
    for config in [
        json!({"slots": {"cdc": {"type": "physical"}}}),
        json!({"slots": {"cdc": null}}),
        json!({"slots": {"cdc": {"type": "logical", "database": "app", "plugin": "wal2json"}}}),
        json!({"slots": {"cdc": {"type": "logical", "database": "other", "plugin": "pgoutput"}}}),
        json!({"slots": {"other": {"type": "logical", "database": "app", "plugin": "pgoutput"}}}),
        json!({"permanent_slots": {"other": null}, "slots": {"cdc": {"type": "logical", "database": "app", "plugin": "pgoutput"}}}),
        json!({"postgresql": {"use_slots": false}, "slots": {"cdc": {"type": "logical", "database": "app", "plugin": "pgoutput"}}}),
        json!({"ignore_slots": [{"name": "other"}, {"database": "app", "type": "physical"}]}),
    ] {
        let mut s = Scenario::healthy();
        s.merge("config", config.clone());
        has(&mut s, "psg1", &slot("cdc", "logical"));
        assert_eq!(s.pass(1).codes(), ["logical-slot-unmanaged"], "{config}");
        assert!(s.sentence("logical-slot-unmanaged").ends_with("; Patroni drops what nobody reads"), "{config}");
    }
}

#[test]
fn what_patroni_ignores_may_be_copied_by_somebody_else() {
    for ignored in
        [json!([{"name": "cdc"}]), json!([{"plugin": "pgoutput", "type": "logical"}]), json!([{"name": "x"}, {"database": "app"}])]
    {
        let mut s = Scenario::healthy();
        s.merge("config", json!({"ignore_slots": ignored}));
        has(&mut s, "psg1", &slot("cdc", "logical"));
        s.pass(1);
        assert_eq!(s.sentence("logical-slot-unmanaged"), "the logical slot cdc on psg1 is gone after a failover, and its subscriber stops");
        assert!(s.finding("logical-slot-unmanaged").unwrap().evidence[0].value.ends_with("in ignore_slots"));
        s.silent("sql psg3").pass(10);
        assert_eq!(s.finding("logical-slot-unmanaged"), None, "whether psg3 has a copy is not known");
        s.answers("sql psg3");
        has(&mut s, "psg3", &slot("cdc", "logical"));
        assert_eq!(s.pass(1).codes(), Vec::<&str>::new(), "psg3 has a copy");
    }
}

#[test]
fn subscriptions_and_their_slots_are_in_the_document() {
    let mut s = Scenario::healthy();
    let ago = |s: &Scenario, ms: i64| Some(pgbaton::model::Time::from_micros(s.now().plus(Duration::from_secs(1)).as_micros() - ms * 1000));
    let (sent, heard) = (ago(&s, 250), ago(&s, 200));
    let subscription = Subscription { name: "orders".to_owned(), running: true, received: Some(Lsn(77)), sent, heard };
    s.sql("psg1", |sql| {
        sql.subscriptions = vec![
            Subscription { name: "early".to_owned(), sent: heard, heard: sent, ..subscription.clone() },
            Subscription { name: "off".to_owned(), running: false, received: None, sent: None, heard: None },
            subscription,
        ];
        sql.slots = vec![Slot { unconfirmed: Some(5), failover: true, ..slot("cdc", "logical") }];
    });
    s.pass(1);
    let psg1 = s.member("psg1");
    let told: Vec<_> = psg1.subscriptions.iter().map(|d| (d.name.as_str(), d.running, d.last_message_ms, d.delay_ms)).collect();
    assert_eq!(told, [("early", true, Some(250), None), ("off", false, None, None), ("orders", true, Some(200), Some(50))]);
    assert_eq!((psg1.slots[0].unconfirmed_bytes, psg1.slots[0].plugin.as_deref()), (Some(5), Some("pgoutput")));
    assert_eq!(s.member("psg2").subscriptions, []);
}
