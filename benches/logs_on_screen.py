#!/usr/bin/env python3
"""Logs in a flood, on a screen: the console beside `tail -F`, `multitail` and `lnav`, on the same files of a running lab.

    cargo build --release && target/release/pgbaton lab up --yes
    benches/logs_on_screen.py --state-dir DIR [--name LAB] [--lines 200000] [--rate 20000] [--pgbaton FILE] [--json]

Each runs in a terminal of its own, of 40 rows and 120 columns, whose output is read as fast as it comes. The console, `tail -F` (one for each node,
into one terminal) and `multitail` (over the same) read over ssh; `lnav` opens the files themselves, as over ssh it would put a program of its own on
the nodes. Numbered lines are added to the PostgreSQL logs of all members, in bursts of at most 5,000 for each, so many a second on the whole.

While they are written a key is pressed four times a second that opens something, and the time until that is on the screen is taken; `tail` has no
keys. Then the seconds until the last line of every file is on the screen, the CPU of all processes on this side, the largest memory of one of them.
What the console kept is counted in what it saves, and told beside what it says it has let go. A program that is not installed is left out, and says so.
"""

import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import statistics
import struct
import sys
import tempfile
import termios
import threading
import time
from collections import Counter
from pathlib import Path

import flood
from flood import BURST, PATIENCE, cost, environment, logs_of, write

ROWS, COLUMNS = 40, 120
LATE = 5
LAST = 9_999_999
ESCAPES = re.compile(rb"\x1b\[[0-9;?<>=]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]")


SIZE = struct.pack("HHHH", ROWS, COLUMNS, 0, 0)


