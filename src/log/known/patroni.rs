//! Patroni's.

use super::{Known, line};

pub(super) const LINES: &[Known] = &[
    line(
        r"^promoted self to leader",
        "This member took the leader key and promotes its PostgreSQL.",
        "The key was free, because the leader gave it up or its lease ran out, and this member won the race for it.",
        "See in its PostgreSQL's log that a new timeline was selected, and on the others that they follow it.",
    ),
    line(
        r"^cleared rewind state after becoming the leader",
        "The promotion has ended: PostgreSQL is primary, and what was remembered for a rewind is not needed any more.",
        "It is the last step of a takeover.",
        "Look whether the replicas stream from here.",
    ),
    line(
        r"^(?:manual failover|switchover): (?:demoting myself|demote in progress)|^Demoting self \(graceful\)",
        "The leader stops its PostgreSQL cleanly, to hand over.",
        "A switchover or a manual failover was asked for.",
        "Nobody can write until another says that it promoted itself; its lines follow within seconds.",
    ),
    line(
        r"^Leader key released",
        "The leader has given the leader key back; it did not run out.",
        "It steps down: a switchover, an orderly stop, or PostgreSQL that cannot be kept up.",
        "Another member should take it within a second or two.",
    ),
    line(
        r"^Demoting self \(offline\)|demoted self because DCS is not accessible and I was a leader|^demoting self because DCS is not accessible",
        "The leader stops taking writes, because it cannot reach etcd.",
        "Without etcd it cannot renew its lease, and another may have been chosen on the other side of a partition.",
        "Look at etcd's lines on all nodes of the same seconds: no majority, or this node's network. failsafe_mode would let it go on as long as all members answer.",
    )
    .found("no-leader"),
    line(
        r"^demoted self because failed to update leader lock in DCS|^failed to update leader lock",
        "The leader could not renew its lease in time, and steps down.",
        "etcd answered too slowly or not at all, or the lease belongs to somebody else by now.",
        "Look for slow disks and elections in etcd's lines of the seconds before.",
    )
    .found("etcd-slow"),
    line(
        r"continue to run as a leader because failsafe mode is enabled",
        "etcd cannot be reached, and the leader goes on, as all members have agreed by their REST API.",
        "failsafe_mode is on, and every member that is known was reached.",
        "Bring etcd back. Until then no failover is possible, and one member that stops answering ends the writes.",
    )
    .found("failsafe-active"),
    line(
        r"^DCS is not accessible|^Error communicating with DCS",
        "Patroni cannot read or write etcd.",
        "etcd is down, has no majority, or the way to it is broken.",
        "Look at etcd's lines and at the quorum; a leader in this state steps down when its lease runs out.",
    )
    .found("quorum-lost"),
    line(
        r"^Our lease disappeared from Etcd",
        "etcd has thrown the member's lease away.",
        "It was not renewed within ttl: Patroni or its host stood still, or etcd did.",
        "Look for a pause in the lines of this node before it: swapping, a stopped machine, a slow disk.",
    ),
    line(
        r"^Loop time exceeded, rescheduling immediately",
        "One turn of Patroni's loop took longer than loop_wait.",
        "It waited for PostgreSQL, for etcd, or for the processor.",
        "Once is nothing. If it goes on, the lease is in danger: look what it waited for in the lines before.",
    ),
    line(
        r"^My timeline \S+ is behind last known cluster timeline",
        "This member does not run for the lead, as it has not followed the last change of leader.",
        "What it has of WAL ends on a timeline that was left; it may lack what was written since.",
        "Look why it does not follow the leader: a slot or WAL that is gone, or a rewind that failed.",
    )
    .found("timeline-behind"),
    line(
        r"^My wal position exceeds maximum replication lag|exceeds maximum replication lag",
        "This member does not run for the lead, as it is too far behind.",
        "It lacks more than maximum_lag_on_failover bytes of what the leader had written when it was last heard.",
        "Look why it is behind; if nobody else is left, only a manual failover accepts the loss.",
    )
    .found("lag-high"),
    line(
        r"^Wal position of \S+ is ahead of my wal position",
        "This member leaves the lead to another that has more.",
        "In the race the one with the most WAL wins.",
        "Look at the lines of the member that is named: it should promote itself.",
    ),
    line(
        r"^Primary \(\S+\) is still alive",
        "This member does not run for the lead: the old leader still answers.",
        "The leader's lease is gone, but its REST API says that it is primary.",
        "Look why the leader cannot renew its lease: its way to etcd, not its PostgreSQL, is in trouble.",
    )
    .found("leader-disagreement"),
    line(
        r"^not healthy enough for leader race",
        "This member does not run for the lead.",
        "It is behind, on an older timeline, tagged nofailover, or not running.",
        "The lines just before it name the reason.",
    ),
    line(
        r"^[Dd]emoting self because I do not have the lock and I was a leader|^Demoting self \(immediate-nolock\)",
        "The old leader finds that it leads no more, and stops taking writes at once.",
        "Its lease ran out while it could not renew it, and another may lead by now.",
        "What it wrote since then is not on the new leader: compare the timelines, and expect a rewind.",
    )
    .found("sessions-on-old-leader"),
    line(
        r"^following new leader after trying and failing to obtain lock|^Could not take out TTL lock",
        "Another was faster in taking the leader key.",
        "Several members may lead; the first one gets the key.",
        "Nothing: it follows the new leader now.",
    ),
    line(
        r"^following a different leader because i am not the healthiest node",
        "Another member is left the lead.",
        "Its PostgreSQL has more, or this one may not lead.",
        "Wait for the other's promotion; if nobody promotes itself, read the same lines on all of them.",
    )
    .found("no-candidate"),
    line(
        r"watchdog could not be activated|^Watchdog device is not usable",
        "This member may not lead: its watchdog cannot be used.",
        "watchdog.mode is required, and the device is missing, taken, or not to be written to.",
        "Look at /dev/watchdog: whether the module is loaded, and whether Patroni's user may write to it.",
    )
    .found("watchdog-off"),
    line(
        r"^running pg_rewind from",
        "The old leader's data is made to fit the new leader's.",
        "It has written WAL that the new leader never had; that is thrown away.",
        "Wait for its exit code. What was thrown away was confirmed to clients only if replication is asynchronous.",
    ),
    line(
        r"^pg_rewind exit code=[1-9]|^Failed to rewind from healthy primary",
        "pg_rewind has failed.",
        "WAL that it needs is gone, the target was not shut down cleanly, or the login is refused.",
        "Read its stderr in the lines that follow. Where nothing else helps, the member has to be copied anew (reinit).",
    )
    .found("diverged"),
    line(
        r"^Can not use \S+ for rewind|^Leader is still in_recovery and therefore can't be used for rewind",
        "The rewind has to wait: the leader is no primary yet, or does not answer.",
        "Its promotion has not ended.",
        "It tries again in each turn; if it lasts, look at the leader's PostgreSQL.",
    ),
    line(
        r"^Error communicating with PostgreSQL\. Will try again later",
        "Patroni cannot ask its PostgreSQL.",
        "It is starting, stopping, out of connections, frozen, or gone.",
        "Read PostgreSQL's lines of the same seconds on this node.",
    )
    .found("member-down"),
    line(
        r"^Sending SIGKILL to Postmaster|^Timeout during postmaster stop",
        "PostgreSQL did not stop in time and is killed.",
        "A checkpoint at the end takes too long, or a process hangs in the kernel: a disk that does not answer.",
        "Expect a crash recovery on its next start; look at the host's disks.",
    ),
    line(
        r"^stopped PostgreSQL to fail over after a crash|^Primary crashed\. Failing over",
        "The leader's PostgreSQL has crashed, and the lead is given away rather than starting it again.",
        "primary_start_timeout is 0, or a start takes too long.",
        "Look in PostgreSQL's lines before for the signal or the panic that ended it.",
    ),
    line(
        r"^starting as a secondary|^starting as readonly because i had the session lock",
        "PostgreSQL is started as a standby.",
        "It was down, and another leads, or who leads is yet to be decided.",
        "See in its PostgreSQL's lines that it streams.",
    ),
    line(
        r"^bootstrapped from leader|^replica has been created using|^trying to bootstrap from leader",
        "The member's data is copied anew.",
        "Its data directory was empty, was removed by a reinit, or could not be used.",
        "Nothing to do; until it streams, it is no candidate.",
    ),
    line(
        r"^watchprefix failed|^Request to server \S+ failed|^Failed to get list of machines",
        "A connection to one etcd member broke off.",
        "That member restarted, or the network did. Patroni goes on with another.",
        "Once is nothing. If it goes on with each of them, look at the quorum.",
    ),
    line(
        r"^Failed to create physical replication slot|^Physical slot \S+ does not exist on the primary",
        "A replication slot is missing.",
        "max_replication_slots is used up, or the slot was dropped by hand.",
        "The standby that needs it cannot stream: see its PostgreSQL's lines.",
    )
    .found("replica-not-streaming"),
    line(
        r"^No standbys available!|^Updating synchronous privilege temporarily|^Inconsistent state of /sync key",
        "There is no standby that could be synchronous.",
        "None streams, or each is tagged nosync.",
        "In strict mode commits wait from here on; look why no standby streams.",
    )
    .found("sync-missing"),
    line(
        r"^system ID has changed while in paused mode|released leader key voluntarily due to the system ID mismatch",
        "The data directory belongs to another cluster.",
        "Somebody made or copied a new one while Patroni was paused.",
        "Do not resume before it is clear which data is the right one.",
    ),
    line(
        r"^no action\. I am \(\S+\), the leader with the lock",
        "All is well: this member leads.",
        "Patroni says it in each turn, every loop_wait seconds.",
        "Nothing. When it stops, look at what comes in its place.",
    ),
    line(
        r"no action\. I am \(",
        "All is well: this member has nothing to do.",
        "Patroni says it in each turn, every loop_wait seconds.",
        "Nothing. When it stops, look at what comes in its place.",
    ),
];
