//! Text or a regular expression that is looked for, and where it stands.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

/// Most bytes that a compiled expression may take.
const SIZE: usize = 1 << 20;
/// Most places that are told of one text.
const HITS: usize = 100;

/// A pattern that stands in our own source; a test compiles each of them.
pub(super) fn ours(text: &str) -> Regex {
    match Regex::new(text) {
        Ok(regex) => regex,
        Err(why) => panic!("{text}: {why}"),
    }
}

/// What is looked for: `text`, upper and lower case alike as long as it has no upper case, or `/expression/`.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    source: String,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

impl Pattern {
    /// Reads one: a text as it stands, or a regular expression between slashes.
    ///
    /// # Errors
    /// It is no regular expression; the error is a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let inner = text.strip_prefix('/').map(|text| text.strip_suffix('/').unwrap_or(text));
        let body = inner.map_or_else(|| regex::escape(text), str::to_owned);
        let small = !text.chars().any(char::is_uppercase);
        let regex = RegexBuilder::new(&body).case_insensitive(small).size_limit(SIZE).build();
        match regex {
            Ok(regex) => Ok(Self { regex, source: text.to_owned() }),
            Err(why) => {
                let why = why.to_string();
                let last = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                Err(format!("{text} is no regular expression: {last}"))
            }
        }
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it is in a text.
    pub fn is_in(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Where it stands in a text, in bytes; the first hundred places, those without length left out.
    pub fn places(&self, text: &str) -> Vec<Range<usize>> {
        self.regex.find_iter(text).map(|found| found.range()).filter(|range| !range.is_empty()).take(HITS).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_taken_as_it_stands_and_an_expression_between_slashes() {
        let pairs =
            |pattern: Pattern, text: &str| pattern.places(text).into_iter().map(|place| (place.start, place.end)).collect::<Vec<_>>();
        let places = |pattern: &str, text: &str| Pattern::parse(pattern).map(|pattern| pairs(pattern, text));
        assert_eq!(places("psg", "psg1 and PSG2"), Ok(vec![(0, 3), (9, 12)]));
        assert_eq!(places("PSG", "psg1 and PSG2"), Ok(vec![(9, 12)]), "who writes it large means it so");
        assert_eq!(places("a.c", "abc a.c"), Ok(vec![(4, 7)]));
        assert_eq!(places("/psg\\d/", "psg1 psgx psg3"), Ok(vec![(0, 4), (10, 14)]));
        assert_eq!(places("/psg\\d", "psg1"), Ok(vec![(0, 4)]), "while it is typed it has no end yet");
        assert_eq!(places("/x*/", "aaa"), Ok(Vec::new()), "nothing is found everywhere");
        assert_eq!(places("/(/", "a"), Err("/(/ is no regular expression: unclosed group".to_owned()));
        assert!(places("/(a{1000}){1000}/", "a").is_err());
    }
}
