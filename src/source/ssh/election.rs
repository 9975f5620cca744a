//! The answer of the script `election`: how etcd chooses its leader, as the process was started.

use std::time::Duration;

use super::proxy_file::is_newer;
use crate::model::{ElectionTimes, clean};

/// One etcd that runs.
#[derive(Debug, Default)]
struct Etcd<'t> {
    /// For how long it runs, seconds.
    runs: Option<u64>,
    args: Vec<&'t str>,
    /// `ETCD_ELECTION_TIMEOUT` and others; the last one counts.
    environment: Vec<(&'t str, &'t str)>,
    /// Whence those are.
    seen: Seen<'t>,
    /// What cannot be read of that, or was changed since.
    doubt: Option<String>,
    /// Its file of settings, and what it says.
    config: Option<&'t str>,
    settings: Vec<(&'t str, &'t str)>,
}

/// Whence an environment is known.
#[derive(Debug, Default, Clone, Copy)]
enum Seen<'t> {
    /// Only its own user and root may see it.
    #[default]
    No,
    /// From the process itself.
    Process,
    /// From the unit and its files.
    Unit(&'t str),
}

/// What the etcd that listens on `host` was started with.
///
/// # Errors
/// Why that is not seen, in a sentence.
pub(super) fn read(answer: &str, host: &str) -> Result<ElectionTimes, String> {
    let all = processes(answer);
    let found = match all.as_slice() {
        [] => return Err("no etcd runs there, as far as this login sees".to_owned()),
        [one] => one,
        many => {
            let mut ours = many.iter().filter(|etcd| etcd.listens(host));
            match (ours.next(), ours.next()) {
                (Some(one), None) => one,
                _ => return Err(format!("of the {} etcds that run there none is known to be this one", many.len())),
            }
        }
    };
    found.times()
}

fn processes(answer: &str) -> Vec<Etcd<'_>> {
    let mut all: Vec<Etcd<'_>> = Vec::new();
    for line in answer.lines() {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        if key == "etcd" {
            all.push(Etcd { runs: value.parse().ok(), ..Etcd::default() });
            continue;
        }
        let Some(etcd) = all.last_mut() else { continue };
        // `12 /etc/default/etcd`: for how long it is unchanged, and the file.
        let file = || {
            let (unchanged, path) = value.split_once(' ')?;
            Some((unchanged.parse::<u64>().ok(), path))
        };
        match key {
            "arg" => etcd.args.push(value),
            "environ" => etcd.seen = Seen::Process,
            "unit" => etcd.seen = Seen::Unit(value),
            "env" => etcd.environment.extend(value.split_once('=')),
            "yaml" => etcd.settings.extend(value.split_once(' ')),
            "unread" => etcd.doubt = Some(format!("{} cannot be read by this login", clean(value))),
            "noconfig" => {
                etcd.config = Some(value);
                etcd.doubt = Some(format!("{}, which has its settings, cannot be read by this login", clean(value)));
            }
            "file" | "config" => {
                if let Some((unchanged, path)) = file() {
                    etcd.doubt = etcd.doubt.take().or_else(|| etcd.changed(unchanged, path));
                    if key == "config" {
                        etcd.config = Some(path);
                    }
                }
            }
            _ => {}
        }
    }
    all
}

impl<'t> Etcd<'t> {
    /// Why a file need not be what it was started with.
    fn changed(&self, unchanged: Option<u64>, path: &str) -> Option<String> {
        match (unchanged, self.runs) {
            (Some(unchanged), Some(runs)) if !is_newer(unchanged, runs) => None,
            _ => Some(format!("{} may have been changed after it was started", clean(path))),
        }
    }

