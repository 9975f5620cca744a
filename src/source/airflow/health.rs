//! A health endpoint of Airflow's: asked every two seconds, in a connection of its own.

use std::sync::Arc;

use serde_json::Value;

use crate::config::AirflowHealthEndpoint;
use crate::model::{AirflowHealth, AirflowProgram, ErrorKind, Fact, SourceError, SourceId, SourceKind, Time, clean};
use crate::source::http::{Answer, Http};
use crate::source::{Clock, Sink, TlsCache, poll};

/// The largest body that is read; one has some hundred bytes.
const LARGEST: usize = 64 * 1024;

/// Asks the endpoint for ever; dropping the future ends the asking. Reports [`Fact::AirflowHealth`], or why there is none.
pub async fn run(sink: Sink, clock: Clock, endpoint: AirflowHealthEndpoint, tls: Arc<TlsCache>) {
    let source = SourceId::new(SourceKind::AirflowHealth, &endpoint.name);
    let http = match Http::new("airflow.health", &endpoint.url, tls, LARGEST) {
        Ok(http) => http,
        Err(error) => return poll(sink, clock, source, || std::future::ready(Err(error.clone()))).await,
    };
    poll(sink, clock, source, async || {
        let answer = http.get("", &[200, 503]).await?;
        parse(&answer).map(Fact::AirflowHealth).map_err(|why| {
            SourceError::new(ErrorKind::Malformed, format!("{} gives no account of Airflow's health: {why}", http.authority()))
        })
    })
    .await;
}

/// The scheduler's own endpoint answers 200 without a body, and 503 with a page of its HTTP server's.
fn parse(answer: &Answer) -> Result<AirflowHealth, String> {
    let programs = match serde_json::from_slice::<Value>(&answer.body) {
        Ok(Value::Object(told)) => {
            let programs: Vec<_> =
                told.iter().map(|(name, told)| program_of(name, told)).filter_map(Result::transpose).collect::<Result<_, _>>()?;
            if programs.is_empty() { Err("it names no program".to_owned()) } else { Ok(programs) }
        }
        Ok(_) => Err("a JSON value that is no object".to_owned()),
        Err(_) if answer.body.is_empty() || answer.status == 503 => Ok(Vec::new()),
        Err(error) => Err(error.to_string()),
    }?;
    Ok(AirflowHealth { status: answer.status, programs })
}

/// One that is not there at all (no triggerer, a dag processor in the scheduler) is `null`, and so is its heartbeat.
fn program_of(name: &str, told: &Value) -> Result<Option<AirflowProgram>, String> {
    let state = match &told["status"] {
        Value::Null if told.is_object() => return Ok(None),
        Value::String(state) => clean(state),
        other => return Err(format!("`{}` has the status {other}", clean(name))),
    };
    let heartbeat = told[format!("latest_{name}_heartbeat")].as_str().and_then(Time::parse);
    Ok(Some(AirflowProgram { name: clean(name), state, heartbeat }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> Result<AirflowHealth, String> {
        parse(&Answer { status, date: None, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn what_a_web_server_tells_of_each_program() {
        let body = r#"{"dag_processor": {"latest_dag_processor_heartbeat": null, "status": null},
            "metadatabase": {"status": "healthy"},
            "scheduler": {"latest_scheduler_heartbeat": "2026-11-24T03:12:44.521930+00:00", "status": "healthy"},
            "triggerer": {"latest_triggerer_heartbeat": "2026-11-24T03:11:40+00:00", "status": "unhealthy"}}"#;
        let health = of(200, body).expect("an account");
        let told: Vec<(&str, bool)> = health.programs.iter().map(|p| (p.name.as_str(), p.heartbeat.is_some())).collect();
        assert_eq!(told, [("metadatabase", false), ("scheduler", true), ("triggerer", true)]);
        assert_eq!(health.complaints(), ["triggerer is unhealthy"]);
    }

    #[test]
    fn the_schedulers_own_tells_by_its_status() {
        assert_eq!(of(200, "").expect("healthy").complaints(), [""; 0]);
        assert_eq!(of(503, "<html>Service Unavailable</html>").expect("not healthy").complaints(), ["it answers 503"]);
    }

    #[test]
    fn what_is_no_account_is_said() {
        for body in ["<html>Airflow</html>", "[]", "{}", r#"{"scheduler": {"status": 7}}"#, r#"{"detail": "Not Found"}"#] {
            assert!(of(200, body).is_err(), "{body}");
        }
    }
}
