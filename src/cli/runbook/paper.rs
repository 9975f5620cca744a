//! Markdown on a terminal: prose as wide as that is, everything else as it stands.

use std::io::IsTerminal;

use crate::model::washed;
use crate::ui::format::wrap;

/// The widest prose that is easy to read.
const WIDEST: usize = 100;

/// Columns of the terminal; `None` where there is none.
pub(super) fn columns() -> Option<usize> {
    let terminal = std::io::stdout().is_terminal();
    terminal.then(crossterm::terminal::size).and_then(Result::ok).map(|(columns, _)| usize::from(columns).max(20))
}

/// The lines of a text, its paragraphs wrapped to so many columns.
pub(super) fn lines(text: &str, columns: Option<usize>) -> Vec<String> {
    let Some(columns) = columns else { return text.lines().map(washed).collect() };
    let width = columns.min(WIDEST);
    let (mut lines, mut paragraph) = (Vec::new(), String::new());
    let (mut fenced, mut matter) = (false, false);
    for (n, line) in text.lines().enumerate() {
        let rule = line.trim_end() == "---" && (n == 0 || matter);
        let fence = line.trim_start().starts_with("```");
        let list = line.starts_with("- ");
        if fenced || matter || rule || fence || list || line.trim().is_empty() || line.starts_with(['#', '|', '>']) {
            flush(&mut paragraph, width, &mut lines);
        }
        match (rule, fence) {
            (true, _) => matter = !matter,
            (_, true) => fenced = !fenced,
            _ if fenced || matter || line.trim().is_empty() || line.starts_with(['#', '|', '>']) => {}
            _ => {
                if !paragraph.is_empty() {
                    paragraph.push(' ');
                }
                paragraph.push_str(line.trim());
                continue;
            }
        }
        lines.push(washed(line));
    }
    flush(&mut paragraph, width, &mut lines);
    lines
}

/// Ends a paragraph; what follows the first line of an item of a list stands below its words.
fn flush(paragraph: &mut String, width: usize, lines: &mut Vec<String>) {
    let text = std::mem::take(paragraph);
    if text.is_empty() {
        return;
    }
    let hang = if text.starts_with("- ") { "  " } else { "" };
    let parts = wrap(&washed(&text), width.saturating_sub(hang.len()));
    lines.extend(parts.into_iter().enumerate().map(|(n, part)| if n == 0 { part } else { format!("{hang}{part}") }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_as_wide_as_the_terminal_and_nothing_else_is_touched() {
        let text = "---\ntitle: one two three four\n---\n\n# A title that is long\n\none two three\nfour five six seven\n- an item of many words\n\n```sh\nrun a long command\n```\n";
        let told = lines(text, Some(20));
        let wanted = [
            "---",
            "title: one two three four",
            "---",
            "",
            "# A title that is long",
            "",
            "one two three four",
            "five six seven",
            "- an item of many",
            "  words",
            "",
            "```sh",
            "run a long command",
            "```",
        ];
        assert_eq!(told, wanted);
        assert_eq!(lines(text, None), text.lines().collect::<Vec<_>>());
    }
}
