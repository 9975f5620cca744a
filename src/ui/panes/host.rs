//! What a member's node tells of itself, on the member's sheet. It is the last part of it: its figures move all the time.

use super::asked::{lines as asked_lines, said};
use crate::document::{LoginDoc, NodeDoc, PlaceDoc, UnitDoc};
use crate::log::ahead_told;
use crate::model::ClockSkew;
use crate::theme::Role;
use crate::ui::format::{UNKNOWN, bytes, seconds};
use crate::ui::pane::Ctx;
use crate::ui::widget::Sheet;

/// Lines of a sheet; none when the nodes are not looked at.
pub(super) fn lines(ctx: &Ctx<'_>, sheet: &mut Sheet<'_>, name: &str) {
    let Some(node) = ctx.document().and_then(|document| document.nodes.iter().find(|node| node.name == name)) else { return };
    let host = said(ctx, "ssh", &node.asked);
    sheet.heading("Host");
    asked_lines(ctx, sheet, "over ssh", &node.asked);
    if node.asked.age_ms.is_none() {
        return;
    }
    let usual = if node.asked.fresh { Role::Text } else { Role::Stale };
    let mut fact = |name: &str, value: Option<String>| match value {
        Some(value) => sheet.fact(name, value, usual, &host),
        None => sheet.fact(name, UNKNOWN, Role::Unknown, ""),
    };
    for (n, place) in node.places.iter().enumerate() {
        let known = node.places[..n].iter().find(|before| place.device.is_some() && before.device == place.device);
        let told = known.map_or_else(|| room(place), |before| format!("on the file system of {}", before.kind));
        fact(&place.kind.to_string(), Some(told));
        if let Some(path) = &place.path {
            fact("", Some(path.clone()));
        }
    }
    fact("load", load(node));
    fact("memory", memory(node));
    fact("killed for memory", node.oom_kills_total.map(|count| format!("{count} since the boot")));
    fact("up for", node.uptime_seconds.map(|up| seconds(up as f64)));
    fact("its clock", own_clock(node));
    for unit in node.units.iter().flatten() {
        fact(&unit.name, Some(state(unit)));
    }
    for login in node.logins.iter().flatten() {
        fact("logged in", Some(told(login)));
    }
    if node.logins.as_ref().is_some_and(Vec::is_empty) {
        fact("logged in", Some("nobody".to_owned()));
    }
}

/// `12 GB of 100 GB left (12 %) at /var/lib`.
fn room(place: &PlaceDoc) -> String {
    let (Some(available), Some(size), Some(mount)) = (place.available_bytes, place.size_bytes, &place.mount) else {
        return place.error.as_ref().map_or_else(|| UNKNOWN.to_owned(), |error| format!("{UNKNOWN} ({error})"));
    };
    let share = place.available_share.map(|share| format!(" ({:.0} %)", share * 100.0)).unwrap_or_default();
    let inodes = match (place.inodes_free, place.inodes) {
        (Some(free), Some(all)) if all > 0 => format!(", {:.0} % of the inodes", free as f64 / all as f64 * 100.0),
        _ => String::new(),
    };
    let full = place.full_in_seconds.map(|left| format!(", full in {} if it goes on so", seconds(left as f64))).unwrap_or_default();
    format!("{} of {} left{share}{inodes}{full}, at {mount}", bytes(available), bytes(size))
}

fn load(node: &NodeDoc) -> Option<String> {
    let (one, five, fifteen) = (node.load_1?, node.load_5?, node.load_15?);
    let cpus = node.cpus.map(|cpus| format!(" on {cpus} CPUs")).unwrap_or_default();
    Some(format!("{one:.1}, {five:.1}, {fifteen:.1} over 1, 5, 15 min{cpus}"))
}

fn memory(node: &NodeDoc) -> Option<String> {
    let swap = match node.swap_used_bytes {
        Some(0) => ", no swap used".to_owned(),
        Some(used) => format!(", {} of swap used", bytes(used)),
        None => String::new(),
    };
    Some(format!("{} of {} available{swap}", bytes(node.memory_available_bytes?), bytes(node.memory_bytes?)))
}

/// A clock beside ours, and how well that is known.
pub(super) fn clock(skew: ClockSkew) -> String {
    let difference = match ahead_told(skew.reckoned(0)) {
        None => "as ours".to_owned(),
        Some(told) if told.ends_with("behind") => format!("{told} ours"),
        Some(told) => format!("{told} of ours"),
    };
    let within = match skew.within() {
        ..1000 => "1 ms".to_owned(),
        micros @ ..100_000 => format!("{} ms", micros / 1000),
        micros => seconds(micros as f64 / 1e6),
    };
    format!("{difference}, to {within}")
}

fn own_clock(node: &NodeDoc) -> Option<String> {
    let synchronized = match node.clock_synchronized {
        Some(true) => ", synchronised by its own word",
        Some(false) => ", not synchronised by its own word",
        None => "",
    };
    Some(format!("{}{synchronized}", clock(node.clock()?)))
}

fn state(unit: &UnitDoc) -> String {
    let mut words = vec![format!("{} ({})", unit.state, unit.sub)];
    words.extend(unit.changed_seconds_ago.map(|span| format!("for {}", seconds(span as f64))));
    words.extend(Some(unit.result.clone()).filter(|result| !result.is_empty() && result != "success"));
    words.extend(unit.restarts.filter(|count| *count > 0).map(|count| format!("{count} restarts")));
    words.join(", ")
}

fn told(login: &LoginDoc) -> String {
    let from = login.from.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
    format!("{} at {}{from} since {}", login.user, login.terminal, login.since)
}
