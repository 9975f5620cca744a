//! A real journal, read by a real `journalctl` on a node: followed, rotated, vacuumed, and read on where it was.
//!
//! Its files are written by `systemd-journal-remote`, as journald writes them; no journald runs for it, and the machine's own is let alone.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use jiff::Timestamp;
use rustix::process::Signal;
use serde_json::Value;

use crate::lab::{Running, TestLab, until};
use crate::log_lines::{LogLines, PATIENCE};
use crate::reboot::{start, stop};
use crate::{changed, kill, master_of, number, wrong};

const WRITER: &str = "/usr/lib/systemd/systemd-journal-remote";
const NODE: &str = "psg3";
const BOOT: &str = "0123456789abcdef0123456789abcdef";

/// A journal in a folder.
struct Journal {
    folder: PathBuf,
    /// The program that writes the file of now.
    writer: Running,
    written: usize,
    rotations: u64,
}

impl Journal {
    fn begin(folder: &Path) -> Self {
        fs::create_dir(folder).unwrap();
        Self { folder: folder.to_owned(), writer: Running(writer(folder)), written: 0, rotations: 0 }
    }

    /// Adds an entry of Patroni's unit.
    fn entry(&mut self, message: &[u8]) {
        let now = Timestamp::now().as_microsecond();
        let mut text =
            format!("__REALTIME_TIMESTAMP={now}\n__MONOTONIC_TIMESTAMP={now}\n_BOOT_ID={BOOT}\n_SYSTEMD_UNIT=patroni.service\nMESSAGE\n")
                .into_bytes();
        text.extend((message.len() as u64).to_le_bytes());
        text.extend_from_slice(message);
        text.extend_from_slice(b"\n\n");
        let input = self.writer.0.stdin.as_mut().unwrap();
        input.write_all(&text).unwrap();
        input.flush().unwrap();
    }

    /// The same as Patroni writes it.
    fn says(&mut self, level: &str, words: &[u8]) {
        let at = Timestamp::now().strftime("%Y-%m-%d %H:%M:%S,%3f");
        self.entry(&[format!("{at} {level}: ").as_bytes(), words].concat());
    }

    fn write(&mut self, count: usize) {
        for _ in 0..count {
            self.written += 1;
            self.says("INFO", format!("number {}.", self.written).as_bytes());
        }
    }

    /// Ends the file as journald does it, under the name of one that is full, and begins another.
    fn rotate(&mut self) {
        drop(self.writer.0.stdin.take());
        self.writer.0.wait().unwrap();
        self.rotations += 1;
        let old = format!("system@{:032x}-{:016x}-{:016x}.journal", self.rotations, self.rotations, Timestamp::now().as_microsecond());
        fs::rename(self.folder.join("system.journal"), self.folder.join(old)).unwrap();
        self.writer = Running(writer(&self.folder));
    }

    /// Lets all files go but that of now.
    fn vacuum(&self) {
        let done = Command::new("journalctl").args(["--quiet", "--vacuum-files=1", "--directory"]).arg(&self.folder).status().unwrap();
        assert!(done.success());
        let names: Vec<_> = fs::read_dir(&self.folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["system.journal"]);
    }
}

/// A program that writes entries to the file of now, which the node's login may read.
fn writer(folder: &Path) -> Child {
    let file = folder.join("system.journal");
    let child = Command::new(WRITER).arg("-o").arg(&file).arg("-").stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    until("a journal file", PATIENCE, || file.exists().then_some(()).ok_or_else(|| "it is not there".to_owned()));
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    child
}

