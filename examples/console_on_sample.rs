//! The console on a sample document, for trying looks and for the tests of the terminal: `cargo run --example console_on_sample -- lagging`.
//!
//! A second argument says how the sample behaves: `live` (the default; its clock goes on), `still` (nothing ever changes), `flood` (something
//! new at every moment), `handover` (psg2 takes over once, and its name is a hostile one). A third names a file that gets a line whenever a document was made: which it is,
//! and how often it was asked for what nodes log.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pgbaton::app::{EventLine, Mode};
use pgbaton::document::{Document, Level};
use pgbaton::log::Heard;
use pgbaton::model::Time;
use pgbaton::shell::{Appearance, Feed, Options, run};

#[path = "../tests/common/sample/mod.rs"]
mod sample;

struct Sample {
    document: Document,
    manner: String,
    made: u64,
    listened: u64,
    count: Option<File>,
    handed_over: bool,
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

impl Feed for Sample {
    async fn wait(&mut self) -> Vec<EventLine> {
        match self.manner.as_str() {
            "still" => std::future::pending().await,
            "flood" => tokio::time::sleep(Duration::from_millis(1)).await,
            _ => tokio::time::sleep(Duration::from_millis(700)).await,
        }
        if self.manner == "handover" {
            let told = "psg2\u{1b}]0;evil\u{7} leads instead of psg1";
            let first = !std::mem::replace(&mut self.handed_over, true);
            return if first { vec![EventLine::new(now(), Level::Ok, "leader-changed", told)] } else { Vec::new() };
        }
        if self.made.is_multiple_of(10) {
            let sentence = format!("document {} was made", self.made);
            return vec![EventLine::new(now(), Level::Ok, "sample", sentence)];
        }
        Vec::new()
    }

    fn document(&mut self) -> Document {
        self.made += 1;
        if let Some(count) = &mut self.count {
            writeln!(count, "{} {}", self.made, self.listened).expect("the count is written");
        }
        let mut document = self.document.clone();
        if self.handed_over {
            document.headline.leads = "psg2 leads".to_owned();
            document.cluster.leader = Some("psg2".to_owned());
        }
        if self.manner != "still" {
            document.at = now();
            for (n, member) in document.members.iter_mut().enumerate() {
                let wave = (self.made * 7919 * (n as u64 + 1)) % 60_000;
                member.replay_lag_bytes = member.replay_lag_bytes.map(|lag| lag + wave);
            }
        }
        document
    }

    fn logs(&mut self) -> Vec<Heard> {
        self.listened += 1;
        Vec::new()
    }
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "healthy".to_owned());
    let manner = args.next().unwrap_or_else(|| "live".to_owned());
    let count = args.next().map(|path| OpenOptions::new().create(true).append(true).open(path).expect("the file opens"));
    let Some((_, document)) = sample::all().into_iter().find(|(known, _)| *known == name) else {
        eprintln!("there is no sample {name}");
        return ExitCode::from(2);
    };
    let options =
        Options::new("card-prod", Mode::ReadOnly(String::new()), &Appearance::default(), |name| std::env::var(name).ok()).expect("options");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    match runtime.block_on(run(options, Sample { document, manner, made: 0, listened: 0, count, handed_over: false })) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}
