//! HAProxy's.

use super::{Known, line};

pub(super) const LINES: &[Known] = &[
    line(
        r"has no server available",
        "No server of this proxy is up: clients are refused.",
        "No member passes the check. For writes: none is leader by its REST API, as during a failover.",
        "A few seconds in a failover are usual. If it lasts, look who leads and whether the check asks the right port.",
    )
    .found("route-none"),
    line(
        r"is DOWN.*via|^Server \S+ is DOWN",
        "A server was taken out: no new clients are sent to it.",
        "It failed `fall` checks one after the other: it does not answer, or answers that it is not what the proxy wants.",
        "After a change of leader it is the old one. The line of the check before tells the reason.",
    )
    .found("server-out"),
    line(
        r"^Server \S+ is UP",
        "A server is used again.",
        "It passed `rise` checks one after the other.",
        "For writes: it is the leader by its REST API.",
    ),
    line(
        r"Health check for server \S+ failed, reason: Layer7 wrong status",
        "The member answered the check, but not with 200.",
        "Patroni answers 503 where the member is not what is asked for: no leader on the write side, no replica on the read side.",
        "That is usual for all but one server of the write side.",
    ),
    line(
        r"Health check for server \S+ failed, reason: Layer[46] (?:connection problem|timeout|invalid response)",
        "The check did not reach Patroni's REST API.",
        "Patroni or its host is down, the port is wrong, or TLS is asked for on one side only.",
        "Look at Patroni's lines on that member.",
    )
    .found("api-hung"),
    line(
        r"Health check for server \S+ failed, reason: Layer7 timeout",
        "The REST API took the connection, and did not answer in time.",
        "Patroni hangs, mostly with its PostgreSQL or its disk.",
        "Look at that member: a check that fails so takes a leader out that may still be one.",
    )
    .found("api-hung"),
    line(
        r"<NOSRV> ",
        "A client was refused: there was no server.",
        "No server of the proxy was up at that moment.",
        "Count them: so many attempts were lost in a failover.",
    )
    .found("route-none"),
    line(
        r" (?:SD|sD|S-|SH)[-A-Z]{0,2} \d",
        "The server ended the connection.",
        "Its PostgreSQL stopped, or the session was killed because the server was taken out (on-marked-down shutdown-sessions).",
        "In a failover that is what should happen to sessions on the old leader.",
    ),
    line(
        r" (?:D-|DD|DC|DI)[-A-Z]{0,2} \d",
        "HAProxy itself ended the connection, as its server went down.",
        "on-marked-down shutdown-sessions.",
        "Clients have to connect anew; that is what keeps them from the old leader.",
    ),
    line(
        r" (?:SC|sC)[-A-Z]{0,2} \d",
        "The connection to the server failed.",
        "Nobody listens there, or nobody answers.",
        "Look at the member that is named: its PostgreSQL is down, but the check has not noticed yet.",
    )
    .found("route-wrong"),
];
