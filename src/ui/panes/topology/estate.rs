//! The machines around the cluster in the picture: the disk with the DAGs, the target, and what an outage has put at risk.

use super::airflow::old;
use super::card::{Card, Item};
use super::part::Part;
use crate::document::{BookDoc, DagsDoc, DagsHostDoc, DiskState, Document, DoneState, Level, RescueDoc, TargetDoc};
use crate::model::DAG_COUNT_FRESH;
use crate::theme::Role;
use crate::ui::format::{bytes, seconds};
use crate::ui::pane::{Ctx, Details};
use crate::ui::panes::asked;
use crate::ui::widget::Sheet;

/// The disk: each mount, and whether all see the same files.
pub(super) fn dags_card<'d>(ctx: &Ctx<'_>, document: &'d Document) -> Option<Card<'d>> {
    let dags = document.dags.as_ref()?;
    let mut items: Vec<Item<'d>> = dags.hosts.iter().map(|host| of_mount(ctx, host)).collect();
    items.extend(files(ctx, dags));
    let from = dags.hosts.iter().find_map(|host| host.mounted_from.as_deref().filter(|_| host.mounted == Some(true)));
    Some(Card::new(Some(Part::Dags), from.map_or("DAGs".to_owned(), |from| format!("DAGs {from}")), items))
}

/// Whether its folder is mounted and answers on one machine at least.
pub(super) fn dags_answer(dags: &DagsDoc) -> bool {
    dags.hosts.iter().any(well)
}

fn well(host: &DagsHostDoc) -> bool {
    host.state == DiskState::Answers && host.mounted == Some(true)
}

fn of_mount<'d>(ctx: &Ctx<'_>, host: &'d DagsHostDoc) -> Item<'d> {
    let (level, words) = of_host(host);
    let item = if well(host) {
        let used = host.used_share.map(|share| format!("{:.0} % used", share * 100.0));
        let long = [host.fstype.clone(), used].into_iter().flatten().collect::<Vec<_>>().join(", ");
        Item::new(level, &host.name, if long.is_empty() { words } else { format!("answers, {long}") }).short("")
    } else {
        Item::new(level, &host.name, words)
    };
    let item = if host.state == DiskState::Unknown { item.stale(old(ctx, &host.asked)) } else { item };
    item.of(Part::Mount(&host.name))
}

fn files<'d>(ctx: &Ctx<'_>, dags: &DagsDoc) -> Option<Item<'d>> {
    let host = dags.hosts.iter().find(|host| well(host))?;
    let count = host.files.map(|n| format!("{n}"));
    let newest = host.newest_changed.map(|at| format!("newest {} ago", ctx.ago(at)));
    let words = |first: Option<&str>| {
        [first.map(str::to_owned), count.clone(), newest.clone()].into_iter().flatten().collect::<Vec<_>>().join(", ")
    };
    // Whoever counts them may hang for longer than the disk does.
    let old = host.counted_at.filter(|at| ctx.now().since(*at) > DAG_COUNT_FRESH).map(|at| format!("counted {} ago", ctx.ago(at)));
    let item = match dags.same {
        Some(false) => Item::new(Level::Warning, "files", words(Some("DIFFER"))).short("DIFFER"),
        Some(true) => Item::new(Level::Ok, "files", words(Some("the same on all"))),
        None => Item::new(Level::Ok, "files", words(None)),
    };
    (item.level != Level::Ok || count.is_some()).then(|| item.stale(old).of(Part::Dags))
}

/// The machine that the tasks work on, and what it has written down.
pub(super) fn target_card<'d>(ctx: &Ctx<'_>, document: &'d Document) -> Option<Card<'d>> {
    let target = document.target.as_ref()?;
    let found = document.findings.iter().filter(|finding| finding.code == "target-unreachable").map(|finding| finding.severity).max();
    let stale = old(ctx, &target.asked);
    let mut words: Vec<String> = target.load_1.map(|load| format!("load {load:.1}")).into_iter().collect();
    words.extend(target.used_share.map(|share| format!("disk {:.0} % used", share * 100.0)));
    let machine = match &stale {
        Some(age) => {
            let words = match &target.asked.error {
                None if target.asked.age_ms.is_none() => "not asked yet".to_owned(),
                Some(error) if !asked::absent(&target.asked) => format!("CANNOT BE ASKED, {age}: {error}"),
                _ => format!("DOES NOT ANSWER, {age}"),
            };
            Item::new(found.unwrap_or(Level::Unknown).max(Level::Unknown), &target.name, words)
        }
        None => Item::new(Level::Ok, &target.name, if words.is_empty() { "answers".to_owned() } else { words.join(", ") }),
    };
    let mut items = vec![machine.of(Part::Target)];
    items.push(match (&target.book, &target.book_error) {
        (_, Some(why)) => Item::new(Level::Warning, "ledger", why.clone()),
        (Some(book), None) => of_book(document, book).stale(stale),
        (None, None) if target.asked.age_ms.is_none() => Item::new(Level::Unknown, "ledger", "not known"),
        (None, None) => Item::new(Level::Ok, "ledger", "none is configured").aside(),
    });
    Some(Card::new(Some(Part::Target), format!("target {}", target.name), items).at_least(found.unwrap_or(Level::Ok)))
}

