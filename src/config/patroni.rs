//! What Patroni's configuration says about reaching a cluster, however it was given, and what pgbaton makes of it.
//!
//! The rules are those of Patroni 4.1 (`config.py`, `ctl.py`, `request.py`, `dcs/etcd.py`): of `etcd3` the first of
//! `url`, `hosts`, `host` counts, the protocol is http unless said otherwise; the REST API is reached with `ctl`'s
//! certificates, and `restapi.cafile` stands in for a missing `ctl.cacert`.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::diagnostic::{Diagnostic, quote};
use super::draft::{Draft, EtcdDraft, LoginDraft, OperateDraft, Secret, TlsDraft};
use super::endpoint::{ETCD_PORT, Endpoint, split_host_port};
use super::origin::{Origin, Setting};

/// Systems that Patroni can keep its state in, and pgbaton does not speak.
pub(crate) const OTHER_DCS: [&str; 6] = ["etcd", "consul", "zookeeper", "exhibitor", "kubernetes", "raft"];

/// The keys that count, as they were written, before any rule is applied.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patroni {
    pub scope: Option<Setting<String>>,
    pub namespace: Option<Setting<String>>,
    pub etcd3: Etcd3,
    /// A DCS section of another kind, if there is one.
    pub other_dcs: Option<Setting<String>>,
    /// `dcs_api` of old patronictl files.
    pub dcs_api: Option<Setting<String>>,
    pub ctl: Ctl,
    pub restapi_cafile: Option<Setting<String>>,
    pub restapi_login: Login,
}

/// `auth`, or `authentication` with `username` and `password`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Login {
    pub auth: Option<Setting<SecretString>>,
    pub username: Option<Setting<String>>,
    pub password: Option<Setting<SecretString>>,
}

impl Login {
    fn over(self, below: Login) -> Login {
        Login { auth: self.auth.or(below.auth), username: self.username.or(below.username), password: self.password.or(below.password) }
    }

    /// `authentication` comes before `auth` (`config.py`, `_build_effective_configuration`); half of one is none.
    fn into_draft(self) -> Option<LoginDraft> {
        if let (Some(username), Some(password)) = (self.username, self.password) {
            return Some(LoginDraft { username: Some(username), password: Some(password.map(Secret::Value)) });
        }
        let auth = self.auth?;
        let (username, password) = auth.value.expose_secret().split_once(':').unwrap_or((auth.value.expose_secret(), ""));
        Some(LoginDraft {
            username: Some(Setting::new(username.to_owned(), auth.origin.clone())),
            password: Some(Setting::new(Secret::Value(SecretString::from(password)), auth.origin.clone())),
        })
    }
}

impl Patroni {
    /// `request.py`, `reload_config`: what `ctl` says, else what `restapi` says.
    fn login(&self) -> LoginDraft {
        self.ctl.login.clone().into_draft().or_else(|| self.restapi_login.clone().into_draft()).unwrap_or_default()
    }
}

/// The section `etcd3`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Etcd3 {
    /// Where the section is, if it is there at all.
    pub at: Option<Origin>,
    pub url: Option<Setting<String>>,
    pub hosts: Option<Setting<Vec<String>>>,
    pub host: Option<Setting<String>>,
    pub port: Option<Setting<u32>>,
    pub protocol: Option<Setting<String>>,
    pub srv: Option<Setting<String>>,
    pub proxy: Option<Origin>,
    pub use_proxies: Option<Setting<bool>>,
    pub username: Option<Setting<String>>,
    pub password: Option<Setting<SecretString>>,
    pub cacert: Option<Setting<String>>,
    pub cert: Option<Setting<String>>,
    pub key: Option<Setting<String>>,
}

/// The section `ctl`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ctl {
    pub insecure: Option<Setting<bool>>,
    pub cacert: Option<Setting<String>>,
    pub certfile: Option<Setting<String>>,
    pub keyfile: Option<Setting<String>>,
    /// Where it is; the password itself is of no use here.
    pub keyfile_password: Option<Origin>,
    pub login: Login,
}

