#!/usr/bin/env python3
"""How fast pgbaton is on a running lab, and how little it costs, beside patronictl on the same cluster.

    cargo build --release && target/release/pgbaton lab up --yes
    benches/side_by_side.py [--name LAB] [--state-dir DIR] [--runs 20] [--pgbaton FILE] [--json]

Prints: `status` against `patronictl list`, alternating (medians, their ratio, CPU, memory); the console from the start of its process to its
first frame and to the whole picture; what an idle screen sends in a minute and what it costs in CPU, with the lab's writing client stopped.
"""

import argparse
import fcntl
import json
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

COLUMNS, ROWS = 120, 40
PATIENCE = 20.0
WHOLE = ("4 of 4 sources agree", "healthy", "both routes write to")


class Screen:
    """What a terminal shows of the few sequences that pgbaton writes: cursor to a place, cursor forward, clear, erase, looks, titles."""

    TOKEN = re.compile(r"\x1b\[([?0-9;:]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.|[^\x1b]", re.S)

    def __init__(self):
        self.rows = [[" "] * COLUMNS for _ in range(ROWS)]
        self.x = self.y = 0
        self.alternate = False
        self.rest = b""

    def feed(self, data):
        data = self.rest + data
        # A sequence or a character that is cut at the end of a chunk waits for the next one.
        cut = data.rfind(b"\x1b")
        cut = cut if cut >= 0 and not re.match(rb"\x1b\[[?0-9;:]*[A-Za-z]|\x1b\][^\x07\x1b]*\x07|\x1b[^\[\]]", data[cut:]) else len(data)
        while True:
            try:
                text = data[:cut].decode()
                break
            except UnicodeDecodeError as error:
                cut = error.start
        self.rest = data[cut:]
        for match in self.TOKEN.finditer(text):
            self.token(match)

    def token(self, match):
        arguments, final = match.group(1), match.group(2)
        if final is None:
            if not match.group(0).startswith("\x1b"):
                self.put(match.group(0))
        elif final == "H":
            row, _, column = arguments.partition(";")
            self.y, self.x = int(row or 1) - 1, int(column or 1) - 1
        elif final == "C":
            self.x += int(arguments or 1)
        elif final in "KX":
            until = COLUMNS if final == "K" else min(self.x + int(arguments or 1), COLUMNS)
            self.rows[self.y][self.x : until] = [" "] * (until - self.x)
        elif final == "J":
            self.rows = [[" "] * COLUMNS for _ in range(ROWS)]
        elif final in "hl" and arguments == "?1049":
            self.alternate = final == "h"

    def put(self, character):
        if character in "\r\n\a":
            self.x, self.y = (0 if character == "\r" else self.x), self.y + (character == "\n")
            return
        if 0 <= self.y < ROWS and 0 <= self.x < COLUMNS:
            self.rows[self.y][self.x] = character
        self.x += 1

    def text(self):
        return "\n".join("".join(row) for row in self.rows)


def timed(command, env):
    """Wall seconds and CPU seconds (user, system) of a command."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return wall, usage.ru_utime, usage.ru_stime


def memory(command, env):
    """The largest memory of a command in MiB, by GNU time; None without it. Our own child would be charged with what it was before its exec."""
    if not Path("/usr/bin/time").exists():
        return None
    with tempfile.NamedTemporaryFile("r") as told:
        subprocess.run(["/usr/bin/time", "-f", "%M", "-o", told.name, *command], env=env, check=True, stdout=subprocess.DEVNULL)
        return int(told.read()) / 1024


def side_by_side(ours, theirs, env, runs):
    for command in (ours, theirs):
        timed(command, env)
    samples = {"pgbaton status": [], "patronictl list": []}
    for _ in range(runs):
        samples["pgbaton status"].append(timed(ours, env))
        samples["patronictl list"].append(timed(theirs, env))
    result = {}
    for name, rows in samples.items():
        walls, users, systems = zip(*rows)
        result[name] = {
            "wall_ms": statistics.median(walls) * 1000,
            "fastest_ms": min(walls) * 1000,
            "slowest_ms": max(walls) * 1000,
            "user_ms": statistics.mean(users) * 1000,
            "system_ms": statistics.mean(systems) * 1000,
            "memory_mib": memory(ours if name == "pgbaton status" else theirs, env),
        }
    return result


class Console:
    """The console in a terminal of its own."""

    def __init__(self, command, env):
        self.begun = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            # The size must be there before the program asks for it.
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
            os.execvpe(command[0], command, {**env, "TERM": "xterm-256color", "LANG": "C.UTF-8"})
        self.screen = Screen()
        self.bytes = 0

    def read(self, deadline):
        """Reads what comes until the deadline; whether something came."""
        left = deadline - time.perf_counter()
        if left <= 0 or not select.select([self.fd], [], [], left)[0]:
            return False
        data = os.read(self.fd, 65536)
        self.bytes += len(data)
        self.screen.feed(data)
        return True

    def until(self, wanted):
        deadline = self.begun + PATIENCE
        while not wanted(self.screen):
            if not self.read(deadline):
                sys.exit(f"the console does not show it:\n{self.screen.text()}")
        return time.perf_counter() - self.begun

    def end(self):
        os.write(self.fd, b"q")
        while True:
            try:
                if not os.read(self.fd, 65536):
                    break
            except OSError:
                break
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def cpu(self):
        """Seconds of CPU of all its threads. To the nanosecond: the ticks of /proc/PID/stat are as long as an idle second's whole work."""
        total = 0
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                total += int((thread / "schedstat").read_text().split()[0])
            except OSError:
                continue
        return total / 1e9


