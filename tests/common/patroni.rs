//! A server that stands in for Patroni's REST API and watches how it is treated.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::net::{RecvFlags, recv};

/// What is seen of the callers.
#[derive(Default)]
pub struct Seen {
    /// Connections that the other side holds open.
    open: Vec<TcpStream>,
    /// The most that were open when another was accepted, that one included.
    pub most: usize,
    /// Connections ever.
    pub total: usize,
    /// First lines of the requests.
    pub requests: Vec<String>,
    /// Requests that did not ask for the connection to be closed.
    pub keep_alive: usize,
}

/// Answers by the path: the bytes to say, `None`: nothing, ever.
pub type Script = dyn Fn(&str) -> Option<Vec<u8>> + Send + Sync;

pub struct FakePatroni {
    pub port: u16,
    seen: Arc<Mutex<Seen>>,
}

impl FakePatroni {
    /// Serves from now on. A connection is held open after the answer, as long as the other side does: whoever wants it closed must close it.
    pub fn start(script: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (shared, script) = (Arc::clone(&seen), Arc::new(script) as Arc<Script>);
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                {
                    let mut seen = shared.lock().unwrap();
                    seen.open.retain(held_open);
                    seen.open.push(stream.try_clone().unwrap());
                    seen.most = seen.most.max(seen.open.len());
                    seen.total += 1;
                }
                let (shared, script) = (Arc::clone(&shared), Arc::clone(&script));
                thread::spawn(move || serve(stream, &shared, &script));
            }
        });
        Self { port, seen }
    }

    /// A server that says the same whatever it is asked.
    pub fn saying(bytes: &[u8]) -> Self {
        let bytes = bytes.to_vec();
        Self::start(move |_| Some(bytes.clone()))
    }

    pub fn api_url(&self) -> String {
        format!("http://127.0.0.1:{}/patroni", self.port)
    }

    pub fn look<T>(&self, at: impl FnOnce(&Seen) -> T) -> T {
        at(&self.seen.lock().unwrap())
    }

    /// Connections that the other side holds open right now.
    pub fn open(&self) -> usize {
        let mut seen = self.seen.lock().unwrap();
        seen.open.retain(held_open);
        seen.open.len()
    }
}

/// Asked of the kernel, so that a close counts when it has happened and not when it is noticed.
fn held_open(stream: &TcpStream) -> bool {
    let mut one = [0u8; 1];
    match recv(stream, &mut one[..], RecvFlags::PEEK | RecvFlags::DONTWAIT) {
        Ok((n, _)) => n > 0,
        Err(error) => error == rustix::io::Errno::AGAIN,
    }
}

fn serve(mut stream: TcpStream, seen: &Mutex<Seen>, script: &Arc<Script>) {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    while !request.windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(n) if n > 0 => request.extend_from_slice(&buffer[..n]),
            _ => return,
        }
    }
    let text = String::from_utf8_lossy(&request).into_owned();
    let first = text.lines().next().unwrap_or_default().to_owned();
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    {
        let mut seen = seen.lock().unwrap();
        seen.requests.push(first);
        seen.keep_alive += usize::from(!text.to_ascii_lowercase().contains("connection: close"));
    }
    if let Some(answer) = script(&path) {
        let _ = stream.write_all(&answer);
        if !answer.windows(15).any(|w| w.eq_ignore_ascii_case(b"content-length:")) {
            // Without a length the end of the answer is the end of the connection, as with Patroni.
            let _ = stream.shutdown(std::net::Shutdown::Write);
        }
    }
    while stream.read(&mut buffer).is_ok_and(|n| n > 0) {}
}

/// An answer as Patroni gives it: HTTP/1.0, no length.
pub fn http(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.0 {status}\r\nServer: BaseHTTP/0.6 Python/3.11.2\r\nContent-Type: application/json\r\n\r\n{body}").into_bytes()
}

/// An answer that invites to keep the connection.
pub fn http_kept(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: keep-alive\r\n\r\n{body}", body.len()).into_bytes()
}

/// What `/patroni` of a running replica says.
pub const REPLICA: &str = r#"{"state": "running", "postmaster_start_time": "2026-11-24 02:04:57.722263+00:00", "role": "replica", "server_version": 150018, "xlog": {"received_location": 67109680, "replayed_location": 67109680, "replayed_timestamp": null, "paused": false}, "timeline": 1, "replication_state": "streaming", "dcs_last_seen": 1795485918, "database_system_identifier": "7711553202865957151", "patroni": {"version": "4.1.5", "scope": "psg", "name": "psg2"}}"#;
