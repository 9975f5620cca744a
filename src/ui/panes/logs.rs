//! What all nodes say, in the order in which it was written. It has the screen when it has the focus, and no place beside the others.

use std::collections::BTreeMap;
use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::{Facts, PaneModel, Reading, RowId, View, key_of};
use crate::command::{CommandId, Scope};
use crate::log::{Entry, Key, Kind, Program, Severity, Trouble, ahead_told};
use crate::theme::Role;
use crate::ui::format::{cut_end, display_width};
use crate::ui::pane::{Ctx, Details, Drawn, Pane, Want};
use crate::ui::widget::{Sheet, mark};

/// The pane.
pub(super) struct Logs;

/// Columns from which on a time has its milliseconds.
const FINE: u16 = 100;
/// The widest name of a node that is not cut.
const NODE: usize = 12;

/// The signs of nodes and their roles, in turn; they differ by shape, not only by colour.
const SIGNS: [(&str, Role); 6] =
    [("■", Role::Node1), ("◆", Role::Node2), ("▼", Role::Node3), ("□", Role::Node4), ("◇", Role::Node5), ("▽", Role::Node6)];

impl PaneModel for Logs {
    fn title(&self) -> &'static str {
        "Logs"
    }

    fn scopes(&self) -> &'static [Scope] {
        &[Scope::Logs, Scope::List, Scope::Global]
    }

    /// None: there are too many to be listed for each key. `app` goes through them by itself.
    fn rows(&self, _: &Facts, _: &View) -> Vec<RowId> {
        Vec::new()
    }

    fn alone(&self) -> bool {
        true
    }

    fn newest_first(&self) -> bool {
        true
    }
}

