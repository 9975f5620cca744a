//! One stream: its lines, one after the other, to messages.

use std::sync::Arc;
use std::time::Duration;

use super::entry::{Entry, Kind, Part};
use super::head::Head;
use super::postgres_csv::{Records, Taken};
use super::stamp::Told;
use super::{Bare, Format, Gap, Severity, Stream, What, etcd, haproxy, patroni, postgres, postgres_json, wash};
use crate::model::{Time, clean};

/// A line without a time that comes this long after the one before was written when it came, and not when that was.
const CAUGHT_UP: Duration = Duration::from_secs(1);

/// What is said of times that name no zone, on a node that tells none.
const ZONELESS: &str = "the node tells no time zone (date +%z), and the times of these lines name none: they stand where they were heard";

/// The journal stamps the lines of one message within this span.
const TOGETHER: Duration = Duration::from_millis(100);

/// What a line has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read {
    /// A message begins; more may follow that belongs to it.
    New(Entry),
    /// This belongs to the newest message of the stream.
    More {
        /// The stream.
        stream: Arc<Stream>,
        /// What belongs to it.
        parts: Vec<Part>,
        /// Lines that it was.
        lines: u64,
        /// Bytes of them that were let go before.
        cut: u64,
    },
}

/// Reads one stream.
#[derive(Debug, Clone)]
pub struct Reader {
    stream: Arc<Stream>,
    form: Form,
    /// By how much the node's clock is ahead of ours, microseconds.
    skew: i64,
    last: Option<Last>,
    /// Whether it was said that times without a zone are not known.
    zoneless: bool,
}

#[derive(Debug, Clone)]
enum Form {
    Unknown,
    Patroni(Option<i32>),
    Stderr(Box<postgres::Prefix>),
    Csv(Records),
    Json(Option<i32>),
    Etcd(Option<i32>),
    Haproxy(Option<i32>),
}

/// The line before.
#[derive(Debug, Clone)]
struct Last {
    at: Time,
    when: Time,
    heard: Time,
    stamp: Option<Time>,
    session: Option<String>,
    /// Whether a line can go on with it: it was said by the program.
    goes_on: bool,
}

/// A line as it came.
struct Line<'l> {
    text: &'l str,
    heard: Time,
    stamp: Option<Time>,
    cut: u64,
}

impl Reader {
    /// Of this stream.
    pub fn new(stream: Stream) -> Self {
        Self { stream: Arc::new(stream), form: Form::Unknown, skew: 0, last: None, zoneless: false }
    }

    /// Whose it is.
    pub fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// Says by how much the node's clock is ahead of ours, microseconds, negative when it is behind. It counts for what is read from now on.
    pub fn set_skew(&mut self, ahead: i64) {
        self.skew = ahead;
    }

    /// Takes in what was heard of the stream.
    pub fn take(&mut self, heard: Time, what: What) -> Vec<Read> {
        match what {
            What::Open { format, .. } => {
                let ended = self.end(heard);
                self.form = Form::of(format);
                ended
            }
            What::Line { bytes, stamp, cut } => {
                // A line has no end within; were there one, it would be counted as two.
                let text = wash::decoded(&bytes).trim_end_matches('\r').replace('\n', " ");
                self.line(&Line { text: &text, heard, stamp, cut })
            }
            What::Gap(gap) => {
                let text = match &gap {
                    Gap::Unread { from, to, why } => {
                        format!("lines are missing from {} to {}: {}", from.fine_clock(), to.fine_clock(), clean(why))
                    }
                    Gap::Dropped { lines, bytes } => format!("{lines} lines with {bytes} bytes were let go: more came than can be kept"),
                };
                self.mark(heard, Kind::Gap, Severity::Warning, text)
            }
            What::Rotated => {
                self.mark(heard, Kind::Rotated, Severity::Info, "the file was replaced or emptied; nothing is missing".to_owned())
            }
            What::Tried { .. } => Vec::new(),
            What::Failed(error) => self.mark(heard, Kind::Failed, Severity::Warning, format!("not read: {}", error.told())),
        }
    }

    /// What was begun and has not ended, as it is: nothing more comes, or it takes too long.
    pub fn end(&mut self, heard: Time) -> Vec<Read> {
        let Form::Csv(records) = &mut self.form else { return Vec::new() };
        let ended = records.end();
        ended.into_iter().flat_map(|record| self.record(record, &Line { text: "", heard, stamp: None, cut: 0 })).collect()
    }

