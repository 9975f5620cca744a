//! Each action by its keys, its outcome read by other tools.

use std::path::Path;
use std::time::Duration;

use crate::common::lab::{TestLab, until};
use crate::common::pty::Pty;

/// Longer than anything that works takes.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// The console with a state directory and an editor of its own.
pub fn open(lab: &TestLab, folder: &Path) -> Pty {
    let mut pty = open_with(&lab.config(), folder);
    pty.until_text("OPERATOR");
    until_read(&mut pty);
    pty
}

/// The same with a configuration of its own, as soon as it is started.
pub fn open_with(config: &Path, folder: &Path) -> Pty {
    open_at(config, folder, (120, 40))
}

fn open_at(config: &Path, folder: &Path, size: (u16, u16)) -> Pty {
    let (state, editor) = (folder.join("state"), folder.join("editor"));
    let env = [
        ("HOME", folder.to_str().unwrap()),
        ("XDG_STATE_HOME", state.to_str().unwrap()),
        ("VISUAL", ""),
        ("EDITOR", editor.to_str().unwrap()),
    ];
    let mut pty = Pty::spawn(Path::new(env!("CARGO_BIN_EXE_pgbaton")), &["-c", config.to_str().unwrap()], &env, size);
    pty.patience = PATIENCE;
    pty
}

/// Waits until the members are read. Not for a verdict: on a slow machine something can be found in a cluster that works.
pub fn until_read(pty: &mut Pty) {
    pty.until("a leader and its replicas", |screen| {
        let text = screen.contents();
        marked(screen).is_some() && text.contains("running") && text.matches("streaming").count() >= 2
    });
}

/// The member whose row has the mark.
pub fn marked(screen: &vt100::Screen) -> Option<String> {
    let text = screen.contents();
    text.lines().find_map(|line| line.strip_prefix("▸ ")?.split(' ').next().map(str::to_owned))
}

/// Selects a member's row. The leader's is the first, so the rows may change places meanwhile; then it begins anew.
pub fn select(pty: &mut Pty, member: &str) {
    until(&format!("the row of {member}"), PATIENCE, || {
        pty.press("1gg");
        pty.until("the first row", |screen| {
            let text = screen.contents();
            let mut lines = text.lines().skip_while(|line| !line.starts_with("━ 1 Members")).skip(2);
            lines.next().is_some_and(|line| line.starts_with("▸ "))
        });
        for _ in 0..3 {
            if marked(pty.parser.screen()).as_deref() == Some(member) {
                return Ok(());
            }
            pty.press("j");
            pty.until_quiet(REST);
        }
        Err(pty.screen())
    });
}

/// A screen that has not changed for so long has taken what was pressed.
pub const REST: Duration = Duration::from_millis(60);

/// The last line: the keys that help, or what the console has to say.
fn last_line(screen: &vt100::Screen) -> String {
    screen.contents().lines().last().unwrap_or_default().to_owned()
}

/// Closes what lies over the panes, or else dismisses what the last line says. An escape that other keys follow at once would be another key, so
/// it is waited for.
pub fn close(pty: &mut Pty) {
    // Of a frame that is not there in full yet, the last line can be that of the one before: it counts only where nothing else would change.
    let (open, before) = (pty.screen().contains('╭'), last_line(pty.parser.screen()));
    pty.press("\x1b");
    pty.until("the panes", |screen| !screen.contents().contains('╭') && (open || last_line(screen) != before));
}

/// What is typed or chosen before there is a plan; an error when that is not asked for.
pub type Before<'b> = &'b dyn Fn(&mut Pty) -> Result<(), String>;

/// Nothing.
fn nothing(_: &mut Pty) -> Result<(), String> {
    Ok(())
}

