use super::*;
use crate::finding::{Forecast, Tracker};
use crate::model::{Cluster, Time};

/// A document of which nothing is known.
fn unheard() -> Document {
    let cluster = Cluster::new("card", "/service/", std::collections::BTreeMap::new());
    Document::of(
        &cluster,
        &Tracker::default(),
        &Forecast::of(&cluster, Time::from_micros(0)),
        &crate::finding::Limits::default(),
        "card",
        Time::from_micros(0),
    )
}

fn judged(text: &str) -> Result<bool, String> {
    Condition::parse(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}")).holds(&unheard())
}

#[test]
fn a_mistake_is_told_with_its_column() {
    for (text, told) in [
        ("members.all(m, m.x <", "column 21: mismatched input the end"),
        ("cluster.leader = 'psg1'", "column 16: a single = compares nothing: two values are compared by =="),
        ("", "column 1: mismatched input the end"),
        ("members..x", "column 9: no viable alternative at input '..'"),
        ("a b", "column 3: extraneous input 'b' expecting the end"),
        ("(1", "column 3: missing ')' at the end"),
        ("'ä' == 'ö' +* 1", "column 13: extraneous input '*'"),
    ] {
        assert_eq!(Condition::parse(text).expect_err(text).to_string(), told, "{text}");
    }
}

#[test]
fn what_is_known_is_judged() {
    for (text, holds) in [
        ("cluster.name == 'card'", true),
        ("cluster.name in ['card', 'other'] && cluster.name.startsWith('c')", true),
        ("cluster.name == 'psg'", false),
        ("1 < 2.5 && 1 == 1.0 && 2 * 3 == 6", true),
        ("sources.exists(s, s.fresh)", false),
        ("sources.all(s, !s.fresh)", true),
        ("[1, 2].exists_one(x, x == 1)", true),
        ("has(cluster.name)", true),
    ] {
        assert_eq!(judged(text), Ok(holds), "{text}");
    }
}

#[test]
fn what_is_not_known_is_neither_true_nor_false() {
    for (text, what) in [
        ("cluster.leader == 'psg1'", "cluster.leader"),
        ("cluster.leader != 'psg1'", "cluster.leader"),
        ("!(cluster.leader in ['psg1'])", "cluster.leader"),
        ("cluster.leader.startsWith('psg')", "cluster.leader"),
        ("cluster.timeline < 3", "cluster.timeline"),
        ("3 > cluster.timeline + 1", "cluster.timeline"),
        ("!cluster.paused", "cluster.paused"),
        ("cluster.paused && true", "cluster.paused"),
        ("cluster.paused ? true : true", "cluster.paused"),
        ("cluster.paused == cluster.failsafe_mode", "cluster.paused"),
        ("members.all(m, m.replay_lag_bytes < 1)", "members"),
        ("size(members) == 0", "members"),
        ("members[0].name == 'psg1'", "members"),
        ("!findings.exists(f, f.code == 'split-brain')", "findings"),
        ("etcd.healthy == 0", "etcd.healthy"),
        ("sources.all(s, s.age_ms < 3)", "s.age_ms"),
        ("sources.map(s, s.age_ms) != [1, 1]", "a value in it"),
        ("cluster['leader'] != 'x'", "a value in it"),
    ] {
        assert_eq!(judged(text), Err(format!("{what} is not known")), "{text}");
    }
    assert_eq!(judged("cluster.paused"), Err("what it asks for is not known".to_owned()));
}

#[test]
fn whether_something_is_known_can_be_asked() {
    for (text, holds) in [
        ("cluster.leader == null", true),
        ("null != cluster.name", true),
        ("has(cluster.leader)", false),
        ("cluster.leader == null || cluster.leader == 'psg1'", true),
        ("cluster.leader == 'psg1' || cluster.name == 'card'", true),
        ("cluster.leader == 'psg1' && cluster.name == 'psg'", false),
    ] {
        assert_eq!(judged(text), Ok(holds), "{text}");
    }
}

#[test]
fn what_cannot_be_evaluated_says_why() {
    for (text, why) in [
        ("cluster.leeder == 'psg1'", "the document has no field leeder there"),
        ("clustr.leader == 'psg1'", "the document has no field clustr, and CEL no function of that name"),
        ("airflow.quiet.verdict == 'go'", "airflow is not known"),
        ("cluster.name", "it is no condition: its value is of the type string"),
        ("cluster.name < 1", "found no matching overload for '_<_' applied to '(string, int)'"),
        ("1 / 0 == 1", "Division by zero of Int(1)"),
        ("[1, 2][7] == 1", "Index out of bounds: Int(7)"),
    ] {
        assert_eq!(judged(text), Err(why.to_owned()), "{text}");
    }
}

#[test]
fn fields_that_the_document_does_not_have_are_found_wherever_they_stand() {
    for (text, wanted) in [
        ("clustr.leader == 'x'", vec![("clustr", None)]),
        ("cluster.leeder == 'x' && cluster.leeder != 'y'", vec![("leeder", Some("cluster"))]),
        ("members.all(m, m.staet == 'x' || m.rest.frehs)", vec![("staet", Some("m")), ("frehs", Some("m.rest"))]),
        ("members.exists(m, m.slots.exists(s, s.nmae == m.name))", vec![("nmae", Some("s"))]),
        ("members.exists(m, m.archiver != null && m.archiver.faling)", vec![("faling", Some("m.archiver"))]),
        ("has(cluster.nothing)", vec![("nothing", Some("cluster"))]),
    ] {
        let found = unknown_fields(text);
        let found: Vec<(&str, Option<&str>)> = found.iter().map(|f| (f.field.as_str(), f.of.as_deref())).collect();
        assert_eq!(found, wanted, "{text}");
    }
    for fine in [
        "members.all(m, has(m.tags.anything) && m.tags.anything == 1)",
        "members.filter(m, m.present).map(m, m.name).size() > 0",
        "etcd.members.all(e, e.state == 'leader') && findings.exists(f, f.subject == cluster.leader)",
        "routes.exists(r, r.up.exists(u, u == 'psg1')) && certificates.all(c, c.days_left > 3)",
        "cluster.leader ==",
    ] {
        assert_eq!(unknown_fields(fine), [], "{fine}");
    }
}

#[test]
fn the_values_that_a_condition_rests_on_are_told_by_name() {
    let told = live("cluster.name == 'card' && members.all(m, m.present) && sources.size() == 0", &unheard());
    assert_eq!(told, [("cluster.name".to_owned(), "card".to_owned()), ("members".to_owned(), "not known".to_owned())]);
    assert_eq!(live("cluster.name ==", &unheard()), []);
}
