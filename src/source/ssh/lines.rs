//! From bytes to lines.

use crate::log::{Heard, What};

/// A stream's bytes cut into lines; what has no end yet is kept over a lost line to the node.
#[derive(Debug, Default)]
pub(super) struct Lines {
    partial: Vec<u8>,
    cut: u64,
    /// Reading began in the middle of a line, whose rest is nobody's.
    skips: bool,
}

impl Lines {
    /// What comes first is the rest of a line that began before.
    pub fn skip_first(&mut self) {
        *self = Self { skips: true, ..Self::default() };
    }

    /// Takes bytes in, and adds the lines that they end.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<What>) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = match piece.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (piece, false),
            };
            if !self.skips {
                let room = Heard::LONGEST - self.partial.len();
                let kept = &text[..text.len().min(room)];
                self.partial.extend_from_slice(kept);
                self.cut += (text.len() - kept.len()) as u64;
            }
            if ends && !std::mem::take(&mut self.skips) {
                out.push(self.take());
            }
        }
    }

    /// The rest, when nothing more follows that could end it.
    pub fn end(&mut self) -> Option<What> {
        self.skips = false;
        (!self.partial.is_empty()).then(|| self.take())
    }

    fn take(&mut self) -> What {
        let mut bytes = std::mem::take(&mut self.partial);
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        What::Line { bytes, stamp: None, cut: std::mem::take(&mut self.cut) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(what: &[What]) -> Vec<(String, u64)> {
        let line = |what: &What| match what {
            What::Line { bytes, cut, .. } => (String::from_utf8_lossy(bytes).into_owned(), *cut),
            other => panic!("{other:?}"),
        };
        what.iter().map(line).collect()
    }

    #[test]
    fn however_bytes_arrive_the_lines_are_the_same() {
        let text = b"one\ntwo\r\n\nfour\nrest";
        for size in 1..text.len() {
            let (mut lines, mut out) = (Lines::default(), Vec::new());
            text.chunks(size).for_each(|chunk| lines.feed(chunk, &mut out));
            out.extend(lines.end());
            let expected = ["one", "two", "", "four", "rest"].map(|line| (line.to_owned(), 0));
            assert_eq!(told(&out), expected, "{size}");
        }
    }

    #[test]
    fn a_line_without_end_is_bounded_and_counted() {
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        for _ in 0..1024 {
            lines.feed(&[b'x'; 1024], &mut out);
        }
        lines.feed(b"\nafter\n", &mut out);
        let told = told(&out);
        assert_eq!((told[0].0.len(), told[0].1), (Heard::LONGEST, (1024 * 1024 - Heard::LONGEST) as u64));
        assert_eq!(told[1], ("after".to_owned(), 0));
    }

    #[test]
    fn the_rest_of_a_line_that_began_before_is_no_line() {
        let (mut lines, mut out) = (Lines::default(), Vec::new());
        lines.skip_first();
        lines.feed(b"alf a li", &mut out);
        lines.feed(b"ne\nwhole\n", &mut out);
        assert_eq!(told(&out), [("whole".to_owned(), 0)]);
    }
}
