//! `unit-failed`: systemd calls a unit of ours failed.

use super::{Case, Evidence, Explanation, Finding, Rule, spoken};
use crate::model::{Host, Level, SourceId, SourceKind, Unit};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "unit-failed",
        runbook: None,
        fires: "systemd on a node calls a unit failed whose name begins with patroni, postgresql, etcd or haproxy.",
        matters: "The program does not run, or has ended badly, and systemd has given up starting it again. Where it runs all the same, somebody \
                  started it by hand or beside the unit, and it will not come back after a reboot.",
        next: &[
            "See why, on HOST: systemctl status UNIT, and its last words: journalctl -u UNIT -n 50, or pgbaton logs.",
            "Start it when the cause is gone: systemctl reset-failed UNIT, then systemctl start UNIT.",
            "A unit of PostgreSQL's beside Patroni shall be disabled: Patroni starts PostgreSQL itself.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let each = |(name, host): (&String, &Host)| judge(case, name, host);
    case.cluster.hosts.iter().flat_map(each).collect()
}

fn judge(case: &Case<'_>, name: &str, host: &Host) -> Vec<Finding> {
    let units = host.status_now(case.now).and_then(|status| status.units.as_ref());
    let failed = units.into_iter().flatten().filter(|unit| unit.state == "failed");
    failed.map(|unit| finding(name, host, unit)).collect()
}

fn finding(name: &str, host: &Host, unit: &Unit) -> Finding {
    let since = unit.changed_ago.map_or(String::new(), |span| format!(" for {}", spoken(span)));
    let how = match unit.result.as_str() {
        "" | "success" => String::new(),
        result => format!(" ({result})"),
    };
    let again = match unit.restarts {
        None | Some(0) => String::new(),
        Some(1) => ", after it was started again once".to_owned(),
        Some(count) => format!(", after it was started again {count} times"),
    };
    let sentence = format!("systemd on {name} has called {} failed{since}{how}{again}", unit.name);
    let source = SourceId::new(SourceKind::Host, name);
    let told = format!("{} {}, result {}", unit.state, unit.sub, unit.result);
    let evidence = [Evidence::new(source, &unit.name, told, host.seen.at())];
    Finding::new("unit-failed", Level::Warning, sentence)
        .about(format!("{name} {}", unit.name))
        .naming([("HOST", name), ("UNIT", &unit.name)])
        .because(evidence)
}
