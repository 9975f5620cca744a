//! Names into addresses, of one family at a time.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

use crate::model::{ErrorKind, SourceError};

/// Gives the addresses of one family only: with both, the HTTP client would open a second connection beside a slow first one, and one
/// connection is all that a member's API may be burdened with. After a failure it is the other family's turn.
#[derive(Debug, Default)]
pub(super) struct OneFamily {
    other: AtomicBool,
}

impl OneFamily {
    /// The addresses last given led to nothing.
    pub fn failed(&self) {
        self.other.fetch_xor(true, Ordering::Relaxed);
    }
}

impl Resolve for OneFamily {
    fn resolve(&self, name: Name) -> Resolving {
        let other = self.other.load(Ordering::Relaxed);
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found = lookup_host((host.as_str(), 0)).await.map_err(|e| unknown(&host, &e.to_string()))?;
            let chosen = one_family(found.collect(), other);
            if chosen.is_empty() {
                return Err(unknown(&host, "it has no address").into());
            }
            Ok(Box::new(chosen.into_iter()) as Addrs)
        })
    }
}

fn unknown(host: &str, why: &str) -> SourceError {
    SourceError::new(ErrorKind::Dns, format!("the host name {host} cannot be resolved: {why}"))
}

/// The addresses of the first one's family, or of the other if there are any.
fn one_family(found: Vec<SocketAddr>, other: bool) -> Vec<SocketAddr> {
    let first_is_v6 = found.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = found.into_iter().partition(|a| a.is_ipv6() == first_is_v6);
    if other && !second.is_empty() { second } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_both_families() {
        let all: Vec<SocketAddr> = ["[::1]:0", "127.0.0.1:0", "[::2]:0"].iter().map(|a| a.parse().expect("an address")).collect();
        assert_eq!(one_family(all.clone(), false), [all[0], all[2]]);
        assert_eq!(one_family(all.clone(), true), [all[1]]);
        assert_eq!(one_family(vec![all[1]], true), [all[1]]);
    }
}
