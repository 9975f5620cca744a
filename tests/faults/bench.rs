//! A practice cluster with everything that watches it, and the run of one case on it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use pgbaton::document::{FindingDoc, Level};
use pgbaton::lab::{conf, process};
use rustix::process::Signal;

use crate::case::{Case, Expected, Roles, Sign, Variant};
use crate::console::Console;
use crate::lab::{Running, TestLab, until};
use crate::table::Row;
use crate::watcher::{Shot, Watcher};
use crate::witness::{Truth, Witness};

/// What is promised for a key: half of all keys keep it wherever the tests run.
const KEY: Duration = Duration::from_millis(100);
/// What the slowest key of a case may take on a machine whose two cores run a whole cluster, debug builds and whatever else is tested: the test's
/// thread and the console wait for a core like everybody else.
const SLOWEST_KEY: Duration = Duration::from_millis(500);
/// Longest wait for a sign of the witness: a lease of 20 s, renewed once more by etcd's own change of leader, and an election.
const SIGN_WITHIN: Duration = Duration::from_secs(75);
/// Longer than anything takes that an act waits for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a quiet picture must last to count as clear.
const QUIET: Duration = Duration::from_secs(1);
/// Among a case's codes: not a finding but the event, read from the member's start time.
const STARTED: &str = "postgres-started";

/// Whether a picture is quiet but for what looks back over several cases.
fn remembers(shot: &Shot) -> bool {
    const MEMORIES: [&str; 2] = ["restart-loop", "route-flapping"];
    !shot.findings.is_empty() && shot.findings.iter().all(|f| MEMORIES.contains(&f.code.as_str()))
}

pub struct Bench {
    pub lab: TestLab,
    pub roles: Roles,
    pub witness: Witness,
    watcher: Watcher,
    console: Console,
    folder: tempfile::TempDir,
    /// What hangs as long as a fault lasts.
    hanging: Vec<Running>,
    /// When the case began, microseconds since the Unix epoch.
    begun: i64,
}

impl Bench {
    pub fn up(variant: &'static Variant) -> Self {
        let lab = TestLab::up(&format!("fm-{}", variant.name), variant.options);
        let witness = Witness::start(lab.layout());
        let watcher = Watcher::start(&lab.config());
        let console = Console::start(&lab.config());
        let bench = Self {
            lab,
            roles: Roles::default(),
            witness,
            watcher,
            console,
            folder: tempfile::tempdir().unwrap(),
            hanging: Vec::new(),
            begun: 0,
        };
        bench.quiet(Instant::now(), Duration::from_secs(60)).expect("a new cluster is healthy");
        bench
    }

