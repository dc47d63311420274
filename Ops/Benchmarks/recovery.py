#!/usr/bin/env python3
"""What an installation with many sessions weighs, and how soon it is back when a part of it is killed.

  recovery.py [--build release] [--sessions 50] [--rounds 5]

Sessions run `cat` in the real sandbox: what is measured is ours.
"""

import argparse
import base64
import json
import os
import statistics
import threading
import time

from bench import BarePTY, script, spread
from installation import Installation, memory, wait_until
from websocket import Terminal

# A line that says "flood" is answered by that many bytes in lines, "drip" by a quarter of it in one line.
FLOOD = 64 << 20
START = f"""#!/bin/sh
stty -icanon min 1
while read -r word; do
    [ "$word" = flood ] && yes "a line of output that nobody asked for" | head -c {FLOOD} && printf done
    [ "$word" = drip ] && head -c {FLOOD // 4} /dev/zero | tr '\\0' x && printf done
    [ "$word" = spill ] && exec yes "a line of output that nobody asked for"
done
"""


def processes_weigh(installation, title):
    print(f"memory, {title}:")
    for kind, pids in installation.processes().items():
        sizes = [memory(pid) for pid in pids]
        print(f"  {kind:<11} ({len(pids):2}): RSS {statistics.median(s[0] for s in sizes):.1f} MiB, "
              f"PSS {statistics.median(s[1] for s in sizes):.1f} MiB, all of them {sum(s[1] for s in sizes):.0f} MiB")


class Typist(threading.Thread):
    """Types a key after the echo of the one before, and remembers when each echo came."""

    def __init__(self, terminal):
        super().__init__(daemon=True)
        self.terminal, self.over, self.echoes = terminal, False, []

    def run(self):
        while not self.over:
            self.terminal.type(b"x")
            while self.terminal.frame()[0] != 2:
                pass
            self.echoes.append(time.perf_counter())
            time.sleep(0.002)

    def longest_gap(self, begin, end):
        seen = [moment for moment in self.echoes if begin - 0.1 <= moment <= end + 0.1]
        return max(later - earlier for earlier, later in zip(seen, seen[1:])) * 1000


def running(installation):
    listed = installation.call("GET", "/v1/sessions?limit=200")["items"]
    return sum(session["lifecycle"] == "running" for session in listed)


def supervisor_killed(installation, session, count, rounds):
    back, whole, gaps = [], [], []
    for _ in range(rounds):
        typist = Typist(Terminal(installation.address, session))
        typist.start()
        time.sleep(0.5)
        begin = time.perf_counter()
        installation.kill_supervisor()
        back.append((time.perf_counter() - begin) * 1000)
        wait_until(lambda: running(installation) == count)
        end = time.perf_counter()
        whole.append((end - begin) * 1000)
        time.sleep(0.3)
        typist.over = True
        typist.join(5)
        gaps.append(typist.longest_gap(begin, end))
        typist.terminal.close()
    print(f"supervisor killed with {count} sessions, to the API's first answer: {spread(back)}")
    print(f"  to all sessions adopted and running:  {spread(whole)}")
    print(f"  longest pause between two echoes of a handed-over client meanwhile: {spread(gaps)}")


def worker_killed(installation, sessions):
    noticed, again = [], []
    # Each its own: one that is killed too often in a row is left down.
    for session in sessions:
        incarnation = installation.call("GET", f"/v1/sessions/{session}")["incarnation"]
        pid = installation.worker(session)
        begin = time.perf_counter()
        os.kill(pid, 9)
        first = None
        while True:
            now = installation.call("GET", f"/v1/sessions/{session}")
            if first is None and (now["lifecycle"], now["incarnation"]) != ("running", incarnation):
                first = time.perf_counter()
            if now["lifecycle"] == "running" and now["incarnation"] > incarnation:
                break
        noticed.append((first - begin) * 1000)
        again.append((time.perf_counter() - begin) * 1000)
    print(f"worker killed, to the API saying so: {spread(noticed)}")
    print(f"  to the session running again:      {spread(again)}")


def until_done(read):
    """Only the end is looked at: whoever keeps all of it measures itself."""
    end = b""
    while b"done" not in end:
        end = end[-8:] + read()


def flood(installation, session, rounds):
    """Output through a PTY alone, and through a session: sandbox, screen, journal and one client."""
    command = script(START)
    bare, ours = BarePTY([command]), Terminal(installation.address, session)

    def shown():
        opcode, data = ours.frame()
        if opcode == 1:
            message = json.loads(data)
            return base64.b64decode(message["data"]) if message.get("type") == "snapshot" else b""
        return data

    time.sleep(0.3)
    for word, size in (("flood", FLOOD), ("drip", FLOOD // 4)):
        rates = {"bare": [], "session": []}
        for _ in range(rounds):
            begin = time.perf_counter()
            os.write(bare.master, f"{word}\n".encode())
            until_done(lambda: os.read(bare.master, 1 << 18))
            rates["bare"].append(size / (1 << 20) / (time.perf_counter() - begin))
            begin = time.perf_counter()
            ours.type(f"{word}\n".encode())
            until_done(shown)
            rates["session"].append(size / (1 << 20) / (time.perf_counter() - begin))
        for name, values in rates.items():
            print(f"{word} of {size >> 20} MiB, {name + ':':<9}", spread(values, "MiB/s"))
    bare.end()
    ours.close()
    os.unlink(command)


def stalled(installation, session):
    pid = installation.worker(session)
    client = Terminal(installation.address, session)
    before = memory(pid)
    client.type(b"spill\n")
    time.sleep(10)
    after = memory(pid)
    print(f"worker beside a client that reads nothing, PSS before and after 10 s of flood: "
          f"{before[1]:.1f} and {after[1]:.1f} MiB")
    client.close()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default="release")
    options.add_argument("--sessions", type=int, default=50)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    command = script(START)
    with Installation(chosen.build, command, ["--max-memory", "1TiB"]) as installation:
        sessions = [installation.create() for _ in range(chosen.sessions)]
        time.sleep(2)
        processes_weigh(installation, f"{chosen.sessions} sessions")
        supervisor_killed(installation, sessions[0], chosen.sessions, chosen.rounds)
        worker_killed(installation, sessions[4:4 + chosen.rounds])
        flood(installation, sessions[2], chosen.rounds)
        stalled(installation, sessions[3])
    os.unlink(command)


if __name__ == "__main__":
    main()
