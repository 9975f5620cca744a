//! The part on the machine on which Airflow's tasks work.

use super::{BookDoc, JobDoc, TargetDoc, asked};
use crate::model::{Cluster, Job, RunBook, SourceKind, Space, TargetStatus, Time};

/// `None`: none is configured.
pub(super) fn document(cluster: &Cluster, now: Time) -> Option<TargetDoc> {
    let target = cluster.target.as_ref()?;
    let nothing = TargetStatus::default();
    let status = target.seen.last().unwrap_or(&nothing);
    let space = status.space.as_ref().and_then(|space| space.as_ref().ok());
    let book = status.book.as_ref();
    Some(TargetDoc {
        name: target.host.clone(),
        asked: asked(&target.seen, SourceKind::Target, now),
        load_1: status.load.map(|load| load[0]),
        cpus: status.cpus,
        mount: space.map(|space| space.mount.clone()),
        available_bytes: space.map(|space| space.available),
        used_share: space.and_then(Space::share).map(|share| 1.0 - share),
        disk_error: status.space.as_ref().and_then(|space| space.as_ref().err().cloned()),
        book: book.and_then(|book| Some(of_book(cluster, book.as_ref().ok()?, now))),
        book_error: book.and_then(|book| book.as_ref().err().cloned()),
    })
}

fn of_book(cluster: &Cluster, book: &RunBook, now: Time) -> BookDoc {
    let told = |wanted: fn(&Job) -> bool| {
        let jobs = book.jobs.iter().filter(|job| wanted(job) && job.recent(now));
        jobs.map(|job| of_job(cluster, job, now)).collect()
    };
    BookDoc {
        kind: book.kind,
        whole: book.whole,
        jobs: book.jobs.len() as u64,
        unread_lines: book.unread,
        twice: told(|job| job.starts > 1),
        open: told(|job| !job.ended),
    }
}

fn of_job(cluster: &Cluster, job: &Job, now: Time) -> JobDoc {
    JobDoc {
        dag: job.key.dag.clone(),
        task: job.key.task.clone(),
        run: job.key.run.clone(),
        map_index: job.key.map_index,
        starts: job.starts,
        started: job.started,
        ended: job.ended_at,
        again: job.again,
        runs_in_airflow: cluster.runs_in_airflow(&job.key, now),
    }
}
