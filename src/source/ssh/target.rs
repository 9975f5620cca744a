//! The machine on which Airflow's tasks work: its load, its disk, and what it has written down of them.

use std::collections::BTreeMap;

use openssh::Session;
use tokio::time::{Instant, sleep_until};

use super::command::Command;
use super::connections::Connections;
use super::host::{Asks, Teller, over};
use super::host_answer::{load, space};
use super::ledger::{Ledger, time};
use super::way::Way;
use crate::config::{SshProfile, TargetBook, TargetProfile};
use crate::model::{BookKind, Fact, Job, RunBook, SourceError, SourceId, SourceKind, TargetStatus, TaskKey};
use crate::source::{Clock, Sink};

/// So many pieces of a ledger are read in a row before something is told.
const PIECES: usize = 8;

/// Asks the machine; never ends, and dropping it ends the asking.
pub(in crate::source) async fn run(sink: Sink, clock: Clock, target: TargetProfile, ssh: SshProfile, connections: Connections) {
    let teller = Teller { sink, clock, source: SourceId::new(SourceKind::Target, &target.host) };
    let way = Way::to(&ssh, &target.host, Some(&target.host));
    let ledger = match &target.book {
        Some(TargetBook::Ledger { file, format }) => Some((file.clone(), Ledger::new(format.clone()))),
        _ => None,
    };
    let mut asker = Asker { teller: &teller, target: &target, ledger };
    over(&teller, way, &connections, &mut asker).await;
}

struct Asker<'a> {
    teller: &'a Teller,
    target: &'a TargetProfile,
    ledger: Option<(String, Ledger)>,
}

impl Asks for Asker<'_> {
    async fn ask(&mut self, session: &Session) -> SourceError {
        let guard = match &self.target.book {
            Some(TargetBook::Guard(folder)) => folder.clone(),
            _ => String::new(),
        };
        let command = Command::Target { disk: self.target.disk.clone(), guard };
        loop {
            let begun = Instant::now();
            let answered = async {
                let mut status = read(&self.teller.answer(session, &command).await?);
                if let Some(book) = self.book(session).await? {
                    status.book = Some(book);
                }
                Ok(status)
            };
            match answered.await {
                Ok(status) => self.teller.heard(Fact::Target(Box::new(status)), begun.elapsed()),
                Err(error) => return error,
            }
            sleep_until(begun + SourceKind::Target.period()).await;
        }
    }
}

impl Asker<'_> {
    /// What the ledger has by now; `None`: there is none.
    async fn book(&mut self, session: &Session) -> Result<Option<Result<RunBook, String>>, SourceError> {
        let Some((file, ledger)) = &mut self.ledger else { return Ok(None) };
        for _ in 0..PIECES {
            let command = Command::Ledger { file: file.clone(), id: ledger.id.clone(), from: ledger.next };
            match ledger.take(&self.teller.answer(session, &command).await?) {
                Ok(true) => {}
                Ok(false) => return Ok(Some(Ok(ledger.book()))),
                Err(why) => return Ok(Some(Err(why))),
            }
        }
        Ok(Some(Err("the ledger is being read: it grows faster than that".to_owned())))
    }
}

/// Reads the answer of the script `target`.
fn read(text: &str) -> TargetStatus {
    let said = |key: &str| text.lines().find_map(|line| Some(line.strip_prefix(key)?.strip_prefix(' ')?.trim_end()));
    let room = said("room").map(|facts| space(facts).ok_or_else(|| "what the target tells of its disk is not understood".to_owned()));
    let unread = || said("unread").map(|why| Err(why.rsplit(": ").next().unwrap_or(why).to_owned()));
    let has = |word: &str| text.lines().any(|line| line == word);
    let book = match () {
        () if has("guarded") => Some(Ok(guards(text))),
        () if has("unguarded") => Some(Err("the guard directory is not there".to_owned())),
        () => None,
    };
    TargetStatus {
        load: said("load").and_then(load),
        cpus: said("cpus").and_then(|count| count.parse().ok()),
        space: room.or_else(unread),
        book,
    }
}

/// `guard d 1795784887.71 4 charge/manual__1/work/-1`, and the same with `5` and `/done` for the end.
fn guards(text: &str) -> RunBook {
    let mut jobs: BTreeMap<TaskKey, Job> = BTreeMap::new();
    let (mut order, mut unread) = (Vec::new(), 0);
    for line in text.lines().filter_map(|line| line.strip_prefix("guard ")) {
        let mut words = line.splitn(4, ' ');
        let entry = (|| {
            let (_, at, depth, path) = (words.next()?, words.next()?, words.next()?, words.next()?);
            let mut names = path.split('/').map(str::to_owned);
            let (dag, run, task) = (names.next()?, names.next()?, names.next()?);
            Some((TaskKey { dag, run, task, map_index: names.next()?.parse().ok()? }, time(at), depth == "5"))
        })();
        let Some((key, at, end)) = entry else {
            unread += 1;
            continue;
        };
        order.retain(|known| *known != key);
        order.push(key.clone());
        let job = jobs.entry(key.clone()).or_insert_with(|| Job {
            key,
            starts: 1,
            started: None,
            ended: false,
            ended_at: None,
            again: false,
            try_number: None,
        });
        match end {
            true => (job.ended, job.ended_at) = (true, at),
            false => job.started = at,
        }
    }
    // The mark that was put into a folder has changed the folder's time.
    jobs.values_mut().filter(|job| job.ended).for_each(|job| job.started = None);
    let all = order.len();
    let jobs = order.into_iter().skip(all.saturating_sub(RunBook::MOST)).filter_map(|key| jobs.remove(&key)).collect();
    RunBook { kind: BookKind::Guard, whole: all <= RunBook::MOST, unread, jobs }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read() {
        let status = read("load 0.40 0.30 0.20 1/100 7\ncpus 4\nroom 4096 1000 600 500 100 60 42 /var\n");
        assert_eq!((status.load, status.cpus), (Some([0.4, 0.3, 0.2]), Some(4)));
        assert!(matches!(&status.space, Some(Ok(space)) if space.mount == "/var"), "{status:?}");
        assert_eq!(status.book, None, "nothing is configured");
        assert_eq!(
            read("unread stat: cannot statx '/x/.': No such file or directory").space,
            Some(Err("No such file or directory".into()))
        );
        assert_eq!(read(""), TargetStatus::default());
    }

    #[test]
    fn a_folder_of_a_task_is_a_start_and_its_mark_an_end() {
        let text = "guarded\nguard d 10.5 4 charge/r1/work/-1\nguard f 20.5 5 charge/r1/work/-1/done\nguard d 30 4 charge/r2/work/3\nguard d 1 4 odd\n";
        let book = read(text).book.expect("there").expect("read");
        assert_eq!((book.kind, book.unread, book.whole), (BookKind::Guard, 1, true));
        let told: Vec<_> = book.jobs.iter().map(|job| (job.key.told(), job.ended, job.ended_at)).collect();
        let end = time("20.5");
        assert_eq!(told, [("charge.work of r1".to_owned(), true, end), ("charge.work[3] of r2".to_owned(), false, None)]);
        assert_eq!(read("unguarded").book, Some(Err("the guard directory is not there".to_owned())));
    }
}
