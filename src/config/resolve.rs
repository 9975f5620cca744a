//! From a draft to a profile: defaults filled in, secrets read, and a line of explanation for every value.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use super::diagnostic::{Diagnostic, quote};
use super::draft::{
    Draft, EtcdDraft, HaproxyDraft, LoginDraft, LogsDraft, OperateDraft, PostgresDraft, RabbitmqDraft, Secret, SshDraft, TlsDraft,
};
use super::env::Env;
use super::fact::{Fact, Facts, toml_key};
use super::libpq;
use super::login::{self, Login};
use super::origin::{Origin, Setting};
use super::passfile::PassFile;
use super::pgbaton_rabbitmq;
use super::profile::{
    AdminSocket, ConsoleProfile, EtcdProfile, HaproxyAddress, HaproxyProfile, LogProfile, OperateCert, PostgresProfile, Profile,
    RabbitmqNodeProfile, RabbitmqProfile, RestProfile, SshProfile, SslMode, TlsProfile,
};
use crate::finding::LIMITS;

/// The namespace of Patroni when none is given.
const NAMESPACE: &str = "/service/";

/// A profile with the origin of everything in it.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    pub profile: Profile,
    pub facts: Vec<Fact>,
}

/// Makes the draft a profile.
pub(crate) fn resolve(draft: Draft, env: &Env) -> Result<Ready, Vec<Diagnostic>> {
    let mut out = Vec::new();
    let mut facts = Facts::default();
    let namespace = match draft.namespace {
        Some(given) => given.map(|text| normalised(&text)),
        None => Setting::new(NAMESPACE.to_owned(), Origin::Default),
    };
    match &draft.scope {
        Some(scope) => facts.text("scope", scope),
        None => facts.note("scope", &format!("discovered under {}", namespace.value)),
    }
    facts.text("namespace", &namespace);
    let read_only = draft.read_only.unwrap_or(Setting::new(false, Origin::Default));
    facts.plain("read_only", read_only.value, &read_only.origin);
    if let Some(assist) = &draft.assist {
        facts.plain("assist", assist.value, &assist.origin);
    }
    if let Some(syslog) = &draft.syslog {
        facts.path("syslog", syslog);
    }
    if let Some(color) = &draft.color {
        facts.text("color", color);
    }
    if let Some(keymap) = &draft.keymap {
        facts.text("keymap", keymap);
    }
    if let Some(label) = &draft.label {
        facts.text("label", label);
    }
    let console = &draft.console;
    let words = [&console.theme, &console.layout, &console.bell, &console.notify, &console.title];
    for (key, word) in ["theme", "layout", "bell", "notify", "title"].into_iter().zip(words) {
        if let Some(word) = word {
            facts.text(&format!("console.{key}"), word);
        }
    }
    let etcd = etcd(draft.etcd, env, &mut facts, &mut out);
    let restapi = RestProfile {
        tls: tls(draft.restapi, "restapi", &mut facts),
        operate: operate(draft.rest_operate, "restapi", &mut facts),
        login: login(draft.rest_login, &mut facts, &mut out),
    };
    let postgres = postgres(draft.postgres, env, &mut facts, &mut out);
    let haproxy = draft.haproxy.into_iter().map(|h| haproxy(h, env, &mut facts, &mut out)).collect();
    let rabbitmq = draft.rabbitmq.and_then(|r| rabbitmq(r, env, &mut facts, &mut out));
    for limit in LIMITS {
        let origin = draft.limits.origins.get(limit.key).unwrap_or(&Origin::Default);
        facts.plain(&format!("limits.{}", limit.key), limit.told(&draft.limits.values), origin);
    }
    if !out.is_empty() {
        return Err(out);
    }
    let scope = draft.scope.map(|s| s.value);
    let shown = [&draft.name].into_iter().chain(&scope).find(|n| !n.is_empty()).cloned();
    let profile = Profile {
        name: shown.unwrap_or_else(|| namespace.value.clone()),
        scope,
        namespace: namespace.value,
        etcd,
        restapi,
        postgres,
        haproxy,
        color: draft.color.map(|c| c.value),
        keymap: draft.keymap.map(|k| k.value),
        label: draft.label.map(|l| l.value),
        console: ConsoleProfile {
            theme: draft.console.theme.map(|w| w.value),
            layout: draft.console.layout.map(|w| w.value),
            bell: draft.console.bell.map(|w| w.value),
            notify: draft.console.notify.map(|w| w.value),
            title: draft.console.title.map(|w| w.value),
        },
        read_only: read_only.value,
        assist: draft.assist.is_some_and(|a| a.value),
        syslog: draft.syslog.map(|path| path.value),
        limits: draft.limits.values,
        airflow: draft.airflow.map(|airflow| airflow.resolve(&mut facts)),
        rabbitmq,
        dags: draft.dags.map(|dags| dags.resolve(&mut facts)),
        target: draft.target.map(|target| target.resolve(&mut facts)),
        ssh: ssh(draft.ssh, &mut facts),
        logs: logs(draft.logs, &mut facts),
    };
    Ok(Ready { profile, facts: facts.into_vec() })
}

