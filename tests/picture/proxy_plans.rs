//! Plans that speak to HAProxies: a server's state, and an assisted switchover.

use pgbaton::action::{Assisted, Light, Operation, Plan, ProxyState, SetProxy, Situation, Switchover};
use pgbaton::finding::{Forecast, Limits};
use pgbaton::model::{ErrorKind, Time};

use crate::scenario::Scenario;

fn plan(s: &Scenario, operation: impl Operation + 'static) -> Plan {
    let (cluster, now) = (s.cluster(), s.now());
    let forecast = Forecast::of(cluster, now);
    Plan::of(Box::new(operation), &Situation { cluster, forecast: &forecast, limits: &Limits::default(), now })
}

fn set(backend: &str, server: &str, state: ProxyState) -> SetProxy {
    SetProxy { proxy: "vm1".into(), backend: backend.into(), server: server.into(), state, socket: true }
}

/// The checks that are not green, as `id colour`; `!` where nobody can insist.
fn lights(plan: &Plan) -> Vec<String> {
    let mark = |light: Light, may: bool| format!("{light}{}", if light == Light::Red && !may { "!" } else { "" });
    plan.checks.iter().filter(|c| c.light != Light::Green).map(|c| format!("{} {}", c.id, mark(c.light, c.patroni_would))).collect()
}

#[test]
fn the_only_writer_is_taken_away_by_nobody_who_does_not_insist() {
    use ProxyState::{Drain, Maint, Ready};
    let healthy = Scenario::healthy();
    let mut one_reads = Scenario::healthy();
    one_reads.up_in("vm1", "replicas", &["psg2"]).pass(1);
    let mut out = Scenario::healthy();
    out.haproxy("vm1", |h| h.servers.iter_mut().filter(|x| x.name == "psg3").for_each(|x| x.status = "MAINT".into())).pass(1);
    let mut silent = Scenario::healthy();
    silent.fails("haproxy vm1", ErrorKind::Refused, "refused").pass(1);
    let cases: [(&Scenario, SetProxy, &[&str]); 10] = [
        (&healthy, set("replicas", "psg2", Drain), &[]),
        (&healthy, set("primary", "psg1", Drain), &["last-server red"]),
        (&healthy, set("primary", "psg1", Maint), &["last-server red"]),
        (&healthy, set("primary", "psg1", Ready), &[]),
        (&healthy, set("primary", "psg2", Drain), &["state red"]),
        (&one_reads, set("replicas", "psg2", Maint), &["last-server amber"]),
        (&out, set("primary", "psg3", Maint), &["state amber"]),
        (&healthy, set("primary", "psg9", Maint), &["server red!"]),
        (&silent, set("replicas", "psg2", Drain), &["statistics red!"]),
        (&healthy, SetProxy { socket: false, ..set("replicas", "psg2", Drain) }, &["admin-socket red!"]),
    ];
    for (s, operation, expected) in cases {
        assert_eq!(lights(&plan(s, operation.clone())), expected, "{operation:?}");
    }
    let plan = plan(&healthy, set("primary", "psg2", Maint));
    assert_eq!(plan.order.unwrap().to_string(), "set server primary/psg2 state maint (vm1)");
}

#[test]
fn nobody_hands_over_to_a_member_whose_server_was_taken_out_who_does_not_insist() {
    let mut s = Scenario::healthy();
    s.haproxy("vm1", |h| {
        h.servers.iter_mut().filter(|x| x.backend == "primary" && x.name == "psg2").for_each(|x| x.status = "MAINT".into())
    })
    .pass(1);
    let to = |name: Option<&str>| Switchover { candidate: name.map(str::to_owned), at: None, leader: None };
    assert_eq!(lights(&plan(&s, to(Some("psg2")))), ["server-out red"]);
    assert_eq!(lights(&plan(&s, to(None))), ["server-out amber"]);
    assert_eq!(lights(&plan(&s, to(Some("psg3")))), [""; 0]);
}

#[test]
fn an_assisted_switchover_says_whom_it_will_tell() {
    let mut s = Scenario::healthy();
    s.second_haproxy();
    let with = |sockets: &[&str], at: Option<Time>| Assisted {
        switchover: Switchover { candidate: Some("psg2".into()), at, leader: None },
        sockets: sockets.iter().map(|name| (*name).to_owned()).collect(),
    };
    let check = |operation: Assisted| {
        let plan = plan(&s, operation);
        let check = plan.checks.iter().find(|check| check.id == "assist").unwrap();
        (check.light, check.sentence.clone())
    };
    assert_eq!(check(with(&["vm1", "vm4"], None)), (Light::Green, "vm1 and vm4 will be told who leads".to_owned()));
    let (light, sentence) = check(with(&["vm1"], None));
    assert_eq!((light, sentence.as_str()), (Light::Amber, "no admin_socket of vm4 is configured: there the checks alone decide"));
    assert_eq!(check(with(&[], None)).0, Light::Amber);
    assert_eq!(check(with(&["vm1", "vm4"], Some(s.now().plus(std::time::Duration::from_secs(600))))).0, Light::Red);
    let plan = plan(&s, with(&["vm1", "vm4"], None));
    assert_eq!(plan.sentence, "assisted switchover from psg1 to psg2");
    assert_eq!(plan.patronictl, None, "patronictl cannot do that");
}
