//! The folder of Airflow's DAGs, on a machine that mounts it: asked every second, so that a disk that hangs is told within three.

use std::time::Duration;

use openssh::Session;
use tokio::time::{Instant, sleep_until};

use super::command::Command;
use super::connections::Connections;
use super::host::{Asks, Teller, over};
use super::host_answer::space;
use super::way::Way;
use crate::config::{DagsProfile, SshProfile};
use crate::model::{DagFile, DagFiles, DagsDisk, DagsMount, DagsStatus, DagsWanted, Fact, SourceError, SourceId, SourceKind, Time};
use crate::source::{Clock, Sink};

/// How long the disk may take for an answer, tenths of a second: with the second between two questions and the way there it makes three.
const WAIT: u32 = 13;
/// How often its files are counted, seconds.
const COUNT: u32 = 20;

/// Asks one machine; never ends, and dropping it ends the asking.
pub(in crate::source) async fn run(sink: Sink, clock: Clock, host: String, dags: DagsProfile, ssh: SshProfile, connections: Connections) {
    let teller = Teller { sink, clock, source: SourceId::new(SourceKind::Dags, &host) };
    let way = Way::to(&ssh, &host, Some(&host));
    let mut asker = Asker { teller: &teller, dags: &dags };
    over(&teller, way, &connections, &mut asker).await;
}

struct Asker<'a> {
    teller: &'a Teller,
    dags: &'a DagsProfile,
}

impl Asks for Asker<'_> {
    async fn ask(&mut self, session: &Session) -> SourceError {
        let command = Command::Dags { folder: self.dags.wanted.path.clone(), wait: WAIT, every: COUNT };
        loop {
            let begun = Instant::now();
            match self.teller.answer(session, &command).await {
                Ok(text) => {
                    self.teller.heard(Fact::Dags(Box::new(read(&text, &self.dags.wanted, self.teller.clock.now()))), begun.elapsed())
                }
                Err(error) => return error,
            }
            sleep_until(begun + SourceKind::Dags.period()).await;
        }
    }
}

/// Reads the answer of the script `dags`, which came at `now`. A line that is not understood tells nothing.
fn read(text: &str, wanted: &DagsWanted, now: Time) -> DagsStatus {
    let said = |key: &str| text.lines().find_map(|line| Some(line.strip_prefix(key)?.strip_prefix(' ')?.trim_end()));
    let mount = (|| {
        let [at, from, fstype, options] = ["mount", "from", "type", "options"].map(|key| said(key).map(str::to_owned));
        Some(DagsMount { at: at?, from: from?, fstype: fstype?, options: options? })
    })();
    let hangs = said("hangs").map(|millis| DagsDisk::Hangs(Duration::from_millis(millis.parse().unwrap_or(0))));
    let fails = said("fails").map(|why| DagsDisk::Fails(why.rsplit(": ").next().unwrap_or(why).to_owned()));
    let answers = said("room").and_then(space).map(DagsDisk::Answers);
    let disk = hangs.or(fails).or(answers).unwrap_or_else(|| DagsDisk::Fails("what the machine tells is not understood".to_owned()));
    let files = (|| {
        let at = now.before(Duration::from_millis(said("counted")?.parse().ok()?));
        let (count, digest) = said("files")?.split_once(' ')?;
        Some(DagFiles { at, count: count.parse().ok()?, newest: said("newest").and_then(newest), digest: digest.to_owned() })
    })();
    DagsStatus { wanted: wanted.clone(), mount, disk, files }
}

/// `1795784887.7128424100 812 sub/b c.py`.
fn newest(text: &str) -> Option<DagFile> {
    let mut words = text.splitn(3, ' ');
    let (changed, _, path) = (words.next()?, words.next()?, words.next()?);
    Some(DagFile { path: path.to_owned(), changed: super::ledger::time(changed)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, now: Time) -> DagsStatus {
        super::read(text, &DagsWanted::default(), now)
    }

    const ANSWER: &str = "mount /opt/airflow/dags\nfrom vm2:/export/dags\ntype nfs4\noptions rw,hard\n\
        room 4096 1000 600 500 100 60 42 /opt/airflow/dags\ncounted 1500\nfiles 2 2590717272-64\nnewest 1795784887.7128424100 0 sub/b c.py\n";

    #[test]
    fn an_answer_is_read() {
        let status = read(ANSWER, Time::from_micros(10_000_000));
        let mount = status.mount.expect("told");
        assert_eq!((mount.at.as_str(), mount.from.as_str(), mount.fstype.as_str()), ("/opt/airflow/dags", "vm2:/export/dags", "nfs4"));
        assert!(
            matches!(&status.disk, DagsDisk::Answers(space) if space.size == 4096 * 1000 && space.inodes_free == 60),
            "{:?}",
            status.disk
        );
        let files = status.files.expect("counted");
        assert_eq!((files.at, files.count, files.digest.as_str()), (Time::from_micros(8_500_000), 2, "2590717272-64"));
        let newest = files.newest.expect("one");
        assert_eq!((newest.path.as_str(), newest.changed), ("sub/b c.py", Time::from_micros(1_795_784_887_712_842)));
    }

    #[test]
    fn what_hangs_or_fails_is_not_taken_for_an_answer() {
        let disk = |text: &str| read(text, Time::from_micros(0)).disk;
        assert_eq!(disk(&format!("hangs 2100\n{ANSWER}")), DagsDisk::Hangs(Duration::from_millis(2100)));
        let stale = "fails stat: cannot read file system information for '/d/.': Stale file handle";
        assert_eq!(disk(stale), DagsDisk::Fails("Stale file handle".to_owned()));
        for text in ["", "room 1 2", "room x\nfiles 3"] {
            let status = read(text, Time::from_micros(0));
            assert!(matches!(status.disk, DagsDisk::Fails(_)) && status.files.is_none() && status.mount.is_none(), "{text}: {status:?}");
        }
    }
}
