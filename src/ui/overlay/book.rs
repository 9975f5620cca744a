//! A runbook: the step, where it stands, what it waits for, what comes next.

use ratatui::text::{Line, Span};

use super::plan;
use crate::app::{Book, CourseSheet};
use crate::command::CommandId;
use crate::condition::live;
use crate::document::{Document, Level};
use crate::model::{Time, clean, washed};
use crate::runbook::{Entry, Kind, Left, Progress, Stage, Step, Task, Values, fill_known, leader, shown, walked};
use crate::theme::{Role, sign};
use crate::ui::format::wrap;
use crate::ui::look::Look;
use crate::ui::pane::Details;

/// How many steps are told that come next, and how many deeds that were done.
const NEXT: usize = 4;
const DONE: usize = 6;
/// How many values of a condition are shown.
const VALUES: usize = 12;

/// Lines that are being collected.
struct Sheet<'l> {
    look: &'l Look<'l>,
    width: usize,
    lines: Vec<Line<'static>>,
}

impl Sheet<'_> {
    fn text(&mut self, indent: usize, text: &str, role: Role) {
        for part in wrap(text, self.width.saturating_sub(indent).max(10)) {
            self.lines.push(Line::from(vec![Span::raw(" ".repeat(indent)), self.look.span(part, role)]));
        }
    }

    /// A text with a sign before it.
    fn signed(&mut self, level: Level, text: &str) {
        let role = self.look.level(level);
        for (n, part) in wrap(text, self.width.saturating_sub(4).max(10)).into_iter().enumerate() {
            let mark = if n == 0 { sign(level) } else { " " };
            self.lines.push(Line::from(vec![Span::raw("  "), self.look.span(mark, role), Span::raw(" "), self.look.span(part, role)]));
        }
    }

    /// Paragraphs, and lists line by line.
    fn prose(&mut self, text: &str) {
        for paragraph in text.split("\n\n").filter(|text| !text.trim().is_empty()) {
            let list = paragraph.trim_start().starts_with("- ");
            match list {
                true => paragraph.lines().for_each(|line| self.text(2, &washed(line), Role::Muted)),
                false => self.text(2, &washed(&paragraph.replace('\n', " ")), Role::Muted),
            }
        }
    }

    fn heading(&mut self, text: &str) {
        self.lines.push(Line::default());
        self.text(0, text, Role::TitleFocus);
    }

    /// `enter shows the plan   s passes it over`, of the commands that have a key.
    fn keys(&mut self, keys: &[(CommandId, &str)]) {
        let mut line = Line::from("  ");
        for (command, what) in keys {
            if let Some(key) = self.look.key(*command) {
                line.extend([self.look.span(key, Role::Key), self.look.span(format!(" {what}   "), Role::Hint)]);
            }
        }
        self.lines.push(Line::default());
        self.lines.push(line);
    }
}

/// The view.
pub(super) fn view(look: &Look<'_>, book: &Book, course: Option<&CourseSheet>, document: &Document, now: Time, width: u16) -> Details {
    let mut sheet = Sheet { look, width: usize::from(width), lines: Vec::new() };
    let progress = &book.progress;
    let run = &progress.run;
    let began = match book.kept {
        true => format!("run {}, begun {} by {}", run.id, run.begun.clock(), clean(&run.by)),
        false => "not begun yet; it is written down from its first step on".to_owned(),
    };
    sheet.text(0, &format!("on {} · danger: {} · {began}", clean(&run.cluster), progress.runbook.front.danger), Role::Muted);
    match &progress.stage {
        Stage::Reading(why) => {
            sheet.signed(Level::Warning, &format!("nothing can be done here: {}", clean(why)));
            read(&mut sheet, progress, Some(why), document);
        }
        Stage::Offered => {
            sheet.keys(&[(CommandId::BookGo, "begins the run"), (CommandId::Back, "leaves it")]);
            read(&mut sheet, progress, None, document);
        }
        _ => {
            step(&mut sheet, progress, document);
            stage(&mut sheet, progress, course, document, now);
            ahead(&mut sheet, progress, document);
            behind(&mut sheet, &run.entries);
        }
    }
    Details { title: plan::capital(&progress.runbook.front.title), lines: sheet.lines }
}

/// The step that is next, with its prose.
fn step(sheet: &mut Sheet<'_>, progress: &Progress, document: &Document) {
    let course = progress.run.course(&progress.runbook);
    let Some((step, each)) = progress.step() else { return };
    let at = course.iter().position(|(other, of)| other.id == step.id && *of == each).unwrap_or_default() + 1;
    let whose = each.as_ref().map(|each| format!(", {}", clean(each))).unwrap_or_default();
    sheet.heading(&format!("[{at}/{}] {}{whose}: {}", course.len(), clean(&step.title), step.id));
    if matches!(progress.stage, Stage::Input(_) | Stage::Gone(_)) {
        return;
    }
    sheet.prose(&step.prose);
    if let Stage::Ahead = progress.stage {
        let values = progress.run.values(&progress.runbook, step, each.as_deref(), leader(document));
        sheet.lines.push(Line::default());
        sheet.text(2, &clean(&told(step, &values)), Role::Text);
    }
}

