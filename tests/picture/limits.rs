//! From where on something is too much is for the configuration to say.

use std::time::Duration;

use pgbaton::finding::{LIMITS, Limits, explanations};
use serde_json::json;

use crate::scenario::Scenario;

#[test]
fn a_pause_is_forgotten_after_the_time_that_the_configuration_gives() {
    let mut s = Scenario::healthy();
    s.limits(Limits { pause: Duration::from_secs(10), ..Limits::default() });
    s.merge("config", json!({"pause": true})).pass(10);
    assert_eq!(s.codes(), ["paused"]);
    s.pass(1);
    assert_eq!(s.codes(), ["paused", "pause-forgotten"]);
    assert_eq!(s.sentence("pause-forgotten"), "the pause has lasted for 11 s at least: was it forgotten?");
    let mut usual = Scenario::healthy();
    usual.merge("config", json!({"pause": true})).pass(60);
    assert_eq!(usual.codes(), ["paused"]);
}

#[test]
fn an_explanation_that_speaks_of_a_limit_is_one_that_the_limit_names() {
    for limit in LIMITS {
        for code in limit.codes {
            assert!(explanations().any(|e| e.code == *code), "{} names {code}, which no rule gives", limit.key);
        }
        for explanation in explanations().filter(|e| e.fires.contains(&format!("limit `{}`", limit.key))) {
            assert!(limit.codes.contains(&explanation.code), "{} depends on {}", explanation.code, limit.key);
        }
    }
}
