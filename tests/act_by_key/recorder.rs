//! Proxies before every server of a lab, which write down what is asked.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use http::{Request, Response};
use http_body_util::{BodyExt, StreamBody, combinators::BoxBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use nix::sys::socket::{getsockopt, sockopt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::runtime::Runtime;

use crate::postgres_wire;

/// The user whose connections are redirected.
pub const NOBODY: u32 = 65534;

/// What was asked of one kind of server, each thing with how often.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// `GET /patroni`, by the members' REST APIs, HAProxy's page and etcd's metrics.
    pub http: BTreeMap<String, usize>,
    /// `/etcdserverpb.KV/Range`.
    pub etcd: BTreeMap<String, usize>,
    /// Requests to `/etcdserverpb.Maintenance/Alarm` that ask for something else than the list.
    pub alarms: usize,
    /// Statements.
    pub sql: BTreeMap<String, usize>,
    /// Lines to HAProxy's socket.
    pub socket: BTreeMap<String, usize>,
}

pub type Record = Arc<Mutex<Asked>>;

/// The proxies; they and the redirection end with it.
pub struct Recorder {
    pub record: Record,
    /// Where HAProxy's socket is to be asked instead.
    pub socket: PathBuf,
    table: String,
    _runtime: Runtime,
}

impl Recorder {
    /// Redirects what [`NOBODY`] sends to `block` (`127.77.1.0/24`), and stands before `socket`, at a place in `folder`.
    pub fn start(block: &str, socket: &Path, folder: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let record = Record::default();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        runtime.spawn(accept(listener, record.clone()));
        let own = folder.join("haproxy.sock");
        let unix = {
            let _inside = runtime.enter();
            UnixListener::bind(&own).unwrap()
        };
        std::os::unix::fs::chown(&own, Some(NOBODY), None).unwrap();
        runtime.spawn(accept_socket(unix, socket.to_owned(), record.clone()));
        let table = format!("pgbaton_keys_{}", std::process::id());
        let rules = format!(
            "table ip {table} {{\n chain out {{\n type nat hook output priority -100\n \
             meta skuid {NOBODY} ip daddr {block} meta l4proto tcp redirect to :{port}\n }}\n}}\n"
        );
        let made = Command::new("nft").arg(rules).output().expect("nft runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self { record, socket: own, table, _runtime: runtime }
    }

    /// What was asked so far.
    pub fn asked(&self) -> Asked {
        self.record.lock().unwrap().clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        let _ = Command::new("nft").args(["delete", "table", "ip", &self.table]).status();
    }
}

fn count(map: &mut BTreeMap<String, usize>, what: impl Into<String>) {
    *map.entry(what.into()).or_default() += 1;
}

async fn accept(listener: TcpListener, record: Record) {
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        let record = record.clone();
        tokio::spawn(async move {
            let _ = carry(client, record).await;
        });
    }
}

async fn carry(client: TcpStream, record: Record) -> std::io::Result<()> {
    let meant = getsockopt(&client, sockopt::OriginalDst)?;
    let to = SocketAddr::from((u32::from_be(meant.sin_addr.s_addr).to_be_bytes(), u16::from_be(meant.sin_port)));
    let server = TcpStream::connect(to).await?;
    if to.port() == 5432 {
        return relay(
            client,
            server,
            |bytes| postgres_wire::statements(bytes),
            move |statement| {
                count(&mut record.lock().unwrap().sql, statement);
            },
        )
        .await;
    }
    let mut begin = [0; 3];
    let n = client.peek(&mut begin).await?;
    if &begin[..n] == b"PRI" {
        let _ = grpc(client, server, record).await;
        return Ok(());
    }
    relay(client, server, request_lines, move |line| count(&mut record.lock().unwrap().http, line)).await
}

/// Carries bytes both ways. What the client has sent is taken apart when it has ended, and each time that it pauses.
async fn relay(client: TcpStream, server: TcpStream, parts: impl Fn(&[u8]) -> Vec<String>, tell: impl Fn(String)) -> std::io::Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
    });
    let (mut all, mut told) = (Vec::new(), 0);
    let mut chunk = [0; 8192];
    loop {
        let n = from_client.read(&mut chunk).await.unwrap_or(0);
        if n == 0 {
            break;
        }
        all.extend_from_slice(&chunk[..n]);
        let found = parts(&all);
        for part in found.iter().skip(told) {
            tell(part.clone());
        }
        told = found.len();
        to_server.write_all(&chunk[..n]).await?;
    }
    let _ = to_server.shutdown().await;
    let _ = back.await;
    Ok(())
}

/// `GET /patroni` of each request in these bytes.
fn request_lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().filter_map(|line| line.strip_suffix(" HTTP/1.1").or_else(|| line.strip_suffix(" HTTP/1.0")));
    lines.map(str::to_owned).collect()
}

type Carried = BoxBody<Bytes, hyper::Error>;

/// Carries etcd's calls, one after the other or at the same time, each with its path.
async fn grpc(client: TcpStream, server: TcpStream, record: Record) -> hyper::Result<()> {
    let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(server)).await?;
    tokio::spawn(connection);
    let service = service_fn(move |request: Request<Incoming>| {
        let (mut sender, record) = (sender.clone(), record.clone());
        async move {
            let path = request.uri().path().to_owned();
            count(&mut record.lock().unwrap().etcd, path.clone());
            let request = request.map(|body| watched(body, path, record));
            let answer = sender.send_request(request).await.map(|answer| answer.map(BodyExt::boxed));
            Ok::<Response<Carried>, Infallible>(
                answer.unwrap_or_else(|_| Response::builder().status(502).body(BoxBody::default_of()).unwrap()),
            )
        }
    });
    hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(client), service).await
}

/// The body as it is; of an alarm request it is noted when it is more than the question for the list.
fn watched(body: Incoming, path: String, record: Record) -> Carried {
    let stream = futures_util::stream::unfold(body, move |mut body| {
        let (path, record) = (path.clone(), record.clone());
        async move {
            let frame = body.frame().await?;
            if let Ok(Some(data)) = frame.as_ref().map(Frame::data_ref)
                && path.ends_with("/Alarm")
                // Five bytes of gRPC's frame, then an AlarmRequest: `action` GET is 0 and so not written.
                && data.get(5) == Some(&0x08)
            {
                record.lock().unwrap().alarms += 1;
            }
            Some((frame, body))
        }
    });
    BodyExt::boxed(StreamBody::new(Box::pin(stream) as std::pin::Pin<Box<dyn futures_util::Stream<Item = _> + Send + Sync>>))
}

/// An empty body.
trait Nothing {
    fn default_of() -> Self;
}

impl Nothing for Carried {
    fn default_of() -> Self {
        http_body_util::Empty::new().map_err(|never| match never {}).boxed()
    }
}

async fn accept_socket(listener: UnixListener, to: PathBuf, record: Record) {
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        let (to, record) = (to.clone(), record.clone());
        tokio::spawn(async move {
            let Ok(server) = UnixStream::connect(&to).await else { return };
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            let back = tokio::spawn(async move {
                let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
            });
            let mut chunk = [0; 4096];
            while let Ok(n @ 1..) = from_client.read(&mut chunk).await {
                for command in String::from_utf8_lossy(&chunk[..n]).split([';', '\n']).map(str::trim).filter(|c| !c.is_empty()) {
                    count(&mut record.lock().unwrap().socket, command);
                }
                if to_server.write_all(&chunk[..n]).await.is_err() {
                    break;
                }
            }
            let _ = to_server.shutdown().await;
            let _ = back.await;
        });
    }
}
