use std::collections::BTreeMap;

use super::*;
use crate::document::SourceDoc;
use crate::finding::{Forecast, Tracker};
use crate::model::Cluster;
use crate::runbook::parse;

/// A document of which nothing is known but the cluster's name, at this second.
fn document(second: i64) -> Document {
    let (cluster, at) = (Cluster::new("card", "/service/", BTreeMap::new()), moment(second));
    Document::of(&cluster, &Tracker::default(), &Forecast::of(&cluster, at), &crate::finding::Limits::default(), "card", at)
}

fn moment(second: i64) -> Time {
    Time::from_micros(second * 1_000_000)
}

fn progress(steps: &str, idle: Option<&str>) -> Progress {
    let step = |lines: &str| format!("```pgbaton\n{lines}\n```\n");
    let steps: String = steps.split("\n\n").map(step).collect();
    let text =
        format!("---\ntitle: t\ndanger: reads\ninputs:\n  - name: who\n    question: Who\n    choices: [ada, bert]\n---\n# T\n{steps}");
    let runbook = parse("t", "t.md", &text, &|_| Ok(())).expect("no mistake");
    let run = Run { begun: moment(0), ..Run::sample(runbook.digest()) };

    Progress::of(runbook, run, idle.map(str::to_owned), &document(0), moment(0))
}

fn begun(steps: &str) -> Progress {
    let mut progress = progress(steps, None);
    progress.answer("ada", &document(0), moment(0)).expect("an answer");
    progress
}

#[test]
fn what_is_asked_before_it_begins_is_answered_with_what_there_is() {
    let mut progress = progress("require = \"cluster.name == 'card'\"", None);
    assert_eq!(progress.stage, Stage::Input(0));
    assert!(!progress.look(&document(1), moment(1)), "nothing is judged before");
    assert_eq!(progress.answer("carl", &document(1), moment(1)), Err("\"carl\" is none of ada, bert".to_owned()));
    assert_eq!(progress.answer("bert", &document(1), moment(1)), Ok(()));
    assert!(progress.look(&document(1), moment(1)));
    assert_eq!(progress.stage, Stage::Finished);
}

#[test]
fn a_wait_holds_the_run_until_it_is_so_or_too_late() {
    let mut progress = begun("wait = \"cluster.leader == {who}\"\ndeadline = \"10s\"\n\nlook = \"x?\"");
    assert!(!progress.look(&document(1), moment(1)));
    let Stage::Waits { condition, held, .. } = &progress.stage else { panic!("{:?}", progress.stage) };
    assert_eq!((condition.as_str(), held), ("cluster.leader == \"ada\"", &Err("cluster.leader is not known".to_owned())));
    assert!(!progress.look(&document(10), moment(10)));
    assert!(progress.look(&document(11), moment(11)));
    assert!(matches!(&progress.stage, Stage::Failed { unknown: false, why } if why.starts_with("after 10 s: not known yet: ")));
    progress.skip("it is known", moment(12));
    progress.look(&document(13), moment(13));
    assert!(matches!(&progress.stage, Stage::Asks(Task::Look { .. })), "{:?}", progress.stage);
    progress.confirm(false, moment(16)).expect("an answer");
    assert!(matches!(&progress.stage, Stage::Failed { .. }));
    progress.again(moment(17)).expect("it failed");
    progress.look(&document(18), moment(18));
    assert_eq!(progress.stage, Stage::Ahead, "what follows what somebody did is not judged by a picture from before");
    progress.look(&document(20), moment(20));
    progress.confirm(true, moment(21)).expect("an answer");
    progress.look(&document(22), moment(22));
    assert_eq!(progress.stage, Stage::Finished);
}