impl Patroni {
    /// This, with what it lacks taken from `below`: variables over a file, a later file of a folder over an earlier.
    pub fn over(self, below: Patroni) -> Patroni {
        let (e, f) = (self.etcd3, below.etcd3);
        let (c, d) = (self.ctl, below.ctl);
        Patroni {
            scope: self.scope.or(below.scope),
            namespace: self.namespace.or(below.namespace),
            other_dcs: self.other_dcs.or(below.other_dcs),
            dcs_api: self.dcs_api.or(below.dcs_api),
            restapi_cafile: self.restapi_cafile.or(below.restapi_cafile),
            restapi_login: self.restapi_login.over(below.restapi_login),
            etcd3: Etcd3 {
                at: e.at.or(f.at),
                url: e.url.or(f.url),
                hosts: e.hosts.or(f.hosts),
                host: e.host.or(f.host),
                port: e.port.or(f.port),
                protocol: e.protocol.or(f.protocol),
                srv: e.srv.or(f.srv),
                proxy: e.proxy.or(f.proxy),
                use_proxies: e.use_proxies.or(f.use_proxies),
                username: e.username.or(f.username),
                password: e.password.or(f.password),
                cacert: e.cacert.or(f.cacert),
                cert: e.cert.or(f.cert),
                key: e.key.or(f.key),
            },
            ctl: Ctl {
                insecure: c.insecure.or(d.insecure),
                cacert: c.cacert.or(d.cacert),
                certfile: c.certfile.or(d.certfile),
                keyfile: c.keyfile.or(d.keyfile),
                keyfile_password: c.keyfile_password.or(d.keyfile_password),
                login: c.login.over(d.login),
            },
        }
    }

