//! Making RabbitMQ's queue, and seeing that its nodes are together and that somebody takes from it.

use anyhow::{Context, Result, bail};
use futures_util::future::join_all;
use serde_json::Value;

use super::conf::{self, rabbitmq as conf_rabbitmq};
use super::health::Fact;
use super::http::Http;
use super::layout::{Lab, RABBITS, epmd_port};
use super::process::{self, Spec};
use super::secrets::{Owner, Secrets};

/// Makes the queue of Airflow's tasks, on all nodes.
///
/// # Errors
/// What RabbitMQ said.
pub async fn make(lab: &Lab, secrets: &Secrets, http: &Http) -> Result<()> {
    let password = secrets.expose(Owner::RabbitmqApp)?;
    let put = async |what: &str, body: &Value| {
        let url = format!("{}/api/{what}", lab.management_url(RABBITS[0]));
        http.send_as(reqwest::Method::PUT, &url, conf_rabbitmq::APP, password, body).await
    };
    if let Some(policy) = conf_rabbitmq::policy(lab) {
        match put("policies/%2F/mirrored", &policy).await? {
            // RabbitMQ 4 has no mirrored queues: there it lies on one node.
            answer if matches!(answer.status, 200..=299 | 400) => {}
            answer => bail!("RabbitMQ does not take the queue's policy: {} {}", answer.status, answer.body),
        }
    }
    match put(&format!("queues/%2F/{}", conf_rabbitmq::QUEUE), &conf_rabbitmq::queue(lab)).await? {
        answer if matches!(answer.status, 200..=299) => Ok(()),
        answer => bail!("RabbitMQ does not make the queue: {} {}", answer.status, answer.body),
    }
}

/// `rabbitmqctl` on one of the nodes; what it wrote to its standard output.
///
/// # Errors
/// The lab has no RabbitMQ, or the command fails.
pub fn ctl(lab: &Lab, node: &str, words: &[&str]) -> Result<String> {
    let spec = conf::spec(lab, &format!("{node}/rabbitmq"))?;
    process::run(lab, &Spec { argv: conf_rabbitmq::ctl(lab, words)?, ..spec })
}

/// Whether the directory of nodes answers for each.
pub async fn directory(lab: &Lab) -> Fact {
    let ask = async |node: &&str| tokio::net::TcpStream::connect((lab.ip(node), epmd_port(lab.record.block))).await.is_ok();
    let answers = join_all(RABBITS.iter().map(ask)).await;
    Fact { name: "epmd".into(), ok: answers.iter().all(|answers| *answers), detail: "not every node's directory answers".into() }
}

/// Whether every node says that all run.
pub async fn health(lab: &Lab, secrets: &Secrets, http: &Http) -> Fact {
    let ask = async |node: &&str| -> Result<usize> {
        let url = format!("{}/api/nodes?columns=name,running", lab.management_url(node));
        let answer = http.get_as(&url, conf_rabbitmq::CONSOLE, secrets.expose(Owner::Rabbitmq)?).await?;
        let nodes: Vec<Value> = serde_json::from_str(&answer.body)?;
        Ok(nodes.iter().filter(|node| node["running"] == true).count())
    };
    let answers = join_all(RABBITS.iter().map(ask)).await;
    let told = RABBITS.iter().zip(&answers).map(|(node, answer)| match answer {
        Ok(running) => format!("{node} sees {running}"),
        Err(error) => format!("{node}: {error:#}"),
    });
    let told = told.collect::<Vec<_>>().join(", ");
    Fact { name: "rabbitmq".into(), ok: answers.iter().all(|answer| answer.as_ref().is_ok_and(|n| *n == RABBITS.len())), detail: told }
}

/// Whether somebody takes tasks from the queue, by the word of each node that says something. A node counts again every five seconds.
pub async fn consumed(lab: &Lab, secrets: &Secrets, http: &Http) -> Fact {
    let ask = async |node: &&str| -> Result<u64> {
        let url = format!("{}/api/queues/%2F/{}?columns=consumers", lab.management_url(node), conf_rabbitmq::QUEUE);
        let answer = http.get_as(&url, conf_rabbitmq::CONSOLE, secrets.expose(Owner::Rabbitmq)?).await?;
        let queue: Value = serde_json::from_str(&answer.body)?;
        queue["consumers"].as_u64().context("its consumers are not counted yet")
    };
    let (told, silent): (Vec<_>, Vec<_>) = join_all(RABBITS.iter().map(ask)).await.into_iter().partition(Result::is_ok);
    let (ok, detail) = match (told.into_iter().flatten().min(), silent.into_iter().find_map(Result::err)) {
        (Some(n), _) => (n > 0, format!("consumers of the queue {}: {n}", conf_rabbitmq::QUEUE)),
        (None, why) => (false, why.map_or_else(|| "no node says who takes from the queue".to_owned(), |error| format!("{error:#}"))),
    };
    Fact { name: "celery worker".into(), ok, detail }
}
