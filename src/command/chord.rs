//! Keys as they are written: `g g`, `ctrl-d`, `G`, `space`, `f1`, `?`.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::userfile::nearest;

/// One key with its modifiers, in one form only: Shift is in the character (`G`, `?`), or in `shift-tab`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Hash)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadChord {
    /// There is nothing.
    #[error("no key is given")]
    Empty,
    /// A word that names no key.
    #[error("`{0}` is not the name of a key")]
    UnknownKey(String),
    /// A word before `-` that names no modifier.
    #[error("`{0}-` is not a modifier")]
    UnknownModifier(String),
    /// Two ways of writing it that a terminal cannot tell apart.
    #[error("a terminal cannot tell `{0}` from `{1}`")]
    Indistinct(String, &'static str),
}

impl BadChord {
    /// What would be right.
    pub fn hint(&self) -> String {
        match self {
            BadChord::Empty => "write one, as in \"g g\" or \"ctrl-d\"".to_owned(),
            BadChord::UnknownKey(word) => {
                let names: Vec<&str> = NAMED.iter().map(|(name, _)| *name).collect();
                if let Some(near) = nearest(&word.to_lowercase(), names.iter().copied().filter(|_| word.chars().count() > 2)) {
                    return format!("did you mean `{near}`?");
                }
                if word.chars().all(|c| c.is_ascii_alphanumeric()) && word.chars().count() == 2 {
                    let apart: Vec<String> = word.chars().map(String::from).collect();
                    return format!("keys pressed in a row are separated by spaces: \"{}\"", apart.join(" "));
                }
                format!("keys are single characters, f1 to f12, {}; keys pressed in a row are separated by spaces", names.join(", "))
            }
            BadChord::UnknownModifier(word) => match (word.as_str(), nearest(&word.to_lowercase(), MODIFIERS)) {
                (_, Some(near)) => format!("did you mean `{near}-`?"),
                (other, _) if other.starts_with(['c', 'C']) => "did you mean `ctrl-`?".to_owned(),
                ("A" | "M" | "meta" | "opt" | "option", _) => "did you mean `alt-`?".to_owned(),
                _ => "modifiers are ctrl-, alt-, shift-".to_owned(),
            },
            BadChord::Indistinct(_, plain) => format!("write `{plain}`"),
        }
    }
}

/// The words before `-`.
const MODIFIERS: [&str; 3] = ["ctrl", "alt", "shift"];

/// The keys with names of more than one character.
const NAMED: &[(&str, KeyCode)] = &[
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
];

impl Chord {
    fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let kept = modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        match code {
            KeyCode::BackTab => Self { code: KeyCode::Tab, modifiers: kept | KeyModifiers::SHIFT },
            // What Shift makes of a character is another character; with Ctrl a terminal does not even say whether Shift was held.
            KeyCode::Char(c) if kept.contains(KeyModifiers::CONTROL) => {
                Self { code: KeyCode::Char(c.to_ascii_lowercase()), modifiers: kept - KeyModifiers::SHIFT }
            }
            KeyCode::Char(c) => {
                let upper = kept.contains(KeyModifiers::SHIFT) && c.is_lowercase();
                let c = if upper { c.to_uppercase().next().unwrap_or(c) } else { c };
                Self { code: KeyCode::Char(c), modifiers: kept - KeyModifiers::SHIFT }
            }
            code => Self { code, modifiers: kept },
        }
    }

    /// The character that it types, if it types one.
    pub fn typed(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }

    fn parse(word: &str) -> Result<Self, BadChord> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = word;
        // A lone or trailing `-` is the key of that name: `ctrl--`.
        while let Some((modifier, key)) = rest.split_once('-').filter(|(m, k)| !m.is_empty() && !k.is_empty()) {
            modifiers |= match modifier {
                "ctrl" => KeyModifiers::CONTROL,
                "alt" => KeyModifiers::ALT,
                "shift" => KeyModifiers::SHIFT,
                other => return Err(BadChord::UnknownModifier(other.to_owned())),
            };
            rest = key;
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) => KeyCode::Char(c),
            _ => named(rest).ok_or_else(|| BadChord::UnknownKey(rest.to_owned()))?,
        };
        if modifiers == KeyModifiers::CONTROL {
            let plain = match code {
                KeyCode::Char('i' | 'I') => Some("tab"),
                KeyCode::Char('m' | 'M') => Some("enter"),
                KeyCode::Char('[') => Some("esc"),
                KeyCode::Char('h' | 'H') => Some("backspace"),
                _ => None,
            };
            if let Some(plain) = plain {
                return Err(BadChord::Indistinct(word.to_owned(), plain));
            }
        }
        Ok(Self::new(code, modifiers))
    }
}