impl Pane for Logs {
    fn summary(&self, ctx: &Ctx<'_>) -> Vec<Span<'static>> {
        let logs = &ctx.facts.logs;
        let log = logs.log();
        let mut parts: Vec<(String, Role)> = Vec::new();
        if log.is_empty() && !log.is_unmasked() {
            return Vec::new();
        }
        if log.is_unmasked() {
            parts.push(("unmasked".to_owned(), Role::Critical));
        }
        match logs.fresh() {
            _ if logs.follows() => parts.push(("following".to_owned(), Role::Ok)),
            0 => parts.push(("paused".to_owned(), Role::Warning)),
            n => parts.push((format!("paused, {n} new below"), Role::Warning)),
        }
        let narrow = &logs.narrow;
        let only = [narrow.node.clone(), narrow.program.map(|program| program.to_string()), narrow.least.map(|least| format!("{least}+"))];
        parts.extend(only.into_iter().flatten().map(|text| (text, Role::Match)));
        match log.shown() == log.len() {
            true => parts.push((format!("{} messages", log.len()), Role::Muted)),
            false => parts.push((format!("{} of {} messages", log.shown(), log.len()), Role::Muted)),
        }
        let dropped = log.dropped();
        if dropped.lines > 0 {
            parts.push((format!("{} older lines let go", dropped.lines), Role::Warning));
        }
        if dropped.unread > 0 {
            parts.push((format!("{} never read", dropped.unread), Role::Warning));
        }
        let mut spans = Vec::new();
        for (text, role) in parts {
            if !spans.is_empty() {
                spans.push(ctx.look.span(" · ", Role::Border));
            }
            spans.push(ctx.look.span(text, role));
        }
        spans
    }

    fn want(&self, _: &Ctx<'_>, _width: u16) -> Want {
        Want { min: 1, ideal: 20, max: u16::MAX }
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) -> Drawn {
        let logs = &ctx.facts.logs;
        let mut area = area;
        for (text, role) in words(ctx) {
            if area.height < 2 {
                break;
            }
            let width = usize::from(area.width.saturating_sub(2));
            buffer.set_stringn(area.x.saturating_add(2), area.y, cut_end(&text, width), width, ctx.look.style(role));
            area = Rect { y: area.y + 1, height: area.height - 1, ..area };
        }
        let page = logs.page(usize::from(area.height));
        if page.is_empty() {
            let (text, role) = match &logs.reading {
                Reading::Refused(why) => (why.as_str(), Role::Warning),
                Reading::Idle => ("the logs are read from when this pane is opened", Role::Muted),
                Reading::Begun if logs.log().is_empty() => ("the nodes are asked over ssh; nothing was heard yet", Role::Muted),
                Reading::Begun => ("no line passes the filter", Role::Muted),
            };
            ctx.say(text, role, area, buffer);
            return Drawn { page: area.height, hidden: 0 };
        }
        let columns = Columns::of(ctx, area.width);
        let here = logs.here().map(|(key, _)| key);
        for (y, (key, entry)) in (area.y..area.bottom()).zip(page) {
            let line = columns.line(ctx, key, &logs.log().seen(entry), area.width);
            buffer.set_line(area.x.saturating_add(2), y, &line, area.width.saturating_sub(2));
            if ctx.focused && here == Some(key) {
                mark(ctx, Rect { y, height: 1, ..area }, buffer);
            }
        }
        Drawn { page: area.height, hidden: 0 }
    }

    fn details(&self, ctx: &Ctx<'_>, row: &str, width: u16) -> Option<Details> {
        let key = key_of(row)?;
        let log = ctx.facts.logs.log();
        let entry = log.seen(log.get(key)?);
        let mut sheet = Sheet::new(ctx.look, width);
        sheet.text(&entry.text, Role::Emphasis);
        for part in &entry.more {
            match part.label {
                "" => sheet.text(&part.text, Role::Text),
                label => sheet.fact(label, part.text.clone(), Role::Text, ""),
            }
        }
        if entry.cut > 0 {
            sheet.text(&format!("{} bytes of it were not kept", entry.cut), Role::Warning);
        }
        if let Some(known) = entry.known() {
            sheet.heading("What it says");
            sheet.text(known.what, Role::Text);
            sheet.heading("Why");
            sheet.text(known.why, Role::Text);
            sheet.heading("What next");
            sheet.text(known.next, Role::Text);
            if let Some(code) = known.finding {
                sheet.fact("finding", code, Role::Text, if raised(ctx, code) { "raised now" } else { "not raised now" });
            }
        }
        sheet.heading("Line");
        let (node, program) = (&entry.stream.node, entry.stream.program);
        sheet.fact("of", format!("{program} on {node}"), Role::Text, "");
        if !entry.origin.is_empty() {
            sheet.fact("by", entry.origin.clone(), Role::Text, "");
        }
        let (told, role) = level(entry.level);
        sheet.fact("level", told, role, "");
        match entry.guessed {
            true => sheet.fact("written", "it tells no moment; after the line before, or when it was heard", Role::Unknown, ""),
            false => sheet.fact("written at", entry.at.to_string(), Role::Text, &format!("by the clock of {node}")),
        }
        if entry.when != entry.at {
            let ahead = ahead_told(entry.at.as_micros().saturating_sub(entry.when.as_micros())).unwrap_or_default();
            sheet.fact("by our clock", entry.when.to_string(), Role::Text, &ahead);
        }
        sheet.fact("heard at", entry.heard.to_string(), Role::Text, &format!("{} ago", ctx.ago(entry.heard)));
        if let Some(again) = entry.again {
            sheet.fact("said again", format!("{} times in all, the last at {}", again.times, again.last.fine_clock()), Role::Text, "");
        }
        let file = log.streams().find(|(stream, _)| **stream == *entry.stream).and_then(|(_, file)| file);
        if let Some(file) = file {
            sheet.fact("in", file, Role::Text, "");
        }
        Some(Details { title: format!("{node} {program}"), lines: sheet.lines() })
    }
}

/// What stands over the lines: that secrets are shown, what is wrong with the filter, clocks that are not right.
fn words(ctx: &Ctx<'_>) -> Vec<(String, Role)> {
    let logs = &ctx.facts.logs;
    let mut words = Vec::new();
    if logs.log().is_unmasked() {
        let key = ctx.look.keymap.key_in(CommandId::LogUnmask, &[Scope::Logs]);
        let masks = key
            .map(|key| format!("{key} masks them, and so does leaving the pane"))
            .unwrap_or_else(|| "leaving the pane masks them".to_owned());
        words.push((format!("secrets are shown, and are in what is copied and saved; {masks}"), Role::Critical));
    }
    if let Some(why) = &logs.wrong {
        words.push((format!("the filter does not count: {why}"), Role::Warning));
    }
    words.extend(not_read(ctx).map(|told| (told, Role::Warning)));
    let clocks =
        nodes(ctx).into_iter().filter_map(|node| Some(format!("{node}'s clock is {}", ahead_told(logs.log().clocks().ahead(node))?)));
    let clocks: Vec<String> = clocks.collect();
    if !clocks.is_empty() {
        words.push((format!("{}: reckoned with in the order", clocks.join(", ")), Role::Muted));
    }
    words
}

/// What is not read, since when, and when that is tried again: `psg1 patroni, etcd refused 12 s ago; tried again in 8 s`.
fn not_read(ctx: &Ctx<'_>) -> Option<String> {
    let mut nodes: BTreeMap<(&str, bool), (Vec<&str>, Trouble)> = BTreeMap::new();
    for (stream, trouble) in ctx.facts.logs.log().troubles().iter() {
        let (programs, all) = nodes.entry((stream.node.as_str(), trouble.refused)).or_insert((Vec::new(), trouble));
        programs.push(stream.program.name());
        (all.tried, all.next) = (all.tried.max(trouble.tried), [all.next, trouble.next].into_iter().flatten().min());
    }
    let told = nodes.into_iter().map(|((node, _), (programs, Trouble { refused, tried, next }))| {
        let what = if refused { "refused" } else { "not read," };
        let again = match next {
            Some(next) if next > ctx.now() => format!("; tried again {}", ctx.until(next)),
            Some(_) => "; being tried again".to_owned(),
            None => String::new(),
        };
        let when = if refused { "" } else { "tried " };
        format!("{node} {} {what} {when}{} ago{again}", programs.join(", "), ctx.ago(tried))
    });
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| told.join(" · "))
}

