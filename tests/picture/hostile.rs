//! Text from outside that is made to hurt: it is put into every place of every fact that holds text, and none of it comes out.

use std::collections::BTreeSet;
use std::time::Duration;

use pgbaton::live::Picture;
use pgbaton::model::{
    Certificate, Cluster, ErrorKind, Fact, Observation, RouteUse, Slot, SourceError, SourceId, SourceKind, Subscription, Time,
};
use serde_json::{Value, json};

use crate::scenario::{Scenario, slot};

/// Clears the screen, changes the direction of what follows, rings, and sets the window's title.
const HOSTILE: &str = "\u{1b}[2J\u{202e}\u{7}\u{9b}31m\u{2066}\u{61c}\u{1b}]0;owned\u{7}\r\n\u{200f}";

/// A start of each source, with what is there only now and then: slots, an archiver, tags, waiting settings, errors, a request.
fn everything() -> Vec<Observation> {
    let mut scenario = Scenario::unheard();
    scenario.etcd(2, |s| s.errors = vec!["etcdserver: no leader".to_owned()]);
    scenario.patroni(
        "psg1",
        json!({"replication": [{"application_name": "psg2", "client_addr": "192.0.2.12", "state": "streaming", "sync_state": "sync"}]}),
    );
    let waiting = json!({"max_connections": {"old_value": "100", "new_value": "200"}});
    scenario
        .patroni("psg2", json!({"pending_restart": true, "pending_restart_reason": waiting, "tags": {"nofailover": true, "zone": "a"}}));
    scenario.sql("psg1", |s| {
        s.slots =
            vec![Slot { wal_status: Some("lost".to_owned()), invalidation: Some("wal_removed".to_owned()), ..slot("cdc", "logical") }];
        let open = json!({"pid": 1, "user": "u", "application": "a", "database": "d", "client": "192.0.2.1", "state": "active",
            "started": "2026-11-24T02:00:00Z", "state_since": "2026-11-24T02:00:00Z", "holds_back": 1});
        s.oldest_transaction = Some(serde_json::from_value(open.clone()).unwrap());
        s.idle_transaction = Some(serde_json::from_value(open).unwrap());
        s.subscriptions = vec![Subscription { name: "orders".to_owned(), running: true, received: None, sent: None, heard: None }];
        let archiver =
            json!({"archived": 1, "failed": 1, "last_archived": null, "last_failed": "2026-11-24T02:00:00Z", "last_failed_wal": "000000010000000000000001", "waiting": 1, "always": false});
        s.archiver = Some(serde_json::from_value(archiver).unwrap());
    });
    scenario.fails_with("rest psg3", SourceError::new(ErrorKind::Tls, "a certificate is not valid").with_hint("set ctl.cacert"));
    let certificate = Certificate {
        ours: false,
        subject: "CN=psg1".to_owned(),
        issuer: "CN=Example CA".to_owned(),
        not_after: scenario.now().plus(Duration::from_secs(86_400)),
    };
    scenario.report(SourceId::new(SourceKind::Rest, "psg1"), Fact::Certificate(Box::new(certificate)));
    scenario.etcd_alarms(Some(&[(1, "NOSPACE")]));
    scenario.put("sync", r#"{"leader": "psg1", "sync_standby": "psg2"}"#);
    scenario.put("failover", r#"{"leader": "psg1", "member": "psg2"}"#);
    scenario.put("history", r#"[[1,67243696,"no recovery target specified","2026-11-24T01:50:27.441270+00:00","psg1"]]"#);
    scenario.put("failsafe", r#"{"psg1": "http://192.0.2.11:8008/patroni"}"#);
    scenario.list();
    scenario.pass(1);
    scenario.merge("config", json!({"synchronous_mode": "on", "postgresql": {"parameters": {"archive_command": "cp %p /archive"}}}));
    scenario.merge("members/psg2", json!({"tags": {"zone": "b"}, "state": "running"}));
    scenario.pass(1);
    scenario.recorded().to_vec()
}

#[test]
fn nothing_hostile_reaches_the_document_or_the_events() {
    let heard = everything();
    let as_values: Vec<Value> = heard.iter().map(|o| serde_json::to_value(o).unwrap()).collect();
    let mut tried = BTreeSet::new();
    for (at, value) in as_values.iter().enumerate() {
        for (place, poisoned) in poison(value) {
            // The same place of a later second says nothing more.
            if !tried.insert(format!("{} {place}", heard[at].source)) {
                continue;
            }
            let Ok(poisoned) = serde_json::from_value::<Observation>(poisoned) else { continue };
            let mut heard = heard.clone();
            heard[at] = poisoned;
            let shown = replay(heard);
            let bad: Vec<&String> = shown.iter().filter(|text| text.contains(harmful)).collect();
            assert!(bad.is_empty(), "{place} of {}: {bad:?}", as_values[at]);
        }
    }
    assert!(tried.len() > 150, "only {} places were tried", tried.len());
}

#[test]
fn names_of_the_cluster_itself_are_washed_too() {
    let cluster = Cluster::new(HOSTILE, HOSTILE, Default::default());
    let document = Picture::new(HOSTILE, cluster).document(Time::from_micros(1));
    let shown = texts(&serde_json::to_value(&document).unwrap());
    assert!(!shown.iter().any(|text| text.contains(harmful)), "{shown:?}");
}

#[test]
fn the_check_sees_what_it_looks_for() {
    assert!(HOSTILE.chars().any(harmful));
    assert!(texts(&json!({"a": [{HOSTILE: 1}]})).iter().any(|text| text.contains(harmful)));
    assert!(!"häßlich, but harmless � 日本".contains(harmful));
}

/// Every text that a reader may see: of the document at each step, of the changes, of their sentences.
fn replay(heard: Vec<Observation>) -> Vec<String> {
    let cluster = Cluster::new("psg", "/service/", [("vm1".to_owned(), RouteUse::default())].into());
    let mut picture = Picture::new("card-prod", cluster);
    let now = heard.last().unwrap().at;
    let changes = picture.apply(heard);
    let mut shown = texts(&serde_json::to_value(picture.document(now)).unwrap());
    for change in &changes {
        shown.push(change.sentence());
        shown.extend(texts(&serde_json::to_value(change).unwrap()));
    }
    shown
}

/// What moves a cursor or turns text around (Unicode 15: general category Cc, and the characters with `Bidi_Control`).
fn harmful(c: char) -> bool {
    c.is_control() || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(map) => map.iter().flat_map(|(name, value)| [vec![name.clone()], texts(value)].concat()).collect(),
        _ => Vec::new(),
    }
}

/// The value with hostile text in one place, for each place, with the place's name. Text that is JSON is looked into as well.
fn poison(value: &Value) -> Vec<(String, Value)> {
    match value {
        Value::String(text) => {
            let mut all = vec![(String::new(), json!(format!("{text}{HOSTILE}")))];
            if let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str::<Value>(text) {
                all.extend(poison(&inner).into_iter().map(|(place, value)| (format!("~{place}"), json!(value.to_string()))));
            }
            all
        }
        Value::Array(items) => {
            let one = |at: usize| {
                poison(&items[at]).into_iter().map(move |(place, value)| {
                    let mut items = items.clone();
                    items[at] = value;
                    (format!("[{at}]{place}"), Value::Array(items))
                })
            };
            (0..items.len()).flat_map(one).collect()
        }
        Value::Object(map) => {
            let mut all = Vec::new();
            for (name, value) in map {
                for (place, poisoned) in poison(value) {
                    let mut map = map.clone();
                    map.insert(name.clone(), poisoned);
                    all.push((format!(".{name}{place}"), Value::Object(map)));
                }
                let renamed =
                    map.iter().map(|(n, v)| if n == name { (format!("{n}{HOSTILE}"), v.clone()) } else { (n.clone(), v.clone()) });
                all.push((format!(".{name}?"), Value::Object(renamed.collect())));
            }
            all
        }
        _ => Vec::new(),
    }
}
