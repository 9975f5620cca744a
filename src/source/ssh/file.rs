//! Following a file.

use openssh::Session;
use tokio::io::AsyncReadExt;

use super::command::{Command, literally};
use super::course::{Course, HEAD, Part, Position, Seen, read_look};
use super::lines::Lines;
use super::master::{Running, answer};
use super::outbox::{Deaf, Outbox};
use super::place::FilePlace;
use super::reading::{AGAIN, Stop, Wanted, again};
use crate::log::{Format, Gap, What};
use crate::model::{ErrorKind, SourceError, Time};

/// The most bytes read at once: what is heard comes in pieces of this size.
const CHUNK: usize = 64 * 1024;

/// Reads one file, over any number of connections.
#[derive(Debug, Default)]
pub(super) struct FileReader {
    at: Option<Position>,
    lines: Lines,
    /// The file was found shorter than it had been.
    emptied: bool,
    /// When something was last read of it.
    heard: Option<Time>,
}

/// How a stretch ended.
enum End {
    /// At the file's end.
    Read,
    /// The file is another one, or empty: what is next has to be looked for.
    Changed,
    /// It is not there, or may not be read.
    Shut(SourceError),
}

impl FileReader {
    /// Reads until the connection ends, or nobody listens; to the present end only, where nothing is to be followed.
    pub async fn run(&mut self, session: &Session, place: &FilePlace, format: &Format, wanted: &Wanted, out: &mut Outbox) -> Stop {
        loop {
            let error = match self.stretch(session, place, format, wanted, out).await {
                Ok(End::Read) => return Stop::Read,
                Ok(End::Changed) => continue,
                Ok(End::Shut(error)) => error,
                Err(stop) => return stop,
            };
            if let Err(stop) = again(out, error, wanted, AGAIN).await {
                return stop;
            }
        }
    }

    /// Looks what there is, and reads it.
    async fn stretch(
        &mut self,
        session: &Session,
        place: &FilePlace,
        format: &Format,
        wanted: &Wanted,
        out: &mut Outbox,
    ) -> Result<End, Stop> {
        let seen = match self.look(session, place, out).await? {
            Ok(seen) => seen,
            Err(error) => return Ok(End::Shut(error)),
        };
        let current = match &place.pattern {
            Some(_) => seen.first(),
            None => seen.iter().find(|file| file.name == place.name),
        };
        let Some(current) = current else { return Ok(End::Shut(place.missing(&out.stream().node))) };
        if current.head.is_none() {
            return Ok(End::Shut(place.denied(&out.stream().node)));
        }
        let course = Course::of(self.at.as_ref(), &seen, current, self.emptied, wanted.back);
        let last = course.parts.len().saturating_sub(1);
        for (index, part) in course.parts.iter().enumerate() {
            let goes_on = index == 0 && course.goes_on;
            // With a first part that goes on, what is missing comes after it.
            let gap = course.gap.filter(|_| index == if course.goes_on { last } else { 0 });
            if !goes_on {
                self.begin(part, gap, out);
            }
            out.opened(format, &place.whole(&part.name));
            let on = index == last && wanted.on;
            let end = self.read(session, place, part, on, out).await?;
            let done = matches!(end, End::Read);
            if index == last || !done {
                return Ok(end);
            }
        }
        Ok(End::Changed)
    }

    async fn look(&self, session: &Session, place: &FilePlace, out: &Outbox) -> Result<Result<Vec<Seen>, SourceError>, Stop> {
        let (pattern, more) = match &place.pattern {
            Some(pattern) => (pattern.clone(), String::new()),
            None => (literally(&place.name), format!("{}*", literally(&place.name))),
        };
        let look = Command::Look { folder: place.folder.clone(), pattern, more };
        match answer(session, &look).await {
            Ok(text) => Ok(Ok(read_look(&text))),
            Err((Some(20), _)) => Ok(Err(place.missing(&out.stream().node))),
            Err((Some(21), _)) => Ok(Err(place.denied(&out.stream().node))),
            Err((Some(_), error)) => Ok(Err(error)),
            Err((None, error)) => Err(Stop::Lost(error)),
        }
    }

    /// Another file begins, and something may be missing before it.
    fn begin(&mut self, part: &Part, gap: Option<&str>, out: &mut Outbox) {
        if self.at.is_some() {
            let to = out.now();
            let missing = |why: &str| What::Gap(Gap::Unread { from: self.heard.unwrap_or(to), to, why: why.to_owned() });
            let mark = gap.map_or(What::Rotated, missing);
            out.add(self.lines.end());
            out.add([mark]);
        } else if part.from > 0 {
            self.lines.skip_first();
        }
        self.emptied = false;
        // What is read itself is added as it is read.
        let known = usize::try_from(part.from).unwrap_or(usize::MAX).min(part.head.len());
        self.at = Some(Position { id: part.id.clone(), offset: part.from, head: part.head[..known].to_vec() });
    }

    async fn read(&mut self, session: &Session, place: &FilePlace, part: &Part, on: bool, out: &mut Outbox) -> Result<End, Stop> {
        // Where a part goes on under another name or in a copy, it is that file from now on.
        let from = part.from;
        let at = self.at.get_or_insert_with(|| Position { id: String::new(), offset: from, head: Vec::new() });
        at.id.clone_from(&part.id);
        let pattern = if on { place.pattern.clone().unwrap_or_default() } else { String::new() };
        let (folder, name, id) = (place.folder.clone(), part.name.clone(), part.id.clone());
        let command = Command::Follow { folder, name, id, from, on, pattern };
        let mut running = Running::start(session, &command).await.map_err(Stop::Lost)?;
        let mut chunk = vec![0; CHUNK];
        loop {
            out.flush().await.map_err(|Deaf| Stop::Deaf)?;
            let count = running.output.read(&mut chunk).await.unwrap_or(0);
            if count == 0 {
                break;
            }
            self.take(&chunk[..count], out);
        }
        let ended = running.ended().await;
        let node = &out.stream().node;
        match ended.code {
            Some(20) => Ok(End::Shut(place.missing(node))),
            Some(21) => Ok(End::Shut(place.denied(node))),
            Some(22 | 25) => Ok(End::Changed),
            Some(23) => {
                self.emptied = true;
                Ok(End::Changed)
            }
            Some(24) => Ok(End::Read),
            Some(26) | None => Err(Stop::Lost(SourceError::new(ErrorKind::Broken, "ssh: the connection is lost"))),
            Some(code) => {
                let why = ended.said.trim().lines().last().unwrap_or("no reason was given").to_owned();
                let message = format!("{} on {node} cannot be read (code {code}): {why}", place.whole(&part.name));
                Ok(End::Shut(SourceError::new(ErrorKind::Other, message)))
            }
        }
    }

    fn take(&mut self, bytes: &[u8], out: &mut Outbox) {
        if let Some(at) = &mut self.at {
            if at.offset == at.head.len() as u64 && at.head.len() < HEAD {
                let room = HEAD - at.head.len();
                at.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
            }
            at.offset += bytes.len() as u64;
        }
        self.heard = Some(out.now());
        let mut lines = Vec::new();
        self.lines.feed(bytes, &mut lines);
        out.add(lines);
    }
}
