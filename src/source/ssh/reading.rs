//! Reading one stream, over any number of connections.

use std::time::Duration;

use openssh::Session;
use tokio::time::sleep;

use super::file::FileReader;
use super::journal::JournalReader;
use super::outbox::{Deaf, Outbox};
use super::place::Place;
use super::site::Site;
use crate::log::Format;
use crate::model::{ErrorKind, SourceError, Time};

/// How long to wait until what could not be read is tried again.
pub(super) const AGAIN: Duration = Duration::from_secs(3);

/// The same for what the login may not read: somebody has to allow it first.
pub(super) const REFUSED: Duration = Duration::from_secs(20);

/// How long to wait until the place of a log is looked for again.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// What is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Whether reading goes on at the end.
    pub on: bool,
    /// From when on, as far as a place can be found by time: in a journal. By the node's clock.
    pub since: Time,
    /// How many bytes before its end reading of a file begins.
    pub back: u64,
}

/// Why reading stopped.
#[derive(Debug)]
pub(super) enum Stop {
    /// All that was wanted is read.
    Read,
    /// The connection is lost.
    Lost(SourceError),
    /// Nobody listens any more.
    Deaf,
}

/// Says why nothing is read and when it is tried again, and waits until then.
///
/// # Errors
/// It is not: nobody listens, or nothing is to be followed.
pub(super) async fn again(out: &mut Outbox, error: SourceError, wanted: &Wanted, after: Duration) -> Result<(), Stop> {
    let after = if error.kind == ErrorKind::Denied { REFUSED } else { after };
    if wanted.on {
        let message = format!("{}; tried again every {} s", error.message, after.as_secs());
        out.failed(SourceError { message, ..error });
        out.tried(after);
    } else {
        out.failed(error);
    }
    out.flush().await.map_err(|Deaf| Stop::Deaf)?;
    if !wanted.on {
        return Err(Stop::Read);
    }
    sleep(after).await;
    Ok(())
}

/// One stream, and how far it was read.
pub(super) struct Reading {
    /// What was heard of it.
    pub out: Outbox,
    /// Where it is, and how its lines are written; `None`: not found yet.
    place: Option<(Place, Format)>,
    file: FileReader,
    journal: JournalReader,
}

impl Reading {
    /// A stream of which nothing was read yet.
    pub fn new(out: Outbox) -> Self {
        Self { out, place: None, file: FileReader::default(), journal: JournalReader::default() }
    }

    /// Reads over this connection.
    pub async fn run(&mut self, session: &Session, site: &Site, wanted: &Wanted) -> Stop {
        while self.place.is_none() {
            match site.place(session, self.out.stream().program).await {
                Ok(place) => self.place = Some(place),
                Err(error) => {
                    if let Err(stop) = again(&mut self.out, error, wanted, LOOK_AGAIN).await {
                        return stop;
                    }
                }
            }
        }
        match &self.place {
            Some((Place::File(file), format)) => self.file.run(session, file, format, wanted, &mut self.out).await,
            Some((Place::Unit(unit), format)) => self.journal.run(session, unit, format, wanted, &mut self.out).await,
            None => Stop::Read,
        }
    }
}
