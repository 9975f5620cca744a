//! What the nodes tell of themselves, on a lab with a real sshd on every node and file systems that really fill.
#![allow(clippy::unwrap_used)]

mod common {
    pub mod hung_disk;
    pub mod lab;
    #[allow(dead_code, reason = "each test file uses its part of it")]
    pub mod pty;
    pub mod watching;
}

#[path = "proof_runbooks/operator.rs"]
#[allow(dead_code, reason = "each test file uses its part of it")]
mod operator;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::hung_disk::{HungDisk, stuck};
use common::lab::{TestLab, said, status_with, until};
use common::pty::Pty;
use common::watching::Watching;
use operator::{answer, did, finished, yes};
use pgbaton::document::{Document, FindingDoc, Level, NodeDoc, PlaceDoc};
use pgbaton::lab::{conf, process, procfs};
use pgbaton::model::PlaceKind;
use rustix::process::{Pid, Signal, kill_process};

/// For what comes with the next looks at a node, of which there is one in ten seconds.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn the_nodes_tell_of_their_disks_and_a_lost_line_leaves_what_was_known() {
    let lab = TestLab::up("host", &["--ttl", "20", "--loop-wait", "2"]);
    let own = tempfile::tempdir().unwrap();
    nothing_is_run_on_nodes_unless_it_is_asked_for(&lab);
    places_are_found_where_they_are(&lab, own.path());
    a_disk_that_fills_is_told_and_one_that_is_emptied_is_not(&lab, own.path());
    a_disk_that_hangs_is_told_and_asked_once(&lab, own.path());
    a_line_that_is_cut_keeps_what_was_known(&lab, own.path());
    logs_and_facts_come_over_one_connection(&lab, own.path());
}

/// The lab's configuration with the nodes looked at, and more in its table `ssh`.
fn looking(lab: &TestLab, own: &Path, name: &str, more: &str) -> PathBuf {
    let (text, file) = (lab.config_text(), own.join(name));
    assert!(text.contains("facts = false\n"), "{text}");
    fs::write(&file, text.replace("facts = false\n", &format!("facts = true\n{more}"))).unwrap();
    file
}

fn node<'d>(document: &'d Document, name: &str) -> &'d NodeDoc {
    document.nodes.iter().find(|node| node.name == name).unwrap_or_else(|| panic!("{name} is not in {:?}", document.nodes))
}

fn place(node: &NodeDoc, kind: PlaceKind) -> &PlaceDoc {
    node.places.iter().find(|place| place.kind == kind).unwrap_or_else(|| panic!("no {kind} in {node:?}"))
}

fn finding<'d>(document: &'d Document, code: &str) -> Option<&'d FindingDoc> {
    document.findings.iter().find(|finding| finding.code == code)
}

/// The picture once every node was heard.
fn heard(config: &Path) -> Document {
    until("a word of every node", PATIENCE, || {
        let document = status_with(config);
        match document.nodes.len() == 5 && document.nodes.iter().all(|node| node.asked.fresh) {
            true => Ok(document),
            false => Err(format!("{:?}", document.nodes)),
        }
    })
}

fn nothing_is_run_on_nodes_unless_it_is_asked_for(lab: &TestLab) {
    assert_eq!(lab.status().nodes, []);
}

