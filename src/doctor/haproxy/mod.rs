//! How HAProxy follows a new leader: `haproxy-two-leaders`, `haproxy-check`, `haproxy-sessions`, `haproxy-keepalive`.

mod check;
mod config;
mod keepalive;
mod overlap;
mod read;
mod sessions;
mod timing;

pub use config::{Backend, HttpCheck, ProxyConfig, Server};
pub use read::read;
pub use timing::Timing;

use super::judged::Judged;
use super::{Case, Judgement};
use crate::finding::Evidence;
use crate::model::{Route, RouteKind, SourceId, SourceKind, Time};

pub(super) const OVERLAP: Judgement = overlap::JUDGEMENT;
pub(super) const CHECK: Judgement = check::JUDGEMENT;
pub(super) const SESSIONS: Judgement = sessions::JUDGEMENT;
pub(super) const KEEPALIVE: Judgement = keepalive::JUDGEMENT;

/// A configuration file of an HAProxy's, as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct ProxyFile {
    /// Its path.
    pub path: String,
    /// What it says.
    pub config: ProxyConfig,
    /// Why it need not be what runs, in a sentence; `None`: nothing speaks against it.
    pub not_run: Option<String>,
    /// When it was read.
    pub at: Time,
}

impl ProxyFile {
    /// A place in it.
    fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }

    /// What a line of it says, as evidence.
    fn says(&self, proxy: &str, line: usize, what: &str, value: impl std::fmt::Display) -> Evidence {
        Evidence::new(SourceId::new(SourceKind::Haproxy, proxy), &format!("{} {what}", self.place(line)), value, Some(self.at))
    }
}

/// A route with what its HAProxy's file says of it, if one was given.
struct Way<'a> {
    route: Route<'a>,
    file: Option<(&'a ProxyFile, &'a Backend)>,
}

impl Way<'_> {
    /// As a subject: `vm1/pg_write`.
    fn name(&self) -> String {
        format!("{}/{}", self.route.instance, self.route.backend)
    }

    fn live(&self, case: &Case<'_>, what: &str, value: impl std::fmt::Display) -> Evidence {
        let at = case.cluster.haproxies.get(self.route.instance).and_then(|seen| seen.at());
        Evidence::new(SourceId::new(SourceKind::Haproxy, self.route.instance), what, value, at)
    }
}

/// The routes of this kind, and what of them is not known.
fn ways<'a>(case: &Case<'a>, wanted: &[RouteKind]) -> (Vec<Way<'a>>, Vec<Judged>) {
    let mut open = Vec::new();
    let routes = case.cluster.routes(case.now);
    for (name, seen) in &case.cluster.haproxies {
        let told = routes.iter().any(|route| route.instance == name && route.fresh);
        if !told {
            let error = Evidence::error(SourceKind::Haproxy, name, seen);
            open.push(Judged::not_known("it does not tell its backends now").of(name).by(error));
        } else if wanted.contains(&RouteKind::Write) && !routes.iter().any(|route| route.instance == name && route.kind == RouteKind::Write)
        {
            open.push(Judged::not_known("none of its backends is known to be for writing: name it as write_backend").of(name));
        }
    }
    let ours = routes.into_iter().filter(|route| route.fresh && wanted.contains(&route.kind));
    let ways = ours.map(|route| {
        let file = case.survey.proxies.get(route.instance).and_then(|read| read.as_ref().ok());
        let file = file.and_then(|file| Some((file, file.config.backends.iter().find(|backend| backend.name == route.backend)?)));
        Way { route, file }
    });
    (ways.collect(), open)
}

/// Why a configuration is not known: none was given, or not the one that runs. `None`: it is.
fn not_given(case: &Case<'_>, way: &Way<'_>, what: &str) -> Option<Judged> {
    let why = match (&way.file, case.survey.proxies.get(way.route.instance)) {
        (Some((file, backend)), _) => other_file(way, file, backend)?,
        (None, Some(Ok(file))) => format!("{} has no backend {}: it is not what {} runs", file.path, way.route.backend, way.route.instance),
        (None, Some(Err(why))) => format!("HAProxy does not tell {what}, and its file cannot be read: {why}"),
        (None, None) => format!(
            "HAProxy does not tell {what}: give its file with --haproxy-config {}=haproxy.cfg, or have it read there by a table [ssh]",
            way.route.instance
        ),
    };
    Some(Judged::not_known(why).of(way.name()))
}

/// Why a file is not what runs, as far as its servers and their counts of checks show.
fn other_file(way: &Way<'_>, file: &ProxyFile, backend: &Backend) -> Option<String> {
    let instance = way.route.instance;
    if let Some(why) = &file.not_run {
        return Some(format!("{} need not be what {instance} runs: {why}", file.path));
    }
    for (server, _) in &way.route.servers {
        let Some(written) = backend.servers.iter().find(|s| s.name == server.name) else {
            return Some(format!("{} has no server {} in {}: it is not what {instance} runs", file.path, server.name, backend.name));
        };
        let counts = (written.timing.rise, written.timing.fall);
        let (Some(rise), Some(fall)) = (server.rise, server.fall) else { continue };
        if written.checked && (rise, fall) != counts {
            return Some(format!(
                "{} has rise {} fall {} for {}, and {instance} runs with rise {rise} fall {fall}: it is not what runs",
                file.place(written.line),
                counts.0,
                counts.1,
                server.name
            ));
        }
    }
    None
}
