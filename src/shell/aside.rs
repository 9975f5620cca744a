//! What the console does beside the picture: it calls, it copies, it changes its looks.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;

use super::attention;
use super::run::Console;
use crate::app::{Copied, Msg, Notice, update};
use crate::document::Level;
use crate::ui::{Look, copied};

/// Whoever was called is not called again that soon: what goes wrong together is one trouble.
const QUIET: Duration = Duration::from_secs(5);

impl<F> Console<F> {
    /// Calls the one who looks elsewhere.
    pub(super) fn call(&mut self, sentence: &str) {
        if self.called.is_some_and(|last| last.elapsed() < QUIET) {
            return;
        }
        self.called = Some(Instant::now());
        self.aside.push_str(&self.attention.call(&self.state.cluster, sentence));
    }

    /// Another theme; the one that is shown stays when there is no such one.
    pub(super) fn wear(&mut self, name: &str) {
        match self.stock.theme(name) {
            Ok((theme, mistakes)) => {
                self.theme = theme;
                for mistake in mistakes {
                    update(&mut self.state, Msg::Notice(Notice { level: Level::Warning, text: mistake.to_string() }));
                }
            }
            Err(why) => drop(update(&mut self.state, Msg::Notice(Notice { level: Level::Warning, text: why.to_string() }))),
        }
    }

    /// Another keymap, and what is to be said of it.
    pub(super) fn take_keys(&mut self, name: &str) {
        let (name, keymap, notices) = self.keys.keymap(Some(name));
        (self.keymap, self.state.keymap) = (keymap, name);
        for text in notices {
            update(&mut self.state, Msg::Notice(Notice { level: Level::Warning, text }));
        }
    }

    /// Writes lines of the logs to a file that was not there, for the one who looks alone, and says where.
    pub(super) fn save_log(&mut self, place: &str, text: &str) {
        let path = at_home(place);
        let written =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        let (level, text) = match written {
            Ok(()) => {
                let place = std::path::absolute(&path).unwrap_or(path);
                (Level::Ok, format!("{} lines saved to {}{}", text.lines().count(), place.display(), self.bare()))
            }
            Err(why) if why.kind() == ErrorKind::AlreadyExists => {
                (Level::Warning, format!("{} is there already and stays as it is; nothing was saved", path.display()))
            }
            Err(why) => (Level::Warning, format!("{} cannot be written: {why}", path.display())),
        };
        update(&mut self.state, Msg::Notice(Notice { level, text }));
    }

    /// What is said of lines that go where nobody masks them again.
    fn bare(&self) -> &'static str {
        if self.state.facts.logs.log().is_unmasked() { ", unmasked: secrets are in it" } else { "" }
    }

    /// Copies to the clipboard of the one who looks, and says what.
    pub(super) fn copy(&mut self, what: &Copied) {
        let look = Look { theme: &self.theme, keymap: &self.keymap, ascii: false };
        let text = copied(&self.state, &look, what).and_then(|text| {
            self.aside.push_str(&attention::copied(&text)?);
            if self.state.facts.logs.log().is_unmasked() {
                // The secret is where it was asked for, and not in one more place.
                return Ok(format!("copied {} lines{}, {}", text.lines().count(), self.bare(), self.clipboard));
            }
            let first = text.lines().next().unwrap_or_default();
            let more = match text.lines().count() {
                0 | 1 => String::new(),
                lines => format!(" and {} lines more", lines - 1),
            };
            Ok(format!("copied \"{first}\"{more}, {}", self.clipboard))
        });
        let text = text.unwrap_or_else(|why| why);
        update(&mut self.state, Msg::Notice(Notice { level: Level::Ok, text }));
    }
}

/// The path that is meant: `~/` is the home of this user, as in a shell.
fn at_home(place: &str) -> PathBuf {
    let home = place.strip_prefix("~/").and_then(|rest| Some(directories::BaseDirs::new()?.home_dir().join(rest)));
    home.unwrap_or_else(|| PathBuf::from(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_home_and_all_else_what_it_says() {
        assert!(at_home("~/x/y.log").is_absolute() && at_home("~/x/y.log").ends_with("x/y.log"));
        assert_eq!(at_home("~x/y.log"), PathBuf::from("~x/y.log"));
        assert_eq!(at_home("/tmp/~/y.log"), PathBuf::from("/tmp/~/y.log"));
    }
}
