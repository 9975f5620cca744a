#!/usr/bin/env python3
"""Logs in a flood: `pgbaton logs -f` beside `tail -F` over ssh, on the same files of a running lab.

    cargo build --release && target/release/pgbaton lab up --yes
    benches/logs.py [--name LAB] [--state-dir DIR] [--lines 200000] [--pgbaton FILE] [--json]

Numbered lines as PostgreSQL writes them are added to the PostgreSQL logs of all members, in bursts. Three readers in turn: `tail -F` over ssh, one
for each node; `pgbaton logs -f`; the same with `--json`. For each: lines that came, once and twice, the seconds from the first one written to the
last one read, lines a second, and what the reader's processes on this side cost (CPU of them all, the largest memory of one of them).
The same flood is written for each, so the seconds contain the time that writing takes, which is told beside.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NUMBER = re.compile(rb"flood ([a-z0-9]+) (\d{7})")
BURST = 5000
PATIENCE = 180


def lab(arguments, *words):
    return [arguments.pgbaton, "lab", *words, "--name", arguments.name, "--state-dir", arguments.state_dir]


def environment(arguments):
    exports = subprocess.run(lab(arguments, "env"), capture_output=True, text=True, check=True).stdout
    listed = subprocess.run(["sh", "-c", exports + "\nenv -0"], capture_output=True, text=True, check=True).stdout
    return dict(item.split("=", 1) for item in listed.split("\0") if "=" in item)


def tree(pids):
    """These processes and all below them."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, todo = [], list(pids)
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += parents.get(pid, [])
    return found


def cost(pids):
    """CPU seconds of all, and the largest memory of one, MiB."""
    tick, cpu, memory = os.sysconf("SC_CLK_TCK"), 0.0, 0.0
    for pid in tree(pids):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
        except OSError:
            continue
        cpu += (int(fields[11]) + int(fields[12])) / tick
        memory = max(memory, int(peak[1]) / 1024 if peak else 0)
    return cpu, memory


def write(files, tag, numbers):
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    milli = int(time.time() * 1000) % 1000
    for path in files:
        text = "".join(f"{stamp}.{milli:03d} UTC [4242] app@app/flood LOG:  flood {tag} {n:07d} duration: 0.042 ms\n" for n in numbers)
        with path.open("a") as file:
            file.write(text)


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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path(__file__).resolve().parent.parent
    parser.add_argument("--name", default="lab")
    parser.add_argument("--state-dir", default=None)
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--pgbaton", default=str(here / "target/release/pgbaton"))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.state_dir is None:
        sys.exit("--state-dir: the folder that holds the lab's folder, as `pgbaton lab list` shows it")
    env = environment(arguments)
    root = Path(arguments.state_dir, arguments.name)
    members = sorted(path.parent.parent.name for path in root.glob("psg*/log/postgresql.log"))
    files = [root / member / "log" / "postgresql.log" for member in members]
    ssh = ["ssh", "-F", env["PGBATON_LAB_SSH_CONFIG"]]
    ours = [arguments.pgbaton, "-c", env["PGBATON_CONFIG"], "logs", "-f", "--since", "-1s", "--program", "postgres", *members]
    readers = [
        ("tail -F", [[*ssh, member, "tail", "-n", "0", "-F", str(file)] for member, file in zip(members, files)]),
        ("pgbaton logs", [ours]),
        ("pgbaton logs --json", [[*ours, "--json"]]),
    ]
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, commands) in enumerate(readers):
            # A reader begins a second back, and may see the end of the flood before.
            row = measure(name, f"line{number}", commands, files, arguments.lines, env, folder)
            if arguments.json:
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
