//! What is different between two texts, to be shown to a person: without a secret, and without what a terminal would obey.

use std::collections::BTreeSet;

use secrecy::{ExposeSecret, SecretString};
use similar::{ChangeTag, TextDiff};

use crate::log::mask;
use crate::model::clean;

/// Lines around a change.
const AROUND: usize = 2;

/// The secrets that must not be shown, in every form that a file has them in.
#[derive(Debug, Default)]
pub struct Secrets(Vec<SecretString>);

impl Secrets {
    /// These, and as quotes, URLs and password files write them.
    #[must_use]
    pub fn new<'s>(words: impl Iterator<Item = &'s SecretString>) -> Self {
        let mut all = BTreeSet::new();
        for word in words {
            let word = word.expose_secret();
            all.insert(word.to_owned());
            all.insert(word.replace('\'', "''"));
        }
        // The longest first: one may be a part of another.
        let mut all: Vec<String> = all.into_iter().filter(|word| !word.is_empty()).collect();
        all.sort_by_key(|word| std::cmp::Reverse(word.len()));
        Self(all.into_iter().map(SecretString::from).collect())
    }

    fn hide(&self, line: &str) -> String {
        let known = self.0.iter().fold(line.to_owned(), |line, word| line.replace(word.expose_secret(), "***"));
        // What somebody else wrote there is not known: what looks like a secret counts as one. The indentation, which means something in
        // YAML, is not what has to be cleaned.
        let text = known.trim_start_matches(' ');
        format!("{}{}", " ".repeat(known.len() - text.len()), clean(&mask(text)))
    }
}

/// The changed lines with those around them, each begun by `-`, `+` or a space.
#[must_use]
pub fn lines(before: &str, after: &str, secrets: &Secrets) -> String {
    let diff = TextDiff::from_lines(before, after);
    let mut out = String::new();
    for (at, group) in diff.grouped_ops(AROUND).iter().enumerate() {
        if at > 0 {
            out.push_str("  ...\n");
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            out.push_str(&format!("{sign} {}\n", secrets.hide(change.value().trim_end_matches('\n'))));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_shown_and_secrets_are_not() {
        let secrets = Secrets::new([SecretString::from("new'word")].iter());
        let before = "a: 1\n  b: 2\npassword: 'by-hand'\nc: 3\nd: \u{1b}[31m4\n";
        let after = "a: 1\n  b: 2\npassword: 'new''word'\nc: 3\nd: 4\n";
        let shown = lines(before, after, &secrets);
        assert!(shown.contains("- password: ***\n") && shown.contains("+ password: ***\n"), "{shown}");
        assert!(
            shown.contains("+ d: 4\n") && shown.contains("  c: 3\n") && shown.contains("    b: 2\n") && !shown.contains('\u{1b}'),
            "{shown}"
        );
        assert!(!shown.contains("by-hand") && !shown.contains("word'"), "{shown}");
    }
}