class Screen:
    """A program in a terminal."""

    def __init__(self, command, env, folder):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            # Here, before it begins: multitail gives up in a terminal that has no size yet.
            fcntl.ioctl(0, termios.TIOCSWINSZ, SIZE)
            os.chdir(folder)
            os.execvpe(command[0], command, {**env, "TERM": "xterm-256color", "LANG": "C.UTF-8", "HOME": folder})
        self.columns = COLUMNS
        self.seen = bytearray()

    def resize(self, columns):
        self.columns = columns
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))

    def redraw(self):
        """Has everything drawn anew, which a program does when its terminal has another width."""
        self.seen = bytearray()
        self.resize(COLUMNS - 1 if self.columns == COLUMNS else COLUMNS)

    def read(self, seconds):
        """Takes what comes first within this time."""
        if select.select([self.terminal], [], [], seconds)[0]:
            try:
                self.seen += os.read(self.terminal, 65536)
            except OSError:
                # The program has ended, and its terminal with it.
                time.sleep(min(seconds, 0.05))

    def rest(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.read(left)

    def press(self, keys):
        self.seen = bytearray()
        if keys:
            os.write(self.terminal, keys)

    def until(self, text, limit):
        """The seconds until a text is there; `None`: it did not come."""
        begun = time.monotonic()
        while text not in ESCAPES.sub(b"", self.seen):
            left = limit - (time.monotonic() - begun)
            if left <= 0:
                return None
            self.read(left)
        return time.monotonic() - begun

    def end(self):
        os.kill(self.pid, signal.SIGTERM)
        end = time.monotonic() + LATE
        while os.waitpid(self.pid, os.WNOHANG)[0] == 0:
            self.read(0.1) if time.monotonic() < end else os.kill(self.pid, signal.SIGKILL)
        os.close(self.terminal)


def pour(files, tag, each, rate, done):
    step = max(min(BURST, rate // 2 // len(files)), 1)
    begun = time.monotonic()
    for first in range(0, each, step):
        write(files, tag, range(first, min(first + step, each)))
        time.sleep(max(begun + (first + step) * len(files) / rate - time.monotonic(), 0))
    # By its time the last of all, in whatever order they are shown.
    write(files, tag, [LAST])
    done.set()


def kept(screen, tag, each, members, folder):
    """What the console has of the flood: lines in what it saves, how many of them wrongly, and its own words for how many it has let go."""
    screen.redraw()
    screen.rest(1)
    told = re.search(rb"([0-9]+) older lines let go", ESCAPES.sub(b"", screen.seen))
    screen.press(f"&\"flood {tag}\"\r".encode())
    screen.rest(1)
    # It asks where, and proposes a file in this folder.
    screen.press(b"S")
    if screen.until(b"save to", 5) is None:
        sys.exit("the console does not ask where to save")
    screen.rest(1)
    screen.press(b"\r")
    if screen.until(b"saved to", 30) is None:
        sys.exit("the console saves nothing")
    saved = next(Path(folder).glob("pgbaton-*.log")).read_text()
    numbers = Counter(re.findall(rf"(psg\d+) postgres \S+ flood {tag} (\d{{7}})", saved))
    wrong = sum(count - 1 for count in numbers.values())
    for member in members:
        mine = sorted(int(number) for name, number in numbers if name == member and int(number) != LAST)
        # From the oldest that is kept to the last one that was written none is missing.
        wrong += each - mine[0] - len(mine) if mine else each
    return {"kept": sum(count for (_, number), count in numbers.items() if int(number) != LAST), "wrong": wrong, "let_go": int(told[1]) if told else 0}


def measure(reader, tag, logs, given, env):
    with tempfile.TemporaryDirectory() as folder:
        screen = Screen(reader["command"], env, folder)
        try:
            if reader["there"] and screen.until(reader["there"], 60) is None:
                sys.exit(f"{reader['name']} does not begin: {screen.seen[-500:]!r}")
            screen.press(reader["begin"])
            screen.rest(8)
            before, _ = cost([screen.pid])
            each = given.lines // len(logs)
            done = threading.Event()
            begun = time.monotonic()
            threading.Thread(target=pour, args=(list(logs.values()), tag, each, given.rate, done)).start()
            keys = []
            while not done.is_set():
                if reader["opens"]:
                    screen.press(reader["opens"])
                    took = screen.until(reader["opened"], LATE)
                    keys.append(LATE if took is None else took)
                    screen.press(reader["closes"])
                screen.rest(0.25)
            written = time.monotonic() - begun
            last, seen = str(LAST).encode(), False
            while not seen and time.monotonic() - begun < PATIENCE:
                if reader["opens"]:
                    screen.redraw()
                screen.rest(0.3)
                text = ESCAPES.sub(b"", screen.seen) if reader["opens"] else screen.seen
                seen = text.count(last) >= len(logs)
            took = time.monotonic() - begun
            cpu, memory = cost([screen.pid])
            ours = kept(screen, tag, each, logs, folder) if reader["name"] == "pgbaton" and seen else {}
        finally:
            screen.end()
    ms = lambda seconds: round(seconds * 1000, 1)
    return {
        "reader": reader["name"],
        "lines": each * len(logs),
        "written_in": round(written, 2),
        "seconds": round(took, 2) if seen else None,
        "keys": len(keys),
        "key_median_ms": ms(statistics.median(keys)) if keys else None,
        "key_slowest_ms": ms(max(keys)) if keys else None,
        "cpu_seconds": round(cpu - before, 2),
        "memory_mib": round(memory, 1),
        **ours,
    }


def main():
    parser = flood.arguments(__doc__)
    parser.add_argument("--rate", type=int, default=20_000, help="lines a second of all files")
    parser.add_argument("--only", action="append", metavar="PROGRAM", help="of these programs; can be given several times")
    given = parser.parse_args()
    env = environment(given)
    logs = logs_of(given)
    tails = [f"ssh -F {env['PGBATON_LAB_SSH_CONFIG']} {member} tail -n 0 -F {file}" for member, file in logs.items()]
    merged = [word for option, tail in zip(["-l", *["-L"] * len(tails)], tails) for word in (option, tail)]
    plain = {"there": b"", "begin": b"", "opens": b"", "opened": b"", "closes": b""}
    readers = [
        {"name": "pgbaton", "command": [given.pgbaton, "-c", env["PGBATON_CONFIG"]], "there": b"sources agree", "begin": b"8",
         "opens": b":", "opened": b"Commands", "closes": b"\x1b"},
        {**plain, "name": "tail -F", "command": ["sh", "-c", " & ".join(tails) + " & wait"]},
        {"name": "multitail", "command": ["multitail", *merged], "there": b"F1", "begin": b"",
         "opens": b"\x1bOP", "opened": b"elp", "closes": b"\x07"},
        {"name": "lnav", "command": ["lnav", *map(str, logs.values())], "there": b"LOG", "begin": b"G",
         "opens": b":", "opened": b"Enter an lnav command", "closes": b"\x1d"},
    ]
    for number, reader in enumerate(readers):
        if given.only and reader["name"] not in given.only:
            continue
        if not shutil.which(reader["command"][0]):
            print(f"{reader['name']} is left out: it is not installed", file=sys.stderr)
            continue
        load = os.getloadavg()[0]
        row = {**measure(reader, f"screen{number}", logs, given, env), "load_before": round(load, 2)}
        if given.json:
            print(json.dumps(row), flush=True)
            continue
        there = "not within the time" if row["seconds"] is None else f"{row['seconds']:.2f} s"
        keys = f"{row['keys']} keys, {row['key_median_ms']} ms (slowest {row['key_slowest_ms']})" if row["keys"] else "no keys"
        ours = f"; {row['kept']} lines kept, {row['wrong']} missing or doubled, {row['let_go']} let go" if "kept" in row else ""
        print(
            f"{row['reader']:<10}{row['lines']:>8} lines written in {row['written_in']:.2f} s, the last on the screen after {there}; {keys}; "
            f"CPU {row['cpu_seconds']:.2f} s, memory {row['memory_mib']:.1f} MiB; load before {row['load_before']}{ours}",
            flush=True,
        )


if __name__ == "__main__":
    main()
