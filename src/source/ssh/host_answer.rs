//! The answer of the script `facts`.

use std::time::Duration;

use crate::model::{HostStatus, Login, Place, PlaceKind, Space, Time, Unit};

/// What it tells: of the node, and what its clock said when the script began.
#[derive(Debug, Default, PartialEq)]
pub(super) struct HostAnswer {
    /// Of the node; each place that was asked for is in it.
    pub status: HostStatus,
    /// Its clock.
    pub clock: Option<Time>,
}

/// A place whose file system is asked for: what is kept there, and its path, or why that is not known.
pub(super) type Home = (PlaceKind, Result<String, String>);

/// Reads the answer to a question for these places. A line that is not understood tells nothing.
pub(super) fn read(text: &str, homes: &[Home]) -> HostAnswer {
    let mut answer = HostAnswer::default();
    let status = &mut answer.status;
    let mut swap = [None, None];
    let mut units = Units::default();
    for line in text.lines() {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        let value = value.trim();
        let kilobytes = || value.strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024);
        match key {
            "clock" => answer.clock = clock(value),
            "load" => status.load = load(value),
            "cpus" => status.cpus = value.parse().ok(),
            "MemTotal:" => status.memory = kilobytes(),
            "MemAvailable:" => status.memory_available = kilobytes(),
            "SwapTotal:" => swap[0] = kilobytes(),
            "SwapFree:" => swap[1] = kilobytes(),
            "oom_kill" => status.oom_kills = value.parse().ok(),
            "boot" => status.boot = Some(value.to_owned()).filter(|boot| !boot.is_empty()),
            "uptime" => status.uptime = value.split(' ').next().and_then(seconds),
            "NTPSynchronized=yes" => status.synchronized = Some(true),
            "NTPSynchronized=no" => status.synchronized = Some(false),
            "units" => status.units = Some(Vec::new()),
            "unit" => units.take(value),
            "logins" => status.logins = Some(Vec::new()),
            "login" => status.logins.get_or_insert_default().extend(login(value)),
            _ => {}
        }
    }
    status.swap_used = swap[0].zip(swap[1]).and_then(|(total, free)| total.checked_sub(free));
    if status.units.is_some() {
        status.units = Some(units.all(status.uptime));
    }
    status.places = homes.iter().map(|home| place(text, home)).collect();
    answer
}

/// `1795754587.773485610`.
fn clock(text: &str) -> Option<Time> {
    let (seconds, part) = text.split_once('.').unwrap_or((text, "0"));
    let micros: i64 = format!("{part:0<6}").get(..6)?.parse().ok()?;
    Some(Time::from_micros(seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(micros)?))
}

/// `3.90 3.84 2.53 3/508 15905`.
pub(super) fn load(text: &str) -> Option<[f64; 3]> {
    let mut all = text.split(' ').map(|word| word.parse::<f64>().ok().filter(|load| load.is_finite()));
    Some([all.next()??, all.next()??, all.next()??])
}

/// `70584.83`.
fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

/// `alice    pts/0        2026-11-27 04:28 (10.0.0.1)`.
fn login(text: &str) -> Option<Login> {
    let mut words = text.split_whitespace();
    let (user, terminal) = (words.next()?.to_owned(), words.next()?.to_owned());
    let rest: Vec<&str> = words.collect();
    let (from, since) = match rest.split_last() {
        Some((last, since)) if last.starts_with('(') && last.ends_with(')') => (Some(last.trim_matches(['(', ')']).to_owned()), since),
        _ => (None, rest.as_slice()),
    };
    Some(Login { user, terminal, from, since: since.join(" ") })
}

/// The blocks of `systemctl show`, one for each unit, with an empty line between them.
#[derive(Default)]
struct Units(Vec<Vec<(String, String)>>);

impl Units {
    fn take(&mut self, line: &str) {
        match line.split_once('=') {
            None => self.0.push(Vec::new()),
            Some((key, value)) => {
                if self.0.is_empty() {
                    self.0.push(Vec::new());
                }
                if let Some(block) = self.0.last_mut() {
                    block.push((key.to_owned(), value.to_owned()));
                }
            }
        }
    }

