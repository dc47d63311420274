#!/usr/bin/env python3
"""What a session's keystrokes cost while its neighbour misbehaves.

  neighbours.py [--build release] [--count N] [--rounds N] [--only BOMB…]

One session is quiet; another runs a bomb within the limits of its policy. The quiet one's time from keystroke to echo,
through the WebSocket, is measured before each bomb and while it goes off; all rounds of a bomb together give its figures.
"""

import argparse
import os
import select
import shutil
import tempfile
import time

from bench import script
from installation import Installation
from websocket import Terminal

START = r"""#!/bin/sh
stty -icanon min 1
cd /workspace
case $ROLE in
fork) bomb() { bomb | bomb & }; while :; do bomb; sleep 1; done 2>/dev/null ;;
memory) while :; do head -c 4G /dev/zero | tail >/dev/null; done 2>/dev/null ;;
disk) while :; do dd if=/dev/zero of=filler bs=1M count=400; rm -f filler; done 2>/dev/null ;;
flood) exec yes "a line of output that nobody asked for" ;;
cpu) for i in 1 2 3 4 5 6 7; do while :; do :; done & done; while :; do :; done ;;
esac
exec cat >/dev/null
"""

POLICY = """
limits: {memory: 512MiB, temporary: 64MiB, pids: 128, disk: 256MiB}
"""

BOMBS = ("fork", "memory", "disk", "flood", "cpu")


def echoes(terminal, count):
    """Times in milliseconds; a keystroke every ten, as nobody types faster."""
    while select.select([terminal.socket], [], [], 0.2)[0]:
        terminal.frame()
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        terminal.type(b"x")
        while terminal.frame()[0] != 2:
            pass
        times.append((time.perf_counter() - begin) * 1000)
        time.sleep(0.01)
    return times


def percentile(times, part):
    return times[min(len(times) - 1, int(len(times) * part))]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default="release")
    options.add_argument("--count", type=int, default=500)
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--only", nargs="+", choices=BOMBS, default=BOMBS)
    chosen = options.parse_args()
    command = script(START)
    policies = tempfile.mkdtemp(prefix="rkb-policies-", dir="/tmp")
    os.chmod(policies, 0o755)
    with open(policies + "/default.yaml", "w") as file:
        file.write(POLICY)
    print(f"{os.cpu_count()} cores, kernel {os.uname().release}, {chosen.build} build; keystroke to echo, "
          f"n={chosen.count * chosen.rounds} each")
    with Installation(chosen.build, command, ["--policies", policies]) as installation:
        quiet = installation.create(env={"ROLE": "quiet"})
        terminal = Terminal(installation.address, quiet)
        # A client is on another machine: what this one waits for a processor is not the session's doing. After the
        # servers are started, which would inherit it.
        if os.geteuid() == 0:
            os.setpriority(os.PRIO_PROCESS, 0, -15)
        echoes(terminal, 50)
        for bomb in chosen.only:
            before, during = [], []
            for _ in range(chosen.rounds):
                before += echoes(terminal, chosen.count)
                loud = installation.create(env={"ROLE": bomb})
                time.sleep(2)
                during += echoes(terminal, chosen.count)
                installation.delete(loud)
                time.sleep(1)
            before.sort()
            during.sort()
            p99 = percentile(before, 0.99), percentile(during, 0.99)
            print(f"  {bomb:<7} quiet p50 {percentile(before, 0.5):6.2f} ms, p99 {p99[0]:6.2f} ms; "
                  f"beside it p50 {percentile(during, 0.5):6.2f} ms, p99 {p99[1]:6.2f} ms: "
                  f"p99 ratio {p99[1] / p99[0]:.2f}")
        terminal.close()
    os.unlink(command)
    shutil.rmtree(policies)


if __name__ == "__main__":
    main()