/// What a step is, in a line.
fn told(step: &Step, values: &Values) -> String {
    match &step.kind {
        Kind::Require { condition, .. } => format!("must hold: {}", shown(condition, values)),
        Kind::Wait { condition, .. } => format!("is waited for: {}", shown(condition, values)),
        Kind::When(condition) => format!("only if it is so: {}", shown(condition, values)),
        Kind::Action(words) => format!("pgbaton {}", fill_known(words, values)),
        Kind::Ask { question, .. } | Kind::Look { question, .. } => fill_known(question, values),
        Kind::Command { command, .. } => format!("to be run: {}", fill_known(command, values)),
        Kind::ForEach(each) => format!("for each of: {}", each.among),
    }
}

/// Where it stands, and what can be done.
fn stage(sheet: &mut Sheet<'_>, progress: &Progress, course: Option<&CourseSheet>, document: &Document, now: Time) {
    use CommandId::{BookAbort, BookAgain, BookGo, BookNo, BookSettled, BookSkip, BookYes};
    sheet.lines.push(Line::default());
    match &progress.stage {
        Stage::Reading(_) | Stage::Offered => {}
        Stage::Input(_) => {
            let Some(input) = progress.input() else { return };
            sheet.text(2, &format!("{}?", input.question), Role::Emphasis);
            for (name, value) in &progress.run.values {
                sheet.text(2, &clean(&format!("{name} = {value}")), Role::Muted);
            }
            sheet.keys(&[(BookGo, "answers")]);
        }
        Stage::Gone(gone) => {
            sheet.text(2, "What held when the run was left holds no longer:", Role::WarningHeadline);
            gone.iter().for_each(|(step, why)| sheet.signed(Level::Warning, &clean(&format!("{step}: {why}"))));
            // What an order was to change is no longer as it was once it has been carried out.
            if let Some(left) = Left::of(&progress.run, &progress.runbook).filter(|left| left.unknown) {
                let leads = document.cluster.leader.as_deref().map_or("nobody leads".to_owned(), |leader| format!("{leader} leads"));
                let text = format!("The order of \"{}\" may have gone out, and this may be what it did: {leads} now.", left.next);
                sheet.text(2, &clean(&text), Role::Text);
            }
            sheet.keys(&[(BookYes, "goes on all the same"), (BookAbort, "ends the run")]);
        }
        Stage::Ahead => sheet.text(2, "asks for the facts as they are now", Role::Muted),
        Stage::Waits { condition, deadline, goes_on, held } => {
            sheet.text(2, &format!("waits for: {}", clean(condition)), Role::Emphasis);
            let then = if *goes_on { "; then the run goes on all the same" } else { "" };
            let (so_far, all) = (progress.elapsed(now).as_secs(), deadline.as_secs());
            sheet.text(2, &format!("{so_far} s of {all} s{then}"), Role::Text);
            match held {
                Ok(_) => sheet.signed(Level::Unknown, "not so yet"),
                Err(why) => sheet.signed(Level::Unknown, &format!("not known yet: {}", clean(why))),
            }
            values(sheet, condition, document);
            sheet.keys(&[(BookSkip, "skips it, with a reason"), (BookAbort, "ends the run")]);
        }
        Stage::Asks(Task::Act(words)) => {
            sheet.text(2, &clean(&format!("pgbaton {}", words.join(" "))), Role::Emphasis);
            sheet.keys(&[(BookGo, "shows the plan"), (BookSkip, "skips it, with a reason"), (BookAbort, "ends the run")]);
        }
        Stage::Asks(Task::Ask { question, .. }) => {
            sheet.text(2, &clean(question), Role::Emphasis);
            sheet.keys(&[(BookGo, "answers"), (BookSkip, "skips it, with a reason"), (BookAbort, "ends the run")]);
        }
        Stage::Asks(Task::Command { on, command }) => {
            sheet.text(2, &clean(&format!("run{}:", on.as_ref().map(|on| format!(" on {on}")).unwrap_or_default())), Role::Text);
            command.lines().for_each(|line| sheet.text(6, &washed(line), Role::Emphasis));
            sheet.text(2, "Is it done, and did it do what it should?", Role::Text);
            sheet.keys(&[(BookYes, "yes"), (BookNo, "no"), (BookSkip, "skips it, with a reason"), (BookAbort, "ends the run")]);
        }
        Stage::Asks(Task::Look { question, wanted }) => {
            sheet.text(2, &clean(question), Role::Emphasis);
            // Whichever it is, the hand must not know it by itself.
            let [yes, no] = if *wanted { ["yes: goes on", "no: stops here"] } else { ["yes: stops here", "no: goes on"] };
            sheet.keys(&[(BookYes, yes), (BookNo, no), (BookSkip, "skips it, with a reason"), (BookAbort, "ends the run")]);
        }
        Stage::Asks(Task::Settled(_) | Task::Wait { .. }) => {}
        Stage::Acts(words) => {
            sheet.text(2, &clean(&format!("pgbaton {}", words.join(" "))), Role::Emphasis);
            if let Some(course) = course.filter(|_| progress.has_begun()) {
                sheet.lines.extend(plan::course(sheet.look, course, Some(document), u16::try_from(sheet.width).unwrap_or(u16::MAX)).lines);
            }
        }
        Stage::Failed { why, unknown } => {
            sheet.signed(if *unknown { Level::Critical } else { Level::Warning }, &clean(why));
            let again = (BookAgain, "takes it again");
            let rest = [(BookSkip, "skips it, with a reason"), (BookAbort, "ends the run")];
            match unknown {
                true => sheet.keys(&[&[(BookSettled, "it was done"), again], &rest[..]].concat()),
                false => sheet.keys(&[&[again], &rest[..]].concat()),
            }
        }
        Stage::Finished => {
            sheet.signed(Level::Ok, "all steps are behind us");
            measured(sheet, progress);
        }
        Stage::Aborted => {
            sheet.signed(Level::Warning, "the run was ended");
            measured(sheet, progress);
        }
    }
}

