//! A cluster half described: every value optional, every value with its origin. Layers are laid over each other
//! here, and only the result is asked whether it is complete.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::SecretString;

use super::airflow::AirflowDraft;
use super::endpoint::Endpoint;
use super::estate::{DagsDraft, TargetDraft};
use super::origin::{Origin, Setting};
use super::profile::{AdminAddress, ClientAddress, HaproxyAddress, SslMode};
use crate::finding::{LIMITS, Limits};
use crate::model::PlaceKind;

/// Where a secret is. It is read when its cluster is made ready, not when the file is parsed.
#[derive(Debug, Clone)]
pub(crate) enum Secret {
    Value(SecretString),
    Variable(String),
    File(PathBuf),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    pub name: String,
    pub at: Option<Origin>,
    pub scope: Option<Setting<String>>,
    pub namespace: Option<Setting<String>>,
    pub color: Option<Setting<String>>,
    pub keymap: Option<Setting<String>>,
    pub label: Option<Setting<String>>,
    pub console: ConsoleDraft,
    pub read_only: Option<Setting<bool>>,
    pub assist: Option<Setting<bool>>,
    pub syslog: Option<Setting<PathBuf>>,
    pub etcd: EtcdDraft,
    pub restapi: TlsDraft,
    pub rest_operate: OperateDraft,
    pub rest_login: LoginDraft,
    pub postgres: PostgresDraft,
    pub haproxy: Vec<HaproxyDraft>,
    pub limits: LimitsDraft,
    pub airflow: Option<AirflowDraft>,
    pub rabbitmq: Option<RabbitmqDraft>,
    pub dags: Option<DagsDraft>,
    pub target: Option<TargetDraft>,
    pub ssh: Option<SshDraft>,
    pub logs: LogsDraft,
    /// A patronictl file to import from.
    pub patronictl: Option<Setting<PathBuf>>,
}

/// How the console looks and how it calls, as it is written.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConsoleDraft {
    pub theme: Option<Setting<String>>,
    pub layout: Option<Setting<String>>,
    pub bell: Option<Setting<String>>,
    pub notify: Option<Setting<String>>,
    pub title: Option<Setting<String>>,
}

/// Limits, and where those were found that somebody has set.
#[derive(Debug, Clone, Default)]
pub(crate) struct LimitsDraft {
    pub values: Limits,
    pub origins: BTreeMap<&'static str, Origin>,
}

impl LimitsDraft {
    /// This, with what it lacks taken from `below`.
    pub fn over(mut self, below: &LimitsDraft) -> LimitsDraft {
        for limit in LIMITS {
            if !self.origins.contains_key(limit.key)
                && let Some(origin) = below.origins.get(limit.key)
            {
                limit.copy(&below.values, &mut self.values);
                self.origins.insert(limit.key, origin.clone());
            }
        }
        self
    }
}

/// How RabbitMQ is asked.
#[derive(Debug, Clone)]
pub(crate) struct RabbitmqDraft {
    /// In the order of the file.
    pub nodes: Vec<RabbitmqNodeDraft>,
    pub username: Setting<String>,
    pub password: Setting<Secret>,
    pub vhost: Option<Setting<String>>,
    pub queues: Option<Vec<Setting<String>>>,
    pub tls: TlsDraft,
}

/// One node of it.
#[derive(Debug, Clone)]
pub(crate) struct RabbitmqNodeDraft {
    pub name: String,
    pub url: Setting<String>,
}

/// How nodes are reached by ssh.
#[derive(Debug, Clone)]
pub(crate) struct SshDraft {
    pub facts: Option<Setting<bool>>,
    pub folders: Vec<(PlaceKind, Setting<String>)>,
    pub config_file: Option<Setting<PathBuf>>,
    pub host: Option<Setting<String>>,
    /// By the node's name, in the order of the file.
    pub hosts: Vec<(String, Setting<String>)>,
}

/// Where the programs' logs are, by the program's name.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogsDraft {
    pub programs: BTreeMap<&'static str, LogDraft>,
}

/// Where one program's log is.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogDraft {
    pub file: Option<Setting<String>>,
    pub unit: Option<Setting<String>>,
    pub log_line_prefix: Option<Setting<String>>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct EtcdDraft {
    pub endpoints: Option<Setting<Vec<Endpoint>>>,
    pub username: Option<Setting<String>>,
    pub password: Option<Setting<Secret>>,
    pub tls: TlsDraft,
    pub operate: OperateDraft,
}

/// A certificate that only giving orders needs.
#[derive(Debug, Clone, Default)]
pub(crate) struct OperateDraft {
    pub cert: Option<Setting<PathBuf>>,
    pub key: Option<Setting<PathBuf>>,
}

