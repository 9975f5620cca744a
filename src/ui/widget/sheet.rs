//! A sheet of facts: what, its value, who said it, how old that is.

use ratatui::text::{Line, Span};

use crate::theme::Role;
use crate::ui::format::{display_width, wrap};
use crate::ui::look::Look;

/// Columns of the name of a fact.
const NAME: usize = 20;

/// Columns that a value has at least, if it needs them.
const ROOM: usize = 28;

/// Collects the lines of a sheet.
pub(in crate::ui) struct Sheet<'a> {
    look: Look<'a>,
    width: usize,
    lines: Vec<Line<'static>>,
}

impl<'a> Sheet<'a> {
    /// An empty sheet of this width.
    pub(in crate::ui) fn new(look: Look<'a>, width: u16) -> Self {
        Self { look, width: usize::from(width).max(NAME + 8), lines: Vec::new() }
    }

    /// A heading, with an empty line before it.
    pub(in crate::ui) fn heading(&mut self, text: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.lines.push(Line::from(self.look.span(text.to_owned(), Role::TitleFocus)));
    }

    /// A fact: the value is wrapped, who said it and how old it is stand at the right.
    pub(in crate::ui) fn fact(&mut self, name: &str, value: impl Into<String>, role: Role, said: &str) {
        let value = value.into();
        if display_width(name) >= NAME {
            // It has a line of its own: cut, it could be another's name.
            self.lines.extend(wrap(name, self.width).into_iter().map(|part| Line::from(self.look.span(part, Role::Muted))));
            return self.fact("", value, role, said);
        }
        let said_width = display_width(said);
        let room = self.width.saturating_sub(NAME + 2 + said_width);
        let wanted = display_width(&value);
        let alone = wanted > room && wanted <= self.width.saturating_sub(NAME);
        if !said.is_empty() && (alone || room < wanted.min(ROOM)) {
            // Beside it the value would lose its last word, or be a column of syllables.
            self.fact(name, value, role, "");
            for part in wrap(said, self.width.saturating_sub(NAME)) {
                let pad = self.width.saturating_sub(display_width(&part));
                self.lines.push(Line::from(vec![Span::raw(" ".repeat(pad)), self.look.span(part, Role::Muted)]));
            }
            return;
        }
        for (n, part) in wrap(&value, room.max(8)).into_iter().enumerate() {
            let name = if n == 0 { name } else { "" };
            let pad = NAME.saturating_sub(display_width(name));
            let mut spans = vec![self.look.span(format!("{name}{}", " ".repeat(pad)), Role::Muted)];
            let gap = self.width.saturating_sub(NAME + display_width(&part) + said_width);
            spans.push(self.look.span(part, role));
            if n == 0 && !said.is_empty() {
                spans.extend([Span::raw(" ".repeat(gap.max(1))), self.look.span(said.to_owned(), Role::Muted)]);
            }
            self.lines.push(Line::from(spans));
        }
    }

    /// Free text, wrapped.
    pub(in crate::ui) fn text(&mut self, text: &str, role: Role) {
        for part in wrap(text, self.width) {
            self.lines.push(Line::from(self.look.span(part, role)));
        }
    }

    /// The lines.
    pub(in crate::ui) fn lines(self) -> Vec<Line<'static>> {
        self.lines
    }
}
