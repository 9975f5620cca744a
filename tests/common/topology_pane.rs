//! The pane with the picture of the estate.

use super::*;

fn topology(document: Document, size: (u16, u16), ascii: bool) -> Buffer {
    let mut state = console(vec![document]);
    press(&mut state, &[CommandId::Pane0]);
    screen(&mut state, size, ascii)
}

#[test]
fn the_estate_as_a_picture() {
    for (name, document) in [("healthy", sample::healthy()), ("no-leader", sample::no_leader()), ("twelve", sample::twelve())] {
        for size in [(80, 24), (160, 48)] {
            snapshot(&format!("topology-{name}-{}x{}", size.0, size.1), &topology(document.clone(), size, false));
        }
    }
    let ascii = topology(sample::healthy(), (80, 24), true);
    assert!(text(&ascii).is_ascii());
    snapshot("topology-ascii", &ascii);
}

/// The first HAProxy writes to a replica.
fn wrong() -> Document {
    let mut document = sample::healthy();
    let route = document.routes.iter_mut().find(|route| route.kind == pgbaton::document::RouteKind::Write).expect("a route");
    (route.up, route.right) = (vec!["psg3".to_owned()], Some(false));
    document
}

#[test]
fn a_route_that_leads_elsewhere_has_a_line_of_its_own() {
    snapshot("topology-wrong-80x24", &topology(wrong(), (80, 24), false));
    let right = sample::healthy();
    let lines = |document: Document| text(&topology(document, (80, 24), false)).matches('▸').count();
    // One of them is the mark of the selected row.
    assert_eq!((lines(right), lines(wrong())), (2, 3));
}

/// What stands before the name of a node.
fn sign_of(document: Document, name: &str) -> String {
    let shown = text(&topology(document, (120, 40), false));
    let before = |line: &str| line.split_once(&format!(" {name} ")).and_then(|(before, _)| before.chars().last());
    shown.lines().skip(3).find_map(before).map(String::from).unwrap_or_else(|| panic!("{shown}"))
}

#[test]
fn of_two_that_take_writes_neither_is_green_and_the_leader_stands_first() {
    let one = sample::healthy();
    assert_eq!((sign_of(one.clone(), "psg1").as_str(), sign_of(one.clone(), "psg2").as_str()), ("●", "●"));
    let mut two = one.clone();
    two.members.iter_mut().filter(|member| member.name == "psg2").for_each(|member| member.in_recovery = Some(false));
    assert_eq!((sign_of(two.clone(), "psg1").as_str(), sign_of(two, "psg2").as_str()), ("✖", "✖"));
    let mut last = one;
    last.members.rotate_left(1);
    last.members.iter_mut().for_each(|member| member.name = member.name.replace("psg1", "psg9"));
    last.routes.iter_mut().filter(|route| route.instance == "vm1").for_each(|route| route.up = vec!["psg3".to_owned()]);
    let shown = text(&topology(last, (120, 40), false));
    let row = |name: &str| shown.lines().skip(3).position(|line| line.contains(&format!(" {name} "))).unwrap_or_else(|| panic!("{shown}"));
    assert!(row("psg9") < row("psg3") && row("psg3") < row("psg2"), "{shown}");
}

#[test]
fn what_is_opened_is_what_is_marked() {
    let mut state = console(vec![sample::healthy()]);
    press(&mut state, &[CommandId::Pane0, CommandId::Open]);
    assert!(text(&screen(&mut state, (80, 24), false)).contains("must lead to the leader"));
    press(&mut state, &[CommandId::Back, CommandId::Bottom, CommandId::Open]);
    let etcd = text(&screen(&mut state, (80, 24), false));
    assert!(etcd.contains("follower") && etcd.contains("answers"), "{etcd}");
    press(&mut state, &[CommandId::Back, CommandId::Up, CommandId::Open]);
    assert!(text(&screen(&mut state, (80, 24), false)).contains("Replication"));
}
