//! Which cluster opens.

use pgbaton::cli::config::{check, show};
use pgbaton::config::{Config, Selected};

use crate::support::World;

const THREE: &str = "[clusters.prod.etcd]\nendpoints = [\"p\"]\n[clusters.test.etcd]\nendpoints = [\"t\"]\n\
    [clusters.lost.etcd]\nendpoints = [\"l\"]\npassword = { env = \"NOT_SET\" }\n";

fn world(text: &str) -> World {
    let mut world = World::new();
    world.request.file = Some(world.write("pgbaton.toml", text));
    world
}

fn name(config: &Config, named: Option<&str>) -> String {
    match config.select(named) {
        Ok(Selected::One(profile)) => profile.name,
        Ok(Selected::Several(several)) => several.into_iter().map(|p| p.name).collect::<Vec<_>>().join(" or "),
        Err(error) => error.to_string().split_once(": ").map_or_else(|| error.to_string(), |(_, rest)| rest.to_owned()),
    }
}

#[test]
fn the_named_one_the_default_the_only_one_or_a_choice() {
    let config = world(THREE).load().expect("a configuration");
    assert_eq!(name(&config, Some("test")), "test");
    assert_eq!(name(&config, None), "prod or test");
    assert!(name(&config, Some("lost")).starts_with("environment variable `NOT_SET` is not set"));
    assert_eq!(config.names(), ["prod", "test", "lost"]);
    assert_eq!((config.profiles.len(), config.default), (2, None));

    let config = world(&format!("default = \"test\"\n{THREE}")).load().expect("a configuration");
    assert_eq!((name(&config, None).as_str(), config.default), ("test", Some(1)));

    // A default that cannot be opened is not replaced by another cluster.
    let config = world(&format!("default = \"lost\"\n{THREE}")).load().expect("a configuration");
    assert!(name(&config, None).starts_with("environment variable `NOT_SET` is not set"), "{}", name(&config, None));

    let config = world("[clusters.only.etcd]\nendpoints = [\"p\"]\n").load().expect("a configuration");
    assert_eq!(name(&config, None), "only");
}

#[test]
fn a_name_that_is_not_there_gets_a_hint() {
    let mut world = world(THREE);
    world.request.cluster = Some("prdo".into());
    assert_eq!(world.error(), "DIR/pgbaton.toml has no cluster `prdo`\nhint: did you mean `prod`?");
    world.request.cluster = Some("something".into());
    assert_eq!(world.error(), "DIR/pgbaton.toml has no cluster `something`\nhint: it has `prod`, `test` and `lost`");
}

#[test]
fn with_a_file_of_patronis_the_name_is_a_scope() {
    let mut world = World::new();
    world.write("etc/patroni.yml", "scope: mine\netcd3: {host: a}\n");
    assert_eq!(world.profile().scope.as_deref(), Some("mine"));
    world.request.cluster = Some("other".into());
    let profile = world.profile();
    assert_eq!((profile.scope.as_deref(), profile.name.as_str()), (Some("other"), "other"));
    assert_eq!(world.origin("scope"), "command line (CLUSTER)");
    for bad in ["", " ", "a/b", "a\u{1b}"] {
        world.request.cluster = Some(bad.into());
        assert!(world.error().contains("cannot be a cluster's name"), "{bad:?}: {}", world.error());
    }
}

#[test]
fn without_a_scope_there_is_something_to_discover() {
    let world = World::new();
    world.write("etc/patroni.yml", "namespace: db\netcd3: {host: a}\n");
    let profile = world.profile();
    assert_eq!((profile.scope, profile.namespace.as_str(), profile.name.as_str()), (None, "/db/", "/db/"));
}

#[test]
fn names_from_outside_cannot_move_the_cursor() {
    let hostile = "a\u{1b}[2J\u{7}";
    let mut world = World::new();
    for text in [
        format!("[clusters.a.etcd]\nendpoints = [\"a\"]\npassword = {{ env = {hostile:?} }}\n"),
        format!("[clusters.a.etcd]\nendpoints = [\"a\"]\npassword = {{ file = {hostile:?} }}\ncacert = {hostile:?}\n"),
        format!("[clusters.a]\npatronictl = {hostile:?}\n"),
        format!("[clusters.a.etcd]\nendpoints = [\"a\"]\n[[clusters.a.haproxy]]\nstats = {:?}\n", format!("unix:{hostile}")),
        format!("[clusters.{hostile:?}.etcd]\nendpoints = [{hostile:?}]\n"),
    ] {
        let text = text.replace("\\u{1b}", "\\u001b").replace("\\u{7}", "\\u0007");
        world.request.file = Some(world.write(&format!("{hostile}.toml"), &text));
        let mut said = check(&world.request).0;
        said.push_str(&show(&world.request).unwrap_or_else(|e| e.to_string()));
        assert!(said.contains("a\\u{1b}[2J"), "{text:?} has not been understood: {said:?}");
        assert!(!said.chars().any(|c| c.is_control() && c != '\n'), "{said:?}");
    }
}
