//! PostgreSQL's.

use super::{Known, line};

pub(super) const LINES: &[Known] = &[
    line(
        r"requested WAL segment \S+ has already been removed",
        "A standby asks for WAL that the sender has no more.",
        "It was away for longer than WAL is kept: it has no slot, the slot was lost (max_slot_wal_keep_size), or wal_keep_size is too small.",
        "If it is in the archive, restore_command brings it back. Else the standby has to be copied anew (reinit).",
    )
    .found("replica-not-streaming"),
    line(
        r"replication slot \S+ does not exist",
        "A standby asks for a slot that is not there.",
        "Patroni makes the members' slots on a new leader within a turn of its loop; a slot that was dropped by hand it makes anew too.",
        "A few seconds after a change of leader it is usual. If it lasts, look whether the member's name and its slot's agree.",
    )
    .found("replica-not-streaming"),
    line(
        r"can no longer (?:access|get changes from) replication slot|invalidating obsolete replication slot|terminating process \d+ to release replication slot",
        "A slot was given up: more WAL than max_slot_wal_keep_size would have had to be kept.",
        "Whoever reads from it was away, or too slow.",
        "The standby or the subscriber needs a new copy; look which slot it is.",
    )
    .found("slot-lost"),
    line(
        r"terminating connection due to unexpected postmaster exit",
        "The server's first process is gone, and every session with it.",
        "It was killed: by the kernel for lack of memory, by an operator, or by Patroni after a stop that took too long.",
        "Look for `Out of memory` in the host's log, and for what Patroni did in the same second.",
    )
    .found("member-down"),
    line(
        r"terminated by signal \d+",
        "A process of the server was ended by a signal.",
        "Signal 9 is mostly the kernel's answer to a lack of memory; 6 and 11 are errors in the server or an extension.",
        "All sessions end, and the server recovers. Look at the statement in DETAIL and at the host's memory.",
    ),
    line(
        r"^the database system is in recovery mode|^all server processes terminated; reinitializing",
        "The server recovers from a crash of one of its processes.",
        "One was killed or failed, and shared memory cannot be trusted.",
        "Wait for `ready to accept connections`; the lines before say which process it was.",
    ),
    line(
        r"^the database system is (?:starting up|not yet accepting connections)",
        "A client came before the server was ready.",
        "It starts, and replays WAL until it is consistent.",
        "Wait. If it lasts, look how far the replay is: `redo in progress`, `consistent recovery state reached`.",
    ),
    line(
        r"^the database system is shutting down|^received (?:fast|smart|immediate) shutdown request",
        "The server was told to stop.",
        "By Patroni in a demotion or a restart, or by an operator.",
        "Patroni's lines of the same second tell which.",
    ),
    line(
        r"^terminating connection due to administrator command",
        "A session was ended from outside.",
        "The server stops, or somebody called pg_terminate_backend.",
        "If `received fast shutdown request` is beside it, it was the stop.",
    ),
    line(
        r"^received promote request",
        "The standby was told to become primary.",
        "Patroni promotes it, having taken the leader key.",
        "`selected new timeline ID` and `archive recovery complete` follow.",
    ),
    line(
        r"^selected new timeline ID",
        "A new timeline begins: from here on this server writes WAL of its own.",
        "It was promoted.",
        "The other members have to follow to this timeline; the old leader may need a rewind.",
    ),
    line(
        r"^database system was (?:interrupted|not properly shut down)",
        "The server was not stopped cleanly before.",
        "It crashed or was killed, its host went down, or the data is a fresh copy.",
        "It recovers by itself; how long that takes depends on the WAL since the last checkpoint.",
    ),
    line(
        r"could not connect to the primary server|^could not receive data from WAL stream|replication terminated by primary server",
        "The standby has lost its primary, or does not reach it.",
        "The primary stopped, is being replaced, or refuses: pg_hba.conf, a password, a route.",
        "After a change of leader it ends within seconds. If it lasts, read the reason behind the colon.",
    )
    .found("replica-not-streaming"),
    line(
        r"^waiting for WAL to become available",
        "The standby has replayed all that it has, and gets no more.",
        "It has no connection to a primary.",
        "Look at the line before it: why it cannot connect.",
    )
    .found("replica-not-streaming"),
    line(
        r"requested starting point \S+ on timeline \d+ is not in this server's history|requested timeline \d+ (?:is not a child|does not contain)|highest timeline \d+ of the primary is behind recovery timeline",
        "This standby has written, or received, WAL that the primary never had.",
        "They parted: it was primary, or followed one, beyond the point at which the new leader took over.",
        "It needs a rewind (use_pg_rewind) or a new copy (reinit); what it has beyond that point is lost then.",
    )
    .found("diverged"),
    line(
        r"^started streaming WAL from primary",
        "The standby streams.",
        "It has found its primary.",
        "Nothing: that is what should be.",
    ),
    line(
        r"^archive command (?:failed|was terminated)|^archiving write-ahead log file \S+ failed too many times",
        "A WAL file could not be archived.",
        "archive_command failed: the archive is full or away, or its login is refused.",
        "WAL is kept until it succeeds: watch the disk. A clean stop waits for it too.",
    )
    .found("archive-failing"),
    line(
        r"No space left on device",
        "A disk is full.",
        "WAL that is kept for a slot or the archive, temporary files, logs, or data.",
        "Make room at once, but never in pg_wal by hand. The server stops writing, and may not start again without room.",
    )
    .found("leader-cannot-write"),
    line(
        r"^(?:sorry, too many clients already|remaining connection slots are reserved)",
        "All connections are taken.",
        "max_connections is reached: a pool without bounds, sessions that hang, or clients that came back all at once.",
        "Look who holds them; Patroni needs its own too.",
    ),
    line(
        r"^no pg_hba\.conf entry for|password authentication failed for user",
        "A login was refused.",
        "pg_hba.conf has no line for it, or the password is wrong.",
        "If the user is that of replication or rewind, standbys cannot follow: compare pg_hba.conf on all members.",
    ),
    line(
        r"^canceling statement due to conflict with recovery|^terminating connection due to conflict with recovery",
        "A query on a standby was ended so that replay can go on.",
        "It read what the primary has removed meanwhile, for longer than max_standby_streaming_delay.",
        "hot_standby_feedback or a longer delay helps the query, and costs room or lag.",
    ),
    line(
        r"^canceling wait for synchronous replication|^canceling the wait for synchronous replication",
        "A commit was not confirmed by a synchronous standby, and the client was told otherwise or nothing.",
        "It was cancelled while it waited. It is committed here, and may be lost if another takes over.",
        "Look why no synchronous standby answers.",
    )
    .found("commits-hang"),
    line(
        r"^invalid (?:record length|magic number|resource manager ID)|^record with incorrect prev-link",
        "The WAL that is there ends here.",
        "Mostly that is simply its end: a server that crashed, or a standby before it streams.",
        "Only if the server then refuses to start is it damage.",
    ),
    line(
        r"^checkpoints are occurring too frequently",
        "Checkpoints come by the amount of WAL, not by the clock.",
        "max_wal_size is small for what is written.",
        "It costs speed and makes lag; a failover is not in danger by it.",
    ),
    line(
        r"^database system is ready to accept (?:read-only )?connections",
        "The server is up.",
        "Its start, or its recovery, has ended.",
        "Nothing. As `read-only` it is a standby.",
    ),
    line(
        r"^recovery has paused|^pausing at the end of recovery|^recovery stopping",
        "The standby replays no more.",
        "pg_wal_replay_pause() was called, a target was reached, or a setting on the primary is higher than here.",
        "Resume the replay; for a setting, raise it here and restart.",
    )
    .found("replication-stalled"),
];
