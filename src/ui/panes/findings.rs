//! The findings, worst first, each with its sentence in full.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::{Facts, PaneModel, RowId, View};
use crate::command::CommandId;
use crate::document::{Document, FindingDoc, Level};
use crate::theme::{Role, sign};
use crate::ui::format::{age, wrap};
use crate::ui::pane::{Ctx, Details, Drawn, Pane, Want};
use crate::ui::widget::{Item, Sheet, list};

/// The pane.
pub(super) struct Findings;

/// Columns before the sentence: mark, sign, since.
const LEAD: u16 = 2 + 2 + 8;

impl PaneModel for Findings {
    fn title(&self) -> &'static str {
        "Findings"
    }

    fn rows(&self, facts: &Facts, view: &View) -> Vec<RowId> {
        facts.document.as_deref().map(|d| shown(d, view).into_iter().map(id).collect()).unwrap_or_default()
    }
}

impl Pane for Findings {
    fn summary(&self, ctx: &Ctx<'_>) -> Vec<Span<'static>> {
        let Some(document) = ctx.document() else { return Vec::new() };
        if document.findings.is_empty() && document.headline.level == Level::Ok {
            return vec![ctx.look.span("none", Role::Ok)];
        }
        let mut spans: Vec<Span<'static>> = Vec::new();
        for level in [Level::Critical, Level::Warning, Level::Unknown] {
            let count = document.findings.iter().filter(|f| f.severity == level).count();
            if count > 0 {
                if !spans.is_empty() {
                    spans.push(ctx.look.span(", ", Role::Muted));
                }
                spans.push(ctx.look.span(format!("{count} {level}"), ctx.look.level(level)));
            }
        }
        spans
    }

    fn want(&self, ctx: &Ctx<'_>, width: u16) -> Want {
        if ctx.document().is_some_and(|d| d.findings.is_empty() && d.headline.level == Level::Ok) {
            return Want { min: 0, ideal: 0, max: 0 };
        }
        let lines: usize = items(ctx, width).iter().map(|item| item.lines.len()).sum();
        let lines = u16::try_from(lines).unwrap_or(u16::MAX).max(1);
        Want { min: lines.min(2), ideal: lines.min(8), max: lines }
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) -> Drawn {
        let Some(document) = ctx.document() else { return Drawn::default() };
        let items = items(ctx, area.width);
        if items.is_empty() {
            let (text, role) = match (document.findings.is_empty(), document.headline.level) {
                (false, _) => ("no finding passes the filter", Role::Muted),
                // The title says that there is none.
                (true, Level::Ok) => return Drawn::default(),
                // Nothing was found because nothing was heard: that is not the same as nothing being wrong.
                (true, _) => ("none so far; not enough is known", Role::Unknown),
            };
            ctx.say(text, role, area, buffer);
            return Drawn::default();
        }
        list(ctx, &items, area, buffer)
    }

    fn details(&self, ctx: &Ctx<'_>, row: &str, width: u16) -> Option<Details> {
        let finding = ctx.document()?.findings.iter().find(|f| id(f) == row)?;
        let mut sheet = Sheet::new(ctx.look, width);
        sheet.text(&finding.sentence, Role::Emphasis);
        sheet.heading("Finding");
        let level = finding.severity;
        sheet.fact("severity", format!("{} {level}", sign(level)), ctx.look.level(level), "");
        if let Some(subject) = &finding.subject {
            sheet.fact("about", subject.clone(), Role::Text, "");
        }
        sheet.fact("seen since", format!("{} ({})", finding.since.clock(), ctx.ago(finding.since)), Role::Text, "");
        sheet.heading("Evidence");
        if finding.evidence.is_empty() {
            sheet.text("none was given", Role::Muted);
        }
        for evidence in &finding.evidence {
            let said = match evidence.age_ms.map(|ms| ctx.aged(ms)) {
                Some(ms) if ms < 1000 => evidence.source.clone(),
                // An error's age is that of the last answer: so long, as the members' pane has it too, nothing good was heard.
                Some(ms) if evidence.what == "error" => format!("{}, no answer for {}", evidence.source, age(ms)),
                Some(ms) => format!("{}, {} ago", evidence.source, age(ms)),
                None => evidence.source.clone(),
            };
            sheet.fact(&evidence.what, evidence.value.clone(), Role::Text, &said);
        }
        if !finding.matters.is_empty() {
            sheet.heading("Why it matters");
            sheet.text(&finding.matters, Role::Text);
        }
        if !finding.next.is_empty() {
            sheet.heading("What to do");
            for (n, step) in finding.next.iter().enumerate() {
                sheet.text(&format!("{}. {step}", n + 1), Role::Text);
            }
        }
        if let Some(runbook) = &finding.runbook {
            sheet.heading("Step by step");
            let key = ctx.look.key(CommandId::Runbooks).map(|key| format!(" ({key} opens it)")).unwrap_or_default();
            sheet.text(&format!("the runbook {runbook}{key}"), Role::Text);
        }
        Some(Details { title: finding.code.clone(), lines: sheet.lines() })
    }
}

fn id(finding: &FindingDoc) -> RowId {
    match &finding.subject {
        Some(subject) => format!("{} {subject}", finding.code),
        None => finding.code.clone(),
    }
}

fn shown<'d>(document: &'d Document, view: &View) -> Vec<&'d FindingDoc> {
    let passes = |f: &&FindingDoc| view.passes([f.code.as_str(), &f.sentence, f.subject.as_deref().unwrap_or_default()]);
    document.findings.iter().filter(passes).collect()
}

fn items(ctx: &Ctx<'_>, width: u16) -> Vec<Item> {
    let Some(document) = ctx.document() else { return Vec::new() };
    let room = usize::from(width.saturating_sub(LEAD + 1)).max(10);
    let item = |finding: &FindingDoc| {
        let role = ctx.look.level(finding.severity);
        let since = age(u64::try_from(ctx.now().since(finding.since).as_millis()).unwrap_or(u64::MAX));
        let lines = wrap(&finding.sentence, room).into_iter().enumerate().map(|(n, text)| {
            let lead = if n == 0 {
                vec![ctx.look.span(sign(finding.severity), role), ctx.look.span(format!(" {since:>6}  "), Role::Muted)]
            } else {
                vec![Span::raw(" ".repeat(usize::from(LEAD - 2)))]
            };
            let mut line = Line::from(lead);
            line.push_span(ctx.look.span(text, Role::Text));
            line
        });
        Item { id: id(finding), lines: lines.collect() }
    };
    shown(document, ctx.view).into_iter().map(item).collect()
}
