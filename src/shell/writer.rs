//! A thread that writes frames, so that a slow line never holds up the loop.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::terminal::Frames;

/// Writes one frame at a time.
pub(super) struct Writer {
    frames: SyncSender<Vec<u8>>,
    done: mpsc::Receiver<io::Result<Duration>>,
    busy: bool,
}

impl Writer {
    /// A writer to the standard output.
    pub(super) fn to_stdout() -> io::Result<Self> {
        Self::to(Frames(File::from(io::stdout().as_fd().try_clone_to_owned()?)))
    }

    fn to(mut file: impl Write + Send + 'static) -> io::Result<Self> {
        let (frames, queue) = sync_channel::<Vec<u8>>(1);
        let (report, done) = mpsc::channel(1);
        thread::Builder::new().name("screen".to_owned()).spawn(move || {
            for frame in queue {
                let begun = Instant::now();
                let result = file.write_all(&frame).map(|()| begun.elapsed());
                if report.blocking_send(result).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { frames, done, busy: false })
    }

    /// Whether a frame is still being written.
    pub(super) fn busy(&self) -> bool {
        self.busy
    }

    /// Hands over a frame; only while not [`busy`](Self::busy).
    pub(super) fn send(&mut self, frame: Vec<u8>) -> io::Result<()> {
        debug_assert!(!self.busy, "a frame while the last one is unsent");
        self.frames.try_send(frame).map_err(|_| io::Error::other("the thread that writes to the terminal has ended"))?;
        self.busy = true;
        Ok(())
    }

    /// Waits until the frame is written; tells how long that took. Does not end while there is none.
    pub(super) async fn written(&mut self) -> io::Result<Duration> {
        if !self.busy {
            return std::future::pending().await;
        }
        let result = self.done.recv().await;
        self.busy = false;
        result.unwrap_or_else(|| Err(io::Error::other("the thread that writes to the terminal has ended")))
    }

    /// Waits for the last frame, but not for long; `false`: it is still being written.
    pub(super) async fn settle(&mut self, patience: Duration) -> bool {
        !self.busy || tokio::time::timeout(patience, self.written()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A line that takes a frame only when it is told to.
    struct Slow {
        go: Receiver<()>,
        seen: Sender<usize>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.go.recv().map_err(io::Error::other)?;
            self.seen.send(bytes.len()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_slow_line_holds_up_nobody_and_a_frame_is_one_write() {
        let (go, wait) = channel();
        let (seen, sizes) = channel();
        let mut writer = Writer::to(Slow { go: wait, seen }).expect("a writer");
        writer.send(vec![b'x'; 11_000]).expect("sent");
        assert!(writer.busy() && !writer.settle(Duration::from_millis(20)).await);
        go.send(()).expect("go");
        writer.written().await.expect("written");
        assert!(!writer.busy());
        assert_eq!(sizes.try_iter().collect::<Vec<_>>(), [11_000]);
    }

    #[tokio::test]
    async fn a_broken_line_is_an_error_and_not_silence() {
        let (go, wait) = channel();
        let (seen, _) = channel();
        drop(go);
        let mut writer = Writer::to(Slow { go: wait, seen }).expect("a writer");
        writer.send(vec![b'x']).expect("sent");
        assert!(writer.written().await.is_err());
    }
}
