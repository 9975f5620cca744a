#!/usr/bin/env python3
"""How long a switchover takes writes away: pgbaton, pgbaton with --assist, and patronictl, in turn on one practice cluster.

    cargo build --release
    benches/switchover.py [--runs 20] [--only pgbaton] [--pgbaton FILE] [--json]

It starts a practice cluster of its own and ends it. The clock is the ledger's client, which writes a row about every 200 ms through one HAProxy
and takes account of what it was told: for each switchover the gap between the last write that was acknowledged and the next one. Rows that were
lost or doubled are counted in the end, against the table.

PostgreSQL's postmaster is an orphan, so whoever takes in orphans has to notice its end, or Patroni believes for longer that it runs. An init
does so at once; where process 1 is something else (a container's, a sandbox's), that can take seconds. So this script takes them in itself.
"""

import argparse
import contextlib
import ctypes
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SUBREAPER = 36
KINDS = ("pgbaton", "pgbaton --assist", "patronictl")


def take_in_orphans():
    """From now on orphans of our processes become ours, and their end is noticed within 10 ms."""
    if ctypes.CDLL(None, use_errno=True).prctl(SUBREAPER, 1, 0, 0, 0) != 0:
        sys.exit("prctl(PR_SET_CHILD_SUBREAPER) failed")

    def reap():
        while True:
            with STARTING:
                for pid in orphans():
                    with contextlib.suppress(ChildProcessError):  # it has been waited for meanwhile
                        os.waitpid(pid, os.WNOHANG)
            time.sleep(0.01)

    threading.Thread(target=reap, daemon=True).start()


OURS = set()
STARTING = threading.Lock()


def orphans():
    """Our children that ended, those left out that this script waits for itself."""
    me = os.getpid()
    for task in Path(f"/proc/{me}/task").iterdir():
        try:
            children = (task / "children").read_text().split()
        except OSError:
            continue
        for pid in map(int, children):
            try:
                ended = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
            except OSError:
                continue
            if ended and pid not in OURS:
                yield pid


