//! What the PostgreSQL source reads of a real server's state beside replication: slots, subscriptions, the archiver, transactions, settings.

mod pgcommon;

use pgbaton::model::{PostgresStatus, ServerSettings, Slot};
use pgcommon::server::Server;
use pgcommon::watch::{Watch, postgres_of};
use pgcommon::{profile, wait_for};

fn slot<'a>(status: &'a PostgresStatus, name: &str) -> &'a Slot {
    status.slots.iter().find(|s| s.name == name).expect("the slot is listed")
}

#[test]
fn slots_are_read_as_psql_reads_them_until_they_are_lost() {
    let server =
        Server::primary("wal_level = logical\nmax_slot_wal_keep_size = 64MB\nmin_wal_size = 32MB\n", "host all all 127.0.0.1/32 trust");
    server.psql("CREATE ROLE stranger LOGIN");
    server.psql("SELECT pg_create_physical_replication_slot('behind', true), pg_create_physical_replication_slot('empty')");
    server.psql("SELECT pg_create_logical_replication_slot('changes', 'pgoutput')");
    server.psql("SELECT pg_switch_wal(), pg_logical_emit_message(true, 'test', 'something')");

    // A stranger sees the slots as well: no right is needed for them.
    let mut watch = Watch::postgres(&server, profile("stranger"));
    let status = watch.reading();
    let columns = "slot_name, slot_type, coalesce(database, ''), coalesce(plugin, ''), temporary, active, wal_status";
    let told: Vec<String> = status
        .slots
        .iter()
        .map(|s| {
            let text = |o: &Option<String>| o.clone().unwrap_or_default();
            let flag = |b: bool| if b { "t" } else { "f" };
            let (database, plugin, wal_status) = (text(&s.database), text(&s.plugin), text(&s.wal_status));
            format!("{}|{}|{database}|{plugin}|{}|{}|{wal_status}", s.name, s.kind, flag(s.temporary), flag(s.active))
        })
        .collect();
    assert_eq!(told.join("\n"), server.psql(&format!("SELECT {columns} FROM pg_replication_slots ORDER BY slot_name")));
    let bytes = |sql: &str| server.psql(&format!("SELECT ({sql})::int8 FROM pg_replication_slots WHERE slot_name = 'changes'"));
    assert_eq!(slot(&status, "changes").unconfirmed.map(|b| b.to_string()), Some(bytes("pg_current_wal_lsn() - confirmed_flush_lsn")));
    assert_eq!(slot(&status, "changes").retained.map(|b| b.to_string()), Some(bytes("pg_current_wal_lsn() - restart_lsn")));
    let safe: u64 = server.psql("SELECT safe_wal_size FROM pg_replication_slots WHERE slot_name = 'behind'").parse().expect("bytes");
    assert_eq!(slot(&status, "behind").safe, Some(safe));
    let empty = slot(&status, "empty");
    assert_eq!((empty.retained, empty.unconfirmed, &empty.wal_status, empty.safe), (None, None, &None, None));

    for _ in 0..7 {
        server.psql("SELECT pg_switch_wal(), pg_logical_emit_message(true, 'test', 'something')");
    }
    let over = watch.until("the limit is passed", |o| {
        let slot = slot(postgres_of(o)?, "behind").clone();
        (slot.wal_status.as_deref() == Some("unreserved")).then_some(slot)
    });
    assert_eq!(over.safe, Some(0), "no WAL more may be written: {over:?}");
    assert!(over.retained.is_some_and(|b| b > 64 << 20), "{over:?}");
    server.psql("CHECKPOINT");
    let lost = watch.until("the slot is lost", |o| {
        let slot = slot(postgres_of(o)?, "behind").clone();
        (slot.wal_status.as_deref() == Some("lost")).then_some(slot)
    });
    assert_eq!((lost.retained, lost.safe), (None, None));
}

