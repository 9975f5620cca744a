//! What the environment says about the terminal.

use super::Depth;

/// How many colours the terminal shows. `get` reads an environment variable.
///
/// `NO_COLOR` (not empty) means none (no-color.org); `COLORTERM` of `truecolor` or `24bit` means 24 bits; otherwise `TERM` tells.
pub fn depth_of(get: impl Fn(&str) -> Option<String>) -> Depth {
    let value = |name: &str| get(name).unwrap_or_default();
    let term = value("TERM");
    if !value("NO_COLOR").is_empty()
        || matches!(term.as_str(), "" | "dumb" | "unknown")
        || term.starts_with("vt1")
        || term.starts_with("vt2")
    {
        Depth::Mono
    } else if matches!(value("COLORTERM").as_str(), "truecolor" | "24bit") || term.ends_with("-direct") {
        Depth::TrueColor
    } else if term.contains("256color") {
        Depth::Indexed
    } else {
        Depth::Sixteen
    }
}

/// Whether the terminal has a light ground, where it says so: `COLORFGBG`, set by rxvt, Konsole and others, ends with the number of the ground
/// among the 16 (rxvt's manual). `None`: it does not say.
pub fn light_ground_of(get: impl Fn(&str) -> Option<String>) -> Option<bool> {
    let value = get("COLORFGBG")?;
    let ground: u8 = value.rsplit_once(';')?.1.parse().ok()?;
    (ground < 16).then_some(matches!(ground, 7 | 9..=15))
}

/// Whether the locale (the first set of `LC_ALL`, `LC_CTYPE`, `LANG`) is one of UTF-8.
pub fn utf8_of(get: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &&str| get(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set).unwrap_or_default().to_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
        move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn the_terminal_is_believed_and_no_color_wins() {
        assert_eq!(depth_of(env(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")])), Depth::TrueColor);
        assert_eq!(depth_of(env(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")])), Depth::Mono);
        assert_eq!(depth_of(env(&[("TERM", "xterm-256color"), ("NO_COLOR", "")])), Depth::Indexed);
        assert_eq!(depth_of(env(&[("TERM", "linux")])), Depth::Sixteen);
        assert_eq!(depth_of(env(&[("TERM", "dumb"), ("COLORTERM", "truecolor")])), Depth::Mono);
        assert_eq!(depth_of(env(&[])), Depth::Mono);
    }

    #[test]
    fn the_ground_is_known_only_where_the_terminal_says_it() {
        assert_eq!(light_ground_of(env(&[("COLORFGBG", "0;15")])), Some(true));
        assert_eq!(light_ground_of(env(&[("COLORFGBG", "15;default;0")])), Some(false));
        for unknown in ["", "15", "0;default", "0;99"] {
            assert_eq!(light_ground_of(|_| Some(unknown.to_owned())), None, "{unknown}");
        }
        assert_eq!(light_ground_of(env(&[])), None);
    }

    #[test]
    fn the_locale_is_the_first_that_is_set() {
        assert!(utf8_of(env(&[("LANG", "de_DE.UTF-8")])));
        assert!(utf8_of(env(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8"), ("LANG", "C")])));
        assert!(!utf8_of(env(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")])));
        assert!(!utf8_of(env(&[])));
    }
}