fn places_are_found_where_they_are(lab: &TestLab, own: &Path) {
    let document = heard(&looking(lab, own, "found.toml", ""));
    for name in lab.layout().members() {
        let node = node(&document, &name);
        let data = lab.sql(&name, "SHOW data_directory");
        let etcd = lab.layout().node_dir(&name).join("etcd").display().to_string();
        for (kind, path) in [(PlaceKind::Data, data.clone()), (PlaceKind::Wal, format!("{data}/pg_wal")), (PlaceKind::Etcd, etcd)] {
            let place = place(node, kind);
            assert_eq!((place.path.as_deref(), &place.error), (Some(path.as_str()), &None), "{kind} of {name}");
            // Another tool's word for it.
            let df = Command::new("df").args(["--block-size=1", "--output=size,target", "--"]).arg(&path).output().unwrap();
            let df = String::from_utf8(df.stdout).unwrap();
            let told: Vec<&str> = df.lines().last().unwrap().split_whitespace().collect();
            assert_eq!((place.size_bytes.unwrap().to_string(), place.mount.clone().unwrap()), (told[0].to_owned(), told[1].to_owned()));
        }
        assert!(node.load_1.is_some() && node.cpus.is_some_and(|n| n > 0) && node.uptime_seconds.is_some(), "{node:?}");
        assert!(node.memory_available_bytes.unwrap() <= node.memory_bytes.unwrap(), "{node:?}");
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        assert_eq!(node.boot.as_deref(), Some(boot.trim()));
        // It is this machine's own clock: the true difference, 0, is within what is told.
        let (skew, within) = (node.clock_skew_ms.unwrap(), node.clock_skew_within_ms.unwrap());
        assert!(skew.abs() <= within + 1.0 && within < 5000.0, "{skew} within {within}");
    }
    assert_eq!(node(&document, "vm1").places, [], "no data is there");
}

/// A file system of memory with room for 64 MB and 400 files, unmounted when it is dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: PathBuf) -> Self {
        fs::create_dir_all(&at).unwrap();
        let out =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=64m,nr_inodes=400,mode=755", "pgbaton-test"]).arg(&at).output().unwrap();
        assert!(out.status.success(), "{}", said(&out));
        Self(at)
    }

    fn fill(&self, megabytes: usize) {
        fs::write(self.0.join("filler"), vec![7; megabytes << 20]).unwrap();
    }

    fn files(&self, count: usize) {
        (0..count).for_each(|n| fs::write(self.0.join(format!("file{n}")), "").unwrap());
    }

    fn empty(&self) {
        fs::read_dir(&self.0).unwrap().for_each(|entry| fs::remove_file(entry.unwrap().path()).unwrap());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// From start to end: what fills it is found, and the run goes on when the node itself tells of room again.
fn the_runbook_leads_from_the_disk_to_room(disk: &Disk, config: &Path, own: &Path) {
    let mount = format!("mount={}", disk.0.display());
    let words = ["-c", config.to_str().unwrap(), "runbook", "run", "disk-low", "--set", "member=psg2", "--set", &mount];
    let mut pty = Pty::spawn(Path::new(env!("CARGO_BIN_EXE_pgbaton")), &words, &[("HOME", own.to_str().unwrap())], (300, 500));
    pty.patience = PATIENCE;
    did(&mut pty, "df -i", || {});
    // The folder has a space in its name: the command takes it for one word.
    assert!(pty.screen().contains(&format!("df -h '{}'", disk.0.display())), "{}", pty.screen());
    yes(&mut pty, &["room for the next hour?"]);
    did(&mut pty, "du -xh", || {});
    did(&mut pty, "lsof", || {});
    answer(&mut pty, "What is it that fills it? [logs, temporary files, wal, data, etcd, other]", "logs");
    did(&mut pty, "journalctl --disk-usage", || disk.empty());
    yes(&mut pty, &["some minutes apart?", "a larger volume)?"]);
    finished(&mut pty);
}

/// What is found of the small disk; this machine's own may be as full as it likes.
fn small<'d>(document: &'d Document, code: &str) -> Option<&'d FindingDoc> {
    let of_it = |finding: &&FindingDoc| finding.subject.as_ref().is_some_and(|subject| subject.ends_with("small disk"));
    document.findings.iter().filter(of_it).find(|finding| finding.code == code)
}

