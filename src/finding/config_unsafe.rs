//! `config-unsafe`: settings of PostgreSQL or of Patroni with which a failover or a crash loses more than one would think. One finding for each
//! cause.

use super::forecast::MAXIMUM_LAG;
use super::{Case, Evidence, Explanation, Finding, Rule, listed};
use crate::model::{Cluster, DynamicConfig, Level, Member, ServerSettings, Time, size};

pub(super) const RULE: Rule = Rule {
    check,
    codes: &[Explanation {
        code: "config-unsafe",
        runbook: None,
        fires: "one of these: fsync is off (critical); full_page_writes is off; pg_rewind cannot work (neither wal_log_hints nor data checksums are on, or use_pg_rewind is false) and Patroni may not build a member anew by itself; synchronous_commit is off or local while synchronous_mode is on; synchronous_mode_strict without synchronous_mode; maximum_lag_on_failover larger than the WAL that is kept for a replica; ttl smaller than loop_wait + 2 * retry_timeout.",
        matters: "Nothing is wrong as long as nothing happens. fsync, full_page_writes: a power failure can destroy the database. pg_rewind: after a failover the old leader stays out until somebody reinitialises it. The synchronous ones: commits that clients were told of can be lost in a failover. maximum_lag_on_failover: a replica that can never catch up again may be promoted. ttl: Patroni from 3.2 on runs with shorter times than those configured and says so in its log only; an older one may give up its key while it is still trying.",
        next: &[
            "See in the evidence who has which value.",
            "Set it right for all members with patronictl edit-config; look for the same setting in the members' own files (postgresql.parameters in patroni.yml).",
            "wal_log_hints needs a restart, of the replicas first.",
        ],
    }],
};

fn check(case: &Case<'_>) -> Vec<Finding> {
    let Case { cluster, now, .. } = *case;
    let mut found = Vec::new();
    found.extend(switched_off(cluster, now, "fsync", Level::Critical, |s| s.fsync));
    found.extend(switched_off(cluster, now, "full_page_writes", Level::Warning, |s| s.full_page_writes));
    // An old configuration says nothing of what Patroni does now.
    if let Some(config) = cluster.config().filter(|_| cluster.dcs_current(now)) {
        found.extend(no_rewind(cluster, config, now));
        found.extend(asynchronous_commit(cluster, config, now));
        found.extend(strict_alone(cluster, config));
        found.extend(too_little_wal(cluster, config, now));
        found.extend(timeouts(cluster, config, now));
    }
    found
}

fn unsafe_for(subject: &str, severity: Level, sentence: String) -> Finding {
    Finding::new("config-unsafe", severity, sentence).about(subject)
}

/// The members whose PostgreSQL answers now and has a setting that is `bad`.
fn with(cluster: &Cluster, now: Time, bad: impl Fn(&ServerSettings) -> bool) -> Vec<&Member> {
    cluster.members.values().filter(|m| m.sql_now(now).is_some_and(|sql| bad(&sql.settings))).collect()
}

fn names(members: &[&Member]) -> String {
    listed(&members.iter().map(|m| m.name.as_str()).collect::<Vec<_>>())
}

fn switched_off(cluster: &Cluster, now: Time, name: &str, severity: Level, of: fn(&ServerSettings) -> Option<bool>) -> Option<Finding> {
    let off = with(cluster, now, |settings| of(settings) == Some(false));
    if off.is_empty() {
        return None;
    }
    let sentence = format!("{name} is off on {}: a power failure can destroy the database", names(&off));
    Some(unsafe_for(name, severity, sentence).because(off.iter().map(|m| Evidence::sql(m, name, "off"))))
}

fn no_rewind(cluster: &Cluster, config: &DynamicConfig, now: Time) -> Option<Finding> {
    if config.rebuilds_diverged() {
        return None;
    }
    let off = with(cluster, now, |s| s.wal_log_hints == Some(false) && s.data_checksums == Some(false));
    let ends = "after a failover the old leader must be reinitialised";
    if !off.is_empty() {
        let sentence = format!("{} cannot be rewound (no wal_log_hints, no checksums): {ends}", names(&off));
        return Some(unsafe_for("pg_rewind", Level::Warning, sentence).because(
            off.iter().flat_map(|member| [Evidence::sql(member, "wal_log_hints", "off"), Evidence::sql(member, "data_checksums", "off")]),
        ));
    }
    let sentence = "an old leader is not rewound (use_pg_rewind is false): after a failover it must be reinitialised".to_owned();
    config
        .forbids_rewind()
        .then(|| unsafe_for("pg_rewind", Level::Warning, sentence).because([Evidence::dcs(cluster, "postgresql.use_pg_rewind", false)]))
}

