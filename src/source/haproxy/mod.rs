//! An HAProxy: its statistics, from the page or from the socket, in a new connection each time.

mod page;
mod socket;
mod stat;

use super::certificate::Presented;
use super::{Clock, Sink, poll};
use crate::config::{HaproxyAddress, HaproxyProfile};
use crate::model::{ErrorKind, Fact, SourceError, SourceId, SourceKind};

/// The longest answer that is read, bytes: statistics of some ten thousand servers.
const LONGEST: u64 = 4 << 20;

/// Asks one HAProxy every two seconds, for ever; dropping the future ends it.
///
/// Reports [`Fact::Haproxy`] under [`SourceKind::Haproxy`] and the profile's name, or why there is none.
pub async fn run(sink: Sink, clock: Clock, profile: HaproxyProfile) {
    let source = SourceId::new(SourceKind::Haproxy, &profile.name);
    match &profile.stats {
        HaproxyAddress::Http(url) => {
            let page = page::Page::new(url, &profile);
            let presented = Presented::new(sink.clone(), clock, source.clone());
            poll(sink, clock, source, async || page.ask(&presented).await.map(Fact::Haproxy)).await;
        }
        HaproxyAddress::Socket(path) => poll(sink, clock, source, || async { socket::ask(path).await.map(Fact::Haproxy) }).await,
    }
}

fn too_long() -> SourceError {
    SourceError::new(ErrorKind::Malformed, "the answer is longer than 4 MiB")
}
