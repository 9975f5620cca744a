//! The one connection to a node: OpenSSH's own master process, over which any number of commands run without a local process each.
//!
//! Our master lives as long as the pipe that is its standard input, so it ends with us, however we end: the kernel closes the pipe. Its own
//! command on the node is the script `hold`, which ends with the same pipe, and all others hang on a standard input of theirs.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use openssh::{Session, Stdio as RemoteStdio};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, Command as Process};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::command::Command;
use super::errors::{explain, late};
use super::way::{Way, shown};
use crate::model::{ErrorKind, SourceError};
use crate::source::supervise::Task;

/// How long getting there may take in all, with jump hosts on the way.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long ssh may take to say what its configuration comes to.
const CONFIGURED: Duration = Duration::from_secs(5);

/// How long a command may take that asks once.
const ANSWER: Duration = Duration::from_secs(15);

/// The most that is kept of what ssh says on standard error, and of what a command answers, bytes.
const MOST_SAID: u64 = 64 * 1024;
const MOST_ANSWERED: u64 = 1024 * 1024;

/// How often a master of the user's is asked whether it is there.
const CHECK: Duration = Duration::from_secs(2);

/// What ssh is told beside the user's configuration. Nothing here weakens what that demands of the other side: prompts are off, nothing is
/// forwarded, a silent node is given up after 9 s, and the master is ours alone.
pub(super) const OPTIONS: [&str; 12] = [
    "BatchMode=yes",
    "ControlMaster=yes",
    "ControlPersist=no",
    "ConnectTimeout=8",
    "ServerAliveInterval=3",
    "ServerAliveCountMax=3",
    "ClearAllForwardings=yes",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "LogLevel=ERROR",
];

/// What the script `hold` says first.
const STANDS: &str = "pgbaton-line-stands";

/// A connection. Dropping it ends our master, and with it all that runs on the node.
pub(super) struct Connection {
    /// For commands.
    pub session: Session,
    /// Why it is over, once it is.
    end: watch::Receiver<Option<SourceError>>,
    _life: Task,
}

/// What a connection hangs on.
enum Life {
    /// Our own master.
    Ours(Box<Master>),
    /// The user's, found alive by the control socket of his configuration.
    Users(PathBuf),
}

/// Our own master process.
struct Master {
    child: Child,
    said: JoinHandle<String>,
    _input: ChildStdin,
    _folder: TempDir,
}

impl Connection {
    /// Connects, or takes the user's own connection where there is one.
    ///
    /// # Errors
    /// A sentence: what ssh said, and the command that would mend it.
    pub async fn open(way: &Way) -> Result<Self, SourceError> {
        if let Some(socket) = users_socket(way).await {
            let session = Session::resume_mux(socket.clone().into_boxed_path(), None);
            if session.check().await.is_ok() {
                return Ok(Self::new(session, Life::Users(socket), way));
            }
        }
        match timeout(PATIENCE, master(way)).await {
            Ok(connection) => connection,
            Err(_) => Err(late(way, PATIENCE.as_secs())),
        }
    }

    fn new(session: Session, mut life: Life, way: &Way) -> Self {
        let (told, end) = watch::channel(None);
        let way = way.clone();
        let life = Task::of(async move {
            let error = life.ended(&way).await;
            told.send_replace(Some(error));
        });
        Self { session, end, _life: life }
    }

    /// Whether it is there, as far as is known.
    pub fn stands(&self) -> bool {
        self.end.borrow().is_none()
    }

    /// Waits until it is over; why it is.
    pub async fn ended(&self) -> SourceError {
        let mut end = self.end.clone();
        let told = end.wait_for(Option::is_some).await.ok().and_then(|error| error.clone());
        told.unwrap_or_else(|| SourceError::new(ErrorKind::Broken, "ssh: the connection is lost"))
    }
}

