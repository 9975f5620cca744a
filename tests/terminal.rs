//! What the console does to a real terminal, and that it gives it back.

mod common {
    #[allow(dead_code, reason = "each test file uses its part of it")]
    pub mod pty;
}

use std::path::Path;
use std::time::{Duration, Instant};

use common::pty::{DEADLINE, Pty, console};
use rustix::process::Signal;

const SIZE: (u16, u16) = (120, 40);

fn open(manner: &str, env: &[(&str, &str)]) -> Pty {
    let mut pty = Pty::spawn(&console(), &["healthy", manner], env, SIZE);
    pty.until_text("psg1 leads");
    assert!(pty.parser.screen().alternate_screen() && pty.parser.screen().hide_cursor());
    pty
}

/// Waits until `wanted`, with a deadline.
fn wait_for(what: &str, mut wanted: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !wanted() {
        assert!(begun.elapsed() < DEADLINE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn quitting_gives_the_terminal_back() {
    let mut pty = open("live", &[]);
    pty.press("q");
    assert_eq!(pty.end(), 0);
    pty.assert_restored();
}

#[test]
fn signals_give_the_terminal_back_and_are_told_in_the_exit_code() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130), (Signal::QUIT, 131)] {
        let mut pty = open("flood", &[]);
        pty.signal(signal);
        assert_eq!(pty.end(), code, "{signal:?}");
        pty.assert_restored();
    }
}

#[test]
fn a_panic_on_the_screens_thread_gives_the_terminal_back_and_is_told() {
    let mut pty = Pty::spawn(&console(), &["healthy", "live"], &[("PGBATON_TEST_PANIC", "ui")], SIZE);
    assert_eq!(pty.end(), 101);
    pty.assert_restored();
    assert!(pty.screen().contains("on purpose, on the screen's thread"), "{}", pty.screen());
}

#[test]
fn a_panic_in_a_task_is_a_line_on_the_screen_and_the_console_goes_on() {
    let mut pty = open("live", &[("PGBATON_TEST_PANIC", "task")]);
    pty.until_text("internal error in a background task: on purpose, in a task");
    assert!(pty.parser.screen().alternate_screen());
    pty.press("?");
    pty.until_text("Show every key");
    pty.press("\x1b");
    pty.until("the help's end", |screen| !screen.contents().contains("Show every key"));
    pty.press("q");
    assert_eq!(pty.end(), 0);
    pty.assert_restored();
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_comes_back() {
    let mut pty = Pty::spawn(Path::new("/bin/bash"), &["--norc", "--noprofile", "-i"], &[("PS1", "shell> ")], SIZE);
    pty.until_text("shell> ");
    // The shell marks pasted text for itself, which is not to be mistaken for ours.
    pty.press("bind 'set enable-bracketed-paste off'; echo is$((40+1))ready\n");
    pty.until_text("is41ready");
    pty.press(&format!("{} healthy live\n", console().display()));
    pty.until("the console", |screen| screen.alternate_screen() && screen.contents().contains("psg1 leads"));
    pty.press("\x1a");
    pty.until("the shell", |screen| !screen.alternate_screen() && screen.contents().contains("Stopped"));
    pty.assert_screen_restored();
    pty.press("echo is$((40+2))here\n");
    pty.until_text("is42here");
    pty.press("fg\n");
    pty.until("the console again", |screen| screen.alternate_screen() && screen.contents().contains("psg1 leads"));
    pty.press("?");
    pty.until_text("Show every key");
    pty.press("\x03");
    pty.until("the shell again", |screen| !screen.alternate_screen());
    pty.press("echo code$?\n");
    pty.until_text("code0");
    pty.press("exit\n");
    pty.end();
    pty.assert_restored();
}

#[test]
fn without_a_shell_ctrl_z_says_so_and_goes_on() {
    let mut pty = open("live", &[]);
    pty.press("\x1a");
    pty.until_text("no shell that could call pgbaton back");
    pty.press("q");
    assert_eq!(pty.end(), 0);
}

#[test]
fn a_stop_from_outside_is_survived() {
    let mut pty = open("live", &[]);
    pty.signal(Signal::STOP);
    let stat = format!("/proc/{}/stat", pty.pid().as_raw_nonzero());
    wait_for("the stop", || std::fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") T ")));
    pty.signal(Signal::CONT);
    pty.press("?");
    pty.until_text("Show every key");
    pty.press("\x03");
    assert_eq!(pty.end(), 0);
    pty.assert_restored();
}