def run(command, env=None, check=True):
    """A command that must succeed; its standard output."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        with STARTING:
            process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            OURS.add(process.pid)
        code = process.wait()
        # Its number can be given to another from now on.
        OURS.discard(process.pid)
        out.seek(0), err.seek(0)
        text = out.read()
        if check and code != 0:
            sys.exit(f"{' '.join(map(str, command))} ended with {code}:\n{text}{err.read()}")
        return text


class Lab:
    def __init__(self, pgbaton, folder, *options):
        self.name, self.folder = "bench", folder
        self.command = lambda *words: [pgbaton, "lab", *words, "--name", self.name, "--state-dir", folder]
        run(self.command("up", "--yes", *options))
        exports = run(self.command("env"))
        listed = run(["sh", "-c", exports + "\nenv -0"])
        self.env = dict(item.split("=", 1) for item in listed.split("\0") if "=" in item)
        self.env["XDG_STATE_HOME"] = folder
        self.patronictl = next(p for p in (Path(d, "patronictl") for d in self.env["PATH"].split(":")) if p.exists())
        # So that a checkpoint may be made before the switchover.
        run(["psql", "-XAtqc", "GRANT pg_checkpoint TO pgbaton", "-h", self.host(self.leader()), "-p", "5432", "-U", "postgres"], self.env)

    def host(self, member):
        rows = json.loads(run([self.patronictl, "list", "-f", "json"], self.env))
        return next(row["Host"] for row in rows if row["Member"] == member)

    def leader(self):
        return run(["etcdctl", "get", "--print-value-only", f"/service/{self.name}/leader"], self.env).strip()

    def ledger(self):
        lines = Path(self.folder, self.name, "ledger", "ledger.jsonl").read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def settle(self):
        """Until all members run and stream on one timeline, HAProxy is back to its checks, and ten writes in a row were acknowledged."""
        deadline, quiet = time.monotonic() + 120, 0
        while time.monotonic() < deadline:
            rows = json.loads(run([self.patronictl, "list", "-f", "json"], self.env))
            well = len(rows) == 3 and all(row["State"] in ("running", "streaming") for row in rows) and len({row["TL"] for row in rows}) == 1
            well = well and sum(row["State"] == "streaming" for row in rows) == 2 and all(entry["ok"] for entry in self.ledger()[-10:])
            quiet = quiet + 1 if well else 0
            if quiet >= 3:
                return
            time.sleep(0.7)
        sys.exit("the practice cluster does not settle")

    def down(self):
        run(self.command("down"), check=False)


def switchover(lab, pgbaton, kind):
    lab.settle()
    before, leader = len(lab.ledger()), lab.leader()
    if kind == "patronictl":
        command = [lab.patronictl, "switchover", lab.name, "--leader", leader, "--force"]
    else:
        command = [pgbaton, "-c", lab.env["PGBATON_CONFIG"], "switchover", "--yes", "--json", *kind.split()[1:]]
    text = run(command, lab.env)
    lab.settle()
    entries = lab.ledger()[before - 1 :]
    end = lambda entry: stamp(entry["at"]) + entry["ms"] / 1000
    good = [end(entry) for entry in entries if entry["ok"]]
    row = {"kind": kind, "from": leader, "to": lab.leader(), "gap": max(after - at for at, after in zip(good, good[1:]))}
    if kind != "patronictl":
        outcome = json.loads(text.splitlines()[-1])
        row |= {"outcome": outcome["outcome"], "probe": outcome["downtime_ms"], "notes": outcome["notes"], "phases": outcome["phases"]}
    return row


def stamp(text):
    """Seconds of a time in UTC, as the ledger writes it: `2026-11-24T03:12:44.123456789Z`."""
    whole, _, part = text.rstrip("Z").partition(".")
    return time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + float(f"0.{part or 0}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path(__file__).resolve().parent.parent
    parser.add_argument("--pgbaton", default=str(here / "target/release/pgbaton"))
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--only", choices=KINDS, help="this kind alone, so many times in a row")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    kinds = [arguments.only] if arguments.only else KINDS
    take_in_orphans()
    # Short: PostgreSQL's socket lies below it. Open: PostgreSQL has an account of its own.
    folder = tempfile.mkdtemp(prefix="pgb", dir="/var/tmp")
    os.chmod(folder, 0o755)
    lab = Lab(arguments.pgbaton, folder)
    try:
        rows = []
        for index in range(arguments.runs):
            # Each kind comes first as often as the others.
            for turn in range(len(kinds)):
                row = switchover(lab, arguments.pgbaton, kinds[(index + turn) % len(kinds)])
                rows.append(row)
                print(json.dumps(row) if arguments.json else f"{row['kind']:<18}{row['gap']:6.2f} s  {row['from']} to {row['to']}", flush=True)
        verdict = run(lab.command("ledger"))
    finally:
        lab.down()
        shutil.rmtree(folder, ignore_errors=True)
    print()
    print(f"{'':<18}{'median':>8}{'fastest':>9}{'slowest':>9}   {'by the probe on vm1: median, slowest':<38}{'runs':>5}")
    for kind in kinds:
        gaps = [row["gap"] for row in rows if row["kind"] == kind]
        probes = [row["probe"]["vm1"] / 1000 for row in rows if row["kind"] == kind and row.get("probe", {}).get("vm1") is not None]
        probe = f"{statistics.median(probes):.2f} s, {max(probes):.2f} s" if probes else ""
        print(f"{kind:<18}{statistics.median(gaps):6.2f} s{min(gaps):7.2f} s{max(gaps):7.2f} s   {probe:<38}{len(gaps):>5}")
    print()
    print("\n".join(line for line in verdict.splitlines() if not line.startswith("outage")))


if __name__ == "__main__":
    main()