impl Life {
    /// Waits until the connection is over; why it is.
    async fn ended(&mut self, way: &Way) -> SourceError {
        match self {
            Self::Ours(master) => {
                let _ = master.child.wait().await;
                let said = (&mut master.said).await.unwrap_or_default();
                lost(&said, way)
            }
            Self::Users(socket) => loop {
                sleep(CHECK).await;
                if Session::resume_mux(socket.clone().into_boxed_path(), None).check().await.is_err() {
                    return lost("", way);
                }
            },
        }
    }
}

/// Why a connection that stood is over.
fn lost(said: &str, way: &Way) -> SourceError {
    match said.trim().is_empty() {
        true => SourceError::new(ErrorKind::Broken, format!("ssh: the connection to {} is lost", way.destination)),
        false => explain(said, way, true),
    }
}

/// The control socket of the user's own configuration for this host, if there is a file.
async fn users_socket(way: &Way) -> Option<PathBuf> {
    let asked = Process::new("ssh").args(way.arguments(&["-G"])).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).output();
    let answer = timeout(CONFIGURED, asked).await.ok()?.ok()?;
    let text = String::from_utf8(answer.stdout).ok()?;
    let path = text.lines().find_map(|line| line.strip_prefix("controlpath "))?;
    (path != "none" && Path::new(path).exists()).then(|| PathBuf::from(path))
}

/// The arguments of our master. `socket` is its control socket.
pub(super) fn arguments(way: &Way, socket: &str) -> Vec<String> {
    let mut others = vec!["-T", "-S", socket];
    others.extend(OPTIONS.iter().flat_map(|option| ["-o", option]));
    let mut all = way.arguments(&others);
    all.push(shown(&Command::Hold.words()));
    all
}

async fn master(way: &Way) -> Result<Connection, SourceError> {
    let failed = |what: &str, error: &std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => SourceError::new(ErrorKind::Config, "there is no ssh on this machine")
            .with_hint("install OpenSSH's client: openssh-client, openssh-clients"),
        _ => SourceError::new(ErrorKind::Other, format!("{what}: {error}")),
    };
    let folder = super::folder::make().map_err(|error| failed("no folder for ssh's control socket", &error))?;
    let socket = folder.path().join("m");
    let mut child = Process::new("ssh")
        .args(arguments(way, &socket.to_string_lossy()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A key at the terminal is for us, not for ssh.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed("ssh cannot be started", &error))?;
    let (Some(input), Some(output), Some(errors)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
        return Err(SourceError::new(ErrorKind::Other, "ssh was started without pipes"));
    };
    let said = tokio::spawn(words(errors));
    if stands(output).await {
        let session = Session::resume_mux(socket.into_boxed_path(), None);
        let master = Master { child, said, _input: input, _folder: folder };
        return Ok(Connection::new(session, Life::Ours(Box::new(master)), way));
    }
    drop(input);
    let said = said.await.unwrap_or_default();
    Err(explain(&said, way, std::env::var_os("SSH_AUTH_SOCK").is_some()))
}

/// Waits for the word that the line stands; what a login's own files print before it does not matter.
async fn stands(output: impl AsyncRead + Unpin) -> bool {
    let mut lines = BufReader::new(output.take(MOST_SAID)).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if line.trim() == STANDS {
            return true;
        }
    }
    false
}

/// All that ssh says until its end, as far as it is kept.
async fn words(errors: ChildStderr) -> String {
    let mut bytes = Vec::new();
    let mut errors = errors;
    let _ = (&mut errors).take(MOST_SAID).read_to_end(&mut bytes).await;
    // Read on, so that ssh never waits for us.
    let _ = tokio::io::copy(&mut errors, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A command that runs on the node. Dropping it ends it there.
pub(super) struct Running<'s> {
    child: openssh::Child<&'s Session>,
    // Held open: the script on the node ends when it closes.
    input: Option<openssh::ChildStdin>,
    /// What it prints.
    pub output: openssh::ChildStdout,
    said: JoinHandle<String>,
}

/// How a command ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// Its exit code; `None`: the connection ended before it.
    pub code: Option<i32>,
    /// What it said on standard error.
    pub said: String,
}

