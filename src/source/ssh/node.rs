//! One machine: connected, read, and connected again.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep, timeout};

use super::connections::Connections;
use super::master::Connection;
use super::outbox::{Deaf, Outbox};
use super::reading::{Reading, Stop, Wanted};
use super::site::{Node, Site};
use super::way::Way;
use crate::config::Profile;
use crate::log::{Heard, Stream};
use crate::model::SourceError;
use crate::source::Clock;

/// The pause after a connection was lost or could not be made: twice as long each time, up to the second.
pub(super) const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(30)];

/// A connection that lasted so long was a good one.
pub(super) const LASTED: Duration = Duration::from_secs(2);

/// How long ssh may take to say why a connection ended whose commands have.
const WHY: Duration = Duration::from_secs(2);

/// Reads a node's streams until all that was wanted is read, or nobody listens.
pub(super) async fn run(node: Node, profile: Profile, clock: Clock, to: Sender<Vec<Heard>>, wanted: Wanted, connections: Connections) {
    let stream = |program| Stream { node: node.name.clone(), program };
    let mut readings: Vec<Reading> =
        node.programs.iter().map(|program| Reading::new(Outbox::new(stream(*program), clock, to.clone()))).collect();
    drop(to);
    let way = match Way::to(&profile.ssh, &node.name, node.host.as_deref()) {
        Ok(way) => way,
        Err(error) => {
            // Nothing mends that while we run.
            let _ = failed(&mut readings, &error, None).await;
            return;
        }
    };
    let site = Site::new(node, &profile);
    let mut pause = PAUSES[0];
    loop {
        let error = match connections.to(&way).await {
            Ok(connection) => {
                let begun = Instant::now();
                let stop = tokio::select! {
                    stop = all(&mut readings, &connection.session, &site, &wanted) => match stop {
                        Stop::Lost(error) => Stop::Lost(why(&connection).await.unwrap_or(error)),
                        stop => stop,
                    },
                    error = connection.ended() => Stop::Lost(error),
                };
                if begun.elapsed() > LASTED {
                    pause = PAUSES[0];
                }
                match stop {
                    Stop::Read | Stop::Deaf => return,
                    Stop::Lost(error) => error,
                }
            }
            Err(error) => error,
        };
        if failed(&mut readings, &error, wanted.on.then_some(pause)).await.is_err() || !wanted.on {
            return;
        }
        sleep(pause).await;
        pause = (pause * 2).min(PAUSES[1]);
    }
}

/// What ssh says of a connection whose commands have ended, if it has ended too.
async fn why(connection: &Connection) -> Option<SourceError> {
    timeout(WHY, connection.ended()).await.ok()
}

/// Reads all of them, until all are read or one cannot go on.
async fn all(readings: &mut [Reading], session: &openssh::Session, site: &Site, wanted: &Wanted) -> Stop {
    let mut running: FuturesUnordered<_> = readings.iter_mut().map(|reading| reading.run(session, site, wanted)).collect();
    while let Some(stop) = running.next().await {
        if !matches!(stop, Stop::Read) {
            return stop;
        }
    }
    Stop::Read
}

/// None of them is read, for this reason; `again`: after this it is tried again.
async fn failed(readings: &mut [Reading], error: &SourceError, again: Option<Duration>) -> Result<(), Deaf> {
    for reading in readings {
        reading.out.failed(error.clone());
        again.into_iter().for_each(|after| reading.out.tried(after));
        reading.out.flush().await?;
    }
    Ok(())
}
