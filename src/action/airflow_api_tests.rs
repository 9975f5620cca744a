//! What answers mean that a real Airflow cannot be brought to give: over a socket, with an API that says what the test wants.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::action::{AirflowOrder, AirflowWay, AirflowWriter, Reply};
use crate::config::{Env, Profile, Request, Selected, load};
use crate::model::AirflowPool;
use crate::permit::{Asked, Operator, Permit, Policy, decide};

const SECRET: &str = "hunter2-is-nowhere";

fn permit() -> Permit {
    decide(Ok(&Policy::default()), Operator::of_process(), "card", Asked::default()).expect("a permit")
}

/// A profile whose Airflow has its API there, with these keys beside.
fn profile(folder: &tempfile::TempDir, api: &str, who: &str) -> Profile {
    let file = folder.path().join("pgbaton.toml");
    let text = format!("[clusters.card.etcd]\nendpoints = [\"h\"]\n[clusters.card.airflow]\napi = \"{api}\"\n{who}\n");
    fs::write(&file, text).expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("permissions");
    let request = Request { file: Some(file), cluster: None, env: Env::default() };
    match load(&request).and_then(|config| config.select(None)).unwrap_or_else(|e| panic!("{e}")) {
        Selected::One(profile) => *profile,
        Selected::Several(several) => panic!("several: {several:?}"),
    }
}

fn pool(name: &str, slots: i64) -> AirflowPool {
    AirflowPool { name: name.into(), slots, taken: 0, waiting: 0, include_deferred: false, description: None, team: None, whole: true }
}

/// An API that gives these answers, one for each connection; `None`: it closes the connection when it has the request. What it was asked.
async fn api(answers: Vec<Option<String>>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let task = tokio::spawn(async move {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            asked.push(request(&mut stream).await);
            if let Some(answer) = answer {
                stream.write_all(answer.as_bytes()).await.expect("written");
            }
        }
        asked
    });
    (url, task)
}

/// A request with its body.
async fn request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    loop {
        let mut some = [0; 4096];
        let n = stream.read(&mut some).await.expect("read");
        assert!(n > 0, "half a request: {text}");
        text.push_str(std::str::from_utf8(&some[..n]).expect("UTF-8"));
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
            let length: usize = length.expect("a length").parse().expect("a number");
            if body.len() >= length {
                return text;
            }
        }
    }
}