#[test]
fn a_subscription_is_read_while_it_runs_and_when_it_does_not() {
    let server = Server::primary("wal_level = logical\n", "host all all 127.0.0.1/32 trust");
    server.psql("CREATE ROLE stranger LOGIN");
    server.psql("CREATE PUBLICATION cards");
    server.psql("SELECT pg_create_logical_replication_slot('orders', 'pgoutput')");
    let mut watch = Watch::postgres(&server, profile("stranger"));
    assert_eq!(watch.reading().subscriptions, []);
    // To itself, through a slot that is there already: a new one would wait for the statement that makes it.
    server.psql(&format!(
        "CREATE SUBSCRIPTION orders CONNECTION 'host=127.0.0.1 port={} user=postgres dbname=postgres' PUBLICATION cards WITH (create_slot = false)",
        server.port
    ));
    let one = watch.until("it has heard something", |o| {
        let [one] = &postgres_of(o)?.subscriptions[..] else { return None };
        (one.running && one.heard.is_some() && one.received.is_some()).then(|| one.clone())
    });
    assert_eq!(one.name, "orders");
    assert!(one.sent <= one.heard, "{one:?}");
    let micros = |moment: pgbaton::model::Time| (moment.as_micros() - jiff::Timestamp::now().as_microsecond()).abs();
    assert!(one.heard.is_some_and(|at| micros(at) < 60_000_000), "{one:?}");
    let slots = watch.reading();
    assert!(slot(&slots, "orders").active, "{slots:?}");

    server.psql("ALTER SUBSCRIPTION orders DISABLE");
    let off = watch.until("its worker has ended", |o| {
        let [one] = &postgres_of(o)?.subscriptions[..] else { return None };
        (!one.running).then(|| one.clone())
    });
    assert_eq!((off.received, off.heard), (None, None));
    wait_for("the slot is free", || {
        (server.psql("SELECT active FROM pg_replication_slots WHERE slot_name = 'orders'") == "f").then_some(())
    });
}

#[test]
fn an_archiver_that_fails_is_counted_for_whom_may_see_it() {
    let server =
        Server::primary("archive_mode = on\narchive_command = 'exit 1'\nallow_system_table_mods = on\n", "host all all 127.0.0.1/32 trust");
    server.psql("CREATE ROLE stranger LOGIN; CREATE ROLE watcher LOGIN IN ROLE pg_monitor");
    let mut watch = Watch::postgres(&server, profile("watcher"));
    let archiver = watch.reading().archiver.expect("archive_mode is on");
    assert_eq!((archiver.failing(), archiver.waiting, archiver.always), (false, None, false));
    for _ in 0..3 {
        server.psql("SELECT pg_switch_wal(), pg_logical_emit_message(true, 'test', 'something')");
    }
    let failing = watch.until("it fails", |o| postgres_of(o)?.archiver.clone().filter(|a| a.failing()));
    let by_psql = || server.psql("SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'");
    assert_eq!(failing.waiting.map(|n| n.to_string()), Some(by_psql()));
    assert_eq!(failing.last_failed_wal, Some(server.psql("SELECT last_failed_wal FROM pg_stat_archiver")));
    assert!(failing.last_archived.is_none() && failing.waiting >= Some(3), "{failing:?}");
    let hidden = Watch::postgres(&server, profile("stranger")).reading().archiver.expect("a stranger sees the figures");
    assert_eq!((hidden.failing(), hidden.waiting), (true, None));

    // A directory that takes long to read does not take the reading with it. What is built in cannot be replaced, but it can be renamed.
    server.psql("ALTER FUNCTION pg_catalog.pg_ls_archive_statusdir() RENAME TO pg_ls_archive_statusdir_quick");
    let slow = |seconds: &str| {
        server.psql(&format!(
            "CREATE OR REPLACE FUNCTION pg_catalog.pg_ls_archive_statusdir(OUT name text, OUT size bigint, OUT modification timestamptz)
             RETURNS SETOF record LANGUAGE sql AS 'SELECT ''x.ready''::text, 0::int8, now() FROM pg_sleep({seconds})'"
        ));
    };
    for seconds in ["0.4", "9"] {
        slow(seconds);
        let mut watch = Watch::postgres(&server, profile("watcher"));
        let spared = watch.until("it is not counted", |o| postgres_of(o)?.archiver.clone().filter(|a| a.waiting.is_none()));
        assert!(spared.failing(), "{spared:?}");
    }

    server.psql("ALTER SYSTEM SET archive_command = 'exit 0'");
    server.psql("SELECT pg_reload_conf()");
    let mended = watch.until("it works again", |o| postgres_of(o)?.archiver.clone().filter(|a| !a.failing()));
    assert!(mended.waiting.is_none() && mended.last_archived > mended.last_failed, "{mended:?}");
}

