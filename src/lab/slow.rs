//! A forwarder that delays: the rules of a node's namespace lead its TCP connections here, and every byte goes on later.
//!
//! Many kernels have no netem, which would do this with one command.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

/// Where it listens, inside the node's namespace.
pub const PORT: u16 = 1099;
/// Pieces on their way in one direction; more than this, and the sender has to wait.
const PIECES: usize = 256;

/// Forwards for ever; makes the file `ready` when it listens.
///
/// # Errors
/// When it cannot listen.
pub async fn run(delay: Duration, ready: &Path) -> Result<()> {
    // All addresses of the namespace, which holds one node and nothing else.
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await.with_context(|| format!("cannot listen on port {PORT}"))?;
    fs::write(ready, "").with_context(|| format!("cannot write {}", ready.display()))?;
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        tokio::spawn(async move {
            // A target that refuses is refused to the client too: its end is dropped here.
            if let Err(e) = forward(client, delay).await {
                eprintln!("{e:#}");
            }
        });
    }
}

async fn forward(client: TcpStream, delay: Duration) -> Result<()> {
    let target = rustix::net::sockopt::ip_original_dst(&client).context("cannot tell where a connection was meant to go")?;
    let here = client.local_addr()?;
    anyhow::ensure!(SocketAddr::V4(target) != here, "a connection to the forwarder itself");
    // The handshake takes a way there and back.
    sleep_until(Instant::now() + 2 * delay).await;
    let server = connect(target, here).await.with_context(|| format!("{target}"))?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    tokio::join!(pass(client_read, server_write, delay), pass(server_read, client_write, delay));
    Ok(())
}

async fn connect(target: SocketAddrV4, here: SocketAddr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if here.ip() == SocketAddr::V4(target).ip() {
        // To a program of the node itself: from 127.0.0.1, which etcd's certificates allow as an origin.
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    }
    Ok(socket.connect(target.into()).await?)
}

/// Passes bytes on, each piece at its time; an end or a reset travels like the bytes before it.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: Duration) {
    let (sender, mut receiver) = mpsc::channel::<(Instant, Vec<u8>)>(PIECES);
    let read = async move {
        loop {
            let mut piece = vec![0; 16 * 1024];
            let n = from.read(&mut piece).await.unwrap_or(0);
            piece.truncate(n);
            if sender.send((Instant::now() + delay, piece)).await.is_err() || n == 0 {
                return;
            }
        }
    };
    let write = async move {
        while let Some((due, piece)) = receiver.recv().await {
            sleep_until(due).await;
            if piece.is_empty() || to.write_all(&piece).await.is_err() {
                break;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(read, write);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_and_the_end_arrive_once_and_late() {
        let delay = Duration::from_millis(80);
        let pair = async || {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            (near, listener.accept().await.unwrap().0)
        };
        let (mut source, inlet) = pair().await;
        let (outlet, mut sink) = pair().await;
        tokio::spawn(pass(inlet.into_split().0, outlet.into_split().1, delay));
        let begun = Instant::now();
        source.write_all(b"baton").await.unwrap();
        source.shutdown().await.unwrap();
        let mut got = Vec::new();
        sink.read_to_end(&mut got).await.unwrap();
        assert_eq!(got, b"baton");
        assert!(begun.elapsed() >= delay, "{:?}", begun.elapsed());
    }
}
