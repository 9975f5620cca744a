//! A TCP proxy that counts its connections and can be cut or frozen.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Bytes pass.
    Pass,
    /// Open connections are closed, new ones too.
    Cut,
    /// Connections are accepted and nothing passes.
    Freeze,
}

/// How many connections there are and were.
#[derive(Default, Debug)]
pub struct Count {
    pub open: AtomicUsize,
    pub most: AtomicUsize,
    pub total: AtomicUsize,
}

pub struct Proxy {
    pub port: u16,
    pub count: Arc<Count>,
    mode: watch::Sender<Mode>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Forwards a free port of 127.0.0.1 to `target`.
    pub async fn start(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (mode, modes) = watch::channel(Mode::Pass);
        let count = Arc::new(Count::default());
        let counted = Arc::clone(&count);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(forward(stream, target.clone(), modes.clone(), Arc::clone(&counted)));
            }
        });
        Self { port, count, mode, task }
    }

    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    pub fn open(&self) -> usize {
        self.count.open.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(mut stream: TcpStream, target: String, mut modes: watch::Receiver<Mode>, count: Arc<Count>) {
    let open = count.open.fetch_add(1, Ordering::SeqCst) + 1;
    count.most.fetch_max(open, Ordering::SeqCst);
    count.total.fetch_add(1, Ordering::SeqCst);
    loop {
        let mode = *modes.borrow_and_update();
        match mode {
            Mode::Cut => break,
            Mode::Freeze => {
                // The caller giving up is seen only by reading, which is what a frozen process does not do; so only a new mode ends this.
                if modes.changed().await.is_err() {
                    break;
                }
            }
            Mode::Pass => {
                let Ok(mut onward) = TcpStream::connect(&target).await else { break };
                tokio::select! {
                    _ = copy_bidirectional(&mut stream, &mut onward) => break,
                    changed = modes.changed() => if changed.is_err() { break },
                }
                if *modes.borrow() == Mode::Freeze {
                    // Held open, nothing passes.
                    let _ = modes.changed().await;
                    break;
                }
            }
        }
    }
    drop(stream);
    count.open.fetch_sub(1, Ordering::SeqCst);
}
