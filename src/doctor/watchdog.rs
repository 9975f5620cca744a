//! `watchdog`: whether the kernel stops a leader whose Patroni hangs.

use super::judged::{Judged, Severity};
use super::{Case, Judgement};
use crate::finding::Evidence;
use crate::model::{Member, SourceId, SourceKind, Time, WatchdogBlock, WatchdogMode, WatchdogSeen, listed};

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "watchdog",
    why: "When Patroni hangs, nothing but a watchdog stops its PostgreSQL at the end of the lease: until HAProxy notices, two servers accept writes.",
    cites: &["watchdog-off"],
    judge,
};

fn judge(case: &Case<'_>) -> Vec<Judged> {
    let mut all: Vec<Judged> = case
        .cite(JUDGEMENT.cites)
        .into_iter()
        .map(|judged| {
            let place = format!("patroni.yml of {}, watchdog", judged.subject.clone().unwrap_or_default());
            judged.change(place, "device: /dev/watchdog")
        })
        .collect();
    let (told, open) = case.rest();
    all.extend(open);
    let mut silent: Vec<&str> = Vec::new();
    // A watchdog that is required and failed is told; that none is configured is not.
    for (member, _) in told.into_iter().filter(|(_, rest)| !rest.watchdog_failed) {
        match case.survey.watchdogs.get(&member.name) {
            Some(Ok((seen, at))) => all.push(by_node(case, member, seen, *at)),
            Some(Err(why)) => all.push(Judged::not_known(format!("{TOLD}, and its node does not tell more: {why}")).of(&member.name)),
            None => silent.push(&member.name),
        }
    }
    if !silent.is_empty() {
        let why = format!(
            "{TOLD}: see `watchdog: mode: required` in the patroni.yml of {}, or have it read there by a table [ssh]",
            listed(&silent)
        );
        all.push(Judged::not_known(why));
    }
    all
}

/// With mode required and a device that does not work a member does not lead.
const LINE: &str = "mode: required  # once the device works: without it nobody leads then";

const TOLD: &str = "Patroni tells only of a required watchdog that fails";

/// By what is read on the node, where Patroni says of nothing that it fails.
fn by_node(case: &Case<'_>, member: &Member, seen: &WatchdogSeen, at: Time) -> Judged {
    let name = &member.name;
    let says = |what: &str, value: String| Evidence::new(SourceId::new(SourceKind::Host, name), what, value, Some(at));
    // Its own file goes before the dynamic configuration (patroni/config.py).
    let dynamic = || case.cluster.config().and_then(|config| WatchdogBlock::of(config.raw.get("watchdog")?));
    let (block, by) = match (&seen.block, dynamic()) {
        (Some(block), _) => (block.clone(), seen.file.clone()),
        (None, Some(block)) => (block, "the dynamic configuration".to_owned()),
        (None, None) => (WatchdogBlock::default(), format!("{}, which says nothing of it", seen.file)),
    };
    let devices = if seen.devices.is_empty() { "none".to_owned() } else { seen.devices.join(" ") };
    let evidence = [says(&format!("watchdog mode by {by}"), block.mode.to_string()), says("devices", devices)];
    let held = seen.active.map(|active| says("a watchdog is held, by the kernel", if active { "yes" } else { "no" }.to_owned()));
    let evidence: Vec<Evidence> = evidence.into_iter().chain(held).collect();
    let place = format!("{} of {name}, watchdog", seen.file);
    let hurts = |severity, sentence: String| Judged::hurts(severity, sentence).of(name).by(evidence.clone());
    let open = |why: String| Judged::not_known(why).of(name).by(evidence.clone());
    match block.mode {
        WatchdogMode::Off => hurts(Severity::Note, format!("{name} has no watchdog: it is switched off")).change(place, LINE),
        WatchdogMode::Required if seen.newer && seen.block.is_some() => {
            open(format!("{} was changed after Patroni was started, and whether Patroni has read it since is not told", seen.file))
        }
        WatchdogMode::Required => Judged::holds("it is required, and Patroni does not say that it fails").of(name).by(evidence),
        // What is called otherwise is not looked for.
        WatchdogMode::Automatic if !block.device.starts_with("/dev/watchdog") => {
            open(format!("whether {} works is not seen: with mode required Patroni would tell", block.device))
        }
        WatchdogMode::Automatic if !seen.devices.contains(&block.device) => {
            let sentence = format!("{name} has no watchdog: there is no {}, and with mode automatic Patroni does without", block.device);
            hurts(Severity::Note, sentence)
                .change(format!("the host of {name}"), format!("{} (modprobe softdog)", block.device))
                .change(place, LINE)
        }
        WatchdogMode::Automatic if case.cluster.leader_now(case.now) == Some(name.as_str()) && seen.active == Some(false) => {
            let sentence =
                format!("{name} leads, and nobody holds its watchdog: Patroni could not, and with mode automatic it leads without");
            hurts(Severity::Warning, sentence).change(place, LINE)
        }
        WatchdogMode::Automatic => open(format!(
            "there is a {}, and whether Patroni can use it is told by nobody before {name} leads: with mode required Patroni would tell",
            block.device
        )),
    }
}
