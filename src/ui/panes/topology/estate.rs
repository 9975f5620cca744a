//! The machines around the cluster in the picture: the disk with the DAGs, the target, and what an outage has put at risk.

use ratatui::text::Line;

use super::Part;
use super::below::said;
use crate::document::{DagsDoc, DagsHostDoc, DiskState, Document, DoneState, Level, RescueDoc, TargetDoc};
use crate::theme::Role;
use crate::ui::format::{age_short, bytes, seconds};
use crate::ui::pane::{Ctx, Details};
use crate::ui::panes::asked;
use crate::ui::widget::Sheet;

/// What of it can be selected.
pub(super) fn parts<'d>(document: &Document) -> impl Iterator<Item = Part<'d>> {
    let dags = document.dags.is_some().then_some(Part::Dags);
    let target = document.target.is_some().then_some(Part::Target);
    [dags, target].into_iter().flatten()
}

/// Each with what it is a part of.
pub(super) fn lines<'d>(ctx: &Ctx<'_>, document: &Document, width: u16) -> Vec<(Option<Part<'d>>, Vec<Line<'static>>)> {
    let mut all = Vec::new();
    if let Some(dags) = &document.dags {
        let (level, text) = of_dags(ctx, dags);
        all.push((Some(Part::Dags), said(ctx, level, "DAGs", &text, width)));
    }
    if let Some(target) = &document.target {
        let (level, text) = of_target(ctx, target);
        all.push((Some(Part::Target), said(ctx, level, "target", &text, width)));
    }
    if let Some(rescue) = document.rescue.as_ref().filter(|rescue| !rescue.tasks.is_empty()) {
        all.push((None, said(ctx, Level::Critical, "rescue", &at_risk(ctx, rescue), width)));
    }
    all
}

/// How the disk is, worst first: what hangs, what is not mounted, what differs, and only then what is well.
fn of_dags(ctx: &Ctx<'_>, dags: &DagsDoc) -> (Level, String) {
    let hosts: Vec<(Level, String)> = dags.hosts.iter().map(|host| of_host(ctx, host)).collect();
    let mut level = hosts.iter().map(|(level, _)| *level).max().unwrap_or(Level::Unknown);
    let mut words: Vec<String> = hosts.into_iter().map(|(_, text)| text).collect();
    let first = dags.hosts.iter().find(|host| host.state == DiskState::Answers && host.mounted == Some(true));
    if let Some(host) = first {
        let from = host.mounted_from.as_deref().unwrap_or_default();
        words.push(format!("{from} {}", host.fstype.as_deref().unwrap_or_default()).trim().to_owned());
        words.extend(host.used_share.map(|share| format!("{:.0} % used", share * 100.0)));
        words.extend(host.newest_changed.map(|at| format!("newest DAG {}", ctx.ago(at))));
    }
    match dags.same {
        Some(true) => words.push("the same on all".to_owned()),
        Some(false) => {
            level = level.max(Level::Warning);
            words.insert(0, "files DIFFER".to_owned());
        }
        None => {}
    }
    (level, words.join(", "))
}

fn of_host(ctx: &Ctx<'_>, host: &DagsHostDoc) -> (Level, String) {
    let name = &host.name;
    match host.state {
        DiskState::Hung => (Level::Critical, format!("{name} HUNG {}", host.hung_seconds.map(seconds).unwrap_or_default())),
        DiskState::Fails => (Level::Critical, format!("{name} {}", host.error.as_deref().unwrap_or("fails"))),
        DiskState::Unknown => {
            let old = host.asked.age_ms.map_or("never".to_owned(), |ms| format!("{} ago", age_short(ctx.aged(ms))));
            (Level::Unknown, format!("{name} not known, last {old}"))
        }
        DiskState::Answers if host.mounted == Some(false) => (Level::Critical, format!("{name} NOT MOUNTED")),
        DiskState::Answers if host.mounted.is_none() => (Level::Unknown, format!("{name} answers, its mount is not told")),
        DiskState::Answers => (Level::Ok, format!("{name} answers")),
    }
}

