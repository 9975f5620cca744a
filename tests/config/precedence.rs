//! Which of several places counts, and what lies over what.

use crate::support::World;

const OWN: &str = "[clusters.own.etcd]\nendpoints = [\"own:1\"]\n";

fn yaml(host: &str) -> String {
    format!("scope: {host}\netcd3:\n  host: {host}:1\n")
}

/// Every place at once; then the one that was used is taken away, and the next must be found.
#[test]
fn places_are_looked_at_in_order() {
    let mut world = World::new();
    world.request.file = Some(world.write("given.toml", &OWN.replace("own", "given")));
    let variable = world.write("variable.toml", &OWN.replace("own", "variable"));
    world.var("PGBATON_CONFIG", variable);
    let own = world.write("home/.config/pgbaton/pgbaton.toml", OWN);
    let patronictl = world.write("patronictl-variable.yaml", &yaml("patronictl-variable"));
    world.var("PATRONICTL_CONFIG_FILE", patronictl);
    let usual = world.write("home/.config/patroni/patronictl.yaml", &yaml("usual"));
    let node = world.write("etc/patroni/patroni.yml", &yaml("node"));
    let node2 = world.write("etc/patroni.yml", &yaml("node2"));
    let node3 = world.write("etc/patroni/config.yml", &yaml("node3"));

    let endpoint = |world: &World| world.profile().etcd.endpoints.join(" ");
    assert_eq!(endpoint(&world), "http://given:1");
    world.request.file = None;
    assert_eq!(endpoint(&world), "http://variable:1");
    world.request.env.vars.remove("PGBATON_CONFIG");
    assert_eq!(endpoint(&world), "http://own:1");
    std::fs::remove_file(own).expect("removed");
    assert_eq!(endpoint(&world), "http://patronictl-variable:1");
    world.request.env.vars.remove("PATRONICTL_CONFIG_FILE");
    for (path, expected) in [(usual, "http://usual:1"), (node, "http://node:1"), (node2, "http://node2:1"), (node3, "http://node3:1")] {
        assert_eq!(endpoint(&world), expected);
        std::fs::remove_file(path).expect("removed");
    }
    world.var("PATRONI_ETCD3_HOSTS", "variables:1");
    assert_eq!(endpoint(&world), "http://variables:1");
    world.request.env.vars.clear();
    world.var("PATRONI_CONFIGURATION", yaml("inline"));
    assert_eq!(endpoint(&world), "http://inline:1");
}

#[test]
fn nothing_found_lists_every_place() {
    let mut world = World::new();
    world.var("PGBATON_CONFIG", ""); // Set to nothing is not set.
    let message = world.error();
    for place in [
        "no configuration was found",
        "-c FILE ",
        "PGBATON_CONFIG ",
        "DIR/home/.config/pgbaton/pgbaton.toml ",
        "PATRONICTL_CONFIG_FILE ",
        "DIR/home/.config/patroni/patronictl.yaml ",
        "DIR/etc/patroni/patroni.yml ",
        "DIR/etc/patroni.yml ",
        "DIR/etc/patroni/config.yml ",
        "PATRONI_ETCD3_HOSTS, PATRONI_SCOPE, DCS_URL ",
        "hint: ",
    ] {
        assert!(message.contains(place), "{place:?} is not in:\n{message}");
    }
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let mut world = World::new();
    world.write("etc/patroni.yml", &yaml("node"));
    world.request.file = Some(world.path("no.toml"));
    assert_eq!(world.error(), "DIR/no.toml: there is no such file");
    world.request.file = None;
    let path = world.path("no.yaml");
    world.var("PATRONICTL_CONFIG_FILE", path);
    assert_eq!(world.error(), "DIR/no.yaml: there is no such file");
}

/// One row per variable: its name, a value, and what it makes of the profile that the file describes.
#[test]
fn patronis_variables_lie_over_its_file() {
    const FILE: &str = "scope: file\nnamespace: /file/\netcd3: {hosts: 'file:1', protocol: http, username: file, \
        password: file, cacert: /file, cert: /file, key: /file}\nctl: {insecure: false, cacert: /file, certfile: /file, \
        keyfile: /file}\nrestapi: {cafile: /file}\n";
    let rows: [(&str, &str, &str, &str); 13] = [
        ("PATRONI_SCOPE", "over", "scope", "\"over\""),
        ("PATRONI_NAMESPACE", "over", "namespace", "\"/over/\""),
        ("PATRONI_ETCD3_HOSTS", "over:2,'three:3'", "etcd.endpoints", "[\"http://over:2\", \"http://three:3\"]"),
        ("PATRONI_ETCD3_URL", "https://over:2", "etcd.endpoints", "[\"https://over:2\"]"),
        ("PATRONI_ETCD3_PROTOCOL", "https", "etcd.endpoints", "[\"https://file:1\"]"),
        ("PATRONI_ETCD3_USERNAME", "over", "etcd.username", "\"over\""),
        ("PATRONI_ETCD3_CACERT", "/over", "etcd.cacert", "\"/over\""),
        ("PATRONI_ETCD3_CERT", "/over", "etcd.certfile", "\"/over\""),
        ("PATRONI_ETCD3_KEY", "/over", "etcd.keyfile", "\"/over\""),
        ("PATRONI_CTL_INSECURE", "on", "restapi.insecure", "true"),
        ("PATRONI_CTL_CACERT", "/over", "restapi.cacert", "\"/over\""),
        ("PATRONI_CTL_CERTFILE", "/over", "restapi.certfile", "\"/over\""),
        ("PATRONI_CTL_KEYFILE", "/over", "restapi.keyfile", "\"/over\""),
    ];
    for (variable, value, key, expected) in rows {
        let mut world = World::new();
        world.write("etc/patroni.yml", FILE);
        world.var(variable, value);
        let config = world.load().unwrap_or_else(|e| panic!("{variable}: {e}"));
        let fact = config.facts(0).iter().find(|f| f.key == key).unwrap_or_else(|| panic!("{variable}: no {key}"));
        assert_eq!(fact.value, expected, "{variable}");
        let from_file = variable == "PATRONI_ETCD3_PROTOCOL"; // The endpoints' place is that of the hosts.
        assert_eq!(world.origin(key) == format!("environment variable {variable}"), !from_file, "{variable}");
    }
}