fn ssh(draft: Option<SshDraft>, facts: &mut Facts) -> SshProfile {
    let Some(draft) = draft else { return SshProfile::default() };
    if let Some(file) = &draft.config_file {
        facts.path("ssh.config_file", file);
    }
    match &draft.host {
        Some(host) => facts.text("ssh.host", host),
        None => facts.plain("ssh.host", "\"{host}\"", &Origin::Default),
    }
    for (name, host) in &draft.hosts {
        facts.text(&format!("ssh.hosts.{}", toml_key(name)), host);
    }
    let looked_at = draft.facts.unwrap_or_else(|| Setting::new(true, Origin::Default));
    facts.plain("ssh.facts", looked_at.value, &looked_at.origin);
    for (kind, path) in &draft.folders {
        facts.text(&format!("ssh.folders.{kind}"), path);
    }
    SshProfile {
        given: true,
        facts: looked_at.value,
        folders: draft.folders.into_iter().map(|(kind, path)| (kind, path.value)).collect(),
        config_file: draft.config_file.map(|file| file.value),
        host: draft.host.map(|host| host.value),
        hosts: draft.hosts.into_iter().map(|(name, host)| (name, host.value)).collect(),
    }
}

fn logs(draft: LogsDraft, facts: &mut Facts) -> BTreeMap<&'static str, LogProfile> {
    let mut all = BTreeMap::new();
    for (program, draft) in draft.programs {
        for (key, value) in [("file", &draft.file), ("unit", &draft.unit), ("log_line_prefix", &draft.log_line_prefix)] {
            if let Some(value) = value {
                facts.text(&format!("logs.{program}.{key}"), value);
            }
        }
        let [file, unit, log_line_prefix] = [draft.file, draft.unit, draft.log_line_prefix].map(|value| value.map(|v| v.value));
        all.insert(program, LogProfile { file, unit, log_line_prefix });
    }
    all
}

/// As Patroni joins it into keys: one slash at each end, none doubled.
fn normalised(namespace: &str) -> String {
    let parts: Vec<&str> = namespace.split('/').map(str::trim).filter(|p| !p.is_empty()).collect();
    match parts.is_empty() {
        true => "/".to_owned(),
        false => format!("/{}/", parts.join("/")),
    }
}

fn etcd(draft: EtcdDraft, env: &Env, facts: &mut Facts, out: &mut Vec<Diagnostic>) -> EtcdProfile {
    let https = draft.tls.speaks_tls() || draft.operate.cert.is_some();
    let endpoints = match draft.endpoints {
        Some(given) => {
            let urls: Vec<String> = given
                .value
                .into_iter()
                .map(|mut e| {
                    e.https.get_or_insert(https);
                    e.to_string()
                })
                .collect();
            facts.plain("etcd.endpoints", format_args!("{urls:?}"), &given.origin);
            urls
        }
        None => Vec::new(),
    };
    if let Some(username) = &draft.username {
        facts.text("etcd.username", username);
    }
    EtcdProfile {
        endpoints,
        password: secret(draft.password, "etcd.password", env, facts, out),
        username: draft.username.map(|u| u.value),
        tls: tls(draft.tls, "etcd", facts),
        operate: operate(draft.operate, "etcd", facts),
    }
}

/// Where they are is noted and nothing more: only who may write will read them.
fn operate(draft: OperateDraft, section: &str, facts: &mut Facts) -> Option<OperateCert> {
    for (key, path) in [("operate_certfile", &draft.cert), ("operate_keyfile", &draft.key)] {
        if let Some(path) = path {
            facts.path(&format!("{section}.{key}"), path);
        }
    }
    Some(OperateCert::new(draft.cert?.value, draft.key.map(|key| key.value)))
}

pub(super) fn tls(draft: TlsDraft, section: &str, facts: &mut Facts) -> TlsProfile {
    for (key, path) in [("cacert", &draft.ca), ("certfile", &draft.cert), ("keyfile", &draft.key)] {
        if let Some(path) = path {
            facts.path(&format!("{section}.{key}"), path);
        }
    }
    if let Some(insecure) = &draft.insecure {
        facts.plain(&format!("{section}.insecure"), insecure.value, &insecure.origin);
    }
    let cert = draft.cert.map(|c| c.value);
    TlsProfile {
        ca: draft.ca.map(|c| c.value),
        key: draft.key.map(|k| k.value).or_else(|| cert.clone()),
        cert,
        insecure: draft.insecure.is_some_and(|i| i.value),
    }
}

