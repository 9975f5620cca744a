//! Hostile logs of all programs, read over a real sshd: on the terminal is the console's own output, and nothing else.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::changed;
use crate::hostile::Hostile;
use crate::lab::{TestLab, said};
use crate::log_lines::PATIENCE;
use crate::pty::Pty;
use crate::spoken::{self, hidden};

const SIZE: (u16, u16) = (140, 45);
const LOGS: [(&str, &str); 4] = [("psg1", "patroni"), ("psg1", "postgres"), ("psg1", "etcd"), ("vm1", "haproxy")];
/// How long hostile lines are written if nothing else is said (`PGBATON_FUZZ_SECONDS`).
const SPAN: Duration = Duration::from_secs(5);
/// Lines of each log that are written between two keys.
const BATCH: usize = 12;

/// What is pressed while lines come: the details of a line, pages, a search for what was written, a copy, a mark, from the start to the end.
const KEYS: [&str; 17] = ["k", "\r", "\x1b", "\x02", "k", "ye", "\x1b", "yy", "m", "n", "j", "\r", "ye", "\x1b", "8", "F", "F"];

/// The logs that are written, and how far.
struct Fuzzed {
    files: Vec<(&'static str, File)>,
    hostile: Hostile,
    lines: usize,
    bytes: u64,
}

impl Fuzzed {
    fn open(lab: &TestLab, seed: u64) -> Self {
        let open = |(node, program): (&str, &'static str)| {
            let path = lab.layout().log_dir(node).join(format!("{program}-fuzz.log"));
            (program, OpenOptions::new().create(true).append(true).open(path).unwrap())
        };
        Self { files: LOGS.map(open).into(), hostile: Hostile::new(seed), lines: 0, bytes: 0 }
    }

    /// Lines of each log; half of them begin as the program begins its own.
    fn write(&mut self, count: usize, longest: bool) {
        let at = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S").to_string();
        for (program, file) in &mut self.files {
            let mut bytes = Vec::new();
            for _ in 0..count {
                self.lines += 1;
                let (n, mut text) = (self.lines, self.hostile.text());
                if longest && bytes.is_empty() {
                    text.extend(self.hostile.noise(1 << 20));
                }
                let head = match (self.hostile.number(2), &**program) {
                    (0, "patroni") => format!("{at},000 INFO: fuzz {n} "),
                    (0, "postgres") => format!("{at}.000 UTC [77] app@app/x LOG:  fuzz {n} "),
                    (0, "haproxy") => format!("[WARNING]  (2010) : fuzz {n} "),
                    (0, _) => {
                        // Escaped as JSON has it, so that it becomes what it was when it is read; and half a surrogate.
                        let message = serde_json::to_string(&String::from_utf8_lossy(&text)).unwrap();
                        text = format!("{} \\ud800\"}}", message.trim_matches('"')).into_bytes();
                        format!("{{\"level\":\"info\",\"ts\":\"{}.000Z\",\"msg\":\"fuzz {n} ", at.replace(' ', "T"))
                    }
                    _ => format!("fuzz {n} "),
                };
                bytes.extend_from_slice(head.as_bytes());
                bytes.extend(text);
                bytes.push(b'\n');
            }
            self.bytes += bytes.len() as u64;
            file.write_all(&bytes).unwrap();
        }
    }

    /// A last line that can be read, with a time after all others.
    fn end(&mut self) {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
        let line = format!("\n{} INFO: the end of what is hostile\n", at.strftime("%Y-%m-%d %H:%M:%S,000"));
        for (_, file) in self.files.iter_mut().filter(|(program, _)| *program == "patroni") {
            file.write_all(line.as_bytes()).unwrap();
        }
    }
}

pub fn nothing_hostile_reaches_the_terminal(lab: &TestLab, own: &Path) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let span = number("PGBATON_FUZZ_SECONDS").map_or(SPAN, Duration::from_secs);
    let seed = number("PGBATON_FUZZ_SEED").unwrap_or_else(|| jiff::Timestamp::now().as_microsecond().unsigned_abs());
    eprintln!("PGBATON_FUZZ_SEED={seed}");
    let mut fuzzed = Fuzzed::open(lab, seed);
    let config = configuration(lab, own);
    let folder = own.join("fuzz");
    fs::create_dir(&folder).unwrap();
    let env = [("HOME", own.to_str().unwrap()), ("PWD", folder.to_str().unwrap())];
    let start = format!("cd {:?} && exec {:?} -c {:?}", folder, env!("CARGO_BIN_EXE_pgbaton"), config);
    let mut pty = Pty::spawn(Path::new("/bin/sh"), &["-c", &start], &env, SIZE);
    // A program that was not built for speed is behind at the end, the more the longer it takes.
    pty.patience = PATIENCE + span;
    pty.until_text("sources agree");
    pty.press("8");
    fuzzed.write(1, false);
    pty.until("the first hostile line", |screen| screen.contents().contains("fuzz "));
    pty.press("/fuzz\r");
    let begun = Instant::now();
    let mut round = 0;
    while begun.elapsed() < span {
        fuzzed.write(BATCH, round % 200 == 7);
        pty.press(KEYS[round % KEYS.len()]);
        pty.until_quiet(Duration::from_millis(30));
        round += 1;
    }
    fuzzed.end();
    // Whatever is open is closed, the pane too; it is gone to again, and the newest is shown.
    for _ in 0..2 {
        pty.press("\x1b");
        pty.until_quiet(Duration::from_millis(200));
    }
    pty.press("8");
    pty.until_text("8 Logs");
    pty.press("G");
    pty.until("the end", |screen| screen.contents().contains("the end of what is hostile"));
    as_the_console_left_it(&mut pty);
    pty.press("k");
    pty.until_quiet(Duration::from_millis(500));
    let before = rows(&pty.seen);
    pty.press("\x0c");
    pty.until_quiet(Duration::from_millis(500));
    assert_eq!(before, rows(&pty.seen), "drawn anew it is the same");
    pty.press("S");
    pty.until_text("save to ");
    pty.press("\r");
    pty.until_text("lines saved to");
    pty.press("\x03");
    assert_eq!(pty.end(), 0);
    pty.assert_restored();
    let told = spoken::read(&pty.seen, SIZE).unwrap_or_else(|why| panic!("PGBATON_FUZZ_SEED={seed}: {why}"));
    let ours = |title: &String| {
        title.strip_prefix(&format!("{}: ", lab.scope())).is_some_and(|text| text.split(' ').any(|word| word.starts_with("lead")))
    };
    assert!(told.titles.iter().all(ours), "{:?}", told.titles);
    assert!(!told.copied.is_empty(), "nothing was copied");
    told.copied.iter().for_each(|text| is_clean(&decoded(text), "what was copied"));
    saved(&folder).lines().for_each(|line| is_clean(line, "what was saved"));
    let printed = printed(&config, own);
    let objects = as_json(&config);
    eprintln!(
        "{} hostile lines, {} MiB in {} s: {} frames, {} sequences, {} characters, {} copies; {printed} lines printed, {objects} objects",
        fuzzed.lines,
        fuzzed.bytes >> 20,
        begun.elapsed().as_secs(),
        told.frames,
        told.sequences,
        told.characters,
        told.copied.len()
    );
}

