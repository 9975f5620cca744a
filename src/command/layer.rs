//! One keymap file over the keymap that it inherits.

use std::collections::BTreeMap;
use std::str::FromStr;

use strum::IntoEnumIterator;

use super::keymap::one_begins_the_other;
use super::{Binding, CommandId, Keymap, Scope, parse_sequence, sequence_text};
use crate::userfile::{Entry, Reader, Value, nearest};

/// The word that takes a key away.
const NONE: &str = "none";

/// Where keys that count everywhere can be covered by others. While text is typed most keys are letters anyway.
const PLACES: [Scope; 5] = [Scope::List, Scope::Logs, Scope::Overlay, Scope::Choice, Scope::Book];

/// What nobody misses in a runbook's view, as there is no row to be copied.
const OF_ROWS: [CommandId; 3] = [CommandId::CopyValue, CommandId::CopyRow, CommandId::CopyDetails];

/// An entry of the file.
struct Own {
    binding: Binding,
    /// Whether it only takes the keys away.
    none: bool,
    /// Where it stands, in bytes.
    at: usize,
}

/// The base with the file's entries over it. A wrong entry is told and left out; the others count.
pub(super) fn layer(base: &Keymap, reader: &mut Reader<'_>, file: &[Entry]) -> Keymap {
    let mut own: Vec<Own> = Vec::new();
    let mut unbound: Vec<(CommandId, usize)> = Vec::new();
    for entry in file {
        match (entry.key.as_str(), Scope::from_str(&entry.key), &entry.value) {
            ("inherits", ..) => {}
            ("unbound", _, value) => read_unbound(reader, value, entry.value_at, &mut unbound),
            (_, Ok(scope), Value::Table(entries)) => entries.iter().for_each(|entry| read_entry(reader, scope, entry, &mut own)),
            (_, Ok(scope), value) => reader.mistake(entry.value_at, format!("{scope} is {}, not a table of keys", value.kind()), None),
            (key, Err(_), _) => unknown(reader, key, entry),
        }
    }
    for (command, at) in &unbound {
        if let Some(bound) = own.iter().find(|own| !own.none && own.binding.command == *command) {
            let keys = sequence_text(&bound.binding.keys);
            reader.mistake(*at, format!("{command} is listed as unbound, and `{keys}` gives it"), Some("say one of the two".to_owned()));
        }
    }
    unbound.retain(|(command, _)| !own.iter().any(|own| !own.none && own.binding.command == *command));

    // The file's keys come first, so that the help shows them before those that are inherited.
    let mut bindings: Vec<Binding> = own.iter().filter(|own| !own.none).map(|own| own.binding.clone()).collect();
    let covered =
        |old: &&Binding| own.iter().any(|own| own.binding.scope == old.scope && one_begins_the_other(&own.binding.keys, &old.keys));
    let given_up = |old: &&Binding| unbound.iter().any(|(command, _)| *command == old.command);
    bindings.extend(base.bindings().iter().filter(|old| !covered(old) && !given_up(old)).cloned());
    let mut listed: Vec<CommandId> = unbound.into_iter().map(|(command, _)| command).collect();
    listed.extend(base.unbound().iter().filter(|command| !bindings.iter().any(|b| b.command == **command)));
    listed.sort_unstable();
    listed.dedup();

    let keymap = Keymap::of(bindings, listed);
    never_reached(reader, &keymap, &own);
    last_keys(reader, base, &keymap, &own);
    keymap
}

fn unknown(reader: &mut Reader<'_>, key: &str, entry: &Entry) {
    let names: Vec<&'static str> = Scope::iter().map(Into::into).collect();
    let near = nearest(key, names.iter().copied().chain(["inherits", "unbound"]));
    let near = near.map(|near| if names.contains(&near) { format!("did you mean [{near}]?") } else { format!("did you mean {near}?") });
    if !matches!(entry.value, Value::Table(_)) {
        let hint = near.unwrap_or_else(|| format!("keys stand in a table: [{}]", names.join("], [")));
        return reader.mistake(entry.key_at, format!("`{key}` stands in no table"), Some(hint));
    }
    let hint = near.unwrap_or_else(|| format!("the tables are [{}]", names.join("], [")));
    reader.mistake(entry.key_at, format!("unknown table [{key}]"), Some(hint));
}

fn read_unbound(reader: &mut Reader<'_>, value: &Value, at: usize, unbound: &mut Vec<(CommandId, usize)>) {
    let Value::List(values) = value else {
        let hint = "as in unbound = [\"suspend\"]".to_owned();
        return reader.mistake(at, format!("expected a list of commands, found {}", value.kind()), Some(hint));
    };
    for (value, at) in values {
        match value {
            Value::Text(name) => match CommandId::from_str(name) {
                Ok(id) => unbound.push((id, *at)),
                Err(_) => no_command(reader, *at, name),
            },
            other => reader.mistake(*at, format!("expected the name of a command, found {}", other.kind()), None),
        }
    }
}

fn no_command(reader: &mut Reader<'_>, at: usize, name: &str) {
    let near = nearest(name, CommandId::iter().map(Into::into)).map(|near| format!("did you mean \"{near}\"?"));
    let hint = near.unwrap_or_else(|| "`pgbaton keys` lists them".to_owned());
    reader.mistake(at, format!("there is no command \"{name}\""), Some(hint));
}

