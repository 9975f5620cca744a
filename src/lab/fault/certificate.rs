//! A server's certificate that has expired, for labs with `--tls`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rustix::process::Signal;

use super::{Fault, Need, Scene, Target};
use crate::lab::files::{self, PRIVATE, PUBLIC};
use crate::lab::process;
use crate::lab::tls;

/// The certificate of a node's etcd and REST API is replaced by one that expired the day before.
pub const EXPIRE_CERTIFICATE: Fault = Fault {
    name: "expire-certificate",
    doc: "etcd and Patroni's API of a node serve a certificate that expired yesterday",
    target: Target::Members,
    needs: Need::Tls,
    throw: |scene, targets, _| {
        Box::pin(async move {
            for member in targets {
                serve(scene, member, &tls::expired(member))?;
            }
            Ok(format!("the certificate of {} has expired", targets.join(", ")))
        })
    },
};

/// Lets a member serve somebody's certificate in the place of its own, which is kept beside it.
fn serve(scene: &Scene, member: &str, whose: &str) -> Result<()> {
    let lab = &scene.lab;
    for (own, other, mode) in [(lab.cert(member), lab.cert(whose), PUBLIC), (lab.key(member), lab.key(whose), PRIVATE)] {
        let kept = kept(&own);
        if !kept.exists() {
            fs::rename(&own, &kept).with_context(|| format!("cannot keep {}", own.display()))?;
        }
        files::write(&own, &read(&other)?, mode, &lab.record.account)?;
    }
    reload(scene, member)
}

/// Where a member's own file lies while another one is served.
fn kept(own: &Path) -> PathBuf {
    PathBuf::from(format!("{}.kept", own.display()))
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// etcd reads its files at every handshake; Patroni when it is told to.
fn reload(scene: &Scene, member: &str) -> Result<()> {
    if let Some(patroni) = process::running(&scene.lab, &format!("{member}/patroni")) {
        patroni.signal(Signal::HUP).context("cannot tell Patroni to reload")?;
    }
    Ok(())
}

/// Gives every member its own certificate back.
///
/// # Errors
/// When a file cannot be renamed.
pub fn heal(scene: &Scene) -> Result<()> {
    for member in scene.lab.members() {
        let mut changed = false;
        for own in [scene.lab.cert(&member), scene.lab.key(&member)] {
            let kept = kept(&own);
            if kept.exists() {
                fs::rename(&kept, &own).with_context(|| format!("cannot put {} back", own.display()))?;
                changed = true;
            }
        }
        if changed {
            reload(scene, &member)?;
        }
    }
    Ok(())
}
