#!/usr/bin/env python3
"""What the way through worker and gateway adds to the first byte of an answer.

  gateway.py [--build release] [--count N] [--rounds N]

The same program asks the scripted model directly, and from inside a sandbox through the session's own port: turn by turn,
over connections that are kept, as Claude Code keeps its own. The model thinks for 100 ms, which is little for one that is
far away: meanwhile the gateway has the request on disk, without which nobody gets an answer.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time

from bench import script
from installation import Installation, wait_until

PROBE = r"""
import http.client, json, os, sys, time
address, token, count = sys.argv[1].split("//")[1], sys.argv[2], int(sys.argv[3])
body = json.dumps({"model": "m", "stream": True, "max_tokens": 9, "messages": [{"role": "user", "content": "SLOW 0.1 SAY hi"}]})
headers = {"content-type": "application/json", "authorization": "Bearer " + token}
connection = http.client.HTTPConnection(address)
times = []
for _ in range(count):
    begin = time.perf_counter()
    connection.request("POST", "/v1/messages", body, headers)
    answer = connection.getresponse()
    answer.read(1)
    times.append(time.perf_counter() - begin)
    answer.read()
    if answer.status != 200:
        sys.exit("status %d" % answer.status)
times.sort()
print("P50=%.3f P99=%.3f" % (times[count // 2] * 1000, times[min(count - 1, int(count * 0.99))] * 1000), flush=True)
"""

START = f"""#!/bin/sh
stty -echo
cat >/tmp/probe.py <<'END'
{PROBE}
END
echo READY
while read -r count; do
    python3 /tmp/probe.py "$ANTHROPIC_BASE_URL" "$ANTHROPIC_AUTH_TOKEN" "$count" 2>&1
done
"""


def figures(text):
    return [(float(a), float(b)) for a, b in re.findall(r"P50=([0-9.]+) P99=([0-9.]+)", text)]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--build", default="release")
    options.add_argument("--count", type=int, default=200)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    command = script(START)
    try:
        with Installation(chosen.build, command) as box:
            session = box.create(size={"cols": 100, "rows": 50})

            def screen():
                return json.dumps(box.call("GET", f"/v1/sessions/{session}/screen?format=json"))

            wait_until(lambda: "READY" in screen())
            direct, through = [], []
            for round in range(chosen.rounds + 1):
                words = [sys.executable, "-c", PROBE, box.model_address, "none", str(chosen.count)]
                one = figures(subprocess.run(words, check=True, capture_output=True, text=True).stdout)[0]
                box.call("POST", f"/v1/sessions/{session}/input", {"text": str(chosen.count)})
                # Nobody asks the server for anything else meanwhile, as nobody does while the other way is measured.
                time.sleep(chosen.count * 0.11 + 1)
                wait_until(lambda: len(figures(screen())) > round)
                # The first round warms up.
                if round:
                    direct.append(one)
                    through.append(figures(screen())[round])
            print("first byte, ms      p50 (of each round)                          p99, worst")
            for name, found in (("direct", direct), ("through the gateway", through)):
                print(f"{name:20}{' '.join(f'{p50:7.3f}' for p50, _ in found)}   {max(p99 for _, p99 in found):8.3f}")
            middle = len(direct) // 2
            added = sorted(p50 for p50, _ in through)[middle] - sorted(p50 for p50, _ in direct)[middle]
            print(f"added at the median: {added:.3f} ms")
    finally:
        os.unlink(command)


if __name__ == "__main__":
    main()
