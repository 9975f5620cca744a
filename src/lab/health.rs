//! Is the practice cluster healthy: facts, each asked of the party that knows it.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde::Serialize;
use serde_json::Value;

use super::airflow;
use super::conf;
use super::http::Http;
use super::layout::{Lab, PROXIES};
use super::ledger;
use super::process;
use super::rabbitmq;
use super::secrets::Secrets;
use super::sql::{self, User};

/// One fact of a healthy lab.
#[derive(Debug, Clone, Serialize)]
pub struct Fact {
    /// What it is about.
    pub name: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was seen.
    pub detail: String,
}

/// A member as its own Patroni describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Patroni's `role`: `primary`, `replica` ...
    pub role: String,
    /// Patroni's `state`: `running` ...
    pub state: String,
    /// Patroni's `replication_state`: `streaming` ..., empty when it says none.
    pub replication: String,
    /// PostgreSQL's timeline; 0 when Patroni says none.
    pub timeline: u64,
    /// `sync_state` of the replicas connected to it, by application name.
    pub standbys: BTreeMap<String, String>,
}

impl Member {
    fn parse(v: &Value) -> Self {
        let text = |key: &str| v[key].as_str().unwrap_or_default().to_owned();
        let standby = |r: &Value| Some((r["application_name"].as_str()?.to_owned(), r["sync_state"].as_str()?.to_owned()));
        Self {
            // Before version 4 Patroni said `master`.
            role: text("role").replace("master", "primary"),
            state: text("state"),
            replication: text("replication_state"),
            timeline: v["timeline"].as_u64().unwrap_or(0),
            standbys: v["replication"].as_array().map(|a| a.iter().filter_map(standby).collect()).unwrap_or_default(),
        }
    }

    /// Whether its Patroni says that it leads and runs.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.role == "primary" && self.state == "running"
    }
}

/// What every member's Patroni says at this moment; an error is its reason in words.
pub async fn members(lab: &Lab, http: &Http) -> BTreeMap<String, Result<Member, String>> {
    let ask = async |name: String| {
        let answer = http.get_json(&format!("{}/patroni", lab.rest_url(&name))).await;
        (name, answer.map(|v| Member::parse(&v)).map_err(|e| format!("{e:#}")))
    };
    join_all(lab.members().into_iter().map(ask)).await.into_iter().collect()
}

/// The member that leads, if exactly one says so.
#[must_use]
pub fn leader(members: &BTreeMap<String, Result<Member, String>>) -> Option<String> {
    let mut leading = members.iter().filter(|(_, m)| m.as_ref().is_ok_and(Member::leads)).map(|(name, _)| name.clone());
    leading.next().filter(|_| leading.next().is_none())
}

/// Every fact of a healthy lab, in the order in which they come true when it starts.
pub async fn facts(lab: &Lab, secrets: &Secrets, http: &Http) -> Vec<Fact> {
    let (etcd, members) = tokio::join!(etcd(lab, http), members(lab, http));
    let mut facts = vec![processes(lab), etcd, leader_fact(&members), replicas(lab, &members)];
    facts.extend(paths_of(lab, secrets, http, &members).await);
    facts.push(ledger_fact(lab));
    if let (Some(_), Some(leader)) = (&lab.record.options.airflow, leader(&members)) {
        facts.push(airflow::health(lab, &leader).await);
    }
    if let Some(pools) = conf::airflow::api_pools(lab) {
        facts.push(airflow::api_health(http, &pools).await);
    }
    if lab.record.options.rabbitmq {
        facts.push(rabbitmq::health(lab, secrets, http).await);
    }
    if lab.record.options.celery() {
        facts.push(rabbitmq::consumed(lab, secrets, http).await);
    }
    facts
}

/// The facts about the clients' ways: what each HAProxy's checks say, and whether a write through it arrives.
pub async fn paths(lab: &Lab, secrets: &Secrets, http: &Http) -> Vec<Fact> {
    paths_of(lab, secrets, http, &members(lab, http).await).await
}

async fn paths_of(lab: &Lab, secrets: &Secrets, http: &Http, members: &BTreeMap<String, Result<Member, String>>) -> Vec<Fact> {
    let (proxies, writes) =
        tokio::join!(join_all(PROXIES.map(|p| proxy_servers(lab, http, p))), join_all(PROXIES.map(|p| write(lab, secrets, p))));
    let leader = leader(members);
    let routes = PROXIES.iter().zip(proxies).map(|(name, servers)| routes(name, leader.as_deref(), members, servers));
    routes.chain(writes).collect()
}

fn processes(lab: &Lab) -> Fact {
    let keys = conf::keys(lab);
    let mut wrong = Vec::new();
    for key in &keys {
        match process::running(lab, key).and_then(super::procfs::ProcId::state) {
            None => wrong.push(format!("{key} does not run")),
            Some('T') => wrong.push(format!("{key} is stopped")),
            Some(_) => {}
        }
    }
    let detail = if wrong.is_empty() { format!("all {} run", keys.len()) } else { wrong.join(", ") };
    Fact { name: "processes".into(), ok: wrong.is_empty(), detail }
}

