//! An HAProxy's configuration, read as far as it is needed. What is needed must be understood: a time or a count that is none is an error with its
//! line. All other lines are passed over, and counted.

use std::collections::BTreeMap;
use std::time::Duration;

use super::config::{Backend, HttpCheck, ProxyConfig, Server};
use super::timing::Timing;
use crate::model::clean;

/// Reads a configuration. `path` stands in the errors.
///
/// # Errors
/// `path:line: what is wrong`, of the first line that is needed and not understood.
pub fn read(path: &str, text: &str) -> Result<ProxyConfig, String> {
    let mut reader = Reader::default();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        reader.line(number, line).map_err(|why| format!("{}:{number}: {}", clean(path), clean(&why)))?;
    }
    Ok(reader.end())
}

/// What a proxy section takes from the defaults and adds to.
#[derive(Debug, Clone, Default)]
struct Settings {
    check: Option<HttpCheck>,
    clitcpka: bool,
    srvtcpka: bool,
    server: ServerSettings,
    default_server: Option<usize>,
    default_backend: Option<String>,
}

#[derive(Debug, Clone, Copy, Default)]
struct ServerSettings {
    checked: bool,
    timing: Timing,
    ends_sessions: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Defaults,
    Frontend,
    Backend,
    Other,
}

#[derive(Debug)]
struct Section {
    kind: Kind,
    name: String,
    line: usize,
    settings: Settings,
    servers: Vec<Server>,
}

#[derive(Default)]
struct Reader {
    open: Option<Section>,
    /// The newest defaults, which sections without `from` take.
    defaults: Settings,
    named: BTreeMap<String, Settings>,
    backends: Vec<Backend>,
    frontends: Vec<Settings>,
    skipped: usize,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        let words = shlex::split(line).ok_or("a quote that does not end")?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let Some((first, rest)) = words.split_first() else { return Ok(()) };
        let kind = match *first {
            "defaults" => Kind::Defaults,
            "frontend" => Kind::Frontend,
            "backend" | "listen" => Kind::Backend,
            "global" | "userlist" | "peers" | "resolvers" | "mailers" | "cache" | "program" | "http-errors" | "ring" | "log-forward"
            | "fcgi-app" | "crt-store" | "traces" | "log-profile" | "acme" => Kind::Other,
            _ => return self.setting(number, first, rest),
        };
        self.close();
        let from = rest.iter().position(|word| *word == "from");
        let settings = match from.and_then(|at| rest.get(at + 1)) {
            Some(name) => self.named.get(*name).cloned().ok_or_else(|| format!("there are no defaults {name} above"))?,
            None if kind == Kind::Defaults => Settings::default(),
            None => self.defaults.clone(),
        };
        let name = rest.first().filter(|_| from != Some(0)).map(|name| clean(name)).unwrap_or_default();
        self.open = Some(Section { kind, name, line: number, settings, servers: Vec::new() });
        Ok(())
    }

    fn setting(&mut self, number: usize, first: &str, rest: &[&str]) -> Result<(), String> {
        let Some(section) = self.open.as_mut().filter(|section| section.kind != Kind::Other) else {
            self.skipped += 1;
            return Ok(());
        };
        let settings = &mut section.settings;
        let path = |words: &[&str]| words.iter().find(|word| word.starts_with('/')).map_or("/".to_owned(), |path| asked(path));
        match (first, rest) {
            ("option", ["httpchk", request @ ..]) => settings.check = Some(HttpCheck { path: path(request), line: number }),
            ("no", ["option", "httpchk", ..]) => settings.check = None,
            ("http-check", ["send", request @ ..]) if request.contains(&"uri") => {
                // Without `option httpchk` it is no check of HTTP.
                if let Some(check) = &mut settings.check {
                    let uri =
                        request.iter().position(|word| *word == "uri").and_then(|at| request.get(at + 1)).ok_or("uri needs a path")?;
                    *check = HttpCheck { path: asked(uri), line: number };
                }
            }
            ("option", ["tcpka", ..]) => (settings.clitcpka, settings.srvtcpka) = (true, true),
            ("option", ["clitcpka", ..]) => settings.clitcpka = true,
            ("option", ["srvtcpka", ..]) => settings.srvtcpka = true,
            ("no", ["option", "tcpka", ..]) => (settings.clitcpka, settings.srvtcpka) = (false, false),
            ("no", ["option", "clitcpka", ..]) => settings.clitcpka = false,
            ("no", ["option", "srvtcpka", ..]) => settings.srvtcpka = false,
            ("default_backend", [name, ..]) => settings.default_backend = Some(clean(name)),
            ("default-server", parameters) => {
                settings.server.read(parameters)?;
                settings.default_server = Some(number);
            }
            ("server", [name, _, parameters @ ..]) => {
                let mut own = settings.server;
                own.read(parameters)?;
                let ServerSettings { checked, timing, ends_sessions } = own;
                section.servers.push(Server { name: clean(name), line: number, checked, timing, ends_sessions });
            }
            ("server", _) => return Err("a server needs a name and an address".to_owned()),
            ("server-template", _) => return Err("server-template is not understood: name the servers".to_owned()),
            _ => self.skipped += 1,
        }
        Ok(())
    }

    fn close(&mut self) {
        let Some(Section { kind, name, line, settings, servers }) = self.open.take() else { return };
        match kind {
            Kind::Defaults => {
                if !name.is_empty() {
                    self.named.insert(name, settings.clone());
                }
                self.defaults = settings;
            }
            Kind::Frontend => self.frontends.push(settings),
            Kind::Backend if !servers.is_empty() => self.backends.push(Backend {
                name,
                line,
                check: settings.check,
                client_keepalive: settings.clitcpka,
                server_keepalive: settings.srvtcpka,
                default_server: settings.default_server,
                servers,
            }),
            Kind::Backend | Kind::Other => {}
        }
    }

    fn end(mut self) -> ProxyConfig {
        self.close();
        let Self { backends, frontends, skipped, .. } = self;
        let backends = backends.into_iter().map(|mut backend| {
            // The client's side is the frontend's; one that does not have it decides.
            let mut leading = frontends.iter().filter(|frontend| frontend.default_backend.as_deref() == Some(&backend.name)).peekable();
            if leading.peek().is_some() {
                backend.client_keepalive = leading.all(|frontend| frontend.clitcpka);
            }
            backend
        });
        ProxyConfig { backends: backends.collect(), skipped }
    }
}