    fn all(self, uptime: Option<Duration>) -> Vec<Unit> {
        let unit = |block: Vec<(String, String)>| {
            let get = |key: &str| block.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
            // A unit that is only named by another one is not there.
            get("LoadState").filter(|state| state == "loaded" || state == "masked")?;
            // Since the boot, as the uptime is.
            let changed = get("StateChangeTimestampMonotonic").and_then(|micros| micros.parse().ok()).filter(|micros| *micros > 0);
            Some(Unit {
                name: get("Id")?,
                state: get("ActiveState")?,
                sub: get("SubState").unwrap_or_default(),
                result: get("Result").unwrap_or_default(),
                changed_ago: uptime.zip(changed).and_then(|(uptime, micros)| uptime.checked_sub(Duration::from_micros(micros))),
                restarts: get("NRestarts").and_then(|count| count.parse().ok()),
            })
        };
        self.0.into_iter().filter_map(unit).collect()
    }
}

/// What the answer says of a place: `place KIND ...`, `hung KIND`, `unread KIND WHY`.
fn place(text: &str, (kind, home): &Home) -> Place {
    let path = match home {
        Ok(path) => path.clone(),
        Err(why) => return Place { kind: *kind, path: None, space: Err(why.clone()) },
    };
    let told = text.lines().find_map(|line| {
        let mut words = line.splitn(3, ' ');
        let (how, of) = (words.next()?, words.next()?);
        (of == kind.to_string() && ["place", "hung", "unread"].contains(&how)).then(|| (how, words.next().unwrap_or_default()))
    });
    let space = match told {
        Some(("place", facts)) => space(facts).ok_or_else(|| format!("what the node tells of {path} is not understood")),
        Some(("hung", _)) => Err(format!("{path} does not answer within 3 s: its file system hangs")),
        Some((_, why)) => Err(format!("{path}: {}", why.rsplit(": ").next().unwrap_or(why))),
        None => Err(format!("the node tells nothing of {path}")),
    };
    Place { kind: *kind, path: Some(path), space }
}

/// `4096 66053021 49346403 7114854 16777216 16182047 65024 /var/lib`: block size, blocks, free, available, inodes, free ones, device, mount.
pub(super) fn space(facts: &str) -> Option<Space> {
    let mut words = facts.splitn(8, ' ');
    let mut number = || words.next()?.parse::<u64>().ok();
    let block = number()?;
    let mut bytes = || number()?.checked_mul(block);
    let (size, free, available) = (bytes()?, bytes()?, bytes()?);
    let (inodes, inodes_free, device) = (number()?, number()?, number()?);
    let mount = words.next()?.to_owned();
    // btrfs and others that make them as they are needed tell 0.
    Some(Space { device, mount, size, free, available, inodes: Some(inodes).filter(|all| *all > 0), inodes_free })
}

