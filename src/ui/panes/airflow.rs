//! Whether the database could go away now without harm to what Airflow runs, why, and what would become of each task. It has the screen when it
//! has the focus, and no place beside the others.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::asked;
use crate::app::{Facts, PaneModel, RowId, View};
use crate::document::{AirflowDoc, AirflowMetadata, AirflowTaskDoc, Document, Fate, GroundDoc, Level, SCHEDULER_SILENT, Verdict};
use crate::model::AirflowComponent;
use crate::theme::{Role, sign};
use crate::ui::format::{NONE, UNKNOWN, age, cut_middle, wrap};
use crate::ui::pane::{Ctx, Details, Drawn, Pane, Want};
use crate::ui::widget::{Item, Sheet, list};

/// The pane.
pub(super) struct Airflow;

/// What a row is.
enum Shown<'d> {
    /// With how many of the same code stand before it: several nodes can raise an alarm.
    Ground(&'d GroundDoc, usize),
    Task(&'d AirflowTaskDoc),
}

impl PaneModel for Airflow {
    fn title(&self) -> &'static str {
        "Airflow"
    }

    fn rows(&self, facts: &Facts, view: &View) -> Vec<RowId> {
        facts.document.as_deref().map(|document| shown(document, view).iter().map(Shown::id).collect()).unwrap_or_default()
    }

    fn alone(&self) -> bool {
        true
    }
}

impl Pane for Airflow {
    fn summary(&self, ctx: &Ctx<'_>) -> Vec<Span<'static>> {
        let Some(airflow) = of(ctx) else { return Vec::new() };
        let level = level(airflow.quiet.verdict);
        vec![ctx.look.span(format!("{} {}", sign(level), airflow.quiet.verdict), ctx.look.level(level))]
    }

    fn want(&self, _: &Ctx<'_>, _width: u16) -> Want {
        Want { min: 1, ideal: 12, max: u16::MAX }
    }

    fn draw(&self, ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) -> Drawn {
        let Some(document) = ctx.document() else { return Drawn::default() };
        let Some(airflow) = document.airflow.as_ref() else {
            let text = "no Airflow is configured for this cluster, so that nobody has looked at what runs there; a table [clusters.NAME.airflow] \
                        in pgbaton.toml names the database of its metadata, and `pgbaton airflow grants` what our role must be able to read";
            ctx.say(text, Role::Muted, area, buffer);
            return Drawn::default();
        };
        let head = head(ctx, airflow, area.width);
        let used = u16::try_from(head.len()).unwrap_or(u16::MAX).min(area.height);
        for (y, line) in (area.y..area.bottom()).zip(&head) {
            buffer.set_line(area.x + 2, y, line, area.width.saturating_sub(2));
        }
        let rest = Rect { y: area.y + used, height: area.height - used, ..area };
        let items: Vec<Item> = shown(document, ctx.view).iter().map(|row| row.item(ctx, area.width)).collect();
        if items.is_empty() {
            ctx.say("nothing passes the filter", Role::Muted, rest, buffer);
            return Drawn::default();
        }
        list(ctx, &items, rest, buffer)
    }

    fn details(&self, ctx: &Ctx<'_>, row: &str, width: u16) -> Option<Details> {
        let rows = shown(ctx.document()?, ctx.view);
        let airflow = of(ctx)?;
        let mut sheet = Sheet::new(ctx.look, width);
        let said = asked::said(ctx, "airflow", &airflow.asked);
        let title = match rows.iter().find(|shown| shown.id() == row)? {
            Shown::Ground(ground, _) => {
                let level = level(ground.verdict);
                sheet.text(&ground.sentence, Role::Emphasis);
                sheet.heading("Ground");
                sheet.fact("alone it would be", format!("{} {}", sign(level), ground.verdict), ctx.look.level(level), &said);
                ground.code.clone()
            }
            Shown::Task(task) => {
                of_task(ctx, task, &said, &mut sheet);
                format!("{}.{}", task.dag, task.task)
            }
        };
        sheet.heading("Who was asked");
        asked::lines(ctx, &mut sheet, "Airflow's metadata", &airflow.asked);
        Some(Details { title, lines: sheet.lines() })
    }
}

/// Everything at once, for who comes from elsewhere.
pub(super) fn whole(ctx: &Ctx<'_>, width: u16) -> Option<Details> {
    let (document, airflow) = (ctx.document()?, of(ctx)?);
    let mut lines = head(ctx, airflow, width);
    lines.extend(shown(document, &View::default()).iter().flat_map(|row| row.item(ctx, width).lines));
    Some(Details { title: "Airflow".to_owned(), lines })
}

fn of<'a>(ctx: &Ctx<'a>) -> Option<&'a AirflowDoc> {
    ctx.document()?.airflow.as_ref()
}

