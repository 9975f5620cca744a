//! What the doctor says of a played cluster: of a good one nothing, and of each thing that is spoilt in it that thing alone.

use std::collections::BTreeSet;

use pgbaton::doctor::haproxy::{ProxyFile, read};
use pgbaton::doctor::{Case, HarmDoc, JUDGEMENTS, Report, Severity, Survey};
use pgbaton::finding::explanations;
use pgbaton::model::{AirflowStatus, AirflowTask, ErrorKind, Fact, Parameter, Parameters, SourceId, SourceKind, Time};
use serde_json::{Value, json};

use crate::scenario::{Scenario, airflow_at_rest, slot};

/// Patroni's sample of an HAProxy's configuration, with the write backend's timing of the practice cluster.
const PROXY: &str = "\
defaults
    option clitcpka
    option srvtcpka
listen primary
    option httpchk OPTIONS /primary
    default-server inter 1s fastinter 500ms downinter 1s fall 2 rise 4 on-marked-down shutdown-sessions
    server psg1 192.0.2.11:5432 check port 8008
    server psg2 192.0.2.12:5432 check port 8008
    server psg3 192.0.2.13:5432 check port 8008
listen replicas
    option httpchk OPTIONS /replica
    default-server inter 1s fastinter 500ms downinter 1s fall 2 rise 4
    server psg1 192.0.2.11:5432 check port 8008
    server psg2 192.0.2.12:5432 check port 8008
    server psg3 192.0.2.13:5432 check port 8008
";

pub struct Estate {
    pub scenario: Scenario,
    pub survey: Survey,
}

