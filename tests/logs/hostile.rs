//! What somebody who can write to a log could write there to get at the one who reads it. Everything comes from a seed.

/// Where a sequence of a terminal begins, in 7 bits, in 8 bits, and in 8 bits as UTF-8 has them.
const CSI: [&[u8]; 3] = [b"\x1b[", b"\x9b", "\u{9b}".as_bytes()];
const OSC: [&[u8]; 3] = [b"\x1b]", b"\x9d", "\u{9d}".as_bytes()];
/// DCS, SOS, PM, APC.
const STRINGS: [&[u8]; 8] =
    [b"\x1bP", b"\x1bX", b"\x1b^", b"\x1b_", b"\x90", "\u{98}".as_bytes(), "\u{9e}".as_bytes(), "\u{9f}".as_bytes()];
/// What ends a string; the last one is none.
const ENDS: [&[u8]; 5] = [b"\x07", b"\x1b\\", b"\x9c", "\u{9c}".as_bytes(), b""];

const OSC_TEXTS: [&str; 14] = [
    "0;owned",
    "1;owned",
    "2;owned",
    "4;1;#ff0000",
    "7;file://evil/",
    "8;;http://evil.example/",
    "9;owned",
    "10;?",
    "12;red",
    "50;#1",
    "52;c;b3duZWQ=",
    "52;c;?",
    "133;A",
    "777;notify;owned;owned",
];

/// Sequences of one piece: mouse, screens, cursor, resets, keys, character sets, queries that a terminal answers as if it were typed.
const WHOLE: [&str; 34] = [
    "\x1b[?1000h",
    "\x1b[?1002h",
    "\x1b[?1003h",
    "\x1b[?1006h",
    "\x1b[?1049l",
    "\x1b[?1049h",
    "\x1b[?47l",
    "\x1b[?25h",
    "\x1b[?2004l",
    "\x1b[?2026h",
    "\x1b[?2026l",
    "\x1b[?1h",
    "\x1b[?5h",
    "\x1b[?7l",
    "\x1b[4h",
    "\x1b[20h",
    "\x1b[2J",
    "\x1b[3J",
    "\x1b[6n",
    "\x1b[c",
    "\x1b[>c",
    "\x1b[21t",
    "\x1b[8;5;5t",
    "\x1b[!p",
    "\x1bc",
    "\x1b7",
    "\x1b8",
    "\x1bD",
    "\x1bM",
    "\x1b=",
    "\x1b#8",
    "\x1b(0",
    "\x1b%@",
    "\x1bZ",
];

/// What no reader of UTF-8 may take for something else: an overlong ESC, CSI and line end, halves of surrogates, beyond the last character, bytes
/// that never stand there.
const BROKEN: [&[u8]; 11] = [
    b"\xc0\x9b",
    b"\xc1\x9b",
    b"\xe0\x80\x9b",
    b"\xf0\x80\x80\x9b",
    b"\xc0\x8a",
    b"\xed\xa0\x80",
    b"\xed\xb0\x80",
    b"\xed\xa0\xbd\xed\xb8\x80",
    b"\xf4\x90\x80\x80",
    b"\xfe\xff",
    b"\xf8\x88\x80\x80\x80",
];

/// What cannot be seen, or turns what follows round.
const UNSEEN: [char; 24] = [
    '\u{ad}',
    '\u{34f}',
    '\u{61c}',
    '\u{115f}',
    '\u{180e}',
    '\u{200b}',
    '\u{200d}',
    '\u{200f}',
    '\u{2028}',
    '\u{2029}',
    '\u{202a}',
    '\u{202e}',
    '\u{2060}',
    '\u{2066}',
    '\u{2069}',
    '\u{206f}',
    '\u{3164}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{ffa0}',
    '\u{fffb}',
    '\u{1d173}',
    '\u{e0041}',
    '\u{e0101}',
];

/// One piece of what is hostile.
#[derive(Debug, Clone)]
pub struct Piece {
    pub bytes: Vec<u8>,
    /// Whether a terminal that got it would have got something else than the console's own output, and that can be told from the bytes.
    pub foreign: bool,
}

/// A source of hostile things, always the same for the same seed.
pub struct Hostile(u64);

impl Hostile {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `below` (splitmix64).
    pub fn number(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut n = self.0;
        n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((n ^ (n >> 31)) % below as u64) as usize
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.number(all.len())]
    }

    /// So many bytes of any value but that of a line's end.
    pub fn noise(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| Some(self.number(256) as u8).filter(|byte| *byte != b'\n').unwrap_or(0)).collect()
    }

    /// The next piece. It has no line end in it.
    pub fn piece(&mut self) -> Piece {
        let kind = self.number(10);
        let bytes = match kind {
            0 => self.noise(40),
            1 | 2 => self.csi(),
            3 => [self.of(&OSC), self.of(&OSC_TEXTS).as_bytes(), self.of(&ENDS)].concat(),
            4 => [self.of(&STRINGS), b"q#0;2;0;0;0~owned", self.of(&ENDS)].concat(),
            5 => self.of(&WHOLE).as_bytes().to_vec(),
            6 => vec![Some(self.number(32) as u8).filter(|byte| *byte != b'\n').unwrap_or(0x7f)],
            7 => self.of(&BROKEN).to_vec(),
            8 => self.of(&UNSEEN).to_string().into_bytes(),
            // What is wide, and what is heaped on one place, and what a format could take for its own.
            _ => {
                self.of(&["日本語テキスト", "e\u{301}\u{323}\u{331}\u{30a}", "{\"a\": ", "%s%n", "$(reboot)", "'; DROP", "ﷺ", "🚀"]).into()
            }
        };
        Piece { bytes, foreign: (1..=8).contains(&kind) }
    }

    /// CSI with any final byte and sign, and numbers that the console's own sequences never have.
    fn csi(&mut self) -> Vec<u8> {
        let mut bytes = self.of(&CSI).to_vec();
        bytes.extend_from_slice(self.of(&["", "?", ">", "=", "<"]).as_bytes());
        let numbers: Vec<String> = (0..1 + self.number(4)).map(|_| (500 + self.number(9000)).to_string()).collect();
        bytes.extend_from_slice(numbers.join(self.of(&[";", ":"])).as_bytes());
        bytes.extend_from_slice(self.of(&["", "", " ", "$", "!", "\""]).as_bytes());
        bytes.push((0x40 + self.number(63)) as u8);
        bytes
    }

    /// A line's worth of pieces with a few words between them.
    pub fn text(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..1 + self.number(6) {
            bytes.extend(self.piece().bytes);
            bytes.extend_from_slice(self.of(&["", " ", " word ", "\t", "DETAIL:  "]).as_bytes());
        }
        bytes
    }
}
