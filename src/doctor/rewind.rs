//! `rewind`: whether the old leader comes back by itself.

use super::judged::{DYNAMIC, Judged, unless};
use super::{Case, Judgement};
use crate::finding::Evidence;

pub(super) const JUDGEMENT: Judgement = Judgement {
    code: "rewind",
    why: "After a failover the old leader has written what the new one does not have. Without pg_rewind it stays out until somebody copies it anew, \
          and until then the cluster has one member less to fail over to.",
    cites: &["config-unsafe/pg_rewind"],
    judge,
};

fn judge(case: &Case<'_>) -> Vec<Judged> {
    let config = match case.config() {
        Ok(config) => config,
        Err(open) => return vec![open],
    };
    if config.rebuilds_diverged() {
        let said = Evidence::dcs(case.cluster, "postgresql.remove_data_directory_on_diverged_timelines", true);
        return vec![Judged::holds("a member that has parted is built anew by itself").by([said])];
    }
    let found: Vec<Judged> = case
        .cite(JUDGEMENT.cites)
        .into_iter()
        .map(|judged| {
            judged
                .change(DYNAMIC, "postgresql: use_pg_rewind: true")
                .change(DYNAMIC, "postgresql: parameters: wal_log_hints: 'on'  # restart")
        })
        .collect();
    let (told, mut open) = case.sql();
    let unknown = told.iter().filter(|(_, sql)| sql.settings.wal_log_hints != Some(true) && sql.settings.data_checksums.is_none());
    open.extend(unknown.map(|(member, _)| Judged::not_known("whether it can be rewound is not told").of(&member.name)));
    if config.rewinds().is_none() {
        open.push(Judged::not_known(
            "use_pg_rewind is not in the dynamic configuration: it is off unless each member's patroni.yml switches it on, which Patroni does not tell",
        ));
    }
    unless(found, open, || {
        let evidence = told.iter().flat_map(|(member, sql)| {
            let word = |on: Option<bool>| on.map_or("not told", |on| if on { "on" } else { "off" });
            let settings = &sql.settings;
            [
                Evidence::sql(member, "wal_log_hints", word(settings.wal_log_hints)),
                Evidence::sql(member, "data_checksums", word(settings.data_checksums)),
            ]
        });
        Judged::holds("an old leader can be rewound, and Patroni does it").by(evidence)
    })
}
