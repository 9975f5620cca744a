//! The first lines: who leads, how bad it is, and the facts behind that.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::fact::{Fact, facts, forecast, forecast_in_short};
use super::format::{cut_end, cut_middle, display_width, since, wrap};
use super::look::Look;
use super::pane::Ctx;
use crate::app::{Mode, State};
use crate::document::{Document, Level};
use crate::theme::{Role, sign};

/// Most lines that a verdict takes, and a critical one where the screen is [`TALL`]: what it says last, what was written on both sides and where
/// clients write, counts as much as how it begins.
const VERDICT_LINES: usize = 2;
const CRITICAL_LINES: usize = 3;

/// From this height on, the forecast has room of its own while all is well.
const TALL: u16 = 20;

/// From this height on, a forecast that does not fit into the first line goes on in a second one, and a warning may take as much as what is
/// critical.
const ROOMY: u16 = 30;

/// From this width on, the forecast stands in the first line.
const FORECAST_FROM: u16 = 110;
/// Columns between who leads and the forecast.
const FORECAST_GAP: usize = 3;
/// Columns of `if psg1 died now: psg2 or psg3, under 64 kB lost`.
const FORECAST_ROOM: usize = 48;
/// With fewer columns left in the first line, all of it stands in the second one.
const FORECAST_LEAST: usize = 24;

/// Draws the headline; tells how many lines it took.
pub(super) fn draw(state: &State, look: &Look<'_>, area: Rect, buffer: &mut Buffer) -> u16 {
    let Some(ctx) = Ctx::of(state, look, 0) else { return 0 };
    let (told, used) = identity(&ctx, area, buffer);
    let rest = Rect { y: area.y + used, height: area.height.saturating_sub(used), ..area };
    match ctx.document() {
        Some(document) => used + verdict(&ctx, document, !told, rest, buffer),
        None => {
            let line = Line::from(vec![look.span(" ○ ", Role::Muted), look.span("nothing is known yet", Role::Muted)]);
            buffer.set_line(rest.x, rest.y, &line, rest.width);
            used + 1
        }
    }
}

/// `pgbaton  card-prod   psg1 leads · timeline 7 · 3 d 04 h            READ-ONLY  03:12:44`
/// Tells whether the forecast had room in it, and how many lines that took.
fn identity(ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) -> (bool, u16) {
    let look = ctx.look;
    let clock = ctx.state.now.map(|now| now.clock()).unwrap_or_default();
    let (mode, role) = match &ctx.state.mode {
        Mode::ReadOnly(_) => ("READ-ONLY".to_owned(), Role::Mode),
        Mode::Operator => (" OPERATOR ".to_owned(), Role::ModeOperator),
    };
    let mut right: Vec<Span<'static>> = Vec::new();
    if ctx.document().is_some_and(|d| d.cluster.paused == Some(true)) {
        right.push(look.span(" PAUSED ", Role::WarningHeadline));
        right.push(Span::raw("  "));
    }
    right.extend([look.span(mode, role), Span::raw("  "), look.span(clock, Role::Clock), Span::raw(" ")]);
    let right_width = width_of(&right);
    let room = usize::from(area.width).saturating_sub(right_width + 1);

    let name = ctx.document().map_or(ctx.state.cluster.as_str(), |d| d.cluster.name.as_str());
    // By the width alone: what is said below must not change its place with the length of a sentence.
    let told = ctx.document().filter(|_| area.width >= FORECAST_FROM).map(forecast);
    let mut left = vec![look.span(" pgbaton  ", Role::Program)];
    left.extend(super::badge::badge(ctx.state, &look));
    left.extend([look.span(cut_middle(name, 28), Role::Cluster), Span::raw("   ")]);
    if let Some(document) = ctx.document() {
        let (text, role) = leads(document);
        left.push(look.span(cut_middle(text, 40), role));
        // The less telling parts come last and go first. Room for the longest usual forecast is kept, so that they do not come and go with it.
        let kept = told.as_ref().map_or(0, |fact| FORECAST_GAP + display_width(&fact.long).max(FORECAST_ROOM));
        for part in [timeline(document), reign(ctx, document)].into_iter().flatten() {
            let spans = [look.span(" · ", Role::Muted), part];
            if width_of(&left) + width_of(&spans) + kept <= room {
                left.extend(spans);
            }
        }
    }
    let mut below = None;
    if let Some((fact, document)) = told.as_ref().zip(ctx.document()) {
        let begin = width_of(&left) + FORECAST_GAP;
        let first = room.saturating_sub(begin);
        let x = if first < FORECAST_LEAST { 3 } else { begin };
        let second = (area.height >= ROOMY).then(|| usize::from(area.width).saturating_sub(x + 1));
        let (text, rest) = in_two(&fact.long, &forecast_in_short(document), first, second);
        left.extend([Span::raw(" ".repeat(FORECAST_GAP)), look.span(text, fact.role)]);
        below = rest.map(|rest| (x, look.span(rest, fact.role)));
    }
    if width_of(&left) > room {
        left.remove(0);
        left.insert(0, Span::raw(" "));
    }
    buffer.set_line(area.x, area.y, &Line::from(left), u16::try_from(room).unwrap_or(u16::MAX));
    let x = area.right().saturating_sub(u16::try_from(right_width).unwrap_or(u16::MAX)).max(area.x);
    buffer.set_line(x, area.y, &Line::from(right), area.right() - x);
    let Some((x, span)) = below else { return (told.is_some(), 1) };
    let x = area.x.saturating_add(u16::try_from(x).unwrap_or(u16::MAX)).min(area.right());
    buffer.set_line(x, area.y + 1, &Line::from(span), area.right() - x);
    (true, 2)
}

