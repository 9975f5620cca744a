//! Waiting for a condition with a deadline; the reason why it is not met yet becomes the error.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Why a condition is not met.
#[derive(Debug)]
pub enum NotYet {
    /// It may still come.
    Reason(String),
    /// It cannot come any more: waiting ends at once.
    Never(String),
}

impl From<String> for NotYet {
    fn from(reason: String) -> Self {
        Self::Reason(reason)
    }
}

/// Probes until it succeeds or the deadline passes; `every` apart.
///
/// # Errors
/// The last reason, with the time that was given; or at once the reason why it will never be.
pub async fn until<T>(deadline: Duration, every: Duration, mut probe: impl AsyncFnMut() -> Result<T, NotYet>) -> Result<T> {
    let start = Instant::now();
    loop {
        let reason = match probe().await {
            Ok(value) => return Ok(value),
            Err(NotYet::Never(reason)) => bail!(reason),
            Err(NotYet::Reason(reason)) => reason,
        };
        if start.elapsed() >= deadline {
            bail!("not within {} s: {reason}", deadline.as_secs());
        }
        tokio::time::sleep(every).await;
    }
}