fn named(name: &str) -> Option<KeyCode> {
    if let Some((_, code)) = NAMED.iter().find(|(known, _)| *known == name) {
        return Some(*code);
    }
    let number = name.strip_prefix('f')?.parse::<u8>().ok()?;
    (1..=12).contains(&number).then_some(KeyCode::F(number))
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, name) in [(KeyModifiers::CONTROL, "ctrl-"), (KeyModifiers::ALT, "alt-"), (KeyModifiers::SHIFT, "shift-")] {
            if self.modifiers.contains(modifier) {
                f.write_str(name)?;
            }
        }
        match self.code {
            KeyCode::F(number) => write!(f, "f{number}"),
            code => match NAMED.iter().find(|(_, known)| *known == code) {
                Some((name, _)) => f.write_str(name),
                None => match code {
                    KeyCode::Char(c) => write!(f, "{c}"),
                    _ => f.write_str("?"),
                },
            },
        }
    }
}

/// The chord that a key event is.
pub fn chord_of(event: &KeyEvent) -> Chord {
    Chord::new(event.code, event.modifiers)
}

/// Reads keys that are pressed one after the other, separated by spaces.
pub fn parse_sequence(text: &str) -> Result<Vec<Chord>, BadChord> {
    let chords: Vec<Chord> = text.split_whitespace().map(Chord::parse).collect::<Result<_, _>>()?;
    if chords.is_empty() { Err(BadChord::Empty) } else { Ok(chords) }
}

/// Keys as [`parse_sequence`] reads them.
pub fn sequence_text(chords: &[Chord]) -> String {
    chords.iter().map(Chord::to_string).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode, modifiers: KeyModifiers) -> Chord {
        chord_of(&KeyEvent::new(code, modifiers))
    }

    #[test]
    fn what_is_written_is_what_a_terminal_sends() {
        let one = |text: &str| parse_sequence(text).expect(text)[0];
        assert_eq!(one("G"), key(KeyCode::Char('G'), KeyModifiers::SHIFT));
        assert_eq!(one("shift-g"), key(KeyCode::Char('G'), KeyModifiers::NONE));
        assert_ne!(one("G"), one("g"));
        assert_eq!(one("ctrl-d"), key(KeyCode::Char('d'), KeyModifiers::CONTROL));
        assert_eq!(one("ctrl-D"), one("ctrl-d"));
        assert_eq!(one("?"), key(KeyCode::Char('?'), KeyModifiers::SHIFT));
        assert_eq!(one("shift-tab"), key(KeyCode::BackTab, KeyModifiers::SHIFT));
        assert_eq!(one("space"), key(KeyCode::Char(' '), KeyModifiers::NONE));
        assert_eq!(one("-"), key(KeyCode::Char('-'), KeyModifiers::NONE));
        assert_eq!(one("ctrl--"), key(KeyCode::Char('-'), KeyModifiers::CONTROL));
        assert_eq!(one("é"), key(KeyCode::Char('é'), KeyModifiers::NONE));
        assert_eq!(one("f12"), key(KeyCode::F(12), KeyModifiers::NONE));
    }

    #[test]
    fn every_key_survives_being_written_and_read() {
        for text in ["g g", "ctrl-d", "G", "space", "f1", "?", "shift-tab", "alt-enter", "ctrl-alt-x", "-", "ctrl--", "shift-f5", "é"] {
            let chords = parse_sequence(text).expect(text);
            assert_eq!(sequence_text(&chords), text);
        }
    }

    #[test]
    fn what_is_no_key_says_why() {
        let why = |text: &str| parse_sequence(text).expect_err(text).to_string();
        assert_eq!(why(""), "no key is given");
        assert_eq!(why("gg"), "`gg` is not the name of a key");
        assert_eq!(why("f13"), "`f13` is not the name of a key");
        assert_eq!(why("meta-x"), "`meta-` is not a modifier");
        assert_eq!(why("ctrl-i"), "a terminal cannot tell `ctrl-i` from `tab`");
    }
}