impl ServerSettings {
    /// Takes in parameters of a server; those that are not needed are passed over.
    fn read(&mut self, parameters: &[&str]) -> Result<(), String> {
        for (at, word) in parameters.iter().enumerate() {
            let value = || parameters.get(at + 1).copied().ok_or_else(|| format!("{word} needs a value"));
            match *word {
                "check" => self.checked = true,
                "no-check" => self.checked = false,
                "inter" => self.timing.inter = time(word, value()?)?,
                "fastinter" => self.timing.fastinter = Some(time(word, value()?)?),
                "downinter" => self.timing.downinter = Some(time(word, value()?)?),
                "rise" => self.timing.rise = count(word, value()?)?,
                "fall" => self.timing.fall = count(word, value()?)?,
                "on-marked-down" => self.ends_sessions = value()? == "shutdown-sessions",
                _ => {}
            }
        }
        Ok(())
    }
}

/// What a check asks for, as it may be shown: of a query only what Patroni's endpoints know, because all else can be somebody's secret.
fn asked(uri: &str) -> String {
    let uri = clean(uri);
    let Some((path, query)) = uri.split_once('?') else { return uri };
    let known = |key: &str| ["lag", "replication_state"].contains(&key) || key.starts_with("tag_");
    let shown = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key, _)) if known(key) => pair.to_owned(),
        Some((key, _)) => format!("{key}=***"),
        None => "***".to_owned(),
    });
    format!("{path}?{}", shown.collect::<Vec<_>>().join("&"))
}

/// A time as HAProxy writes it: milliseconds, or with a unit (configuration manual, 2.5).
fn time(word: &str, text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let not_one = || format!("{word} is no time: {text} (as in 3s, 500ms)");
    let number: u64 = digits.parse().map_err(|_| not_one())?;
    let micros = match &text[digits.len()..] {
        "us" => 1,
        "" | "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        _ => return Err(not_one()),
    };
    match number.checked_mul(micros) {
        Some(micros) if micros > 0 => Ok(Duration::from_micros(micros)),
        _ => Err(not_one()),
    }
}