/// The nodes that were heard of, each once.
fn nodes<'c>(ctx: &Ctx<'c>) -> Vec<&'c str> {
    let mut nodes: Vec<&str> = ctx.facts.logs.log().streams().map(|(stream, _)| stream.node.as_str()).collect();
    nodes.dedup();
    nodes
}

fn raised(ctx: &Ctx<'_>, code: &str) -> bool {
    ctx.document().is_some_and(|document| document.findings.iter().any(|finding| finding.code == code))
}

fn level(level: Severity) -> (String, Role) {
    let role = match level {
        Severity::Debug => Role::Muted,
        Severity::Unknown => Role::Unknown,
        Severity::Info => Role::Text,
        Severity::Warning => Role::Warning,
        Severity::Error | Severity::Fatal => Role::Critical,
    };
    let told = if level == Severity::Unknown { "it tells none".to_owned() } else { level.to_string() };
    (told, role)
}

/// Four letters of a program.
fn short(program: Program) -> &'static str {
    match program {
        Program::Patroni => "patr",
        Program::Postgres => "pg  ",
        Program::Etcd => "etcd",
        Program::Haproxy => "hapr",
    }
}

/// What stands where in a line.
struct Columns<'c> {
    /// The nodes in the order of their signs.
    nodes: Vec<&'c str>,
    node: usize,
    fine: bool,
}

