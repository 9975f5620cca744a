//! Theme files to themes.

use std::collections::BTreeMap;
use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use strum::IntoEnumIterator;

use super::{BUILTIN, Depth, Paint, Role, Screen, Theme};
use crate::userfile::{Entry, Mistake, Reader, Value, nearest};

/// The themes there are: the built-in ones, and a user's own over them.
#[derive(Debug, Clone)]
pub struct Library {
    files: BTreeMap<String, (String, String)>,
}

/// A theme that is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no theme \"{name}\"{near}; there are {known}")]
pub struct UnknownTheme {
    name: String,
    /// The one that may have been meant.
    near: String,
    known: String,
}

impl Default for Library {
    fn default() -> Self {
        let files = BUILTIN.iter().map(|(name, text)| ((*name).to_owned(), (format!("themes/{name}.toml"), (*text).to_owned())));
        Self { files: files.collect() }
    }
}

impl Library {
    /// Adds a user's theme; one of the same name is replaced.
    pub fn add(&mut self, name: impl Into<String>, path: impl Into<String>, text: impl Into<String>) {
        self.files.insert(name.into(), (path.into(), text.into()));
    }

    /// The names of all themes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// The names of all themes, each with its file; of a built-in one its place in the source.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(name, (path, _))| (name.as_str(), path.as_str()))
    }

    /// The theme of this name for a terminal of this depth, and the mistakes in its files. A wrong entry is left out; the others count.
    ///
    /// Without colours it is always the theme `mono`, whatever was asked for, because a theme of colours would lose its meanings.
    pub fn theme(&self, name: &str, depth: Depth) -> Result<(Theme, Vec<Mistake>), UnknownTheme> {
        if !self.files.contains_key(name) {
            let known = self.names().collect::<Vec<_>>().join(", ");
            let near = nearest(name, self.names()).map(|near| format!(" (did you mean \"{near}\"?)")).unwrap_or_default();
            return Err(UnknownTheme { name: crate::model::clean(name), near, known });
        }
        let mut mistakes = Vec::new();
        let mut sheet = self.sheet(name, &mut mistakes);
        if depth == Depth::Mono && name != "mono" {
            sheet = self.sheet("mono", &mut Vec::new());
        }
        Ok((sheet.theme(name, depth), mistakes))
    }

    /// A theme with what it inherits below it. The palettes come first, so that a heir's colours reach the roles it inherits.
    fn sheet(&self, name: &str, mistakes: &mut Vec<Mistake>) -> Sheet {
        let mut sheet = Sheet::default();
        let line = self.line(name, mistakes);
        for sections in [&["palette"][..], &["screen", "roles"][..]] {
            for (path, text, entries) in line.iter().rev() {
                let mut reader = Reader::at(path, text);
                for section in sections {
                    for entry in entries.iter().filter(|e| e.key == *section) {
                        match &entry.value {
                            Value::Table(table) => sheet.section(&mut reader, section, table),
                            other => reader.mistake(entry.value_at, format!("expected a table, found {}", other.kind()), None),
                        }
                    }
                }
                mistakes.extend(reader.finish());
            }
        }
        sheet
    }

    /// The file, and those it inherits from, as parsed.
    fn line(&self, name: &str, mistakes: &mut Vec<Mistake>) -> Vec<(&str, &str, Vec<Entry>)> {
        let mut line = Vec::new();
        let mut seen = Vec::new();
        let mut next = Some(name.to_owned());
        while let Some(name) = next.take() {
            let Some((path, text)) = self.files.get(&name) else { break };
            seen.push(name);
            let (mut reader, entries) = Reader::parse(path, text);
            for entry in &entries {
                match (entry.key.as_str(), &entry.value) {
                    ("palette" | "screen" | "roles", _) => {}
                    ("inherits", Value::Text(parent)) if seen.contains(parent) => {
                        reader.mistake(entry.value_at, format!("\"{parent}\" inherits from itself"), None);
                    }
                    ("inherits", Value::Text(parent)) if self.files.contains_key(parent) => next = Some(parent.clone()),
                    ("inherits", Value::Text(parent)) => {
                        let known = self.names().collect::<Vec<_>>().join(", ");
                        reader.mistake(entry.value_at, format!("there is no theme \"{parent}\""), Some(format!("there are {known}")));
                    }
                    ("inherits", other) => {
                        reader.mistake(entry.value_at, format!("expected the name of a theme, found {}", other.kind()), None);
                    }
                    (key, _) => {
                        let hint = "a theme has inherits, [palette], [roles], [screen]".to_owned();
                        reader.mistake(entry.key_at, format!("unknown key `{key}`"), Some(hint));
                    }
                }
            }
            mistakes.extend(reader.finish());
            line.push((path.as_str(), text.as_str(), entries));
        }
        line
    }
}

