#!/usr/bin/env python3
"""Logs in a flood: `pgbaton logs -f` beside `tail -F` over ssh, on the same files of a running lab.

    cargo build --release && target/release/pgbaton lab up --yes
    benches/logs.py [--name LAB] [--state-dir DIR] [--lines 200000] [--pgbaton FILE] [--json]

Numbered lines as PostgreSQL writes them are added to the PostgreSQL logs of all members, in bursts. Three readers in turn: `tail -F` over ssh, one
for each node; `pgbaton logs -f`; the same with `--json`. For each: lines that came, once and twice, the seconds from the first one written to the
last one read, lines a second, and what the reader's processes on this side cost (CPU of them all, the largest memory of one of them).
The same flood is written for each, so the seconds contain the time that writing takes, which is told beside. `logs_on_screen.py` does the same
with programs that have a screen: the console, `multitail` and `lnav`.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import flood
from flood import BURST, PATIENCE, cost, environment, logs_of, write

NUMBER = re.compile(rb"flood ([a-z0-9]+) (\d{7})")


def seen(outputs, tag):
    """How often each number of this tag has come, for each member apart where the reader tells."""
    count = 0
    for output in outputs:
        count += sum(1 for match in NUMBER.finditer(output.read_bytes()) if match[1] == tag.encode())
    return count


def measure(name, tag, commands, files, lines, env, folder):
    outputs = [Path(folder, f"{name.replace(' ', '-')}-{n}") for n in range(len(commands))]
    processes = [
        subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=output.open("wb")) for command, output in zip(commands, outputs)
    ]
    try:
        # Ready when what is written now comes.
        number, deadline = 0, time.monotonic() + PATIENCE
        while any(b"flood ready" not in output.read_bytes() for output in outputs) or seen(outputs, "ready") < len(files):
            write(files, "ready", [number])
            number += 1
            time.sleep(0.3)
            if time.monotonic() > deadline:
                sys.exit(f"{name} reads nothing")
        each = lines // len(files)
        before, _ = cost(p.pid for p in processes)
        begun = time.monotonic()
        for first in range(0, each, BURST):
            write(files, tag, range(first, min(first + BURST, each)))
        written = time.monotonic() - begun
        sizes, still = None, time.monotonic()
        while seen(outputs, tag) < each * len(files) and time.monotonic() - still < 20:
            now = [output.stat().st_size for output in outputs]
            if now != sizes:
                sizes, still = now, time.monotonic()
            time.sleep(0.05)
        took = time.monotonic() - begun
        cpu, memory = cost(p.pid for p in processes)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
    counts = {}
    for output in outputs:
        for match in NUMBER.finditer(output.read_bytes()):
            if match[1] == tag.encode():
                counts[match[2]] = counts.get(match[2], 0) + 1
    lost = sum(max(len(files) - counts.get(b"%07d" % n, 0), 0) for n in range(each))
    doubled = sum(max(count - len(files), 0) for count in counts.values())
    return {
        "reader": name,
        "lines": each * len(files),
        "lost": lost,
        "doubled": doubled,
        "seconds": round(took, 2),
        "written_in": round(written, 2),
        "lines_per_second": round(each * len(files) / took),
        "cpu_seconds": round(cpu - before, 2),
        "memory_mib": round(memory, 1),
    }


def main():
    given = flood.arguments(__doc__).parse_args()
    env = environment(given)
    logs = logs_of(given)
    ssh = ["ssh", "-F", env["PGBATON_LAB_SSH_CONFIG"]]
    ours = [given.pgbaton, "-c", env["PGBATON_CONFIG"], "logs", "-f", "--since", "-1s", "--program", "postgres", *logs]
    readers = [
        ("tail -F", [[*ssh, member, "tail", "-n", "0", "-F", str(file)] for member, file in logs.items()]),
        ("pgbaton logs", [ours]),
        ("pgbaton logs --json", [[*ours, "--json"]]),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, commands) in enumerate(readers):
            # A reader begins a second back, and may see the end of the flood before.
            row = measure(name, f"line{number}", commands, list(logs.values()), given.lines, env, folder)
            if given.json:
                print(json.dumps(row), flush=True)
            else:
                print(
                    f"{row['reader']:<20}{row['lines']:>8} lines, {row['lost']} lost, {row['doubled']} doubled, "
                    f"{row['seconds']:6.2f} s (written in {row['written_in']:.2f}), {row['lines_per_second']:>7} a second, "
                    f"CPU {row['cpu_seconds']:.2f} s, memory {row['memory_mib']:.1f} MiB",
                    flush=True,
                )


if __name__ == "__main__":
    main()