/// The places whose paths are known, as the script takes them.
pub(super) fn asked(homes: &[Home]) -> Vec<String> {
    homes.iter().filter_map(|(kind, path)| Some([kind.to_string(), path.clone().ok()?])).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "\
clock 1795754587.773485610
load 3.90 3.84 2.53 3/508 15905
cpus 2
MemTotal:       24684092 kB
MemAvailable:   22376676 kB
SwapTotal:       2048000 kB
SwapFree:        2046976 kB
oom_kill 2
boot 57ce6eb4-85be-4ad6-8ad9-d52db9e0a74f
uptime 70584.83 40376.95
units
unit Result=exit-code
unit NRestarts=5
unit Id=etcd.service
unit LoadState=loaded
unit ActiveState=failed
unit SubState=failed
unit StateChangeTimestampMonotonic=70000000000
unit 
unit Result=success
unit NRestarts=0
unit Id=patroni.service
unit LoadState=loaded
unit ActiveState=active
unit SubState=running
unit StateChangeTimestampMonotonic=12000000
unit 
unit Id=haproxy.service
unit LoadState=not-found
unit ActiveState=inactive
unit SubState=dead
NTPSynchronized=yes
logins
login alice    pts/0        2026-11-27 04:28 (10.0.0.7)
login root     tty1         2026-11-26 22:01
place data 4096 66053021 49346403 7114854 16777216 16182047 65024 /var/lib/my disk
unread wal stat: cannot statx '/var/lib/postgresql/15/main/pg_wal': Permission denied
";

    fn homes() -> Vec<Home> {
        vec![
            (PlaceKind::Data, Ok("/var/lib/postgresql/15/main".into())),
            (PlaceKind::Wal, Ok("/var/lib/postgresql/15/main/pg_wal".into())),
            (PlaceKind::Etcd, Err("no etcd runs there".into())),
        ]
    }

    #[test]
    fn a_whole_answer_is_read() {
        let HostAnswer { status, clock } = read(ANSWER, &homes());
        assert_eq!(clock, Some(Time::from_micros(1_795_754_587_773_485)));
        assert_eq!((status.load, status.cpus), (Some([3.90, 3.84, 2.53]), Some(2)));
        assert_eq!((status.memory, status.memory_available), (Some(24_684_092 * 1024), Some(22_376_676 * 1024)));
        assert_eq!((status.swap_used, status.oom_kills, status.synchronized), (Some(1024 * 1024), Some(2), Some(true)));
        assert_eq!(status.boot.as_deref(), Some("57ce6eb4-85be-4ad6-8ad9-d52db9e0a74f"));
        assert_eq!(status.uptime, Some(Duration::from_millis(70_584_830)));
        let units = status.units.expect("there is systemd");
        let told: Vec<(&str, &str, &str, &str)> =
            units.iter().map(|u| (u.name.as_str(), u.state.as_str(), u.sub.as_str(), u.result.as_str())).collect();
        assert_eq!(told, [("etcd.service", "failed", "failed", "exit-code"), ("patroni.service", "active", "running", "success")]);
        assert_eq!((units[0].restarts, units[0].changed_ago), (Some(5), Some(Duration::from_millis(584_830))));
        let from: Vec<Option<&str>> = status.logins.iter().flatten().map(|login| login.from.as_deref()).collect();
        assert_eq!(from, [Some("10.0.0.7"), None]);
        let login = &status.logins.expect("there is who")[0];
        assert_eq!((login.user.as_str(), login.terminal.as_str(), login.since.as_str()), ("alice", "pts/0", "2026-11-27 04:28"));
    }

    /// What systemd 252 and `who` of Debian 12 told; how it was got stands beside it.
    #[test]
    fn a_real_answer_is_read() {
        let homes = [(PlaceKind::Data, Ok("/var/lib".to_owned())), (PlaceKind::Wal, Ok("/nowhere".to_owned()))];
        let HostAnswer { status, clock } = read(include_str!("../../../tests/payloads/host/facts-systemd-252.txt"), &homes);
        assert!(clock.is_some() && status.load.is_some() && status.memory_available.is_some() && status.uptime.is_some(), "{status:?}");
        assert_eq!(status.synchronized, Some(false));
        let mut units = status.units.expect("there is systemd");
        units.sort_by(|one, other| one.name.cmp(&other.name));
        let told: Vec<String> = units.iter().map(|u| format!("{} {} {} {} {:?}", u.name, u.state, u.sub, u.result, u.restarts)).collect();
        assert_eq!(
            told,
            [
                "etcd.service failed failed exit-code Some(4)",
                "haproxy.service activating auto-restart signal Some(0)",
                "patroni.service active running success Some(0)",
                "postgresql.service active exited success Some(0)",
                "postgresql@15-main.service activating start success Some(0)",
            ]
        );
        assert!(units.iter().all(|unit| unit.changed_ago.is_some_and(|ago| ago < Duration::from_secs(60))), "{units:?}");
        let logins: Vec<(String, String, Option<String>)> =
            status.logins.into_iter().flatten().map(|login| (login.user, login.terminal, login.from)).collect();
        let login = |terminal: &str, from: Option<&str>| ("root".to_owned(), terminal.to_owned(), from.map(str::to_owned));
        assert_eq!(logins, [login("pts/0", None), login("pts/2", Some("127.0.0.1"))]);
        assert!(status.places[0].space.as_ref().is_ok_and(|space| space.mount == "/" && space.size > 0), "{:?}", status.places);
        assert_eq!(status.places[1].space, Err("/nowhere: No such file or directory".to_owned()));
    }

    #[test]
    fn a_place_has_its_file_system_or_the_reason_why_nothing_is_known_of_it() {
        let places = read(ANSWER, &homes()).status.places;
        let data = places[0].space.as_ref().expect("it is read");
        assert_eq!((data.device, data.mount.as_str(), data.size), (65024, "/var/lib/my disk", 4096 * 66_053_021));
        assert_eq!((data.available, data.inodes, data.inodes_free), (4096 * 7_114_854, Some(16_777_216), 16_182_047));
        assert_eq!(places[1].space.as_ref().map_err(String::as_str), Err("/var/lib/postgresql/15/main/pg_wal: Permission denied"));
        assert_eq!((places[2].path.as_deref(), places[2].space.as_ref().map_err(String::as_str)), (None, Err("no etcd runs there")));
        let homes = [(PlaceKind::Data, Ok("/a".to_owned()))];
        for (said, told) in [
            ("hung data", "/a does not answer within 3 s: its file system hangs"),
            ("place data 1 2 x", "what the node tells of /a is not understood"),
            ("place wal 1 2 3 4 5 6 7 /", "the node tells nothing of /a"),
            ("place data 18446744073709551615 18446744073709551615 1 1 1 1 1 /", "what the node tells of /a is not understood"),
        ] {
            assert_eq!(read(said, &homes).status.places[0].space, Err(told.to_owned()), "{said}");
        }
    }

    #[test]
    fn what_is_not_told_is_not_known() {
        for text in
            ["", "load\ncpus \nMemTotal:\noom_kill -1\nuptime x\nclock x", "load NaN 1 2\nSwapTotal: 5 kB\nunit Id=a.service\n\u{1b}[2J"]
        {
            let HostAnswer { status, clock } = read(text, &[]);
            assert_eq!((status, clock), (HostStatus::default(), None), "{text:?}");
        }
        assert_eq!(read("units\nlogins\n", &[]).status.units, Some(Vec::new()), "systemd has none of ours");
    }

    /// A tool that hangs costs its time and no more, and all else is told.
    #[test]
    fn a_file_system_that_hangs_is_told_and_the_rest_goes_on() {
        let tools = tempfile::tempdir().expect("a folder");
        let fake = tools.path().join("stat");
        let script =
            "#!/bin/sh\necho \"$*\" >>\"${0%/*}/asked\"\ncase \"$*\" in */dead*) exec sleep 1000 ;; *) exec /usr/bin/stat \"$@\" ;; esac\n";
        std::fs::write(&fake, script).expect("written");
        std::fs::set_permissions(&fake, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("allowed");
        let path = format!("{}:{}", tools.path().display(), std::env::var("PATH").expect("a path"));
        let told = |homes: &[Home]| {
            let words = super::super::command::Command::Facts { homes: super::asked(homes) }.words();
            let out = std::process::Command::new(&words[0]).args(&words[1..]).env("PATH", &path).output().expect("it runs");
            read(&String::from_utf8_lossy(&out.stdout), homes).status
        };
        let kinds = [PlaceKind::Data, PlaceKind::Wal, PlaceKind::Etcd];
        let homes: Vec<Home> =
            kinds.into_iter().zip(["/dead", "/dead/pg_wal", "/"]).map(|(kind, path)| (kind, Ok(path.to_owned()))).collect();
        let status = told(&homes);
        let why = |status: &HostStatus, n: usize| status.places[n].space.as_ref().map(|space| space.size > 0).map_err(Clone::clone);
        assert_eq!(why(&status, 0), Err("/dead does not answer within 3 s: its file system hangs".to_owned()));
        assert_eq!(why(&status, 1), Err("/dead/pg_wal does not answer within 3 s: its file system hangs".to_owned()));
        assert_eq!(why(&status, 2), Ok(true));
        let asked = std::fs::read_to_string(tools.path().join("asked")).expect("it was asked");
        assert_eq!(asked.lines().filter(|line| line.contains("/dead")).count(), 1, "what lies below what hangs is not asked: {asked}");
        let nowhere = told(&[(PlaceKind::Data, Ok("/no\nwhere".to_owned()))]);
        assert!(why(&nowhere, 0).is_err_and(|why| why.ends_with("No such file or directory")), "{nowhere:?}");
        assert!(status.load.is_some() && status.memory.is_some() && status.uptime.is_some(), "{status:?}");
    }
}