fn a_disk_that_fills_is_told_and_one_that_is_emptied_is_not(lab: &TestLab, own: &Path) {
    if !rustix::process::getuid().is_root() {
        eprintln!("not root: no disk can be mounted");
        return;
    }
    let at = lab.dir().join("small disk");
    let disk = Disk::mount(at.clone());
    let more = format!("[clusters.{}.ssh.folders]\nwal = \"{}\"\n", lab.scope(), at.display());
    let limits = format!(
        "\n[clusters.{}.limits]\ndisk_low_bytes = \"30MB\"\ndisk_critical_bytes = \"5MB\"\ndisk_low_share = 0.5\ndisk_critical_share = 0.1\n",
        lab.scope()
    );
    let config = looking(lab, own, "small.toml", &more);
    fs::write(&config, fs::read_to_string(&config).unwrap() + &limits).unwrap();
    let watching = Watching::start(&config, "0.5");
    let wal = |document: &Document| node(document, "psg2").places.iter().find(|p| p.kind == PlaceKind::Wal).and_then(|p| p.available_bytes);
    let document = watching.until("a word of the small disk", |d| d.nodes.iter().any(|n| n.name == "psg2") && wal(d).is_some());
    assert_eq!(place(node(&document, "psg2"), PlaceKind::Wal).mount.as_deref(), Some(at.to_str().unwrap()));
    assert_eq!((small(&document, "disk-low"), small(&document, "disk-inodes-low")), (None, None));

    disk.fill(40);
    let document = watching.until("a disk that is low", |d| small(d, "disk-low").is_some());
    let told = small(&document, "disk-low").unwrap();
    assert_eq!(told.runbook.as_deref(), Some("disk-low"));
    assert_eq!(told.severity, Level::Warning);
    assert!(
        told.sentence.contains("small disk on psg") && told.sentence.contains("which holds WAL, has 24.0 MB left"),
        "{}",
        told.sentence
    );
    disk.fill(62);
    watching.until("a disk that is nearly full", |d| small(d, "disk-low").is_some_and(|f| f.severity == Level::Critical));
    the_runbook_leads_from_the_disk_to_room(&disk, &config, own);
    watching.until("a disk that has room again", |d| small(d, "disk-low").is_none() && wal(d).is_some_and(|left| left > 60 << 20));

    disk.files(390);
    let document = watching.until("a disk without inodes", |d| small(d, "disk-inodes-low").is_some());
    assert!(small(&document, "disk-low").is_none(), "there is room for bytes");
    disk.empty();
    watching.until("inodes again", |d| small(d, "disk-inodes-low").is_none() && node(d, "psg2").asked.fresh);
}

/// Whoever asks it cannot be killed, and nothing else waits for it.
fn a_disk_that_hangs_is_told_and_asked_once(lab: &TestLab, own: &Path) {
    let name = "psg3";
    let at = |name: &str| lab.dir().join(format!("hung-{name}"));
    lab.layout().members().iter().for_each(|member| fs::create_dir(at(member)).unwrap());
    let Some(disk) = HungDisk::mount(at(name)) else {
        eprintln!("a disk that hangs is left out: it takes root and /dev/fuse");
        return;
    };
    // What stands below it is not asked for itself.
    let (data, wal) = (lab.dir().join("hung-{name}"), lab.dir().join("hung-{name}/pg_wal"));
    let more = format!("[clusters.{}.ssh.folders]\ndata = \"{}\"\nwal = \"{}\"\n", lab.scope(), data.display(), wal.display());
    let watching = Watching::start(&looking(lab, own, "hung.toml", &more), "0.5");
    let hangs = |d: &Document| d.nodes.iter().find(|n| n.name == name).is_some_and(|n| n.places.iter().any(|p| p.error.is_some()));
    let document = watching.until("a disk that hangs", hangs);
    let node_3 = node(&document, name);
    for kind in [PlaceKind::Data, PlaceKind::Wal] {
        let told = place(node_3, kind).error.clone().unwrap();
        assert!(told.ends_with("does not answer within 3 s: its file system hangs"), "{kind}: {told}");
    }
    assert!(place(node_3, PlaceKind::Etcd).error.is_none() && node_3.load_1.is_some(), "all else is told: {node_3:?}");
    assert!(node_3.asked.rtt_ms.unwrap() < 8000.0, "{:?}", node_3.asked);
    assert_eq!(stuck(&at(name)).len(), 1);
    // In the look that follows nobody else is sent there.
    let told = |d: &Document| node(d, name).uptime_seconds;
    let next = watching.until("another look", |d| told(d) > told(&document));
    assert!(hangs(&next), "{:?}", node(&next, name));
    assert_eq!(stuck(&at(name)).len(), 1);
    drop(watching);
    drop(disk);
    until("the end of who was stuck", PATIENCE, || match stuck(&at(name)).len() {
        0 => Ok(()),
        left => Err(format!("{left} are left")),
    });
}

