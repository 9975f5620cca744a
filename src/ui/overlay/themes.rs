//! The themes of which one is to be chosen, or the keymaps. The list stands aside, so that the panes are seen in the one that is selected.

use ratatui::text::{Line, Span};

use crate::app::{Choosing, Looks};
use crate::document::Level;
use crate::theme::{Role, sign};
use crate::ui::format::display_width;
use crate::ui::look::Look;
use crate::ui::pane::Details;

/// Columns of the list, with its frame.
pub(super) const WIDTH: u16 = 38;
/// Lines below the names.
const BELOW: usize = 3;

/// As many names as fit, the selected one among them, and what the signs look like.
pub(super) fn themes(look: &Look<'_>, themes: &Looks, page: u16) -> Details {
    let room = usize::from(page).saturating_sub(BELOW).max(1);
    let first = themes.selected.saturating_sub(room / 2).min(themes.names.len().saturating_sub(room));
    let widest = themes.names.iter().map(|name| display_width(name)).max().unwrap_or(0);
    let mut lines: Vec<Line<'static>> = Vec::new();
    for (n, name) in themes.names.iter().enumerate().skip(first).take(room) {
        let (mark, role) = if n == themes.selected { ("▸ ", Role::Emphasis) } else { ("  ", Role::Text) };
        let was = if *name == themes.before { "as it was" } else { "" };
        let pad = " ".repeat(widest.saturating_sub(display_width(name)) + 2);
        lines.push(Line::from(vec![
            look.span(mark, Role::Key),
            look.span(name.clone(), role),
            Span::raw(pad),
            look.span(was, Role::Muted),
        ]));
    }
    lines.push(Line::default());
    if themes.of == Choosing::Keymap {
        lines.push(Line::from(look.span("enter takes it, esc leaves it", Role::Muted)));
        return Details { title: "Keymap".to_owned(), lines };
    }
    let levels = [(Level::Ok, "good"), (Level::Warning, "warning"), (Level::Critical, "broken")];
    lines.push(Line::from_iter(levels.map(|(level, word)| look.span(format!("{} {word}  ", sign(level)), look.level(level)))));
    lines.push(Line::from(look.span("enter keeps it, esc takes it back", Role::Muted)));
    Details { title: "Theme".to_owned(), lines }
}
