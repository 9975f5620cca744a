//! Secrets in pgbaton.toml: where they may stand, and that they are nowhere else.

use pgbaton::cli::config::show;
use secrecy::ExposeSecret;

use crate::support::World;

fn with_password(value: &str) -> (World, std::path::PathBuf) {
    let mut world = World::new();
    let text = format!("[clusters.a.etcd]\nendpoints = [\"a\"]\nusername = \"u\"\npassword = {value}\n");
    let path = world.write("pgbaton.toml", &text);
    world.request.file = Some(path.clone());
    (world, path)
}

fn password(world: &World) -> Option<String> {
    world.profile().etcd.password.map(|p| p.expose_secret().to_owned())
}

#[test]
fn written_out_only_in_a_file_of_its_owners_alone() {
    let (world, path) = with_password("\"hunter2\"");
    assert_eq!(password(&world).as_deref(), Some("hunter2"));
    for mode in [0o640, 0o604] {
        world.mode(&path, mode);
        let error = world.error();
        let expected = "DIR/pgbaton.toml:4:12: `clusters.a.etcd.password` is written out in a file that others can read\n\
             hint: run: chmod 600 DIR/pgbaton.toml";
        assert!(error.starts_with(expected) && !error.contains("hunter2"), "{error}");
    }
}

#[test]
fn in_a_variable() {
    let (mut world, _) = with_password("{ env = \"ETCD_PW\" }");
    assert_eq!(
        world.error(),
        "DIR/pgbaton.toml:4:20: environment variable `ETCD_PW` is not set\n\
         hint: etcd.password is to be found there; export it before starting pgbaton"
    );
    world.var("ETCD_PW", "hunter2");
    assert_eq!(password(&world).as_deref(), Some("hunter2"));
}

#[test]
fn in_a_file() {
    let (world, _) = with_password("{ file = \"etcd.pw\" }");
    assert_eq!(world.error(), "DIR/pgbaton.toml:4:21: etcd.password cannot be read from DIR/etcd.pw: there is no such file");
    world.write("etcd.pw", "\nhunter2\n");
    assert_eq!(world.error(), "DIR/pgbaton.toml:4:21: the first line of DIR/etcd.pw is empty");
    world.write("etcd.pw", "hunter 2\r\nand more\n");
    assert_eq!(password(&world).as_deref(), Some("hunter 2"));
}

#[test]
fn neither_shown_nor_in_debug() {
    let (mut world, _) = with_password("\"hunter2\"");
    world.var("PGPASSWORD", "hunter3");
    let text = show(&world.request).unwrap_or_else(|e| panic!("{e}"));
    assert!(text.contains("etcd.password = ********") && text.contains("postgres.password = ********"), "{text}");
    let debug = format!("{:?} {:?} {:?}", world.load(), world.profile(), world.request);
    for place in [text, debug] {
        assert!(!place.contains("hunter"), "{place}");
    }
}

#[test]
fn a_user_of_ours_is_not_sent_with_an_imported_password() {
    let mut world = World::new();
    world.write("ctl.yaml", "etcd3: {host: a, username: patroni, password: hunter2}\n");
    for (beside, user, expected) in [("", "patroni", Some("hunter2")), ("etcd.username = \"ops\"\n", "ops", None)] {
        let path = world.write("pgbaton.toml", &format!("[clusters.a]\npatronictl = \"ctl.yaml\"\n{beside}"));
        world.request.file = Some(path);
        assert_eq!(world.profile().etcd.username.as_deref(), Some(user));
        assert_eq!(password(&world).as_deref(), expected);
    }
}

#[test]
fn an_encrypted_key_is_named() {
    let mut world = World::new();
    let key = world.write("ctl.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
    let yaml = format!("etcd3: {{host: a}}\nctl:\n  certfile: /c\n  keyfile: {}\n  keyfile_password: hunter2\n", key.display());
    world.request.file = Some(world.write("ctl.yaml", &yaml));
    let error = world.error();
    assert!(error.starts_with("DIR/ctl.yaml:5:21: the key `DIR/ctl.key` is encrypted"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
    world.write("ctl.key", "-----BEGIN PRIVATE KEY-----\n");
    assert_eq!(world.profile().restapi.tls.key, Some(key));
}
