//! `[console]` of pgbaton.toml: how the console looks and how it calls.

use super::diagnostic::{Diagnostic, nearest, one_of, quote};
use super::draft::ConsoleDraft;
use super::origin::Setting;
use super::pgbaton_toml::Reader;
use super::section::Section;

/// The arrangements of the panes.
pub const LAYOUTS: [&str; 4] = ["stacked", "paired", "wide", "beside"];
/// When the terminal's bell rings, and when the window has a title.
pub const WHEN: [&str; 3] = ["local", "always", "never"];
/// When and in whose words the desktop is notified.
pub const NOTIFY: [&str; 4] = ["local", "never", "osc9", "osc777"];

impl Reader<'_> {
    /// The table `console`; nothing is otherwise than usual when there is none.
    pub fn console(&mut self, top: &Section<'_>) -> ConsoleDraft {
        let Some(section) = top.table("console", self.out) else { return ConsoleDraft::default() };
        section.only(&["theme", "layout", "bell", "notify", "title"], self.out);
        ConsoleDraft {
            theme: section.text("theme", self.out),
            layout: self.word(&section, "layout", &LAYOUTS),
            bell: self.word(&section, "bell", &WHEN),
            notify: self.word(&section, "notify", &NOTIFY),
            title: self.word(&section, "title", &WHEN),
        }
    }

    /// What the cluster's environment is called, beside its name: short, so that it never takes the name's place.
    pub fn label(&mut self, table: &Section<'_>) -> Option<Setting<String>> {
        const MOST: usize = 12;
        let label = table.text("label", self.out)?;
        if label.value.chars().count() > MOST || label.value.chars().any(char::is_control) {
            let message = format!("{} is no label", quote(&label.value));
            self.out.push(Diagnostic::new(label.origin, message).hint(format!("a label is a word as PROD, of {MOST} characters at most")));
            return None;
        }
        Some(label)
    }

    /// One of these words.
    pub fn word(&mut self, section: &Section<'_>, key: &str, allowed: &[&str]) -> Option<Setting<String>> {
        let word = section.text(key, self.out)?;
        if allowed.contains(&word.value.as_str()) {
            return Some(word);
        }
        let hint = match nearest(&word.value, allowed) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it is one of {}", one_of(allowed)),
        };
        self.out.push(Diagnostic::new(word.origin, format!("{} cannot be {}", quote(&section.path(key)), quote(&word.value))).hint(hint));
        None
    }
}
