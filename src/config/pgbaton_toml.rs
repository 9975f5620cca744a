//! `pgbaton.toml`: pgbaton's own file, read strictly.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use secrecy::SecretString;
use strum::VariantNames;

use super::diagnostic::{Diagnostic, nearest, one_of, quote, shown};
use super::draft::{Draft, EtcdDraft, LoginDraft, OperateDraft, PostgresDraft, Secret, TlsDraft};
use super::endpoint::Endpoint;
use super::env::Env;
use super::node::{Kind, Node, Value};
use super::origin::{Origin, Setting};
use super::patroni::slash_in_scope;
use super::profile::SslMode;
use super::section::{Manner, Section, wrong_type};
use super::toml_tree;

/// What the file says.
#[derive(Debug, Default)]
pub(crate) struct PgbatonFile {
    /// The cluster that opens when none is named.
    pub default: Option<Setting<String>>,
    /// In the order of the file.
    pub clusters: Vec<Draft>,
}

const TLS: [&str; 4] = ["cacert", "certfile", "keyfile", "insecure"];
const OPERATE: [&str; 2] = ["operate_certfile", "operate_keyfile"];

/// Reads the file's text. `private`: nobody but its owner can read the file, so it may hold passwords.
pub(crate) fn read(path: &Arc<Path>, text: &str, private: bool, env: &Env) -> Result<PgbatonFile, Vec<Diagnostic>> {
    let mut out = Vec::new();
    let (root, sound) = toml_tree::parse(path, text, &mut out);
    let mut file = PgbatonFile::default();
    if sound {
        Reader { path, private, env, out: &mut out }.file(&root, &mut file);
    }
    if out.is_empty() {
        return Ok(file);
    }
    out.sort_by_key(|d| d.at.line_col());
    Err(out)
}

