//! A user and password that only writing needs.

use secrecy::SecretString;

use super::diagnostic::{Diagnostic, quote, shown};
use super::draft::Secret;
use super::env::Env;
use super::origin::Setting;
use crate::permit::Permit;

/// A user, and where the password is. The password is looked up by [`Login::reveal`] alone, which takes a permit.
#[derive(Debug, Clone)]
pub struct Login {
    username: String,
    password: Setting<Secret>,
}

impl Login {
    pub(super) fn new(username: String, password: Setting<Secret>) -> Self {
        Self { username, password }
    }

    /// The user.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The password, read from where it is.
    ///
    /// # Errors
    /// It is not there; the error says where it was looked for.
    pub fn reveal(&self, _: &Permit) -> Result<SecretString, Diagnostic> {
        look_up(&self.password, "restapi.password", &Env::of_process())
    }
}

/// Reads a secret from where it is; `key` names it in the error.
pub(super) fn look_up(secret: &Setting<Secret>, key: &str, env: &Env) -> Result<SecretString, Diagnostic> {
    let origin = || secret.origin.clone();
    match &secret.value {
        Secret::Value(secret) => Ok(secret.clone()),
        Secret::Variable(name) => env.var(name).map(SecretString::from).ok_or_else(|| {
            Diagnostic::new(origin(), format!("environment variable {} is not set", quote(name)))
                .hint(format!("{key} is to be found there; export it before starting pgbaton"))
        }),
        Secret::File(path) => match super::file::read_text(path) {
            Ok(text) => match text.lines().next().unwrap_or_default() {
                "" => Err(Diagnostic::new(origin(), format!("the first line of {} is empty", shown(path)))),
                line => Ok(SecretString::from(line)),
            },
            Err(why) => Err(Diagnostic::new(origin(), format!("{key} cannot be read from {}: {}", shown(path), why.message))),
        },
    }
}