impl<'s> Running<'s> {
    /// Starts a command.
    pub async fn start(session: &'s Session, command: &Command) -> Result<Self, SourceError> {
        Self::begin(session, &command.words()).await
    }

    /// Starts these words.
    pub(super) async fn begin(session: &'s Session, words: &[String]) -> Result<Self, SourceError> {
        let failed = |error: openssh::Error| {
            let chain = std::iter::successors(Some(&error as &dyn std::error::Error), |e| e.source());
            let said: Vec<String> = chain.map(ToString::to_string).collect();
            let error = SourceError::new(ErrorKind::Broken, format!("ssh starts no command: {}", said.join(": ")));
            error.with_hint("sshd's MaxSessions, 10 if not set, limits the commands of one connection")
        };
        let Some((program, arguments)) = words.split_first() else {
            return Err(SourceError::new(ErrorKind::Other, "an empty command"));
        };
        let mut child = session
            .command(program.as_str())
            .args(arguments)
            .stdin(RemoteStdio::piped())
            .stdout(RemoteStdio::piped())
            .stderr(RemoteStdio::piped())
            .spawn()
            .await
            .map_err(failed)?;
        let (Some(input), Some(output), Some(errors)) = (child.stdin().take(), child.stdout().take(), child.stderr().take()) else {
            return Err(SourceError::new(ErrorKind::Other, "a command of ssh without pipes"));
        };
        let said = tokio::spawn(async move {
            let mut bytes = Vec::new();
            let mut errors = errors;
            let _ = (&mut errors).take(MOST_SAID).read_to_end(&mut bytes).await;
            let _ = tokio::io::copy(&mut errors, &mut tokio::io::sink()).await;
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Ok(Self { child, input: Some(input), output, said })
    }

    /// Gives it all that it is to read.
    pub(super) async fn feed(&mut self, text: &str) -> std::io::Result<()> {
        let Some(mut input) = self.input.take() else { return Ok(()) };
        input.write_all(text.as_bytes()).await?;
        input.shutdown().await
    }

    /// Waits for its end, after its output has ended.
    pub async fn ended(mut self) -> Ended {
        self.input = None;
        let code = self.child.wait().await.ok().and_then(|status| status.code());
        Ended { code, said: self.said.await.unwrap_or_default() }
    }
}

/// Runs a command that answers once; its answer.
///
/// # Errors
/// It does not end in time, or with another code than 0; the code is told beside.
pub(super) async fn answer(session: &Session, command: &Command) -> Result<String, (Option<i32>, SourceError)> {
    let slow = || (None, SourceError::new(ErrorKind::Timeout, format!("no answer over ssh within {} s", ANSWER.as_secs())));
    timeout(ANSWER, answer_whenever(session, command)).await.unwrap_or_else(|_| Err(slow()))
}

/// The same, however long it takes: a command that hangs on the node cannot be ended there, so whoever could ask again waits for it.
///
/// # Errors
/// It ends with another code than 0; the code is told beside.
pub(super) async fn answer_whenever(session: &Session, command: &Command) -> Result<String, (Option<i32>, SourceError)> {
    let mut running = Running::start(session, command).await.map_err(|error| (None, error))?;
    let mut bytes = Vec::new();
    let read = (&mut running.output).take(MOST_ANSWERED).read_to_end(&mut bytes).await;
    read.map_err(|error| (None, SourceError::new(ErrorKind::Broken, format!("ssh: {error}"))))?;
    let ended = running.ended().await;
    match ended.code {
        Some(0) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        None => Err((None, SourceError::new(ErrorKind::Broken, "ssh: the connection is lost"))),
        code => {
            let why = ended.said.trim().lines().last().unwrap_or("no reason was given").to_owned();
            Err((code, SourceError::new(ErrorKind::Unavailable, why)))
        }
    }
}