def opening(command, env, runs):
    first, whole = [], []
    for _ in range(runs):
        console = Console(command, env)
        first.append(console.until(lambda s: s.alternate and "pgbaton" in s.text()))
        whole.append(console.until(lambda s: all(part in s.text() for part in WHOLE)))
        console.end()
    middle = lambda values: statistics.median(values) * 1000
    return {"first_frame_ms": middle(first), "first_frame_slowest_ms": max(first) * 1000, "whole_ms": middle(whole), "whole_slowest_ms": max(whole) * 1000}


def idle(command, env, seconds):
    """An open console while nothing is written to the cluster."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder, "trace")
        console = Console(command, {**env, "PGBATON_TRACE_BYTES": str(trace)})
        console.until(lambda s: all(part in s.text() for part in WHOLE))
        settle = time.perf_counter() + 5
        while console.read(settle):
            pass
        frames = lambda: len(trace.read_text().splitlines())
        begun, bytes_before, frames_before, each, last = time.perf_counter(), console.bytes, frames(), [], console.cpu()
        start = last
        for second in range(seconds):
            while console.read(begun + second + 1):
                pass
            now = console.cpu()
            each.append(now - last)
            last = now
        span = time.perf_counter() - begun
        result = {
            "seconds": span,
            "bytes_per_minute": (console.bytes - bytes_before) * 60 / span,
            "frames_per_minute": (frames() - frames_before) * 60 / span,
            "cpu_percent_median_second": statistics.median(each) * 100,
            "cpu_percent_mean": (last - start) / span * 100,
        }
        console.end()
        return result


def lab_env(pgbaton, lab):
    exports = subprocess.run([pgbaton, "lab", "env", *lab], check=True, capture_output=True, text=True).stdout
    listed = subprocess.run(["sh", "-c", exports + "\nenv -0"], check=True, capture_output=True, text=True).stdout
    return dict(item.split("=", 1) for item in listed.split("\0") if "=" in item)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--name", default="lab", help="the lab")
    parser.add_argument("--state-dir", help="where labs are kept")
    parser.add_argument("--pgbaton", default=str(Path(__file__).resolve().parent.parent / "target/release/pgbaton"))
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--idle", type=int, default=60, metavar="SECONDS")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    lab = ["--name", arguments.name] + (["--state-dir", arguments.state_dir] if arguments.state_dir else [])
    env = lab_env(arguments.pgbaton, lab)
    config = ["-c", env["PGBATON_CONFIG"]]
    patronictl = next((p for p in (Path(d, "patronictl") for d in env["PATH"].split(":")) if p.exists()), None)
    if patronictl is None:
        sys.exit("no patronictl in the lab's PATH")
    pgbaton = [arguments.pgbaton, *config]
    result = side_by_side([*pgbaton, "status"], [str(patronictl), "list"], env, arguments.runs)
    ours, theirs = result["pgbaton status"], result["patronictl list"]
    result["times_faster"] = theirs["wall_ms"] / ours["wall_ms"]
    result["console"] = opening(pgbaton, env, arguments.runs)
    ledger = [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and is_ledger(p, env["PGBATON_CONFIG"])]
    for pid in ledger:
        os.kill(pid, signal.SIGSTOP)
    try:
        result["idle"] = idle(pgbaton, env, arguments.idle)
    finally:
        for pid in ledger:
            os.kill(pid, signal.SIGCONT)
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    for name in ("pgbaton status", "patronictl list"):
        row = result[name]
        print(
            f"{name:<16} {row['wall_ms']:7.1f} ms median ({row['fastest_ms']:.1f} to {row['slowest_ms']:.1f}), "
            f"CPU {row['user_ms']:.1f} ms user {row['system_ms']:.1f} ms system, memory {'?' if row['memory_mib'] is None else format(row['memory_mib'], '.1f')} MiB"
        )
    console, still = result["console"], result["idle"]
    print(f"{'':<16} {result['times_faster']:.1f} times faster, {arguments.runs} runs of each in turn")
    print(f"console          first frame {console['first_frame_ms']:.1f} ms (slowest {console['first_frame_slowest_ms']:.1f}), whole picture {console['whole_ms']:.1f} ms (slowest {console['whole_slowest_ms']:.1f})")
    print(
        f"idle             {still['bytes_per_minute']:.0f} bytes and {still['frames_per_minute']:.0f} frames a minute, CPU {still['cpu_percent_median_second']:.1f} % "
        f"of a core in the median second, {still['cpu_percent_mean']:.2f} % in the mean of {still['seconds']:.0f} s"
    )


def is_ledger(process, config):
    """Whether a process is the writing client of the lab that this configuration belongs to."""
    try:
        argv = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    return "run-ledger" in argv and str(Path(config).parent) in argv


if __name__ == "__main__":
    main()
