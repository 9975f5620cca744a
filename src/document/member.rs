//! The part on one member.

use super::{Asked, MemberDoc, PendingSetting, asked, fine_millis, forecast, millis, postgres};
use crate::finding::Forecast;
use crate::model::{Cluster, ErrorKind, Member, PatroniStatus, PendingChange, PostgresStatus, Sender, SourceError, SourceKind, Time};

pub(super) fn document(cluster: &Cluster, forecast: &Forecast, member: &Member, now: Time) -> MemberDoc {
    let name = member.name.as_str();
    let key = member.dcs();
    let rest = member.rest_now(now);
    let sql = member.sql_now(now);
    let lag = cluster.lag(name, now);
    let clock = cluster.clock(name, now).map(|(_, skew)| skew);
    // The leader's row on it says more than its own words.
    let row = cluster
        .leader_now(now)
        .and_then(|leader| cluster.members.get(leader))
        .and_then(|leader| leader.sql_now(now))
        .and_then(|leader| leader.replication.iter().find(|r| r.application_name == name));
    let current_key = key.filter(|_| member.present && cluster.dcs_current(now));
    let pending: Vec<PendingChange> =
        rest.map(|r| r.pending_changes.clone()).or_else(|| current_key.map(|k| k.pending_changes.clone())).unwrap_or_default();
    let (can_take_over, cannot_because) = forecast::can_take_over(forecast, name);
    MemberDoc {
        name: name.to_owned(),
        host: member.address().map(|(host, _)| host.to_owned()),
        port: member.address().map(|(_, port)| port),
        api_url: key.and_then(|k| k.api_url.clone()),
        role: cluster.role(name, now),
        state: member.state(now),
        // Of a replica that streams, when it began to is not known: Patroni's own word for it is `running`.
        state_since: member.standing_now(now).filter(|s| Some(&s.state.0) == member.state(now).as_ref()).map(|s| s.since),
        timeline: cluster.timeline_sure(name, now).map(|(timeline, _)| timeline),
        present: member.present,
        missing_since: member.missing_since,
        last_known: last_known(member, now),
        lsn: sql.and_then(|s| s.current_lsn).or_else(|| rest.and_then(|r| r.location)),
        receive_lsn: sql.and_then(PostgresStatus::wal_held).or_else(|| rest.and_then(PatroniStatus::wal_held)),
        replay_lsn: sql.and_then(|s| s.replay_lsn).or_else(|| rest.and_then(|r| r.replayed)),
        receive_lag_bytes: lag.receive,
        replay_lag_bytes: lag.replay,
        replay_lag_seconds: lag.seconds,
        lag_source: lag.source.map(|s| s.to_string()),
        replication_state: row.and_then(|r| r.state.clone()).or_else(|| rest.and_then(|r| r.replication_state.clone())),
        sync_state: row.and_then(|r| r.sync_state.clone()),
        upstream: sql.and_then(|s| upstream(cluster, s)),
        in_recovery: sql.map(|s| s.in_recovery),
        replay_paused: sql.and_then(|s| s.replay_paused).or_else(|| rest.and_then(|r| r.replay_paused)),
        can_take_over,
        cannot_because,
        questions: forecast::questions(cluster, forecast, member, now),
        dcs_last_seen: rest.and_then(|r| r.dcs_last_seen),
        failsafe_active: rest.map(|r| r.failsafe_active),
        watchdog_failed: rest.map(|r| r.watchdog_failed),
        paused: rest.map(|r| r.paused),
        pending_restart: rest.map(|r| r.pending_restart).or_else(|| current_key.map(|k| k.pending_restart)),
        pending_restart_reason: pending.into_iter().map(|c| PendingSetting { parameter: c.parameter, old: c.old, new: c.new }).collect(),
        scheduled_restart: rest.and_then(|r| r.scheduled_restart).or_else(|| current_key.and_then(|k| k.scheduled_restart)),
        tags: key.map(|k| k.tags.clone()).unwrap_or_default(),
        patroni_version: member.rest.last().and_then(|r| r.version.clone()).or_else(|| key.and_then(|k| k.version.clone())),
        postgres_version: member.sql.last().map(PostgresStatus::version),
        system_identifier: sql
            .and_then(|s| s.system_identifier)
            .map(|id| id.to_string())
            .or_else(|| member.rest.last().and_then(|r| r.system_identifier.clone())),
        postmaster_start: sql.and_then(|s| s.postmaster_start).or_else(|| rest.and_then(|r| r.postmaster_start)),
        clock_skew_ms: clock.map(|skew| skew.about() as f64 / 1000.0),
        clock_skew_within_ms: clock.map(|skew| skew.within() as f64 / 1000.0),
        sessions: sql.and_then(|s| s.sessions),
        oldest_transaction: sql.and_then(|s| s.oldest_transaction.as_ref().map(|t| postgres::transaction(s, t))),
        idle_transaction: sql.and_then(|s| s.idle_transaction.as_ref().map(|t| postgres::transaction(s, t))),
        slots: sql.map(|s| postgres::slots(member, s)).unwrap_or_default(),
        subscriptions: sql.map(postgres::subscriptions).unwrap_or_default(),
        copy: cluster.copied_to(name, now).map(|(from, backup)| postgres::copy(from, backup)),
        archiver: sql.and_then(postgres::archiver),
        settings: sql.map(postgres::settings),
        dcs: Asked {
            age_ms: cluster.dcs.confirmed_at.map(|at| millis(now.since(at))),
            fresh: cluster.dcs_current(now) && member.present,
            error: member.key.as_ref().and_then(|k| k.bad()).map(str::to_owned).or_else(|| cluster.dcs.error().map(SourceError::told)),
            error_kind: match member.key.as_ref().and_then(|k| k.bad()) {
                Some(_) => Some(ErrorKind::Malformed.to_string()),
                None => cluster.dcs.error().map(|error| error.kind.to_string()),
            },
            rtt_ms: cluster.dcs.rtt().map(fine_millis),
        },
        rest: asked(&member.rest, SourceKind::Rest, now),
        sql: asked(&member.sql, SourceKind::Sql, now),
    }
}

/// What a member was when it was last heard, for one that is not heard now.
fn last_known(member: &Member, now: Time) -> Option<String> {
    if member.rest_now(now).is_some() {
        return None;
    }
    let rest = member.rest.last()?;
    let at = member.rest.at()?;
    let role = rest.role.as_deref().unwrap_or("of unknown role");
    let seconds = now.since(at).as_secs();
    let ago = if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds / 60) };
    Some(format!("{role}, {} {ago} ago", rest.replication_state.as_deref().unwrap_or(&rest.state.0)))
}

/// Whom a standby receives from: the member at the sender's address, else the address.
fn upstream(cluster: &Cluster, sql: &PostgresStatus) -> Option<String> {
    Some(match cluster.sender(sql)? {
        Sender::Member(name) => name.to_owned(),
        Sender::Address(address) => address,
    })
}