/// User and password for what an API does not let everybody do.
#[derive(Debug, Clone, Default)]
pub(crate) struct LoginDraft {
    pub username: Option<Setting<String>>,
    pub password: Option<Setting<Secret>>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct TlsDraft {
    pub ca: Option<Setting<PathBuf>>,
    pub cert: Option<Setting<PathBuf>>,
    pub key: Option<Setting<PathBuf>>,
    pub insecure: Option<Setting<bool>>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct PostgresDraft {
    pub user: Option<Setting<String>>,
    pub operate_user: Option<Setting<String>>,
    pub dbname: Option<Setting<String>>,
    pub password: Option<Setting<Secret>>,
    pub service: Option<Setting<String>>,
    pub passfile: Option<Setting<PathBuf>>,
    pub sslmode: Option<Setting<SslMode>>,
    pub sslrootcert: Option<Setting<PathBuf>>,
    pub sslcert: Option<Setting<PathBuf>>,
    pub sslkey: Option<Setting<PathBuf>>,
    /// Seconds.
    pub connect_timeout: Option<Setting<u32>>,
}

#[derive(Debug, Clone)]
pub(crate) struct HaproxyDraft {
    pub name: Setting<String>,
    pub stats: Setting<HaproxyAddress>,
    pub username: Option<Setting<String>>,
    pub password: Option<Setting<Secret>>,
    pub tls: TlsDraft,
    pub write: Option<Setting<String>>,
    pub read: Option<Setting<String>>,
    pub write_address: Option<Setting<ClientAddress>>,
    pub read_address: Option<Setting<ClientAddress>>,
    pub admin_socket: Option<Setting<AdminAddress>>,
    pub config: Option<Setting<String>>,
}

impl Draft {
    /// This draft, with what it lacks taken from `below`. Name, HAProxies and PostgreSQL are this one's.
    pub fn over(self, below: Draft) -> Draft {
        Draft {
            scope: self.scope.or(below.scope),
            namespace: self.namespace.or(below.namespace),
            color: self.color.or(below.color),
            keymap: self.keymap.or(below.keymap),
            label: self.label.or(below.label),
            read_only: self.read_only.or(below.read_only),
            assist: self.assist.or(below.assist),
            syslog: self.syslog.or(below.syslog),
            etcd: self.etcd.over(below.etcd),
            restapi: self.restapi.over(below.restapi),
            rest_operate: self.rest_operate.over(below.rest_operate),
            rest_login: self.rest_login.over(below.rest_login),
            ..self
        }
    }
}

impl LoginDraft {
    /// This, or `below` as a whole: the password of one user is not sent with the name of another.
    pub fn over(self, below: LoginDraft) -> LoginDraft {
        if self.username.is_some() || self.password.is_some() { self } else { below }
    }
}

impl EtcdDraft {
    /// This, with what it lacks taken from `below`.
    pub fn over(self, below: EtcdDraft) -> EtcdDraft {
        // The password below is of the user below: another user must not be sent with it.
        let password = if self.username.is_some() { self.password } else { self.password.or(below.password) };
        EtcdDraft {
            endpoints: self.endpoints.or(below.endpoints),
            username: self.username.or(below.username),
            password,
            tls: self.tls.over(below.tls),
            operate: self.operate.over(below.operate),
        }
    }
}

impl OperateDraft {
    /// This, or `below`; certificate and key go together.
    pub fn over(self, below: OperateDraft) -> OperateDraft {
        if self.cert.is_some() { self } else { below }
    }
}

impl TlsDraft {
    /// This, with what it lacks taken from `below`; certificate and key go together.
    pub fn over(self, below: TlsDraft) -> TlsDraft {
        let (cert, key) = if self.cert.is_some() { (self.cert, self.key) } else { (below.cert, self.key.or(below.key)) };
        TlsDraft { ca: self.ca.or(below.ca), cert, key, insecure: self.insecure.or(below.insecure) }
    }

    /// Whether anything here says that the connection is TLS.
    pub fn speaks_tls(&self) -> bool {
        self.ca.is_some() || self.cert.is_some() || self.insecure.as_ref().is_some_and(|i| i.value)
    }
}

impl PostgresDraft {
    /// This, with what it lacks taken from `below`; certificate and key go together.
    pub fn over(self, below: PostgresDraft) -> PostgresDraft {
        PostgresDraft {
            user: self.user.or(below.user),
            dbname: self.dbname.or(below.dbname),
            password: self.password.or(below.password),
            service: self.service.or(below.service),
            passfile: self.passfile.or(below.passfile),
            sslmode: self.sslmode.or(below.sslmode),
            sslrootcert: self.sslrootcert.or(below.sslrootcert),
            sslcert: self.sslcert.or(below.sslcert),
            sslkey: self.sslkey.or(below.sslkey),
            operate_user: self.operate_user.or(below.operate_user),
            connect_timeout: self.connect_timeout.or(below.connect_timeout),
        }
    }
}
