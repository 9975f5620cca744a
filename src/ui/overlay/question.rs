//! A text that is needed before there can be a plan.

use ratatui::text::Line;

use super::plan::key;
use crate::app::{Editor, Question, Wanted};
use crate::command::CommandId;
use crate::model::{Time, spoken};
use crate::theme::Role;
use crate::ui::format::wrap;
use crate::ui::look::Look;
use crate::ui::pane::Details;
use crate::ui::widget::typed_lines;

/// The question, what was typed, and what that is understood as.
pub(super) fn question(look: &Look<'_>, editor: &Editor, question: &Question, now: Option<Time>, width: u16) -> Details {
    let width = usize::from(width);
    let what = match question.asked.command {
        CommandId::SwitchoverAt => "Switchover at a time".to_owned(),
        CommandId::RestartAt => "Restart at a time".to_owned(),
        CommandId::DemoteCluster => "Standby of another cluster".to_owned(),
        CommandId::BookGo => "Runbook".to_owned(),
        other => super::plan::capital(other.command().title),
    };
    let of = question.asked.member.as_ref().map(|member| format!(" · {member}")).unwrap_or_default();
    let head = match question.wanted {
        Wanted::Text => question.words.as_str(),
        Wanted::Source => "Which cluster is it to follow? A host, or host:port.",
        Wanted::Reason => "Why? For the audit; it may be empty.",
        Wanted::Reminder => "Remind after: 30min, 2h, 1d. Empty: no reminder.",
        Wanted::Time => {
            "When? 03:00 is the next time that it is so late here; 2026-11-24 03:00 is meant here as well; or with a zone, as 2026-11-24 03:00+00:00."
        }
    };
    let mut lines: Vec<Line<'static>> = wrap(head, width).into_iter().map(|part| Line::from(look.span(part, Role::Text))).collect();
    lines.push(Line::default());
    lines.extend(typed_lines(look, editor, &question.typed, width));
    lines.push(Line::default());
    let understood = match (question.wanted, now) {
        (Wanted::Time, Some(now)) if !question.typed.trim().is_empty() => Some(match Time::typed(&question.typed, now) {
            Ok(at) => (format!("{}, here {}, in {}", at.minute(), at.minute_here(), spoken(at.since(now))), Role::Ok),
            Err(why) => (why, Role::Warning),
        }),
        _ => None,
    };
    if let Some((text, role)) = understood {
        lines.extend(wrap(&text, width).into_iter().map(|part| Line::from(look.span(part, role))));
        lines.push(Line::default());
    }
    let (accept, discard) = (key(look, CommandId::Accept), key(look, CommandId::Discard));
    let hint = match question.wanted {
        Wanted::Text if question.typed.is_empty() => format!("{discard} cancels"),
        Wanted::Text | Wanted::Reason => format!("{accept} goes on, {discard} cancels"),
        Wanted::Time | Wanted::Source if question.typed.is_empty() => format!("{accept} or {discard} cancels"),
        _ => format!("{accept} shows the plan, {discard} cancels"),
    };
    lines.push(Line::from(look.span(hint, Role::Muted)));
    Details { title: format!("{what}{of}"), lines }
}
