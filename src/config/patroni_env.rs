//! `PATRONI_*` variables, which Patroni lays over its file.

use secrecy::SecretString;

use super::diagnostic::{Diagnostic, quote};
use super::env::Env;
use super::origin::{Origin, Setting};
use super::patroni::{Ctl, Etcd3, Login, OTHER_DCS, Patroni};
use super::patroni_yaml::split_hosts;
use super::section::patroni_bool;

/// What the variables say. A variable that is set to nothing does not count.
pub(crate) fn read(env: &Env) -> Result<Patroni, Vec<Diagnostic>> {
    let mut out = Vec::new();
    let text = |name: &str| env.var(name).map(|v| Setting::new(v.to_owned(), Origin::Variable(name.to_owned())));
    let srv = text("PATRONI_ETCD3_SRV");
    let etcd3 = Etcd3 {
        at: None,
        url: text("PATRONI_ETCD3_URL"),
        hosts: text("PATRONI_ETCD3_HOSTS").map(|h| h.map(|text| hosts(&text))),
        host: text("PATRONI_ETCD3_HOST"),
        port: text("PATRONI_ETCD3_PORT").and_then(|p| port(p, &mut out)),
        protocol: text("PATRONI_ETCD3_PROTOCOL"),
        srv,
        proxy: text("PATRONI_ETCD3_PROXY").map(|p| p.origin),
        use_proxies: text("PATRONI_ETCD3_USE_PROXIES").and_then(|u| boolean(u, &mut out)),
        username: text("PATRONI_ETCD3_USERNAME"),
        password: text("PATRONI_ETCD3_PASSWORD").map(|p| p.map(SecretString::from)),
        cacert: text("PATRONI_ETCD3_CACERT"),
        cert: text("PATRONI_ETCD3_CERT"),
        key: text("PATRONI_ETCD3_KEY"),
    };
    let place = [&etcd3.url, &etcd3.host, &etcd3.srv].into_iter().find_map(|s| s.as_ref().map(|s| s.origin.clone()));
    let at = etcd3.hosts.as_ref().map(|h| h.origin.clone()).or(place);
    let patroni = Patroni {
        scope: text("PATRONI_SCOPE"),
        namespace: text("PATRONI_NAMESPACE"),
        etcd3: Etcd3 { at, ..etcd3 },
        other_dcs: other(env),
        dcs_api: None,
        ctl: Ctl {
            insecure: text("PATRONI_CTL_INSECURE").and_then(|i| boolean(i, &mut out)),
            cacert: text("PATRONI_CTL_CACERT"),
            certfile: text("PATRONI_CTL_CERTFILE"),
            keyfile: text("PATRONI_CTL_KEYFILE"),
            keyfile_password: text("PATRONI_CTL_KEYFILE_PASSWORD").map(|p| p.origin),
            login: login("PATRONI_CTL", &text),
        },
        restapi_cafile: text("PATRONI_RESTAPI_CAFILE"),
        restapi_login: login("PATRONI_RESTAPI", &text),
    };
    if out.is_empty() { Ok(patroni) } else { Err(out) }
}

/// `PATRONI_CTL_USERNAME` and its like (`config.py`, `_get_auth`).
fn login(prefix: &str, text: &impl Fn(&str) -> Option<Setting<String>>) -> Login {
    Login {
        auth: None,
        username: text(&format!("{prefix}_USERNAME")),
        password: text(&format!("{prefix}_PASSWORD")).map(|p| p.map(SecretString::from)),
    }
}

/// `a:1,b:1`, or a YAML list of them (`[a:1, b:1]`, `'a:1','b:1'`, lines with `- `), as Patroni takes it.
fn hosts(text: &str) -> Vec<String> {
    let unquoted = |part: &str| part.trim().trim_start_matches("- ").trim_start_matches('-').trim().trim_matches(['\'', '"']).to_owned();
    let inner = text.trim();
    // An IPv6 address has brackets too: those of a list enclose everything and hold more than one address.
    let inner = match inner.strip_prefix('[').and_then(|i| i.strip_suffix(']')) {
        Some(list) if !list.contains("::") || list.contains('[') || list.contains(['\'', '"']) => list,
        _ => inner,
    };
    inner.lines().flat_map(split_hosts).map(|part| unquoted(&part)).filter(|h| !h.is_empty()).collect()
}

fn port(text: Setting<String>, out: &mut Vec<Diagnostic>) -> Option<Setting<u32>> {
    match text.value.trim().parse::<u16>() {
        Ok(port) if port > 0 => Some(text.map(|_| port.into())),
        _ => {
            out.push(Diagnostic::new(text.origin, format!("{} is not a port (1 to 65535)", quote(&text.value))));
            None
        }
    }
}

fn boolean(text: Setting<String>, out: &mut Vec<Diagnostic>) -> Option<Setting<bool>> {
    match patroni_bool(&text.value) {
        Some(value) => Some(Setting::new(value, text.origin)),
        None => {
            out.push(
                Diagnostic::new(text.origin, format!("{} is not a boolean", quote(&text.value))).hint("the values are `true` and `false`"),
            );
            None
        }
    }
}

/// The first variable that configures another DCS, as `PATRONI_CONSUL_HOST` does.
fn other(env: &Env) -> Option<Setting<String>> {
    env.vars.keys().filter(|name| env.var(name).is_some()).find_map(|name| {
        let dcs = names_other_dcs(name)?;
        Some(Setting::new(dcs.to_owned(), Origin::Variable(name.clone())))
    })
}

/// The DCS that a variable of this name configures, when it is one that pgbaton does not speak.
pub(crate) fn names_other_dcs(variable: &str) -> Option<&'static str> {
    const SAYS_WHERE: [&str; 10] = ["HOST", "HOSTS", "PORT", "PORTS", "URL", "SRV", "PROXY", "NAMESPACE", "PARTNER_ADDRS", "LABELS"];
    let (dcs, what) = variable.strip_prefix("PATRONI_")?.split_once('_')?;
    let known = OTHER_DCS.into_iter().find(|known| known.eq_ignore_ascii_case(dcs))?;
    SAYS_WHERE.contains(&what).then_some(known)
}

#[cfg(test)]
mod tests {
    use super::hosts;

    #[test]
    fn hosts_in_every_form_that_patroni_takes() {
        let two = ["a:1", "b:2"];
        for text in ["a:1,b:2", "a:1, b:2", "['a:1', 'b:2']", "[a:1,b:2]", "'a:1','b:2'", "- a:1\n- b:2", "\"a:1\",\"b:2\""] {
            assert_eq!(hosts(text), two, "{text:?}");
        }
        assert_eq!(hosts("[::1]:2379"), ["[::1]:2379"]);
        assert_eq!(hosts("[::1]"), ["[::1]"]);
        assert_eq!(hosts("['[::1]:2379','[::2]:2379']"), ["[::1]:2379", "[::2]:2379"]);
        assert!(hosts(" , ").is_empty());
    }
}