pub fn a_journal_is_followed_over_rotation_and_vacuum(lab: &TestLab, own: &Path) {
    if !Path::new(WRITER).exists() {
        println!("the real journal is left out: there is no systemd-journal-remote");
        return;
    }
    // The login of the node has to get there.
    let folder = lab.layout().node_dir(NODE).join("journal");
    let mut journal = Journal::begin(&folder);
    let (sshd_config, good) = journal_of_the_lab(lab, &folder);
    let file = format!("file = \"{}/{{name}}/log/patroni.log\"", lab.dir().display());
    let config = changed(lab, own, "journal.toml", &file, "unit = \"patroni.service\"");

    journal.write(50);
    let mut lines = LogLines::start(&config, &["--program", "patroni", NODE, "--since", "1h"]);
    told(&journal, &mut lines, "the beginning");
    journal.write(50);
    told(&journal, &mut lines, "what is written as it is read");
    journal.rotate();
    journal.write(20);
    told(&journal, &mut lines, "a rotation");
    kill(master_of(lines.pid()));
    journal.write(20);
    told(&journal, &mut lines, "a line that was cut");
    kill(master_of(lines.pid()));
    journal.write(20);
    journal.rotate();
    journal.write(20);
    told(&journal, &mut lines, "a line that was cut over a rotation");
    a_message_can_be_anything(&mut journal, &mut lines);
    assert_eq!(gaps(&lines), 0);

    // What was read last is let go while nobody reads, and more with it.
    kill(master_of(lines.pid()));
    journal.write(20);
    journal.rotate();
    journal.vacuum();
    journal.write(20);
    let last = journal.written;
    lines.until("what follows a gap", |seen| seen.last().and_then(number) == Some(last));
    assert_eq!(gaps(&lines), 1);
    let numbers: Vec<usize> = lines.seen.iter().filter_map(number).collect();
    assert!(numbers.is_sorted_by(|one, other| one < other), "{}", wrong(&numbers));

    lines.kill();
    fs::write(&sshd_config, good).unwrap();
    stop(lab, NODE, "sshd", Signal::KILL);
    start(lab, NODE, "sshd");
}

/// Several lines, bytes that are no text, and more than is kept.
fn a_message_can_be_anything(journal: &mut Journal, lines: &mut LogLines) {
    journal.says("ERROR", b"several\nlines");
    journal.says("ERROR", b"bytes \xff\x1b[2J");
    journal.says("ERROR", &[b"long ".as_slice(), &vec![b'x'; 200_000]].concat());
    journal.write(1);
    told(journal, lines, "messages of any kind");
    let found = |text: &str| lines.seen.iter().find(|line| line["text"].as_str().is_some_and(|line| line.starts_with(text))).unwrap();
    assert_eq!(found("several")["more"][0]["text"], "lines");
    assert_eq!(found("bytes")["text"], "bytes \u{fffd}\u{fffd}[2J");
    assert!(found("long")["cut"].as_u64().unwrap() > 130_000, "{}", found("long")["cut"]);
}

/// All was told, each once and in order.
fn told(journal: &Journal, lines: &mut LogLines, what: &str) {
    lines.until(&format!("number {} after {what}", journal.written), |seen| seen.last().and_then(number) == Some(journal.written));
    let numbers: Vec<usize> = lines.seen.iter().filter_map(number).collect();
    assert!(numbers.iter().copied().eq(1..=journal.written), "after {what}: {}", wrong(&numbers));
}

fn gaps(lines: &LogLines) -> usize {
    lines.seen.iter().filter(|line: &&Value| line["kind"] == "gap").count()
}

/// Lets the node's `journalctl` read this folder; the node's sshd configuration and its text of before.
fn journal_of_the_lab(lab: &TestLab, folder: &Path) -> (PathBuf, String) {
    let programs = folder.with_file_name("programs");
    fs::create_dir(&programs).unwrap();
    let wrapper = programs.join("journalctl");
    fs::write(&wrapper, format!("#!/bin/sh\nexec /usr/bin/journalctl --directory={} \"$@\"\n", folder.display())).unwrap();
    for path in [folder, programs.as_path(), wrapper.as_path()] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let sshd_config = lab.layout().node_dir(NODE).join("sshd_config");
    let good = fs::read_to_string(&sshd_config).unwrap();
    assert!(good.contains("SetEnv "), "{good}");
    fs::write(&sshd_config, good.replace("SetEnv ", &format!("SetEnv PATH={}:/usr/bin:/bin ", programs.display()))).unwrap();
    stop(lab, NODE, "sshd", Signal::KILL);
    start(lab, NODE, "sshd");
    (sshd_config, good)
}