/// An estate in which nothing would hurt.
pub fn good() -> Estate {
    let mut s = Scenario::healthy();
    s.merge("config", json!({"synchronous_mode": true, "failsafe_mode": true, "postgresql": {"use_pg_rewind": true}}));
    s.put("sync", r#"{"leader": "psg1", "sync_standby": "psg2"}"#);
    let urls: serde_json::Map<String, Value> =
        ["psg1", "psg2", "psg3"].iter().map(|n| ((*n).to_owned(), json!("http://192.0.2.11:8008/patroni"))).collect();
    s.put("failsafe", json!(urls));
    s.sql("psg1", |sql| {
        sql.settings.synchronous_standby_names = Some("psg2".to_owned());
        sql.replication.iter_mut().filter(|row| row.application_name == "psg2").for_each(|row| row.sync_state = Some("sync".to_owned()));
    });
    for n in 1..=3 {
        s.etcd(n, |status| status.db_quota = Some(2 << 30));
    }
    assert_eq!(s.pass(15).codes(), Vec::<&str>::new());
    let mut estate = Estate { scenario: s, survey: Survey::default() };
    for name in ["psg1", "psg2", "psg3"] {
        estate.survey.parameters.insert(name.to_owned(), Ok((parameters(), Time::from_micros(0))));
    }
    estate.survey.proxy_hosts.insert("vm1".to_owned(), Some("192.0.2.1".to_owned()));
    estate.proxy(PROXY);
    estate
}

fn parameters() -> Parameters {
    let all = [
        ("max_connections", "100"),
        ("max_worker_processes", "8"),
        ("max_wal_senders", "10"),
        ("max_prepared_transactions", "0"),
        ("max_locks_per_transaction", "64"),
        ("max_replication_slots", "10"),
        ("hot_standby_feedback", "off"),
        ("archive_mode", "on"),
        ("archive_timeout", "60"),
        ("archive_command", "set"),
        ("tcp_keepalives_idle", "60"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "6"),
    ];
    let parameter = |setting: &str| Parameter { setting: setting.to_owned(), source: "configuration file".to_owned() };
    Parameters(all.iter().map(|(name, setting)| ((*name).to_owned(), parameter(setting))).collect())
}

impl Estate {
    fn proxy(&mut self, text: &str) {
        let config = read("haproxy.cfg", text).unwrap();
        let file = ProxyFile { path: "haproxy.cfg".to_owned(), config, not_run: None, at: self.scenario.now() };
        self.survey.proxies.insert("vm1".to_owned(), Ok(file));
    }

    fn set(&mut self, member: &str, name: &str, setting: &str) {
        let Some(Ok((parameters, _))) = self.survey.parameters.get_mut(member) else { panic!("{member} was not read") };
        parameters.0.insert(name.to_owned(), Parameter { setting: setting.to_owned(), source: "configuration file".to_owned() });
    }

    pub fn report(&self) -> Report {
        let s = &self.scenario;
        let case = Case { cluster: s.cluster(), standing: s.standing(), survey: &self.survey, now: s.now() };
        let report = Report::of(&case, "card-prod");
        for harm in &report.hurts {
            assert!(!harm.evidence.is_empty() && !harm.why.is_empty(), "{harm:#?}");
            assert!(!harm.change.is_empty() || !harm.next.is_empty(), "nothing to do about {harm:#?}");
        }
        report.holds.iter().for_each(|held| assert!(!held.sentence.is_empty()));
        let told = |code: &str| {
            report.hurts.iter().any(|h| h.code == code)
                || report.holds.iter().any(|h| h.code == code)
                || report.not_known.iter().chain(&report.does_not_apply).any(|o| o.code == code)
        };
        let silent: Vec<&str> = JUDGEMENTS.iter().map(|j| j.code).filter(|code| !told(code)).collect();
        assert!(silent.is_empty(), "a judgement without an answer: {silent:?}");
        report
    }
}

/// A closure that only changes the scenario ends with this.
fn done(_: &mut Scenario) {}

/// What cannot be known of the best estate.
const OPEN: [&str; 2] = ["watchdog", "etcd-election"];

fn open(report: &Report) -> BTreeSet<&str> {
    report.not_known.iter().map(|open| open.code.as_str()).collect()
}

#[test]
fn nothing_hurts_in_a_good_estate_and_what_nobody_tells_is_not_called_well() {
    let report = good().report();
    assert_eq!(report.hurts, [], "{:#?}", report.hurts);
    assert_eq!(report.score, Some(100));
    assert_eq!(open(&report), OPEN.into());
    let none: BTreeSet<&str> = report.does_not_apply.iter().map(|open| open.code.as_str()).collect();
    assert_eq!(none, ["airflow-connections", "airflow-retries", "certificates", "logical-slots"].into());
    let ages = report.holds.iter().flat_map(|held| &held.evidence).filter(|evidence| evidence.age_ms.is_none());
    assert_eq!(ages.count(), 0, "evidence has an age");
}

#[test]
fn of_a_cluster_that_nobody_hears_nothing_is_known() {
    let survey = Survey::default();
    let s = Scenario::unheard();
    let report = Report::of(&Case { cluster: s.cluster(), standing: s.standing(), survey: &survey, now: s.now() }, "card-prod");
    assert_eq!((report.score, report.hurts.len(), report.holds.len()), (None, 0, 0), "{report:#?}");
    let silent = JUDGEMENTS.len() - report.does_not_apply.len();
    assert!(report.not_known.len() >= silent, "{:#?}", report.not_known);

    // One member falls silent: what is judged by its word is not known, and does not become well.
    let mut estate = good();
    estate.survey.parameters.insert("psg2".to_owned(), Err("refused".to_owned()));
    estate.scenario.fails("rest psg2", ErrorKind::Timeout, "late").fails("sql psg2", ErrorKind::Timeout, "late").pass(1);
    let report = estate.report();
    for code in ["versions", "pending-restart", "rewind", "parameters-equal", "room-to-follow", "standby-feedback", "server-keepalive"] {
        assert!(open(&report).contains(code), "{code}: {:#?}", report.not_known);
        assert!(!report.holds.iter().any(|held| held.code == code), "{code}");
    }
    let silent = report.not_known.iter().find(|open| open.code == "versions").unwrap();
    assert_eq!((silent.subject.as_deref(), silent.evidence[0].value.as_str()), (Some("psg2"), "late"));
}

#[test]
fn what_is_cited_is_a_finding_that_there_is() {
    let known: BTreeSet<&str> = explanations().map(|e| e.code).collect();
    for judgement in JUDGEMENTS {
        for cited in judgement.cites() {
            let code = cited.split('/').next().unwrap();
            assert!(known.contains(code), "{} cites {cited}", judgement.code);
        }
    }
}

/// Spoils one thing, and expects that of all judgements this one, with this severity, says so, and names the line.
fn spoilt(code: &str, severity: Severity, sentence: &str, line: &str, spoil: impl FnOnce(&mut Estate)) -> HarmDoc {
    let mut estate = good();
    spoil(&mut estate);
    estate.scenario.pass(1);
    let report = estate.report();
    let [harm] = &report.hurts[..] else { panic!("{code}: {:#?}", report.hurts) };
    assert_eq!((harm.code.as_str(), harm.severity), (code, severity), "{harm:#?}");
    assert!(harm.sentence.contains(sentence), "{code}: {}", harm.sentence);
    let lines: Vec<&str> = harm.change.iter().map(|change| change.line.as_str()).chain(harm.next.iter().map(String::as_str)).collect();
    assert!(lines.iter().any(|l| l.contains(line)), "{code}: {lines:?}");
    let lost = match severity {
        Severity::Critical => 30,
        Severity::Warning => 10,
        Severity::Note => 3,
    };
    assert_eq!(report.score, Some(100 - lost));
    harm.clone()
}

#[test]
fn each_thing_that_is_spoilt_in_patroni_is_said_with_the_line_to_change() {
    use Severity::{Critical, Note, Warning};
    let config = |fields: Value| move |e: &mut Estate| done(e.scenario.merge("config", fields));
    spoilt("patroni-timing", Warning, "ttl 20 is too short", "ttl: 30", config(json!({"ttl": 20})));
    spoilt("failsafe-mode", Warning, "failsafe_mode is off", "failsafe_mode: true", config(json!({"failsafe_mode": false})));
    let off = spoilt("commit-loss", Warning, "may lose 1.0 MB of them", "synchronous_mode: true", |e| {
        e.scenario.merge("config", json!({"synchronous_mode": false})).delete("sync");
        e.scenario.sql("psg1", |sql| sql.settings.synchronous_standby_names = Some(String::new()));
    });
    assert_eq!((off.evidence[0].source.as_str(), off.evidence[0].value.as_str()), ("etcd", "off"));
    let local = |e: &mut Estate| done(e.scenario.sql("psg1", |sql| sql.settings.synchronous_commit = Some("local".to_owned())));
    assert_eq!(spoilt("commit-loss", Warning, "do not wait for a standby", "edit-config", local).finding.as_deref(), Some("config-unsafe"));
    let no_rewind = json!({"postgresql": {"use_pg_rewind": false}});
    spoilt("rewind", Warning, "an old leader is not rewound", "use_pg_rewind: true", config(no_rewind));
    spoilt("watchdog", Warning, "watchdog", "/dev/watchdog", |e| done(e.scenario.patroni("psg1", json!({"watchdog_failed": true}))));
    let pending = json!({"pending_restart": true});
    spoilt("pending-restart", Warning, "old settings", "Restart the replicas", |e| done(e.scenario.patroni("psg2", pending)));
    let older = json!({"patroni": {"version": "4.0.4", "scope": "psg", "name": "psg3"}});
    spoilt("versions", Note, "psg3 4.0.4, psg1 and psg2 4.1.5", "Patroni 4.1.5", |e| done(e.scenario.patroni("psg3", older)));
    let ancient = json!({"patroni": {"version": "3.3.0", "scope": "psg", "name": "psg3"}});
    let skew = spoilt("versions", Warning, "major versions", "replicas first", |e| done(e.scenario.patroni("psg3", ancient)));
    assert_eq!(skew.finding.as_deref(), Some("version-skew"));
    let barred = |e: &mut Estate, name: &str, tags: Value| done(e.scenario.patroni(name, json!({"tags": tags})));
    let one = |e: &mut Estate| barred(e, "psg3", json!({"failover_priority": 0}));
    spoilt("candidates", Note, "only psg2 may take over from psg1", "nofailover: false", one);
    let nosync = |e: &mut Estate| ["psg2", "psg3"].iter().for_each(|name| barred(e, name, json!({"nosync": true})));
    spoilt("candidates", Warning, "each has nosync", "nosync: false", nosync);
    // What no judgement has a word for is told as it is.
    let fsync = |e: &mut Estate| done(e.scenario.sql("psg1", |sql| sql.settings.fsync = Some(false)));
    assert_eq!(spoilt("standing-finding", Critical, "fsync is off", "edit-config", fsync).finding.as_deref(), Some("config-unsafe"));
}

#[test]
fn nobody_may_take_over() {
    let mut estate = good();
    for name in ["psg2", "psg3"] {
        estate.scenario.patroni(name, json!({"tags": {"nofailover": true}}));
    }
    estate.scenario.pass(1);
    let report = estate.report();
    let harms: Vec<_> = report.hurts.iter().filter(|harm| harm.code == "candidates").collect();
    assert!(harms.iter().any(|harm| harm.sentence == "no member may take over from psg1: all others have nofailover"), "{harms:#?}");
    assert_eq!((report.worst(), report.score), (Some(Severity::Critical), Some(70)), "two words of one judgement count once");
    // The tag counts for all; that nobody of the synchronous set can is told by the forecast, at once and not when a finding is raised.
    let mut estate = good();
    estate.scenario.put("sync", r#"{"leader": "psg1", "sync_standby": "psg3"}"#);
    estate.scenario.sql("psg1", |sql| {
        sql.settings.synchronous_standby_names = Some("psg3".to_owned());
        for row in &mut sql.replication {
            row.sync_state = Some(if row.application_name == "psg3" { "sync" } else { "async" }.to_owned());
        }
    });
    estate.scenario.patroni("psg3", json!({"tags": {"nofailover": true}})).pass(5);
    let report = estate.report();
    assert_eq!(report.worst(), Some(Severity::Critical), "{report:#?}");
    assert!(
        report.hurts.iter().any(|harm| harm.code == "candidates" && harm.sentence.contains("nobody can take over")),
        "{:#?}",
        report.hurts
    );
    assert!(open(&report).contains("commit-loss"), "{:#?}", report.not_known);
}

#[test]
fn each_thing_that_is_spoilt_in_postgres_is_said_with_the_line_to_change() {
    use Severity::{Note, Warning};
    let set = |member: &'static str, name: &'static str, value: &'static str| move |e: &mut Estate| e.set(member, name, value);
    let differ = spoilt(
        "parameters-equal",
        Warning,
        "max_connections is not the same",
        "max_connections: 100",
        set("psg2", "max_connections", "40"),
    );
    assert_eq!(differ.evidence.len(), 3);
    let narrow = |e: &mut Estate| ["psg1", "psg2", "psg3"].iter().for_each(|member| e.set(member, "max_wal_senders", "2"));
    let mut estate = good();
    narrow(&mut estate);
    let said: Vec<_> = estate.report().hurts.iter().map(|h| (h.code.clone(), h.subject.clone())).collect();
    assert_eq!(said, ["psg1", "psg2", "psg3"].map(|m| ("room-to-follow".to_owned(), Some(m.to_owned()))));
    spoilt("server-keepalive", Note, "on psg3 for 2 h 11 min", "tcp_keepalives_idle: 60", |e| {
        e.set("psg3", "tcp_keepalives_idle", "7200");
        e.set("psg3", "tcp_keepalives_interval", "75");
        e.set("psg3", "tcp_keepalives_count", "9");
    });
    spoilt("archive", Note, "archive_timeout is 0", "archive_timeout: 60s", set("psg1", "archive_timeout", "0"));
    spoilt("standby-feedback", Note, "off on psg1 and psg3", "hot_standby_feedback: 'on'", set("psg2", "hot_standby_feedback", "on"));
    spoilt("standby-feedback", Warning, "copies of the logical slots", "hot_standby_feedback: 'on'", |e| {
        e.scenario.merge("config", json!({"slots": {"cdc": {"type": "logical", "database": "app", "plugin": "pgoutput"}}}));
    });
    let stranger = |e: &mut Estate| done(e.scenario.sql("psg1", |sql| sql.slots.push(slot("backup", "physical"))));
    spoilt("wal-kept", Warning, "backup on psg1 may keep WAL without a limit", "max_slot_wal_keep_size", stranger);
    let mut limited = good();
    stranger(&mut limited);
    limited.scenario.sql("psg1", |sql| sql.settings.slot_wal_keep = Some(10 << 30)).pass(1);
    assert_eq!(limited.report().hurts, [], "a limit is set");
    let mut own = good();
    own.scenario.sql("psg1", |sql| sql.slots.push(slot("psg2", "physical"))).pass(1);
    assert_eq!(own.report().hurts, [], "Patroni drops what a member leaves behind");
    spoilt("logical-slots", Warning, "gone after a failover", "Make it permanent", |e| {
        e.scenario.sql("psg1", |sql| {
            sql.slots.push(slot("cdc", "logical"));
            sql.settings.slot_wal_keep = Some(10 << 30);
        });
    });
}

#[test]
fn each_thing_that_is_spoilt_in_etcd_is_said() {
    use Severity::{Note, Warning};
    spoilt("failure-domain", Note, "HAProxy vm1 runs on the host of psg2", "an HAProxy there", |e| {
        e.survey.proxy_hosts.insert("vm1".to_owned(), Some("192.0.2.12".to_owned()));
    });
    spoilt("etcd-quorum", Note, "etcd has 4 voting members", "5 voting members", |e| {
        e.scenario.etcd_members(4);
        for n in 1..=4 {
            e.scenario.etcd(n, |status| status.db_quota = Some(2 << 30));
        }
    });
    let full = |e: &mut Estate| {
        done(e.scenario.etcd(2, |status| (status.db_size, status.db_quota) = (2 << 30, Some(2 << 30))));
    };
    spoilt("etcd-space", Warning, "quota", "Compact", full);
    let mut estate = good();
    estate.scenario.etcd(2, |status| status.db_quota = None).pass(1);
    let report = estate.report();
    assert!(open(&report).contains("etcd-space") && !report.holds.iter().any(|held| held.code == "etcd-space"));
}

/// The configuration with this instead of that, and HAProxy running with these counts.
fn proxied(from: &str, to: &str, rise: u32, fall: u32) -> impl FnOnce(&mut Estate) {
    assert!(PROXY.contains(from), "{from}");
    let text = PROXY.replacen(from, to, 1);
    move |e: &mut Estate| {
        e.proxy(&text);
        e.scenario.haproxy("vm1", |status| {
            status.servers.iter_mut().filter(|s| s.backend == "primary").for_each(|s| (s.rise, s.fall) = (Some(rise), Some(fall)));
        });
    }
}

const LAB: &str = "inter 1s fastinter 500ms downinter 1s fall 2 rise 4";

#[test]
fn each_thing_that_is_spoilt_in_haproxy_is_said_with_its_place() {
    use Severity::{Critical, Note, Warning};
    let sample = proxied(LAB, "inter 3s fall 3 rise 2", 2, 3);
    let two = spoilt("haproxy-two-leaders", Warning, "both UP for up to 6 s, 3 s on average", "fall 2 rise 4", sample);
    assert_eq!(two.subject.as_deref(), Some("vm1/primary"));
    assert_eq!(two.change[0].place, "haproxy.cfg:6");
    assert!(
        two.evidence.iter().any(|e| e.value == "rise 2 fall 3" && e.source == "haproxy vm1"),
        "HAProxy's own word: {:#?}",
        two.evidence
    );
    let stays = proxied(" on-marked-down shutdown-sessions", "", 4, 2);
    assert_eq!(
        spoilt("haproxy-sessions", Warning, "sessions stay on psg1, psg2 and psg3", "on-marked-down", stays).change[0].place,
        "haproxy.cfg:6"
    );
    let path = proxied("/primary", "/health", 4, 2);
    assert_eq!(spoilt("haproxy-check", Critical, "ask for /health", "OPTIONS /primary", path).change[0].place, "haproxy.cfg:5");
    spoilt("haproxy-check", Warning, "ask for /liveness", "OPTIONS /replica", proxied("/replica", "/liveness", 4, 2));
    spoilt(
        "haproxy-check",
        Critical,
        "only open a connection",
        "OPTIONS /primary",
        proxied("    option httpchk OPTIONS /primary\n", "", 4, 2),
    );
    spoilt("haproxy-keepalive", Note, "without option clitcpka", "option clitcpka", proxied("    option clitcpka\n", "", 4, 2));
    // What HAProxy itself tells needs no file.
    let connects = |e: &mut Estate| {
        e.survey.proxies.clear();
        e.scenario.haproxy("vm1", |h| h.servers[0].check_status = Some("L4OK".to_owned()));
    };
    let mut estate = good();
    connects(&mut estate);
    estate.scenario.pass(1);
    let said: Vec<_> = estate.report().hurts.iter().map(|h| h.sentence.clone()).collect();
    assert_eq!(said, ["psg1 is checked by a connection only: it is UP whatever its role"]);
}

#[test]
fn without_the_file_that_runs_haproxy_is_not_called_well() {
    const CODES: [&str; 4] = ["haproxy-two-leaders", "haproxy-check", "haproxy-sessions", "haproxy-keepalive"];
    let not_known = |estate: &Estate, says: &str| {
        let report = estate.report();
        for code in CODES {
            let open = report.not_known.iter().find(|open| open.code == code && open.subject.as_deref() == Some("vm1/primary"));
            let open = open.unwrap_or_else(|| panic!("{code} is known: {report:#?}"));
            assert!(open.because.contains(says), "{code}: {}", open.because);
        }
    };
    let mut estate = good();
    estate.survey.proxies.clear();
    not_known(&estate, "--haproxy-config vm1=haproxy.cfg");
    let mut estate = good();
    estate.proxy(&PROXY.replace("listen primary", "listen other"));
    not_known(&estate, "has no backend primary");
    let mut estate = good();
    estate.proxy(&PROXY.replace("server psg2", "server vm9"));
    not_known(&estate, "has no server psg2 in primary");
    // It is read on its host.
    let mut estate = good();
    estate.survey.proxies.insert("vm1".to_owned(), Err("/etc/haproxy/haproxy.cfg: Permission denied".to_owned()));
    not_known(&estate, "its file cannot be read: /etc/haproxy/haproxy.cfg: Permission denied");
    let mut estate = good();
    let Some(Ok(file)) = estate.survey.proxies.get_mut("vm1") else { panic!("a file") };
    file.not_run = Some("it was changed 5 s ago".to_owned());
    not_known(&estate, "haproxy.cfg need not be what vm1 runs: it was changed 5 s ago");
    // As long as rising needs more checks than falling, what is written decides; here it is not what runs.
    let mut estate = good();
    estate.proxy(&PROXY.replace("rise 4", "rise 5"));
    not_known(&estate, "has rise 5 fall 2 for psg1, and vm1 runs with rise 4 fall 2");

    // The counts alone prove an overlap, though not how long it is.
    let mut estate = good();
    estate.survey.proxies.clear();
    estate.scenario.haproxy("vm1", |h| h.servers.iter_mut().for_each(|s| (s.rise, s.fall) = (Some(2), Some(3)))).pass(1);
    let report = estate.report();
    let harm = &report.hurts[0];
    assert_eq!((report.hurts.len(), harm.code.as_str()), (1, "haproxy-two-leaders"));
    assert!(harm.sentence.contains("2 good checks bring a server up and 3 bad ones take it down"), "{}", harm.sentence);
}

#[test]
fn tasks_with_retries_would_run_twice_and_what_airflow_does_not_tell_is_not_known() {
    let task = |name: &str, max_tries: i64| AirflowTask {
        dag: "charge\u{1b}[2J".to_owned(),
        task: name.to_owned(),
        run: "r".to_owned(),
        map_index: -1,
        state: "running".to_owned(),
        try_number: 1,
        max_tries,
        host: None,
        pool: "default_pool".to_owned(),
        started: None,
        queued: None,
        heartbeat: None,
    };
    let status = |work: Vec<AirflowTask>, s: &Scenario| AirflowStatus { work, ..airflow_at_rest(s.now()) };
    let judged = |work: Vec<AirflowTask>| {
        let mut estate = good();
        let told = status(work, &estate.scenario);
        estate.scenario.report(SourceId::new(SourceKind::Airflow, "psg"), Fact::Airflow(Box::new(told)));
        estate.report()
    };
    let report = judged(vec![task("card", 2), task("mail", 0)]);
    let harm = report.hurts.iter().find(|harm| harm.code == "airflow-retries").unwrap();
    assert!(harm.sentence.starts_with("1 of 2 tasks that run or wait have retries"), "{}", harm.sentence);
    assert!(!harm.sentence.contains('\u{1b}'), "{:?}", harm.sentence);
    for work in [vec![], vec![task("mail", 0)]] {
        let report = judged(work);
        assert!(open(&report).contains("airflow-retries") && open(&report).contains("airflow-connections"), "{:#?}", report.not_known);
    }
}
