//! What would hurt in a failover, as the doctor said when it was asked last; what is not known, and what holds. It has the screen when it has the focus,
//! and no place beside the others: nothing of it is newer than the question.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::{Examination, Facts, PaneModel, RowId, View};
use crate::command::CommandId;
use crate::doctor::{HarmDoc, HeldDoc, OpenDoc, Report, Severity};
use crate::document::{EvidenceDoc, Level};
use crate::model::clean;
use crate::theme::{Role, sign};
use crate::ui::format::{age, wrap};
use crate::ui::pane::{Ctx, Details, Drawn, Pane, Want};
use crate::ui::widget::{Item, Sheet, list};

/// The pane.
pub(super) struct Doctor;

/// Columns before the sentence: mark, sign, word.
const LEAD: usize = 2 + 2 + 11;

/// A report that is older is drawn as old.
const OLD_MS: u64 = 60_000;

/// One answer of the report.
#[derive(Clone, Copy)]
enum Said<'r> {
    Hurts(&'r HarmDoc),
    NotKnown(&'r OpenDoc),
    Holds(&'r HeldDoc),
    DoesNotApply(&'r OpenDoc),
}

impl PaneModel for Doctor {
    fn title(&self) -> &'static str {
        "Doctor"
    }

    fn rows(&self, facts: &Facts, view: &View) -> Vec<RowId> {
        shown(facts, view).into_iter().map(|(id, _)| id).collect()
    }

    fn alone(&self) -> bool {
        true
    }

    fn examines(&self) -> bool {
        true
    }
}

impl Pane for Doctor {
    fn summary(&self, ctx: &Ctx<'_>) -> Vec<Span<'static>> {
        let asking = ctx.facts.doctor.asking.then(|| ctx.look.span("being asked", Role::Muted));
        asking.into_iter().collect()
    }

    fn want(&self, _: &Ctx<'_>, _width: u16) -> Want {
        Want { min: 1, ideal: 10, max: u16::MAX }
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) -> Drawn {
        let mut y = area.y;
        let width = usize::from(area.width.saturating_sub(3)).max(10);
        for (text, role) in head(ctx, &ctx.facts.doctor) {
            for line in wrap(&text, width) {
                if y < area.bottom() {
                    buffer.set_stringn(area.x.saturating_add(2), y, line, width, ctx.look.style(role));
                    y += 1;
                }
            }
        }
        let Some(report) = &ctx.facts.doctor.report else { return Drawn::default() };
        let below = Rect { y: (y + 1).min(area.bottom()), height: area.bottom().saturating_sub(y + 1), ..area };
        let room = usize::from(area.width).saturating_sub(LEAD + 1).max(10);
        let items: Vec<Item> = shown(ctx.facts, ctx.view).into_iter().map(|(id, said)| item(ctx, id, said, room)).collect();
        if items.is_empty() {
            let text = if said(report).is_empty() { "nothing could be looked at" } else { "nothing passes the filter" };
            ctx.say(text, Role::Muted, below, buffer);
            return Drawn::default();
        }
        list(ctx, &items, below, buffer)
    }

    fn details(&self, ctx: &Ctx<'_>, row: &str, width: u16) -> Option<Details> {
        let report = ctx.facts.doctor.report.as_deref()?;
        let (_, said) = said(report).into_iter().find(|(id, _)| id == row)?;
        let mut sheet = Sheet::new(ctx.look, width);
        sheet.text(&said.sentence(), Role::Emphasis);
        sheet.heading("Judgement");
        let (mark, word, role) = said.told();
        let what = if matches!(said, Said::Hurts(_)) { "severity" } else { "answer" };
        sheet.fact(what, format!("{mark} {word}").trim().to_owned(), role, "");
        if let Some(subject) = said.subject() {
            sheet.fact("about", subject, Role::Text, "");
        }
        sheet.fact("asked", report.at.to_string(), Role::Text, &format!("{} ago", ctx.ago(report.at)));
        sheet.heading("Evidence");
        if said.evidence().is_empty() {
            sheet.text("none was given", Role::Muted);
        }
        for evidence in said.evidence() {
            let source = clean(&evidence.source);
            let old = evidence.age_ms.map(|ms| ms.saturating_add(since(ctx, report)));
            let told = match old {
                None => format!("{source}, age not known"),
                Some(0..1000) => source,
                Some(ms) => format!("{source}, {} ago", age(ms)),
            };
            sheet.fact(&clean(&evidence.what), clean(&evidence.value), Role::Text, &told);
        }
        if let Said::Hurts(harm) = said {
            if !harm.change.is_empty() {
                sheet.heading("Line to change");
            }
            for change in &harm.change {
                sheet.text(&clean(&change.place), Role::Muted);
                sheet.text(&format!("    {}", clean(&change.line)), Role::Text);
            }
            sheet.heading("Why it matters");
            sheet.text(&harm.why, Role::Text);
            // A line to change says more than the steps that lead to it.
            if harm.change.is_empty() && !harm.next.is_empty() {
                sheet.heading("What to do");
                harm.next.iter().enumerate().for_each(|(n, step)| sheet.text(&format!("{}. {}", n + 1, clean(step)), Role::Text));
            }
            if let Some(code) = harm.finding.as_ref().filter(|code| **code != harm.code) {
                sheet.heading("Finding");
                sheet.text(code, Role::Text);
            }
        }
        Some(Details { title: said.code().to_owned(), lines: sheet.lines() })
    }
}

/// Milliseconds since the report.
fn since(ctx: &Ctx<'_>, report: &Report) -> u64 {
    u64::try_from(ctx.now().since(report.at).as_millis()).unwrap_or(u64::MAX)
}

/// What stands over the rows: the score with its age, why there is no newer one, and the key that asks.
fn head(ctx: &Ctx<'_>, doctor: &Examination) -> Vec<(String, Role)> {
    let mut head = Vec::new();
    if let Some(report) = doctor.report.as_deref() {
        let old = since(ctx, report) > OLD_MS;
        let score = report.score.map_or("no score: nothing could be judged".to_owned(), |score| format!("score {score} of 100"));
        let open = report.not_known.len();
        let text = format!(
            "{}{score}; {} would hurt, {open} not known, {} hold; asked {} ago",
            if old { "◐ " } else { "" },
            report.hurts.len(),
            report.holds.len(),
            ctx.ago(report.at)
        );
        let level = match report.worst() {
            Some(Severity::Critical) => Level::Critical,
            Some(Severity::Warning) => Level::Warning,
            _ if open > 0 || report.score.is_none() => Level::Unknown,
            Some(Severity::Note) | None => Level::Ok,
        };
        head.push((text, if old { Role::Stale } else { ctx.look.verdict(level) }));
    }
    if let Some(why) = &doctor.failed {
        head.push((format!("asked in vain: {why}"), Role::Warning));
    }
    let key = ctx.look.key(CommandId::Doctor).map(|key| format!("{key} asks anew")).unwrap_or_default();
    head.push(match (doctor.asking, doctor.report.is_some() || doctor.failed.is_some()) {
        (true, _) => ("being asked: all sources, each PostgreSQL, and with a table [ssh] the nodes".to_owned(), Role::Muted),
        (false, true) => (key, Role::Muted),
        (false, false) => ("not asked yet".to_owned(), Role::Unknown),
    });
    head.retain(|(text, _)| !text.is_empty());
    head
}

impl<'r> Said<'r> {
    fn code(self) -> &'r str {
        match self {
            Said::Hurts(harm) => &harm.code,
            Said::NotKnown(open) | Said::DoesNotApply(open) => &open.code,
            Said::Holds(held) => &held.code,
        }
    }

    fn subject(self) -> Option<String> {
        let subject = match self {
            Said::Hurts(harm) => &harm.subject,
            Said::NotKnown(open) | Said::DoesNotApply(open) => &open.subject,
            Said::Holds(held) => &held.subject,
        };
        subject.as_deref().map(clean)
    }

    fn sentence(self) -> String {
        clean(match self {
            Said::Hurts(harm) => &harm.sentence,
            Said::NotKnown(open) | Said::DoesNotApply(open) => &open.because,
            Said::Holds(held) => &held.sentence,
        })
    }

    fn evidence(self) -> &'r [EvidenceDoc] {
        match self {
            Said::Hurts(harm) => &harm.evidence,
            Said::NotKnown(open) | Said::DoesNotApply(open) => &open.evidence,
            Said::Holds(held) => &held.evidence,
        }
    }

    /// Its sign, its word, and their role.
    fn told(self) -> (&'static str, &'static str, Role) {
        match self {
            Said::Hurts(harm) => match harm.severity {
                Severity::Critical => (sign(Level::Critical), "critical", Role::Critical),
                Severity::Warning => (sign(Level::Warning), "warning", Role::Warning),
                Severity::Note => ("○", "note", Role::Text),
            },
            Said::NotKnown(_) => (sign(Level::Unknown), "not known", Role::Unknown),
            Said::Holds(_) => (sign(Level::Ok), "holds", Role::Ok),
            Said::DoesNotApply(_) => (" ", "not here", Role::Muted),
        }
    }
}

/// All of the report, what would hurt first, each with what tells it from all others.
fn said(report: &Report) -> Vec<(RowId, Said<'_>)> {
    let hurts = report.hurts.iter().map(Said::Hurts);
    let open = report.not_known.iter().map(Said::NotKnown);
    let holds = report.holds.iter().map(Said::Holds);
    let moot = report.does_not_apply.iter().map(Said::DoesNotApply);
    let mut all: Vec<(RowId, Said<'_>)> = Vec::new();
    for said in hurts.chain(open).chain(holds).chain(moot) {
        let name = said.subject().map_or_else(|| said.code().to_owned(), |subject| format!("{} {subject}", said.code()));
        // A judgement can say more than one thing of one subject.
        let same = |id: &str| id == name || id.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with(" ("));
        let id = match all.iter().filter(|(id, _)| same(id)).count() {
            0 => name,
            before => format!("{name} ({})", before + 1),
        };
        all.push((id, said));
    }
    all
}

/// Those that pass the filter.
fn shown<'f>(facts: &'f Facts, view: &View) -> Vec<(RowId, Said<'f>)> {
    let mut all = facts.doctor.report.as_deref().map(said).unwrap_or_default();
    all.retain(|(id, said)| view.passes([id.as_str(), said.told().1, said.sentence().as_str()]));
    all
}

fn item(ctx: &Ctx<'_>, id: RowId, said: Said<'_>, room: usize) -> Item {
    let (mark, word, role) = said.told();
    let name = said.subject().map_or(Cow::Borrowed(said.code()), |subject| format!("{} {subject}", said.code()).into());
    let text = if matches!(said, Said::Holds(_) | Said::DoesNotApply(_)) { Role::Muted } else { Role::Text };
    let lines = wrap(&format!("{name}: {}", said.sentence()), room).into_iter().enumerate().map(|(n, part)| {
        let mut line = match n {
            0 => Line::from(ctx.look.span(format!("{mark} {word:<11}"), role)),
            _ => Line::from(" ".repeat(LEAD - 2)),
        };
        line.push_span(ctx.look.span(part, text));
        line
    });
    Item { id, lines: lines.collect() }
}