#[test]
fn what_follows_a_deed_is_judged_by_what_was_asked_after_it() {
    let source = |name: &str, age: Option<u64>, rtt: Option<f64>, limit: u64| SourceDoc {
        name: name.to_owned(),
        target: "x".to_owned(),
        age_ms: age,
        fresh: true,
        limit_ms: limit,
        error: None,
        error_kind: None,
        rtt_ms: rtt,
    };
    let proxy = |age: u64, rtt: f64| source("haproxy", Some(age), Some(rtt), 7000);
    // Seconds after the deed, who was heard, whether that is enough.
    let table = [
        (1, vec![], false),
        (4, vec![], true),
        (4, vec![proxy(100, 5.0)], true),
        (4, vec![proxy(4500, 5.0)], false),
        (4, vec![proxy(100, 5.0), source("sql", Some(4500), Some(5.0), 5000)], false),
        // It came after the deed, and was asked for before it.
        (4, vec![proxy(2000, 1900.0)], false),
        // It is too old to count, or there never was one.
        (6, vec![source("sql", Some(5500), Some(5.0), 5000), source("rest", None, None, 5000)], true),
        (9, vec![proxy(6900, 5.0)], true),
    ];
    for (seconds, sources, enough) in table {
        let mut progress = begun("id = \"a\"\nlook = \"a?\"\n\nrequire = \"cluster.name == 'card'\"\n\nlook = \"b?\"");
        progress.look(&document(1), moment(1));
        progress.confirm(true, moment(20)).expect("an answer");
        let later = Document { sources: sources.clone(), ..document(20 + seconds) };
        progress.note("y", moment(20 + seconds));
        assert_eq!(progress.look(&later, moment(20 + seconds)), enough, "{seconds}: {sources:?}");
    }
    // Who passes the step over has not made the picture newer.
    let mut progress = begun("id = \"a\"\nlook = \"a?\"\n\nrequire = \"cluster.name == 'card'\"\n\nlook = \"b?\"");
    progress.look(&document(1), moment(1));
    progress.confirm(true, moment(20)).expect("an answer");
    progress.skip("x", moment(20));
    progress.look(&document(20), moment(20));
    assert_eq!(progress.stage, Stage::Ahead);
}

#[test]
fn a_wait_that_may_be_in_vain_goes_on_at_its_deadline() {
    let mut progress = begun("wait = \"cluster.paused\"\ndeadline = \"10s\"\nat_deadline = \"go on\"");
    progress.look(&document(1), moment(1));
    progress.look(&document(12), moment(12));
    progress.look(&document(16), moment(16));
    assert_eq!(progress.stage, Stage::Finished);
    assert!(matches!(&progress.run.entries[0].deed, Deed::Skipped { reason } if reason.starts_with("after 10 s: not known yet: ")));
}

#[test]
fn an_action_whose_end_nobody_saw_is_neither_done_nor_begun_anew() {
    let mut first = begun("id = \"act\"\naction = \"resume\"");
    first.look(&document(1), moment(1));
    assert_eq!(first.stage, Stage::Asks(Task::Act(vec!["resume".to_owned()])));
    first.begin(moment(2));
    // The console is killed here.
    let mut second = Progress::of(first.runbook.clone(), first.run.clone(), None, &document(5), moment(5));
    second.look(&document(5), moment(5));
    assert!(matches!(&second.stage, Stage::Failed { unknown: true, .. }), "{:?}", second.stage);
    let mut third = second.clone();
    second.settled(moment(6)).expect("unknown");
    second.look(&document(9), moment(9));
    assert_eq!(second.stage, Stage::Finished);
    third.again(moment(6)).expect("failed");
    third.look(&document(9), moment(9));
    assert_eq!(third.stage, Stage::Asks(Task::Act(vec!["resume".to_owned()])));
}

#[test]
fn who_may_do_nothing_reads() {
    let mut progress = progress("look = \"x?\"", Some("read-only"));
    assert_eq!(progress.stage, Stage::Reading("read-only".to_owned()));
    assert!(!progress.look(&document(5), moment(5)));
    assert!(progress.confirm(true, moment(5)).is_err() && progress.again(moment(5)).is_err());
}