/// What the files say, before the terminal is known.
#[derive(Debug, Default)]
struct Sheet {
    palette: BTreeMap<String, Paint>,
    roles: BTreeMap<&'static str, Look>,
    screen: BTreeMap<String, (u8, u8, u8)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Look {
    fg: Option<Paint>,
    bg: Option<Paint>,
    modifiers: Modifier,
}

impl Sheet {
    fn section(&mut self, reader: &mut Reader<'_>, section: &str, table: &[Entry]) {
        for entry in table {
            match section {
                "palette" => {
                    if let Some(paint) = palette_entry(reader, entry) {
                        self.palette.insert(entry.key.clone(), paint);
                    }
                }
                "screen" => self.screen_entry(reader, entry),
                _ => self.role_entry(reader, "", entry),
            }
        }
    }

    fn screen_entry(&mut self, reader: &mut Reader<'_>, entry: &Entry) {
        if !["foreground", "background"].contains(&entry.key.as_str()) {
            let hint = "[screen] has foreground and background".to_owned();
            return reader.mistake(entry.key_at, format!("unknown key `{}`", entry.key), Some(hint));
        }
        match &entry.value {
            Value::Text(text) => match Paint::parse(text).and_then(|paint| paint.at(Depth::TrueColor)) {
                Some(Color::Rgb(r, g, b)) => {
                    self.screen.insert(entry.key.clone(), (r, g, b));
                }
                _ => reader.mistake(entry.value_at, format!("\"{text}\" is no #rrggbb"), None),
            },
            other => reader.mistake(entry.value_at, format!("expected a string, found {}", other.kind()), None),
        }
    }

    /// `border.focus = …` is, in TOML, the key `focus` of a table `border`; both ways of writing it mean the role.
    fn role_entry(&mut self, reader: &mut Reader<'_>, outer: &str, entry: &Entry) {
        let name = if outer.is_empty() { entry.key.clone() } else { format!("{outer}.{}", entry.key) };
        let role = Role::from_str(&name);
        if let Value::Table(fields) = &entry.value {
            let (look, nested): (Vec<&Entry>, Vec<&Entry>) = fields.iter().partition(|field| LOOK_KEYS.contains(&field.key.as_str()));
            for inner in nested {
                self.role_entry(reader, &name, inner);
            }
            if look.is_empty() {
                return;
            }
            match role {
                Ok(role) => {
                    let mut style = Look::default();
                    for field in look {
                        self.look_entry(reader, field, &mut style);
                    }
                    self.roles.insert(role.into(), style);
                }
                Err(_) => unknown_role(reader, entry, &name),
            }
            return;
        }
        match (role, &entry.value) {
            (Err(_), _) => unknown_role(reader, entry, &name),
            (Ok(role), Value::Text(color)) => {
                if let Some(paint) = self.color(reader, entry.value_at, color) {
                    self.roles.insert(role.into(), Look { fg: Some(paint), ..Look::default() });
                }
            }
            (Ok(_), other) => {
                let hint = "a role is a colour, or { fg, bg, bold, dim, italic, underline, reverse }".to_owned();
                reader.mistake(entry.value_at, format!("expected a colour, found {}", other.kind()), Some(hint));
            }
        }
    }

