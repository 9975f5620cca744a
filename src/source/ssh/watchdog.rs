//! The answer of the script `watchdog`.

use std::path::Path;

use serde_json::Value;

use super::proxy_file::is_newer;
use crate::config::yaml_value;
use crate::model::{WatchdogBlock, WatchdogSeen, clean};

/// One Patroni that runs.
#[derive(Debug, Default)]
struct Patroni<'t> {
    file: &'t str,
    unread: bool,
    changed: Option<u64>,
    runs: Option<u64>,
    yaml: String,
}

/// What a member's machine tells of its watchdog.
///
/// # Errors
/// Why its Patroni's file is not known, in a sentence.
pub(super) fn read(answer: &str, member: &str, scope: &str) -> Result<WatchdogSeen, String> {
    let (mut devices, mut active) = (Vec::new(), None);
    let mut all: Vec<Patroni<'_>> = Vec::new();
    for line in answer.lines() {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        if key == "patroni" {
            all.push(Patroni { file: value, ..Patroni::default() });
            continue;
        }
        match (key, all.last_mut()) {
            ("device", _) => devices.push(clean(value)),
            ("state", _) => active = Some(active.unwrap_or(false) || value.ends_with(" active")),
            ("unread", Some(patroni)) => patroni.unread = true,
            ("changed", Some(patroni)) => patroni.changed = value.parse().ok(),
            ("runs", Some(patroni)) => patroni.runs = value.parse().ok(),
            ("yaml", Some(patroni)) => patroni.yaml += &format!("{value}\n"),
            _ => {}
        }
    }
    let mut why = "no Patroni runs there, as far as this login sees".to_owned();
    for patroni in all {
        let file = clean(patroni.file);
        if patroni.unread {
            why = format!("{file} cannot be read by this login");
            continue;
        }
        let value = match yaml_value(Path::new(patroni.file), &patroni.yaml) {
            Ok(value) => value,
            Err(error) => {
                why = clean(&error.to_string());
                continue;
            }
        };
        // A name of digits only is a number in YAML.
        let said = |key: &str| match value.get(key) {
            Some(Value::String(word)) => Some(word.clone()),
            other => other.map(Value::to_string),
        };
        if said("name").as_deref() == Some(member) && said("scope").as_deref() == Some(scope) {
            let newer = match (patroni.changed, patroni.runs) {
                (Some(changed), Some(runs)) => is_newer(changed, runs),
                _ => true,
            };
            // A block without anything in it is what Patroni does if nothing is said.
            let block = value.get("watchdog").map(|block| WatchdogBlock::of(block).unwrap_or_default());
            return Ok(WatchdogSeen { file, block, newer, devices, active });
        }
        why = format!("no Patroni that runs there has a file with the name {}", clean(member));
    }
    Err(why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::WatchdogMode;

    const TWO: &str = "device /dev/watchdog\ndevice /dev/watchdog0\nstate watchdog0 inactive\n\
        patroni /e/psg1.yml\nchanged 50\nruns 40\nyaml scope: card\nyaml name: psg1\nyaml watchdog:\nyaml   mode: off\n\
        patroni /e/psg2.yml\nchanged 10\nruns 40\nyaml scope: card\nyaml name: \"psg2\"\nyaml watchdog: {mode: required, device: /dev/watchdog1}\n";

    #[test]
    fn of_several_on_a_machine_the_one_of_that_name_counts() {
        let one = read(TWO, "psg1", "card").expect("there");
        assert_eq!(one.block.as_ref().map(|block| block.mode), Some(WatchdogMode::Off), "YAML's off is no text");
        assert_eq!((one.file.as_str(), one.newer, one.active), ("/e/psg1.yml", false, Some(false)));
        assert_eq!(one.devices, ["/dev/watchdog", "/dev/watchdog0"]);
        let two = read(TWO, "psg2", "card").expect("there");
        let block = two.block.expect("a block");
        assert_eq!((block.mode, block.device.as_str(), two.newer), (WatchdogMode::Required, "/dev/watchdog1", true));
        assert!(read(TWO, "psg1", "other").is_err() && read(TWO, "psg3", "card").is_err());
    }

    #[test]
    fn no_block_is_told_from_a_file_that_is_not_read() {
        let file = |rest: &str| read(&format!("patroni /p.yml\n{rest}"), "psg1", "card");
        assert_eq!(file("changed 9\nruns 5\nyaml name: psg1\nyaml scope: card\n").map(|seen| seen.block), Ok(None));
        let empty = file("changed 9\nruns 5\nyaml name: psg1\nyaml scope: card\nyaml watchdog:\n").expect("read");
        assert_eq!(empty.block, Some(WatchdogBlock::default()));
        assert_eq!(file("unread\n").expect_err("unread"), "/p.yml cannot be read by this login");
        assert_eq!(read("", "psg1", "card").expect_err("nothing"), "no Patroni runs there, as far as this login sees");
    }
}