/// Types a text when it is asked for.
pub fn tell<'t>(text: &'t str) -> impl Fn(&mut Pty) -> Result<(), String> + 't {
    move |pty| {
        pty.until("a question", |screen| screen.contents().contains("esc cancels"));
        pty.press(text);
        pty.until_text(text);
        pty.press("\r");
        Ok(())
    }
}

/// Presses the keys until the plan of that title can be answered: what another tool says already, the console may not have read yet, and then
/// the plan is another one, or refused.
fn plan(pty: &mut Pty, keys: &str, before: Before<'_>, title: &str, word: &str) {
    let asked = format!("to do it, type {word}: ");
    until(&format!("{title}, to be answered with {word}"), PATIENCE, || {
        pty.press(keys);
        if let Err(why) = before(pty) {
            close(pty);
            return Err(why);
        }
        let answers = ["to do it, type ", "refused  ", "no restart is pending"];
        pty.until("a plan", |screen| answers.iter().any(|text| screen.contents().contains(text)));
        let screen = pty.screen();
        if screen.contains(title) && screen.contains(&asked) {
            return Ok(());
        }
        close(pty);
        Err(screen)
    });
}

/// Whether the last line says that nothing was sent: between the plan and the answer something was not as it was any more.
fn turned_down(screen: &vt100::Screen) -> bool {
    last_line(screen).contains("REFUSED: ")
}

/// Presses the keys, types the word, waits for the outcome, closes; what follows may still be watched.
pub fn act(pty: &mut Pty, keys: &str, title: &str, word: &str) -> String {
    done(pty, keys, &nothing, title, word, None)
}

/// The same where something is to be typed or chosen first.
pub fn act_after(pty: &mut Pty, keys: &str, before: Before<'_>, title: &str, word: &str) -> String {
    done(pty, keys, before, title, word, None)
}

fn done(pty: &mut Pty, keys: &str, before: Before<'_>, title: &str, word: &str, meanwhile: Option<&str>) -> String {
    let screen = until(&format!("the outcome of {title}"), PATIENCE, || {
        plan(pty, keys, before, title, word);
        pty.press(word);
        pty.until_text("enter does it");
        pty.press("\r");
        if let Some(text) = meanwhile {
            pty.until(text, |screen| turned_down(screen) || screen.contents().contains(text));
        }
        pty.until("an outcome", |screen| {
            let text = screen.contents();
            turned_down(screen) || ["DONE ", "FAILED ", "REFUSED  ", "UNKNOWN "].iter().any(|end| in_dialog(&text, end))
        });
        let screen = pty.screen();
        if turned_down(pty.parser.screen()) {
            pty.press("\x1b");
            pty.until("the notice dismissed", |screen| !turned_down(screen));
            return Err(screen);
        }
        Ok(screen)
    });
    close(pty);
    assert!(in_dialog(&screen, "DONE "), "{screen}");
    screen
}

/// Whether a line of the dialog begins so: the events below it may tell of the outcome before this one.
fn in_dialog(screen: &str, word: &str) -> bool {
    screen.contains(&format!("│ {word}"))
}

/// The leader by etcd, once the cluster is whole again.
pub fn whole(lab: &TestLab) -> String {
    until("a whole cluster", PATIENCE, || {
        let list = lab.tool_json("patronictl", &["list", "-f", "json"]);
        let members = list.as_array().unwrap();
        let well = members.iter().all(|m| matches!(m["State"].as_str(), Some("running" | "streaming")));
        let leads = members.iter().any(|m| m["Role"] == "Leader" && m["State"] == "running");
        if members.len() == 3 && well && leads { Ok(()) } else { Err(list.to_string()) }
    });
    lab.leader()
}