fn count(word: &str, text: &str) -> Result<u32, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| format!("{word} is no count of checks: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "\
global
    maxconn 100
defaults
    mode tcp
    timeout check 5s
listen primary
    bind *:5000
    option httpchk OPTIONS /primary
    http-check expect status 200
    default-server inter 3s fall 3 rise 2 on-marked-down shutdown-sessions
    server psg1 10.0.0.8:5432 maxconn 100 check port 8008
    server psg2 10.0.0.9:5432 maxconn 100 check port 8008  # the second
listen replicas
    option httpchk
    http-check send meth OPTIONS uri /replica
    server psg1 10.0.0.8:5432 check port 8008 inter 500 rise 1
";

    #[test]
    fn the_sample_as_it_stands() {
        let config = read("haproxy.cfg", SAMPLE).expect("reads");
        assert_eq!(config.skipped, 5, "maxconn, mode, timeout, bind, expect");
        let [primary, replicas] = &config.backends[..] else { panic!("{config:?}") };
        assert_eq!(
            (primary.line, primary.default_server, primary.check.clone()),
            (6, Some(10), Some(HttpCheck { path: "/primary".into(), line: 8 }))
        );
        let timing = Timing { inter: Duration::from_secs(3), fastinter: None, downinter: None, rise: 2, fall: 3 };
        let server = |name: &str, line| Server { name: name.into(), line, checked: true, timing, ends_sessions: true };
        assert_eq!(primary.servers, [server("psg1", 11), server("psg2", 12)]);
        assert_eq!((primary.client_keepalive, primary.server_keepalive), (false, false));
        assert_eq!(replicas.check.as_ref().map(|check| (check.path.as_str(), check.line)), Some(("/replica", 15)));
        let own = &replicas.servers[0];
        assert_eq!((own.timing.inter, own.timing.rise, own.timing.fall), (Duration::from_millis(500), 1, 3));
        assert!(!own.ends_sessions, "another section's default-server is not its");
    }

    #[test]
    fn of_what_a_check_asks_for_no_secret_is_kept() {
        let path = |line: &str| {
            let config = read("f", &format!("listen w\n{line}\nserver a 1:1 check\n")).expect("reads");
            config.backends[0].check.as_ref().map(|check| check.path.clone()).unwrap_or_default()
        };
        assert_eq!(path("option httpchk GET /replica?lag=1MB&tag_dc=b"), "/replica?lag=1MB&tag_dc=b");
        assert_eq!(path("option httpchk GET /primary?auth=S3cret&lag=1MB&S3cret"), "/primary?auth=***&lag=1MB&***");
        assert_eq!(path("option httpchk\nhttp-check send meth GET uri /primary?x=S3cret"), "/primary?x=***");
    }

    #[test]
    fn defaults_are_taken_as_haproxy_takes_them() {
        let text = "defaults base\n option tcpka\n default-server inter 1s\ndefaults\n default-server rise 7\n\
            frontend in\n option clitcpka\n default_backend w\n\
            backend w from base\n server a 1:1 check\n default-server fall 9\n server b 1:1\n\
            backend x\n no option clitcpka\n server c 1:1 no-check\n";
        let config = read("f", text).expect("reads");
        let [w, x] = &config.backends[..] else { panic!("{config:?}") };
        let told = |s: &Server| (s.timing.inter.as_secs(), s.timing.rise, s.timing.fall, s.checked);
        assert_eq!(
            w.servers.iter().map(told).collect::<Vec<_>>(),
            [(1, 2, 3, true), (1, 2, 9, false)],
            "what stands below a server is not its"
        );
        assert_eq!((w.client_keepalive, w.server_keepalive), (true, true));
        assert_eq!((told(&x.servers[0]), x.client_keepalive, x.check.clone()), ((2, 7, 3, false), false, None));
    }

    #[test]
    fn what_is_needed_and_not_understood_is_told_with_its_line() {
        for (line, says) in [
            ("server a 1:1 inter soon", "f:2: inter is no time: soon (as in 3s, 500ms)"),
            ("default-server fastinter 3w", "f:2: fastinter is no time: 3w (as in 3s, 500ms)"),
            ("default-server rise 0", "f:2: rise is no count of checks: 0"),
            ("default-server fall", "f:2: fall needs a value"),
            ("server a", "f:2: a server needs a name and an address"),
            ("server-template a 3 x:1", "f:2: server-template is not understood: name the servers"),
            ("bind 'x", "f:2: a quote that does not end"),
            ("backend b from c", "f:2: there are no defaults c above"),
            ("server a 1:1 inter \u{1b}[2J", "f:2: inter is no time:"),
            ("server a 1:1 inter 99999999999999999999d", "f:2: inter is no time"),
            ("server a 1:1 inter 0", "f:2: inter is no time"),
            ("server a 1:1 inter 3é", "f:2: inter is no time"),
        ] {
            let error = read("f", &format!("listen w\n{line}\n")).expect_err(line);
            assert!(error.starts_with(says) && !error.contains('\u{1b}'), "{line}: {error}");
        }
    }
}
