//! Runbooks in the console: by keys, from the list and from a finding; a console that is killed in the middle, and another that goes on.

use rustix::process::Signal;

use crate::common::lab::{said, until};
use crate::common::pty::Pty;
use crate::operator::{Operator, PATIENCE};

/// A console that knows the cluster.
fn opened(operator: &Operator<'_>, flags: &[&str]) -> Pty {
    let mut pty = operator.console(flags, (120, 45));
    pty.until("the cluster", |screen| {
        let text = screen.contents();
        text.contains("leads") && text.contains("streaming")
    });
    pty
}

/// Presses a key as soon as the view asks for it.
fn press_at(pty: &mut Pty, text: &str, key: &str) {
    pty.until_text(text);
    // What comes after that is drawn anew.
    pty.press(key);
}

/// From the list; the order is out when the console is killed.
pub fn switchover_and_kill(operator: &Operator<'_>) {
    let lab = operator.lab;
    let candidate = lab.replicas().remove(1);
    let mut pty = opened(operator, &[]);
    pty.press("R");
    press_at(&mut pty, "Runbooks and runs", "\r");
    // It is read first; nothing is written down of that.
    pty.until_text("enter begins the run");
    pty.until_text("asks first: Who is to lead?");
    let before = operator.told(&["history"]);
    pty.press("\r");
    // The one who leads is no choice, and it is said why not. The list is of the moment in which it is opened.
    let (leads, not_yet) = (format!("not {}: it leads", lab.leader()), format!("not {candidate}: "));
    loop {
        press_at(&mut pty, "enter answers", "\r");
        pty.until_text(&leads);
        if !pty.screen().contains(&not_yet) {
            break;
        }
        pty.press("\x1b");
        pty.until("the view", |screen| !screen.contents().contains(&leads));
    }
    assert_eq!(operator.told(&["history"]), before);
    if !pty.screen().contains(&format!("▸ {candidate}")) {
        pty.press("j");
    }
    press_at(&mut pty, &format!("▸ {candidate}"), "\r");
    press_at(&mut pty, "[4/17]", "n");
    press_at(&mut pty, "enter shows the plan", "\r");
    assert!(pty.screen().contains(&format!("pgbaton switchover --candidate={candidate}")), "{}", pty.screen());
    pty.until_text("to do it, type");
    pty.press(lab.scope());
    press_at(&mut pty, "enter does it", "\r");
    until("the new leader", PATIENCE, || match lab.leader() {
        leader if leader == candidate => Ok(()),
        leader => Err(leader),
    });
    pty.signal(Signal::KILL);
    pty.end();
    // What is done is done: nobody is told that it was, and nothing is begun anew.
    // Another console recalls the run, below the word on the order of which nobody knows.
    let mut pty = opened(operator, &[]);
    pty.until_text("esc dismisses");
    pty.press("\x1b");
    pty.until_text("R run left at ");
    pty.press("R");
    press_at(&mut pty, "unknown: on", "\r");
    pty.until_text("holds no longer");
    let told = format!("this may be what it did: {candidate} leads now");
    pty.until("what the order may have done", |screen| {
        let words = screen.contents().replace('│', " ");
        words.split_whitespace().collect::<Vec<_>>().join(" ").contains(&told)
    });
    pty.press("y");
    press_at(&mut pty, "what became of it is not known", "d");
    press_at(&mut pty, "[11/11]", "y");
    pty.until_text("all steps are behind us");
    pty.press("q");
    pty.until("the panes", |screen| !screen.contents().contains("all steps are behind us"));
    assert!(!pty.screen().contains("run left"), "it has ended: {}", pty.screen());
    pty.press("q");
    assert_eq!(pty.end(), 0);
    assert_eq!(lab.leader(), candidate);
    // Who may only look sees what holds, and is told why nothing can be done.
    let mut pty = opened(operator, &["--read-only"]);
    pty.press("R");
    press_at(&mut pty, "Runbooks and runs", "\r");
    pty.until_text("nothing can be done here: read-only session");
    assert!(pty.screen().contains("now: "), "{}", pty.screen());
    pty.press("G");
    pty.until_text("would do: pgbaton thaw");
    pty.press("qq");
    assert_eq!(pty.end(), 0);
}

/// From the details of a finding, which says whom it is about.
pub fn from_a_finding(operator: &Operator<'_>, member: &str) {
    // One that is broken keeps nobody from the others, and is told: when the console opens, and in its place in the list.
    let broken = operator.own_runbook("mine.md", "---\ntitle: Mine\ndanger: none\n---\n");
    let mut pty = opened(operator, &[]);
    pty.until_text("mine.md:3:9: ");
    pty.press("\x1b");
    pty.until("no word on it", |screen| !screen.contents().contains("esc dismisses"));
    pty.press("R");
    pty.until_text("Runbooks and runs");
    pty.until_text("cannot be read: ");
    std::fs::remove_file(broken).unwrap();
    pty.press("\x1b");
    pty.until("the panes", |screen| !screen.contents().contains("Runbooks and runs"));
    pty.press("5");
    pty.until_text("cannot archive its WAL");
    pty.press("\r");
    pty.until_text("What to do");
    pty.press("R");
    press_at(&mut pty, "enter begins the run", "\r");
    pty.until_text("Is it done, and did it do what it should?");
    pty.until_text(&format!("run on {member}:"));
    pty.press("m");
    pty.until_text("What is to be remembered?");
    pty.press("the disk is nearly full");
    press_at(&mut pty, "enter goes on", "\r");
    pty.until_text("note room the disk is nearly full");
    // Nobody else goes on with it meanwhile, or ends it, and is told why.
    let run = operator.last_run();
    for words in [&["resume", &run][..], &["abort", &run, "--reason", "x"]] {
        let out = said(&operator.tried(words));
        assert!(out.contains(&format!("run {run} is held by process {}, of ", pty.pid().as_raw_nonzero())), "{out}");
    }
    pty.press("x");
    pty.until_text("Why is the run ended?");
    pty.press("only looked");
    press_at(&mut pty, "enter goes on", "\r");
    pty.until_text("the run was ended");
    pty.press("qq");
    assert_eq!(pty.end(), 0);
}
