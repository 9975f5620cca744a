//! What libpq's variables and service files say about connecting to PostgreSQL.
//!
//! Host and port are left out on purpose (`PGHOST`, `PGPORT`, `host=` of a service): the members' addresses come from
//! the DCS.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use secrecy::SecretString;

use super::diagnostic::{Diagnostic, nearest, quote, shown};
use super::draft::{PostgresDraft, Secret};
use super::env::Env;
use super::origin::{Origin, Setting};
use super::pgbaton_toml::bad_sslmode;
use super::profile::SslMode;

/// The draft that `PG*` variables make.
pub(crate) fn variables(env: &Env) -> Result<PostgresDraft, Vec<Diagnostic>> {
    const NAMES: [(&str, &str); 10] = [
        ("PGUSER", "user"),
        ("PGDATABASE", "dbname"),
        ("PGPASSWORD", "password"),
        ("PGSERVICE", "service"),
        ("PGPASSFILE", "passfile"),
        ("PGSSLMODE", "sslmode"),
        ("PGSSLROOTCERT", "sslrootcert"),
        ("PGSSLCERT", "sslcert"),
        ("PGSSLKEY", "sslkey"),
        ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ];
    let mut out = Vec::new();
    let mut draft = PostgresDraft::default();
    for (variable, keyword) in NAMES {
        if let Some(value) = env.var(variable) {
            let value = Setting::new(value.to_owned(), Origin::Variable(variable.to_owned()));
            out.extend(set(&mut draft, keyword, value).err());
        }
    }
    if out.is_empty() { Ok(draft) } else { Err(out) }
}

/// The draft that a service makes: the section of the user's file (`PGSERVICEFILE`, `~/.pg_service.conf`), else of the
/// system's (`PGSYSCONFDIR`).
pub(crate) fn service(name: &Setting<String>, env: &Env) -> Result<PostgresDraft, Diagnostic> {
    let mut looked = Vec::new();
    for (path, required) in service_files(env) {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && !required => {
                looked.push(format!("{} (not there)", shown(&path)));
                continue;
            }
            Err(e) => {
                return Err(Diagnostic::new(Origin::Path(path.as_path().into()), format!("the service file cannot be read: {e}")));
            }
        };
        if let Some(draft) = section(&Arc::from(path.as_path()), &text, &name.value)? {
            return Ok(draft);
        }
        looked.push(shown(&path));
    }
    Err(Diagnostic::new(name.origin.clone(), format!("there is no service {}", quote(&name.value)))
        .hint(format!("looked in {}", looked.join(", "))))
}

fn service_files(env: &Env) -> Vec<(PathBuf, bool)> {
    let user = match (env.var("PGSERVICEFILE"), &env.home) {
        (Some(named), _) => Some((PathBuf::from(named), true)),
        (None, Some(home)) => Some((home.join(".pg_service.conf"), false)),
        (None, None) => None,
    };
    // Without PGSYSCONFDIR the place is compiled into libpq: Debian's is postgresql-common.
    let system = match env.var("PGSYSCONFDIR") {
        Some(folder) => PathBuf::from(folder),
        None => env.system.join("postgresql-common"),
    };
    user.into_iter().chain([(system.join("pg_service.conf"), false)]).collect()
}

/// One section of a service file, or `None` when it has no such section.
fn section(path: &Arc<Path>, text: &str, name: &str) -> Result<Option<PostgresDraft>, Diagnostic> {
    let mut draft = None;
    for (number, raw) in text.lines().enumerate() {
        let line = raw.trim();
        let col = u32::try_from(raw.chars().take_while(|c| c.is_whitespace()).count() + 1).unwrap_or(u32::MAX);
        let at = Origin::File { path: Arc::clone(path), line: u32::try_from(number + 1).unwrap_or(u32::MAX), col };
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            if draft.is_some() {
                break; // The first section of the name is the one.
            }
            draft = (header.split(']').next() == Some(name)).then(PostgresDraft::default);
            continue;
        }
        let Some(draft) = &mut draft else { continue };
        let Some((keyword, value)) = line.split_once('=') else {
            // The line is not shown: it may be a password.
            return Err(Diagnostic::new(at, "this line is not keyword=value"));
        };
        if keyword == "service" {
            return Err(Diagnostic::new(at, "a service cannot name another service"));
        }
        if !USED.contains(&keyword) {
            if IGNORED.contains(&keyword) {
                continue;
            }
            let diagnostic = Diagnostic::new(at, format!("libpq has no keyword {}", quote(keyword)));
            let near = nearest(keyword, &USED).or_else(|| nearest(keyword, &IGNORED));
            return Err(match near {
                Some(near) => diagnostic.hint(format!("did you mean `{near}`?")),
                None if keyword != keyword.trim() => diagnostic.hint("there is no space around `=`"),
                None => diagnostic,
            });
        }
        if !value.is_empty() {
            set(draft, keyword, Setting::new(value.to_owned(), at))?;
        }
    }
    Ok(draft)
}

/// Keywords that count here.
const USED: [&str; 9] = ["user", "dbname", "password", "passfile", "sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout"];

/// Keywords of libpq (PostgreSQL 18) that do not.
const IGNORED: [&str; 42] = [
    "host",
    "hostaddr",
    "port",
    "options",
    "application_name",
    "fallback_application_name",
    "client_encoding",
    "channel_binding",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
    "replication",
    "gssencmode",
    "sslnegotiation",
    "sslcompression",
    "sslpassword",
    "sslcertmode",
    "sslcrl",
    "sslcrldir",
    "sslsni",
    "sslkeylogfile",
    "requiressl",
    "requirepeer",
    "require_auth",
    "ssl_min_protocol_version",
    "ssl_max_protocol_version",
    "min_protocol_version",
    "max_protocol_version",
    "krbsrvname",
    "gsslib",
    "gssdelegation",
    "target_session_attrs",
    "load_balance_hosts",
    "scram_client_key",
    "scram_server_key",
    "oauth_issuer",
    "oauth_client_id",
    "oauth_client_secret",
    "oauth_scope",
    "servicefile",
];

/// Sets one keyword, unless it is set already.
fn set(draft: &mut PostgresDraft, keyword: &str, value: Setting<String>) -> Result<(), Diagnostic> {
    fn first<T>(slot: &mut Option<Setting<T>>, value: Setting<T>) {
        slot.get_or_insert(value);
    }
    match keyword {
        "user" => first(&mut draft.user, value),
        "dbname" => first(&mut draft.dbname, value),
        "password" => first(&mut draft.password, value.map(|v| Secret::Value(SecretString::from(v)))),
        "service" => first(&mut draft.service, value),
        "passfile" => first(&mut draft.passfile, value.map(PathBuf::from)),
        "sslrootcert" => first(&mut draft.sslrootcert, value.map(PathBuf::from)),
        "sslcert" => first(&mut draft.sslcert, value.map(PathBuf::from)),
        "sslkey" => first(&mut draft.sslkey, value.map(PathBuf::from)),
        "sslmode" => match SslMode::from_str(&value.value) {
            Ok(mode) => first(&mut draft.sslmode, value.map(|_| mode)),
            Err(_) => return Err(bad_sslmode(&value)),
        },
        "connect_timeout" => match value.value.trim().parse::<i32>() {
            // libpq: zero, negative or not said means no limit.
            Ok(seconds) => first(&mut draft.connect_timeout, value.map(|_| u32::try_from(seconds).unwrap_or(0))),
            Err(_) => {
                return Err(Diagnostic::new(value.origin, format!("{} is not a number of seconds", quote(&value.value))));
            }
        },
        _ => {}
    }
    Ok(())
}