/// The lab's configuration, with logs that are written here.
fn configuration(lab: &TestLab, own: &Path) -> PathBuf {
    let config = changed(lab, own, "fuzz.toml", ".log\"", "-fuzz.log\"");
    let file = format!("{}/{{name}}/log/postgres-fuzz.log", lab.dir().display());
    let table = format!("\n[clusters.{}.logs.postgres]\nfile = {file:?}\n", lab.scope());
    OpenOptions::new().append(true).open(&config).unwrap().write_all(table.as_bytes()).unwrap();
    config
}

/// The terminal's modes are those that the console has set, and no others.
fn as_the_console_left_it(pty: &mut Pty) {
    let screen = pty.parser.screen();
    assert!(screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste());
    assert!(!screen.application_cursor() && !screen.application_keypad());
    assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
}

/// The rows with hostile lines, by an emulator. What stands for what was hostile is another character for it: it leaves that one out, which no
/// terminal does.
fn rows(seen: &[u8]) -> Vec<String> {
    let mut parser = vt100::Parser::new(NonZero::new(SIZE.1).unwrap(), NonZero::new(SIZE.0).unwrap(), 0);
    parser.process(String::from_utf8_lossy(seen).replace('\u{fffd}', "\u{bf}").as_bytes());
    parser.screen().contents().lines().filter(|line| line.contains("fuzz ")).map(|line| line.trim_end().to_owned()).collect()
}

fn is_clean(text: &str, what: &str) {
    for line in text.lines() {
        assert_eq!(hidden(line), None, "{what}: {line:?}");
    }
}

/// What a terminal would put into the clipboard, by another's tool.
fn decoded(text: &str) -> String {
    let mut child = Command::new("base64").arg("-d").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

fn saved(folder: &Path) -> String {
    let mut files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|path| path.extension().is_some_and(|e| e == "log")).expect("a saved file");
    fs::read_to_string(file).unwrap()
}

/// `pgbaton logs` at a terminal: lines of text, and nothing that is no text.
fn printed(config: &Path, own: &Path) -> usize {
    let args = ["-c", config.to_str().unwrap(), "logs", "psg1", "vm1", "--since", "1h"];
    let mut pty = Pty::spawn(Path::new(env!("CARGO_BIN_EXE_pgbaton")), &args, &[("HOME", own.to_str().unwrap())], SIZE);
    pty.patience = PATIENCE;
    pty.end();
    let text = String::from_utf8(std::mem::take(&mut pty.seen)).unwrap();
    assert!(text.contains("the end of what is hostile"));
    let lines: Vec<&str> = text.split("\r\n").collect();
    lines.iter().for_each(|line| assert_eq!(hidden(line), None, "printed: {line:?}"));
    lines.len()
}

/// The same for scripts: each line is an object, and no text in it has something hidden.
fn as_json(config: &Path) -> usize {
    let out = crate::lab::pgbaton().arg("-c").arg(config).args(["logs", "psg1", "vm1", "--since", "1h", "--json"]).output().unwrap();
    assert!(out.status.success(), "{}", said(&out));
    let text = String::from_utf8(out.stdout).unwrap();
    for line in text.lines() {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        strings(&value);
    }
    text.lines().count()
}

fn strings(value: &Value) {
    match value {
        Value::String(text) => assert_eq!(hidden(text), None, "in JSON: {text:?}"),
        Value::Array(items) => items.iter().for_each(strings),
        Value::Object(fields) => fields.values().for_each(strings),
        _ => {}
    }
}