#[test]
fn a_password_in_a_variable_lies_over_the_files() {
    use secrecy::ExposeSecret;
    let mut world = World::new();
    world.write("etc/patroni.yml", "etcd3: {host: a, username: u, password: file}");
    world.var("PATRONI_ETCD3_PASSWORD", "over");
    let password = world.profile().etcd.password;
    assert_eq!(password.as_ref().map(|p| p.expose_secret()), Some("over"));
}

#[test]
fn the_rest_apis_ca_stands_in_for_ctls() {
    let mut world = World::new();
    world.write("etc/patroni.yml", "etcd3: {host: a}\nrestapi: {cafile: /rest, certfile: /rest, keyfile: /rest}\n");
    let tls = world.profile().restapi.tls;
    assert_eq!((tls.ca, tls.cert, tls.key), (Some("/rest".into()), None, None));
    world.var("PATRONI_CTL_CACERT", "/ctl");
    assert_eq!(world.profile().restapi.tls.ca, Some("/ctl".into()));
}

#[test]
fn mistakes_in_variables_name_the_variable() {
    for (variable, value, message) in [
        ("PATRONI_ETCD3_HOSTS", "a:x", "environment variable PATRONI_ETCD3_HOSTS: `x` is not a port (1 to 65535)"),
        ("PATRONI_ETCD3_PORT", "0", "environment variable PATRONI_ETCD3_PORT: `0` is not a port (1 to 65535)"),
        ("PATRONI_ETCD3_PROTOCOL", "tcp", "environment variable PATRONI_ETCD3_PROTOCOL: `tcp` is not a protocol of etcd"),
        ("PATRONI_ETCD3_USE_PROXIES", "1", "environment variable PATRONI_ETCD3_USE_PROXIES: an etcd proxy is not supported"),
        ("PATRONI_CTL_INSECURE", "maybe", "environment variable PATRONI_CTL_INSECURE: `maybe` is not a boolean"),
        ("PATRONI_SCOPE", "a/b", "environment variable PATRONI_SCOPE: a scope has no slash: `a/b`"),
        ("DCS_URL", "consul://a", "environment variable DCS_URL: this names DCS `consul`; pgbaton speaks etcd v3"),
        ("DCS_URL", "etcd3://a:b", "environment variable DCS_URL: `b` is not a port (1 to 65535)"),
        ("PGSSLMODE", "requir", "environment variable PGSSLMODE: `requir` is not an sslmode\nhint: did you mean `require`?"),
        ("PGCONNECT_TIMEOUT", "soon", "environment variable PGCONNECT_TIMEOUT: `soon` is not a number of seconds"),
    ] {
        let mut world = World::new();
        world.write("etc/patroni.yml", "scope: a\netcd3:\n  hosts: b:1\n");
        world.var(variable, value);
        let got = world.error();
        assert!(got.starts_with(message), "{variable}={value}: {got}");
    }
}

#[test]
fn variables_of_another_dcs_alone_say_which() {
    let mut world = World::new();
    world.var("PATRONI_SCOPE", "a").var("PATRONI_ZOOKEEPER_HOSTS", "'z:2181'");
    let message = "environment variable PATRONI_ZOOKEEPER_HOSTS: this names DCS `zookeeper`; pgbaton speaks etcd v3";
    assert!(world.error().starts_with(message), "{}", world.error());
    // Beside etcd3 they do not matter.
    world.var("PATRONI_ETCD3_HOST", "a:1");
    assert_eq!(world.profile().etcd.endpoints, ["http://a:1"]);
}

#[test]
fn dcs_url_replaces_the_section_and_the_namespace() {
    let mut world = World::new();
    world.write(
        "etc/patroni.yml",
        "scope: a\nnamespace: /file/\nconsul: {host: c}\netcd3: {hosts: 'file:1', protocol: https, username: u}\n",
    );
    for (url, endpoint, namespace) in [
        ("etcd3://other:2400/db", "http://other:2400", "/db/"),
        ("etcd3://other", "http://other:2379", "/file/"),
        ("etcd3://:2400/", "http://localhost:2400", "/file/"),
        ("etcd3://[fd00::1]:2400", "http://[fd00::1]:2400", "/file/"),
    ] {
        world.var("DCS_URL", url);
        let profile = world.profile();
        assert_eq!((profile.etcd.endpoints.join(" ").as_str(), profile.namespace.as_str()), (endpoint, namespace), "{url}");
        assert_eq!(profile.etcd.username, None, "{url}");
    }
}

#[test]
fn variables_of_patronis_do_not_reach_into_pgbaton_toml() {
    let mut world = World::new();
    let patronictl = world.write("ctl.yaml", &yaml("imported"));
    world.write("home/.config/pgbaton/pgbaton.toml", &format!("[clusters.a]\npatronictl = {patronictl:?}\n"));
    world.var("PATRONI_ETCD3_HOSTS", "elsewhere:1").var("PATRONI_SCOPE", "elsewhere").var("DCS_URL", "etcd3://elsewhere");
    let profile = world.profile();
    assert_eq!((profile.etcd.endpoints.join(" ").as_str(), profile.scope.as_deref()), ("http://imported:1", Some("imported")));
    assert_eq!(profile.name, "a");
}
