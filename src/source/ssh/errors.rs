//! Sentences for what ssh says when it does not get there.

use super::way::Way;
use crate::model::{ErrorKind, SourceError};

/// What ssh said on standard error, as a sentence with the command that would mend it. `agent`: whether an agent is named in our environment.
pub(super) fn explain(said: &str, way: &Way, agent: bool) -> SourceError {
    let whom = &way.destination;
    let typed = way.typed();
    let error = |kind, message: String| SourceError::new(kind, message);
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if has(&["REMOTE HOST IDENTIFICATION HAS CHANGED", "host key for", "has changed and you have requested"]) {
        let mend = match offending(said) {
            Some(place) => format!("if the node was set up anew, take its old key out of {place}, then run: {typed}"),
            None => format!("if the node was set up anew, take its old key out with ssh-keygen -R, then run: {typed}"),
        };
        return error(
            ErrorKind::Denied,
            format!("ssh: the host key of {whom} has changed: it is another machine, or somebody is in between"),
        )
        .with_hint(mend);
    }
    if has(&["host key is known for", "Host key verification failed"]) {
        return error(ErrorKind::Denied, format!("ssh: the host key of {whom} is not known"))
            .with_hint(format!("compare it and take it over once: {typed}"));
    }
    if has(&["Permission denied", "Too many authentication failures", "No more authentication methods"]) {
        let hint = match agent {
            true => format!("ssh-add -l lists the agent's keys; in full: {} -v", typed),
            false => format!(
                "no agent is running here: eval \"$(ssh-agent)\" and ssh-add, or an IdentityFile in ssh's configuration; in full: {typed} -v"
            ),
        };
        return error(ErrorKind::Auth, format!("ssh: {whom} lets nobody in with the keys there are")).with_hint(hint);
    }
    if has(&["Could not resolve hostname"]) {
        return error(ErrorKind::Dns, format!("ssh: the host name {whom} cannot be resolved"))
            .with_hint("name the host in pgbaton.toml, in [clusters.NAME.ssh], or in ssh's configuration");
    }
    if has(&["Connection refused"]) {
        return error(ErrorKind::Refused, format!("ssh: connection refused by {whom}")).with_hint(format!("does sshd run there? {typed}"));
    }
    if has(&["timed out", "Timeout, server"]) {
        return error(ErrorKind::Timeout, format!("ssh: {whom} does not answer")).with_hint(format!("in full: {typed} -v"));
    }
    if has(&["No route to host", "Network is unreachable", "Host is down"]) {
        return error(ErrorKind::Broken, format!("ssh: there is no way to {whom}")).with_hint(format!("in full: {typed} -v"));
    }
    if has(&["onfiguration option", "Bad owner or permissions", "Can't open user config", "terminating, "]) {
        let last = last(said).unwrap_or_default();
        return error(ErrorKind::Config, format!("ssh's configuration cannot be used: {last}")).with_hint(format!("to try it: {typed}"));
    }
    match last(said) {
        Some(last) => error(ErrorKind::Broken, format!("ssh to {whom}: {last}")).with_hint(format!("in full: {typed} -v")),
        None => error(ErrorKind::Broken, format!("ssh to {whom} ended without a word")).with_hint(format!("in full: {typed} -v")),
    }
}

/// Nothing came within so many seconds.
pub(super) fn late(way: &Way, seconds: u64) -> SourceError {
    SourceError::new(ErrorKind::Timeout, format!("ssh: no connection to {} within {seconds} s", way.destination))
        .with_hint(format!("in full: {} -v", way.typed()))
}

/// The last line that says something.
fn last(said: &str) -> Option<&str> {
    said.lines().map(str::trim).rfind(|line| !line.is_empty())
}

/// The file and line in which the key stands that does not fit: `/root/.ssh/known_hosts:3`.
fn offending(said: &str) -> Option<&str> {
    let line = said.lines().find(|line| line.trim_start().starts_with("Offending"))?;
    line.rsplit_once(" in ").map(|(_, place)| place.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_ssh_says_has_its_sentence() {
        let way = Way { destination: "psg1".into(), config_file: Some("/x/config".into()) };
        let changed = "@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@\nOffending ED25519 key in /x/known_hosts:2\nHost key for [127.0.0.1]:2222 has changed and you have requested strict checking.\nHost key verification failed.\n";
        let unknown =
            "No ED25519 host key is known for [127.77.3.11]:2222 and you have requested strict checking.\nHost key verification failed.\n";
        for (said, kind, sentence, hint) in [
            (changed, ErrorKind::Denied, "has changed", "/x/known_hosts:2"),
            (unknown, ErrorKind::Denied, "is not known", "ssh -F /x/config psg1"),
            ("Host key verification failed.\r\n", ErrorKind::Denied, "is not known", "ssh -F /x/config psg1"),
            ("a@psg1: Permission denied (publickey).", ErrorKind::Auth, "lets nobody in", "ssh-agent"),
            ("ssh: Could not resolve hostname psg1: Name or service not known", ErrorKind::Dns, "cannot be resolved", "pgbaton.toml"),
            ("ssh: connect to host 127.0.0.1 port 2222: Connection refused", ErrorKind::Refused, "refused", "sshd"),
            ("ssh: connect to host 10.0.0.1 port 22: Connection timed out", ErrorKind::Timeout, "does not answer", "-v"),
            ("ssh: connect to host 10.0.0.1 port 22: No route to host", ErrorKind::Broken, "no way", "-v"),
            (
                "/x/config: line 3: Bad configuration option: foo\n/x/config: terminating, 1 bad configuration options",
                ErrorKind::Config,
                "terminating",
                "ssh",
            ),
            ("kex_exchange_identification: Connection closed by remote host", ErrorKind::Broken, "closed by remote host", "-v"),
            ("", ErrorKind::Broken, "without a word", "-v"),
        ] {
            let error = explain(said, &way, false);
            assert_eq!(error.kind, kind, "{said}");
            assert!(error.message.contains(sentence), "{said}: {error}");
            assert!(error.hint.as_deref().is_some_and(|h| h.contains(hint)), "{said}: {error:?}");
        }
    }
}