impl<'c> Columns<'c> {
    fn of(ctx: &Ctx<'c>, width: u16) -> Self {
        let nodes = nodes(ctx);
        let node = nodes.iter().map(|node| display_width(node)).max().unwrap_or(0).min(NODE);
        Self { nodes, node, fine: width >= FINE }
    }

    fn line(&self, ctx: &Ctx<'_>, key: Key, entry: &Entry, width: u16) -> Line<'static> {
        let look = &ctx.look;
        let logs = &ctx.facts.logs;
        let node = entry.stream.node.as_str();
        let place = self.nodes.iter().position(|known| *known == node).unwrap_or(0);
        let (sign, of_node) = SIGNS[place % SIGNS.len()];
        let time = if self.fine { entry.when.fine_clock() } else { entry.when.clock() };
        let name = cut_end(node, self.node);
        let pad = self.node.saturating_sub(display_width(&name));
        let (_, role) = level(entry.level);
        let mut spans = vec![
            // A blank in the looks of a mark would show their ground.
            if logs.marks.contains(&key) { look.span("┃", Role::Match) } else { Span::raw(" ") },
            look.span(if entry.guessed { "~" } else { " " }, Role::Muted),
            look.span(time, Role::Muted),
            look.span(format!(" {sign} {name}{}", " ".repeat(pad)), of_node),
            look.span(format!(" {} ", short(entry.stream.program)), Role::Muted),
            look.span(if entry.level == Severity::Info { "  ".to_owned() } else { format!("{} ", entry.level.sign()) }, role),
        ];
        let used: usize = spans.iter().map(|span| display_width(&span.content)).sum();
        let tail = tail(entry);
        let room = usize::from(width.saturating_sub(2)).saturating_sub(used + display_width(&tail));
        let text = cut_end(&entry.text, room);
        let text_role = match entry.kind {
            // A complaint is none the less for being repeated.
            Kind::Line if entry.again.is_some() && entry.level <= Severity::Info => Role::Muted,
            Kind::Line if entry.level == Severity::Unknown => Role::Text,
            Kind::Line => role,
            Kind::Gap | Kind::Failed | Kind::Note => Role::Stale,
            Kind::Rotated => Role::Muted,
        };
        let places = logs.search.as_ref().map(|search| search.places(&text)).unwrap_or_default();
        for (part, lit) in parts(&text, &places) {
            spans.push(look.span(part.to_owned(), if lit { Role::Match } else { text_role }));
        }
        spans.push(look.span(tail, Role::Hint));
        Line::from(spans)
    }
}

/// How often it was said, and how much belongs to it.
fn tail(entry: &Entry) -> String {
    let again = entry.again.map(|again| format!(" x {} until {}", again.times, again.last.clock())).unwrap_or_default();
    let more = match entry.more.len() {
        0 => String::new(),
        n => format!(" +{n}"),
    };
    // That all is well needs no explanation that is pointed at.
    let known = if !entry.is_heartbeat() && entry.known().is_some() { " ?" } else { "" };
    format!("{again}{more}{known}")
}

/// A text in parts, those that are lit up among them.
fn parts<'t>(text: &'t str, places: &[Range<usize>]) -> Vec<(&'t str, bool)> {
    let mut parts = Vec::new();
    let mut at = 0;
    for place in places {
        parts.push((&text[at..place.start], false));
        parts.push((&text[place.clone()], true));
        at = place.end;
    }
    parts.push((&text[at..], false));
    parts
}

/// The keys that help in the logs.
pub(in crate::ui) const HINTS: &[(&[CommandId], &str)] = &[
    (&[CommandId::Help], "help"),
    (&[CommandId::LogFollow], "follow"),
    (&[CommandId::Open], "explain"),
    (&[CommandId::LogSearch], "search"),
    (&[CommandId::Filter], "filter"),
    (&[CommandId::LogNode], "this node"),
    (&[CommandId::LogLevel], "level"),
    (&[CommandId::LogTime], "time"),
    (&[CommandId::Leave], "quit"),
];