/// Whether synchronous replication is asked for; a standby cluster's is that of the cluster it follows.
fn synchronous(config: &DynamicConfig) -> bool {
    config.synchronous_mode != "off" && !config.standby_cluster
}

fn asynchronous_commit(cluster: &Cluster, config: &DynamicConfig, now: Time) -> Option<Finding> {
    if !synchronous(config) {
        return None;
    }
    let alone = with(cluster, now, |s| matches!(s.synchronous_commit.as_deref(), Some("off" | "local")));
    if alone.is_empty() {
        return None;
    }
    let sentence =
        format!("commits on {} do not wait for a standby, though synchronous_mode is on: a failover can lose them", names(&alone));
    let evidence = alone.iter().filter_map(|m| {
        let value = m.sql_now(now)?.settings.synchronous_commit.clone()?;
        Some(Evidence::sql(m, "synchronous_commit", value))
    });
    let mode = Evidence::dcs(cluster, "synchronous_mode", &config.synchronous_mode);
    Some(unsafe_for("synchronous_commit", Level::Warning, sentence).because(evidence).because([mode]))
}

fn strict_alone(cluster: &Cluster, config: &DynamicConfig) -> Option<Finding> {
    if !config.synchronous_strict() || synchronous(config) || config.standby_cluster {
        return None;
    }
    let sentence = "synchronous_mode_strict does nothing, as synchronous_mode is off: a failover can lose commits".to_owned();
    Some(unsafe_for("synchronous_mode_strict", Level::Warning, sentence).because([
        Evidence::dcs(cluster, "synchronous_mode_strict", true),
        Evidence::dcs(cluster, "synchronous_mode", &config.synchronous_mode),
    ]))
}

fn too_little_wal(cluster: &Cluster, config: &DynamicConfig, now: Time) -> Option<Finding> {
    let leader = cluster.leader_now(now).and_then(|name| cluster.members.get(name))?;
    let settings = &leader.sql_now(now)?.settings;
    // What the leader has removed may come from an archive.
    if config.restores() {
        return None;
    }
    let lag = config.maximum_lag_on_failover.unwrap_or(MAXIMUM_LAG);
    let by_slot = match (config.uses_slots(), settings.slot_wal_keep) {
        (false, _) => 0,
        // Without a limit, or in a version that has none, a slot keeps everything.
        (true, None) => return None,
        (true, Some(bytes)) => u64::try_from(bytes).ok()?,
    };
    let kept = settings.wal_keep?.max(by_slot);
    if lag <= kept {
        return None;
    }
    let sentence = format!(
        "a replica that is {} behind may take over, but {} keeps only {} of WAL for it: it may never catch up",
        size(lag),
        leader.name,
        size(kept)
    );
    let slots = if config.uses_slots() { format!("{by_slot} bytes") } else { "no slots are used".to_owned() };
    Some(unsafe_for("maximum_lag_on_failover", Level::Warning, sentence).because([
        Evidence::dcs(cluster, "maximum_lag_on_failover", format!("{lag} bytes")),
        Evidence::sql(leader, "wal_keep_size", format!("{} bytes", settings.wal_keep.unwrap_or(0))),
        Evidence::sql(leader, "max_slot_wal_keep_size", slots),
    ]))
}

fn timeouts(cluster: &Cluster, config: &DynamicConfig, now: Time) -> Option<Finding> {
    let times = config.timeouts().filter(|times| !times.fit())?;
    let run = times.adjusted();
    // Shorter times than Patroni allows are made longer, and may fit then.
    if (run.loop_wait, run.retry_timeout) == (times.loop_wait.max(1), times.retry_timeout.max(3)) {
        return None;
    }
    let old: Vec<&Member> =
        cluster.members.values().filter(|m| m.rest_now(now).is_some_and(|rest| rest.adjusts_timeouts() == Some(false))).collect();
    let follows = if old.is_empty() {
        format!("Patroni runs with loop_wait {} and retry_timeout {} instead", run.loop_wait, run.retry_timeout)
    } else {
        format!("the Patroni of {} may lose the leader key while it still retries", names(&old))
    };
    let sentence = format!(
        "ttl {} is too short for loop_wait {} and two retry_timeout of {} s: {follows}",
        times.ttl, times.loop_wait, times.retry_timeout
    );
    Some(unsafe_for("ttl", Level::Warning, sentence).because([
        Evidence::dcs(cluster, "ttl", format!("{} s", times.ttl)),
        Evidence::dcs(cluster, "loop_wait", format!("{} s", times.loop_wait)),
        Evidence::dcs(cluster, "retry_timeout", format!("{} s", times.retry_timeout)),
    ]))
}
