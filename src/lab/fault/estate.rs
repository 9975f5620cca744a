//! Faults of what lives from the cluster: Airflow's scheduler, its worker, a DAG that cannot be read, the disk with the DAGs, the machine that tasks
//! work on.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use super::process::kill_tree;
use super::{Fault, Need, Scene, Target};
use crate::lab::conf::{airflow, celery};
use crate::lab::files::{self, PUBLIC};
use crate::lab::layout::{Lab, PROXIES, TARGET};
use crate::lab::process::{self, Spec};
use crate::lab::wait::{self, NotYet};
use crate::lab::{airflow as programs, mounts};

/// The file of [`BROKEN_DAG`], in the folder of the DAGs.
pub const BROKEN: &str = "broken.py";

/// SIGKILL to the scheduler, and to what would start it again.
pub const KILL_SCHEDULER: Fault = Fault {
    name: "kill-scheduler",
    doc: "kill -9 Airflow's scheduler with the tasks that it runs, and nothing starts it again",
    target: Target::Cluster,
    needs: Need::Airflow,
    throw: |scene, _, _| {
        Box::pin(async move {
            let node = PROXIES[0];
            kill_tree(scene, &format!("{node}/{}scheduler", airflow::PREFIX), &format!("Airflow's scheduler on {node}")).await
        })
    },
};

/// SIGKILL to the Celery worker, and to what would start it again.
pub const KILL_WORKER: Fault = Fault {
    name: "kill-worker",
    doc: "kill -9 Airflow's Celery worker with the tasks that it runs, and nothing starts it again: the queue has no consumer",
    target: Target::Cluster,
    needs: Need::Celery,
    throw: |scene, _, _| {
        Box::pin(async move {
            let key = celery::key(&scene.lab).context("the lab has no Celery worker")?;
            kill_tree(scene, &key, &format!("Airflow's worker on {}", celery::NODE)).await
        })
    },
};

/// A DAG file that Airflow cannot import.
pub const BROKEN_DAG: Fault = Fault {
    name: "broken-dag",
    doc: "add a DAG file that cannot be imported: Airflow tells it after it has looked at the folder again, within some 10 s",
    target: Target::Cluster,
    needs: Need::Airflow,
    throw: |scene, _, _| {
        Box::pin(async move {
            let path = airflow::dags(&scene.lab).join(BROKEN);
            // Without the word Airflow takes a file for none of its own, and does not read it.
            let text = "from airflow import DAG\nimport a_module_that_is_not_installed_here\n";
            files::write(&path, text, PUBLIC, &scene.lab.record.account)?;
            Ok(format!("added {}, which imports a module that is not installed", path.display()))
        })
    },
};

/// The disk with the DAGs gives no answer any more.
pub const HANG_NFS: Fault = Fault {
    name: "hang-nfs",
    doc: "the disk with the DAGs hangs, as a hard mount of NFS whose server is gone: who touches it waits (takes root and FUSE)",
    target: Target::Cluster,
    needs: Need::Airflow,
    throw: |scene, _, _| Box::pin(hang(scene)),
};

/// The machine that the tasks work on lets nobody in.
pub const STOP_TARGET: Fault = Fault {
    name: "stop-target",
    doc: "kill -9 the sshd of the machine that Airflow's tasks work on: nobody reaches it",
    target: Target::Cluster,
    needs: Need::Airflow,
    throw: |scene, _, _| Box::pin(async move { kill_tree(scene, &format!("{TARGET}/sshd"), &format!("sshd of {TARGET}")).await }),
};

/// The server of the disk that hangs, among the processes.
fn key() -> String {
    format!("{}/hung-disk", PROXIES[0])
}

async fn hang(scene: &Scene) -> Result<String> {
    let lab = &scene.lab;
    if !lab.record.dags_mounted {
        bail!("hang-nfs takes a lab whose folder of the DAGs is a mount, and only root may mount: this one was started without");
    }
    let folder = airflow::dags(lab);
    let hangs = || mounts::below(&folder).iter().any(|mount| mount.at == folder && mount.fstype == "fuse");
    if hangs() {
        bail!("the disk with the DAGs hangs already");
    }
    let exe = std::env::current_exe().context("cannot find this program's own file")?;
    let words = [exe.to_string_lossy().into_owned(), "lab".into(), "run-hung".into(), folder.to_string_lossy().into_owned()];
    let spec = Spec {
        key: key(),
        argv: words.to_vec(),
        env: Vec::new(),
        cwd: lab.node_dir(PROXIES[0]),
        log: lab.log_dir(PROXIES[0]).join("hung-disk.log"),
        netns: None,
        // Only root may mount it.
        account: None,
    };
    // What an earlier one said is not this one's reason.
    let _ = fs::remove_file(&spec.log);
    let server = process::start(lab, &spec)?;
    wait::until(Duration::from_secs(10), Duration::from_millis(50), async || match (hangs(), server.is_alive()) {
        (true, _) => Ok(()),
        (false, true) => Err(NotYet::Reason("the disk is not mounted yet".into())),
        (false, false) => Err(NotYet::Never(files::tail(&spec.log, 3))),
    })
    .await?;
    Ok(format!("{} hangs: who asks it waits", folder.display()))
}

/// Ends the disk that hangs, and takes away the DAG that cannot be read.
///
/// # Errors
/// When a disk cannot be unmounted, or the file cannot be removed.
pub async fn heal(scene: &Scene) -> Result<()> {
    let lab = &scene.lab;
    if lab.record.options.airflow.is_none() {
        return Ok(());
    }
    mounts::end_hung(&lab.dir)?;
    end_server(lab).await?;
    if lab.record.dags_mounted {
        // After a restart of the machine it is none.
        programs::mount_dags(lab)?;
    }
    match fs::remove_file(airflow::dags(lab).join(BROKEN)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context("cannot remove the DAG that cannot be read"),
        _ => Ok(()),
    }
}

/// Without its disk the server ends by itself, unless it was stopped too.
async fn end_server(lab: &Lab) -> Result<()> {
    if let Some(server) = process::running(lab, &key()) {
        server.signal(Signal::KILL)?;
        wait::until(Duration::from_secs(10), Duration::from_millis(20), async || {
            if server.is_alive() { Err(NotYet::Reason("the server of the disk does not end".into())) } else { Ok(()) }
        })
        .await?;
    }
    process::forget(lab, &key())
}
