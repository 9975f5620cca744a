//! What an etcd endpoint counts (`/metrics` on its client URL), each ten seconds, by plain HTTP in a connection of its own.
//!
//! It may well not be there: etcd can serve its HTTP apart (`--listen-client-http-urls`, 3.6), and a proxy in front may let only gRPC through.
//! Then nothing is wrong, so nothing is reported; what it would have told is not known.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Endpoint;
use crate::model::{EtcdMetrics, Fact, Observation, Outcome, SourceId};
use crate::source::certificate::Presented;
use crate::source::http::Http;
use crate::source::{Clock, Sink, TlsCache};

/// When the counters are read first.
const FIRST_AFTER: Duration = Duration::from_secs(1);
/// How often.
const PERIOD: Duration = Duration::from_secs(10);
/// The longest pause when it is not there.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// For connecting and for the whole answer.
const DEADLINE: Duration = Duration::from_secs(2);
/// The largest answer that is read, bytes. etcd 3.4 gives 146 KiB.
const LARGEST: usize = 4 << 20;

/// Reads them for ever.
pub(super) async fn run(sink: Sink, clock: Clock, source: SourceId, endpoint: &Endpoint, tls: Arc<TlsCache>, presented: Arc<Presented>) {
    // An endpoint's URL is always one that can be asked.
    let Ok(http) = Http::new("the etcd endpoint", endpoint.url(), tls, LARGEST) else { return };
    let http = http.telling(presented);
    let mut failures = 0u32;
    // Two readings make a rate, and each is some 150 KiB: whoever asks once and leaves does without.
    sleep(FIRST_AFTER).await;
    loop {
        let begun = Instant::now();
        match timeout(DEADLINE, http.get("/metrics", &[200])).await {
            Ok(Ok(answer)) => {
                failures = 0;
                let metrics = EtcdMetrics::from_text(&String::from_utf8_lossy(&answer.body));
                if !metrics.is_empty() {
                    let outcome = Outcome::Heard(Box::new(Fact::EtcdMetrics(Box::new(metrics))));
                    sink.report(Observation { source: source.clone(), at: clock.now(), rtt: Some(begun.elapsed()), outcome });
                }
            }
            Ok(Err(_)) | Err(_) => failures = failures.saturating_add(1),
        }
        sleep_until(begun + (PERIOD * 2u32.saturating_pow(failures.min(3))).min(LONGEST_PAUSE)).await;
    }
}
