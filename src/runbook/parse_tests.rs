use super::*;

const HEAD: &str = "---\ntitle: Hand over\ndanger: interrupts\ninputs:\n  - name: candidate\n    question: Who?\n---\n";

fn read(rest: &str) -> Result<Runbook, Vec<String>> {
    let text = format!("{HEAD}{rest}");
    let valid = |words: &[String]| if words[0] == "switchover" { Ok(()) } else { Err(format!("no subcommand {}", words[0])) };
    parse("own", "own.md", &text, &valid).map_err(|all| all.iter().map(Mistake::to_string).collect())
}

#[test]
fn steps_have_the_heading_and_the_prose_above_them() {
    let text = "# Title\nWords.\n\n## Before\n\nLook *first*.\n\n```pgbaton\nrequire = \"cluster.leader != {candidate}\"\notherwise = \"it leads\"\n```\n\
                More.\n```sh\necho not a step\n```\n```pgbaton\nid = \"go\"\naction = \"switchover --candidate={candidate}\"\n```\n";
    let runbook = read(text).expect("no mistake");
    let told: Vec<_> = runbook.steps.iter().map(|s| (s.id.as_str(), s.title.as_str(), s.prose.as_str(), s.line)).collect();
    assert_eq!(told, [("step1", "Before", "Look *first*.", 15), ("go", "Before", "More.\n```sh\necho not a step\n```", 23)]);
    assert_eq!(runbook.steps[1].kind, Kind::Action("switchover --candidate={candidate}".to_owned()));
}

#[test]
fn a_loop_ends_with_its_heading() {
    let text = "## Each\n```pgbaton\nid = \"l\"\nfor_each = \"replicas\"\n```\n### In\n```pgbaton\nlook = \"{member}?\"\n```\n## Out\n```pgbaton\nlook = \"x\"\n```\n";
    let runbook = read(text).expect("no mistake");
    assert_eq!(runbook.steps.iter().map(|s| s.within.as_deref()).collect::<Vec<_>>(), [None, Some("l"), None]);
    let out = text.replace("look = \"x\"", "look = \"{member}\"");
    assert!(
        read(&out).expect_err("a mistake")[0]
            .starts_with("own.md:19:8: nothing here is called {member} (there are cluster, leader, run, candidate)")
    );
}

#[test]
fn what_is_asked_in_a_branch_is_known_there_alone() {
    let branch =
        "## If\n```pgbaton\nwhen = \"true\"\n```\n```pgbaton\nask = \"x?\"\ninto = \"it\"\n```\n```pgbaton\nlook = \"{it}?\"\n```\n";
    let runbook = read(&format!("{branch}{branch}")).expect("each has its own");
    assert_eq!(runbook.steps[1].within.as_deref(), Some("step1"));
    let after = read(&format!("{branch}## Then\n```pgbaton\nlook = \"{{it}}?\"\n```\n")).expect_err("a mistake");
    assert!(after[0].contains("nothing here is called {it}"), "{after:?}");
}

