//! A disk that hangs: a file system of whose server the kernel hears nothing any more once it has taken a question. Who waits for the answer cannot be
//! killed, as with a broken disk or a hard mount of NFS whose server is gone.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use rustix::io::{FdFlags, fcntl_setfd};

/// What the table of mounts has in place of a device.
pub const NAME: &str = "pgbaton-hung";

/// The kernel's side of a file system that a program serves.
const DEVICE: &str = "/dev/fuse";
/// `FUSE_INIT`, the one question that is answered.
const INIT: u32 = 26;
/// Bytes of a question's head.
const HEAD: usize = 40;

/// Mounts one on a folder; it hangs from the moment on at which [`serve`] has it.
///
/// # Errors
/// It takes root and `/dev/fuse`; or what `mount` said.
pub fn mount(at: &Path) -> Result<File> {
    let device = OpenOptions::new().read(true).write(true).open(DEVICE);
    let device = device.with_context(|| format!("a disk that hangs takes root and {DEVICE}, which cannot be opened here"))?;
    // `mount` hands it to the kernel.
    fcntl_setfd(&device, FdFlags::empty())?;
    let options = format!("fd={},rootmode=40000,user_id=0,group_id=0,allow_other", device.as_raw_fd());
    let out = Command::new("mount").args(["-i", "-t", "fuse", "-o", &options, NAME]).arg(at).output().context("cannot run mount")?;
    if !out.status.success() {
        bail!("a disk that hangs takes root: mount: {}", String::from_utf8_lossy(&out.stderr).trim());
    }
    fcntl_setfd(&device, FdFlags::CLOEXEC)?;
    Ok(device)
}

/// Takes every question and answers the first one only, until it is unmounted.
///
/// # Errors
/// When the kernel does not take that answer.
pub fn serve(mut device: File) -> Result<()> {
    let mut question = vec![0; 1 << 17];
    while device.read(&mut question).is_ok_and(|count| count >= HEAD) {
        let number = |at: usize| u32::from_ne_bytes([question[at], question[at + 1], question[at + 2], question[at + 3]]);
        if number(4) == INIT {
            let mut answer = Vec::new();
            // Its length, no error, and which question it answers.
            [80_u32, 0].iter().for_each(|n| answer.extend(n.to_ne_bytes()));
            answer.extend_from_slice(&question[8..16]);
            // Version 7.31, and a write of 4 KiB at most; nothing else is asked for.
            [7_u32, 31, 0, 0, 0, 4096, 1].iter().for_each(|n| answer.extend(n.to_ne_bytes()));
            answer.resize(80, 0);
            device.write_all(&answer).context("the kernel does not take the answer")?;
        }
    }
    Ok(())
}
