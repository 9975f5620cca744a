//! `member-renamed`: a member has another name now.

use super::{Case, Evidence, Explanation, Finding, Rule};
use crate::model::Level;

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "member-renamed",
        runbook: None,
        fires: "the Patroni at a member's address gives another name (patroni.name, from Patroni 3.2), under which etcd has a member with the same api_url \
                and conn_url; or, before that member's key is there, when the old name was heard at that address before, as long as it answers. Not when the old key stays \
                longer than its lease can last: then two members have one address, which is `self-loop-api-url`.",
        matters: "It is one PostgreSQL under two names until the old key's lease has run out. What names the old one does not follow by itself: \
                  permanent slots, the tag replicatefrom of others, HAProxy's servers, monitoring.",
        next: &[
            "If it was meant so: see that everything which names the old one is changed. It disappears from here when pgbaton is started anew.",
            "Its old replication slot on the leader keeps WAL until Patroni drops it (member_slots_ttl, 30 minutes): watch it.",
            "If not: put the old name back in the member's patroni.yml and restart its Patroni.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let renamed = cluster.members.values().filter_map(|m| Some((m, cluster.renamed(m, now)?)));
    let found = renamed.map(|(member, new)| {
        let name = &member.name;
        let key = if member.present { "stays until its lease runs out" } else { "is gone" };
        let address = member.dcs().and_then(|key| key.api_url.as_deref()).unwrap_or("not known");
        Finding::new("member-renamed", Level::Warning, format!("{name} is called {new} now; its old key in etcd {key}"))
            .about(name)
            .because([
                Evidence::rest(member, "patroni.name", new),
                Evidence::dcs(cluster, &format!("members/{name} api_url"), address),
                Evidence::dcs(cluster, &format!("members/{name}"), if member.present { "present" } else { "gone" }),
            ])
    });
    found.collect()
}