#[test]
fn nothing_changed_is_no_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let (count, trace) = (folder.path().join("count"), folder.path().join("trace"));
    let args = ["healthy", "still", count.to_str().expect("a path")];
    let mut pty = Pty::spawn(&console(), &args, &[("PGBATON_TRACE_BYTES", trace.to_str().expect("a path"))], SIZE);
    pty.until_text("psg1 leads");
    let lines = |path: &Path| std::fs::read_to_string(path).map_or(0, |text| text.lines().count());
    wait_for("four documents", || lines(&count) >= 4);
    assert_eq!(lines(&trace), 1, "one frame for four documents that say the same");
    pty.press("q");
    assert_eq!(pty.end(), 0);
}

#[test]
fn a_key_is_on_the_screen_at_once_while_data_pours_in() {
    let mut pty = open("flood", &[]);
    let mut slowest = Duration::ZERO;
    for _ in 0..10 {
        pty.press("?");
        slowest = slowest.max(pty.until_text("Show every key"));
        pty.press("\x1b");
        pty.until("the help's end", |screen| !screen.contents().contains("Show every key"));
    }
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    pty.press("q");
    assert_eq!(pty.end(), 0);
}

#[test]
fn a_resize_is_followed() {
    let mut pty = open("live", &[]);
    pty.resize(80, 24);
    pty.until("the small screen", |screen| screen.contents().lines().nth(23).is_some_and(|line| line.contains("? help")));
    pty.resize(40, 6);
    pty.until_text("pgbaton needs 60x12");
    pty.resize(160, 48);
    pty.until("the big screen", |screen| screen.contents().lines().nth(47).is_some_and(|line| line.contains("? help")));
    pty.press("q");
    assert_eq!(pty.end(), 0);
}

#[test]
fn pasted_text_is_no_command() {
    let mut pty = open("live", &[]);
    pty.press("\x1b[200~q\x1b[201~");
    pty.until_text("pasted text is not taken for keys");
    pty.press("/\x1b[200~psg2\x1b[201~");
    pty.until_text("1 of 3 shown");
    pty.press("\x03");
    assert_eq!(pty.end(), 0);
}

#[test]
fn without_a_terminal_it_says_what_to_do_instead() {
    let output =
        std::process::Command::new(console()).args(["healthy", "still"]).stdin(std::process::Stdio::null()).output().expect("it runs");
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("needs a terminal") && told.contains("pgbaton status"), "{told}");
}

#[test]
fn a_terminal_that_goes_away_ends_it() {
    let folder = tempfile::tempdir().expect("a folder");
    for n in 0..5 {
        let file = folder.path().join(format!("pid{n}"));
        // `script` makes the terminal; when it is killed, the terminal is gone, as when an SSH line breaks.
        let command = format!("echo $$ > {}; exec {} healthy live", file.display(), console().display());
        let mut script = std::process::Command::new("script")
            .args(["-qec", &command, "/dev/null"])
            .env("TERM", "xterm-256color")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("script runs");
        let mut out = script.stdout.take().expect("its output");
        let mut seen = Vec::new();
        let mut chunk = [0; 4096];
        while !String::from_utf8_lossy(&seen).contains("psg1 leads") {
            let count = std::io::Read::read(&mut out, &mut chunk).expect("output");
            assert!(count > 0, "it ended: {}", String::from_utf8_lossy(&seen));
            seen.extend_from_slice(&chunk[..count]);
        }
        let pid = std::fs::read_to_string(&file).expect("a pid").trim().to_owned();
        script.kill().expect("killed");
        script.wait().expect("gone");
        wait_for("the end", || !Path::new(&format!("/proc/{pid}")).exists());
    }
}