/// Pasted text that the terminal marks, and pasted text that it does not mark and that has its own Enter. That
/// nothing was begun by any of it, the audit says at the end.
fn a_paste_confirms_nothing(pty: &mut Pty, member: &str) {
    let title = format!("Restart of {member}");
    let open = |pty: &mut Pty| {
        select(pty, member);
        plan(pty, "ar", &nothing, &title, "y");
    };
    open(pty);
    pty.press("\x1b[200~y\r\x1b[201~");
    pty.until_text("pasted text confirms nothing; type the word");
    pty.press("y\r");
    pty.until_text("enter came with the text, as a paste's does, and did nothing");
    pty.press("\x7fy\r\r\r");
    pty.until("the same dialog", |screen| screen.contents().contains("enter does it") && screen.contents().contains(&title));
    close(pty);
    // A search for a command leads to the same dialog.
    select(pty, member);
    pty.press(":restart\r");
    pty.until("the plan", |screen| screen.contents().contains(&title) && screen.contents().contains("to do it, type y"));
    close(pty);
}

/// A keymap of the user's that is chosen by the environment, with a mistake: that is told with its place, and the rest of it counts.
pub fn a_keymap_is_chosen_and_its_mistakes_are_seen(lab: &TestLab) {
    let folder = tempfile::tempdir().unwrap();
    let keymaps = folder.path().join("pgbaton/keymaps");
    std::fs::create_dir_all(&keymaps).unwrap();
    std::fs::write(keymaps.join("mine.toml"), "inherits = \"emacs\"\n[global]\nx = \"qiut\"\n\"space x\" = \"help\"\n").unwrap();
    let home = folder.path().to_str().unwrap();
    let env = [("HOME", home), ("XDG_CONFIG_HOME", home), ("XDG_STATE_HOME", home), ("PGBATON_KEYMAP", "mine")];
    let config = lab.config();
    let mut pty = Pty::spawn(Path::new(env!("CARGO_BIN_EXE_pgbaton")), &["-c", config.to_str().unwrap()], &env, (160, 48));
    pty.patience = PATIENCE;
    pty.until_text("keymaps/mine.toml:3:5: there is no command \"qiut\" (did you mean \"quit\"?)");
    pty.press(" x");
    pty.until_text("╭─ Help");
    pty.press("\x07");
    pty.until("the panes", |screen| !screen.contents().contains("╭─ Help"));
    pty.press("\x18\x03");
    assert_eq!(pty.end(), 0);
}

/// On the smallest usual screen, from the console as it opens to its end.
pub fn a_switchover_in_few_keys(lab: &TestLab) {
    let folder = tempfile::tempdir().unwrap();
    let old = whole(lab);
    let mut pty = open_at(&lab.config(), folder.path(), (80, 24));
    pty.until_text("OPERATOR");
    until_read(&mut pty);
    // The leader is the first row, and the first row is selected.
    pty.until("the leader's row", |screen| marked(screen).as_deref() == Some(&old));
    act(&mut pty, "as", &format!("Switchover from {old} to"), lab.scope());
    pty.press("q");
    assert_eq!(pty.end(), 0);
    assert_ne!(lab.leader(), old);
    // What was pressed before may have been refused: a cluster that was not read whole yet.
    let last = pty.pressed.rfind("as").unwrap();
    let pressed = pty.pressed[last..].replacen(lab.scope(), "", 1);
    println!("a switchover by {} keys besides the typed name: {pressed:?}", pressed.chars().count());
    assert!(pressed.chars().count() < 12, "{pressed:?}");
    whole(lab);
}