    fn line(&mut self, line: &Line<'_>) -> Vec<Read> {
        let near = line.stamp.or(self.last.as_ref().map(|last| last.at).filter(|at| line.heard > *at)).unwrap_or(line.heard);
        let head = match &mut self.form {
            Form::Unknown => None,
            Form::Patroni(offset) => patroni::head(line.text, *offset),
            Form::Stderr(prefix) => prefix.head(line.text),
            Form::Json(offset) => postgres_json::head(line.text, *offset),
            Form::Etcd(offset) => etcd::head(line.text, *offset),
            Form::Haproxy(offset) => haproxy::head(line.text, *offset, near),
            Form::Csv(records) => {
                let Taken::Whole(ended) = records.take(line.text, line.cut == 0) else { return Vec::new() };
                let count = ended.len();
                // What was let go, was of the last.
                let of = |at: usize| Line { cut: if at + 1 == count { line.cut } else { 0 }, ..*line };
                return ended.into_iter().enumerate().flat_map(|(at, record)| self.record(record, &of(at))).collect();
            }
        };
        match head {
            Some(head) => self.messages(head, line, 1),
            None => vec![self.goes_on(line)],
        }
    }

    fn record(&mut self, (record, lines): (Result<Head, String>, u64), line: &Line<'_>) -> Vec<Read> {
        match record {
            Ok(head) => self.messages(head, line, lines),
            Err(text) => text.split('\n').map(|text| self.goes_on(&Line { text, ..*line })).collect(),
        }
    }

    /// A message, and before the first one whose hour nobody knows a word about that.
    fn messages(&mut self, head: Head, line: &Line<'_>, lines: u64) -> Vec<Read> {
        let untimed = head.at == Some(Told::Zoneless) && line.stamp.is_none() && !std::mem::replace(&mut self.zoneless, true);
        let note = untimed.then(|| self.marked(line.heard, Kind::Note, Severity::Warning, ZONELESS.to_owned()));
        note.into_iter().chain([self.message(head, line, lines)]).collect()
    }

    /// A message, or a part of the one before.
    fn message(&mut self, head: Head, line: &Line<'_>, lines: u64) -> Read {
        let mut texts = head.text.split('\n');
        let (first, bare) = washed(texts.next().unwrap_or_default());
        let mut parts: Vec<Part> = texts.map(|text| part("", text)).collect();
        for (label, text) in &head.more {
            let labels = std::iter::once(*label).chain(std::iter::repeat(""));
            parts.extend(text.split('\n').zip(labels).map(|(text, label)| part(label, text)));
        }
        let of_last = self.last.as_ref().is_some_and(|last| last.goes_on && last.session == head.session);
        if let Some(label) = head.label.filter(|_| of_last) {
            parts.insert(0, Part { label, text: first, bare });
            return self.belongs(parts, line, lines);
        }
        let labelled = |text: &str| head.label.map_or(text.to_owned(), |label| format!("{label}: {text}"));
        let level = head.level.unwrap_or(Severity::Unknown);
        let mut entry = Entry::new(&self.stream, line.heard, level, labelled(&first)).with_bare(bare.map(labelled));
        (entry.origin, entry.bare_origin) = Bare::beside(clean(&wash::clean_line(&head.origin)));
        entry.lines = lines;
        entry.cut += line.cut;
        for part in parts {
            entry.add(part);
        }
        match head.at.and_then(Told::time).or(line.stamp) {
            Some(at) => (entry.at, entry.when) = (at, self.ours(at)),
            // Each was written at another time than the one before, and when it was heard is all that is known.
            None if head.at.is_some() => entry.guessed = true,
            None => self.guess(&mut entry),
        }
        // Another difference of the clocks must not turn the order of one stream round.
        if let Some(last) = self.last.as_ref().filter(|last| last.at <= entry.at) {
            entry.when = entry.when.max(last.when);
        }
        self.remember(&entry, line.stamp, head.session, true);
        Read::New(entry)
    }