/// What is needed while reading, and the mistakes so far.
pub(super) struct Reader<'r> {
    pub path: &'r Arc<Path>,
    private: bool,
    pub env: &'r Env,
    pub out: &'r mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn file(&mut self, root: &Node, file: &mut PgbatonFile) {
        let Some(top) = Section::of(root, "", Manner::Strict, self.out) else {
            return;
        };
        top.only(&["default", "keymap", "clusters", "limits", "console"], self.out);
        file.default = top.text("default", self.out);
        let keymap = top.text("keymap", self.out);
        let limits = self.limits(&top);
        let console = self.console(&top);
        let mut names = Vec::new();
        if let Some(clusters) = top.table("clusters", self.out) {
            for entry in clusters.entries() {
                names.push(entry.key.clone());
                if !acceptable_name(&entry.key) {
                    self.out.push(
                        Diagnostic::new(entry.key_at.clone(), format!("{} cannot be a cluster's name", quote(&entry.key)))
                            .hint("a name is not empty, and has no slashes, spaces at its ends or control characters"),
                    );
                }
                if let Some(table) = Section::of(&entry.value, clusters.path(&entry.key), Manner::Strict, self.out) {
                    let mut draft = self.cluster(&entry.key, &entry.key_at, &table);
                    draft.limits = draft.limits.over(&limits);
                    draft.keymap = draft.keymap.or_else(|| keymap.clone());
                    draft.console = console.clone();
                    file.clusters.push(draft);
                }
            }
        }
        if names.is_empty() && self.out.is_empty() {
            self.out.push(
                Diagnostic::new(Origin::start_of(self.path), "there is no cluster in this file")
                    .hint("begin with: [clusters.NAME.etcd] and endpoints = [\"HOST:2379\"]"),
            );
        }
        if let Some(default) = &file.default
            && !names.is_empty()
            && !names.contains(&default.value)
        {
            let hint = match nearest(&default.value, &names) {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!("the clusters of this file are {}", one_of(&names).replace(" or ", " and ")),
            };
            self.out.push(
                Diagnostic::new(default.origin.clone(), format!("`default` names {}, and there is no such cluster", quote(&default.value)))
                    .hint(hint),
            );
        }
    }

    fn cluster(&mut self, name: &str, at: &Origin, table: &Section<'_>) -> Draft {
        table.only(
            &[
                "scope",
                "namespace",
                "read_only",
                "assist",
                "syslog",
                "color",
                "keymap",
                "label",
                "patronictl",
                "etcd",
                "restapi",
                "postgres",
                "haproxy",
                "limits",
                "airflow",
                "rabbitmq",
                "dags",
                "target",
                "ssh",
                "logs",
            ],
            self.out,
        );
        let patronictl = self.file_path(table, "patronictl");
        let scope = table.text("scope", self.out);
        self.out.extend(scope.as_ref().and_then(slash_in_scope));
        let etcd = match table.table("etcd", self.out) {
            Some(etcd) => self.etcd(&etcd, patronictl.is_some()),
            None => {
                if patronictl.is_none() && table.get("etcd", &mut Vec::new()).is_none() {
                    self.out.push(
                        Diagnostic::new(at.clone(), format!("cluster {} has no etcd endpoints", quote(name)))
                            .hint(format!("add [{}] with endpoints = [\"HOST:2379\"], or patronictl = \"FILE\"", table.path("etcd"))),
                    );
                }
                EtcdDraft::default()
            }
        };
        let (restapi, rest_operate, rest_login) = match table.table("restapi", self.out) {
            Some(restapi) => {
                restapi.only(&[&TLS[..], &OPERATE, &["username", "password"]].concat(), self.out);
                (
                    self.tls(&restapi),
                    self.operate(&restapi),
                    LoginDraft { username: restapi.text("username", self.out), password: self.secret(&restapi, "password") },
                )
            }
            None => Default::default(),
        };
        Draft {
            name: name.to_owned(),
            at: Some(at.clone()),
            scope,
            namespace: table.text("namespace", self.out),
            color: self.color(table),
            keymap: table.text("keymap", self.out),
            label: self.label(table),
            console: Default::default(),
            read_only: table.boolean("read_only", self.out),
            assist: table.boolean("assist", self.out),
            syslog: self.file_path(table, "syslog"),
            etcd,
            restapi,
            rest_operate,
            rest_login,
            postgres: table.table("postgres", self.out).map(|t| self.postgres(&t)).unwrap_or_default(),
            haproxy: self.haproxies(table),
            limits: self.limits(table),
            airflow: self.airflow(table),
            rabbitmq: self.rabbitmq(table),
            dags: self.dags(table),
            target: self.target(table),
            ssh: self.ssh(table),
            logs: self.logs(table),
            patronictl,
        }
    }

    fn etcd(&mut self, table: &Section<'_>, imported: bool) -> EtcdDraft {
        table.only(&[&["endpoints", "username", "password"], &TLS[..], &OPERATE].concat(), self.out);
        let endpoints = table.get("endpoints", &mut Vec::new()).and_then(|node| {
            let texts = table.texts("endpoints", self.out)?;
            if texts.is_empty() && matches!(&node.value, Value::List(items) if items.is_empty()) {
                self.out.push(
                    Diagnostic::new(node.at.clone(), format!("{} is empty", quote(&table.path("endpoints"))))
                        .hint("each entry is \"host:port\" or \"https://host:port\""),
                );
            }
            let mut endpoints = Vec::new();
            for text in texts {
                match Endpoint::parse(&text.value) {
                    Ok(endpoint) => endpoints.push(endpoint),
                    Err(why) => {
                        self.out.push(Diagnostic::new(text.origin, why).hint("an endpoint is \"host:port\" or \"https://host:port\""))
                    }
                }
            }
            Some(Setting::new(endpoints, node.at.clone()))
        });
        if endpoints.is_none() && !imported && table.get("endpoints", &mut Vec::new()).is_none() {
            self.out.push(
                Diagnostic::new(table.at.clone(), format!("{} is missing", quote(&table.path("endpoints"))))
                    .hint("endpoints = [\"HOST:2379\"]"),
            );
        }
        EtcdDraft {
            endpoints,
            username: table.text("username", self.out),
            password: self.secret(table, "password"),
            tls: self.tls(table),
            operate: self.operate(table),
        }
    }

    pub fn tls(&mut self, table: &Section<'_>) -> TlsDraft {
        let tls = TlsDraft {
            ca: self.file_path(table, "cacert"),
            cert: self.file_path(table, "certfile"),
            key: self.file_path(table, "keyfile"),
            insecure: table.boolean("insecure", self.out),
        };
        if let (None, Some(key)) = (&tls.cert, &tls.key)
            && table.get("certfile", &mut Vec::new()).is_none()
        {
            self.out.push(
                Diagnostic::new(key.origin.clone(), "`keyfile` without `certfile`").hint("a key is of use with its certificate only"),
            );
        }
        tls
    }

    /// The certificate for orders. Its files are not opened here.
    fn operate(&mut self, table: &Section<'_>) -> OperateDraft {
        let operate = OperateDraft { cert: self.file_path(table, "operate_certfile"), key: self.file_path(table, "operate_keyfile") };
        if let (None, Some(key)) = (&operate.cert, &operate.key)
            && table.get("operate_certfile", &mut Vec::new()).is_none()
        {
            let told = "`operate_keyfile` without `operate_certfile`";
            self.out.push(Diagnostic::new(key.origin.clone(), told).hint("a key is of use with its certificate only"));
        }
        operate
    }

    fn postgres(&mut self, table: &Section<'_>) -> PostgresDraft {
        table.only(
            &["user", "operate_user", "dbname", "service", "passfile", "sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout"],
            self.out,
        );
        let sslmode = table.text("sslmode", self.out).and_then(|mode| match SslMode::from_str(&mode.value) {
            Ok(value) => Some(Setting::new(value, mode.origin)),
            Err(_) => {
                self.out.push(bad_sslmode(&mode));
                None
            }
        });
        let sslrootcert = match table.text("sslrootcert", self.out) {
            // A word of libpq's, not a file.
            Some(word) if word.value == "system" => Some(word.map(PathBuf::from)),
            Some(path) => Some(path.map(|p| self.env.relative_to(self.path, &p))),
            None => None,
        };
        PostgresDraft {
            user: table.text("user", self.out),
            operate_user: table.text("operate_user", self.out),
            dbname: table.text("dbname", self.out),
            password: None,
            service: table.text("service", self.out),
            passfile: self.file_path(table, "passfile"),
            sslmode,
            sslrootcert,
            sslcert: self.file_path(table, "sslcert"),
            sslkey: self.file_path(table, "sslkey"),
            connect_timeout: table.count("connect_timeout", 3600, self.out),
        }
    }

    fn color(&mut self, table: &Section<'_>) -> Option<Setting<String>> {
        let color = table.text("color", self.out)?;
        if ratatui::style::Color::from_str(&color.value).is_err() {
            self.out.push(
                Diagnostic::new(color.origin, format!("{} is not a colour", quote(&color.value)))
                    .hint("a colour is a name (`red`, `light-blue`, ...), a number from 0 to 255, or \"#rrggbb\""),
            );
            return None;
        }
        Some(color)
    }

    /// A path, relative to the file's folder.
    pub fn file_path(&mut self, table: &Section<'_>, key: &str) -> Option<Setting<PathBuf>> {
        Some(table.text(key, self.out)?.map(|path| self.env.relative_to(self.path, &path)))
    }

    /// `{ env = "NAME" }`, `{ file = "PATH" }`, or the secret itself in a file that is its owner's alone.
    pub fn secret(&mut self, table: &Section<'_>, key: &str) -> Option<Setting<Secret>> {
        let node = table.get(key, self.out)?;
        let path = table.path(key);
        match &node.value {
            Value::Scalar(s) if s.kind == Kind::Text => {
                if !self.private {
                    self.out.push(
                        Diagnostic::new(node.at.clone(), format!("{} is written out in a file that others can read", quote(&path))).hint(
                            format!("run: chmod 600 {}; or write {key} = {{ env = \"NAME\" }} or {{ file = \"PATH\" }}", shown(self.path)),
                        ),
                    );
                    return None;
                }
                Some(Setting::new(Secret::Value(SecretString::from(s.text.clone())), node.at.clone()))
            }
            Value::Table(_) => {
                let source = Section::of(node, path.as_str(), Manner::Strict, self.out)?;
                source.only(&["env", "file"], self.out);
                let variable = source.text("env", self.out);
                let file = self.file_path(&source, "file");
                match (variable, file) {
                    (Some(name), None) => Some(name.map(Secret::Variable)),
                    (None, Some(file)) => Some(file.map(Secret::File)),
                    (None, None) if !source.entries().is_empty() => None,
                    _ => {
                        self.out.push(Diagnostic::new(node.at.clone(), format!("{} must have one of `env` and `file`", quote(&path))));
                        None
                    }
                }
            }
            _ => {
                self.out.push(wrong_type(node, &path, "{ env = \"NAME\" } or { file = \"PATH\" }"));
                None
            }
        }
    }
}

/// The complaint about an `sslmode` that libpq does not have.
pub(crate) fn bad_sslmode(mode: &Setting<String>) -> Diagnostic {
    let known = SslMode::VARIANTS;
    let hint = match nearest(&mode.value, known) {
        Some(near) => format!("did you mean `{near}`? the values are {}", one_of(known).replace(" or ", " and ")),
        None => format!("the values are {}", one_of(known).replace(" or ", " and ")),
    };
    Diagnostic::new(mode.origin.clone(), format!("{} is not an sslmode", quote(&mode.value))).hint(hint)
}

fn acceptable_name(name: &str) -> bool {
    !name.is_empty() && name.trim() == name && !name.contains('/') && !name.chars().any(char::is_control)
}