/// A sentence in what is left of the first line, and in a second one where there is room for that. What fits into neither is told in fewer
/// words, and what is cut even so ends with a mark, behind a whole word: its beginning is what matters most.
fn in_two(long: &str, short: &str, first: usize, second: Option<usize>) -> (String, Option<String>) {
    if let Some(whole) = [long, short].into_iter().find(|text| display_width(text) <= first && (second.is_none() || *text == long)) {
        return (whole.to_owned(), None);
    }
    let Some(second) = second else { return (cut_words(short, first), None) };
    let split = |text: &str| {
        if first < FORECAST_LEAST {
            return (String::new(), text.to_owned());
        }
        let mut lines = wrap(text, first);
        let rest = lines.split_off(1).join(" ");
        (lines.swap_remove(0), rest)
    };
    let fits = [long, short].into_iter().map(split).find(|(_, rest)| display_width(rest) <= second);
    let (begin, rest) = fits.unwrap_or_else(|| split(short));
    (begin, Some(cut_words(&rest, second)))
}

/// A sentence in `width` columns; what is cut is cut behind a word.
fn cut_words(text: &str, width: usize) -> String {
    const MARK: &str = " …";
    if display_width(text) <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(display_width(MARK));
    let begin = wrap(text, room).swap_remove(0);
    // One word that is longer than all the room.
    if display_width(&begin) + display_width(MARK) > width {
        return cut_end(text, width);
    }
    format!("{}{MARK}", begin.trim_end_matches([':', ',', ';']))
}

fn leads(document: &Document) -> (&str, Role) {
    let leads = document.headline.leads.as_str();
    // A holder of the key whom nobody current confirms is not told as the leader.
    let certain = document.cluster.leader.as_ref().is_some_and(|leader| leads == format!("{leader} leads"));
    let role = match (certain, document.cluster.leaderless_since) {
        (true, _) => Role::Emphasis,
        (false, Some(_)) => Role::Critical,
        // etcd is current, and what it says is that nobody leads, or that the holder of the key does not.
        (false, None) if document.cluster.dcs_linearizable == Some(true) && document.headline.level == Level::Critical => Role::Critical,
        (false, None) => Role::Unknown,
    };
    (leads, role)
}

fn timeline(document: &Document) -> Option<Span<'static>> {
    document.cluster.timeline.map(|tl| Span::raw(format!("timeline {tl}")))
}

