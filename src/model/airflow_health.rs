//! What a health endpoint of Airflow's says.

use serde::{Deserialize, Serialize};

use super::Time;

/// One answer. The web server's and the API server's tell of each program, and answer 200 whatever that is (`/health` in 2.x,
/// `/api/v2/monitor/health` in 3.x); the scheduler's own (`[scheduler] enable_health_check`) tells by its status alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AirflowHealth {
    /// HTTP's status: 200, or 503 where the scheduler finds itself without a heartbeat.
    pub status: u16,
    /// What it tells of: `metadatabase`, `scheduler`, `triggerer`, `dag_processor`; none where the status is all.
    pub programs: Vec<AirflowProgram>,
}

/// What is said of one program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AirflowProgram {
    /// `scheduler`.
    pub name: String,
    /// `healthy`, `unhealthy`. Airflow takes 30 s to call a scheduler that is gone unhealthy.
    pub state: String,
    /// Its last heartbeat, by the clock of its host.
    pub heartbeat: Option<Time>,
}

impl AirflowHealth {
    /// Those that are not healthy, each in words; none: everything it tells of is.
    pub fn complaints(&self) -> Vec<String> {
        if self.status != 200 {
            return vec![format!("it answers {}", self.status)];
        }
        let ill = self.programs.iter().filter(|program| program.state != "healthy");
        ill.map(|program| format!("{} is {}", program.name, program.state)).collect()
    }
}
