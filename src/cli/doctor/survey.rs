//! What is asked once for the doctor: the settings of each PostgreSQL, and over ssh what the nodes tell.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::Future;

use futures_util::future::join_all;
use secrecy::ExposeSecret;

use crate::config::Profile;
use crate::doctor::haproxy::{ProxyConfig, ProxyFile, read};
use crate::doctor::{Case, Report, Survey};
use crate::live::Live;
use crate::log::mask;
use crate::model::{Parameters, Time};
use crate::source::postgres::parameters;
use crate::source::ssh::{self, ProxyText};
use crate::source::{Clock, MemberTarget, Targets};

/// Asks all who are known by now. What it gives needs nothing of `live` while it runs, and ends within 16 s.
pub fn survey(live: &Live, profile: &Profile) -> impl Future<Output = Survey> + Send + use<> {
    let (clock, connections, profile) = (live.clock(), live.connections(), profile.clone());
    let members = Targets::of(live.cluster(), &[]).members;
    async move {
        let (parameters, nodes) = tokio::join!(settings(&profile, &members, clock), ssh::survey(&profile, &members, &connections, clock));
        let proxies = nodes.proxies.into_iter().map(|(name, told)| {
            let file = told.and_then(|(text, at)| file(&name, &text, at));
            (name, file)
        });
        Survey {
            parameters,
            proxies: proxies.collect(),
            proxy_hosts: profile.haproxy.iter().map(|proxy| (proxy.name.clone(), proxy.host())).collect(),
            elections: nodes.elections,
            watchdogs: nodes.watchdogs,
        }
    }
}

/// What the doctor says at this moment, with what was asked.
pub fn judged(live: &mut Live, survey: &Survey) -> Report {
    let document = live.document();
    let case = Case { cluster: live.cluster(), standing: live.picture().standing(), survey, now: document.at };
    Report::of(&case, &document.cluster.name)
}

/// The settings of each PostgreSQL.
async fn settings(
    profile: &Profile,
    members: &BTreeMap<String, MemberTarget>,
    clock: Clock,
) -> BTreeMap<String, Result<(Parameters, Time), String>> {
    let asked = members.iter().filter_map(|(name, target)| Some((name, target.sql.as_ref()?)));
    let asked = asked.map(async |(name, (host, port))| {
        let read = parameters(&profile.postgres, host, *port).await;
        (name.clone(), read.map(|read| (read, clock.now())).map_err(|error| error.told()))
    });
    join_all(asked).await.into_iter().collect()
}

/// A configuration as it stands on its host.
fn file(proxy: &str, told: &ProxyText, at: Time) -> Result<ProxyFile, String> {
    let path = format!("{proxy}:{}", told.path);
    let config = configuration(&path, told.text.expose_secret())?;
    Ok(ProxyFile { path, config, not_run: told.not_run.clone(), at })
}

/// What an HAProxy's configuration says. What looks like a secret in it is taken out before anything reads it.
pub(super) fn configuration(path: &str, text: &str) -> Result<ProxyConfig, String> {
    let masked: Vec<Cow<'_, str>> = text.lines().map(mask).collect();
    read(path, &masked.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
listen stats
    stats auth admin:S3cret
listen w
    option httpchk GET /primary?token=S3cret
    http-check send hdr Authorization \"Basic UzNjcmV0OlMzY3JldA==\"
    server psg1 10.0.0.8:5432 check inter 3s rise 2 fall 3
";

    #[test]
    fn no_password_of_a_configuration_is_in_what_is_kept_of_it() {
        let told = ProxyText { path: "/h.cfg".to_owned(), text: TEXT.into(), not_run: None };
        let file = file("vm1", &told, Time::from_micros(7)).expect("read");
        assert_eq!((file.path.as_str(), file.config.backends.len()), ("vm1:/h.cfg", 1));
        let kept = format!("{file:?} {told:?}");
        assert!(!kept.contains("S3cret") && !kept.contains("UzNj"), "{kept}");
        assert!(kept.contains("/primary?token=***"), "{kept}");
    }

    #[test]
    fn a_line_that_is_not_understood_is_told_with_its_place_and_without_its_secrets() {
        let told = ProxyText { path: "/h.cfg".to_owned(), text: "listen w\n server a 1:1 inter password=S3cret\n".into(), not_run: None };
        let why = file("vm1", &told, Time::from_micros(7)).expect_err("no time");
        assert!(why.starts_with("vm1:/h.cfg:2: inter is no time") && !why.contains("S3cret"), "{why}");
    }
}
