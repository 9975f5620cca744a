//! Airflow in the picture: whether its database could go away now, its programs, what they do.

use std::collections::BTreeMap;

use super::card::{Card, Item};
use super::part::Part;
use crate::document::{AirflowDoc, AirflowHealthDoc, AirflowMetadata, AirflowPoolDoc, Asked, Document, Level, SCHEDULER_SILENT};
use crate::model::AirflowComponent;
use crate::theme::Role;
use crate::ui::format::{age, age_short};
use crate::ui::pane::{Ctx, Details};
use crate::ui::panes::airflow::level as verdict_level;
use crate::ui::panes::asked;
use crate::ui::widget::Sheet;

/// Since when nothing newer is known, if what is known is old.
pub(super) fn old(ctx: &Ctx<'_>, asked: &Asked) -> Option<String> {
    if asked.fresh {
        return None;
    }
    Some(asked.age_ms.map_or("never read".to_owned(), |ms| format!("{} old", age_short(ctx.aged(ms)))))
}

pub(super) fn card<'d>(ctx: &Ctx<'_>, document: &'d Document) -> Option<Card<'d>> {
    let airflow = document.airflow.as_ref()?;
    let verdict = airflow.quiet.verdict;
    let why = airflow.quiet.grounds.first().map(|ground| ground.sentence.as_str()).unwrap_or_default();
    let mut items = vec![Item::new(verdict_level(verdict), "", format!("{verdict}: {why}")).of(Part::Airflow)];
    let stale = old(ctx, &airflow.asked);
    if let Some(metadata) = &airflow.metadata {
        items.extend(programs(ctx, metadata, stale.is_some()).into_iter().map(|item| item.stale(stale.clone())));
    }
    items.extend(airflow.health.iter().map(|health| endpoint(ctx, health)));
    if let Some(metadata) = &airflow.metadata {
        items.push(tasks(metadata).stale(stale.clone()));
        items.push(pools(metadata).stale(stale.clone()));
        if metadata.import_errors > 0 {
            items.push(imports(metadata).stale(stale));
        }
    }
    let title = airflow.metadata.as_ref().map_or("Airflow".to_owned(), |metadata| format!("Airflow {}", metadata.line));
    Some(Card::new(Some(Part::Airflow), title, items))
}

/// Each kind by its newest heartbeat, and on which host that is; of what was read a while ago nobody is called silent.
fn programs<'d>(ctx: &Ctx<'_>, metadata: &AirflowMetadata, stale: bool) -> Vec<Item<'d>> {
    let told = AirflowComponent::PROGRAMS.into_iter().filter_map(|(kind, name)| {
        let of_kind = metadata.components.iter().filter(|one| one.kind == kind);
        let newest = of_kind.filter_map(|one| Some((one.heartbeat_age_ms?, one.host.as_deref()))).min();
        let item = match newest {
            Some((ms, host)) => {
                let (ms, host) = (ctx.aged(ms), host.map(|host| format!(" on {host}")).unwrap_or_default());
                if stale {
                    // Nobody has read since whether there was another.
                    Item::new(Level::Unknown, name, format!("last known heartbeat{host}")).short("not known")
                } else if u128::from(ms) <= SCHEDULER_SILENT.as_millis() {
                    Item::new(Level::Ok, name, format!("heartbeat {}{host}", age_short(ms))).short("")
                } else {
                    Item::new(Level::Warning, name, format!("SILENT for {}{host}", age(ms))).short(format!("SILENT {}", age_short(ms)))
                }
            }
            None if kind == "SchedulerJob" && !stale => Item::new(Level::Warning, name, "not heard of for an hour").short("NONE"),
            None => return None,
        };
        Some(item.of(Part::Programs))
    });
    told.collect()
}

