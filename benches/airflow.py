#!/usr/bin/env python3
"""What a planned switchover does to the tasks of a real Airflow: patronictl alone, and pgbaton with freeze, drain and thaw, on one practice cluster.

    cargo build --release
    benches/airflow.py [--runs 10] [--airflow 2.10] [--tasks 3] [--only pgbaton] [--pgbaton FILE] [--json]

It starts a practice cluster of its own, with Airflow, and ends it. For each switchover so many tasks that may be retried, and as many that may
not, begin together; each writes START and END to a ledger that is not in the database, as what a task does elsewhere is not. patronictl hands over
when they are about to end, which is when a lost database hurts. pgbaton freezes the pools, waits for a quiet moment, hands over and thaws;
another task comes meanwhile, and has to run afterwards, once.

Counted by the ledger beside Airflow's own states, when every task has ended or the patience is over: run twice (a START after an END), failed
though finished, stuck. Airflow calls a silent task dead after 300 s, so that a switchover that harmed one takes as long.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from switchover import Lab, run, take_in_orphans

KINDS = ("patronictl", "pgbaton")
HARM = ("twice", "failed", "stuck")
# What `charge` and `charge_once` take (src/lab/conf/airflow.rs), and how long before their end patronictl is told: it takes about that long until
# the old leader takes no writes any more.
SECONDS, AHEAD = 20, 1.5
# Dead after 300 s, stuck in the queue after 600 s, and a retry after that.
PATIENCE = 15 * 60


class Estate(Lab):
    def __init__(self, pgbaton, folder, airflow):
        super().__init__(pgbaton, folder, "--with", f"airflow={airflow}")
        self.pgbaton = lambda *words: run([pgbaton, "-c", self.env["PGBATON_CONFIG"], *words], self.env)
        self.target = Path(folder, self.name, "target", "ledger")
        self.until("the DAGs", lambda: self.sql("SELECT count(*) FROM dag WHERE dag_id IN ('charge', 'charge_once', 'brief')") == "3", 300)

    def airflow(self, *words):
        return run([*self.command("airflow"), "--", *words])

    def sql(self, statement):
        host = ["-h", self.env["PGHOST"], "-p", self.env["PGPORT"], "-U", "postgres", "-d", "airflow"]
        return run(["psql", "-XAtq", *host, "-c", statement], self.env, check=False).strip()

    def until(self, what, holds, patience):
        deadline = time.monotonic() + patience
        while not holds():
            if time.monotonic() > deadline:
                sys.exit(f"{what} did not come within {patience} s")
            time.sleep(0.2)

    def did(self, word, batch):
        """The times of the lines with this word, by the task's run."""
        lines = [line.split(" ") for line in self.target.read_text().splitlines()] if self.target.exists() else []
        found = {}
        for at, what, _, _, run_id, *_ in lines:
            if what == word and run_id.startswith(batch):
                found.setdefault(run_id, []).append(float(at))
        return found

    def states(self, batch):
        rows = self.sql(f"SELECT run_id || ' ' || coalesce(state, 'none') FROM task_instance WHERE run_id LIKE '{batch}%'").splitlines()
        return dict(row.split(" ") for row in rows)


def begin(estate, batch, tasks):
    """Has the tasks begin together: they wait until their pool has slots."""
    estate.airflow("pools", "set", "default_pool", "0", "Default pool")
    for number in range(tasks):
        for dag in ("charge", "charge_once"):
            estate.airflow("dags", "trigger", dag, "--run-id", f"{batch}-{dag}-{number}")
    estate.until("tasks that wait", lambda: len(estate.states(batch)) == 2 * tasks, 120)
    estate.airflow("pools", "set", "default_pool", "128", "Default pool")
    estate.until("tasks that run", lambda: len(estate.did("START", batch)) == 2 * tasks, 120)
    return min(times[0] for times in estate.did("START", batch).values())


def switchover(estate, kind, batch, tasks):
    estate.settle()
    begun, leader, wanted = begin(estate, batch, tasks), estate.leader(), 2 * tasks
    if kind == "patronictl":
        time.sleep(max(0.0, begun + SECONDS - AHEAD - time.time()))
        run([estate.patronictl, "switchover", estate.name, "--leader", leader, "--force"], estate.env)
    else:
        estate.pgbaton("freeze", "--yes", "--reason", batch)
        estate.airflow("dags", "trigger", "brief", "--run-id", f"{batch}-brief")
        estate.pgbaton("switchover", "--yes", "--wait-quiet", "10min")
        estate.pgbaton("thaw", "--yes")
        wanted += 1
    estate.settle()
    deadline = time.monotonic() + PATIENCE
    # No task is between two tries either.
    ended = lambda: Counter(estate.states(batch).values())
    while sum(ended()[state] for state in ("success", "failed")) < wanted and time.monotonic() < deadline:
        time.sleep(2)
    states, starts, ends = estate.states(batch), estate.did("START", batch), estate.did("END", batch)
    return {
        "kind": kind,
        "from": leader,
        "to": estate.leader(),
        "tasks": wanted,
        "twice": sum(any(start > ends[name][0] for start in times) for name, times in starts.items() if name in ends),
        "failed": sum(state == "failed" and name in ends for name, state in states.items()),
        "stuck": wanted - sum(state in ("success", "failed") for state in states.values()),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path(__file__).resolve().parent.parent
    parser.add_argument("--pgbaton", default=str(here / "target/release/pgbaton"))
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--tasks", type=int, default=3, help="so many of each sort begin for a switchover")
    parser.add_argument("--airflow", default="2.10")
    parser.add_argument("--only", choices=KINDS, help="this kind alone")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    kinds = [arguments.only] if arguments.only else KINDS
    take_in_orphans()
    # Short: PostgreSQL's socket lies below it. Open: PostgreSQL has an account of its own.
    folder = tempfile.mkdtemp(prefix="pgb", dir="/var/tmp")
    os.chmod(folder, 0o755)
    estate, rows = Estate(arguments.pgbaton, folder, arguments.airflow), []
    try:
        for index in range(arguments.runs):
            for kind in kinds:
                row = switchover(estate, kind, f"bench-{index}-{kind}", arguments.tasks)
                rows.append(row)
                harm = ", ".join(f"{row[what]} {what}" for what in HARM)
                print(json.dumps(row) if arguments.json else f"{kind:<12}{row['from']} to {row['to']}: {row['tasks']} tasks, {harm}", flush=True)
    finally:
        estate.down()
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{'':<12}{'switchovers':>12}{'tasks':>7}{'run twice':>11}{'failed though finished':>24}{'stuck':>7}")
    for kind in kinds:
        of = [row for row in rows if row["kind"] == kind]
        total = {what: sum(row[what] for row in of) for what in ("tasks", *HARM)}
        print(f"{kind:<12}{len(of):>12}{total['tasks']:>7}{total['twice']:>11}{total['failed']:>24}{total['stuck']:>7}")


if __name__ == "__main__":
    main()
