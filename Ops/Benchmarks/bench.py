#!/usr/bin/env python3
"""The figures of `make bench`, medians and spread on this machine.

  bench.py [--build release] [--rounds N] [--keystrokes]

What counts are the ratios: each figure of ours stands beside the same thing done bare, in the same run, in turns.
"""

import argparse
import json
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import tempfile
import termios
import threading
import time
import fcntl

from installation import Installation, ROOT, memory, wait_until
from websocket import Terminal

PROMPT = b"for\x1b[1Cshortcuts"
PROMPTS = (b"for shortcuts", PROMPT, "❯".encode())


def spread(values, unit="ms"):
    ordered = sorted(values)
    high = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"median {statistics.median(ordered):.1f} {unit}, {ordered[0]:.1f} to {high:.1f} (p95), n={len(ordered)}"


def script(text):
    handle, path = tempfile.mkstemp(prefix="rkb-start-", dir="/tmp")
    os.write(handle, text.encode())
    os.close(handle)
    os.chmod(path, 0o755)
    return path


class BarePTY:
    """A program on a PTY with nothing in between."""

    def __init__(self, words, environment=None, cwd=None):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            if cwd:
                os.chdir(cwd)
            os.execve(words[0], words, environment or {"PATH": "/usr/bin:/bin"})
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))

    def read_until(self, *wanted):
        seen = b""
        while not any(text in seen for text in wanted):
            if not select.select([self.master], [], [], 60)[0]:
                raise SystemExit("timed out on a bare PTY")
            seen += os.read(self.master, 65536)
        return seen

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.close(self.master)
        os.waitpid(self.pid, 0)


def bare_claude(address):
    home = tempfile.mkdtemp(prefix="rkb-home-", dir="/tmp")
    os.makedirs(home + "/.claude")
    os.makedirs(home + "/workspace")
    with open(home + "/.claude.json", "w") as seed:
        json.dump({"hasCompletedOnboarding": True, "projects": {"/": {"hasTrustDialogAccepted": True}}}, seed)
    environment = {
        "HOME": home, "PATH": "/usr/bin:/bin", "TERM": "xterm-256color", "LANG": "C.UTF-8",
        "ANTHROPIC_BASE_URL": address, "ANTHROPIC_AUTH_TOKEN": "placeholder",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1", "DISABLE_INSTALLATION_CHECKS": "1",
    }
    begin = time.perf_counter()
    claude = BarePTY([ROOT + "/.deps/bin/claude", "--permission-mode", "default"], environment, home + "/workspace")
    claude.read_until(*PROMPTS)
    took = (time.perf_counter() - begin) * 1000
    claude.end()
    shutil.rmtree(home, ignore_errors=True)
    return took


def claude_in_a_session(installation):
    begin = time.perf_counter()
    session = installation.create()
    terminal = Terminal(installation.address, session)
    seen = b""
    while not any(text in seen for text in PROMPTS):
        opcode, data = terminal.frame()
        seen += data if opcode == 2 else b""
        if opcode == 1 and json.loads(data).get("type") == "snapshot":
            import base64
            seen += base64.b64decode(json.loads(data)["data"])
    took = (time.perf_counter() - begin) * 1000
    terminal.close()
    installation.delete(session)
    return took


def start_of_claude(build, rounds):
    with Installation(build) as installation:
        bare, ours = [], []
        for turn in range(rounds + 1):
            first, second = bare_claude(installation.model_address), claude_in_a_session(installation)
            if turn:  # the first turn warms the page cache
                bare.append(first)
                ours.append(second)
    print("Claude's prompt, bare:             ", spread(bare))
    print("Claude's prompt, create to screen: ", spread(ours))
    print(f"  ratio of the medians: {statistics.median(ours) / statistics.median(bare):.2f}")


def start_of_worker(build, rounds):
    command = script("#!/bin/sh\nexec cat\n")
    with Installation(build, command) as installation:
        times = []
        for turn in range(rounds * 3 + 1):
            begin = time.perf_counter()
            session = installation.create()
            if turn:
                times.append((time.perf_counter() - begin) * 1000)
            installation.delete(session)
        print("create to worker ready:            ", spread(times))

        took = [None] * 20
        def one(index):
            begin = time.perf_counter()
            installation.create()
            took[index] = (time.perf_counter() - begin) * 1000
        begin = time.perf_counter()
        threads = [threading.Thread(target=one, args=(index,)) for index in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(f"20 sessions at once, all running:   {(time.perf_counter() - begin) * 1000:.0f} ms; each {spread(took)}")

        time.sleep(1)
        for kind, pids in installation.processes().items():
            sizes = [memory(pid) for pid in pids]
            print(f"memory of {kind:<11} ({len(pids):2}):    RSS {statistics.median(s[0] for s in sizes):.1f} MiB, "
                  f"PSS {statistics.median(s[1] for s in sizes):.1f} MiB")
    os.unlink(command)


def echo_times(send, receive, count):
    times = []
    for turn in range(count + 100):
        begin = time.perf_counter()
        send(b"x")
        receive()
        if turn >= 100:
            times.append((time.perf_counter() - begin) * 1e6)
        if turn % 60 == 59:
            send(b"\n")
            receive()
            time.sleep(0.02)
    return times


def tail(values, unit="µs"):
    ordered = sorted(values)
    return (f"p50 {statistics.median(ordered):.1f} {unit}, p99 {ordered[int(len(ordered) * 0.99)]:.1f} {unit}, "
            f"least {ordered[0]:.1f}, n={len(ordered)}")


def keystrokes(build, count, rounds):
    """Bare, handed over and relayed, in turns."""
    command = script("#!/bin/sh\nstty -icanon min 1\nexec cat > /dev/null\n")
    with Installation(build, command) as installation:
        bare = BarePTY([command])
        terminals = {}
        for name in ("handed over", "relayed"):
            session = installation.create()
            if name == "relayed":
                installation.forget_hand_over(session)
            terminals[name] = Terminal(installation.address, session)
        time.sleep(0.5)

        def echo_of(terminal):
            while terminal.frame()[0] != 2:
                pass

        for terminal in terminals.values():
            while select.select([terminal.socket], [], [], 0.2)[0]:
                terminal.frame()
        times = {"bare PTY": [], **{name: [] for name in terminals}}
        for _ in range(rounds):
            times["bare PTY"] += echo_times(
                lambda d: os.write(bare.master, d), lambda: os.read(bare.master, 64), count // rounds)
            for name, terminal in terminals.items():
                times[name] += echo_times(terminal.type, lambda: echo_of(terminal), count // rounds)
        for name, values in times.items():
            print(f"keystroke to echo, {name + ':':<16}", tail(values))
        for name in terminals:
            ratio = statistics.median(times[name]) / statistics.median(times["bare PTY"])
            print(f"  {name} to bare, ratio of the medians: {ratio:.2f}")
        bare.end()
        for terminal in terminals.values():
            terminal.close()
    os.unlink(command)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default="release")
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--keystrokes", action="store_true", help="measure these alone")
    chosen = options.parse_args()
    print(f"{os.cpu_count()} cores, kernel {os.uname().release}, {chosen.build} build")
    if not chosen.keystrokes:
        start_of_worker(chosen.build, chosen.rounds)
        start_of_claude(chosen.build, chosen.rounds)
    keystrokes(chosen.build, 4000, 4)


if __name__ == "__main__":
    main()
