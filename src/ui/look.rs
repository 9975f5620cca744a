//! What a picture is drawn with.

use ratatui::style::Style;
use ratatui::text::Span;

use crate::command::{CommandId, Keymap};
use crate::document::Level;
use crate::theme::{Role, Theme};

/// What a picture is drawn with.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The styles.
    pub theme: &'a Theme,
    /// The keys, for the help and the last line.
    pub keymap: &'a Keymap,
    /// Whether only ASCII may be drawn.
    pub ascii: bool,
}

impl Look<'_> {
    /// How a role looks.
    pub fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }

    /// Text in a role.
    pub fn span(&self, text: impl Into<String>, role: Role) -> Span<'static> {
        Span::styled(text.into(), self.style(role))
    }

    /// The role of something of this level.
    pub fn level(&self, level: Level) -> Role {
        match level {
            Level::Ok => Role::Ok,
            Level::Unknown => Role::Unknown,
            Level::Warning => Role::Warning,
            Level::Critical => Role::Critical,
        }
    }

    /// The role of a verdict of this level.
    pub fn verdict(&self, level: Level) -> Role {
        match level {
            Level::Ok => Role::OkHeadline,
            Level::Unknown => Role::UnknownHeadline,
            Level::Warning => Role::WarningHeadline,
            Level::Critical => Role::CriticalHeadline,
        }
    }

    /// The first key of a command, if it has one.
    pub fn key(&self, command: CommandId) -> Option<String> {
        self.keymap.keys_of(command).into_iter().next()
    }
}
