//! An order to Airflow: what its pools are to be.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::model::AirflowPool;

/// An order to Airflow, by its own command. Displays as `airflow pools import (vm1): default_pool 128 -> 0`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AirflowOrder {
    /// The machine on which the command is run.
    pub host: String,
    /// The pools that change; without any, nothing is sent.
    pub pools: Vec<PoolOrder>,
}

/// What one pool is to be. The command writes a pool as a whole, so what is not to change is said too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PoolOrder {
    /// Its name.
    pub name: String,
    /// The slots that it has.
    pub was: i64,
    /// The slots that it is to have.
    pub slots: i64,
    description: Option<String>,
    include_deferred: bool,
    team: Option<String>,
}

impl PoolOrder {
    /// A pool with other slots.
    ///
    /// # Errors
    /// What else it is was not read, or cannot be written as it is; the error is a sentence.
    pub fn new(pool: &AirflowPool, slots: i64) -> Result<Self, String> {
        let AirflowPool { name, slots: was, include_deferred, description, team, whole, .. } = pool.clone();
        match whole {
            true => Ok(Self { name, was, slots, description, include_deferred, team }),
            false => Err(format!(
                "the description of the pool {name} was not read as Airflow has it, and would be lost: `pgbaton airflow grants` prints what our \
                 user needs"
            )),
        }
    }
}

impl AirflowOrder {
    /// The file that `airflow pools import` reads.
    pub(super) fn document(&self) -> String {
        let pools = self.pools.iter().map(|pool| {
            let mut fields = json!({ "slots": pool.slots, "description": pool.description, "include_deferred": pool.include_deferred });
            if let Some(team) = &pool.team {
                fields["team_name"] = json!(team);
            }
            (pool.name.clone(), fields)
        });
        Value::Object(pools.collect::<Map<_, _>>()).to_string()
    }
}

impl fmt::Display for AirflowOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pools.is_empty() {
            return f.write_str("nothing is sent: no pool is to be changed");
        }
        let each: Vec<String> = self.pools.iter().map(|pool| format!("{} {} -> {}", pool.name, pool.was, pool.slots)).collect();
        write!(f, "airflow pools import ({}): {}", self.host, each.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_keeps_everything_but_its_slots() {
        let pool = AirflowPool {
            name: "etl \"x\"".to_owned(),
            slots: -1,
            taken: 0,
            waiting: 0,
            include_deferred: true,
            description: None,
            team: Some("a".to_owned()),
            whole: true,
        };
        let order = AirflowOrder { host: "vm1".to_owned(), pools: vec![PoolOrder::new(&pool, 0).expect("whole")] };
        let written = r#"{"etl \"x\"":{"slots":0,"description":null,"include_deferred":true,"team_name":"a"}}"#;
        assert_eq!(order.document(), written);
        assert_eq!(order.to_string(), "airflow pools import (vm1): etl \"x\" -1 -> 0");
        assert!(PoolOrder::new(&AirflowPool { whole: false, ..pool }, 0).is_err(), "its description would be lost");
    }
}
