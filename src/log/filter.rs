//! Which messages are shown.

use std::str::FromStr;

use super::{Entry, Pattern, Program, Severity};

/// Which messages are shown. Of each kind of condition one must hold, and nothing that is left out may.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Nodes; empty: all.
    pub nodes: Vec<String>,
    /// Nodes that are left out.
    pub not_nodes: Vec<String>,
    /// Programs; empty: all.
    pub programs: Vec<Program>,
    /// Programs that are left out.
    pub not_programs: Vec<Program>,
    /// The least level; what tells no level is always shown.
    pub least: Option<Severity>,
    /// Each of them must be in it.
    pub include: Vec<Pattern>,
    /// None of them may be in it.
    pub exclude: Vec<Pattern>,
}

impl Filter {
    /// Reads one as it is typed, words with spaces between them: `node:psg1`, `program:etcd`, `level:warning`, a text, `"a text with spaces"`,
    /// `/an expression/`; `-` before a word leaves out what it stands for.
    ///
    /// # Errors
    /// A word is no good; the error is a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut filter = Self::default();
        for word in words(text) {
            let (out, word) = word.strip_prefix('-').filter(|rest| !rest.is_empty()).map_or((false, word.as_str()), |rest| (true, rest));
            filter.add(word, out)?;
        }
        Ok(filter)
    }

    fn add(&mut self, word: &str, out: bool) -> Result<(), String> {
        match word.split_once(':') {
            Some(("node", name)) => if out { &mut self.not_nodes } else { &mut self.nodes }.push(name.to_owned()),
            Some(("program", name)) => {
                let known = Program::ALL.into_iter().find(|program| program.name() == name);
                let known = known.ok_or_else(|| format!("there is no program {name:?}: patroni, postgres, etcd, haproxy"))?;
                if out { &mut self.not_programs } else { &mut self.programs }.push(known);
            }
            Some(("level", name)) if !out => {
                let level = Severity::from_str(name).ok().filter(|level| *level != Severity::Unknown);
                self.least = Some(level.ok_or_else(|| format!("there is no level {name:?}: debug, info, warning, error, fatal"))?);
            }
            Some(("level", _)) => return Err("a level is the least that is shown; it cannot be left out".to_owned()),
            _ => {
                let bare = word.strip_prefix('"').map(|word| word.strip_suffix('"').unwrap_or(word)).unwrap_or(word);
                if !bare.is_empty() {
                    if out { &mut self.exclude } else { &mut self.include }.push(Pattern::parse(bare)?);
                }
            }
        }
        Ok(())
    }

    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a message is shown. Marks (a gap, a file that cannot be read) are hidden by their node and program only.
    pub fn passes(&self, entry: &Entry) -> bool {
        let (node, program) = (&entry.stream.node, entry.stream.program);
        let of_those =
            (self.nodes.is_empty() || self.nodes.contains(node)) && (self.programs.is_empty() || self.programs.contains(&program));
        if !of_those || self.not_nodes.contains(node) || self.not_programs.contains(&program) {
            return false;
        }
        if entry.kind != super::Kind::Line {
            return true;
        }
        let has = |pattern: &Pattern| [node.as_str(), program.name()].into_iter().chain(entry.texts()).any(|text| pattern.is_in(text));
        self.least.is_none_or(|least| entry.level.reaches(least)) && self.include.iter().all(has) && !self.exclude.iter().any(has)
    }
}

/// The words of a text: separated by spaces, those in quotes or between slashes kept together.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let sign = usize::from(rest.starts_with('-'));
        let end = match rest[sign..].chars().next() {
            Some(fence @ ('"' | '/')) => rest[sign + 1..].find(fence).map_or(rest.len(), |at| sign + 1 + at + 1),
            _ => rest.find(' ').unwrap_or(rest.len()),
        };
        words.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::log::{Bare, Part, Stream};
    use crate::model::Time;

    fn entry(node: &str, program: Program, level: Severity, text: &str) -> Entry {
        let stream = Arc::new(Stream { node: node.to_owned(), program });
        Entry::new(&stream, Time::from_micros(0), level, text.to_owned())
    }

    #[test]
    fn each_word_narrows_and_a_minus_leaves_out() {
        let mut error = entry("psg1", Program::Postgres, Severity::Error, "relation does not exist");
        error.add(Part { label: "STATEMENT", text: "select cards".to_owned(), bare: Bare::default() });
        let all = [
            entry("psg1", Program::Patroni, Severity::Info, "no action. I am (psg1)"),
            error,
            entry("psg2", Program::Etcd, Severity::Warning, "lost the leader"),
            entry("vm1", Program::Haproxy, Severity::Unknown, "what is that"),
        ];
        let table = [
            ("", "0123"),
            ("node:psg1", "01"),
            ("-node:psg1", "23"),
            ("node:psg1 node:psg2", "012"),
            ("program:etcd", "2"),
            ("-program:etcd", "013"),
            ("level:warning", "123"),
            ("cards", "1"),
            ("CARDS", ""),
            ("statement", "1"),
            ("psg1 -action", "1"),
            ("\"no action\"", "0"),
            ("-\"no action\" -etcd", "13"),
            ("/(leader|exist)$/", "12"),
            ("-/ I am/ psg", "12"),
            ("-", ""),
        ];
        for (text, expected) in table {
            let filter = Filter::parse(text).expect(text);
            let passed: String = all.iter().enumerate().filter(|(_, entry)| filter.passes(entry)).map(|(n, _)| n.to_string()).collect();
            assert_eq!(passed, expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_told() {
        for (text, why) in [
            ("program:oracle", "there is no program \"oracle\""),
            ("level:loud", "there is no level \"loud\""),
            ("-level:error", "cannot be left out"),
            ("/(/", "is no regular expression"),
        ] {
            assert!(Filter::parse(text).is_err_and(|told| told.contains(why)), "{text}");
        }
    }
}