fn reign(ctx: &Ctx<'_>, document: &Document) -> Option<Span<'static>> {
    // Beside other words it would be the time of what they say.
    document.cluster.leader.as_ref().filter(|leader| document.headline.leads == format!("{leader} leads"))?;
    document.cluster.leader_since.map(|at| Span::raw(since(ctx.now().since(at))))
}

/// The verdict, and the facts beside it or below it.
fn verdict(ctx: &Ctx<'_>, document: &Document, with_forecast: bool, area: Rect, buffer: &mut Buffer) -> u16 {
    let look = ctx.look;
    let level = document.headline.level;
    let facts = facts(ctx, document, with_forecast);
    let width = usize::from(area.width);
    if level == Level::Ok {
        let head = vec![look.span(format!(" {} ", sign(level)), Role::Ok), look.span(document.headline.verdict.clone(), Role::OkHeadline)];
        if with_forecast && area.height >= TALL {
            return calm(ctx, document, head, area, buffer);
        }
        let line = with_facts(ctx, head, &facts, width);
        buffer.set_line(area.x, area.y, &line, area.width);
        return 1;
    }
    let role = look.verdict(level);
    // The sentence is never cut while a second line can take it.
    let more = level == Level::Critical && area.height >= TALL || area.height >= ROOMY;
    let lines = sentence(&document.headline.verdict, width.saturating_sub(4), if more { CRITICAL_LINES } else { VERDICT_LINES });
    for (n, text) in lines.iter().enumerate() {
        let y = area.y + n as u16;
        if y >= area.bottom() {
            return n as u16;
        }
        let lead = if n == 0 { format!(" {} ", sign(level)) } else { "   ".to_owned() };
        let full = format!("{lead}{text}");
        let pad = width.saturating_sub(display_width(&full));
        buffer.set_stringn(area.x, y, format!("{full}{}", " ".repeat(pad)), width, look.style(role));
    }
    let y = area.y + lines.len() as u16;
    if y < area.bottom() {
        let line = with_facts(ctx, Vec::new(), &facts, width);
        buffer.set_line(area.x, y, &line, area.width);
    }
    lines.len() as u16 + 1
}

/// The verdict in at most so many lines; how many more there are is told in fewer letters where it would take a line of its own, and stands even
/// where the sentence before it is cut.
fn sentence(verdict: &str, width: usize, most: usize) -> Vec<String> {
    let lines = wrap(verdict, width);
    let counted = verdict.strip_suffix(" more)").and_then(|told| told.rsplit_once(" (and "));
    let short = counted.map(|(told, more)| wrap(&format!("{told} (+{more})"), width));
    let lines = short.filter(|short| short.len() < lines.len()).unwrap_or(lines);
    if lines.len() <= most {
        return lines;
    }
    let (told, tail) = counted.map_or((verdict, String::new()), |(told, more)| (told, format!(" (+{more})")));
    let mut lines = wrap(told, width);
    let room = width.saturating_sub(display_width(&tail));
    if let Some(last) = most.checked_sub(1).filter(|last| *last < lines.len()) {
        let rest = lines.split_off(last).join(" ");
        lines.push(format!("{}{tail}", cut_words(&rest, room)));
    }
    lines
}

/// All is well and the screen is narrow: who takes over stands beside the verdict in full, the facts below.
fn calm(ctx: &Ctx<'_>, document: &Document, mut head: Vec<Span<'static>>, area: Rect, buffer: &mut Buffer) -> u16 {
    let (told, width) = (forecast(document), usize::from(area.width));
    head.push(Span::raw("   "));
    let mut y = area.y;
    if width_of(&head) + display_width(&told.long) <= width {
        head.push(ctx.look.span(told.long, told.role));
        buffer.set_line(area.x, y, &Line::from(head), area.width);
        y += 1;
    } else {
        buffer.set_line(area.x, y, &Line::from(head), area.width);
        y += 1;
        for part in wrap(&told.long, width.saturating_sub(4)).into_iter().take(VERDICT_LINES) {
            buffer.set_stringn(area.x, y, format!("   {part}"), width, ctx.look.style(told.role));
            y += 1;
        }
    }
    let line = with_facts(ctx, Vec::new(), &facts(ctx, document, false), width);
    buffer.set_line(area.x, y, &line, area.width);
    y + 1 - area.y
}

/// As many facts as fit, in their long form if all of them fit so.
fn with_facts(ctx: &Ctx<'_>, head: Vec<Span<'static>>, facts: &[Fact], width: usize) -> Line<'static> {
    let look = ctx.look;
    let build = |long: bool, facts: &[&Fact]| {
        let mut spans = head.clone();
        for (n, fact) in facts.iter().enumerate() {
            let gap = look.span(if n == 0 { "   " } else { " · " }, Role::Muted);
            let text = if long { &fact.long } else { &fact.short };
            spans.extend([gap, look.span(text.clone(), fact.role)]);
        }
        spans
    };
    let fits = |spans: &Vec<Span<'static>>| width_of(spans) <= width;
    let mut kept: Vec<&Fact> = facts.iter().collect();
    let long = build(true, &kept);
    if fits(&long) {
        return Line::from(long);
    }
    loop {
        let short = build(false, &kept);
        if fits(&short) || kept.is_empty() {
            return Line::from(short);
        }
        // The last of those that matter least goes first.
        let least = kept.iter().map(|fact| weight(fact.role)).min().unwrap_or(0);
        if let Some(at) = kept.iter().rposition(|fact| weight(fact.role) == least) {
            kept.remove(at);
        }
    }
}