fn of_book<'d>(document: &Document, book: &BookDoc) -> Item<'d> {
    // Every task that ends is one for a moment, as the two are read at different times: the rule waits for a second reading.
    let found = document.findings.iter().any(|finding| finding.code == "target-orphan");
    let orphans = book.open.iter().filter(|job| found && job.runs_in_airflow == Some(false)).count();
    // Where nothing is understood nothing is known, and that is not 0.
    let nothing = book.jobs == 0 && book.unread_lines > 0;
    let mut words: Vec<String> =
        (!nothing).then(|| format!("{} started twice, {} open", book.twice.len(), book.open.len())).into_iter().collect();
    if orphans > 0 {
        words.push(format!("{orphans} of them NOT in Airflow"));
    }
    if book.unread_lines > 0 {
        words.push(not_understood(book));
    }
    let level = match (book.twice.iter().any(|job| job.again), orphans == 0 && book.unread_lines == 0) {
        (true, _) => Level::Critical,
        (false, true) => Level::Ok,
        (false, false) => Level::Warning,
    };
    let twice = if level == Level::Critical { "RUN TWICE: " } else { "" };
    Item::new(level, book.kind.to_string(), format!("{twice}{}", words.join(", "))).of(Part::Target)
}

fn not_understood(book: &BookDoc) -> String {
    let lines = if book.unread_lines == 1 { "line" } else { "lines" };
    format!("{} {lines} NOT UNDERSTOOD", book.unread_lines)
}

/// Whether a task of Airflow's works there now, by a ledger that is current.
pub(super) fn worked_on(target: &TargetDoc) -> bool {
    let open = target.book.iter().flat_map(|book| &book.open);
    target.asked.fresh && open.into_iter().any(|job| job.runs_in_airflow == Some(true))
}

/// What an outage has put at risk, if anything.
pub(super) fn rescue_card<'d>(ctx: &Ctx<'_>, document: &'d Document) -> Option<Card<'d>> {
    let rescue = document.rescue.as_ref().filter(|rescue| !rescue.tasks.is_empty())?;
    // As the rule has it: what has finished and is run again is worse than what nobody knows.
    let level = if finished(rescue) > 0 { Level::Critical } else { Level::Warning };
    Some(Card::new(None, "rescue", vec![Item::new(level, "", at_risk(ctx, rescue))]))
}

fn of_host(host: &DagsHostDoc) -> (Level, String) {
    match host.state {
        DiskState::Hung => (Level::Critical, format!("HUNG {}", host.hung_seconds.map(seconds).unwrap_or_default()).trim_end().to_owned()),
        DiskState::Fails => (Level::Critical, format!("FAILS: {}", host.error.as_deref().unwrap_or("it does not say why"))),
        DiskState::Unknown => (Level::Unknown, "not known".to_owned()),
        DiskState::Answers if host.mounted == Some(false) => (Level::Critical, "NOT MOUNTED".to_owned()),
        DiskState::Answers if host.mounted.is_none() => (Level::Unknown, "answers, its mount is not told".to_owned()),
        DiskState::Answers => (Level::Ok, "answers".to_owned()),
    }
}

/// Tasks that have finished, by the target, and will be run again.
fn finished(rescue: &RescueDoc) -> usize {
    rescue.tasks.iter().filter(|task| task.done == DoneState::Finished && task.retries).count()
}

fn at_risk(ctx: &Ctx<'_>, rescue: &RescueDoc) -> String {
    let finished = finished(rescue);
    let unknown = rescue.tasks.iter().filter(|task| task.done == DoneState::Unknown).count();
    let due = rescue.tasks.iter().filter_map(|task| task.due).min();
    let when = match due {
        Some(due) if due > ctx.now() => format!("the first {}", ctx.until(due)),
        Some(_) => "the first at any moment".to_owned(),
        None => "when their retry_delay is over".to_owned(),
    };
    format!("{} at risk: {finished} finished and would run again, {unknown} not known, {when}: pgbaton rescue", rescue.tasks.len())
}

/// The sheet of the disk.
pub(super) fn dags_details(ctx: &Ctx<'_>, width: u16) -> Option<Details> {
    let dags = ctx.document()?.dags.as_ref()?;
    let mut sheet = Sheet::new(ctx.look, width);
    for host in &dags.hosts {
        mount(ctx, &mut sheet, host);
    }
    Some(Details { title: "DAGs".to_owned(), lines: sheet.lines() })
}

/// The sheet of it on one machine.
pub(super) fn mount_details(ctx: &Ctx<'_>, name: &str, width: u16) -> Option<Details> {
    let host = ctx.document()?.dags.as_ref()?.hosts.iter().find(|host| host.name == name)?;
    let mut sheet = Sheet::new(ctx.look, width);
    mount(ctx, &mut sheet, host);
    Some(Details { title: format!("DAGs on {name}"), lines: sheet.lines() })
}