/// What was measured of the run's actions.
fn measured(sheet: &mut Sheet<'_>, progress: &Progress) {
    progress.run.measured().for_each(|told| sheet.text(4, &clean(told), Role::Text));
}

/// The values that a condition rests on, as they are now.
fn values(sheet: &mut Sheet<'_>, condition: &str, document: &Document) {
    let all = live(condition, document);
    for (name, value) in all.iter().take(VALUES) {
        sheet
            .lines
            .push(Line::from(vec![sheet.look.span(format!("    {name:<34} "), Role::Muted), sheet.look.span(value.clone(), Role::Text)]));
    }
    if all.len() > VALUES {
        sheet.text(4, &format!("{} more", all.len() - VALUES), Role::Muted);
    }
}

/// What comes after the step.
fn ahead(sheet: &mut Sheet<'_>, progress: &Progress, document: &Document) {
    let course = progress.run.course(&progress.runbook);
    let Some((step, each)) = progress.step() else { return };
    let at = course.iter().position(|(other, of)| other.id == step.id && *of == each).unwrap_or_default();
    let rest = course.get(at + 1..).unwrap_or_default();
    if rest.is_empty() {
        return;
    }
    sheet.heading("Next");
    for (step, each) in rest.iter().take(NEXT) {
        let whose = each.as_ref().map(|each| format!(", {}", clean(each))).unwrap_or_default();
        let values = progress.run.values(&progress.runbook, step, each.as_deref(), leader(document));
        sheet.text(2, &clean(&format!("{}{whose}: {}", step.title, told(step, &values))), Role::Muted);
    }
}

/// What was done last, the newest first.
fn behind(sheet: &mut Sheet<'_>, entries: &[Entry]) {
    if entries.is_empty() {
        return;
    }
    sheet.heading("Done so far");
    for entry in entries.iter().rev().take(DONE) {
        let word: &'static str = (&entry.deed).into();
        let what = entry.deed.text();
        let of = [entry.step.as_deref(), entry.each.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        sheet.text(2, &clean(&format!("{}  {word} {of}  {what}", entry.at.clock())), Role::Muted);
    }
}

/// The whole of it, for one who reads: what it says of itself, each condition as it is now; if nothing can be done, and so `why`, each action greyed.
fn read(sheet: &mut Sheet<'_>, progress: &Progress, why: Option<&str>, document: &Document) {
    let Progress { runbook, run, .. } = progress;
    sheet.lines.push(Line::default());
    let front = &runbook.front;
    if !front.findings.is_empty() {
        sheet.text(2, &clean(&format!("answers: {}", front.findings.join(", "))), Role::Text);
    }
    for input in &front.inputs {
        let known = run.values.get(&input.name).map(|value| format!(" {value}, by what was found"));
        sheet.text(2, &clean(&format!("asks first: {}?{}", input.question, known.unwrap_or_default())), Role::Text);
    }
    if !runbook.intro.is_empty() {
        sheet.lines.push(Line::default());
    }
    sheet.prose(&runbook.intro);
    let count = runbook.steps.len();
    let mut told = None;
    for (n, step) in runbook.steps.iter().enumerate() {
        sheet.heading(&format!("[{}/{count}] {}: {}", n + 1, clean(&step.title), step.id));
        // Some steps share the prose before the first of them.
        if told != Some(&step.prose) {
            sheet.prose(&step.prose);
            told = Some(&step.prose);
        }
        let values = run.values(runbook, step, None, leader(document));
        let greyed = why.filter(|_| matches!(step.kind, Kind::Action(_)));
        let role = if greyed.is_some() { Role::Muted } else { Role::Text };
        walked(step, &values, document).lines().for_each(|line| sheet.text(2, &clean(line), role));
        if let Some(why) = greyed {
            sheet.text(2, &clean(&format!("not here: {why}")), Role::Muted);
        }
    }
}