#[test]
fn a_copy_is_read_while_it_is_made_as_psql_reads_it() {
    let hba = "host all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust";
    let server = Server::primary("", hba);
    server.psql("CREATE ROLE watcher LOGIN IN ROLE pg_monitor");
    let mut watch = Watch::postgres(&server, profile("watcher"));
    assert_eq!(watch.reading().backups, []);
    let mut copy = server.slow_copy();
    let backup = watch.until("it is sent", |o| postgres_of(o)?.backups.first().cloned().filter(|b| b.streamed > Some(0)));
    let by_psql = server.psql(
        "SELECT b.pid, host(a.client_addr), b.phase, b.backup_total FROM pg_stat_progress_basebackup AS b JOIN pg_stat_activity AS a USING (pid)",
    );
    let (client, phase) = (backup.client.clone().unwrap_or_default(), backup.phase.clone().unwrap_or_default());
    assert_eq!(format!("{}|{client}|{phase}|{}", backup.pid, backup.total.unwrap_or_default()), by_psql);
    let on = watch.until("it goes on", |o| postgres_of(o)?.backups.first().cloned().filter(|b| b.streamed > backup.streamed));
    assert!(on.percent().is_some_and(|percent| percent < 100), "{on:?}");
    copy.kill().expect("it is ended");
    copy.wait().expect("it ends");
    watch.until("it is gone", |o| postgres_of(o)?.backups.is_empty().then_some(()));
}

#[test]
fn open_transactions_are_read_by_whom_may_see_them() {
    let server = Server::primary("", "host all all 127.0.0.1/32 trust");
    server.psql("CREATE ROLE stranger LOGIN; CREATE ROLE watcher LOGIN IN ROLE pg_monitor; CREATE TABLE cards (id int)");
    let mut watch = Watch::postgres(&server, profile("watcher"));
    let none = watch.reading();
    assert_eq!((none.oldest_transaction, none.idle_transaction), (None, None), "its own reading is none");

    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let client = |name: &str| {
        let settings = format!("host=127.0.0.1 port={} user=postgres dbname=postgres application_name={name}", server.port);
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&settings, tokio_postgres::NoTls).await.expect("a session");
            tokio::spawn(connection);
            client
        })
    };
    let (writer, sleeper) = (client("writer"), client("sleeper"));
    runtime.block_on(writer.batch_execute("BEGIN; INSERT INTO cards VALUES (1)")).expect("it writes");
    let busy = runtime.spawn(async move { sleeper.batch_execute("SELECT 'a secret', pg_sleep(60)").await });
    let status = watch.until("both are seen", |o| {
        let status = postgres_of(o)?;
        (status.idle_transaction.is_some() && server.sessions("sleeper").len() == 1).then(|| status.clone())
    });
    let idle = status.idle_transaction.clone().expect("it is idle");
    let by_psql = server.psql(
        "SELECT pid, usename, application_name, datname, host(client_addr), state, (extract(epoch FROM xact_start) * 1000000)::int8,
                (extract(epoch FROM state_change) * 1000000)::int8, age(backend_xid)
         FROM pg_stat_activity WHERE application_name = 'writer'",
    );
    let text = |o: &Option<String>| o.clone().unwrap_or_default();
    let micros = |at: Option<pgbaton::model::Time>| at.map_or(0, pgbaton::model::Time::as_micros);
    let (user, application, database, address) = (text(&idle.user), text(&idle.application), text(&idle.database), text(&idle.client));
    let (state, started, since) = (text(&idle.state), micros(idle.started), micros(idle.state_since));
    let held = idle.holds_back.expect("it has written");
    assert_eq!(format!("{}|{user}|{application}|{database}|{address}|{state}|{started}|{since}|{held}", idle.pid), by_psql);
    assert_eq!(status.oldest_transaction, Some(idle), "it began before the other");

    // With the first gone, the one that works is the oldest; what it does is not told.
    runtime.block_on(writer.batch_execute("ROLLBACK")).expect("it ends");
    let status = watch.until("the other is the oldest", |o| {
        let status = postgres_of(o)?;
        (status.oldest_transaction.as_ref()?.application.as_deref() == Some("sleeper")).then(|| status.clone())
    });
    assert_eq!((status.idle_transaction.as_ref(), status.sessions), (None, Some(2)));
    assert!(!serde_json::to_string(&status).expect("it is plain data").contains("secret"));

    let hidden = Watch::postgres(&server, profile("stranger")).reading();
    assert_eq!((hidden.oldest_transaction, hidden.idle_transaction, hidden.sessions), (None, None, None));
    busy.abort();
}

