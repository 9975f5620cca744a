//! Making RabbitMQ's queue, and seeing that its nodes are together.

use anyhow::{Result, bail};
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::conf::{self, rabbitmq as conf_rabbitmq};
use super::health::Fact;
use super::http::Http;
use super::layout::{Lab, RABBITS, epmd_port};
use super::process::{self, Spec};
use super::secrets::{Owner, Secrets};

/// Makes the queue of Airflow's tasks, a quorum queue on all nodes.
///
/// # Errors
/// What RabbitMQ said.
pub async fn make(lab: &Lab, secrets: &Secrets, http: &Http) -> Result<()> {
    let url = format!("{}/api/queues/%2F/{}", lab.management_url(RABBITS[0]), conf_rabbitmq::QUEUE);
    let body = json!({"durable": true, "arguments": {"x-queue-type": "quorum", "x-quorum-initial-group-size": RABBITS.len()}});
    let answer = http.send_as(reqwest::Method::PUT, &url, conf_rabbitmq::APP, secrets.expose(Owner::RabbitmqApp)?, &body).await?;
    match answer.status {
        200..=299 => Ok(()),
        status => bail!("RabbitMQ does not make the queue: {status} {}", answer.body),
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
