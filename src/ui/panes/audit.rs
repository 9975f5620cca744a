//! What was done from this machine, the newest first. It has the screen when it has the focus, and no place beside the others.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::action::Outcome;
use crate::app::{Audited, Facts, PaneModel, RowId, View};
use crate::theme::Role;
use crate::ui::format::wrap;
use crate::ui::pane::{Ctx, Details, Drawn, Pane, Want};
use crate::ui::widget::{Item, Sheet, list};

/// The pane.
pub(super) struct Audit;

/// Columns before the sentence: mark, time, outcome.
const LEAD: usize = 2 + 18 + 9;

impl PaneModel for Audit {
    fn title(&self) -> &'static str {
        "Audit"
    }

    fn rows(&self, facts: &Facts, view: &View) -> Vec<RowId> {
        shown(facts, view).into_iter().map(|action| action.id.clone()).collect()
    }

    fn alone(&self) -> bool {
        true
    }
}

impl Pane for Audit {
    fn summary(&self, ctx: &Ctx<'_>) -> Vec<Span<'static>> {
        let text = match &ctx.facts.audit {
            // Of the others `pgbaton audit --all` tells.
            Ok(actions) => {
                let cluster = ctx.document().map_or(ctx.state.cluster.as_str(), |document| document.cluster.name.as_str());
                format!("{} on {cluster} from this machine", actions.len())
            }
            Err(_) => "cannot be read".to_owned(),
        };
        vec![ctx.look.span(text, Role::Muted)]
    }

    fn want(&self, _: &Ctx<'_>, _width: u16) -> Want {
        Want { min: 1, ideal: 10, max: u16::MAX }
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) -> Drawn {
        if let Err(why) = &ctx.facts.audit {
            ctx.say(why, Role::Warning, area, buffer);
            return Drawn::default();
        }
        let room = usize::from(area.width).saturating_sub(LEAD + 1).max(10);
        let items: Vec<Item> = shown(ctx.facts, ctx.view).into_iter().map(|action| item(ctx, action, room)).collect();
        if items.is_empty() {
            let filtered = ctx.facts.audit.as_ref().is_ok_and(|actions| !actions.is_empty());
            ctx.say(
                if filtered { "no action passes the filter" } else { "nothing was done to this cluster from here" },
                Role::Muted,
                area,
                buffer,
            );
            return Drawn::default();
        }
        list(ctx, &items, area, buffer)
    }

    fn details(&self, ctx: &Ctx<'_>, row: &str, width: u16) -> Option<Details> {
        let action = ctx.facts.audit.as_ref().ok()?.iter().find(|action| action.id == row)?;
        let mut sheet = Sheet::new(ctx.look, width);
        let (outcome, role) = told(action);
        sheet.text(&action.sentence, Role::Emphasis);
        sheet.text(&format!("{outcome}: {}", sentence(action)), role);
        sheet.heading("Action");
        sheet.fact("at", action.at.to_string(), Role::Text, &format!("{} ago", ctx.ago(action.at)));
        sheet.fact("by", action.who.clone(), Role::Text, "");
        for (name, text) in &action.details {
            sheet.fact(name, text.clone(), Role::Text, "");
        }
        Some(Details { title: "Audit".to_owned(), lines: sheet.lines() })
    }
}

/// The actions that pass the filter, the newest first.
fn shown<'f>(facts: &'f Facts, view: &View) -> Vec<&'f Audited> {
    let all = facts.audit.as_ref().map(Vec::as_slice).unwrap_or_default().iter().rev();
    all.filter(|action| view.passes([action.sentence.as_str(), &action.who, told(action).0.as_str(), sentence(action)])).collect()
}

fn told(action: &Audited) -> (String, Role) {
    match &action.outcome {
        None => ("no end".to_owned(), Role::Unknown),
        Some((outcome, _)) => {
            let role = match outcome {
                Outcome::Done => Role::Ok,
                Outcome::Refused | Outcome::Failed => Role::Warning,
                Outcome::Unknown => Role::Critical,
            };
            (outcome.to_string(), role)
        }
    }
}

fn sentence(action: &Audited) -> &str {
    action.outcome.as_ref().map_or("it is under way, or what became of it is not known", |(_, sentence)| sentence)
}

fn item(ctx: &Ctx<'_>, action: &Audited, room: usize) -> Item {
    let (outcome, role) = told(action);
    let time = format!("{} {}", action.at.day(), action.at.clock());
    let text = format!("{}, by {}", action.sentence, action.who);
    let lines = wrap(&text, room).into_iter().enumerate().map(|(n, text)| {
        let mut line = match n {
            0 => Line::from(vec![ctx.look.span(format!("{time:<16}  "), Role::Muted), ctx.look.span(format!("{outcome:<9}"), role)]),
            _ => Line::from(" ".repeat(LEAD - 2)),
        };
        line.push_span(ctx.look.span(text, Role::Text));
        line
    });
    Item { id: action.id.clone(), lines: lines.collect() }
}
