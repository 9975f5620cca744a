//! An order to Airflow: what its pools are to be, and by whom they are made so.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use url::Url;

use super::operation::word;
use crate::config::{PoolsBy, Profile};
use crate::model::{AirflowPool, clean};

/// By whom Airflow's pools are changed, as the configuration says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "lowercase")]
pub enum AirflowWay {
    /// By Airflow's own command.
    Cli {
        /// The machine on which it is run.
        host: String,
    },
    /// By Airflow's REST API.
    Api {
        /// What stands before `/api`.
        url: String,
        /// As whom; `None`: a token says it.
        user: Option<String>,
    },
}

impl AirflowWay {
    /// That of a profile; `None`: its pools are not changed.
    pub fn of(profile: &Profile) -> Option<Self> {
        let airflow = profile.airflow.as_ref()?;
        match airflow.pools_by? {
            PoolsBy::Cli => airflow.cli.as_ref().map(|cli| Self::Cli { host: cli.host.clone() }),
            PoolsBy::Api => airflow.api.as_ref().map(|api| Self::Api { url: api.url.clone(), user: api.user().map(str::to_owned) }),
        }
    }
}

/// `Airflow's API at http://10.0.0.1:8080, as pgbaton`.
impl fmt::Display for AirflowWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cli { host } => write!(f, "Airflow's own command at {host}"),
            Self::Api { url, user: Some(user) } => write!(f, "Airflow's API at {url}, as {user}"),
            Self::Api { url, user: None } => write!(f, "Airflow's API at {url}, with a token"),
        }
    }
}

/// An order to Airflow. Displays as `airflow pools import (vm1): default_pool 128 -> 0`, or as each request to its API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AirflowOrder {
    /// Who is asked.
    #[serde(flatten)]
    pub way: AirflowWay,
    /// Whether it is Airflow 3, whose API is another.
    pub is_3: bool,
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
    fn new(way: &AirflowWay, is_3: bool, pool: &AirflowPool, slots: i64) -> Result<Self, String> {
        let AirflowPool { name, slots: was, include_deferred, description, team, whole, .. } = pool.clone();
        match (whole, way) {
            (true, AirflowWay::Api { .. }) if matches!(name.as_str(), "" | "." | "..") => {
                Err(format!("Airflow's API cannot be told of the pool {name:?}: in a URL it is no name"))
            }
            (true, AirflowWay::Api { .. }) if !is_3 && name.contains('/') => {
                Err(format!("the API of Airflow 2.10 cannot be told of the pool {name}: a slash in a name is another path to it"))
            }
            (true, _) => Ok(Self { name, was, slots, description, include_deferred, team }),
            (false, AirflowWay::Cli { .. }) => Err(format!(
                "the description of the pool {name} was not read as Airflow has it, and would be lost: `pgbaton airflow grants` prints what our \
                 user needs"
            )),
            (false, AirflowWay::Api { .. }) => Err(format!(
                "the pool {name} was not read as Airflow has it, and may have another name: `pgbaton airflow grants` prints what our user needs"
            )),
        }
    }

    /// Where the API has it, from the host on.
    pub(super) fn path(&self, is_3: bool) -> String {
        let version = if is_3 { "v2" } else { "v1" };
        // Only the path counts.
        let Ok(mut url) = Url::parse("http://airflow") else { return String::new() };
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(["api", version, "pools", self.name.as_str()]);
        }
        format!("{}?update_mask=slots", url.path())
    }

    /// What is sent there. The mask lets only the slots change; 3 wants a pool that is one for all that.
    pub(super) fn body(&self, is_3: bool) -> Value {
        match is_3 {
            true => json!({ "pool": self.name, "slots": self.slots, "include_deferred": self.include_deferred }),
            false => json!({ "slots": self.slots }),
        }
    }
}

impl AirflowOrder {
    /// That these pools get these slots.
    ///
    /// # Errors
    /// What else a pool is was not read, or cannot be written as it is; the error is a sentence.
    pub fn new<'p>(way: AirflowWay, is_3: bool, pools: impl IntoIterator<Item = (&'p AirflowPool, i64)>) -> Result<Self, String> {
        let pools = pools.into_iter().map(|(pool, slots)| PoolOrder::new(&way, is_3, pool, slots)).collect::<Result<_, _>>()?;
        Ok(Self { way, is_3, pools })
    }

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

    /// The same by a shell; `None` for the command, which is that itself. No secret stands among its words: `curl` asks for a password, and reads
    /// the variable `TOKEN` from a line that the shell itself writes.
    pub(super) fn by_hand(&self) -> Option<String> {
        let AirflowWay::Api { url, user } = &self.way else { return None };
        let (before, who) = match user {
            Some(user) if !self.is_3 => ("", format!("-u {}", word(user))),
            _ => (r#"printf 'header="Authorization: Bearer %s"' "$TOKEN" | "#, "-K -".to_owned()),
        };
        let each = self.pools.iter().map(|pool| {
            let (url, body) = (format!("{url}{}", pool.path(self.is_3)), pool.body(self.is_3).to_string());
            format!("{before}curl -fsS {who} -X PATCH -H 'Content-Type: application/json' -d {} {}", word(&body), word(&url))
        });
        let each: Vec<String> = each.collect();
        (!each.is_empty()).then(|| each.join(" && "))
    }
}

