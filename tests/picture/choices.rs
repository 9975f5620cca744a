//! Whom a runbook's question offers, and why not the others.

use pgbaton::model::ErrorKind;
use pgbaton::runbook::{Among, Answers, Choices};
use serde_json::json;

use crate::scenario::Scenario;

fn who(which: &str) -> Answers {
    Answers::Among(Among::Members, Some(which.to_owned()))
}

fn choices(s: &Scenario, answers: &Answers) -> (Vec<String>, Vec<String>) {
    let Choices { offered, barred } = answers.choices(s.document()).expect("members are known");
    (offered, barred.into_iter().map(|(name, why)| format!("{name}: {why}")).collect())
}

#[test]
fn who_leads_is_not_offered_to_take_over_and_who_cannot_is_named_with_the_reason() {
    let lead = who("m.can_take_over");
    let mut s = Scenario::healthy();
    s.pass(1);
    assert_eq!(choices(&s, &lead), (vec!["psg2".to_owned(), "psg3".to_owned()], vec!["psg1: it leads".to_owned()]));
    assert_eq!(lead.refused("psg2", s.document()), None);
    assert_eq!(lead.refused("psg1", s.document()).as_deref(), Some("psg1 cannot be chosen: it leads"));
    assert_eq!(lead.strange("psg1", s.document()), None, "what is given beforehand is judged by the steps, when it counts");
    assert!(lead.strange("psg9", s.document()).is_some() && lead.refused("", s.document()).is_some());

    s.patroni("psg2", json!({"tags": {"nofailover": true}})).merge("members/psg2", json!({"tags": {"nofailover": true}})).pass(1);
    let (offered, barred) = choices(&s, &lead);
    assert_eq!(offered, ["psg3"]);
    assert!(barred.iter().any(|told| told.starts_with("psg2: ") && told.contains("nofailover")), "{barred:?}");

    // Of one who is silent it is not known, and that is no yes.
    s.silent("rest psg3").silent("sql psg3").pass(30);
    let (offered, barred) = choices(&s, &lead);
    assert_eq!(offered, [""; 0]);
    assert_eq!(barred.len(), 3, "nobody is left out unnamed: {barred:?}");
    assert!(lead.refused("psg3", s.document()).is_some_and(|why| why.starts_with("psg3 cannot be chosen: ")));
}

#[test]
fn a_condition_of_ones_own_narrows_as_well_and_what_is_not_known_bars() {
    let mut s = Scenario::healthy();
    s.pass(1);
    let other = who("m.name != cluster.leader");
    let told = "psg1: not so: m.name != cluster.leader".to_owned();
    assert_eq!(choices(&s, &other), (vec!["psg2".to_owned(), "psg3".to_owned()], vec![told]));
    s.fails("dcs", ErrorKind::Timeout, "no answer").fails("lease", ErrorKind::Timeout, "no answer").pass(9);
    let (offered, barred) = choices(&s, &other);
    assert_eq!(offered, [""; 0]);
    assert_eq!(barred[1], "psg2: cluster.leader is not known");
}
