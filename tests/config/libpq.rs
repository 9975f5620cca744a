//! PostgreSQL's part, as libpq takes it.

use pgbaton::config::{PassFileError, SslMode};
use secrecy::ExposeSecret;

use crate::support::World;

fn world() -> World {
    let world = World::new();
    world.write("home/.config/pgbaton/pgbaton.toml", "[clusters.a.etcd]\nendpoints = [\"a\"]\n");
    world
}

fn password(world: &World, host: &str, port: u16) -> Option<String> {
    let found = world.profile().postgres.password_for(host, port).unwrap_or_else(|e| panic!("{e}"));
    found.map(|p| p.expose_secret().to_owned())
}

#[test]
fn nothing_said_means_libpqs_defaults() {
    let postgres = world().profile().postgres;
    assert_eq!((postgres.user.as_deref(), postgres.dbname.as_str()), (Some("ops"), "postgres"));
    assert_eq!(postgres.sslmode, SslMode::Prefer);
    assert_eq!((postgres.sslrootcert, postgres.sslcert, postgres.sslkey), (None, None, None));
    assert!(postgres.password.is_none() && postgres.connect_timeout.is_none());
}

#[test]
fn variables_are_taken_and_host_and_port_are_not() {
    let mut world = world();
    for (name, value) in [
        ("PGUSER", "monitor"),
        ("PGDATABASE", "airflow"),
        ("PGSSLMODE", "verify-ca"),
        ("PGSSLROOTCERT", "/root.crt"),
        ("PGSSLCERT", "/own.crt"),
        ("PGSSLKEY", "/own.key"),
        ("PGCONNECT_TIMEOUT", "7"),
        ("PGPASSWORD", "from-variable"),
        ("PGHOST", "elsewhere"),
        ("PGPORT", "not even a number"),
    ] {
        world.var(name, value);
    }
    let postgres = world.profile().postgres;
    assert_eq!((postgres.user.as_deref(), postgres.dbname.as_str()), (Some("monitor"), "airflow"));
    assert_eq!(postgres.sslmode, SslMode::VerifyCa);
    assert_eq!(postgres.sslrootcert, Some("/root.crt".into()));
    assert_eq!((postgres.sslcert, postgres.sslkey), (Some("/own.crt".into()), Some("/own.key".into())));
    assert_eq!(postgres.connect_timeout, Some(std::time::Duration::from_secs(7)));
    assert_eq!(password(&world, "psg1", 5432).as_deref(), Some("from-variable"));
}

#[test]
fn certificates_in_libpqs_usual_place_are_taken_when_they_are_there() {
    let world = world();
    world.write("home/.postgresql/root.crt", "x");
    world.write("home/.postgresql/postgresql.key", "x");
    let postgres = world.profile().postgres;
    assert_eq!(postgres.sslrootcert, Some(world.path("home/.postgresql/root.crt")));
    assert_eq!(postgres.sslkey, Some(world.path("home/.postgresql/postgresql.key")));
    assert_eq!(postgres.sslcert, None);
}

#[test]
fn the_systems_authorities_ask_for_full_verification() {
    let mut world = world();
    world.write("home/.postgresql/root.crt", "x");
    world.var("PGSSLROOTCERT", "system");
    let postgres = world.profile().postgres;
    assert_eq!((postgres.sslmode, postgres.sslrootcert), (SslMode::VerifyFull, None));
    world.var("PGSSLMODE", "require");
    let expected = "environment variable PGSSLMODE: sslmode `require` is too weak for sslrootcert `system`";
    assert!(world.error().starts_with(expected), "{}", world.error());
}

#[test]
fn zero_and_less_mean_no_limit() {
    for seconds in ["0", "-1"] {
        let mut world = world();
        world.var("PGCONNECT_TIMEOUT", seconds);
        assert_eq!(world.profile().postgres.connect_timeout, None, "{seconds}");
    }
}

#[test]
fn a_service_lies_over_the_variables_and_under_pgbaton_toml() {
    let mut world = world();
    world.write(
        "home/.pg_service.conf",
        "# services\n[other]\nuser=wrong\nnot even keyword value\n\n[cards]\n  user=service\ndbname=airflow\nuser=second\n\
         password=from-service\nhost=ignored\nsslmode=require\napplication_name=x\n[cards]\nuser=third\n",
    );
    world.var("PGSERVICE", "cards").var("PGUSER", "variable").var("PGSSLROOTCERT", "/variable").var("PGPASSWORD", "variable");
    let postgres = world.profile().postgres;
    assert_eq!((postgres.user.as_deref(), postgres.dbname.as_str()), (Some("service"), "airflow"));
    assert_eq!((postgres.sslmode, postgres.sslrootcert), (SslMode::Require, Some("/variable".into())));
    assert_eq!(password(&world, "psg1", 5432).as_deref(), Some("from-service"));
    assert_eq!(world.origin("postgres.user"), "DIR/home/.pg_service.conf:7:3");

    world.write("home/.config/pgbaton/pgbaton.toml", "[clusters.a.etcd]\nendpoints = [\"a\"]\n[clusters.a.postgres]\nuser = \"own\"\n");
    let postgres = world.profile().postgres;
    assert_eq!((postgres.user.as_deref(), postgres.dbname.as_str()), (Some("own"), "airflow"));
}

