//! Following a unit's entries in a node's journal.

use std::time::Duration;

use openssh::Session;
use serde::Deserialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use super::command::Command;
use super::master::Running;
use super::outbox::{Deaf, Outbox};
use super::reading::{AGAIN, Stop, Wanted, again};
use crate::log::{Format, Gap, Heard, What};
use crate::model::{ErrorKind, SourceError, Time};

/// The longest entry that is read: a message of bytes is written as a list of numbers. What is longer is counted and let go.
const LONGEST: usize = 8 * Heard::LONGEST;

/// A journal that may not be read ends its reader at once; one that has nothing to say yet and does not end for so long can be.
const OPENS: Duration = Duration::from_secs(2);

/// Reads one unit, over any number of connections.
#[derive(Debug, Default)]
pub(super) struct JournalReader {
    cursor: Option<String>,
    heard: Option<Time>,
}

/// An entry as `journalctl --output=json` writes it.
#[derive(Debug, Deserialize)]
struct Entry {
    #[serde(rename = "__CURSOR")]
    cursor: String,
    /// Microseconds since the Unix epoch, by the node's clock.
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    time: String,
    /// A text; a list of numbers when it is not UTF-8; a list of those when the field is there twice.
    #[serde(rename = "MESSAGE", default)]
    message: Value,
}

impl JournalReader {
    /// Reads until the connection ends, or nobody listens; to the present end only, where nothing is to be followed.
    pub async fn run(&mut self, session: &Session, unit: &str, format: &Format, wanted: &Wanted, out: &mut Outbox) -> Stop {
        loop {
            let error = match self.read(session, unit, format, wanted, out).await {
                Ok(None) if !wanted.on => return Stop::Read,
                Ok(None) => SourceError::new(ErrorKind::Broken, format!("journalctl on {} ended", out.stream().node)),
                Ok(Some(error)) => error,
                Err(stop) => return stop,
            };
            if let Err(stop) = again(out, error, wanted, AGAIN).await {
                return stop;
            }
        }
    }

    async fn read(
        &mut self,
        session: &Session,
        unit: &str,
        format: &Format,
        wanted: &Wanted,
        out: &mut Outbox,
    ) -> Result<Option<SourceError>, Stop> {
        let since = wanted.since.as_micros().div_euclid(1_000_000);
        let cursor = self.cursor.clone().unwrap_or_default();
        let command = Command::Journal { unit: unit.to_owned(), cursor, since, on: wanted.on };
        let mut running = Running::start(session, &command).await.map_err(Stop::Lost)?;
        let mut open = false;
        // The entry that was read last comes once more, if the journal still has it.
        let mut expected = self.cursor.clone();
        {
            let mut input = BufReader::with_capacity(64 * 1024, &mut running.output);
            let mut line = Vec::new();
            let mut cut = 0;
            loop {
                out.flush().await.map_err(|Deaf| Stop::Deaf)?;
                let piece = match timeout(if open { Duration::MAX } else { OPENS }, input.fill_buf()).await {
                    Ok(piece) => piece.unwrap_or_default(),
                    Err(_) => {
                        open = true;
                        out.opened(format, unit);
                        continue;
                    }
                };
                if piece.is_empty() {
                    break;
                }
                if !std::mem::replace(&mut open, true) {
                    out.opened(format, unit);
                }
                let (length, ends) = match piece.iter().position(|byte| *byte == b'\n') {
                    Some(at) => (at + 1, true),
                    None => (piece.len(), false),
                };
                let kept = length.min(LONGEST - line.len());
                line.extend_from_slice(&piece[..kept]);
                cut += (length - kept) as u64;
                input.consume(length);
                if ends {
                    self.take(&line, std::mem::take(&mut cut), &mut expected, out);
                    line.clear();
                }
            }
        }
        let ended = running.ended().await;
        let node = &out.stream().node;
        let said = ended.said.trim().lines().last().unwrap_or_default().to_owned();
        match ended.code {
            None => Err(Stop::Lost(SourceError::new(ErrorKind::Broken, "ssh: the connection is lost"))),
            Some(20) => Ok(Some(SourceError::new(ErrorKind::Unavailable, format!("there is no journalctl on {node}")))),
            _ if ended.said.contains("insufficient permissions") => {
                let error = SourceError::new(ErrorKind::Denied, format!("the journal of {unit} on {node} may not be read"));
                Ok(Some(error.with_hint("the login on the node has to be in the group systemd-journal or adm")))
            }
            _ if said.is_empty() => Ok(None),
            _ => Ok(Some(SourceError::new(ErrorKind::Unavailable, format!("journalctl on {node}: {said}")))),
        }
    }

