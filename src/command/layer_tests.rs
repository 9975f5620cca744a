use super::super::trie::Found;
use super::super::{Keymap, Keymaps};
use super::*;
use crate::userfile::Mistake;

fn over_default(text: &str) -> (Keymap, Vec<String>) {
    let mut keymaps = Keymaps::default();
    keymaps.lay_over("k.toml", text);
    let (keymap, mistakes) = keymaps.keymap(None).expect("the default");
    (keymap, mistakes.iter().map(Mistake::to_string).collect())
}

fn find(keymap: &Keymap, scope: Scope, keys: &str) -> Found {
    keymap.find(&[scope, Scope::Global], &parse_sequence(keys).expect(keys))
}

#[test]
fn a_users_key_wins_and_the_rest_stays() {
    let (keymap, mistakes) = over_default("[global]\n\"g\" = \"zoom\"\nQ = \"quit\"\nz = \"none\"\n");
    assert_eq!(mistakes, [] as [&str; 0]);
    assert_eq!(find(&keymap, Scope::List, "g"), Found::Command(CommandId::Zoom));
    assert_eq!(find(&keymap, Scope::List, "g g"), Found::Nothing, "the longer one gives way");
    assert_eq!(find(&keymap, Scope::List, "z"), Found::Nothing);
    assert_eq!(find(&keymap, Scope::List, "q"), Found::Command(CommandId::Leave));
    assert_eq!(keymap.keys_of(CommandId::Quit).first().map(String::as_str), Some("Q"));
}

#[test]
fn a_command_can_be_given_up_and_taken_up_again_by_an_heir() {
    let mut keymaps = Keymaps::default();
    keymaps.add("calm", "calm.toml", "inherits = \"default\"\nunbound = [\"suspend\", \"zoom\"]\n");
    keymaps.lay_over("k.toml", "inherits = \"calm\"\n[global]\nz = \"zoom\"\n");
    let (keymap, mistakes) = keymaps.keymap(None).expect("calm");
    assert_eq!(mistakes, []);
    assert_eq!(keymap.unbound(), [CommandId::Suspend]);
    assert_eq!((keymap.keys_of(CommandId::Zoom), keymap.keys_of(CommandId::Suspend)), (vec!["z".to_owned()], Vec::new()));
}

#[test]
fn a_wrong_entry_leaves_the_rest() {
    let (keymap, mistakes) = over_default("[global]\nu = \"quitt\"\nw = \"quit\"\nshift-w = \"zoom\"\nW = \"help\"\n");
    assert_eq!(mistakes.len(), 2, "{mistakes:?}");
    assert_eq!(find(&keymap, Scope::List, "w"), Found::Command(CommandId::Quit));
    assert_eq!(find(&keymap, Scope::List, "W"), Found::Command(CommandId::Zoom));
}

#[test]
fn who_says_that_a_key_is_taken_away_needs_no_reason_and_who_takes_a_last_key_does() {
    let (_, mistakes) = over_default("[list]\ns = \"none\"\n");
    assert_eq!(mistakes, [] as [&str; 0]);
    let (_, mistakes) = over_default("[list]\ns = \"open\"\n");
    assert_eq!(mistakes, ["k.toml:2:1: `s` takes the last key of sort-next (bind that to other keys, or list it in unbound = [...])"]);
    let (_, mistakes) = over_default("unbound = [\"sort-next\"]\n[list]\ns = \"open\"\n");
    assert_eq!(mistakes, [] as [&str; 0]);
}

#[test]
fn a_key_that_a_runbooks_view_has_is_told() {
    let (_, mistakes) = over_default("[global]\nn = \"down\"\n");
    let told = "k.toml:2:1: `n` is not reached in [book]: there it gives book-no (bind it in [book], or take `n` away there by \"none\")";
    let logs = "k.toml:2:1: `n` is not reached in [logs]: there it gives log-next (bind it in [logs], or take `n` away there by \"none\")";
    assert_eq!(mistakes, [logs, told]);
    let own = "[global]\nn = \"down\"\n[book]\nn = \"none\"\nN = \"book-no\"\n[logs]\nn = \"none\"\n\".\" = \"log-next\"\n";
    let (keymap, mistakes) = over_default(own);
    assert_eq!(mistakes, [] as [&str; 0]);
    assert_eq!(find(&keymap, Scope::Book, "n"), Found::Command(CommandId::Down));
}

#[test]
fn no_key_that_goes_through_rows_or_panes_answers_a_question_of_a_runbook() {
    for name in ["default", "vim", "emacs", "pgcenter", "minimal"] {
        let (keymap, _) = Keymaps::default().keymap(Some(name)).expect(name);
        for binding in keymap.bindings().iter().filter(|binding| binding.scope == Scope::Global) {
            let covering = keymap.covering(binding, Scope::Book).filter(|_| !OF_ROWS.contains(&binding.command));
            assert_eq!(covering, None, "{name}: {}", binding.command);
        }
    }
}