/// What a terminal is sent beside the picture: sequences that begin with `OSC`, by what follows, and bells that end none of them.
fn aside(seen: &[u8]) -> (Vec<String>, usize) {
    let text = String::from_utf8_lossy(seen);
    let mut told = Vec::new();
    let mut rest = String::new();
    let mut parts = text.split("\u{1b}]");
    rest.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let (inside, after) = part.split_once("\u{1b}\\").expect("it ends");
        told.push(inside.to_owned());
        rest.push_str(after);
    }
    (told, rest.matches('\u{7}').count())
}

#[test]
fn another_leader_rings_notifies_and_is_in_the_title() {
    let mut pty = Pty::spawn(&console(), &["healthy", "handover"], &[("TERM_PROGRAM", "iTerm.app")], SIZE);
    pty.until_text("psg2 leads");
    pty.until_quiet(Duration::from_millis(50));
    pty.press("q");
    assert_eq!(pty.end(), 0);
    let (told, bells) = aside(&pty.seen);
    let wanted =
        ["2;card-prod: psg1 leads", "9;pgbaton card-prod: psg2\u{fffd}]0;evil\u{fffd} leads instead of psg1", "2;card-prod: psg2 leads"];
    assert_eq!(told, wanted);
    assert_eq!(bells, 1);
    let text = String::from_utf8_lossy(&pty.seen).into_owned();
    assert!(text.starts_with("\u{1b}[22;2t") && text.ends_with("\u{1b}[23;2t"), "the title is kept and put back");
    pty.assert_restored();
}

#[test]
fn over_ssh_a_bell_is_all_that_is_sent_unasked() {
    let env = [("TERM_PROGRAM", "iTerm.app"), ("SSH_CONNECTION", "10.0.0.1 50022 10.0.0.8 22")];
    let mut pty = Pty::spawn(&console(), &["healthy", "handover"], &env, SIZE);
    pty.until_text("psg2 leads");
    pty.press("q");
    assert_eq!(pty.end(), 0);
    assert_eq!(aside(&pty.seen), (Vec::new(), 1));
    assert!(!String::from_utf8_lossy(&pty.seen).contains("\u{1b}[22;2t"));
}

#[test]
fn what_is_copied_goes_by_way_of_the_terminal() {
    let mut pty = open("still", &[]);
    pty.press("yv");
    pty.until_text("copied \"psg1\", if the terminal allows it (OSC 52)");
    pty.press("q");
    assert_eq!(pty.end(), 0);
    let (told, bells) = aside(&pty.seen);
    assert_eq!((told, bells), (vec!["2;card-prod: psg1 leads".to_owned(), "52;c;cHNnMQ==".to_owned()], 0));
}

#[test]
fn a_theme_is_tried_on_at_once() {
    let mut pty = open("still", &[]);
    let ground = |pty: &Pty| pty.parser.screen().cell(0, 11).map(vt100::Cell::fgcolor);
    let before = ground(&pty);
    pty.press("vt");
    pty.until_text("enter keeps it");
    pty.press("j");
    pty.until("another colour", |screen| screen.cell(0, 11).map(vt100::Cell::fgcolor) != before);
    pty.press("q");
    pty.until("the theme taken back", |screen| screen.cell(0, 11).map(vt100::Cell::fgcolor) == before);
    pty.press("q");
    assert_eq!(pty.end(), 0);
}

#[test]
fn a_keymap_that_is_chosen_counts_at_once() {
    let mut pty = open("still", &[]);
    pty.press("ZZ");
    pty.press("vk");
    pty.until_text("enter takes it");
    pty.press("j\r");
    pty.until_text("keymap vim; --keymap vim or PGBATON_KEYMAP=vim opens with it");
    pty.press("ZZ");
    assert_eq!(pty.end(), 0, "which is nothing in the keymap of before");
    pty.assert_restored();
}