#[test]
fn commits_that_wait_for_a_standby_are_read_by_whom_may_see_them() {
    let server = Server::primary("", "host all all 127.0.0.1/32 trust");
    server.psql("CREATE ROLE stranger LOGIN; CREATE ROLE watcher LOGIN IN ROLE pg_monitor; CREATE TABLE cards (id int)");
    let mut watch = Watch::postgres(&server, profile("watcher"));
    let none = watch.reading();
    assert_eq!((none.commit_waits.len(), none.commits_waiting), (0, Some(0)));

    server.psql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    server.psql("SELECT pg_reload_conf()");
    watch.until("the setting is read", |o| (postgres_of(o)?.settings.synchronous_standby_names.as_deref() == Some("nobody")).then_some(()));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let settings = format!("host=127.0.0.1 port={} user=postgres dbname=postgres", server.port);
    let commit = runtime.spawn(async move {
        let (client, connection) = tokio_postgres::connect(&settings, tokio_postgres::NoTls).await.expect("a session");
        tokio::spawn(connection);
        client.batch_execute("INSERT INTO cards VALUES (1)").await
    });
    let status = watch.until("the commit waits", |o| {
        let status = postgres_of(o)?;
        (!status.commit_waits.is_empty()).then(|| status.clone())
    });
    let by_psql = server.psql("SELECT pid, backend_xid FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
    let waits: Vec<String> = status.commit_waits.iter().map(|wait| format!("{}|{}", wait.pid, wait.xid)).collect();
    assert_eq!((waits.join("\n"), status.commits_waiting), (by_psql, Some(1)));
    let hidden = Watch::postgres(&server, profile("stranger")).reading();
    assert_eq!((hidden.commit_waits.len(), hidden.commits_waiting), (0, None), "who may not see it does not call it none");

    server.psql("ALTER SYSTEM RESET synchronous_standby_names");
    server.psql("SELECT pg_reload_conf()");
    runtime.block_on(commit).expect("it ends").expect("it is committed");
    watch.until("nobody waits", |o| (postgres_of(o)?.commits_waiting == Some(0)).then_some(()));
}

#[test]
fn settings_are_those_of_the_server_not_of_our_user() {
    let server = Server::primary("wal_keep_size = 96MB\nmax_slot_wal_keep_size = 2GB\n", "host all all 127.0.0.1/32 trust");
    server.psql("CREATE ROLE stranger LOGIN");
    let mut watch = Watch::postgres(&server, profile("stranger"));
    let usual = ServerSettings {
        fsync: Some(false),
        full_page_writes: Some(true),
        wal_log_hints: Some(false),
        data_checksums: Some(false),
        synchronous_commit: Some("on".to_owned()),
        synchronous_standby_names: Some(String::new()),
        wal_keep: Some(96 << 20),
        slot_wal_keep: Some(2 << 30),
        status_interval: Some(10),
    };
    assert_eq!(watch.reading().settings, usual, "the tests' servers do without fsync");

    server.psql("ALTER SYSTEM SET synchronous_commit = local");
    server.psql("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (psg2, \"psg-3\")'");
    server.psql("ALTER SYSTEM SET max_slot_wal_keep_size = -1");
    server.psql("SELECT pg_reload_conf()");
    let changed = watch.until("the settings have changed", |o| {
        let settings = &postgres_of(o)?.settings;
        (settings.slot_wal_keep == Some(-1)).then(|| settings.clone())
    });
    assert_eq!(changed.synchronous_commit.as_deref(), Some("local"));
    assert_eq!(changed.synchronous_standby_names.as_deref(), Some("ANY 1 (psg2, \"psg-3\")"));

    // In a session of a user who has it otherwise, the server's value is not to be seen.
    server.psql("ALTER ROLE stranger SET synchronous_commit = off");
    assert_eq!(Watch::postgres(&server, profile("stranger")).reading().settings.synchronous_commit, None);
}
