//! Mistakes, each with its place and a hint, and the error that carries them.

use std::fmt;
use std::path::Path;

use super::origin::Origin;

/// One mistake: where, what, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where it is; displays as `path:line:col` for a file.
    pub at: Origin,
    /// What is wrong, one sentence without a full stop.
    pub message: String,
    /// What would be right: the nearest known key, the allowed values, a command.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// A mistake without a hint.
    pub fn new(at: Origin, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), hint: None }
    }

    /// The same mistake with a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Why there is no configuration to work with. Displays as a sentence, then `path:line:col` lines, then hints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    sentence: Option<String>,
    hints: Vec<String>,
    diagnostics: Vec<Diagnostic>,
}

impl ConfigError {
    /// An error that belongs to no place in a file.
    pub fn sentence(sentence: impl Into<String>, hints: Vec<String>) -> Self {
        Self { sentence: Some(sentence.into()), hints, diagnostics: Vec::new() }
    }

    /// The mistakes found; there must be at least one for the error to say something.
    pub fn mistakes(diagnostics: Vec<Diagnostic>) -> Self {
        Self { sentence: None, hints: Vec::new(), diagnostics }
    }

    /// The mistakes, in the order of the file; empty for an error of another kind.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }
}

impl From<Diagnostic> for ConfigError {
    fn from(one: Diagnostic) -> Self {
        Self::mistakes(vec![one])
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        let mut line = |f: &mut fmt::Formatter<'_>, text: &dyn fmt::Display| {
            let newline = if first { "" } else { "\n" };
            first = false;
            write!(f, "{newline}{text}")
        };
        if let Some(sentence) = &self.sentence {
            line(f, sentence)?;
        }
        for diagnostic in &self.diagnostics {
            line(f, diagnostic)?;
        }
        for hint in &self.hints {
            line(f, &format_args!("hint: {hint}"))?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Text from a file or a variable between backticks: control characters escaped, long text cut, so that a message
/// stays one line and cannot move the cursor.
pub(crate) fn quote(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut out = String::from("`");
    for (n, c) in text.chars().enumerate() {
        if n == LONGEST {
            out.push('…');
            break;
        }
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out.push('`');
    out
}

/// A path, with control characters escaped.
pub(crate) fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    if text.chars().any(char::is_control) { text.escape_debug().to_string() } else { text }
}

/// "`a`, `b` or `c`".
pub(crate) fn one_of<S: AsRef<str>>(words: &[S]) -> String {
    let quoted: Vec<String> = words.iter().map(|w| quote(w.as_ref())).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}

/// The known word that `typed` was most likely meant to be, if one is near enough.
pub(crate) fn nearest<'k, S: AsRef<str>>(typed: &str, known: &'k [S]) -> Option<&'k str> {
    let limit = 1 + typed.chars().count() / 4;
    let folded = typed.to_lowercase().replace('-', "_");
    known
        .iter()
        .map(|k| (distance(&folded, &k.as_ref().to_lowercase().replace('-', "_")), k.as_ref()))
        .min_by_key(|(d, _)| *d)
        .filter(|(d, _)| *d <= limit)
        .map(|(_, k)| k)
}

/// Edit distance in which two swapped neighbours are one edit (the commonest slip of the fingers).
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before_last[j - 2] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_fingers_finds_its_key() {
        let known = ["scope", "namespace", "read_only", "endpoints"];
        assert_eq!(nearest("socpe", &known), Some("scope"));
        assert_eq!(nearest("endpoint", &known), Some("endpoints"));
        assert_eq!(nearest("read-only", &known), Some("read_only"));
        assert_eq!(nearest("colour", &known), None);
    }

    #[test]
    fn quoted_text_cannot_move_the_cursor() {
        assert_eq!(quote("a\x1b[2Jb"), "`a\\u{1b}[2Jb`");
        assert_eq!(quote(&"x".repeat(100)).chars().count(), 63);
    }

    #[test]
    fn words_are_listed_as_prose() {
        assert_eq!(one_of(&["a"]), "`a`");
        assert_eq!(one_of(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
