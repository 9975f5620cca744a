//! `standby-feedback`: whether the copies of logical slots can be used.

use super::judged::{DYNAMIC, Judged, Severity, unless};
use super::{Case, Judgement};

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "standby-feedback",
    why: "A copy of a logical slot is of use after a failover only if the leader has kept the catalog's rows that it needs, which it learns by \
          hot_standby_feedback. Where one member has it and another not, the failover changes what queries on a replica survive.",
    cites: &[],
    judge,
};

fn judge(case: &Case<'_>) -> Vec<Judged> {
    const NAME: &str = "hot_standby_feedback";
    let config = match case.config() {
        Ok(config) => config,
        Err(open) => return vec![open],
    };
    let (known, mut open) = case.parameters();
    let values: Vec<_> = known.iter().filter_map(|(member, all)| Some((*member, all.of_server(NAME)?))).collect();
    if values.len() < known.len() {
        open.push(Judged::not_known(format!("{NAME} is not told by every member")));
    }
    let evidence = || values.iter().map(|(member, value)| case.setting(member, NAME, value));
    let off: Vec<&str> = values.iter().filter(|(_, value)| *value != "on").map(|(member, _)| member.name.as_str()).collect();
    let mut found = Vec::new();
    if config.has_logical_slots() && !off.is_empty() {
        let sentence = format!("{NAME} is off on {}: its copies of the logical slots may be of no use", crate::model::listed(&off));
        found.push(Judged::hurts(Severity::Warning, sentence).by(evidence()));
    } else if !off.is_empty() && off.len() < values.len() {
        let sentence = format!("{NAME} is off on {} and on on the others", crate::model::listed(&off));
        found.push(Judged::hurts(Severity::Note, sentence).by(evidence()));
    }
    let found = found.into_iter().map(|judged| judged.change(DYNAMIC, format!("postgresql: parameters: {NAME}: 'on'"))).collect();
    unless(found, open, || Judged::holds(format!("{NAME} is the same on all members, and no logical slot needs another")).by(evidence()))
}
