//! PostgreSQL's `csvlog`: records whose texts may have several lines.

use super::head::Head;
use super::{postgres, stamp};

/// Lines that one record may have, and bytes; what is longer is no record.
const LINES: u64 = 2000;
const BYTES: usize = 256 * 1024;

/// Records, put together of lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Records {
    /// The server's own zone, seconds east of Greenwich.
    own: Option<i32>,
    begun: String,
    lines: u64,
}

/// What a line comes to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is part of a record that has not ended.
    Begun,
    /// These are whole, of so many lines each; a text that is no record stands as it is.
    Whole(Vec<(Result<Head, String>, u64)>),
}

impl Records {
    /// Of a server whose zone is so many seconds east of Greenwich, for times that name it by letters.
    pub(super) fn new(own: Option<i32>) -> Self {
        Self { own, ..Self::default() }
    }

    /// Takes a line; `whole` says that nothing of it was let go.
    pub(super) fn take(&mut self, line: &str, whole: bool) -> Taken {
        let mut ended = Vec::new();
        // The last line of a record that was cut would be waited for in vain.
        if self.lines > 0 && begins(line) {
            ended.extend(self.end());
        }
        if self.lines > 0 {
            self.begun.push('\n');
        } else if !begins(line) {
            ended.push((Err(line.to_owned()), 1));
            return Taken::Whole(ended);
        }
        self.begun.push_str(line);
        self.lines += 1;
        let open = self.begun.bytes().filter(|byte| *byte == b'"').count() % 2 == 1;
        if !open || !whole || self.lines >= LINES || self.begun.len() >= BYTES {
            ended.extend(self.end());
        }
        if ended.is_empty() { Taken::Begun } else { Taken::Whole(ended) }
    }

    /// What has begun, as it is.
    pub(super) fn end(&mut self) -> Option<(Result<Head, String>, u64)> {
        let (text, lines) = (std::mem::take(&mut self.begun), std::mem::take(&mut self.lines));
        (lines > 0).then(|| (head(&text, self.own).ok_or(text), lines))
    }
}

/// Whether a record begins so: a time with its zone, and a comma.
fn begins(line: &str) -> bool {
    stamp::full(line, None).is_some_and(|(_, rest)| rest.starts_with(','))
}

fn head(record: &str, own: Option<i32>) -> Option<Head> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(record.as_bytes());
    let fields = reader.records().next()?.ok()?;
    let of = |at: usize| fields.get(at).unwrap_or_default();
    let mut head = Head::new(stamp::full(of(0), own).map(|(at, _)| at), postgres::level(of(11), of(13)), fields.get(13)?);
    head.session = Some(of(3).to_owned());
    head.origin = postgres::origin(of(3), of(1), of(2), of(22), of(4), of(12));
    for (label, at) in [("DETAIL", 14), ("HINT", 15), ("QUERY", 16), ("CONTEXT", 18), ("STATEMENT", 19), ("LOCATION", 21)] {
        head.with(label, of(at));
    }
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Severity;

    const RECORD: &str = concat!(
        r#"2026-11-26 23:39:56.015 UTC,"app","card",2057,"10.0.0.1:4711",6567.1,3,"SELECT",2026-11-26 23:00:00 UTC,4/5,0,ERROR,42P01,"relation ""x"" "#,
        "does not exist\nat all\",\"the detail\",\"the hint\",,,,\"select\n\t1\",15,,\"psql\",\"client backend\",,0"
    );

    #[test]
    fn a_record_of_several_lines_is_one_message() {
        let mut records = Records::default();
        let lines: Vec<&str> = RECORD.lines().collect();
        assert_eq!(records.take(lines[0], true), Taken::Begun);
        assert_eq!(records.take(lines[1], true), Taken::Begun);
        let Taken::Whole(ended) = records.take(lines[2], true) else { panic!("it has ended") };
        let [(Ok(head), 3)] = &ended[..] else { panic!("{ended:?}") };
        assert_eq!((head.text.as_str(), head.level), ("relation \"x\" does not exist\nat all", Some(Severity::Error)));
        assert_eq!(head.origin, "pid 2057, app@card, app psql, from 10.0.0.1:4711, code 42P01");
        let more: Vec<(&str, &str)> = head.more.iter().map(|(label, text)| (*label, text.as_str())).collect();
        assert_eq!(more, [("DETAIL", "the detail"), ("HINT", "the hint"), ("STATEMENT", "select\n\t1")]);
    }

    #[test]
    fn a_record_that_is_cut_swallows_nothing() {
        let mut records = Records::default();
        let first = RECORD.lines().next().unwrap_or_default();
        assert_eq!(records.take(first, true), Taken::Begun);
        let Taken::Whole(ended) = records.take(first, false) else { panic!("both have ended") };
        assert_eq!(ended.iter().map(|(head, lines)| (head.is_ok(), *lines)).collect::<Vec<_>>(), [(true, 1), (true, 1)]);
        assert_eq!(records.take("no record", true), Taken::Whole(vec![(Err("no record".to_owned()), 1)]));
        assert_eq!(records.end(), None);
    }
}