/// etcd's own health: each endpoint says whether it could commit.
pub async fn etcd(lab: &Lab, http: &Http) -> Fact {
    let ask = async |m: String| {
        let answer = http.get_json(&format!("{}/health", lab.etcd_url(&m))).await;
        // A string in etcd 3.4, as in later ones.
        let healthy = answer.as_ref().is_ok_and(|v| v["health"] == "true" || v["health"] == true);
        (m, healthy)
    };
    let answers = join_all(lab.members().into_iter().map(ask)).await;
    let bad: Vec<&str> = answers.iter().filter(|(_, ok)| !ok).map(|(m, _)| m.as_str()).collect();
    let mut detail = format!("{} of {} healthy", answers.len() - bad.len(), answers.len());
    if !bad.is_empty() {
        detail.push_str(&format!(", not {}", bad.join(", ")));
    }
    Fact { name: "etcd".into(), ok: bad.is_empty(), detail }
}

fn leader_fact(members: &BTreeMap<String, Result<Member, String>>) -> Fact {
    let leading: Vec<&str> = members.iter().filter(|(_, m)| m.as_ref().is_ok_and(Member::leads)).map(|(n, _)| n.as_str()).collect();
    let detail = match leading.as_slice() {
        [] => "none".to_owned(),
        [one] => (*one).to_owned(),
        many => format!("{} at once", many.join(" and ")),
    };
    Fact { name: "leader".into(), ok: leading.len() == 1, detail }
}

/// Whether every member but the leader streams from it, as both sides see it.
#[must_use]
pub fn replicas(lab: &Lab, members: &BTreeMap<String, Result<Member, String>>) -> Fact {
    let name = "replicas".to_owned();
    let Some(leader) = leader(members) else {
        return Fact { name, ok: false, detail: "no leader to follow".into() };
    };
    let Some(Ok(lead)) = members.get(&leader) else {
        return Fact { name, ok: false, detail: "no leader to follow".into() };
    };
    let mut wrong = Vec::new();
    let mut streaming = 0;
    for (name, member) in members.iter().filter(|(n, _)| **n != leader) {
        match member {
            Err(reason) => wrong.push(format!("{name}: {reason}")),
            Ok(m) if m.replication != "streaming" => {
                let seen = if m.replication.is_empty() { &m.state } else { &m.replication };
                wrong.push(format!("{name}: {}", if seen.is_empty() { "unknown" } else { seen }));
            }
            Ok(m) if m.timeline != lead.timeline => wrong.push(format!("{name}: timeline {}, not {}", m.timeline, lead.timeline)),
            // A follower's word is not enough: the leader must know its connection.
            Ok(_) if !lead.standbys.contains_key(name) => wrong.push(format!("{name}: not connected to {leader}")),
            Ok(_) => streaming += 1,
        }
    }
    if lab.record.options.sync && !lead.standbys.values().any(|s| s == "sync" || s == "quorum") {
        wrong.push("no synchronous standby".into());
    }
    let seen = format!("{streaming} of {} streaming", members.len() - 1);
    let detail = if wrong.is_empty() { seen } else { format!("{seen}; {}", wrong.join("; ")) };
    Fact { name, ok: wrong.is_empty(), detail }
}

/// One server of one backend as HAProxy's statistics show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// `pg_write` or `pg_read`.
    pub backend: String,
    /// The member.
    pub name: String,
    /// `UP`, `DOWN 1/2`, `no check` ...
    pub status: String,
    /// The last check's result, for example `L7OK`; empty before the first one and without checks.
    pub check: String,
}

/// Reads the servers out of the CSV that HAProxy's statistics page offers. Columns are found by name.
#[must_use]
pub fn parse_servers(csv: &str) -> Vec<Server> {
    let mut lines = csv.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().trim_start_matches("# ").split(',').collect();
    let column = |name: &str| header.iter().position(|h| *h == name);
    let (Some(px), Some(sv), Some(status), Some(check)) = (column("pxname"), column("svname"), column("status"), column("check_status"))
    else {
        return Vec::new();
    };
    lines
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            let get = |i: usize| fields.get(i).map(ToString::to_string);
            // While a check runs, its last result is shown with a star before it.
            let check = get(check)?.trim_start_matches("* ").to_owned();
            Some(Server { backend: get(px)?, name: get(sv)?, status: get(status)?, check })
        })
        .filter(|s| s.backend.starts_with("pg_") && !matches!(s.name.as_str(), "FRONTEND" | "BACKEND"))
        .collect()
}

