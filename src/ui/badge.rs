//! The mark of a cluster among several: its environment and its colour.

use ratatui::style::Modifier;
use ratatui::text::Span;

use super::look::Look;
use crate::app::State;
use crate::theme::Role;

/// ` PROD ` and a space; nothing when the configuration gives no label. It is a word, so that it does not hang on a colour.
pub(super) fn badge(state: &State, look: &Look<'_>) -> Vec<Span<'static>> {
    let Some(label) = &state.label else { return Vec::new() };
    let style = look.style(Role::Cluster).add_modifier(Modifier::REVERSED | Modifier::BOLD);
    vec![Span::styled(format!(" {label} "), style), Span::raw(" ")]
}