fn a_line_that_is_cut_keeps_what_was_known(lab: &TestLab, own: &Path) {
    let name = "psg3";
    let layout = lab.layout();
    let watching = Watching::start(&looking(lab, own, "cut.toml", ""), "0.5");
    let known = watching.until("a word of all", |d| d.nodes.len() == 5 && d.nodes.iter().all(|node| node.asked.fresh));
    let size = place(node(&known, name), PlaceKind::Data).size_bytes;
    assert!(size.is_some());
    let key = format!("{name}/sshd");
    let sshd = process::running(layout, &key).unwrap();
    let sessions: Vec<i32> = descendants(sshd.pid);
    sshd.signal(Signal::KILL).unwrap();
    for pid in sessions {
        let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
    }
    let cut = watching.until("a line that is cut", |d| node(d, name).asked.error.is_some());
    let (lost, other) = (node(&cut, name), node(&cut, "psg2"));
    assert!(!lost.asked.fresh && lost.asked.age_ms.is_some(), "{lost:?}");
    assert_eq!(place(lost, PlaceKind::Data).size_bytes, size, "the last word stands, with its age");
    assert!(other.asked.fresh && other.asked.error.is_none(), "{other:?}");
    let told = watching.until("the word that it is not known", |d| finding(d, "source-stale").is_some());
    let told = finding(&told, "source-stale").unwrap();
    assert!(told.sentence.contains(&format!("of {name} are not known: ssh:")), "{}", told.sentence);
    process::start(layout, &conf::spec(layout, &key).unwrap()).unwrap();
    watching.until("the node's word again", |d| node(d, name).asked.fresh && finding(d, "source-stale").is_none());
}

fn logs_and_facts_come_over_one_connection(lab: &TestLab, own: &Path) {
    let config = looking(lab, own, "shared.toml", "");
    let env = [("HOME", own.to_str().unwrap())];
    let mut pty = Pty::spawn(Path::new(env!("CARGO_BIN_EXE_pgbaton")), &["-c", config.to_str().unwrap()], &env, (140, 45));
    pty.until_text("4 of 4 sources agree");
    let given = lab.layout().ssh_config().display().to_string();
    let connections = || {
        let is = |words: Vec<String>| {
            words.first().is_some_and(|w| w.ends_with("ssh")) && words.contains(&given) && words.contains(&"-S".to_owned())
        };
        procfs::pids().into_iter().filter(|pid| procfs::ProcId::of(*pid).is_some_and(|id| is(id.argv()))).count()
    };
    let five = || if connections() == 5 { Ok(()) } else { Err(format!("{} connections", connections())) };
    until("a connection to each node", PATIENCE, five);
    pty.press("8");
    pty.until("lines of the nodes", |screen| ["no action. I am", "<STATS>"].iter().any(|text| screen.contents().contains(text)));
    five().unwrap();
    // From wherever one is.
    pty.press("\x03");
    assert_eq!(pty.end(), 0);
}

/// The processes that a process has started, and those that they have.
fn descendants(parent: i32) -> Vec<i32> {
    let children = procfs::pids().into_iter().filter(|pid| procfs::stat(*pid).is_some_and(|stat| stat.ppid == parent && stat.state != 'Z'));
    children.flat_map(|pid| std::iter::once(pid).chain(descendants(pid))).collect()
}