/// What is in the way, then the tasks, then what is as it should be.
fn shown<'d>(document: &'d Document, view: &View) -> Vec<Shown<'d>> {
    let Some(airflow) = &document.airflow else { return Vec::new() };
    let all = &airflow.quiet.grounds;
    let grounds = |good: bool| {
        let wanted = move |(_, ground): &(usize, &GroundDoc)| (ground.verdict == Verdict::Go) == good;
        let before = |at: usize, ground: &GroundDoc| all[..at].iter().filter(|other| other.code == ground.code).count();
        all.iter().enumerate().filter(wanted).map(move |(at, ground)| Shown::Ground(ground, before(at, ground)))
    };
    let tasks = airflow.metadata.iter().flat_map(|metadata| &metadata.work).map(Shown::Task);
    grounds(false).chain(tasks).chain(grounds(true)).filter(|row| row.passes(view)).collect()
}

/// How bad a verdict is.
pub(super) fn level(verdict: Verdict) -> Level {
    match verdict {
        Verdict::Go => Level::Ok,
        Verdict::Warn | Verdict::Wait => Level::Warning,
        Verdict::Unknown => Level::Unknown,
        Verdict::Stop => Level::Critical,
    }
}

fn level_of(fate: Fate) -> Level {
    if fate == Fate::Safe { Level::Ok } else { Level::Warning }
}

/// `charge.work[3]`.
fn name(task: &AirflowTaskDoc) -> String {
    let of = if task.map_index < 0 { String::new() } else { format!("[{}]", task.map_index) };
    format!("{}.{}{of}", task.dag, task.task)
}

fn tries(task: &AirflowTaskDoc) -> String {
    format!("try {} of {}", task.try_number, task.max_tries.saturating_add(1))
}

