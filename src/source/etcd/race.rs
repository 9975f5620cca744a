//! Asking several endpoints for one answer.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::{Instant, sleep_until};

use super::Endpoint;
use crate::model::{ErrorKind, SourceError};

/// How long an endpoint may think before the next one is asked as well.
const PATIENCE: Duration = Duration::from_millis(150);

/// The first answer of any endpoint.
///
/// They are asked in turn: the next one as soon as one has failed, or when 150 ms have passed without an answer. So a refused endpoint costs
/// nothing and a hung one 150 ms. What was not needed is dropped, and its connection with it. The error speaks of all of them.
pub(super) async fn race<'a, T, Ask, Answer>(endpoints: &'a [Endpoint], deadline: Duration, ask: Ask) -> Result<T, SourceError>
where
    Ask: Fn(&'a Endpoint) -> Answer,
    Answer: Future<Output = Result<T, SourceError>>,
{
    let begun = Instant::now();
    let mut waiting = endpoints.iter();
    let mut open: Vec<&Endpoint> = Vec::new();
    let mut running = FuturesUnordered::new();
    let mut failures: Vec<SourceError> = Vec::new();
    let mut next_start = begun;
    let mut end = pin!(sleep_until(begun + deadline));
    loop {
        if (running.is_empty() || Instant::now() >= next_start)
            && let Some(endpoint) = waiting.next()
        {
            let answer = ask(endpoint);
            open.push(endpoint);
            running.push(async move { (endpoint, answer.await) });
            next_start = Instant::now() + PATIENCE;
        }
        if running.is_empty() {
            return Err(together(failures));
        }
        tokio::select! {
            biased;
            Some((endpoint, outcome)) = running.next() => {
                open.retain(|e| *e != endpoint);
                match outcome {
                    Ok(answer) => return Ok(answer),
                    // These are answers of the cluster, and the others would say the same: a second wrong password helps nobody.
                    Err(error) if matches!(error.kind, ErrorKind::Auth | ErrorKind::Denied) => return Err(error),
                    Err(error) => {
                        failures.push(error);
                        next_start = Instant::now();
                    }
                }
            }
            () = &mut end => {
                let late = |e: &&Endpoint| SourceError::new(ErrorKind::Timeout, format!("{} gave no answer within {} s", e.authority(), deadline.as_secs_f32()));
                failures.extend(open.iter().map(late));
                return Err(together(failures));
            }
            () = sleep_until(next_start), if waiting.len() > 0 => {}
        }
    }
}

/// One error out of those of all endpoints: each sentence once, and the kind that tells most.
fn together(failures: Vec<SourceError>) -> SourceError {
    let telling = |kind: ErrorKind| match kind {
        ErrorKind::Config => 0,
        ErrorKind::Auth | ErrorKind::Denied => 1,
        ErrorKind::Unavailable => 2,
        ErrorKind::Tls => 3,
        ErrorKind::Malformed => 4,
        ErrorKind::Timeout | ErrorKind::Hung | ErrorKind::Unreachable => 5,
        ErrorKind::Broken | ErrorKind::Refused | ErrorKind::Dns => 6,
        ErrorKind::Other => 7,
    };
    let mut failures = failures;
    failures.sort_by_key(|e| telling(e.kind));
    let Some(first) = failures.first().cloned() else {
        return SourceError::new(ErrorKind::Config, "no etcd endpoint is configured");
    };
    let mut sentences: Vec<&str> = Vec::new();
    for failure in &failures {
        if !sentences.contains(&failure.message.as_str()) {
            sentences.push(&failure.message);
        }
    }
    let error = SourceError::new(first.kind, sentences.join("; "));
    match failures.iter().find_map(|f| f.hint.as_ref()) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    fn endpoints(n: usize) -> Vec<Endpoint> {
        (0..n).map(|i| Endpoint::parse(&format!("http://e{i}")).expect("an endpoint")).collect()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test]
    async fn a_refused_endpoint_costs_nothing_and_a_hung_one_little() {
        let all = endpoints(3);
        let begun = Instant::now();
        let answer = race(&all, SECOND, |e| async move {
            match e.host() {
                "e0" => Err(SourceError::new(ErrorKind::Refused, "refused")),
                "e1" => pending().await,
                host => Ok(host.to_owned()),
            }
        })
        .await;
        assert_eq!(answer.expect("an answer"), "e2");
        assert!(begun.elapsed() >= PATIENCE && begun.elapsed() < SECOND, "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn the_error_speaks_of_all() {
        let all = endpoints(3);
        let error = race::<(), _, _>(&all, Duration::from_millis(400), |e| async move {
            match e.host() {
                "e0" => Err(SourceError::new(ErrorKind::Refused, "refused by e0")),
                "e1" => Err(SourceError::new(ErrorKind::Refused, "refused by e1")),
                _ => pending().await,
            }
        })
        .await
        .expect_err("no answer");
        assert_eq!(error.kind, ErrorKind::Timeout);
        assert_eq!(error.message, "e2:2379 gave no answer within 0.4 s; refused by e0; refused by e1");
    }

    #[tokio::test]
    async fn a_wrong_password_is_not_tried_everywhere() {
        let all = endpoints(3);
        let asked = std::cell::Cell::new(0);
        let error = race::<(), _, _>(&all, SECOND, |_| {
            asked.set(asked.get() + 1);
            async { Err(SourceError::new(ErrorKind::Auth, "wrong")) }
        })
        .await
        .expect_err("wrong");
        assert_eq!((asked.get(), error.kind), (1, ErrorKind::Auth));
    }

    #[tokio::test]
    async fn without_endpoints_it_is_said() {
        let error = race::<(), _, _>(&[], SECOND, |_| async { pending().await }).await.expect_err("nobody");
        assert_eq!(error.kind, ErrorKind::Config);
    }
}
