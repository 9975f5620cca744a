//! A disk that hangs: a file system of whose server the kernel hears nothing any more once it has taken a question. Who waits for the answer cannot be
//! killed, as with a broken disk.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use pgbaton::lab::{hung, procfs};

/// One that is mounted; dropping it ends it, and who waits for it gets an error.
pub struct HungDisk(PathBuf);

impl HungDisk {
    /// Mounts one on a folder; `None`: that takes root and `/dev/fuse`.
    pub fn mount(at: PathBuf) -> Option<Self> {
        if !rustix::process::getuid().is_root() || !Path::new("/dev/fuse").exists() {
            return None;
        }
        let device = hung::mount(&at).unwrap();
        thread::spawn(move || hung::serve(device).unwrap());
        Some(Self(at))
    }
}

impl Drop for HungDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["--force", "--lazy"]).arg(&self.0).status();
    }
}

/// The `stat` processes that wait for this folder, uninterruptibly.
pub fn stuck(at: &Path) -> Vec<i32> {
    let is = |pid: &i32| {
        let words = procfs::ProcId::of(*pid).map(procfs::ProcId::argv).unwrap_or_default();
        words.first().is_some_and(|word| word == "stat") && words.iter().any(|word| Path::new(word) == at)
    };
    procfs::pids().into_iter().filter(|pid| procfs::stat(*pid).is_some_and(|stat| stat.state == 'D')).filter(is).collect()
}
