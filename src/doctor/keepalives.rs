//! `server-keepalive`: how long a client that has vanished keeps its session and its locks.

use super::judged::{DYNAMIC, Judged, Severity, unless};
use super::{Case, Judgement};

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "server-keepalive",
    why: "When the machine of a client or of an HAProxy is lost, nobody closes its sessions. Until TCP's keep-alive gives up they keep their locks, and a \
          second scheduler waits for them; the system's own setting is two hours.",
    cites: &[],
    judge,
};

/// Longer than this a session that nobody has is in the way, seconds.
const LONG: i64 = 900;

fn judge(case: &Case<'_>) -> Vec<Judged> {
    const NAMES: [&str; 3] = ["tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count"];
    let (known, mut open) = case.parameters();
    let mut found = Vec::new();
    let mut evidence = Vec::new();
    for (member, all) in &known {
        let told = || NAMES.into_iter().filter_map(|name| Some(case.setting(member, name, all.number(name)?)));
        evidence.extend(told());
        // Over a socket of Unix the server says 0: there is no TCP to tell of.
        let [Some(idle @ 1..), Some(interval @ 1..), Some(count @ 1..)] = NAMES.map(|name| all.number(name)) else {
            open.push(Judged::not_known("the server does not tell its keep-alive").of(&member.name));
            continue;
        };
        let all = idle.saturating_add(interval.saturating_mul(count));
        if all > LONG {
            let spoken = crate::model::spoken(std::time::Duration::from_secs(all.unsigned_abs()));
            let sentence = format!("a client that vanishes keeps its session on {} for {spoken}", member.name);
            let judged = Judged::hurts(Severity::Note, sentence).of(&member.name).by(told());
            found.push(judged.change(
                DYNAMIC,
                "postgresql: parameters: {tcp_keepalives_idle: 60, tcp_keepalives_interval: 10, tcp_keepalives_count: 6}",
            ));
        }
    }
    unless(found, open, || Judged::holds("a client that vanishes loses its session within 15 minutes").by(evidence))
}