    /// Throws a fault of the lab's.
    pub fn fault(&self, args: &[&str]) {
        let args: Vec<String> = args.iter().map(|a| self.roles.fill(a)).collect();
        self.lab.fault(&args.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// Undoes the lab's faults.
    pub fn heal(&mut self) {
        self.lab.heal();
    }

    /// Lets a client commit on the leader, and does not wait for it.
    pub fn commit_in_background(&mut self, statement: &str) {
        let host = self.lab.layout().ip(&self.roles.leader).to_string();
        let args = ["-XAtq", "-h", &host, "-p", "5432", "-U", "postgres", "-d", "postgres", "-c", statement];
        self.hanging.push(self.lab.start_tool("psql", &args));
    }

    /// Goes on watching with a changed configuration, from new eyes.
    pub fn watch_with(&mut self, change: impl FnOnce(String) -> String) {
        let path = self.write("pgbaton.toml", &change(self.lab.config_text()));
        self.watcher = Watcher::start(&path);
        self.console = Console::start(&path);
    }

    /// Goes on watching with the right configuration, from new eyes.
    pub fn watch_anew(&mut self) {
        let config = self.lab.config();
        self.watcher = Watcher::start(&config);
        self.console = Console::start(&config);
    }

    /// A file of the case's own.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.file(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Where such a file lies.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Ends a program of the lab and waits for it.
    pub fn stop(&self, key: &str, signal: Signal) {
        let key = self.roles.fill(key);
        let process = process::running(self.lab.layout(), &key).unwrap_or_else(|| panic!("{key} does not run"));
        process.signal(signal).unwrap();
        until(&format!("the end of {key}"), PATIENCE, || if process.is_alive() { Err("it runs".to_owned()) } else { Ok(()) });
    }

    /// Starts a program of the lab, with more in its environment if wanted.
    pub fn start(&self, key: &str, env: &[(&str, &str)]) {
        let mut spec = conf::spec(self.lab.layout(), &self.roles.fill(key)).unwrap();
        if !env.is_empty() {
            // Not for the programs that change the account on the way: what libfaketime makes there would be root's.
            let assigned = env.iter().map(|(name, value)| format!("{name}={value}"));
            spec.argv = ["env".to_owned()].into_iter().chain(assigned).chain(spec.argv).collect();
        }
        process::start(self.lab.layout(), &spec).unwrap();
    }

    /// Waits until the witness sees something.
    pub fn wait(&self, what: &str, holds: impl Fn(&Truth) -> bool) {
        until(what, PATIENCE, || {
            let truth = self.witness.now();
            if holds(&truth) { Ok(()) } else { Err(format!("{truth:?}")) }
        });
    }

    /// Waits until the watch has shown one of these findings.
    pub fn wait_until_told(&self, codes: &[&str]) {
        until(&format!("one of {codes:?}"), PATIENCE, || {
            let found = self.watcher.last().map(|shot| shot.findings).unwrap_or_default();
            if found.iter().any(|f| codes.contains(&f.code.as_str())) { Ok(()) } else { Err(format!("{found:?}")) }
        });
    }

    /// Copies the nodes' logs to a folder that stays.
    pub fn keep_logs(&self, case: &str) -> PathBuf {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(case.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
        for node in self.lab.layout().nodes() {
            let to = folder.join(&node);
            let copied = std::fs::create_dir_all(&to).and_then(|()| {
                for entry in std::fs::read_dir(self.lab.layout().log_dir(&node))?.flatten() {
                    std::fs::copy(entry.path(), to.join(entry.file_name()))?;
                }
                Ok(())
            });
            if let Err(error) = copied {
                println!("    the logs of {node} are lost: {error}");
            }
        }
        folder
    }

    fn who_is_who(&self) -> Roles {
        let truth = self.witness.now();
        let leader = match truth.primaries().as_slice() {
            [one] => (*one).to_owned(),
            other => panic!("{other:?} lead at the beginning"),
        };
        let mut others = self.lab.layout().members().into_iter().filter(|m| *m != leader);
        Roles { replica: others.next().unwrap_or_default(), other: others.next().unwrap_or_default(), leader }
    }

    /// When the picture was quiet for a while for the first time after a moment.
    fn quiet(&self, from: Instant, limit: Duration) -> Result<Instant, String> {
        loop {
            let shots = self.watcher.since(from);
            let loud = shots.iter().rposition(|s| s.level != Level::Ok && !remembers(s));
            let first = loud.map_or(shots.first(), |at| shots.get(at + 1));
            if let (Some(first), Some(last)) = (first, shots.last())
                && last.at - first.at >= QUIET
            {
                return Ok(first.at);
            }
            if from.elapsed() > limit {
                let last = shots.last().map_or("nothing at all".to_owned(), |s| s.headline.clone());
                return Err(format!("not clear within {limit:?}: {last}"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Runs a case and leaves the cluster healed. A failed expectation is in the row; a panic is the harness's own.
    pub fn run(&mut self, case: &Case) -> Row {
        self.roles = self.who_is_who();
        if self.watcher.last().is_some_and(|s| remembers(&s)) {
            self.watch_anew();
            self.quiet(Instant::now(), PATIENCE).expect("new eyes remember nothing");
        }
        self.watcher.forget();
        let mut row = Row::of(case);
        self.begun = jiff::Timestamp::now().as_microsecond();
        let begun = Instant::now();
        (case.act)(self);
        let thrown = Instant::now();
        let mut all_shown = begun;
        for expected in &case.expected {
            match self.shown(expected, begun, thrown) {
                Ok((took, at)) => {
                    row.shown = row.shown.max(Some(took));
                    all_shown = all_shown.max(at);
                }
                Err(why) => row.wrong.push(why),
            }
        }
        let until = Instant::now() + case.watch_on;
        while Instant::now() < until {
            std::thread::sleep(Duration::from_millis(50));
        }
        // A finding that was shown and is not undone: nothing may be called healthy until the cure.
        let uncured: Vec<Shot> = self.watcher.since(all_shown);
        if !case.expected.is_empty() && !case.passes && uncured.iter().any(|s| s.level == Level::Ok) {
            row.wrong.push("called healthy before the cure".to_owned());
        }
        if case.counts_down && !self.watcher.since(begun).iter().any(|s| s.lease.is_some_and(|left| left < 5.0)) {
            row.wrong.push("the lease was not counted down to its end".to_owned());
        }
        row.headline = self.headline_at(all_shown);

        let cure = Instant::now();
        (case.cure)(self);
        if case.fresh_eyes {
            self.judge(case, begun, &mut row);
            self.watch_anew();
        }
        let cured = Instant::now();
        self.hanging.clear();
        match self.quiet(if case.fresh_eyes { cured } else { cure }, case.clear_within + (cured - cure)) {
            Ok(at) => row.clear = Some(at.saturating_duration_since(cured)),
            Err(why) => row.wrong.push(why),
        }
        self.judge(case, begun, &mut row);
        row
    }

    /// What holds for every document and every key of a case.
    fn judge(&self, case: &Case, begun: Instant, row: &mut Row) {
        let shots = self.watcher.since(begun);
        let mut wrong = BTreeSet::new();
        for shot in &shots {
            wrong.extend(shot.lies.iter().cloned());
            for finding in &shot.findings {
                row.see(case, finding, shot.at - begun);
                if case.expected.is_empty() && !row.knows(case, &finding.code) {
                    wrong.insert(format!("not expected: {} {}", finding.code, finding.sentence));
                }
                if case.never.contains(&finding.code.as_str()) {
                    wrong.insert(format!("{} must not be said here: {}", finding.code, finding.sentence));
                }
                if case.calm && finding.severity == Level::Critical {
                    wrong.insert(format!("this was asked for, and is called critical: {} {}", finding.code, finding.sentence));
                }
                // What was true may be shown as long as an answer counts as current; and pgbaton may have been first to ask.
                let (from, to) = (shot.at.checked_sub(Duration::from_secs(8)).unwrap_or(begun), shot.at + Duration::from_secs(1));
                if finding.code == "split-brain" && !self.witness.held(from, to, |t| t.primaries().len() > 1) {
                    wrong.insert(format!("a split brain was cried and there was none: {}", finding.sentence));
                }
                if finding.severity == Level::Critical && !row.knows(case, &finding.code) {
                    wrong.insert(format!("not expected: {} {}", finding.code, finding.sentence));
                }
            }
        }
        row.wrong.extend(wrong);
        if !self.console.is_alive() {
            row.wrong.push("the console did not answer a key any more".to_owned());
        }
        let mut keys = self.console.since(begun);
        keys.sort_unstable();
        if let (Some(slowest), Some(median)) = (keys.last().copied(), keys.get(keys.len() / 2).copied()) {
            row.key = row.key.max(Some(slowest));
            if slowest > SLOWEST_KEY || median > KEY {
                row.wrong.push(format!("of {} keys the slowest took {slowest:.0?}, the median {median:.0?}", keys.len()));
            }
        }
    }

    /// What the headline said when everything was shown: names as roles, addresses left out, so that runs can be compared.
    fn headline_at(&self, moment: Instant) -> String {
        let shots = self.watcher.since(moment);
        let mut text = shots.first().map_or_else(String::new, |s| s.headline.clone());
        let layout = self.lab.layout();
        for node in layout.nodes() {
            text = text.replace(&layout.ip(&node).to_string(), &node);
        }
        for (name, role) in [(&self.roles.leader, "LEADER"), (&self.roles.replica, "REPLICA"), (&self.roles.other, "OTHER")] {
            text = text.replace(name.as_str(), role);
        }
        text
    }

    /// Waits for a finding: how long after its sign it was shown, and when.
    fn shown(&self, expected: &Expected, begun: Instant, thrown: Instant) -> Result<(Duration, Instant), String> {
        let about = self.roles.fill(expected.about);
        let texts: Vec<String> = expected.text.split('|').filter(|t| !t.is_empty()).map(|t| self.roles.fill(t)).collect();
        let fits = |f: &FindingDoc| {
            expected.codes.split('|').any(|code| code == f.code)
                && f.severity >= expected.level
                && (about.is_empty() || f.subject.as_deref() == Some(&about))
        };
        // What was over sooner than a finding is raised is told by the member's new start.
        let started = |s: &Shot| {
            let after = s.started.iter().filter(|(_, at)| at.as_micros() > self.begun);
            expected.codes.split('|').any(|code| code == STARTED)
                && after.map(|(member, _)| member).any(|m| about.is_empty() || *m == about)
        };
        let what = if texts.is_empty() {
            format!("{} {about} ({})", expected.codes, expected.level)
        } else {
            format!("the headline {:?}", texts.join(" or "))
        };
        loop {
            let sign = match expected.sign {
                Sign::AtOnce => Some(begun),
                Sign::Thrown => Some(thrown),
                Sign::Seen(holds) => self.witness.first(begun, |truth| holds(truth, &self.roles)),
            };
            let shots = self.watcher.since(begun);
            // What the headline says before its sign is another's.
            let said = |s: &Shot| sign.is_some_and(|sign| s.at >= sign) && texts.iter().any(|t| s.headline.contains(t));
            let shot = shots.iter().find(|s| s.findings.iter().any(fits) || started(s) || said(s));
            if let (Some(sign), Some(shot)) = (sign, shot) {
                let took = shot.at.saturating_duration_since(sign);
                return if took <= expected.within {
                    Ok((took, shot.at))
                } else {
                    Err(format!("{what} was shown {took:.1?} after its sign"))
                };
            }
            match sign {
                Some(sign) if sign.elapsed() > expected.within + Duration::from_secs(5) => {
                    let last = self.watcher.last().map_or_else(String::new, |s| s.headline);
                    return Err(format!("{what} was not shown; the headline is {last:?}"));
                }
                None if begun.elapsed() > SIGN_WITHIN => {
                    return Err(format!("the witness never saw what {what} is about: {:?}", self.witness.now()));
                }
                _ => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }
}
