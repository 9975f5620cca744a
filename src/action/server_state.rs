//! What an HAProxy is told when another leads: from its `show servers state` to the line for its socket. Pure.
//!
//! Tried on HAProxy 2.6.12, with `inter 1s fastinter 500ms downinter 1s fall 2 rise 4 on-marked-down shutdown-sessions`:
//!
//! - `set server B/S health up` on a server that is DOWN makes it UP at once, with its health full (`srv_check_health` rise + fall - 1, which is
//!   5 here), as if every check had passed. New sessions go to it from the same moment.
//! - The checks go on as they were due. One that agrees leaves the server as after a rise of its own; one that disagrees makes it `UP 1/2`, the
//!   next one (`fall 2`) DOWN: an UP that was wrong lasted 1.5 s. So the checks stay in charge, and no word has to be taken back.
//! - `health down` on a server that is UP makes it DOWN at once, with health 0, and `on-marked-down shutdown-sessions` ends its sessions, those too
//!   that HAProxy is still trying to connect (each up to `retries` seconds). To come up again it needs the whole `rise`.
//! - `srv_admin_state`, `srv_check_state` and `srv_agent_state` stay as they were under all of this. After the next checks no column of `show
//!   servers state` but the time of the last change differs from what the checks alone would have left.
//! - A connection that HAProxy was opening when its server went stays with it for `retries` turns of a second (2 here), whether the server is
//!   marked down meanwhile or not, unless `option redispatch` is set. A client that tries once at a time so loses up to 2 s after the new leader is
//!   UP. When the old leader's server is DOWN before, such a client is turned away at once and is there at the right moment.
//! - Two commands on one line, with `;` between them, are carried out together: no check, and no session, comes between.
//! - A server in maintenance or drained keeps that under `health up`; one without checks refuses the word; one with an agent is up only if
//!   the agent says so too. These are somebody else's decisions, so such a server is not spoken of at all.

use std::net::IpAddr;

use super::proxy_order::place;

/// Where a PostgreSQL is reached: every address that its name stands for, and the port.
pub(super) type Reached = Vec<(IpAddr, u16)>;

/// `CHK_ST_CONFIGURED` and `CHK_ST_ENABLED` of `srv_check_state` (management guide, 9.3, `show servers state`).
const CHECKED: u32 = 0x02 | 0x04;
/// `CHK_ST_CONFIGURED` of `srv_agent_state`.
const AGENT: u32 = 0x02;

/// One server.
struct Server<'a> {
    backend: &'a str,
    name: &'a str,
    address: Option<(IpAddr, u16)>,
    /// `srv_op_state` is not 0, "stopped".
    runs: bool,
    /// Nobody but the checks decides about it.
    by_checks: bool,
}

/// The servers, or why they cannot be read.
fn parse(text: &str) -> Result<Vec<Server<'_>>, String> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    if lines.next().map(str::trim) != Some("1") {
        return Err("its servers' states are in a format that is not known".to_owned());
    }
    let header: Vec<&str> = lines.next().unwrap_or_default().trim_start_matches('#').split_whitespace().collect();
    let column = |name: &str| header.iter().position(|field| *field == name).ok_or_else(|| format!("its servers' states have no {name}"));
    let (backend, name, address, port) = (column("be_name")?, column("srv_name")?, column("srv_addr")?, column("srv_port")?);
    let (op, admin, check, agent) =
        (column("srv_op_state")?, column("srv_admin_state")?, column("srv_check_state")?, column("srv_agent_state")?);
    lines
        .map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let field = |index: usize| fields.get(index).copied().ok_or("a line of its servers' states is cut off");
            let number = |index: usize| field(index)?.parse::<u32>().map_err(|_| "its servers' states are not understood");
            Ok(Server {
                backend: field(backend)?,
                name: field(name)?,
                address: field(address)?.parse().ok().zip(field(port)?.parse().ok()),
                runs: number(op)? != 0,
                by_checks: number(admin)? == 0 && number(check)? & CHECKED == CHECKED && number(agent)? & AGENT == 0,
            })
        })
        .collect()
}

/// The line that moves a write backend from the old leader to the new one; `None`: it is where it should be.
///
/// # Errors
/// There is a doubt, and nothing must be said; the error is a sentence's end: `another server is up`.
pub(super) fn telling(states: &str, backend: &str, old: &Reached, new: &Reached) -> Result<Option<String>, String> {
    let servers: Vec<Server<'_>> = parse(states)?.into_iter().filter(|server| server.backend == backend).collect();
    let is = |server: &Server<'_>, whom: &Reached| server.address.is_some_and(|address| whom.contains(&address));
    let mut to = servers.iter().filter(|server| is(server, new));
    let (Some(to), None) = (to.next(), to.next()) else {
        return Err(format!("no one server of {backend} has the address of the new leader"));
    };
    let mut words = Vec::new();
    for server in servers.iter().filter(|server| server.runs && server.name != to.name) {
        if !is(server, old) {
            return Err(format!("{} is up in {backend} too, and it did not lead", server.name));
        }
        if !server.by_checks {
            return Err(format!("not the checks alone decide about {}", server.name));
        }
        words.push(format!("set server {} health down", place(backend, server.name)?));
    }
    if !to.runs {
        if !to.by_checks {
            return Err(format!("not the checks alone decide about {}", to.name));
        }
        words.push(format!("set server {} health up", place(backend, to.name)?));
    }
    Ok((!words.is_empty()).then(|| words.join("; ")))
}

