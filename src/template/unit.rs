//! How systemd keeps the programs up.

use super::comment;

/// One unit of a program.
#[derive(Debug)]
pub struct Unit<'a> {
    /// What it is.
    pub description: &'a str,
    /// Units it is started after, besides the network.
    pub after: &'a [&'a str],
    /// The account it runs as.
    pub user: &'a str,
    /// Lines before its start, each with a reason in a comment where it needs one.
    pub before: &'a [&'a str],
    /// The command.
    pub exec: &'a str,
    /// `Type=`.
    pub kind: &'a str,
    /// Seconds after which it is started again.
    pub restart: u32,
    /// Why it is started again.
    pub why: &'a str,
    /// More lines.
    pub more: &'a [&'a str],
}

impl Unit<'_> {
    /// The file.
    #[must_use]
    pub fn text(&self) -> String {
        let after: String = self.after.iter().map(|unit| format!(" {unit}")).collect();
        let mut out =
            format!("[Unit]\nDescription={}\nWants=network-online.target\nAfter=network-online.target{after}\n", self.description);
        out.push_str(&comment(
            "",
            "Tried for ever: by default systemd gives up after five failures in ten seconds, and then nobody starts it at night.",
        ));
        out.push_str(&format!("StartLimitIntervalSec=0\n\n[Service]\nType={}\nUser={}\n", self.kind, self.user));
        for line in self.before {
            out.push_str(&format!("{line}\n"));
        }
        out.push_str(&format!("ExecStart={}\n", self.exec));
        for line in self.more {
            out.push_str(&format!("{line}\n"));
        }
        out.push_str(&comment("", self.why));
        out.push_str(&format!("Restart=always\nRestartSec={}\n\n[Install]\nWantedBy=multi-user.target\n", self.restart));
        out
    }
}

/// etcd, which reads its options from `environment`.
#[must_use]
pub fn etcd(program: &str, environment: &str) -> String {
    Unit {
        description: "etcd, which keeps who leads",
        after: &[],
        user: "etcd",
        before: &[&format!("EnvironmentFile={environment}")],
        exec: program,
        // etcd says when it has found a majority; systemd does not wait for that, or the first of three members would time out.
        kind: "exec",
        restart: 2,
        why: "A member that is down costs the majority's margin.",
        more: &["LimitNOFILE=65536"],
    }
    .text()
}

/// Patroni, which reads `file`.
#[must_use]
pub fn patroni(program: &str, file: &str, watchdog: bool) -> String {
    let watchdog: &[&str] = if watchdog {
        &[
            "# The watchdog that patroni.yml asks for; software, where the machine has none. `-`: Patroni itself says if it is missing. `+`: as root.",
            "ExecStartPre=-+/sbin/modprobe softdog",
            "ExecStartPre=-+/bin/chown postgres /dev/watchdog",
        ]
    } else {
        &[]
    };
    Unit {
        description: "Patroni, which starts PostgreSQL and decides with the others who leads",
        after: &["etcd.service"],
        user: "postgres",
        before: watchdog,
        exec: &format!("{program} {file}"),
        kind: "simple",
        restart: 3,
        why: "Without Patroni its PostgreSQL goes on as before while the lease runs out, and another leads beside it. Back within the lease, Patroni \
              takes the running PostgreSQL over.",
        more: &[
            "ExecReload=/bin/kill -s HUP $MAINPID",
            "# Patroni ends PostgreSQL itself, in order; what systemd killed would have to recover.",
            "KillMode=process",
            "# A shutdown writes a checkpoint first, which can take a while.",
            "TimeoutStopSec=120",
        ],
    }
    .text()
}

/// HAProxy, which reads `file`.
#[must_use]
pub fn haproxy(program: &str, file: &str) -> String {
    Unit {
        description: "HAProxy, which leads clients to the leader",
        after: &[],
        user: "haproxy",
        before: &["# For the socket of statistics and orders.", "RuntimeDirectory=haproxy", &format!("ExecStartPre={program} -c -q -f {file}")],
        exec: &format!("{program} -Ws -f {file}"),
        kind: "notify",
        restart: 2,
        why: "All clients of this machine go through it.",
        more: &[
            "# A reload checks the file first. Servers count as up until their first check: for half a second, sessions may land on a replica.",
            &format!("ExecReload={program} -c -q -f {file}"),
            "ExecReload=/bin/kill -USR2 $MAINPID",
            "KillMode=mixed",
            "SuccessExitStatus=143",
            "LimitNOFILE=65536",
        ],
    }
    .text()
}

/// One of Airflow's programs, which reads `environment`.
#[must_use]
pub fn airflow(program: &str, words: &str, environment: &str) -> String {
    let name = words.split(' ').next_back().unwrap_or(words);
    Unit {
        description: &format!("Airflow's {name}"),
        after: &["haproxy.service"],
        user: "airflow",
        before: &[
            &format!("EnvironmentFile={environment}"),
            "# Its sessions in PostgreSQL have this name: pgbaton and pg_stat_activity tell whose they are.",
            &format!("Environment=PGAPPNAME=airflow-{name}"),
        ],
        exec: &format!("{program} {words}"),
        kind: "simple",
        restart: 5,
        why: "Scheduler, triggerer and dag-processor end when the database goes away; nobody else starts them again.",
        more: &[],
    }
    .text()
}