impl fmt::Display for AirflowOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pools.is_empty() {
            return f.write_str("nothing is sent: no pool is to be changed");
        }
        match &self.way {
            AirflowWay::Cli { host } => {
                let each: Vec<String> = self.pools.iter().map(|pool| format!("{} {} -> {}", pool.name, pool.was, pool.slots)).collect();
                write!(f, "airflow pools import ({host}): {}", each.join(", "))
            }
            AirflowWay::Api { url, user } => {
                let each = self.pools.iter().map(|pool| format!("PATCH {url}{} {}", pool.path(self.is_3), pool.body(self.is_3)));
                let who = user.as_ref().map_or_else(|| "with a token".to_owned(), |user| format!("as {}", clean(user)));
                write!(f, "{} ({who})", each.collect::<Vec<_>>().join("; "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(name: &str) -> AirflowPool {
        AirflowPool {
            name: name.to_owned(),
            slots: -1,
            taken: 0,
            waiting: 0,
            include_deferred: true,
            description: None,
            team: Some("a".to_owned()),
            whole: true,
        }
    }

    fn cli() -> AirflowWay {
        AirflowWay::Cli { host: "vm1".to_owned() }
    }

    fn api(user: Option<&str>) -> AirflowWay {
        AirflowWay::Api { url: "http://vm1:8080".to_owned(), user: user.map(str::to_owned) }
    }

    #[test]
    fn a_pool_keeps_everything_but_its_slots() {
        let pool = pool("etl \"x\"");
        let order = AirflowOrder::new(cli(), false, [(&pool, 0)]).expect("whole");
        let written = r#"{"etl \"x\"":{"slots":0,"description":null,"include_deferred":true,"team_name":"a"}}"#;
        assert_eq!(order.document(), written);
        assert_eq!(order.to_string(), "airflow pools import (vm1): etl \"x\" -1 -> 0");
        assert_eq!(order.by_hand(), None);
        let part = AirflowPool { whole: false, ..pool };
        assert!(AirflowOrder::new(cli(), false, [(&part, 0)]).is_err(), "its description would be lost");
    }

    #[test]
    fn a_request_names_one_pool_and_nothing_else() {
        let (a, b) = (pool("default_pool"), pool("a?c#d 'e' %2F"));
        let order = AirflowOrder::new(api(Some("pgbaton")), false, [(&a, 0), (&b, 3)]).expect("whole");
        assert_eq!(
            order.to_string(),
            "PATCH http://vm1:8080/api/v1/pools/default_pool?update_mask=slots {\"slots\":0}; \
             PATCH http://vm1:8080/api/v1/pools/a%3Fc%23d%20'e'%20%252F?update_mask=slots {\"slots\":3} (as pgbaton)"
        );
        let order = AirflowOrder::new(api(None), true, [(&a, 0)]).expect("whole");
        assert_eq!(
            order.to_string(),
            "PATCH http://vm1:8080/api/v2/pools/default_pool?update_mask=slots \
             {\"pool\":\"default_pool\",\"slots\":0,\"include_deferred\":true} (with a token)"
        );
        let slash = pool("a/b");
        assert!(AirflowOrder::new(api(None), false, [(&slash, 0)]).is_err_and(|why| why.contains("another path")));
        let order = AirflowOrder::new(api(None), true, [(&slash, 0)]).expect("whole");
        assert!(order.to_string().starts_with("PATCH http://vm1:8080/api/v2/pools/a%2Fb?update_mask=slots "), "{order}");
        for none in ["", ".", ".."] {
            let refused = AirflowOrder::new(api(None), true, [(&pool(none), 0)]).expect_err("another path");
            assert!(refused.contains("in a URL it is no name"), "{refused}");
        }
        let part = AirflowPool { whole: false, ..a };
        assert!(AirflowOrder::new(api(None), true, [(&part, 0)]).is_err_and(|why| why.contains("may have another name")));
    }

    #[test]
    fn what_does_the_same_by_hand_splits_as_a_shell_takes_it_and_has_no_secret() {
        let quoted = pool("it's");
        let by_hand = |way: AirflowWay, is_3: bool| {
            let order = AirflowOrder::new(way, is_3, [(&quoted, 0)]).expect("whole");
            shlex::split(&order.by_hand().expect("a line")).expect("it splits")
        };
        let words = by_hand(api(Some("pg baton")), false);
        assert_eq!(words[..4], ["curl", "-fsS", "-u", "pg baton"]);
        assert_eq!(words[words.len() - 2..], ["{\"slots\":0}", "http://vm1:8080/api/v1/pools/it's?update_mask=slots"]);
        let words = by_hand(api(Some("pgbaton")), true);
        assert_eq!(words[..4], ["printf", "header=\"Authorization: Bearer %s\"", "$TOKEN", "|"]);
        assert_eq!(words.last().expect("words"), "http://vm1:8080/api/v2/pools/it's?update_mask=slots");
    }

    #[test]
    fn an_order_written_down_says_by_whom() {
        let a = pool("a");
        let written = |way| serde_json::to_value(AirflowOrder::new(way, true, [(&a, 0)]).expect("whole")).expect("JSON");
        assert_eq!((&written(cli())["by"], &written(cli())["host"]), (&json!("cli"), &json!("vm1")));
        let by_api = written(api(Some("pgbaton")));
        assert_eq!((&by_api["by"], &by_api["url"], &by_api["user"]), (&json!("api"), &json!("http://vm1:8080"), &json!("pgbaton")));
        let way: AirflowWay = serde_json::from_value(by_api).expect("a way");
        assert_eq!(way, api(Some("pgbaton")));
    }
}
