//! `watchdog`: whether the kernel stops a leader whose Patroni hangs.

use super::judged::Judged;
use super::{Case, Judgement};

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
    // A watchdog that is required and failed is told; that none is configured is not.
    let silent: Vec<&str> = told.iter().filter(|(_, rest)| !rest.watchdog_failed).map(|(member, _)| member.name.as_str()).collect();
    if !silent.is_empty() {
        let why = format!(
            "Patroni tells only of a required watchdog that fails: see `watchdog: mode: required` in the patroni.yml of {}",
            crate::model::listed(&silent)
        );
        all.push(Judged::not_known(why));
    }
    all
}
