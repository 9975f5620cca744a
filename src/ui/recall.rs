//! What recalls a run that waits for somebody to go on with it.

use ratatui::text::Span;

use super::look::Look;
use crate::app::{Recalled, State, leads_to_runs, recalled};
use crate::command::CommandId;
use crate::theme::Role;
use crate::ui::format::age;

/// The run in a sentence, in fewer words, and in very few.
pub(super) fn told(state: &State) -> Option<[String; 3]> {
    let Recalled { run, here, more } = recalled(state)?;
    let (at, of) = run.step;
    // No colour alone says that.
    let (unknown, sign) = if run.unknown { (", outcome not known", " (?)") } else { ("", "") };
    let more = if more > 0 { format!(", {more} more left") } else { String::new() };
    let title = &run.title;
    if here {
        let short = |what: &str| format!("{what} at {at}/{of}{sign}");
        return Some([format!("run \"{title}\" is at step {at} of {of}{unknown}{more}"), short(&format!("run \"{title}\"")), short("run")]);
    }
    let ms = state.now.map(|now| u64::try_from(now.since(run.since).as_millis()).unwrap_or(u64::MAX));
    let ago = match ms.map(age) {
        Some(age) if age == "now" => ", just now".to_owned(),
        Some(age) => format!(", {age} ago"),
        None => String::new(),
    };
    Some([
        format!("run \"{title}\" was left at step {at} of {of}{ago}{unknown}{more}"),
        format!("run \"{title}\" left at {at}/{of}{ago}{sign}"),
        format!("run left at {at}/{of}{sign}"),
    ])
}

/// The same behind the key that leads to it, if it does from here.
pub(super) fn recall(state: &State, look: &Look<'_>) -> Option<[Vec<Span<'static>>; 3]> {
    let key = look.key(CommandId::Runbooks).filter(|_| leads_to_runs(state));
    let role = if recalled(state)?.run.unknown { Role::Warning } else { Role::Text };
    let spans = |text: String| {
        let mut spans: Vec<Span<'static>> = key.iter().map(|key| look.span(format!("{key} "), Role::Key)).collect();
        spans.push(look.span(text, role));
        spans
    };
    told(state).map(|texts| texts.map(spans))
}