async fn proxy_servers(lab: &Lab, http: &Http, proxy: &str) -> Result<Vec<Server>, String> {
    let answer = http.get(&format!("{};csv", lab.stats_url(proxy))).await.map_err(|e| format!("{e:#}"))?;
    Ok(parse_servers(&answer.body))
}

fn routes(
    proxy: &str,
    leader: Option<&str>,
    members: &BTreeMap<String, Result<Member, String>>,
    servers: Result<Vec<Server>, String>,
) -> Fact {
    let name = format!("{proxy} routes");
    let servers = match servers {
        Ok(servers) => servers,
        Err(reason) => {
            return Fact { name, ok: false, detail: reason };
        }
    };
    // A server counts as up before its first check: only one that a check found good is believed.
    let up = |backend: &str| -> Vec<&str> {
        servers.iter().filter(|s| s.backend == backend && s.status.starts_with("UP")).map(|s| s.name.as_str()).collect()
    };
    let unchecked: Vec<&str> = servers.iter().filter(|s| !s.check.starts_with('L')).map(|s| s.name.as_str()).collect();
    let (write, read) = (up("pg_write"), up("pg_read"));
    let followers: Vec<&str> = members.keys().map(String::as_str).filter(|m| Some(*m) != leader).collect();
    let ok = unchecked.is_empty() && leader.is_some_and(|l| write == [l]) && read == followers;
    let list = |names: &[&str]| {
        if names.is_empty() { "nobody".to_owned() } else { names.join("+") }
    };
    let mut detail = format!("writes to {}, reads from {}", list(&write), list(&read));
    if !unchecked.is_empty() {
        detail.push_str(&format!("; without a check: {}", list(&unchecked)));
    }
    Fact { name, ok, detail }
}

/// A real write: taking a transaction number is one, and needs no table.
async fn write(lab: &Lab, secrets: &Secrets, proxy: &str) -> Fact {
    let attempt = async {
        let client = sql::through(lab, secrets, proxy, User::App).await?;
        client.simple_query("SELECT txid_current()").await.map_err(sql::plain)?;
        anyhow::Ok(())
    };
    let result = match tokio::time::timeout(std::time::Duration::from_secs(3), attempt).await {
        Ok(result) => result.map_err(|e| format!("{e:#}")),
        Err(_) => Err("no answer within 3 s".to_owned()),
    };
    Fact { name: format!("write through {proxy}"), ok: result.is_ok(), detail: result.err().unwrap_or_else(|| "works".into()) }
}

fn ledger_fact(lab: &Lab) -> Fact {
    let name = "ledger".to_owned();
    match ledger::entry::last(&lab.dir) {
        None => Fact { name, ok: false, detail: "nothing written yet".into() },
        Some(entry) => {
            let age = jiff::Timestamp::now().as_millisecond() - entry.at.as_millisecond();
            let what = if entry.ok { "acknowledged" } else { "failed" };
            Fact { name, ok: entry.ok && age < 5_000, detail: format!("write {} {what}, {:.1} s ago", entry.seq, age as f64 / 1000.0) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = "# pxname,svname,qcur,status,check_status,\nstats,FRONTEND,,OPEN,,\npg_write,FRONTEND,,OPEN,,\npg_write,psg1,0,UP,L7OK,\npg_write,psg2,0,DOWN,* L7STS,\npg_write,BACKEND,0,UP,,\npg_read,psg1,0,DOWN,L7STS,\npg_read,psg2,0,UP,L7OK,\n";

    fn two() -> BTreeMap<String, Result<Member, String>> {
        let member = |role: &str| {
            Ok(Member { role: role.into(), state: "running".into(), replication: String::new(), timeline: 1, standbys: BTreeMap::new() })
        };
        [("psg1".to_owned(), member("primary")), ("psg2".to_owned(), member("replica"))].into()
    }

    #[test]
    fn routes_are_right_only_when_checks_said_so() {
        let good = parse_servers(CSV);
        assert_eq!(good.len(), 4);
        assert!(routes("vm1", Some("psg1"), &two(), Ok(good.clone())).ok);
        assert!(!routes("vm1", Some("psg2"), &two(), Ok(good)).ok, "writes go to a replica");
        let unchecked = parse_servers(&CSV.replace("L7OK", ""));
        assert!(!routes("vm1", Some("psg1"), &two(), Ok(unchecked)).ok, "up, but no check was made");
        assert!(!routes("vm1", Some("psg1"), &two(), Err("refused".into())).ok);
    }

    #[test]
    fn two_leaders_are_none() {
        let mut m = two();
        assert_eq!(leader(&m).as_deref(), Some("psg1"));
        m.insert("psg2".into(), m["psg1"].clone());
        assert_eq!(leader(&m), None);
        assert!(!leader_fact(&m).ok);
    }

    #[test]
    fn a_page_without_the_columns_gives_no_servers() {
        assert_eq!(parse_servers("<html>"), Vec::new());
        assert_eq!(parse_servers(""), Vec::new());
    }
}