/// The password's place is noted and nothing more: only who may write will read it.
fn login(draft: LoginDraft, facts: &mut Facts, out: &mut Vec<Diagnostic>) -> Option<Login> {
    match (draft.username, draft.password) {
        (Some(username), Some(password)) => {
            facts.text("restapi.username", &username);
            facts.secret("restapi.password", &password.value, &password.origin);
            Some(Login::new(username.value, password))
        }
        (Some(username), None) => {
            out.push(Diagnostic::new(username.origin, "there is a user for the REST API, but no password"));
            None
        }
        (None, Some(password)) => {
            out.push(Diagnostic::new(password.origin, "there is a password for the REST API, but no user"));
            None
        }
        (None, None) => None,
    }
}

fn postgres(own: PostgresDraft, env: &Env, facts: &mut Facts, out: &mut Vec<Diagnostic>) -> PostgresProfile {
    let variables = libpq::variables(env).unwrap_or_else(|mistakes| {
        out.extend(mistakes);
        PostgresDraft::default()
    });
    let named_here = own.passfile.is_some();
    let service = match own.service.as_ref().or(variables.service.as_ref()) {
        Some(name) => {
            facts.text("postgres.service", name);
            libpq::service(name, env).unwrap_or_else(|mistake| {
                out.push(mistake);
                PostgresDraft::default()
            })
        }
        None => PostgresDraft::default(),
    };
    // libpq's order: what is said at the connection, the service, the variables, the defaults.
    let draft = own.over(service).over(variables);
    let user = draft.user.or_else(|| Some(Setting::new(env.user.clone()?, Origin::System)));
    if let Some(user) = &user {
        facts.text("postgres.user", user);
    }
    if let Some(user) = &draft.operate_user {
        facts.text("postgres.operate_user", user);
    }
    let dbname = draft.dbname.unwrap_or_else(|| Setting::new("postgres".to_owned(), Origin::Default));
    facts.text("postgres.dbname", &dbname);

    let system_roots = draft.sslrootcert.as_ref().is_some_and(|c| c.value == Path::new("system"));
    let sslmode = match draft.sslmode {
        Some(mode) => {
            if system_roots && mode.value != SslMode::VerifyFull {
                out.push(
                    Diagnostic::new(
                        mode.origin.clone(),
                        format!("sslmode {} is too weak for sslrootcert `system`", quote(&mode.value.to_string())),
                    )
                    .hint("with the system's certificate authorities libpq allows `verify-full` only"),
                );
            }
            mode
        }
        None if system_roots => Setting::new(SslMode::VerifyFull, Origin::Default),
        None => Setting::new(SslMode::Prefer, Origin::Default),
    };
    facts.plain("postgres.sslmode", format_args!("\"{}\"", sslmode.value), &sslmode.origin);

    let sslrootcert = match system_roots {
        true => None,
        false => certificate(draft.sslrootcert, "sslrootcert", "root.crt", env, facts),
    };
    if sslrootcert.is_none() && matches!(sslmode.value, SslMode::VerifyCa | SslMode::VerifyFull) {
        facts.note("postgres.sslrootcert", "the system's certificate authorities");
    }
    let sslcert = certificate(draft.sslcert, "sslcert", "postgresql.crt", env, facts);
    let sslkey = certificate(draft.sslkey, "sslkey", "postgresql.key", env, facts);
    let password = secret(draft.password, "postgres.password", env, facts, out);
    let passfile = draft.passfile.map(|p| (p, named_here)).or_else(|| {
        let path = env.home.as_ref()?.join(".pgpass");
        Some((Setting::new(path, Origin::Default), false))
    });
    let passfile = passfile.map(|(path, required)| (path.origin, PassFile { path: path.value, required }));
    if let (Some((origin, file)), None) = (&passfile, &password) {
        facts.passfile("postgres.passfile", file, origin);
    }
    let connect_timeout = draft.connect_timeout.filter(|t| t.value > 0);
    if let Some(timeout) = &connect_timeout {
        facts.plain("postgres.connect_timeout", timeout.value, &timeout.origin);
    }
    PostgresProfile {
        user: user.map(|u| u.value),
        operate_user: draft.operate_user.map(|u| u.value),
        dbname: dbname.value,
        sslmode: sslmode.value,
        sslrootcert,
        sslcert,
        sslkey,
        password,
        passfile: passfile.map(|(_, file)| file),
        connect_timeout: connect_timeout.map(|t| Duration::from_secs(t.value.into())),
    }
}

