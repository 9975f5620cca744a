//! An order to an HAProxy, and the words of its socket that make it up.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The administrative state of a server (HAProxy's management guide, 9.3, `set server ... state`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, strum::Display, strum::EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum ProxyState {
    /// No new sessions; it is checked still, and the open sessions go on.
    Drain,
    /// No sessions and no checks.
    Maint,
    /// The checks decide.
    Ready,
}

/// An order to an HAProxy. Displays as `set server pg_write/psg1 state drain (vm1)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProxyOrder {
    /// The HAProxy, as the configuration calls it.
    pub proxy: String,
    /// The line for its socket.
    command: String,
}

impl ProxyOrder {
    /// To give a server a state.
    ///
    /// # Errors
    /// A name is none that HAProxy's configuration can have; it might say something else on the socket.
    pub fn state(proxy: &str, backend: &str, server: &str, state: ProxyState) -> Result<Self, String> {
        Ok(Self { proxy: proxy.to_owned(), command: format!("set server {} state {state}", place(backend, server)?) })
    }

    /// The line for the socket, without its end.
    pub fn command(&self) -> &str {
        &self.command
    }
}

impl fmt::Display for ProxyOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.command, self.proxy)
    }
}

/// `BACKEND/SERVER`, of names that HAProxy's configuration can have (configuration manual, 2.2): on the socket a space, a semicolon or a line's
/// end would begin another word or command.
///
/// # Errors
/// One of them is no such name.
pub(super) fn place(backend: &str, server: &str) -> Result<String, String> {
    let plain = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.:".contains(c));
    match [backend, server].iter().find(|name| !plain(name)) {
        Some(name) => Err(format!("{name:?} is no name that HAProxy knows")),
        None => Ok(format!("{backend}/{server}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_say_something_else() {
        let order = ProxyOrder::state("vm1", "pg_write", "psg-1.example:5432", ProxyState::Drain).expect("an order");
        assert_eq!(order.to_string(), "set server pg_write/psg-1.example:5432 state drain (vm1)");
        for name in ["", "a b", "a;shutdown", "a\nb", "a/b", "ü"] {
            assert!(ProxyOrder::state("vm1", "pg_write", name, ProxyState::Ready).is_err(), "{name:?}");
            assert!(ProxyOrder::state("vm1", name, "psg1", ProxyState::Ready).is_err(), "{name:?}");
        }
    }
}