    fn look_entry(&self, reader: &mut Reader<'_>, field: &Entry, look: &mut Look) {
        match (field.key.as_str(), &field.value) {
            ("fg", Value::Text(color)) => look.fg = self.color(reader, field.value_at, color),
            ("bg", Value::Text(color)) => look.bg = self.color(reader, field.value_at, color),
            ("fg" | "bg", other) => reader.mistake(field.value_at, format!("expected a colour, found {}", other.kind()), None),
            (name, Value::Bool(yes)) => look.modifiers.set(modifier(name), *yes),
            (_, other) => reader.mistake(field.value_at, format!("expected true or false, found {}", other.kind()), None),
        }
    }

    fn color(&self, reader: &mut Reader<'_>, at: usize, text: &str) -> Option<Paint> {
        let paint = self.palette.get(text).copied().or_else(|| Paint::parse(text));
        if paint.is_none() {
            let hint = match nearest(text, self.palette.keys().map(String::as_str)) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("{}, or a name of the palette", Paint::allowed()),
            };
            reader.mistake(at, format!("\"{text}\" is no colour"), Some(hint));
        }
        paint
    }

    fn theme(&self, name: &str, depth: Depth) -> Theme {
        let styles = Role::iter().map(|role| {
            let mut name: &str = role.into();
            let look = loop {
                match (self.roles.get(name), Role::parent(name)) {
                    (Some(look), _) => break *look,
                    (None, Some(parent)) => name = parent,
                    (None, None) => break Look::default(),
                }
            };
            let mut style = Style::new().add_modifier(look.modifiers);
            style.fg = look.fg.and_then(|paint| paint.at(depth));
            style.bg = look.bg.and_then(|paint| paint.at(depth));
            style
        });
        let screen = |key: &str, default| self.screen.get(key).copied().unwrap_or(default);
        Theme {
            name: name.to_owned(),
            styles: styles.collect(),
            screen: Screen { foreground: screen("foreground", (0xd8, 0xde, 0xe6)), background: screen("background", (0x12, 0x15, 0x1a)) },
            depth,
        }
    }
}

const LOOK_KEYS: [&str; 7] = ["fg", "bg", "bold", "dim", "italic", "underline", "reverse"];

fn modifier(name: &str) -> Modifier {
    match name {
        "bold" => Modifier::BOLD,
        "dim" => Modifier::DIM,
        "italic" => Modifier::ITALIC,
        "underline" => Modifier::UNDERLINED,
        "reverse" => Modifier::REVERSED,
        _ => Modifier::empty(),
    }
}

fn unknown_role(reader: &mut Reader<'_>, entry: &Entry, name: &str) {
    let hint = match nearest(name, Role::iter().map(Into::into)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let names: Vec<&'static str> = Role::iter().map(Into::into).collect();
            format!("the roles are {}", names.join(", "))
        }
    };
    reader.mistake(entry.key_at, format!("unknown role `{name}`"), Some(hint));
}

fn palette_entry(reader: &mut Reader<'_>, entry: &Entry) -> Option<Paint> {
    let read = |reader: &mut Reader<'_>, at: usize, value: &Value| match value {
        Value::Text(text) => {
            let paint = Paint::parse(text);
            if paint.is_none() {
                reader.mistake(at, format!("\"{text}\" is no colour"), Some(Paint::allowed()));
            }
            paint
        }
        other => {
            reader.mistake(at, format!("expected a colour, found {}", other.kind()), None);
            None
        }
    };
    let Value::Table(fields) = &entry.value else { return read(reader, entry.value_at, &entry.value) };
    let (mut exact, mut ansi) = (None, None);
    for field in fields {
        match field.key.as_str() {
            "rgb" => exact = read(reader, field.value_at, &field.value),
            "ansi" => ansi = read(reader, field.value_at, &field.value),
            other => reader.mistake(field.key_at, format!("unknown key `{other}`"), Some("a colour has rgb and ansi".to_owned())),
        }
    }
    match (exact, ansi.and_then(|paint| paint.at(Depth::TrueColor))) {
        (Some(exact), Some(ansi)) => Some(exact.with_sixteen(ansi)),
        (exact, _) => exact,
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