    fn take(&mut self, line: &[u8], cut: u64, expected: &mut Option<String>, out: &mut Outbox) {
        let Ok(entry) = serde_json::from_slice::<Entry>(line) else {
            out.add([What::Gap(Gap::Dropped { lines: 1, bytes: line.len() as u64 + cut })]);
            return;
        };
        if let Some(cursor) = expected.take() {
            if cursor == entry.cursor {
                return;
            }
            let to = out.now();
            let why = "the journal no longer has the entry that was read last".to_owned();
            out.add([What::Gap(Gap::Unread { from: self.heard.unwrap_or(to), to, why })]);
        }
        self.heard = Some(out.now());
        out.add(lines(&entry));
        self.cursor = Some(entry.cursor);
    }
}

/// The lines of an entry, each with the entry's time.
fn lines(entry: &Entry) -> Vec<What> {
    let stamp = entry.time.parse().ok().map(Time::from_micros);
    let bytes = text(&entry.message);
    let whole = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    let line = |line: &[u8]| {
        let kept = line.len().min(Heard::LONGEST);
        What::Line { bytes: line[..kept].to_vec(), stamp, cut: (line.len() - kept) as u64 }
    };
    whole.split(|byte| *byte == b'\n').map(line).collect()
}

fn text(message: &Value) -> Vec<u8> {
    match message {
        Value::String(text) => text.clone().into_bytes(),
        Value::Array(items) if items.iter().all(Value::is_number) => {
            items.iter().filter_map(|n| n.as_u64().and_then(|n| u8::try_from(n).ok())).collect()
        }
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(&b'\n'),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{Program, Read, Reader, Stream};
    use crate::source::Clock;

    fn reader() -> (JournalReader, Outbox, tokio::sync::mpsc::Receiver<Vec<Heard>>) {
        let (to, from) = tokio::sync::mpsc::channel(1);
        let stream = Stream { node: "psg1".into(), program: Program::Etcd };
        (JournalReader::default(), Outbox::new(stream, Clock::start(), to), from)
    }

    async fn heard(out: &mut Outbox, from: &mut tokio::sync::mpsc::Receiver<Vec<Heard>>) -> Vec<What> {
        out.flush().await.expect("somebody listens");
        from.try_recv().unwrap_or_default().into_iter().map(|heard| heard.what).collect()
    }

    #[tokio::test]
    async fn an_entry_becomes_lines_with_the_journals_time() {
        let (mut reader, mut out, mut from) = reader();
        for message in [r#""one\ntwo""#, "[104,105,255]", "null"] {
            let line = format!(r#"{{"__CURSOR":"c","__REALTIME_TIMESTAMP":"1795736898569760","MESSAGE":{message}}}"#);
            reader.take(line.as_bytes(), 0, &mut None, &mut out);
        }
        let stamp = Some(Time::from_micros(1_795_736_898_569_760));
        let line = |bytes: &[u8]| What::Line { bytes: bytes.to_vec(), stamp, cut: 0 };
        assert_eq!(heard(&mut out, &mut from).await, [line(b"one"), line(b"two"), line(b"hi\xff"), line(b"")]);
    }

    #[tokio::test]
    async fn the_entry_that_was_read_last_is_not_told_again_and_its_absence_is_a_gap() {
        let entry = |cursor: &str| format!(r#"{{"__CURSOR":"{cursor}","__REALTIME_TIMESTAMP":"1","MESSAGE":"{cursor}"}}"#);
        for (first, gaps) in [("a", 0), ("b", 1)] {
            let (mut reader, mut out, mut from) = reader();
            let mut expected = Some("a".to_owned());
            reader.take(entry(first).as_bytes(), 0, &mut expected, &mut out);
            reader.take(entry("c").as_bytes(), 0, &mut expected, &mut out);
            let heard = heard(&mut out, &mut from).await;
            assert_eq!(heard.iter().filter(|what| matches!(what, What::Gap(_))).count(), gaps);
            assert_eq!(heard.iter().filter(|what| matches!(what, What::Line { .. })).count(), 1 + gaps, "{heard:?}");
        }
    }

    /// What journald 252 wrote of a service's lines and of systemd's own; how it was got stands beside it.
    #[tokio::test]
    async fn real_entries_become_messages() {
        for (text, program, expected) in [
            (
                include_str!("../../../tests/payloads/host/journal-patroni.jsonl"),
                Program::Patroni,
                vec![
                    ("Started patroni.service.", 1),
                    ("no action. I am (psg1), the leader with the lock", 4),
                    ("Stopping patroni.service...", 1),
                    ("patroni.service: Deactivated successfully.", 1),
                    ("Stopped patroni.service.", 1),
                    ("Started patroni.service.", 1),
                    ("no action. I am (psg1), the leader with the lock", 4),
                ],
            ),
            (
                include_str!("../../../tests/payloads/host/journal-haproxy.jsonl"),
                Program::Haproxy,
                vec![
                    ("Started haproxy.service.", 1),
                    ("haproxy.service: Main process exited, code=killed, status=11/SEGV", 1),
                    ("haproxy.service: Failed with result 'signal'.", 1),
                ],
            ),
        ] {
            assert_eq!(
                messages(text, program).await,
                expected.into_iter().map(|(text, lines)| (text.to_owned(), lines)).collect::<Vec<_>>()
            );
        }
        let etcd = messages(include_str!("../../../tests/payloads/host/journal-etcd.jsonl"), Program::Etcd).await;
        assert_eq!((etcd.len(), etcd.last()), (27, Some(&("Failed to start etcd.service.".to_owned(), 1))), "{etcd:?}");
    }

    /// The messages of a journal, each with how many lines it has.
    async fn messages(text: &str, program: Program) -> Vec<(String, u64)> {
        let (mut journal, mut out, mut from) = reader();
        text.lines().for_each(|line| journal.take(line.as_bytes(), 0, &mut None, &mut out));
        let format = match program {
            Program::Patroni => Format::Patroni { utc_offset: Some(0) },
            Program::Haproxy => Format::Haproxy { utc_offset: Some(0) },
            _ => Format::Etcd { utc_offset: Some(0) },
        };
        let mut reader = Reader::new(Stream { node: "psg1".into(), program });
        let now = Time::from_micros(1_795_772_400_000_000);
        reader.take(now, What::Open { format, file: String::new() });
        let mut messages: Vec<(String, u64)> = Vec::new();
        for what in heard(&mut out, &mut from).await {
            for read in reader.take(now, what) {
                match (read, messages.last_mut()) {
                    (Read::New(entry), _) => messages.push((entry.text, entry.lines)),
                    (Read::More { lines, .. }, Some((_, all))) => *all += lines,
                    (Read::More { .. }, None) => panic!("it goes on with nothing"),
                }
            }
        }
        messages
    }

    #[tokio::test]
    async fn what_is_no_entry_is_counted() {
        let (mut reader, mut out, mut from) = reader();
        reader.take(b"-- No entries --", 3, &mut None, &mut out);
        assert_eq!(heard(&mut out, &mut from).await, [What::Gap(Gap::Dropped { lines: 1, bytes: 19 })]);
    }
}