impl Shown<'_> {
    fn id(&self) -> RowId {
        match self {
            Self::Ground(ground, 0) => ground.code.clone(),
            Self::Ground(ground, n) => format!("{} {n}", ground.code),
            Self::Task(task) => format!("{} {}", name(task), task.run),
        }
    }

    fn passes(&self, view: &View) -> bool {
        match self {
            Self::Ground(ground, _) => view.passes([ground.code.as_str(), ground.sentence.as_str()]),
            Self::Task(task) => {
                let fate = task.if_database_goes.to_string();
                let host = task.host.as_deref().unwrap_or_default();
                view.passes([name(task).as_str(), task.run.as_str(), task.state.as_str(), task.pool.as_str(), host, fate.as_str()])
            }
        }
    }

    fn item(&self, ctx: &Ctx<'_>, width: u16) -> Item {
        let look = ctx.look;
        let room = usize::from(width).saturating_sub(5).max(10);
        let lines = match self {
            Self::Ground(ground, _) => {
                let level = level(ground.verdict);
                let lead = format!("{:<8}", ground.verdict.to_string());
                let text = wrap(&ground.sentence, room.saturating_sub(lead.len()).max(10)).into_iter().enumerate();
                let line = |(n, text): (usize, String)| {
                    let lead = if n == 0 { lead.clone() } else { " ".repeat(lead.len()) };
                    let sign = if n == 0 { sign(level) } else { " " };
                    let text_role = if level == Level::Ok { Role::Muted } else { Role::Text };
                    Line::from(vec![
                        look.span(format!("{sign} "), look.level(level)),
                        look.span(lead, look.level(level)),
                        look.span(text, text_role),
                    ])
                };
                text.map(line).collect()
            }
            Self::Task(task) => {
                let level = level_of(task.if_database_goes);
                let old = old(ctx);
                let (sign, as_it_is) = if old.is_some() { ("◐", Role::Stale) } else { (sign(level), look.level(level)) };
                let head = vec![
                    look.span(format!("{sign} "), as_it_is),
                    look.span("task    ", Role::Muted),
                    look.span(
                        format!("{}  ", cut_middle(&name(task), room.saturating_sub(50).max(20))),
                        if old.is_some() { Role::Stale } else { Role::Emphasis },
                    ),
                    look.span(task.if_database_goes.to_string(), as_it_is),
                ];
                let rest = wrap(&told(ctx, task, old), room.saturating_sub(8).max(10)).into_iter();
                let rest = rest.map(|text| Line::from(vec![Span::raw(" ".repeat(10)), look.span(text, Role::Muted)]));
                std::iter::once(Line::from(head)).chain(rest).collect()
            }
        };
        Item { id: self.id(), lines }
    }
}

/// How long ago the metadata was read, if that is too long.
fn old(ctx: &Ctx<'_>) -> Option<String> {
    let asked = &of(ctx)?.asked;
    (!asked.fresh).then(|| asked.age_ms.map_or_else(|| "never read".to_owned(), |ms| format!("read {} ago", age(ctx.aged(ms).max(1000)))))
}