fn read_entry(reader: &mut Reader<'_>, scope: Scope, entry: &Entry, own: &mut Vec<Own>) {
    let keys = match parse_sequence(&entry.key) {
        Ok(keys) => keys,
        Err(error) => return reader.mistake(entry.key_at, error.to_string(), Some(error.hint())),
    };
    let Value::Text(name) = &entry.value else {
        let hint = format!("write the name of a command, or \"{NONE}\"");
        return reader.mistake(entry.value_at, format!("expected a string, found {}", entry.value.kind()), Some(hint));
    };
    let none = name == NONE;
    // A key that is taken away needs no command of its own; it only clears what it covers.
    let command = if none { CommandId::Help } else { CommandId::from_str(name).unwrap_or(CommandId::Help) };
    if !none && CommandId::from_str(name).is_err() {
        return no_command(reader, entry.value_at, name);
    }
    let home = command.command().scope;
    if !none && home != scope && home != Scope::Global {
        return reader.mistake(entry.value_at, format!("{command} cannot be given in [{scope}]"), Some(format!("bind it in [{home}]")));
    }
    if scope == Scope::Text && keys[0].typed().is_some() {
        let hint = "use ctrl-, alt- or a named key".to_owned();
        return reader.mistake(entry.key_at, format!("in [{scope}] `{}` types itself", keys[0]), Some(hint));
    }
    if let Some(other) = own.iter().find(|own| own.binding.scope == scope && one_begins_the_other(&own.binding.keys, &keys)) {
        let (this, that) = (sequence_text(&keys), sequence_text(&other.binding.keys));
        let message = if this == that {
            format!("`{this}` is bound twice in [{scope}]")
        } else {
            format!("`{this}` and `{that}` cannot both be bound: one is the beginning of the other")
        };
        return reader.mistake(entry.key_at, message, Some("the first one counts".to_owned()));
    }
    own.push(Own { binding: Binding { scope, keys, command }, none, at: entry.key_at });
}

/// The file's keys for everywhere that keys of a place cover. Where the file itself binds the very same keys there, that is on purpose.
fn never_reached(reader: &mut Reader<'_>, keymap: &Keymap, own: &[Own]) {
    for Own { binding, at, .. } in own.iter().filter(|own| !own.none && own.binding.scope == Scope::Global) {
        let keys = sequence_text(&binding.keys);
        if !PLACES.iter().any(|place| keymap.counts(binding, *place)) {
            let hint = "the keys of a place come before those of [global]".to_owned();
            reader.mistake(*at, format!("`{keys}` is never reached: [list], [overlay] and [choice] have it"), Some(hint));
            continue;
        }
        for other in PLACES.iter().filter_map(|scope| keymap.covering(binding, *scope)) {
            if other.scope == Scope::Book && OF_ROWS.contains(&binding.command) {
                continue;
            }
            let on_purpose = other.keys == binding.keys && own.iter().any(|own| own.binding == *other);
            if on_purpose || other.command == binding.command {
                continue;
            }
            let (scope, that) = (other.scope, sequence_text(&other.keys));
            let what = if that == keys { "there it".to_owned() } else { format!("there `{that}`") };
            let hint = format!("bind it in [{scope}], or take `{that}` away there by \"{NONE}\"");
            reader.mistake(*at, format!("`{keys}` is not reached in [{scope}]: {what} gives {}", other.command), Some(hint));
        }
    }
}

/// The commands that had a key in some place and have none there now, without the file saying that this is meant.
fn last_keys(reader: &mut Reader<'_>, base: &Keymap, keymap: &Keymap, own: &[Own]) {
    let mut lost: BTreeMap<usize, Vec<(CommandId, Scope)>> = BTreeMap::new();
    for command in CommandId::iter().filter(|command| !keymap.unbound().contains(command)) {
        let home = command.command().scope;
        let places: &[Scope] = if home == Scope::Global { &PLACES } else { &[home] };
        for place in places {
            let had = |keymap: &Keymap| keymap.bindings().iter().any(|b| b.command == command && keymap.counts(b, *place));
            if !had(base) || had(keymap) || *place == Scope::Book && OF_ROWS.contains(&command) {
                continue;
            }
            let before = base.bindings().iter().filter(|b| b.command == command && base.counts(b, *place));
            let takers = before.flat_map(|b| {
                own.iter().filter(|own| [b.scope, *place].contains(&own.binding.scope) && one_begins_the_other(&own.binding.keys, &b.keys))
            });
            let takers: Vec<&Own> = takers.collect();
            if let (Some(taker), false) = (takers.first(), takers.iter().any(|own| own.none)) {
                lost.entry(taker.at).or_default().push((command, *place));
            }
            break;
        }
    }
    for (at, lost) in lost {
        let Some(taker) = own.iter().find(|own| own.at == at) else { continue };
        let mut names: Vec<String> = lost.iter().map(|(command, _)| command.to_string()).collect();
        if names.len() > 3 {
            let others = names.len() - 2;
            names.truncate(2);
            names.push(format!("{others} others"));
        }
        let last = names.pop().unwrap_or_default();
        let names = if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) };
        let place = match lost.as_slice() {
            [(command, place)] if command.command().scope == Scope::Global => format!(" in [{place}]"),
            _ => String::new(),
        };
        let keys = sequence_text(&taker.binding.keys);
        let message = format!("`{keys}` takes the last key of {names}{place}");
        reader.mistake(at, message, Some("bind that to other keys, or list it in unbound = [...]".to_owned()));
    }
}

#[cfg(test)]
#[path = "layer_tests.rs"]
mod tests;