fn endpoint<'d>(ctx: &Ctx<'_>, health: &AirflowHealthDoc) -> Item<'d> {
    let complaints: Vec<String> =
        health.programs.iter().filter(|one| one.state != "healthy").map(|one| format!("{} {}", one.name, one.state)).collect();
    let told = |level: Level, words: &str| Item::new(level, "health", format!("{words}, {}", health.name)).stale(old(ctx, &health.asked));
    let item = match (&health.asked.error, health.status) {
        (Some(_), _) if asked::absent(&health.asked) => {
            let since = health.asked.age_ms.map_or("NEVER ANSWERED".to_owned(), |ms| format!("SILENT for {}", age(ctx.aged(ms))));
            Item::new(Level::Warning, "health", format!("{since}, {}", health.name))
        }
        // Somebody answers, and not as Airflow does.
        (Some(error), _) => Item::new(Level::Unknown, "health", format!("not known: {error}")).short(format!("not known, {}", health.name)),
        (None, Some(503)) => told(Level::Warning, "503"),
        _ if !complaints.is_empty() => told(Level::Warning, &complaints.join(", ")),
        (None, Some(status)) => told(Level::Ok, &status.to_string()),
        (None, None) => Item::new(Level::Unknown, "health", format!("not asked yet, {}", health.name)),
    };
    item.aside().of(Part::Programs)
}

/// `deferred 1, running 2 (2 on vm4)`.
fn tasks<'d>(metadata: &AirflowMetadata) -> Item<'d> {
    let mut hosts: BTreeMap<&str, usize> = BTreeMap::new();
    for task in metadata.work.iter().filter(|task| task.state == "running") {
        *hosts.entry(task.host.as_deref().unwrap_or("?")).or_default() += 1;
    }
    let on = |(host, n): (&str, usize)| format!("{n} on {host}");
    let mut words: Vec<String> = metadata.tasks.iter().map(|(state, n)| format!("{state} {n}")).collect();
    if words.is_empty() {
        words.push("none is open".to_owned());
    }
    let short = words.join(", ");
    let hosts: Vec<String> = hosts.into_iter().map(on).collect();
    let long = if hosts.is_empty() { short.clone() } else { format!("{short} ({})", hosts.join(", ")) };
    Item::new(Level::Ok, "tasks", long).short(short).of(Part::Airflow).aside()
}

fn slots(pool: &AirflowPoolDoc) -> String {
    if pool.slots < 0 { "∞".to_owned() } else { pool.slots.to_string() }
}

fn pools<'d>(metadata: &AirflowMetadata) -> Item<'d> {
    let each: Vec<String> = metadata.pools.iter().map(|pool| format!("{} {}/{}", pool.name, pool.taken, slots(pool))).collect();
    let item = match (metadata.frozen, each.is_empty()) {
        (true, _) => Item::new(Level::Warning, "pools", "FROZEN: every pool has 0 slots").short("FROZEN"),
        (false, true) => Item::new(Level::Unknown, "pools", "none is told"),
        (false, false) => Item::new(Level::Ok, "pools", each.join(", ")).short(each.join(", ")),
    };
    item.of(Part::Pools)
}

fn imports<'d>(metadata: &AirflowMetadata) -> Item<'d> {
    let count = metadata.import_errors;
    let name = |path: &String| path.rsplit('/').next().unwrap_or(path).to_owned();
    let named: Vec<String> = metadata.import_error_files.iter().map(name).collect();
    let named = if named.is_empty() { String::new() } else { format!(": {}", named.join(", ")) };
    Item::new(Level::Warning, "DAGs", format!("{count} BROKEN{named}")).of(Part::Airflow)
}

/// Hosts on which one of its programs is at work, or a task runs.
pub(super) fn hosts(ctx: &Ctx<'_>, airflow: &AirflowDoc) -> Vec<String> {
    let Some(metadata) = airflow.metadata.as_ref().filter(|_| airflow.asked.fresh) else { return Vec::new() };
    let beats = |ms: Option<u64>| ms.is_some_and(|ms| u128::from(ctx.aged(ms)) <= SCHEDULER_SILENT.as_millis());
    let programs = metadata.components.iter().filter(|one| beats(one.heartbeat_age_ms)).filter_map(|one| one.host.clone());
    let tasks = metadata.work.iter().filter(|task| task.state == "running").filter_map(|task| task.host.clone());
    programs.chain(tasks).collect()
}