    /// `DCS_URL` (or `dcs_api`): names the DCS instead of every section, and perhaps the namespace.
    pub fn with_dcs_url(mut self, url: Setting<String>) -> Result<Patroni, Diagnostic> {
        let bad = |message: String| Diagnostic::new(url.origin.clone(), message).hint("the form is etcd3://HOST:PORT/NAMESPACE");
        let (scheme, rest) = match url.value.split_once("//") {
            Some((scheme, rest)) => (scheme.trim_end_matches(':'), rest),
            None => ("", url.value.as_str()),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let authority = authority.rsplit('@').next().unwrap_or_default();
        match scheme {
            "etcd3" => {}
            // patronictl takes a URL without a scheme for etcd's v2 API when the port is etcd's.
            "" => {
                return Err(bad("this DCS URL has no scheme, which patronictl takes for etcd's v2 API".into()));
            }
            other if OTHER_DCS.contains(&other) => {
                return Err(other_dcs(&Setting::new(other.to_owned(), url.origin.clone())));
            }
            other => {
                return Err(bad(format!("{} is not a DCS that Patroni knows", quote(other))));
            }
        }
        let (host, port) = match authority {
            "" => ("localhost".to_owned(), ETCD_PORT),
            port if port.starts_with(':') => split_host_port(&format!("localhost{port}"), ETCD_PORT).map_err(bad)?,
            host => split_host_port(host, ETCD_PORT).map_err(bad)?,
        };
        self.etcd3 = Etcd3 {
            at: Some(url.origin.clone()),
            host: Some(Setting::new(host, url.origin.clone())),
            port: Some(Setting::new(port.into(), url.origin.clone())),
            ..Etcd3::default()
        };
        if !path.trim_matches('/').is_empty() {
            self.namespace = Some(Setting::new(format!("/{path}"), url.origin.clone()));
        }
        self.dcs_api = None;
        Ok(self)
    }

    /// Everything but where etcd is, for a cluster whose endpoints are written elsewhere.
    pub fn without_dcs(self) -> Draft {
        let rest_login = self.login();
        let restapi = self.ctl.into_draft(self.restapi_cafile, &mut Vec::new());
        Draft { scope: self.scope, namespace: self.namespace, restapi, rest_login, ..Draft::default() }
    }

    /// What pgbaton needs of it. `whole` is named when nothing in it says where etcd is.
    pub fn into_draft(mut self, whole: &Origin) -> Result<Draft, Vec<Diagnostic>> {
        if self.etcd3.at.is_none()
            && let Some(url) = self.dcs_api.take()
        {
            self = self.with_dcs_url(url).map_err(|d| vec![d])?;
        }
        if self.etcd3.at.is_none() {
            return Err(vec![match &self.other_dcs {
                Some(other) => other_dcs(other),
                None => Diagnostic::new(whole.clone(), "there is no section `etcd3`, so it is not known where etcd is")
                    .hint("add etcd3: with hosts: HOST1:2379,HOST2:2379 as in patronictl.yaml"),
            }]);
        }
        let mut out = Vec::new();
        let rest_login = self.login();
        let etcd = self.etcd3.into_draft(&mut out);
        let restapi = self.ctl.into_draft(self.restapi_cafile, &mut out);
        out.extend(self.scope.as_ref().and_then(slash_in_scope));
        out.sort_by_key(|d| d.at.line_col());
        if !out.is_empty() {
            return Err(out);
        }
        Ok(Draft { scope: self.scope, namespace: self.namespace, etcd, restapi, rest_login, ..Draft::default() })
    }
}

/// The complaint about a scope that would be two parts of etcd's keys.
pub(crate) fn slash_in_scope(scope: &Setting<String>) -> Option<Diagnostic> {
    scope.value.contains('/').then(|| {
        Diagnostic::new(scope.origin.clone(), format!("a scope has no slash: {}", quote(&scope.value)))
            .hint("what stands before the scope in etcd's keys is `namespace`")
    })
}

/// "This names consul ..." and, for `etcd`, the difference to `etcd3`.
fn other_dcs(name: &Setting<String>) -> Diagnostic {
    let message = match name.value.as_str() {
        "etcd" => "this names DCS `etcd`, which in Patroni means etcd's v2 API; pgbaton speaks etcd v3 (Patroni's `etcd3`) only".into(),
        other => format!("this names DCS {}; pgbaton speaks etcd v3 (Patroni's `etcd3`) only", quote(other)),
    };
    let hint = match name.value.as_str() {
        "etcd" => "if these servers are etcd 3.4 or later and the cluster was moved to `etcd3`, name them under `etcd3`",
        _ => "to look at a cluster that does use etcd v3, name another file with -c",
    };
    Diagnostic::new(name.origin.clone(), message).hint(hint)
}

impl Etcd3 {
    fn into_draft(self, out: &mut Vec<Diagnostic>) -> EtcdDraft {
        let proxied = self.proxy.is_some();
        if let Some(origin) = self.proxy.or(self.use_proxies.filter(|u| u.value).map(|u| u.origin)) {
            out.push(
                Diagnostic::new(origin, "an etcd proxy is not supported: the state of etcd's members is read from each of them")
                    .hint("name the members themselves under `etcd3.hosts`"),
            );
        }
        let https = self.protocol.and_then(|protocol| match protocol.value.as_str() {
            "http" => Some(false),
            "https" => Some(true),
            other => {
                out.push(
                    Diagnostic::new(protocol.origin, format!("{} is not a protocol of etcd", quote(other)))
                        .hint("the values are `http` and `https`"),
                );
                None
            }
        });
        let (mut username, mut password) = (self.username, self.password.map(|p| p.map(Secret::Value)));
        let mut endpoints = Vec::new();
        let origin;
        let from_host_port = |text: &str, port: u16| {
            let (host, port) = split_host_port(text, port)?;
            Ok::<_, String>(Endpoint { https: Some(https.unwrap_or(false)), host, port })
        };
        let port = self.port.as_ref().and_then(|p| u16::try_from(p.value).ok());
        if let Some(url) = self.url {
            origin = url.origin.clone();
            match Endpoint::parse_url(&url.value) {
                Ok((endpoint, user)) => {
                    endpoints.push(endpoint);
                    // A user in the URL wins over the keys; for Patroni a URL without one even erases them, which nobody means.
                    username = user.username.map(|u| Setting::new(u, url.origin.clone())).or(username);
                    password = user.password.map(|p| Setting::new(Secret::Value(p.into()), url.origin.clone())).or(password);
                }
                Err(why) => out.push(Diagnostic::new(url.origin, why).hint("`etcd3.url` is http://HOST:2379 or https://HOST:2379")),
            }
        } else if let Some(hosts) = self.hosts {
            origin = hosts.origin;
            for text in hosts.value {
                match from_host_port(&text, port.unwrap_or(ETCD_PORT)) {
                    Ok(endpoint) => endpoints.push(endpoint),
                    Err(why) => out.push(
                        Diagnostic::new(origin.clone(), why)
                            .hint("`etcd3.hosts` is a list of host:port, or one string with commas; the scheme is `etcd3.protocol`"),
                    ),
                }
            }
        } else if let Some(host) = self.host {
            origin = host.origin;
            // `port` beside a host that carries one of its own: Patroni takes the key.
            let endpoint = from_host_port(&host.value, ETCD_PORT).map(|e| Endpoint { port: port.unwrap_or(e.port), ..e });
            match endpoint {
                Ok(endpoint) => endpoints.push(endpoint),
                Err(why) => {
                    out.push(Diagnostic::new(origin.clone(), why).hint("`etcd3.host` is host:port; the scheme is `etcd3.protocol`"))
                }
            }
        } else if let Some(srv) = self.srv {
            let name = srv.value.trim_end_matches('.').to_owned();
            out.push(
                Diagnostic::new(
                    srv.origin,
                    format!("etcd's addresses are in DNS SRV records of {}, which pgbaton does not look up", quote(&name)),
                )
                .hint(format!("list them under `etcd3.hosts`; to see them: host -t SRV _etcd-client._tcp.{name}")),
            );
            return EtcdDraft::default();
        } else {
            if let (Some(at), false) = (self.at, proxied) {
                out.push(Diagnostic::new(at, "section `etcd3` names no server").hint("add hosts: HOST1:2379,HOST2:2379"));
            }
            return EtcdDraft::default();
        }
        let path = |s: Option<Setting<String>>| s.map(|s| s.map(PathBuf::from));
        EtcdDraft {
            endpoints: Some(Setting::new(endpoints, origin)),
            username,
            password,
            tls: TlsDraft { ca: path(self.cacert), cert: path(self.cert), key: path(self.key), insecure: None },
            operate: OperateDraft::default(),
        }
    }
}

impl Ctl {
    fn into_draft(self, cafile: Option<Setting<String>>, out: &mut Vec<Diagnostic>) -> TlsDraft {
        let path = |s: Option<Setting<String>>| s.map(|s| s.map(PathBuf::from));
        let tls = TlsDraft {
            ca: path(self.cacert.or(cafile)),
            // Patroni looks at the key only when there is a certificate.
            key: if self.certfile.is_some() { path(self.keyfile) } else { None },
            cert: path(self.certfile),
            insecure: self.insecure,
        };
        let key = tls.key.as_ref().or(tls.cert.as_ref());
        if let (Some(origin), Some(key)) = (self.keyfile_password, key)
            && std::fs::read_to_string(&key.value).is_ok_and(|pem| pem.contains("ENCRYPTED"))
        {
            out.push(
                Diagnostic::new(
                    origin,
                    format!("the key {} is encrypted, which pgbaton cannot read", quote(&key.value.display().to_string())),
                )
                .hint("decrypt it into a file that only you can read: openssl pkey -in KEY -out PLAIN, and name that one"),
            );
        }
        tls
    }
}