fn of_target(ctx: &Ctx<'_>, target: &TargetDoc) -> (Level, String) {
    if !target.asked.fresh {
        let old = target.asked.age_ms.map_or("never".to_owned(), |ms| format!("{} ago", age_short(ctx.aged(ms))));
        return (Level::Unknown, format!("{} not known, last heard {old}", target.name));
    }
    let mut words = vec![target.name.clone()];
    words.extend(target.load_1.map(|load| format!("load {load:.1}")));
    words.extend(target.used_share.map(|share| format!("disk {:.0} %", share * 100.0)));
    let mut level = Level::Ok;
    match (&target.book, &target.book_error) {
        (_, Some(why)) => {
            level = Level::Warning;
            words.push(why.clone());
        }
        (Some(book), None) => {
            let orphans = book.open.iter().filter(|job| job.runs_in_airflow == Some(false)).count();
            words.push(format!("{}: {} started twice, {} open", book.kind, book.twice.len(), book.open.len()));
            if orphans > 0 {
                level = Level::Warning;
                words.push(format!("{orphans} of them NOT in Airflow"));
            }
            if book.twice.iter().any(|job| job.again) {
                level = Level::Critical;
            }
        }
        (None, None) => words.push("no ledger is configured".to_owned()),
    }
    (level, words.join(", "))
}

fn at_risk(ctx: &Ctx<'_>, rescue: &RescueDoc) -> String {
    let finished = rescue.tasks.iter().filter(|task| task.done == DoneState::Finished && task.retries).count();
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
        let (level, text) = of_host(ctx, host);
        sheet.heading(&host.name);
        sheet.fact("disk", text, role(ctx, level), &asked::said(ctx, &format!("dags {}", host.name), &host.asked));
        if let (Some(mount), Some(from)) = (&host.mount, &host.mounted_from) {
            sheet.fact("mounted", format!("{mount} from {from}"), Role::Text, host.fstype.as_deref().unwrap_or_default());
        }
        if let Some(options) = &host.options {
            sheet.fact("options", options.clone(), Role::Text, "");
        }
        if let (Some(size), Some(available)) = (host.size_bytes, host.available_bytes) {
            sheet.fact("available", format!("{} of {}", bytes(available), bytes(size)), Role::Text, "");
        }
        if let Some(share) = host.inodes_free_share {
            sheet.fact("inodes free", format!("{:.0} %", share * 100.0), Role::Text, "");
        }
        let counted = host.counted_at.map(|at| format!("counted {} ago", ctx.ago(at))).unwrap_or_default();
        if let Some(files) = host.files {
            sheet.fact("DAG files", files.to_string(), Role::Text, &counted);
        }
        if let (Some(file), Some(at)) = (&host.newest_file, host.newest_changed) {
            sheet.fact("newest", file.clone(), Role::Text, &at.minute());
        }
        asked::lines(ctx, &mut sheet, "asked", &host.asked);
    }
    Some(Details { title: "DAGs".to_owned(), lines: sheet.lines() })
}

/// The sheet of the target.
pub(super) fn target_details(ctx: &Ctx<'_>, width: u16) -> Option<Details> {
    let target = ctx.document()?.target.as_ref()?;
    let mut sheet = Sheet::new(ctx.look, width);
    let (level, text) = of_target(ctx, target);
    sheet.heading(&target.name);
    sheet.fact("state", text, role(ctx, level), &asked::said(ctx, "target", &target.asked));
    if let (Some(mount), Some(available)) = (&target.mount, target.available_bytes) {
        sheet.fact("disk", format!("{} available on {mount}", bytes(available)), Role::Text, "");
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
            sheet.fact(&format!("{} starts", job.starts), format!("{}.{} {}", job.dag, job.task, job.run), Role::Text, &started);
            sheet.fact("", known, Role::Muted, "");
        }
    }
    Some(Details { title: "target".to_owned(), lines: sheet.lines() })
}

fn role(ctx: &Ctx<'_>, level: Level) -> Role {
    if level == Level::Ok { Role::Text } else { ctx.look.level(level) }
}
