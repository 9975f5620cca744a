//! HAProxy's configuration: writes go where Patroni says `/primary`, reads where it says `/replica`.

use std::fmt::Write;

use super::{Machine, comment};

/// HAProxy of one machine.
#[derive(Debug)]
pub struct Haproxy<'a> {
    /// The machine.
    pub machine: &'a Machine,
    /// The nodes with PostgreSQL.
    pub members: &'a [Machine],
    /// How many sessions at once, of all backends.
    pub maxconn: u32,
    /// How many of them one server gets; the others wait in HAProxy.
    pub server_maxconn: u32,
    /// Threads; as many as there are cores, if not said.
    pub threads: Option<u8>,
    /// More lines for `global`, each with its reason in a comment where it needs one.
    pub global: &'a [&'a str],
    /// The socket for statistics and orders.
    pub socket: &'a str,
    /// Port of the statistics' page.
    pub stats_port: u16,
    /// Whether the page tells the servers' addresses.
    pub legends: bool,
    /// Port to the leader.
    pub write_port: u16,
    /// Port to the replicas.
    pub read_port: u16,
    /// PostgreSQL's port on the nodes.
    pub postgres_port: u16,
    /// Patroni's port on the nodes.
    pub rest_port: u16,
    /// The CA that signed Patroni's certificates, and a file with a certificate and its key to show to Patroni.
    pub tls: Option<(&'a str, &'a str)>,
    /// Whether servers count as down until their first check (HAProxy 3.1 and later).
    pub init_state: bool,
}

/// How a server is checked. Times in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Between two checks while nothing changes.
    pub inter: u32,
    /// Between two checks while a server is on its way up or down.
    pub fastinter: u32,
    /// Between two checks of one that is down.
    pub downinter: u32,
    /// Failed checks until it is down.
    pub fall: u32,
    /// Good checks until it is up.
    pub rise: u32,
}

/// The checks of the write backend: see [`Timing::never_two`].
pub const WRITE: Timing = Timing { inter: 1000, fastinter: 500, downinter: 1000, fall: 2, rise: 4 };
/// The checks of the read backend, where two servers up are as it should be.
pub const READ: Timing = Timing { inter: 3000, fastinter: 1000, downinter: 1000, fall: 3, rise: 2 };

impl Timing {
    /// Whether an old leader is out before a new one is in: the shortest way up, when the first check comes at once, is no shorter than the
    /// longest way down, when it comes a whole `inter` later; and the old one answers 503 before the new one answers 200.
    #[must_use]
    pub fn never_two(&self) -> bool {
        (self.rise - 1) * self.fastinter >= (self.fall - 1) * self.fastinter + self.inter
    }

    fn words(&self) -> String {
        let time = |ms: u32| if ms.is_multiple_of(1000) { format!("{}s", ms / 1000) } else { format!("{ms}ms") };
        let Self { inter, fastinter, downinter, fall, rise } = *self;
        format!("inter {} fastinter {} downinter {} fall {fall} rise {rise}", time(inter), time(fastinter), time(downinter))
    }
}

const WHY_WRITE: &str = "Writes. A server is up while its Patroni answers 200 to /primary, which only the leader does.\n\
A server takes longer to come up (4 checks) than one needs to go down (2): an old and a new leader are never both up. With the 3 s of the \
usual sample they are, for 2 to 3 s, and every second new session is read-only on the old one.\n\
on-marked-down: a session that is left on the old leader is cut at once. Without this it stays there, read-only, for up to `timeout server`.";

const WHY_READ: &str =
    "Reads that may be a moment old. Every replica is up. When there is none, nobody is: reads do not fall on the leader.";

impl Haproxy<'_> {
    /// The part before the backends to PostgreSQL.
    #[must_use]
    pub fn head(&self) -> String {
        let Machine { name, address } = self.machine;
        let mut out = format!("global\n    maxconn {}\n", self.maxconn);
        if let Some(threads) = self.threads {
            let _ = writeln!(out, "    nbthread {threads}");
        }
        let _ = write!(out, "    node {name}\n    log stdout format raw local0\n");
        out.push_str(&comment(
            "    ",
            "Whoever may write to this socket may drain a server or end sessions. pgbaton does that only by an action's plan.",
        ));
        let _ = write!(out, "    stats socket {} mode 660 level admin\n    stats timeout 30s\n", self.socket);
        for line in self.global {
            let _ = writeln!(out, "    {line}");
        }
        out.push_str("defaults\n    log global\n    mode tcp\n    option tcplog\n");
        out.push_str(&comment("    ", "Each change of a server is a line in the log: afterwards it tells who was up when."));
        out.push_str("    option log-health-checks\n    option clitcpka\n    option srvtcpka\n    retries 2\n");
        out.push_str(&comment("    ", "A session may be idle for so long; pools of connections are."));
        out.push_str("    timeout client 30m\n    timeout connect 4s\n    timeout server 30m\n    timeout check 5s\n");
        out.push_str(&comment("", "To be looked at, without a password: it tells addresses and numbers, and nothing can be done there."));
        let _ = write!(out, "listen stats\n    mode http\n    bind {address}:{}\n    stats enable\n    stats uri /\n", self.stats_port);
        if self.legends {
            out.push_str(&comment("    ", "With the servers' addresses: pgbaton finds a node by them that has dropped out of etcd."));
            out.push_str("    stats show-legends\n");
        }
        out
    }

    /// The whole file.
    #[must_use]
    pub fn config(&self) -> String {
        let mut out = self.head();
        self.backend(&mut out, WHY_WRITE, "pg_write", self.write_port, "/primary", WRITE);
        self.backend(&mut out, WHY_READ, "pg_read", self.read_port, "/replica", READ);
        out
    }

    fn backend(&self, out: &mut String, why: &str, name: &str, port: u16, path: &str, timing: Timing) {
        let check = self.tls.map_or(String::new(), |(ca, pem)| format!(" check-ssl verify required ca-file {ca} crt {pem}"));
        let init = if self.init_state { " init-state down" } else { "" };
        let _ = write!(
            out,
            "{}listen {name}
    bind {}:{port}
    option httpchk OPTIONS {path}
    http-check expect status 200
    default-server {}{init} on-marked-down shutdown-sessions
",
            comment("", why),
            self.machine.address,
            timing.words()
        );
        for Machine { name, address } in self.members {
            let (to, maxconn, rest) = (self.postgres_port, self.server_maxconn, self.rest_port);
            let _ = writeln!(out, "    server {name} {address}:{to} maxconn {maxconn} check port {rest}{check}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_write_backend_never_has_an_old_and_a_new_leader() {
        assert!(WRITE.never_two());
        let sample = Timing { inter: 3000, fastinter: 3000, downinter: 3000, fall: 3, rise: 2 };
        assert!(!sample.never_two(), "Patroni's sample has both for 2 to 3 s, as was measured");
    }
}
