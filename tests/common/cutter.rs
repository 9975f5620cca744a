//! A TCP proxy that ends a connection at the moment when certain bytes pass it.
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What becomes of the bytes themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bytes {
    /// They reach the server, and its answer does not come back.
    Pass,
    /// They reach nobody.
    Vanish,
}

/// Forwards a free port of 127.0.0.1 to `target` for as long as the process lives, and gives the port. A connection on which the client sends
/// `marker` is ended.
pub fn start(target: String, marker: &'static str, bytes: Bytes) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(&target) else { continue };
            let (back_from, back_to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            let passed = Arc::new(AtomicBool::new(false));
            let seen = Arc::clone(&passed);
            std::thread::spawn(move || back(back_from, back_to, &seen));
            std::thread::spawn(move || forth(client, server, marker, bytes, &passed));
        }
    });
    port
}

fn forth(mut client: TcpStream, mut server: TcpStream, marker: &str, bytes: Bytes, passed: &AtomicBool) {
    let mut buffer = [0; 65_536];
    while let Ok(n @ 1..) = client.read(&mut buffer) {
        let told = buffer[..n].windows(marker.len()).any(|part| part == marker.as_bytes());
        if told {
            passed.store(bytes == Bytes::Pass, Ordering::SeqCst);
            let _ = client.shutdown(Shutdown::Both);
            if bytes == Bytes::Pass {
                let _ = server.write_all(&buffer[..n]);
                return;
            }
        }
        if told || server.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
}

fn back(mut server: TcpStream, mut client: TcpStream, passed: &AtomicBool) {
    let mut buffer = [0; 65_536];
    while let Ok(n @ 1..) = server.read(&mut buffer) {
        // The server has to hear no end before it has done its work, whatever else it says meanwhile: it would give the work up. So its side is
        // left open, and what it says goes nowhere.
        if client.write_all(&buffer[..n]).is_err() && !passed.load(Ordering::SeqCst) {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}