#[test]
fn services_are_looked_for_in_both_files() {
    let mut world = world();
    world.var("PGSERVICE", "cards");
    world.write("home/.pg_service.conf", "[other]\nuser=x\n");
    world.write("etc/postgresql-common/pg_service.conf", "[cards]\nuser=system\n");
    assert_eq!(world.profile().postgres.user.as_deref(), Some("system"));
    let named = world.write("services", "[cards]\nuser=named\n");
    world.var("PGSERVICEFILE", named);
    assert_eq!(world.profile().postgres.user.as_deref(), Some("named"));
    let other = world.path("elsewhere");
    world.write("elsewhere/pg_service.conf", "[cards]\nuser=elsewhere\n");
    world.write("services", "");
    world.var("PGSYSCONFDIR", other);
    assert_eq!(world.profile().postgres.user.as_deref(), Some("elsewhere"));
}

#[test]
fn mistakes_in_a_service_file_have_a_place() {
    for (text, message) in [
        ("[a]\nuser = x\n", "2:1: libpq has no keyword `user `\nhint: did you mean `user`?"),
        ("[a]\nusr=x\n", "2:1: libpq has no keyword `usr`\nhint: did you mean `user`?"),
        ("[a]\nfoo =x\n", "2:1: libpq has no keyword `foo `\nhint: there is no space around `=`"),
        ("[a]\n  hunter2\n", "2:3: this line is not keyword=value"),
        ("[a]\nservice=b\n", "2:1: a service cannot name another service"),
        ("[a]\nsslmode=on\n", "2:1: `on` is not an sslmode\nhint: "),
    ] {
        let mut world = world();
        world.write("home/.pg_service.conf", text);
        world.var("PGSERVICE", "a");
        let got = world.error();
        assert!(got.starts_with(&format!("DIR/home/.pg_service.conf:{message}")), "{text:?}: {got}");
        assert!(!got.contains("hunter2"), "{got}");
    }
    let mut world = world();
    world.var("PGSERVICE", "b");
    assert!(world.error().starts_with("environment variable PGSERVICE: there is no service `b`"), "{}", world.error());
    world.var("PGSERVICEFILE", "/no/services");
    assert!(world.error().starts_with("/no/services: the service file cannot be read"), "{}", world.error());
}

#[test]
fn the_password_file_is_asked_for_each_server() {
    let mut world = world();
    let usual = world.write("home/.pgpass", "psg1:5432:*:ops:one\n*:*:*:*:any\n");
    assert_eq!(password(&world, "psg1", 5432).as_deref(), Some("one"));
    assert_eq!(password(&world, "psg1", 5433).as_deref(), Some("any"));
    let named = world.write("passwords", "psg2:*:*:*:two\n");
    world.var("PGPASSFILE", &named);
    assert_eq!(password(&world, "psg2", 1).as_deref(), Some("two"));
    assert_eq!(password(&world, "psg1", 5432), None);
    // A change is seen without a restart.
    world.write("passwords", "psg2:*:*:*:three\n");
    assert_eq!(password(&world, "psg2", 1).as_deref(), Some("three"));
    for absent in ["/dev/null", "/no/such/file"] {
        world.var("PGPASSFILE", absent);
        assert_eq!(password(&world, "psg1", 5432), None, "{absent}");
    }
    std::fs::remove_file(usual).expect("removed");
    world.request.env.vars.clear();
    assert_eq!(password(&world, "psg1", 5432), None);
}

#[test]
fn a_password_file_that_others_can_read_is_refused_in_words() {
    let world = world();
    let path = world.write("home/.pgpass", "*:*:*:*:any\n");
    for mode in [0o640, 0o604, 0o660, 0o620] {
        world.mode(&path, mode);
        let error = world.profile().postgres.password_for("psg1", 5432).expect_err("an error");
        assert!(matches!(error, PassFileError::Permissions { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("{mode:04o}")) && text.contains("chmod 600"), "{text}");
    }
    for mode in [0o600, 0o400, 0o700] {
        world.mode(&path, mode);
        assert!(world.profile().postgres.password_for("psg1", 5432).is_ok(), "{mode:o}");
    }
}

#[test]
fn a_password_file_that_was_named_in_pgbaton_toml_must_be_there() {
    let world = world();
    world
        .write("home/.config/pgbaton/pgbaton.toml", "[clusters.a.etcd]\nendpoints = [\"a\"]\n[clusters.a.postgres]\npassfile = \"here\"\n");
    let error = world.profile().postgres.password_for("psg1", 5432).expect_err("an error");
    assert!(matches!(error, PassFileError::Unreadable { .. }), "{error}");
    std::fs::create_dir_all(world.path("home/.config/pgbaton/here")).expect("a folder");
    let error = world.profile().postgres.password_for("psg1", 5432).expect_err("an error");
    assert!(matches!(error, PassFileError::NotAFile { .. }), "{error}");
}
