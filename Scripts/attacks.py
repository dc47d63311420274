#!/usr/bin/env python3
"""Runs Tests/Attacks in Rookery's sandbox and in bubblewrap's, and prints who held against what.

    Scripts/attacks.py [--all]      --all shows every probe, not only those that did not hold everywhere

Needs the built programs in .build/debug and, for its column, bwrap. As root the root columns run as root and the others
as nobody; an ordinary user gets the rootless columns alone. Exits with 1 when Rookery let one through.
"""

import os
import re
import subprocess
import sys

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DIRECTORY = os.path.join(PACKAGE, ".build", "debug")
NOBODY = "65534"
POLICIES = ("default", "strict")
BWRAP = (
    "bwrap --unshare-all --die-with-parent --new-session --cap-drop ALL --clearenv --ro-bind /usr /usr"
    " --symlink usr/bin /bin --symlink usr/sbin /sbin --symlink usr/lib /lib --symlink usr/lib64 /lib64"
    " --proc /proc --dev /dev --tmpfs /tmp --tmpfs /run --dir /run/user/1000 --hostname sandbox"
    " --bind @workspace /workspace --chdir /workspace -- @inside"
).split()


def launcher(policy, *more):
    return [f"{DIRECTORY}/rookery-launcher", "run", "--policies", f"{PACKAGE}/Policies", "--policy", policy, *more]


def attacked(policy):
    return launcher(policy, "--workspace", "@workspace", "--", "@inside")


def columns():
    """Title, options of the outside half, and command."""
    user = [f"user={NOBODY}"] if os.geteuid() == 0 else []
    if os.geteuid() == 0:
        for policy in POLICIES:
            explained = subprocess.run(launcher(policy, "--explain", "--", "true"), capture_output=True, text=True)
            bounded = "yes" if re.search(r"limit memory: asked (\S+), enforced \1 ", explained.stdout) else "no"
            yield f"{policy}, root", ["mode=root", f"bounded={bounded}"], attacked(policy)
    for policy in POLICIES:
        yield f"{policy}, rootless", user + ["mode=rootless"], attacked(policy)
    if subprocess.run(["bwrap", "--version"], capture_output=True).returncode == 0:
        yield "bwrap", user, BWRAP


def run(options, command):
    """The verdicts by (family, probe), and what was found."""
    result = subprocess.run(
        [f"{DIRECTORY}/attacks", "outside", *options, *command], capture_output=True, text=True, errors="replace")
    verdicts = {}
    for line in result.stdout.splitlines():
        fields = line.split("\t")
        if len(fields) == 5 and not line.startswith("#"):
            verdicts[fields[0], fields[1]] = (fields[3], fields[4])
    if not verdicts:
        sys.exit(f"no probe ran: {' '.join(command)}\n{result.stderr}")
    return verdicts


def main():
    titles, results = [], []
    for title, options, command in columns():
        print(f"… {title}", file=sys.stderr)
        titles.append(title)
        results.append(run(options, command))
    probes = list(dict.fromkeys(probe for result in results for probe in result))
    width = max(len(name) for _, name in probes)
    print(f"{'family':<13} {'probe':<{width}} " + " ".join(f"{title:>18}" for title in titles))
    for family, name in probes:
        row = [result.get((family, name), ("absent", ""))[0] for result in results]
        if "--all" in sys.argv[1:] or set(row) != {"held"}:
            print(f"{family:<13} {name:<{width}} " + " ".join(f"{verdict:>18}" for verdict in row))
    for verdict in ("held", "BREACH", "known", "absent"):
        counts = [sum(found[0] == verdict for found in result.values()) for result in results]
        print(f"{'':<13} {verdict:<{width}} " + " ".join(f"{count:>18}" for count in counts))
    ours = [result for title, result in zip(titles, results) if title != "bwrap"]
    sys.exit(any(found[0] == "BREACH" for result in ours for found in result.values()))


main()
