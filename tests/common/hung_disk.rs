//! A disk that hangs: a file system of whose server the kernel hears nothing any more once it has taken a question. Who waits for the answer cannot be
//! killed, as with a broken disk.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use pgbaton::lab::procfs;
use rustix::io::{FdFlags, fcntl_setfd};

/// `FUSE_INIT`, the one question that is answered.
const INIT: u32 = 26;

/// One that is mounted; dropping it ends it, and who waits for it gets an error.
pub struct HungDisk(PathBuf);

impl HungDisk {
    /// Mounts one on a folder; `None`: that takes root and `/dev/fuse`.
    pub fn mount(at: PathBuf) -> Option<Self> {
        let device = OpenOptions::new().read(true).write(true).open("/dev/fuse").ok().filter(|_| rustix::process::getuid().is_root())?;
        // `mount` hands it to the kernel.
        fcntl_setfd(&device, FdFlags::empty()).unwrap();
        let options = format!("fd={},rootmode=40000,user_id=0,group_id=0,allow_other", device.as_raw_fd());
        let out = Command::new("mount").args(["-i", "-t", "fuse", "-o", &options, "pgbaton-hung"]).arg(&at).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        fcntl_setfd(&device, FdFlags::CLOEXEC).unwrap();
        thread::spawn(move || serve(device));
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

/// Takes every question and answers the first one only, until it is unmounted.
fn serve(mut device: File) {
    let mut question = vec![0; 1 << 17];
    while device.read(&mut question).is_ok_and(|count| count >= 40) {
        let number = |at: usize| u32::from_ne_bytes([question[at], question[at + 1], question[at + 2], question[at + 3]]);
        if number(4) == INIT {
            let mut answer = Vec::new();
            // Its length, no error, and which question it answers.
            [80_u32, 0].iter().for_each(|n| answer.extend(n.to_ne_bytes()));
            answer.extend_from_slice(&question[8..16]);
            // Version 7.31, and a write of 4 KiB at most; nothing else is asked for.
            [7_u32, 31, 0, 0, 0, 4096, 1].iter().for_each(|n| answer.extend(n.to_ne_bytes()));
            answer.resize(80, 0);
            device.write_all(&answer).unwrap();
        }
    }
}
