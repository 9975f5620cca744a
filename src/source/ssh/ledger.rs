//! A ledger of what tasks have done elsewhere: lines to which one is added when a task starts and when it ends.

use std::collections::{HashMap, VecDeque};

use super::command::FileId;
use crate::config::LedgerFormat;
use crate::model::{BookKind, Job, RunBook, TaskKey, Time};

/// The longest line that is waited for the end of, bytes.
const LONGEST: usize = 64 * 1024;

/// What was read of it so far, and up to where.
#[derive(Debug)]
pub(super) struct Ledger {
    format: LedgerFormat,
    /// The file that was read.
    pub id: FileId,
    /// The first byte that was not.
    pub next: u64,
    whole: bool,
    unread: u64,
    /// A line without an end, and whether its beginning is missing.
    rest: String,
    torn: bool,
    jobs: HashMap<TaskKey, Job>,
    /// The newest last.
    order: VecDeque<TaskKey>,
}

impl Ledger {
    /// Nothing of it was read.
    pub fn new(format: LedgerFormat) -> Self {
        Self {
            format,
            id: String::new(),
            next: 0,
            whole: true,
            unread: 0,
            rest: String::new(),
            torn: false,
            jobs: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Takes in the answer of the script `ledger`; whether there may be more to read at once.
    ///
    /// # Errors
    /// The file is not there, or cannot be read.
    pub fn take(&mut self, answer: &str) -> Result<bool, String> {
        let (head, bytes) = answer.split_once('\n').unwrap_or((answer, ""));
        let words: Vec<&str> = head.split(' ').collect();
        let [_, id, size, from, end] = words[..] else {
            return Err(match head {
                "missing" => "the ledger is not there".to_owned(),
                "unreadable" => "the ledger may not be read by our user there".to_owned(),
                _ => "what the target tells of its ledger is not understood".to_owned(),
            });
        };
        let [Ok(size), Ok(from), Ok(end)] = [size, from, end].map(str::parse::<u64>) else {
            return Err("what the target tells of its ledger is not understood".to_owned());
        };
        if id != self.id || from != self.next {
            // Another file, or one that was emptied: what the one before told of tasks has happened all the same.
            self.rest.clear();
            self.torn = from > 0;
            self.whole &= from == 0 && (self.id.is_empty() || id == self.id);
            self.id = id.to_owned();
        }
        self.next = end;
        let text = std::mem::take(&mut self.rest) + bytes;
        let (lines, rest) = text.rsplit_once('\n').unwrap_or(("", &text));
        for line in lines.lines() {
            if !std::mem::take(&mut self.torn) {
                self.line(line);
            }
        }
        self.rest = rest.to_owned();
        if self.rest.len() > LONGEST {
            // What does not end is no line, and would be kept for ever.
            self.rest.clear();
            self.torn = true;
            self.unread += 1;
        }
        Ok(end < size && end > from)
    }

    fn line(&mut self, line: &str) {
        let Some(entry) = entry(&self.format, line) else {
            self.unread += u64::from(!line.trim().is_empty());
            return;
        };
        let Entry { start, key, at, try_number } = entry;
        let job = self.jobs.entry(key.clone()).or_insert_with(|| Job {
            key: key.clone(),
            starts: 0,
            started: None,
            ended: false,
            ended_at: None,
            again: false,
            try_number: None,
        });
        if start {
            job.again |= job.ended;
            job.starts += 1;
            (job.started, job.ended, job.ended_at) = (at, false, None);
        } else {
            (job.ended, job.ended_at) = (true, at);
        }
        job.try_number = try_number.or(job.try_number);
        self.order.retain(|known| *known != key);
        self.order.push_back(key);
        while self.order.len() > RunBook::MOST {
            if let Some(oldest) = self.order.pop_front() {
                self.jobs.remove(&oldest);
                self.whole = false;
            }
        }
    }

    /// What it has of tasks.
    pub fn book(&self) -> RunBook {
        let jobs = self.order.iter().filter_map(|key| self.jobs.get(key)).cloned().collect();
        RunBook { kind: BookKind::Ledger, whole: self.whole, unread: self.unread, jobs }
    }
}

struct Entry {
    start: bool,
    key: TaskKey,
    at: Option<Time>,
    try_number: Option<i64>,
}

/// A line by its format.
fn entry(format: &LedgerFormat, line: &str) -> Option<Entry> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let places: Vec<&str> = format.0.split_whitespace().collect();
    if words.len() != places.len() {
        return None;
    }
    let word = |place: &str| places.iter().position(|known| *known == place).map(|n| words[n]);
    let start = match word("{event}")? {
        "START" => true,
        "END" => false,
        _ => return None,
    };
    let number = |place: &str| word(place).map(|text| text.parse::<i64>().ok());
    let key = TaskKey {
        dag: word("{dag}")?.to_owned(),
        run: word("{run}")?.to_owned(),
        task: word("{task}")?.to_owned(),
        map_index: match number("{map}") {
            Some(index) => index?,
            None => -1,
        },
    };
    Some(Entry { start, key, at: word("{time}").and_then(time), try_number: number("{try}").flatten() })
}

/// `1795784887.712`, or RFC 3339.
pub(super) fn time(text: &str) -> Option<Time> {
    let (seconds, part) = text.split_once('.').unwrap_or((text, "0"));
    let micros = || {
        let part: i64 = format!("{part:0<6}").get(..6)?.parse().ok()?;
        seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(part)
    };
    micros().map(Time::from_micros).or_else(|| Time::parse(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        Ledger::new(LedgerFormat::default())
    }

    const START: &str = "1795784887.712 START work charge manual__1 -1 1\n";
    const END: &str = "1795784907.712 END work charge manual__1 -1 1\n";

    #[test]
    fn a_start_and_an_end_make_a_job_wherever_the_answer_was_cut() {
        let format = "{time} {event} {task} {dag} {run} {map} {try}";
        for cut in 0..START.len() {
            let mut ledger = Ledger::new(LedgerFormat(format.to_owned()));
            let text = format!("{START}{END}");
            ledger.take(&format!("file 1:2 {} 0 {cut}\n{}", text.len(), &text[..cut])).expect("read");
            ledger.take(&format!("file 1:2 {0} {cut} {0}\n{1}", text.len(), &text[cut..])).expect("read");
            let book = ledger.book();
            assert_eq!((book.jobs.len(), book.unread, book.whole), (1, 0, true), "{cut}: {book:?}");
            let job = &book.jobs[0];
            assert_eq!((job.key.told().as_str(), job.starts, job.ended, job.again), ("charge.work of manual__1", 1, true, false));
            assert_eq!((job.started, job.ended_at), (time("1795784887.712"), time("1795784907.712")));
        }
    }

    #[test]
    fn a_second_start_is_one_whether_or_not_the_first_has_ended() {
        let line = |event: &str, run: &str, attempt: u32| format!("1.5 {event} charge work {run} -1 {attempt}\n");
        let mut ledger = ledger();
        let text =
            [line("START", "a", 1), line("END", "a", 1), line("START", "a", 2), line("START", "b", 1), line("START", "b", 2)].concat();
        ledger.take(&format!("file 1:2 {0} 0 {0}\n{text}half a li", text.len() + 9)).expect("read");
        let told: Vec<_> = ledger.book().jobs.iter().map(|job| (job.key.run.clone(), job.starts, job.ended, job.again)).collect();
        assert_eq!(told, [("a".to_owned(), 2, false, true), ("b".to_owned(), 2, false, false)]);
    }

    #[test]
    fn what_is_not_understood_is_counted_and_a_torn_first_line_is_not() {
        let mut ledger = ledger();
        ledger.take("file 1:2 5000000 4100000 5000000\nork manual__0 -1 1\nSTART what\n3 END charge work r -1 1\n").expect("read");
        let book = ledger.book();
        assert_eq!((book.unread, book.jobs.len(), book.whole), (1, 1, false), "{book:?}");
        assert_eq!((book.jobs[0].starts, book.jobs[0].ended), (0, true), "its start lies before");
    }

    #[test]
    fn what_does_not_end_is_not_kept_and_the_line_after_it_is_read() {
        let mut ledger = ledger();
        let piece = "x".repeat(40 * 1024);
        for (n, unread) in [(0_usize, 0), (1, 1), (2, 1), (3, 2)] {
            let (from, to) = (n * piece.len(), (n + 1) * piece.len());
            ledger.take(&format!("file 1:2 {to} {from} {to}\n{piece}")).expect("read");
            assert!(ledger.rest.len() <= LONGEST && ledger.book().unread == unread, "{n}: {}", ledger.book().unread);
        }
        let (from, text) = (4 * piece.len(), "its end\n3 END charge work r -1 1\n");
        ledger.take(&format!("file 1:2 {0} {from} {0}\n{text}", from + text.len())).expect("read");
        assert_eq!((ledger.book().jobs.len(), ledger.book().unread), (1, 2));
    }

    #[test]
    fn a_ledger_that_was_replaced_is_read_anew_and_what_the_old_one_told_stays() {
        let mut ledger = ledger();
        ledger.take("file 1:2 40 0 40\n1 START charge work r -1 1\n").expect("read");
        ledger.take("file 1:3 40 0 40\n2 END charge work r -1 1\n").expect("read");
        let book = ledger.book();
        assert_eq!((book.jobs.len(), book.jobs[0].starts, book.jobs[0].ended, book.whole), (1, 1, true, false));
        assert_eq!(ledger.take("missing"), Err("the ledger is not there".to_owned()));
        assert!(ledger.take("file 1").is_err() && ledger.take("").is_err());
    }

    #[test]
    fn no_more_than_so_many_are_kept() {
        let mut ledger = ledger();
        let text: String = (0..RunBook::MOST + 5).map(|n| format!("{n} START charge work r{n} -1 1\n")).collect();
        ledger.take(&format!("file 1:2 {0} 0 {0}\n{text}", text.len())).expect("read");
        let book = ledger.book();
        assert_eq!((book.jobs.len(), book.whole, book.jobs[0].key.run.as_str()), (RunBook::MOST, false, "r5"));
    }
}