    /// What follows an option, with one dash or two: `--election-timeout 1000`, `-election-timeout=1000`. The last one counts.
    fn argument(&self, name: &str) -> Option<&'t str> {
        fn option(word: &str) -> Option<&str> {
            word.strip_prefix("--").or_else(|| word.strip_prefix('-'))
        }
        let mut found = None;
        for (at, word) in self.args.iter().copied().enumerate() {
            match option(word).and_then(|option| option.strip_prefix(name)) {
                Some("") => found = self.args.get(at + 1).copied(),
                Some(rest) => found = rest.strip_prefix('=').or(found),
                None => {}
            }
        }
        found
    }

    /// A setting, and what says it. A file of settings counts alone (etcd's document "Configuration options"), and an argument goes before the
    /// environment.
    fn setting(&self, name: &str) -> Result<Option<(&'t str, String)>, String> {
        if let Some(path) = self.config {
            self.doubt.clone().map_or(Ok(()), Err)?;
            let found = self.settings.iter().rfind(|(key, _)| *key == name);
            return Ok(found.map(|(_, value)| (value.trim().trim_matches(['"', '\'']), clean(path))));
        }
        if let Some(value) = self.argument(name) {
            return Ok(Some((value, "its command line".to_owned())));
        }
        let variable = format!("ETCD_{}", name.to_uppercase().replace('-', "_"));
        let found = self.environment.iter().rfind(|(key, _)| *key == variable).map(|(_, value)| *value);
        match self.seen {
            Seen::Process => Ok(found.map(|value| (value, "its environment".to_owned()))),
            Seen::Unit(unit) => match &self.doubt {
                None => Ok(found.map(|value| (value, format!("the unit {}", clean(unit))))),
                Some(doubt) => Err(doubt.clone()),
            },
            Seen::No => Err(format!("its command line does not say its {name}, and its environment may be seen by its own user only")),
        }
    }

    fn listens(&self, host: &str) -> bool {
        let whole = |text: &str| {
            text.split([',', '/', '"', '\'']).any(|part| part == host || part.rsplit_once(':').is_some_and(|(h, _)| h == host))
        };
        let urls = ["listen-client-urls", "advertise-client-urls"].into_iter().filter_map(|name| self.setting(name).ok()?);
        !host.is_empty() && urls.into_iter().any(|(value, _)| whole(value))
    }

    fn times(&self) -> Result<ElectionTimes, String> {
        let millis = |name: &str, usual: u64| -> Result<(Duration, String), String> {
            let Some((value, by)) = self.setting(name)? else { return Ok((Duration::from_millis(usual), "not set".to_owned())) };
            match value.parse() {
                Ok(ms) => Ok((Duration::from_millis(ms), by)),
                Err(_) => Err(format!("its {name} is no number of milliseconds: {}", clean(value))),
            }
        };
        let (election, by) = millis("election-timeout", ElectionTimes::ELECTION_MS)?;
        let heartbeat = millis("heartbeat-interval", ElectionTimes::HEARTBEAT_MS).ok().map(|(heartbeat, _)| heartbeat);
        Ok(ElectionTimes { election, by, heartbeat })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The election's timeout in milliseconds and what says so, or why neither is known.
    fn told(answer: &str) -> Result<(u128, String), String> {
        read(answer, "10.0.0.8").map(|times| (times.election.as_millis(), times.by))
    }

    fn known(ms: u128, by: &str) -> Result<(u128, String), String> {
        Ok((ms, by.to_owned()))
    }

    #[test]
    fn an_argument_goes_before_the_environment_and_what_is_not_set_is_etcds_own() {
        assert_eq!(told("etcd 9\narg etcd\nenviron\n"), known(1000, "not set"));
        assert_eq!(told("etcd 9\nenviron\nenv ETCD_ELECTION_TIMEOUT=2500\n"), known(2500, "its environment"));
        for arguments in ["arg --election-timeout\narg 5000", "arg --election-timeout=5000", "arg -election-timeout\narg 5000"] {
            let answer = format!("etcd 9\narg etcd\n{arguments}\nenviron\nenv ETCD_ELECTION_TIMEOUT=2500\n");
            assert_eq!(told(&answer), known(5000, "its command line"), "{arguments}");
        }
        // What is set goes before what may not be seen.
        assert_eq!(told("etcd 9\narg --election-timeout=5000\nhidden\n"), known(5000, "its command line"));
        let heartbeat = |answer: &str| read(answer, "").expect("read").heartbeat;
        assert_eq!(heartbeat("etcd 9\narg --election-timeout=5000\nhidden\n"), None);
        assert_eq!(heartbeat("etcd 9\narg --heartbeat-interval=250\nenviron\n"), Some(Duration::from_millis(250)));
    }

    #[test]
    fn a_unit_counts_as_far_as_its_files_are_what_it_was_started_with() {
        let unit = "etcd 100\nunit etcd.service\nenv ETCD_ELECTION_TIMEOUT=2000\n";
        assert_eq!(told(unit), known(2000, "the unit etcd.service"));
        let file = |unchanged: u64| format!("{unit}file {unchanged} /etc/default/etcd\nenv ETCD_ELECTION_TIMEOUT=3000\n");
        assert_eq!(told(&file(500)), known(3000, "the unit etcd.service"));
        assert_eq!(told(&file(50)), Err("/etc/default/etcd may have been changed after it was started".to_owned()));
        assert_eq!(told(&format!("{unit}unread /etc/default/etcd\n")), Err("/etc/default/etcd cannot be read by this login".to_owned()));
    }

    #[test]
    fn a_file_of_settings_counts_alone() {
        let answer = |rest: &str| format!("etcd 100\narg --config-file=/e.yml\narg --election-timeout=5000\nenviron\n{rest}");
        assert_eq!(told(&answer("config 500 /e.yml\nyaml election-timeout 2000\n")), known(2000, "/e.yml"));
        assert_eq!(told(&answer("config 500 /e.yml\n")), known(1000, "not set"));
        assert!(told(&answer("config 50 /e.yml\n")).is_err_and(|why| why.contains("may have been changed")));
        assert!(told(&answer("noconfig /e.yml\n")).is_err_and(|why| why.contains("cannot be read")));
    }

    #[test]
    fn what_is_not_seen_is_not_taken_for_the_default() {
        assert!(told("etcd 9\narg etcd\nhidden\n").is_err_and(|why| why.contains("its own user only")));
        assert!(told("").is_err_and(|why| why.contains("no etcd runs there")));
        assert!(told("etcd 9\narg --election-timeout=soon\nenviron\n").is_err_and(|why| why.contains("no number of milliseconds: soon")));
    }

    #[test]
    fn of_several_on_a_machine_the_one_that_listens_there_counts() {
        let one = |host: &str, ms: u32| {
            format!("etcd 9\narg --listen-client-urls\narg http://{host}:2379\narg --election-timeout={ms}\nenviron\n")
        };
        assert_eq!(told(&(one("10.0.0.8", 2000) + &one("10.0.0.80", 3000))), known(2000, "its command line"));
        assert!(told(&(one("10.0.0.1", 2000) + &one("10.0.0.2", 3000))).is_err());
        assert!(told(&(one("10.0.0.8", 2000) + &one("10.0.0.8", 3000))).is_err(), "nothing is guessed");
    }
}