fn mount(ctx: &Ctx<'_>, sheet: &mut Sheet<'_>, host: &DagsHostDoc) {
    let (level, text) = of_host(host);
    let as_old_as = |current: bool| if current { Role::Text } else { Role::Stale };
    let told = as_old_as(host.asked.fresh);
    sheet.heading(&host.name);
    sheet.fact("disk", text, role(ctx, level), &asked::said(ctx, &format!("dags {}", host.name), &host.asked));
    if let (Some(mount), Some(from)) = (&host.mount, &host.mounted_from) {
        sheet.fact("mounted", format!("{mount} from {from}"), told, host.fstype.as_deref().unwrap_or_default());
    }
    if let Some(options) = &host.options {
        sheet.fact("options", options.clone(), told, "");
    }
    if let (Some(size), Some(available)) = (host.size_bytes, host.available_bytes) {
        sheet.fact("available", format!("{} of {}", bytes(available), bytes(size)), told, "");
    }
    if let Some(share) = host.inodes_free_share {
        sheet.fact("inodes free", format!("{:.0} %", share * 100.0), told, "");
    }
    let counts = as_old_as(host.asked.fresh && host.counted_at.is_some_and(|at| ctx.now().since(at) <= DAG_COUNT_FRESH));
    let counted = host.counted_at.map(|at| format!("counted {} ago", ctx.ago(at))).unwrap_or_default();
    if let Some(files) = host.files {
        sheet.fact("DAG files", files.to_string(), counts, &counted);
    }
    if let (Some(file), Some(at)) = (&host.newest_file, host.newest_changed) {
        sheet.fact("newest", file.clone(), counts, &at.minute());
    }
    asked::lines(ctx, sheet, "asked", &host.asked);
}

/// The sheet of the target.
pub(super) fn target_details(ctx: &Ctx<'_>, width: u16) -> Option<Details> {
    let document = ctx.document()?;
    let target = document.target.as_ref()?;
    let mut sheet = Sheet::new(ctx.look, width);
    sheet.heading(&target.name);
    let said = asked::said(ctx, "target", &target.asked);
    let old = if target.asked.fresh { Role::Text } else { Role::Stale };
    if let Some(load) = target.load_1 {
        let cpus = target.cpus.map(|n| format!(" on {n} processors")).unwrap_or_default();
        sheet.fact("load", format!("{load:.1}{cpus}"), old, &said);
    }
    if let Some(share) = target.used_share {
        sheet.fact("disk used", format!("{:.0} %", share * 100.0), old, &said);
    }
    if let Some(book) = &target.book {
        let item = of_book(document, book);
        let role = if item.level == Level::Ok { old } else { item.role(ctx) };
        sheet.fact(
            &book.kind.to_string(),
            match book.jobs == 0 && book.unread_lines > 0 {
                true => "nothing of it is understood".to_owned(),
                false => format!("{} tasks, {} started twice, {} open", book.jobs, book.twice.len(), book.open.len()),
            },
            role,
            &said,
        );
        if book.unread_lines > 0 {
            sheet.fact("", format!("{}: is `format` as they are?", not_understood(book)), Role::Warning, "");
        }
        if !book.whole {
            sheet.fact("", "not read from its beginning", Role::Muted, "");
        }
    }
    if let Some(why) = &target.book_error {
        sheet.fact("ledger", why.clone(), Role::Warning, "");
    }
    if let (Some(mount), Some(available)) = (&target.mount, target.available_bytes) {
        sheet.fact("disk", format!("{} available on {mount}", bytes(available)), old, "");
    }
    if let Some(why) = &target.disk_error {
        sheet.fact("disk", why.clone(), Role::Unknown, "");
    }
    asked::lines(ctx, &mut sheet, "asked", &target.asked);
    let book = target.book.as_ref();
    for (title, jobs) in [("started twice", book.map(|book| &book.twice)), ("started and not ended", book.map(|book| &book.open))] {
        let Some(jobs) = jobs.filter(|jobs| !jobs.is_empty()) else { continue };
        sheet.heading(title);
        for job in jobs {
            let known = match job.runs_in_airflow {
                Some(true) => "runs in Airflow",
                Some(false) => "not running in Airflow",
                None => "whether Airflow runs it is not known",
            };
            let started = job.started.map(|at| at.minute()).unwrap_or_default();
            sheet.fact(&format!("{} starts", job.starts), format!("{}.{} {}", job.dag, job.task, job.run), old, &started);
            sheet.fact("", known, Role::Muted, "");
        }
    }
    Some(Details { title: "target".to_owned(), lines: sheet.lines() })
}

fn role(ctx: &Ctx<'_>, level: Level) -> Role {
    if level == Level::Ok { Role::Text } else { ctx.look.level(level) }
}
