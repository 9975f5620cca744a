//! What the console says to a terminal: the closed set of its sequences, and nothing beside.

use std::sync::LazyLock;

use regex::bytes::Regex;

const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";
/// What takes the terminal and what gives it back, the window's title kept before and put back after.
const ENTER: &[u8] = b"\x1b[22;2t\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[0m\x1b[2J";
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?2004l\x1b[?25h\x1b[?1049l\x1b[23;2t";
const CLEAR: &[u8] = b"\x1b[0m\x1b[2J";
const BELL: &[u8] = b"\x07";

/// Sequences of a frame: to a place, on by columns, erased to the end, so many erased, looks.
static DRAWN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\A\x1b\[(?:(?:(\d{1,3})(?:;(\d{1,3}))?)H|(\d{0,3})C|K|(\d{1,3})X|([\d;]*)m)").unwrap());
/// The window's title and what is copied, between frames.
static TITLE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\A\x1b\]2;([ -~]{0,160})\x1b\\").unwrap());
static COPY: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\A\x1b\]52;c;([A-Za-z0-9+/=]*)\x1b\\").unwrap());
static LOOKS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\A(?:(?:[1234789]|[34][0-79]|9[0-7]|10[0-7]|[34]8;5;\d{1,3}|[34]8;2;\d{1,3};\d{1,3};\d{1,3})?(?:;|\z))*\z").unwrap()
});
/// What may not stand in a text: control characters, what turns its direction, what is not seen.
static HIDDEN: LazyLock<regex::Regex> =
    LazyLock::new(|| regex::Regex::new(r"[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\x{FFF9}-\x{FFFB}]").unwrap());

/// What was said beside the frames.
#[derive(Debug, Default)]
pub struct Spoken {
    pub frames: usize,
    pub sequences: usize,
    /// Characters that were written.
    pub characters: usize,
    pub titles: Vec<String>,
    /// What was copied, as the terminal gets it.
    pub copied: Vec<String>,
}

/// Whether a text may stand on a terminal: the first character that may not.
pub fn hidden(text: &str) -> Option<char> {
    HIDDEN.find(text).and_then(|found| found.as_str().chars().next())
}

/// Reads all that the console has sent to a terminal of this size, from its begin to its end.
///
/// The first thing that is not its own is the error, with what stands around it.
pub fn read(bytes: &[u8], size: (u16, u16)) -> Result<Spoken, String> {
    let mut reader = Reader { bytes, at: 0, size, framed: false, said: Spoken::default() };
    let whole = reader.expect(ENTER).and_then(|()| reader.frames());
    whole.map_err(|why| reader.told(why)).map(|()| reader.said)
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
    size: (u16, u16),
    framed: bool,
    said: Spoken,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    fn told(&self, why: String) -> String {
        let around = &self.bytes[self.at.saturating_sub(60)..self.bytes.len().min(self.at + 60)];
        format!("{why} at byte {} of {}: \"{}\"", self.at, self.bytes.len(), around.escape_ascii())
    }

    fn expect(&mut self, what: &[u8]) -> Result<(), String> {
        if !self.take(what) {
            return Err(format!("no \"{}\"", what.escape_ascii()));
        }
        Ok(())
    }

    fn take(&mut self, what: &[u8]) -> bool {
        let is_next = self.rest().starts_with(what);
        if is_next {
            self.at += what.len();
            self.said.sequences += 1;
        }
        is_next
    }

    fn frames(&mut self) -> Result<(), String> {
        while !self.rest().is_empty() {
            match self.framed {
                true => self.inside()?,
                false if self.rest() == LEAVE => return Ok(()),
                false => self.between()?,
            }
        }
        Err("it ended without giving the terminal back".to_owned())
    }

    /// Between frames: the next one, the title, the clipboard, the bell.
    fn between(&mut self) -> Result<(), String> {
        if self.take(BEGIN) {
            (self.framed, self.said.frames) = (true, self.said.frames + 1);
            // All is cleared first of all, or not at all.
            self.take(CLEAR);
            return Ok(());
        }
        if self.take(BELL) {
            return Ok(());
        }
        for (sequence, into) in [(&TITLE, &mut self.said.titles), (&COPY, &mut self.said.copied)] {
            if let Some(found) = sequence.captures(&self.bytes[self.at..]) {
                into.push(String::from_utf8_lossy(&found[1]).into_owned());
                self.at += found[0].len();
                return Ok(());
            }
        }
        Err("something foreign between two frames".to_owned())
    }

    /// Within a frame: text, and what places it.
    fn inside(&mut self) -> Result<(), String> {
        if self.take(END) {
            self.framed = false;
            return Ok(());
        }
        if self.take(b"\r\n") {
            return Ok(());
        }
        if self.rest().first() == Some(&0x1b) {
            let end = self.rest().len().min(80);
            let found = DRAWN.captures(&self.rest()[..end]).ok_or("a foreign sequence")?;
            let number = |at: usize| found.get(at).map_or(0, |found| String::from_utf8_lossy(found.as_bytes()).parse::<u16>().unwrap_or(0));
            let (columns, rows) = self.size;
            if number(1) > rows || number(2) > columns || number(3) >= columns || number(4) > columns {
                return Err("a place that is not on the screen".to_owned());
            }
            if found.get(5).is_some_and(|looks| !LOOKS.is_match(looks.as_bytes())) {
                return Err("foreign looks".to_owned());
            }
            self.at += found[0].len();
            self.said.sequences += 1;
            return Ok(());
        }
        let length = self.rest().iter().position(|byte| matches!(byte, 0x1b | b'\r')).unwrap_or(self.rest().len());
        let text = match std::str::from_utf8(&self.rest()[..length]) {
            Ok(text) => text,
            Err(why) => {
                let at = why.valid_up_to();
                self.at += at;
                return Err("no UTF-8".to_owned());
            }
        };
        if length == 0 {
            return Err("a carriage return".to_owned());
        }
        if let Some(found) = HIDDEN.find(text) {
            let why = format!("{:?} in a text", found.as_str());
            self.at += found.start();
            return Err(why);
        }
        self.said.characters += text.chars().count();
        self.at += length;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::hostile::Hostile;
    use super::*;

    fn framed(text: &[u8]) -> Vec<u8> {
        [ENTER, BEGIN, CLEAR, b"\x1b[2;3H\x1b[1;38;5;9mone\x1b[m\r\n\x1b[2Ctwo", text, b"\x1b[K", END, b"\x1b]2;x: psg1 leads\x1b\\", LEAVE]
            .concat()
    }

    #[test]
    fn what_the_console_says_is_understood() {
        let said = read(&framed("日本 ✔".as_bytes()), (80, 24)).unwrap();
        assert_eq!((said.frames, said.characters, said.titles), (1, 10, vec!["x: psg1 leads".to_owned()]));
    }

    /// A reader that let them pass would prove nothing.
    #[test]
    fn each_foreign_thing_is_found() {
        let mut hostile = Hostile::new(1);
        let pieces: Vec<_> = (0..20_000).map(|_| hostile.piece()).filter(|piece| piece.foreign).collect();
        for piece in &pieces {
            let bytes = framed(&piece.bytes);
            assert!(read(&bytes, (80, 24)).is_err(), "{} passed", piece.bytes.escape_ascii());
        }
        assert!(pieces.len() > 10_000, "{}", pieces.len());
    }
}