/// The sheet of its programs.
pub(super) fn programs_details(ctx: &Ctx<'_>, width: u16) -> Option<Details> {
    let airflow = ctx.document()?.airflow.as_ref()?;
    let metadata = airflow.metadata.as_ref()?;
    let mut sheet = Sheet::new(ctx.look, width);
    let said = asked::said(ctx, "airflow", &airflow.asked);
    sheet.heading("Heartbeats of the last hour");
    for one in &metadata.components {
        let name = AirflowComponent::PROGRAMS.iter().find(|(kind, _)| *kind == one.kind).map_or(one.kind.as_str(), |(_, name)| name);
        let host = one.host.as_deref().map(|host| format!(" on {host}")).unwrap_or_default();
        let (text, role) = match one.heartbeat_age_ms.map(|ms| ctx.aged(ms)) {
            Some(ms) if u128::from(ms) <= SCHEDULER_SILENT.as_millis() => {
                (format!("heartbeat {} ago{host}", age(ms.max(1000))), Role::Text)
            }
            Some(ms) => (format!("last heartbeat {} ago{host}", age(ms)), Role::Warning),
            None => (format!("no heartbeat is told{host}"), Role::Unknown),
        };
        sheet.fact(name, text, if airflow.asked.fresh { role } else { Role::Stale }, &said);
    }
    if metadata.components.is_empty() {
        sheet.text("none", Role::Warning);
    }
    for health in &airflow.health {
        sheet.heading(&format!("Endpoint {}", health.name));
        if let Some(status) = health.status {
            let role = if status == 200 { Role::Text } else { Role::Warning };
            sheet.fact("status", status.to_string(), if health.asked.fresh { role } else { Role::Stale }, "");
        }
        for program in &health.programs {
            let role = if program.state == "healthy" { Role::Text } else { Role::Warning };
            sheet.fact(&program.name, program.state.clone(), if health.asked.fresh { role } else { Role::Stale }, "");
        }
        asked::lines(ctx, &mut sheet, "asked", &health.asked);
    }
    sheet.heading("Who was asked");
    asked::lines(ctx, &mut sheet, "Airflow's metadata", &airflow.asked);
    Some(Details { title: "Airflow's programs".to_owned(), lines: sheet.lines() })
}

/// The sheet of its pools.
pub(super) fn pools_details(ctx: &Ctx<'_>, width: u16) -> Option<Details> {
    let airflow = ctx.document()?.airflow.as_ref()?;
    let metadata = airflow.metadata.as_ref()?;
    let mut sheet = Sheet::new(ctx.look, width);
    let said = asked::said(ctx, "airflow", &airflow.asked);
    let role = if airflow.asked.fresh { Role::Text } else { Role::Stale };
    if metadata.frozen {
        sheet.text("every pool has 0 slots: no task begins", Role::Warning);
    }
    for pool in &metadata.pools {
        sheet.heading(&pool.name);
        sheet.fact("slots", slots(pool), role, &said);
        sheet.fact(
            "taken",
            pool.taken.to_string(),
            role,
            if pool.include_deferred { "deferred tasks too" } else { "deferred tasks take none" },
        );
        sheet.fact("tasks that wait", pool.waiting.to_string(), role, "");
        if let Some(had) = airflow.frozen_here.as_ref().and_then(|frozen| frozen.slots.get(&pool.name)) {
            sheet.fact("had before", had.to_string(), Role::Text, "when it was frozen from this machine");
        }
    }
    sheet.heading("Who was asked");
    asked::lines(ctx, &mut sheet, "Airflow's metadata", &airflow.asked);
    Some(Details { title: "Airflow's pools".to_owned(), lines: sheet.lines() })
}