/// The line that takes the old leader out of a write backend, when its PostgreSQL has stopped; `None`: it is out.
///
/// # Errors
/// There is a doubt, and nothing must be said; the error is a sentence's end.
pub(super) fn leaving(states: &str, backend: &str, old: &Reached) -> Result<Option<String>, String> {
    let servers = parse(states)?;
    let is_old = |server: &&Server<'_>| server.backend == backend && server.address.is_some_and(|address| old.contains(&address));
    let mut found = servers.iter().filter(is_old);
    let (Some(server), None) = (found.next(), found.next()) else {
        return Err(format!("no one server of {backend} has the address of the old leader"));
    };
    match server.runs {
        false => Ok(None),
        true if !server.by_checks => Err(format!("not the checks alone decide about {}", server.name)),
        true => Ok(Some(format!("set server {} health down", place(backend, server.name)?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight \
        srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id \
        srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n";

    /// Servers as (backend, name, last part of the address, op_state, admin_state, check_state, agent_state).
    fn states(servers: &[(&str, &str, u8, u8, u8, u8, u8)]) -> String {
        let line = |(backend, name, host, op, admin, check, agent): &(&str, &str, u8, u8, u8, u8, u8)| {
            format!("2 {backend} 1 {name} 10.0.0.{host} {op} {admin} 1 1 3 15 3 5 {check} {agent} 0 0 - 5432 - 0 8008 - - 8008\n")
        };
        format!("{HEAD}{}\n", servers.iter().map(line).collect::<String>())
    }

    fn at(host: u8) -> Reached {
        vec![(IpAddr::from([10, 0, 0, host]), 5432)]
    }

    /// Of old leader 1 and new leader 2, with the state of each in the backend `w`.
    fn told(servers: &[(&str, &str, u8, u8, u8, u8, u8)]) -> Result<Option<String>, String> {
        telling(&states(servers), "w", &at(1), &at(2))
    }

    #[test]
    fn the_old_leader_goes_before_the_new_one_comes() {
        let both = "set server w/a health down; set server w/b health up";
        // A server in another backend, and one that is down, are not spoken of.
        let servers = [("w", "a", 1, 2, 0, 6, 0), ("w", "b", 2, 0, 0, 6, 0), ("w", "c", 3, 0, 0, 6, 0), ("r", "b", 2, 2, 0, 6, 0)];
        assert_eq!(told(&servers), Ok(Some(both.to_owned())));
        assert_eq!(told(&[("w", "a", 1, 0, 0, 6, 0), ("w", "b", 2, 0, 0, 7, 0)]), Ok(Some("set server w/b health up".to_owned())));
        assert_eq!(told(&[("w", "a", 1, 2, 0, 6, 0), ("w", "b", 2, 2, 0, 6, 0)]), Ok(Some("set server w/a health down".to_owned())));
        assert_eq!(told(&[("w", "a", 1, 0, 0, 6, 0), ("w", "b", 2, 2, 0, 6, 0)]), Ok(None));
    }

    #[test]
    fn who_has_stopped_is_taken_out_and_nobody_else() {
        let left = |servers: &[(&str, &str, u8, u8, u8, u8, u8)]| leaving(&states(servers), "w", &at(1));
        let (b, other) = (("w", "b", 2, 2, 0, 6, 0), ("r", "a", 1, 2, 0, 6, 0));
        assert_eq!(left(&[("w", "a", 1, 2, 0, 6, 0), b, other]), Ok(Some("set server w/a health down".to_owned())));
        assert_eq!(left(&[("w", "a", 1, 0, 0, 6, 0), b, other]), Ok(None));
        for doubt in [vec![b, other], vec![("w", "a", 1, 2, 8, 6, 0)], vec![("w", "a", 1, 2, 0, 0, 0)], vec![("w", "a", 1, 2, 0, 6, 2)]] {
            assert!(left(&doubt).is_err(), "{:?}", left(&doubt));
        }
    }

    #[test]
    fn in_any_doubt_nothing_is_said() {
        let a = ("w", "a", 1, 2, 0, 6, 0);
        let cases = [
            ("the new leader is not among them", vec![a, ("w", "c", 3, 0, 0, 6, 0)]),
            ("it is there twice", vec![a, ("w", "b", 2, 0, 0, 6, 0), ("w", "b2", 2, 0, 0, 6, 0)]),
            ("another is up", vec![a, ("w", "b", 2, 0, 0, 6, 0), ("w", "c", 3, 2, 0, 6, 0)]),
            ("it is in maintenance", vec![a, ("w", "b", 2, 0, 1, 6, 0)]),
            ("it is drained", vec![a, ("w", "b", 2, 0, 8, 6, 0)]),
            ("it is not checked", vec![a, ("w", "b", 2, 0, 0, 0, 0)]),
            ("it has an agent", vec![a, ("w", "b", 2, 0, 0, 6, 6)]),
            ("the old one is drained", vec![("w", "a", 1, 2, 8, 6, 0), ("w", "b", 2, 0, 0, 6, 0)]),
            ("a name that would say something else", vec![a, ("w", "b;c", 2, 0, 0, 6, 0)]),
        ];
        for (name, servers) in cases {
            assert!(told(&servers).is_err(), "{name}: {:?}", told(&servers));
        }
        for text in ["", "2\n", "Permission denied\n", "1\n# be_id be_name\n", &format!("{HEAD}2 w 1 b\n")] {
            assert!(telling(text, "w", &at(1), &at(2)).is_err(), "{text:?}");
        }
    }
}