/// `manual__03:17, running for 72 s, try 1 of 3, heartbeat 3 s ago, on vm4, pool default_pool`. Of one that was read a while ago nobody knows whether it
/// runs still: `manual__03:17, running as read 5 min ago, ...`.
fn told(ctx: &Ctx<'_>, task: &AirflowTaskDoc, old: Option<String>) -> String {
    let since = task.since.map_or(UNKNOWN.to_owned(), |at| ctx.ago(at));
    let beat = task.heartbeat_age_ms.filter(|_| old.is_none()).map(|ms| format!("heartbeat {} ago", age(ctx.aged(ms).max(1000))));
    let state = old.map_or_else(|| format!("{} for {since}", task.state), |old| format!("{} as {old}", task.state));
    let host = task.host.as_ref().map(|host| format!("on {host}"));
    let parts = [Some(task.run.clone()), Some(state), Some(tries(task)), beat, host, Some(format!("pool {}", task.pool))];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn of_task(ctx: &Ctx<'_>, task: &AirflowTaskDoc, said: &str, sheet: &mut Sheet<'_>) {
    let level = level_of(task.if_database_goes);
    let stale = old(ctx).is_some();
    let verdict = if stale { Role::Stale } else { ctx.look.level(level) };
    sheet.text(&format!("if the database went away while it ends: {}", task.if_database_goes), verdict);
    sheet.heading("Task");
    let or_unknown = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
    for (what, value) in [
        ("dag", task.dag.clone()),
        ("task", task.task.clone()),
        ("run", task.run.clone()),
        ("map index", if task.map_index < 0 { NONE.to_owned() } else { task.map_index.to_string() }),
        ("state", task.state.clone()),
        ("since", or_unknown(task.since.map(|at| format!("{} ({} ago)", at.clock(), ctx.ago(at))))),
        ("try", tries(task)),
        ("heartbeat", task.heartbeat_age_ms.map_or(NONE.to_owned(), |ms| format!("{} ago", age(ctx.aged(ms).max(1000))))),
        ("host", or_unknown(task.host.clone())),
        ("pool", task.pool.clone()),
    ] {
        sheet.fact(what, value, if stale { Role::Stale } else { Role::Text }, said);
    }
}

/// What is known of Airflow as a whole.
fn head(ctx: &Ctx<'_>, airflow: &AirflowDoc, width: u16) -> Vec<Line<'static>> {
    let look = ctx.look;
    let role = look.verdict(level(airflow.quiet.verdict));
    let asks = match airflow.quiet.verdict {
        Verdict::Go => "the database may go away for some seconds, as far as Airflow goes",
        Verdict::Warn => "the database may go away for some seconds, as far as Airflow goes; know this before",
        Verdict::Wait => "not now: what is in the way passes by itself",
        Verdict::Unknown => "it is not known whether the database may go away",
        Verdict::Stop => "the database must not go away now",
    };
    let verdict = airflow.quiet.verdict.to_string().to_uppercase();
    let mut lines = vec![Line::from(vec![look.span(format!(" {verdict} "), role), Span::raw("  "), look.span(asks, Role::Emphasis)])];
    if let Some(metadata) = &airflow.metadata {
        let role = if airflow.asked.fresh { Role::Text } else { Role::Stale };
        let room = usize::from(width).saturating_sub(4).max(10);
        lines.extend(wrap(&at_work(ctx, metadata), room).into_iter().map(|text| Line::from(look.span(text, role))));
        lines.extend(wrap(&work(ctx, metadata), room).into_iter().map(|text| Line::from(look.span(text, role))));
    }
    lines.push(Line::default());
    lines
}

/// `Airflow 2: scheduler at work, heartbeat 2 s ago · triggerer silent for 4 min`.
fn at_work(ctx: &Ctx<'_>, metadata: &AirflowMetadata) -> String {
    let told = AirflowComponent::PROGRAMS.into_iter().filter_map(|(kind, name)| {
        let beats = metadata.components.iter().filter(|one| one.kind == kind).filter_map(|one| one.heartbeat_age_ms);
        match beats.min().map(|ms| ctx.aged(ms)) {
            // By what was read a while ago nobody is silent.
            Some(_) if old(ctx).is_some() => Some(format!("{name} not known")),
            Some(ms) if u128::from(ms) <= SCHEDULER_SILENT.as_millis() => {
                Some(format!("{name} at work, heartbeat {} ago", age(ms.max(1000))))
            }
            Some(ms) => Some(format!("{name} silent for {}", age(ms))),
            None if kind == "SchedulerJob" => Some(format!("{name} not heard of for an hour")),
            None => None,
        }
    });
    format!("Airflow {}: {}", metadata.line, told.collect::<Vec<_>>().join(" · "))
}

/// `running 2 · queued 1 · pools default_pool 3/128 · next run nightly in 27 s · 1 DAG file cannot be imported`.
fn work(ctx: &Ctx<'_>, metadata: &AirflowMetadata) -> String {
    let mut parts: Vec<String> = metadata.tasks.iter().map(|(state, n)| format!("{state} {n}")).collect();
    if parts.is_empty() {
        parts.push("no task is open".to_owned());
    }
    let slots = |n: i64| if n < 0 { "∞".to_owned() } else { n.to_string() };
    let pools: Vec<String> = metadata.pools.iter().map(|pool| format!("{} {}/{}", pool.name, pool.taken, slots(pool.slots))).collect();
    if metadata.frozen {
        parts.push("pools frozen".to_owned());
    } else if !pools.is_empty() {
        parts.push(format!("pools {}", pools.join(", ")));
    }
    if let Some(next) = metadata.next_runs.first() {
        parts.push(format!("next run {} {}", next.dag, ctx.until(next.at)));
    }
    if metadata.import_errors > 0 {
        parts.push(format!("import errors {}", metadata.import_errors));
    }
    parts.extend(old(ctx));
    parts.join(" · ")
}
