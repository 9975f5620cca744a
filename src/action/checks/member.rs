//! Checks of one member.

use super::Check;
use crate::action::Situation;
use crate::model::listed;

/// Whether its Patroni can be asked.
pub fn answers(s: &Situation<'_>, name: &str) -> Check {
    const ID: &str = "member";
    let Some(member) = s.member(name) else { return Check::impossible(ID, s.no_member(name)) };
    if !member.present {
        return Check::impossible(ID, format!("{name} is missing: its key in etcd is gone"));
    }
    match (member.rest_now(s.now), member.rest.error()) {
        (Some(rest), _) => Check::green(ID, format!("{name}'s Patroni answers, its PostgreSQL is {}", rest.state.0)),
        (None, Some(error)) => Check::red(ID, format!("{name}'s Patroni does not answer: {error}")),
        (None, None) => Check::amber(ID, format!("{name}'s Patroni was not heard lately")),
    }
}

/// Whether something is under way on it already.
pub fn not_busy(s: &Situation<'_>, name: &str) -> Check {
    const ID: &str = "busy";
    let Some(rest) = s.member(name).and_then(|member| member.rest_now(s.now)) else {
        return Check::amber(ID, format!("what {name} is doing is not known"));
    };
    match rest.state.0.as_str() {
        "running" | "stopped" | "start failed" | "crashed" | "restart failed" | "stop failed" => {
            Check::green(ID, format!("nothing else is under way on {name}"))
        }
        state => Check::red(ID, format!("{name} is {state}")),
    }
}

/// That it is the leader: what is done to it, all who write will notice.
pub fn is_leader(s: &Situation<'_>, name: &str) -> Check {
    const ID: &str = "role";
    match s.leader() {
        Some(leader) if leader == name => Check::amber(ID, format!("{name} is the leader: nobody can write meanwhile")),
        Some(_) => Check::green(ID, format!("{name} is not the leader")),
        None if s.current() => Check::amber(ID, "nobody leads"),
        None => Check::amber(ID, "who leads is not known: etcd does not answer"),
    }
}

/// Whether the others are enough while this one is away.
pub fn rest_of_cluster(s: &Situation<'_>, name: &str) -> Check {
    const ID: &str = "others";
    let able: Vec<&str> = s
        .forecast
        .standings
        .iter()
        .filter(|(other, standing)| other.as_str() != name && standing.can == Some(true))
        .map(|(other, _)| other.as_str())
        .collect();
    match (able.as_slice(), s.leader()) {
        ([], Some(leader)) if leader != name => Check::amber(ID, format!("while {name} is away nobody could take over if {leader} died")),
        ([], _) => Check::amber(ID, "nobody else could take over"),
        (able, _) => Check::green(ID, format!("{} could still take over", listed(able))),
    }
}

/// Whether its PostgreSQL can be asked.
pub fn sql(s: &Situation<'_>, name: &str) -> Check {
    const ID: &str = "sql";
    let Some(member) = s.member(name) else { return Check::impossible(ID, format!("there is no member {name}")) };
    match (member.sql_now(s.now), member.sql.error()) {
        (Some(_), _) if s.leader() == Some(name) => Check::green(ID, format!("{name}'s PostgreSQL answers; it is the leader")),
        (Some(_), _) => Check::green(ID, format!("{name}'s PostgreSQL answers; it is not the leader")),
        (None, Some(error)) => Check::red(ID, format!("{name}'s PostgreSQL does not answer: {error}")),
        (None, None) => Check::amber(ID, format!("{name}'s PostgreSQL was not heard lately")),
    }
}
