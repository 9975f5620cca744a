"""What the benches of the logs have in common: a running lab, numbered lines for its PostgreSQL logs, and what processes cost."""

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

BURST = 5000
PATIENCE = 180


def arguments(doc):
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    here = Path(__file__).resolve().parent.parent
    parser.add_argument("--name", default="lab")
    parser.add_argument("--state-dir", required=True, help="the folder that holds the lab's folder, as `pgbaton lab list` shows it")
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--pgbaton", default=str(here / "target/release/pgbaton"))
    parser.add_argument("--json", action="store_true")
    return parser


def logs_of(arguments):
    """The PostgreSQL logs of the lab's members by the members' names."""
    files = {path.parent.parent.name: path for path in sorted(Path(arguments.state_dir, arguments.name).glob("psg*/log/postgresql.log"))}
    return files or sys.exit(f"no member of a lab has a log below {arguments.state_dir}/{arguments.name}")


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
