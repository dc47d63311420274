#!/usr/bin/env python3
"""From `POST /v1/sessions` to the model's first answer, with a spare and without, in turns.

  spares.py [--build release] [--rounds N]

Both policies are the same but for the spare. A round with a spare begins when one is ready, and when the processor has
been left alone for a moment: what is measured is the session's start, not the making of the next spare.
"""

import argparse
import json
import os
import shutil
import tempfile
import time
import urllib.request

from bench import spread
from installation import Installation, memory, wait_until


def first_answer(installation, policy):
    """Milliseconds until the session is there, and until it has answered its first prompt; and whether from a spare."""
    before = installation.call("GET", "/v1/spares")["claimed"]
    begin = time.perf_counter()
    session = installation.create(kind="structured", policy=policy, prompt="SAY hello")
    created = time.perf_counter()
    request = urllib.request.Request(f"{installation.address}/v1/sessions/{session}/events?since=0")
    with urllib.request.urlopen(request, timeout=60) as events:
        for line in events:
            if line.startswith(b"data:") and json.loads(line[5:])["type"] == "message.assistant":
                break
    answered = time.perf_counter()
    warm = installation.call("GET", "/v1/spares")["claimed"] > before
    installation.delete(session)
    return (created - begin) * 1000, (answered - begin) * 1000, warm


def ready(installation):
    return sum(pool["ready"] for pool in installation.call("GET", "/v1/spares")["pools"])


def cost(installation):
    """PSS in MiB of all that one spare is."""
    total = 0
    for name in os.listdir("/proc"):
        try:
            command = open(f"/proc/{name}/cmdline").read() if name.isdigit() else ""
            sandbox = "--await-claim" in command
            if sandbox or os.path.basename(command.split("\0")[0]) == "rookery-worker":
                total += memory(name)[1]
        except OSError:
            pass
    return total


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default="release")
    options.add_argument("--rounds", type=int, default=20)
    chosen = options.parse_args()
    policies = tempfile.mkdtemp(prefix="rkb-policies-", dir="/tmp")
    os.chmod(policies, 0o755)
    for name, count in (("cold", 0), ("warm", 1)):
        with open(f"{policies}/{name}.yaml", "w") as file:
            file.write(f"spares: {{count: {count}}}\n")
    print(f"{os.cpu_count()} cores, kernel {os.uname().release}, {chosen.build} build")
    try:
        with Installation(chosen.build, arguments=["--policies", policies]) as installation:
            first_answer(installation, "warm")
            times = {"cold": ([], []), "warm": ([], [])}
            for round in range(chosen.rounds):
                for policy in ("cold", "warm") if round % 2 else ("warm", "cold"):
                    wait_until(lambda: ready(installation) == 1, limit=300)
                    time.sleep(0.5)
                    created, answered, warm = first_answer(installation, policy)
                    if warm != (policy == "warm"):
                        print(f"a {policy} round was not, and does not count: {installation.call('GET', '/v1/spares')}")
                        continue
                    times[policy][0].append(created)
                    times[policy][1].append(answered)
            wait_until(lambda: ready(installation) == 1, limit=300)
            time.sleep(1)
            for policy, (created, answered) in times.items():
                print(f"{policy}: created after {spread(created)}")
                print(f"{policy}: first answer after {spread(answered)}")
            print(f"one spare at rest: {cost(installation):.0f} MiB PSS")
    finally:
        shutil.rmtree(policies, ignore_errors=True)


if __name__ == "__main__":
    main()
