//! How meanings look: roles, the files that give them styles, what a terminal can show.
//!
//! The rest of the program names a [`Role`], never a colour. Every sign differs by shape as well as by colour.

mod builtin;
mod color;
mod glyphs;
mod load;
mod role;
mod terminal;

pub use builtin::BUILTIN;
pub use color::{Depth, Paint, rgb_of};
pub use glyphs::{ascii, sign};
pub use load::{Library, UnknownTheme};
pub use role::Role;
pub use terminal::{depth_of, light_ground_of, utf8_of};

use ratatui::style::{Color, Style};

/// A style for every role, as the terminal can show it.
#[derive(Debug, Clone)]
pub struct Theme {
    name: String,
    styles: Vec<Style>,
    screen: Screen,
    depth: Depth,
}

/// The colours of a terminal that the theme was made for; only pictures of a screen need them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// What is written in the terminal's own colour.
    pub foreground: (u8, u8, u8),
    /// What it is written on.
    pub background: (u8, u8, u8),
}

impl Theme {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How a role looks.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// The terminal's colours that it was made for.
    pub fn screen(&self) -> Screen {
        self.screen
    }

    /// The role with its colour taken from `paint`, the mark of one cluster among several.
    pub fn tint(&mut self, role: Role, paint: Paint) {
        if let Some(color) = paint.at(self.depth) {
            let style = self.style(role);
            let style = if style.bg.is_some_and(|bg| bg != Color::Reset) { style.bg(color) } else { style.fg(color) };
            if let Some(slot) = self.styles.get_mut(role as usize) {
                *slot = style;
            }
        }
    }
}

#[cfg(test)]
mod contrast_tests;