pub fn each_action_by_its_keys(lab: &TestLab) {
    let folder = tempfile::tempdir().unwrap();
    let mut pty = open(lab, folder.path());
    let (old, new) = (whole(lab), lab.replicas().remove(0));

    select(&mut pty, &new);
    let screen = act(&mut pty, "as", &format!("Switchover from {old} to {new}"), lab.scope());
    assert!(screen.contains(&format!("{new} leads and accepts writes")), "{screen}");
    assert_eq!(lab.leader(), new);
    assert_eq!(lab.sql(&new, "SELECT pg_is_in_recovery()"), "f");
    // What follows is still watched, and the next can be done.
    select(&mut pty, &new);
    act(&mut pty, "al", &format!("Reload of {new}"), "y");
    assert_eq!(whole(lab), new);

    let started = lab.sql(&old, "SELECT pg_postmaster_start_time()");
    a_paste_confirms_nothing(&mut pty, &old);
    assert_eq!(lab.sql(&old, "SELECT pg_postmaster_start_time()"), started);
    select(&mut pty, &old);
    act(&mut pty, "ar", &format!("Restart of {old}"), "y");
    assert_ne!(lab.sql(&old, "SELECT pg_postmaster_start_time()"), started);

    let reason_and_reminder = |pty: &mut Pty| {
        tell("the disks are moved")(pty)?;
        pty.until_text("Remind after");
        tell("2s")(pty)
    };
    act_after(&mut pty, "ap", &reason_and_reminder, "Pause of", "y");
    let config = || lab.tool_json("etcdctl", &["get", "--print-value-only", &format!("/service/{}/config", lab.scope())]);
    assert_eq!(config()["pause"], true);
    pty.until_text("PAUSED");
    pty.press("\x1b");
    pty.until_text("of this pause somebody wanted to be reminded");
    act(&mut pty, "au", "End of the pause", "y");
    assert!(config()["pause"].is_null());

    // A copy that takes some seconds can be seen.
    let file = lab.layout().node_dir(&old).join("patroni.yml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("  - checkpoint: fast\n", "  - checkpoint: fast\n  - max-rate: 8M\n")).unwrap();
    select(&mut pty, &old);
    act(&mut pty, "al", &format!("Reload of {old}"), "y");

    let identity = lab.sql(&old, "SELECT (pg_stat_file('PG_VERSION')).change");
    select(&mut pty, &old);
    let copy = format!("copy from {new}, streaming database files: ");
    done(&mut pty, "ai", &nothing, &format!("Reinitialisation of {old}"), &old, Some(&copy));
    assert_eq!(whole(lab), new);
    assert_ne!(lab.sql(&old, "SELECT (pg_stat_file('PG_VERSION')).change"), identity);

    let later = "2099-01-01T03:00:00+00:00";
    lab.tool("patronictl", &["switchover", lab.scope(), "--leader", &new, "--candidate", &old, "--scheduled", later, "--force"]);
    act(&mut pty, "ac", "Taking back the scheduled switchover", "y");
    assert_eq!(lab.tool("etcdctl", &["get", "--print-value-only", &format!("/service/{}/failover", lab.scope())]).trim(), "{}");

    lab.tool("patronictl", &["restart", lab.scope(), &old, "--scheduled", later, "--force"]);
    select(&mut pty, &old);
    act(&mut pty, "ax", &format!("Taking back the scheduled restart of {old}"), "y");
    let list = lab.tool_json("patronictl", &["list", "-e", "-f", "json"]);
    assert!(list.as_array().unwrap().iter().all(|m| m["Scheduled restart"].as_str().unwrap_or_default().is_empty()), "{list}");

    // A failover while the leader lives is a switchover without questions.
    select(&mut pty, &old);
    act(&mut pty, "af", &format!("Failover to {old}"), &old);
    assert_eq!(whole(lab), old);

    // What follows the last one may still be watched; leaving ends that.
    pty.press("q");
    assert_eq!(pty.end(), 0);
    let audit = std::fs::read_to_string(folder.path().join("state/pgbaton/audit.jsonl")).unwrap();
    let ends = audit.lines().filter(|line| line.contains(r#""event":"end""#) && line.contains(r#""outcome":"DONE""#)).count();
    assert_eq!((audit.lines().count(), ends), (20, 10), "{audit}");
    let pause = format!("pause of {} (maintenance mode): the disks are moved", lab.scope());
    assert!(audit.lines().any(|line| line.contains(r#""event":"begin""#) && line.contains(&pause)), "{audit}");
}
