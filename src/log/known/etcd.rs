//! etcd's.

use super::{Known, line};

pub(super) const LINES: &[Known] = &[
    line(
        r"stepped down to follower since quorum is not active|lost leader|lost the (?:TCP|leader)|leader failed to send out heartbeat on time; took too long",
        "etcd's leader has lost its majority, or cannot keep it.",
        "Other members are down or cut off, or this one is too slow: its disk or its processor.",
        "Without a majority Patroni's leader steps down when its lease runs out. Look at the other members.",
    )
    .found("quorum-lost"),
    line(
        r"no leader at term|/health error; no leader|etcdserver: no leader",
        "etcd has no leader, and answers nothing that counts.",
        "There is no majority, or an election is under way.",
        "A second is an election. If it lasts, look which members are away.",
    )
    .found("quorum-lost"),
    line(
        r"is starting a new election at term|became (?:pre-)?candidate at term",
        "A member of etcd calls for an election.",
        "It has not heard the leader for election-timeout.",
        "Elections again and again mean a network or a disk that is too slow.",
    )
    .found("etcd-slow"),
    line(
        r"became leader at term|elected leader \S+ at term",
        "etcd has a new leader.",
        "An election was won.",
        "Patroni's lease lives on, but renewing it may have taken long: look for `failed to update leader lock`.",
    ),
    line(
        r"apply request took too long|took too long to execute|slow fdatasync|waiting for ReadIndex response took too long",
        "etcd is slow.",
        "Mostly the disk: every write waits for fdatasync. Else the network, or a processor without time.",
        "Look at the disk that holds etcd's data; it must not share it with PostgreSQL's WAL.",
    )
    .found("etcd-slow"),
    line(
        r"timed out waiting for read index response|request timed out",
        "A request got no answer in time.",
        "There is no leader, or it does not reach its majority.",
        "Look at the members' connections in the lines before.",
    )
    .found("etcd-slow"),
    line(
        r"lost TCP streaming connection with remote peer|peer became inactive|prober detected unhealthy status|failed to reach the peerURL",
        "A member has lost another.",
        "The other is down, or the network between them is.",
        "One may be missing of three. Look which one, and whether all others miss it.",
    )
    .found("etcd-member-down"),
    line(
        r"alarm raised|NOSPACE|database space exceeded|mvcc: database space exceeded",
        "etcd's database is full: it takes no more writes.",
        "quota-backend-bytes is reached: nothing was compacted, or too much is written.",
        "Compact, defragment, disarm the alarm; until then no lease is renewed by a new key, and no leader elected.",
    )
    .found("etcd-alarm"),
    line(
        r"request cluster ID mismatch|request sent was ignored by remote peer due to cluster ID mismatch",
        "A member of another cluster knocks.",
        "A node was set up anew with the addresses of this one, or the addresses are wrong.",
        "Compare initial-cluster and the member list.",
    ),
    line(
        r"clock difference|prober found high clock drift",
        "The clocks of two members differ.",
        "One is not kept right by NTP.",
        "etcd does not count on clocks, but reading logs does.",
    )
    .found("clock-skew"),
    line(
        r"rejected (?:stream )?(?:connection|from)|remote error: tls|certificate (?:has expired|signed by unknown)",
        "A TLS handshake failed.",
        "A certificate has run out, is of another CA, or does not name this host.",
        "Look at the dates of all certificates: those made together end together.",
    )
    .found("certificate-expiring"),
    line(
        r"received signal; shutting down|skipped leadership transfer|closing etcd server",
        "etcd stops.",
        "Somebody stopped it, or the host goes down.",
        "With one of three away the next fault stops the cluster.",
    )
    .found("etcd-member-down"),
];