    /// A line that was not understood: it belongs to the message before, or stands alone.
    fn goes_on(&mut self, line: &Line<'_>) -> Read {
        let (text, bare) = washed(line.text);
        let follows = |last: &Last| {
            let together = match (last.stamp, line.stamp) {
                (Some(before), Some(stamp)) => stamp.since(before) <= TOGETHER,
                _ => true,
            };
            last.goes_on && together && !matches!(self.form, Form::Unknown) && !of_systemd(&text) && !patroni::alone(&text)
        };
        if self.last.as_ref().is_some_and(follows) {
            return self.belongs(vec![Part { label: "", text, bare }], line, 1);
        }
        let mut entry = Entry::new(&self.stream, line.heard, Severity::Unknown, text).with_bare(bare);
        entry.cut += line.cut;
        match line.stamp {
            Some(stamp) => (entry.at, entry.when) = (stamp, self.ours(stamp)),
            None => self.guess(&mut entry),
        }
        // Lines that nobody understands are told one by one.
        let goes_on = !matches!(self.form, Form::Unknown | Form::Haproxy(_)) && !patroni::alone(&entry.text) && !of_systemd(&entry.text);
        self.remember(&entry, line.stamp, None, goes_on);
        Read::New(entry)
    }

    fn belongs(&mut self, parts: Vec<Part>, line: &Line<'_>, lines: u64) -> Read {
        if let Some(last) = &mut self.last {
            (last.heard, last.stamp) = (line.heard, line.stamp.or(last.stamp));
        }
        Read::More { stream: Arc::clone(&self.stream), parts, lines, cut: line.cut }
    }

    fn mark(&mut self, heard: Time, kind: Kind, level: Severity, text: String) -> Vec<Read> {
        let mut read = self.end(heard);
        read.push(self.marked(heard, kind, level, text));
        read
    }

    fn marked(&mut self, heard: Time, kind: Kind, level: Severity, text: String) -> Read {
        let mut entry = Entry { kind, lines: 0, ..Entry::new(&self.stream, heard, level, text) };
        // It stands behind what was read before; what is not read any more is told when that is known.
        if let Some(last) = self.last.as_ref().filter(|_| kind != Kind::Failed) {
            (entry.at, entry.when) = (last.at, last.when);
        }
        if let Some(last) = &mut self.last {
            last.goes_on = false;
        }
        Read::New(entry)
    }

    /// The time of a line that tells none.
    fn guess(&self, entry: &mut Entry) {
        entry.guessed = true;
        if let Some(last) = self.last.as_ref().filter(|last| entry.heard.since(last.heard) < CAUGHT_UP) {
            (entry.at, entry.when) = (last.at, last.when);
        }
    }

    fn remember(&mut self, entry: &Entry, stamp: Option<Time>, session: Option<String>, goes_on: bool) {
        let Entry { at, when, heard, .. } = *entry;
        self.last = Some(Last { at, when, heard, stamp, session, goes_on });
    }

    fn ours(&self, at: Time) -> Time {
        Time::from_micros(at.as_micros().saturating_sub(self.skew))
    }
}

/// A text that nothing can come of on a screen, without secrets, and with them.
fn washed(text: &str) -> (String, Bare) {
    Bare::beside(wash::clean_line(text))
}

fn part(label: &'static str, text: &str) -> Part {
    let (text, bare) = washed(text);
    Part { label, text, bare }
}

impl Form {
    fn of(format: Format) -> Self {
        match format {
            Format::Patroni { utc_offset } => Self::Patroni(utc_offset),
            Format::PostgresStderr { prefix, utc_offset } => Self::Stderr(Box::new(postgres::Prefix::new(&prefix, utc_offset))),
            Format::PostgresCsv { utc_offset } => Self::Csv(Records::new(utc_offset)),
            Format::PostgresJson { utc_offset } => Self::Json(utc_offset),
            Format::Etcd { utc_offset } => Self::Etcd(utc_offset),
            Format::Haproxy { utc_offset } => Self::Haproxy(utc_offset),
        }
    }
}

/// What systemd says of a unit stands in the unit's journal.
fn of_systemd(text: &str) -> bool {
    let words = [
        "Started ",
        "Starting ",
        "Stopped ",
        "Stopping ",
        "Reloaded ",
        "Reloading ",
        "Finished ",
        "Failed to start ",
        "Dependency failed for ",
    ];
    words.iter().any(|word| text.starts_with(word)) || text.split_once(".service: ").is_some_and(|(unit, _)| !unit.contains(' '))
}