/// How much a fact matters when there is not room for all.
fn weight(role: Role) -> u8 {
    match role {
        Role::Critical => 3,
        Role::Warning | Role::Stale => 2,
        Role::Unknown => 1,
        _ => 0,
    }
}

fn width_of(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|s| display_width(&s.content)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_takes_no_line_of_its_own() {
        assert_eq!(sentence("psg2 is down (and 1 more)", 25, 2), ["psg2 is down (and 1 more)"]);
        assert_eq!(sentence("psg2 is down (and 1 more)", 18, 2), ["psg2 is down (+1)"]);
        assert_eq!(sentence("psg2 is down (and 1 more)", 14, 2), ["psg2 is down", "(and 1 more)"], "it does not help");
        assert_eq!(sentence("psg2 is down", 8, 2), ["psg2 is", "down"]);
    }

    #[test]
    fn a_verdict_that_is_cut_keeps_its_count_and_says_that_it_is_cut() {
        let verdict = "clients cannot write since psg1 has gone and nobody took over (and 3 more)";
        assert_eq!(sentence(verdict, 28, 2), ["clients cannot write since", "psg1 has gone and … (+3)"]);
        assert_eq!(sentence(verdict, 28, 3), ["clients cannot write since", "psg1 has gone and nobody", "took over (and 3 more)"]);
        assert_eq!(sentence("clients cannot write since psg1 has gone", 14, 2), ["clients cannot", "write since …"]);
    }

    #[test]
    fn a_forecast_goes_on_in_a_second_line_and_is_cut_behind_a_word() {
        let (long, short) =
            ("if psg1 died now: nobody can take over: the cluster is paused", "next: nobody can take over: the cluster is paused");
        let two = |first, second| in_two(long, short, first, second);
        let whole = |text: &str| (text.to_owned(), None);
        assert_eq!(two(61, None), whole(long));
        assert_eq!(two(60, None), whole(short), "the same in fewer words, as there is no second line");
        assert_eq!(two(48, None), whole("next: nobody can take over: the cluster is …"));
        assert_eq!(two(29, None), whole("next: nobody can take over …"), "no colon before the mark");
        let begun = |begin: &str, rest: &str| (begin.to_owned(), Some(rest.to_owned()));
        assert_eq!(two(55, Some(40)), begun("if psg1 died now: nobody can take over: the cluster is", "paused"));
        assert_eq!(
            two(26, Some(30)),
            begun("next: nobody can take", "over: the cluster is paused"),
            "the second line has not room for all"
        );
        assert_eq!(two(26, Some(20)), begun("next: nobody can take", "over: the cluster …"));
        assert_eq!(two(10, Some(70)), begun("", long), "too little is left of the first line");
    }
}