/// A certificate that was named, or the one in libpq's usual place if it exists.
fn certificate(given: Option<Setting<PathBuf>>, key: &str, usual: &str, env: &Env, facts: &mut Facts) -> Option<PathBuf> {
    let path = given.or_else(|| {
        let path = env.home.as_ref()?.join(".postgresql").join(usual);
        path.exists().then(|| Setting::new(path, Origin::Default))
    })?;
    facts.path(&format!("postgres.{key}"), &path);
    Some(path.value)
}

fn haproxy(draft: HaproxyDraft, env: &Env, facts: &mut Facts, out: &mut Vec<Diagnostic>) -> HaproxyProfile {
    let section = format!("haproxy.{}", toml_key(&draft.name.value));
    let stats = &draft.stats;
    match &stats.value {
        HaproxyAddress::Http(url) => facts.plain(&format!("{section}.stats"), format_args!("{url:?}"), &stats.origin),
        HaproxyAddress::Socket(path) => {
            facts.path(&format!("{section}.stats"), &Setting::new(path.clone(), stats.origin.clone()));
        }
    }
    for (key, value) in [("username", &draft.username), ("write", &draft.write), ("read", &draft.read), ("config", &draft.config)] {
        if let Some(value) = value {
            facts.text(&format!("{section}.{key}"), value);
        }
    }
    for (key, address) in [("write_address", &draft.write_address), ("read_address", &draft.read_address)] {
        if let Some(address) = address {
            facts.plain(&format!("{section}.{key}"), format_args!("\"{}\"", address.value), &address.origin);
        }
    }
    if let Some(socket) = &draft.admin_socket {
        // Not looked at: only who may write will open it.
        facts.plain(&format!("{section}.admin_socket"), format_args!("{:?}", socket.value.to_string()), &socket.origin);
    }
    HaproxyProfile {
        password: secret(draft.password, &format!("{section}.password"), env, facts, out),
        tls: tls(draft.tls, &section, facts),
        name: draft.name.value,
        stats: draft.stats.value,
        username: draft.username.map(|u| u.value),
        write_backend: draft.write.map(|w| w.value),
        read_backend: draft.read.map(|r| r.value),
        write_address: draft.write_address.map(|a| a.value),
        read_address: draft.read_address.map(|a| a.value),
        admin_socket: draft.admin_socket.map(|a| AdminSocket::new(a.value)),
        config: draft.config.map_or_else(|| HaproxyProfile::CONFIG.to_owned(), |path| path.value),
    }
}

fn rabbitmq(draft: RabbitmqDraft, env: &Env, facts: &mut Facts, out: &mut Vec<Diagnostic>) -> Option<RabbitmqProfile> {
    for node in &draft.nodes {
        facts.text(&format!("rabbitmq.nodes.{}", toml_key(&node.name)), &node.url);
    }
    facts.text("rabbitmq.username", &draft.username);
    let (vhost, queues) = pgbaton_rabbitmq::defaults();
    let (vhost, queues) = (draft.vhost.unwrap_or(vhost), draft.queues.unwrap_or(queues));
    facts.text("rabbitmq.vhost", &vhost);
    let names: Vec<&str> = queues.iter().map(|queue| queue.value.as_str()).collect();
    facts.plain("rabbitmq.queues", format_args!("{names:?}"), queues.first().map_or(&Origin::Default, |queue| &queue.origin));
    let nodes = draft.nodes.into_iter().map(|node| RabbitmqNodeProfile { name: node.name, url: node.url.value });
    Some(RabbitmqProfile {
        nodes: nodes.collect(),
        username: draft.username.value,
        password: secret(Some(draft.password), "rabbitmq.password", env, facts, out)?,
        vhost: vhost.value,
        queues: queues.into_iter().map(|queue| queue.value).collect(),
        tls: tls(draft.tls, "rabbitmq", facts),
    })
}

/// Reads a secret where it is kept. One that is configured and cannot be had is a mistake, never "no password".
fn secret(given: Option<Setting<Secret>>, key: &str, env: &Env, facts: &mut Facts, out: &mut Vec<Diagnostic>) -> Option<SecretString> {
    let given = given?;
    facts.secret(key, &given.value, &given.origin);
    login::look_up(&given, key, env).map_err(|mistake| out.push(mistake)).ok()
}

#[cfg(test)]
mod tests {
    use super::normalised;

    #[test]
    fn a_namespace_has_one_slash_at_each_end() {
        for (given, made) in [("service", "/service/"), ("/service/", "/service/"), ("//a//b", "/a/b/"), ("/", "/"), ("", "/")] {
            assert_eq!(normalised(given), made, "{given:?}");
        }
    }
}