fn says(status: &str, body: &str) -> Option<String> {
    Some(format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nlocation: /login\r\nconnection: close\r\n\r\n{body}", body.len()))
}

const LOGIN: &str = "username = \"pgbaton\"\npassword = \"hunter2-is-nowhere\"";
const TOKEN: &str = "token = \"hunter2-is-nowhere\"";

/// Freezes two pools; the reply, and what the API was asked. All its answers must have been fetched.
async fn freeze(who: &str, is_3: bool, answers: Vec<Option<String>>) -> (Reply, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let (url, task) = api(answers).await;
    let profile = profile(&folder, &url, who);
    let way = AirflowWay::of(&profile).expect("a way");
    let (a, b) = (pool("a", 5), pool("b", 6));
    let order = AirflowOrder::new(way, is_3, [(&a, 0), (&b, 0)]).expect("an order");
    let reply = AirflowWriter::new(&permit(), &profile).send(&order).await;
    let asked = task.await.expect("what was asked");
    assert!(!format!("{reply:?}").contains(SECRET), "{reply:?}");
    (reply, asked)
}

/// What is said, without the port.
fn told(reply: &Reply) -> String {
    let text = reply.to_string();
    let Some((before, rest)) = text.split_once("http://127.0.0.1:") else { return text };
    format!("{before}URL{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}

#[tokio::test]
async fn each_pool_is_asked_for_once_and_only_its_slots() {
    let done = || says("200 OK", "{\"name\": \"x\", \"slots\": 0}");
    let (reply, asked) = freeze(LOGIN, false, vec![done(), done()]).await;
    assert_eq!(told(&reply), "Airflow's API at URL took it");
    assert!(asked[0].starts_with("PATCH /api/v1/pools/a?update_mask=slots HTTP/1.1\r\n"), "{asked:?}");
    assert!(asked[1].starts_with("PATCH /api/v1/pools/b?update_mask=slots HTTP/1.1\r\n"), "{asked:?}");
    // base64 of pgbaton:hunter2-is-nowhere.
    assert!(asked.iter().all(|text| text.contains("authorization: Basic cGdiYXRvbjpodW50ZXIyLWlzLW5vd2hlcmU=\r\n")), "{asked:?}");
    assert!(asked.iter().all(|text| text.ends_with("\r\n\r\n{\"slots\":0}")), "{asked:?}");
    let (reply, asked) = freeze(TOKEN, true, vec![done(), done()]).await;
    assert!(reply.accepted(), "{reply:?}");
    assert!(asked[0].starts_with("PATCH /api/v2/pools/a?update_mask=slots HTTP/1.1\r\n"), "{asked:?}");
    assert!(asked[0].contains("authorization: Bearer hunter2-is-nowhere\r\n"), "{asked:?}");
    assert!(asked[0].ends_with("{\"pool\":\"a\",\"slots\":0,\"include_deferred\":false}"), "{asked:?}");
}

#[tokio::test]
async fn airflow_3_gives_a_token_for_the_password_and_that_is_shown() {
    let done = || says("200 OK", "{\"slots\": 0}");
    let given = says("201 Created", "{\"access_token\": \"a.b.c\"}");
    let (reply, asked) = freeze(LOGIN, true, vec![given, done(), done()]).await;
    assert!(reply.accepted(), "{reply:?}");
    assert!(asked[0].starts_with("POST /auth/token HTTP/1.1\r\n"), "{asked:?}");
    assert!(asked[0].ends_with("{\"username\":\"pgbaton\",\"password\":\"hunter2-is-nowhere\"}"), "{asked:?}");
    assert!(asked[1..].iter().all(|text| text.contains("authorization: Bearer a.b.c\r\n") && !text.contains(SECRET)), "{asked:?}");
    // An error can have in it what was sent.
    let echo = format!("{{\"detail\": \"{SECRET}\"}}");
    for (answer, why) in [
        (says("401 Unauthorized", &echo), "user or password is not accepted (401)"),
        (says("422 Unprocessable Entity", &echo), "422 Unprocessable Entity"),
        (says("404 Not Found", "<html>"), "404 Not Found"),
        (says("200 OK", "<html>log in</html>"), "there is none in the answer"),
        (says("201 Created", "{\"access_token\": \"\"}"), "there is none in the answer"),
    ] {
        let (reply, asked) = freeze(LOGIN, true, vec![answer]).await;
        assert!(matches!(reply, Reply::NotSent(_)), "{reply:?}");
        assert_eq!((told(&reply), asked.len()), (format!("not sent: no token from URL/auth/token for pgbaton: {why}"), 1));
    }
}

#[tokio::test]
async fn nothing_is_sent_twice_and_what_may_have_been_done_is_not_called_refused() {
    let done = || says("200 OK", "{\"slots\": 0}");
    let detail = |text: &str| format!("{{\"detail\": \"{text}\"}}");
    let cases: Vec<(&str, Vec<Option<String>>, &str)> = vec![
        (LOGIN, vec![None], "sent, and no answer came: 0 of 2 pools were changed, then a: URL: connection closed before message completed"),
        (
            LOGIN,
            vec![done(), None],
            "sent, and no answer came: 1 of 2 pools were changed, then b: URL: connection closed before message completed",
        ),
        (
            LOGIN,
            vec![says("504 Gateway Timeout", "")],
            "sent, and no answer came: 0 of 2 pools were changed, then a: what stands before URL answers 504 Gateway Timeout",
        ),
        (
            LOGIN,
            vec![says("500 Internal Server Error", &detail("no database"))],
            "not carried out, or not all of it: 0 of 2 pools were changed, then a: URL answers 500 Internal Server Error: no database",
        ),
        (LOGIN, vec![says("302 Found", "")], "refused: URL answers 302 Found, and is not followed elsewhere"),
        (
            LOGIN,
            vec![says("404 Not Found", &detail("Pool with name:'a' not found"))],
            "refused: URL answers 404 Not Found: Pool with name:'a' not found",
        ),
        (
            LOGIN,
            vec![done(), says("404 Not Found", "")],
            "not carried out, or not all of it: 1 of 2 pools were changed, then b: URL answers 404 Not Found",
        ),
        (
            LOGIN,
            vec![says("200 OK", "<html>log in</html>")],
            "not carried out, or not all of it: 0 of 2 pools were changed, then a: URL answers 200 without the pool as it is to be; is that \
             Airflow's API?",
        ),
        (
            LOGIN,
            vec![says("200 OK", "{\"slots\": 5}")],
            "not carried out, or not all of it: 0 of 2 pools were changed, then a: URL answers 200 without the pool as it is to be; is that \
             Airflow's API?",
        ),
        (TOKEN, vec![says("401 Unauthorized", &detail(SECRET))], "refused: URL does not accept the token (401): is it over?"),
        (TOKEN, vec![says("403 Forbidden", &detail("Invalid JWT token"))], "refused: URL does not accept the token (403): is it over?"),
        (
            TOKEN,
            vec![says("403 Forbidden", &detail(SECRET))],
            "refused: URL does not let the token change pools (403), as a user with the role Op may",
        ),
        (TOKEN, vec![says("400 Bad Request", &detail("\\u001b[2Jx"))], "refused: URL answers 400 Bad Request: \u{FFFD}[2Jx"),
    ];
    for (who, answers, expected) in cases {
        let requests = answers.len();
        let (reply, asked) = freeze(who, false, answers).await;
        assert_eq!((told(&reply).as_str(), asked.len()), (expected, requests), "{asked:?}");
    }
}

#[tokio::test]
async fn nothing_is_sent_to_another_than_is_configured_nor_without_the_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("it does not wait");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let missing = profile(&folder, &url, "token = { file = \"not-there\" }");
    let a = pool("a", 5);
    let order = |way: AirflowWay| AirflowOrder::new(way, false, [(&a, 0)]).expect("an order");
    let reply = AirflowWriter::new(&permit(), &missing).send(&order(AirflowWay::of(&missing).expect("a way"))).await;
    assert!(matches!(&reply, Reply::NotSent(why) if why.contains("airflow.token cannot be read from") && !why.contains('\n')), "{reply:?}");
    let profile = profile(&folder, &url, LOGIN);
    for other in [
        AirflowWay::Api { url: "http://127.0.0.1:1".to_owned(), user: Some("pgbaton".to_owned()) },
        AirflowWay::Api { url: url.clone(), user: Some("somebody".to_owned()) },
        AirflowWay::Cli { host: "vm1".to_owned() },
    ] {
        let reply = AirflowWriter::new(&permit(), &profile).send(&order(other)).await;
        assert!(matches!(&reply, Reply::NotSent(why) if why.contains("is not the way that is configured here")), "{reply:?}");
    }
    assert!(listener.accept().is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "somebody was asked");
    drop(listener);
    let reply = AirflowWriter::new(&permit(), &profile).send(&order(AirflowWay::of(&profile).expect("a way"))).await;
    assert!(matches!(&reply, Reply::NotSent(why) if why.contains("Connection refused")), "{reply:?}");
}