#[test]
fn mistakes_say_where() {
    let step = |lines: &str| format!("# T\n```pgbaton\n{lines}\n```\n");
    for (rest, told) in [
        (step("require = \"cluster.leader ==\""), "own.md:10:11: it is no condition: "),
        (step("requier = \"x\""), "own.md:10:1: unknown key `requier` (did you mean `require`?)"),
        (step("id = \"x\""), "own.md:9:1: this step does nothing (one of require, wait, "),
        (step("look = \"x\"\nask = \"y\""), "own.md:11:1: a step does one thing"),
        (step("wait = \"true\""), "own.md:9:1: a wait has a deadline (deadline = \"5min\")"),
        (step("wait = \"true\"\ndeadline = \"5 parsecs\""), "own.md:11:12: a deadline is a time up to 7 days"),
        (step("ask = \"x\""), "own.md:9:1: a question says where its answer goes"),
        (step("look = 3"), "own.md:10:8: expected a string, found an integer"),
        (step("look = \"\""), "own.md:10:8: an empty text"),
        (step("look = \"x\"\ndeadline = \"1s\""), "own.md:11:12: `deadline` does not belong to this kind of step"),
        (step("action = \"swichover\""), "own.md:10:10: this is no action: no subcommand swichover"),
        (step("action = \"switchover 'x\""), "own.md:10:10: this is no action: a quote is not closed"),
        (
            step("for_each = \"cats\""),
            "own.md:10:12: nobody is meant by \"cats\" (one of members, replicas, replicas-then-leader, pending-restart)",
        ),
        (step("require = \"cluster.leeder == 'x'\""), "own.md:10:20: `cluster` has no field `leeder` (did you mean `leader`?)"),
        (step("when = \"members.all(m, m.stat == {leader})\""), "own.md:10:26: `m` has no field `stat` (did you mean `state`?)"),
        (step("wait = \"clustr.paused\"\ndeadline = \"1s\""), "own.md:10:9: the document has no field `clustr` (did you mean `cluster`?)"),
        (step("when = \"cluster.leader ==\""), "own.md:10:8: it is no condition: "),
        (step("ask = \"x?\"\ninto = \"y\"\nchoices = \"yes\""), "own.md:12:11: there are two choices at least (choices = \"yes, no\")"),
        (step("ask = \"x?\"\ninto = \"y\"\namong = \"cats\""), "own.md:12:9: nobody is meant by \"cats\" (one of members, "),
        (
            step("ask = \"x?\"\ninto = \"y\"\nchoices = \"a, b\"\namong = \"members\""),
            "own.md:13:9: a question has its choices or its members",
        ),
        (step("ask = \"x?\"\ninto = \"y\"\nwhich = \"m.present\""), "own.md:12:9: it is said of members; there is no `among`"),
        (
            step("ask = \"x?\"\ninto = \"y\"\namong = \"members\"\nwhich = \"m.presnt\""),
            "own.md:13:12: `m` has no field `presnt` (did you mean `present`?)",
        ),
        (
            step("ask = \"x?\"\ninto = \"y\"\namong = \"members\"\nwhich = \"m.present) || (m.present\""),
            "own.md:13:9: it is no condition: ",
        ),
        (step("look = \"x\"\nchoices = \"a, b\""), "own.md:11:11: `choices` does not belong to this kind of step"),
        (
            step("wait = \"true\"\ndeadline = \"1s\"\nat_deadline = \"cry\""),
            "own.md:12:15: at its deadline a wait stops the run, or goes on",
        ),
        (step("when = \"true\"") + "```pgbaton\nfor_each = \"members\"\n```\n", "own.md:12:1: a loop or a branch within another"),
        (step("look = \"x\"\nid = \"a\"") + &step("look = \"y\"\nid = \"a\""), "own.md:16:6: two steps have the id \"a\""),
        (step("look = = 3"), "own.md:10:8: "),
        (step("require = \"m == '{leader}'\""), "own.md:10:11: {leader} stands within quotes"),
        (step("command = \"rm -rf '{leader}'\""), "own.md:10:11: {leader} stands within quotes"),
        (step("for_each = \"replicas\"\nas = \"leader\""), "own.md:11:6: no name for a value"),
        (step("ask = \"x?\"\ninto = \"cluster\""), "own.md:11:8: a question says where its answer goes"),
        (step("ask = \"x?\"\ninto = \"candidate\""), "own.md:9:1: candidate is known already"),
        (step("look = \"x\"\nid = \"A b\""), "own.md:11:6: an id has small letters"),
        ("# T\n".to_owned(), "own.md:9:1: a runbook without a step"),
    ] {
        let mistakes = read(&rest).expect_err(&rest);
        assert!(mistakes.first().is_some_and(|first| first.starts_with(told)), "{rest}\n{mistakes:#?}");
    }
}

#[test]
fn mistakes_of_the_front_matter_say_where() {
    for (text, told) in [
        ("# T\n", "own.md:1:1: a runbook begins with its front matter"),
        ("---\ntitle: x\ndanger: huge\n---\n", "own.md:3:9: "),
        ("---\ntitle: x\ndanger: reads\ncolour: red\n---\n", "own.md:4:1: "),
        ("---\ntitle: x\ndanger: reads\nsuits: a ==\n---\n", "own.md:4:1: suits is no condition: "),
        ("---\ntitle: x\ndanger: reads\ninputs:\n  - name: leader\n    question: x\n---\n", "own.md:5:1: leader is known already"),
        (
            "---\ntitle: x\ndanger: reads\ninputs:\n  - name: whom\n    question: x\n    among: members\n    choices: [b]\n---\n",
            "own.md:5:1: an input has its choices or its members, not both",
        ),
        ("---\ntitle: x\ndanger: reads\ninputs:\n  - name: a\n    question: x\n    among: cats\n---\n", "own.md:7:12: "),
        (
            "---\ntitle: x\ndanger: reads\ninputs:\n  - name: a\n    question: x\n    which: m.present\n---\n",
            "own.md:7:1: which: it is said of members; there is no `among`",
        ),
        (
            "---\ntitle: x\ndanger: reads\ninputs:\n  - name: a\n    question: x\n    among: members\n    which: m.presnt\n---\n",
            "own.md:8:1: which: there is no field `presnt`",
        ),
        (
            "---\ntitle: x\ndanger: reads\ninputs:\n  - name: a\n    question: x\n    among: members\n    which: m.name == {a}\n---\n",
            "own.md:8:1: which: {a} is not known before the run begins",
        ),
        ("---\ntitle: x\ndanger: reads\ninputs:\n  - name: A-b\n    question: x\n---\n", "own.md:5:1: an input's name has letters"),
    ] {
        let mistakes = parse("own", "own.md", text, &|_| Ok(())).expect_err(text);
        assert!(mistakes[0].to_string().starts_with(told), "{text}\n{mistakes:#?}");
    }
}
