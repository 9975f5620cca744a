//! etcd's users, with `--auth`: `root`, `patroni` for everything below `/service/`, and `pgbaton` who may read that.

use std::time::Duration;

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::http::Http;
use super::layout::Lab;
use super::secrets::{Owner, Secrets};
use super::wait::{self, NotYet};

/// Makes users and roles, then switches authentication on and waits until it holds.
///
/// # Errors
/// What etcd answered.
pub async fn enable(lab: &Lab, secrets: &Secrets, http: &Http) -> Result<()> {
    // A prefix is the range up to the same text with its last byte one higher.
    let (from, to) = (base64(b"/service/"), base64(b"/service0"));
    let permission = |kind: &str| json!({ "permType": kind, "key": from, "range_end": to });
    let mut calls = Vec::new();
    for (name, owner) in [("root", Owner::EtcdRoot), ("patroni", Owner::EtcdPatroni), ("pgbaton", Owner::EtcdConsole)] {
        calls.push(("user/add", json!({ "name": name, "password": secrets.expose(owner)? })));
    }
    calls.push(("role/add", json!({ "name": "root" })));
    for (name, kind) in [("patroni", "READWRITE"), ("pgbaton", "READ")] {
        calls.push(("role/add", json!({ "name": name })));
        calls.push(("role/grant", json!({ "name": name, "perm": permission(kind) })));
    }
    for name in ["root", "patroni", "pgbaton"] {
        calls.push(("user/grant", json!({ "user": name, "role": name })));
    }
    calls.push(("enable", json!({})));
    let endpoint = lab.etcd_url(&lab.members()[0]);
    for (call, body) in calls {
        post(http, &endpoint, call, &body).await?;
    }
    // Every endpoint must know the users before Patroni asks: a follower may be a moment behind.
    let login = json!({ "name": "patroni", "password": secrets.expose(Owner::EtcdPatroni)? });
    for member in lab.members() {
        wait::until(Duration::from_secs(10), Duration::from_millis(100), async || {
            post(http, &lab.etcd_url(&member), "authenticate", &login).await.map_err(|e| NotYet::Reason(format!("{member}: {e:#}")))
        })
        .await?;
    }
    Ok(())
}

async fn post(http: &Http, endpoint: &str, call: &str, body: &Value) -> Result<()> {
    let answer = http.post(&format!("{endpoint}/v3/auth/{call}"), body).await?;
    if answer.status != 200 {
        // The request is not shown: it may hold a password.
        bail!("etcd refused auth/{call}: {} {}", answer.status, answer.body.trim());
    }
    Ok(())
}

/// RFC 4648 base64, which etcd's gateway wants for keys.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let n = chunk.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let letter = char::from(ALPHABET[(n >> (18 - 6 * i) & 63) as usize]);
            out.push(if i <= chunk.len() { letter } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_as_in_the_rfc() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
