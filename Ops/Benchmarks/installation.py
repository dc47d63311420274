"""An installation of its own for one benchmark run: scripted model, supervisor, temporary directories."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Installation:
    """Started by `with`; everything it started has ended and every directory is gone when the block is left."""

    def __init__(self, build, start_command=None, arguments=()):
        self.build = os.path.join(ROOT, ".build", build)
        self.start_command = start_command
        self.arguments = list(arguments)

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="rkb-", dir="/tmp")
        os.chmod(self.directory, 0o755)
        self.model, self.model_address = self._start(
            ["scripted-model", "--bind", "127.0.0.1:0"], "scripted-model listening on ")
        serve = ["rookery", "serve", "--bind", "127.0.0.1:0", "--auth", "none",
                 "--state-dir", self.directory + "/state", "--runtime-dir", self.directory + "/run",
                 "--model-upstream", self.model_address, "--max-sessions", "200", *self.arguments]
        if self.start_command:
            serve += ["--claude-command", self.start_command]
        self.supervisor, self.address = self._start(serve, "rookery listening on ")
        self.serve = [*serve[:2], "--bind", self.address.removeprefix("http://"), *serve[4:]]
        return self

    def __exit__(self, *_):
        for session in self.call("GET", "/v1/sessions?limit=200")["items"]:
            self.call("DELETE", "/v1/sessions/" + session["id"])
        for process in (self.supervisor, self.model):
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _start(self, words, banner):
        log = open(os.path.join(self.directory, words[0] + ".log"), "w")
        process = subprocess.Popen([os.path.join(self.build, words[0]), *words[1:]], stdout=subprocess.PIPE,
                                   stderr=log, stdin=subprocess.DEVNULL, text=True)
        line = process.stdout.readline()
        if not line.startswith(banner):
            raise SystemExit(f"{words[0]} did not start: see {log.name}: {open(log.name).read()[-2000:]}")
        return process, line[len(banner):].strip()

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data=data, method=method,
                                         headers={"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def create(self, **body):
        return self.call("POST", "/v1/sessions", body)["id"]

    def delete(self, session):
        self.call("DELETE", "/v1/sessions/" + session)

    def kill_supervisor(self):
        """Kills it with -9 and starts the next at the same address; returns when that one answers."""
        self.supervisor.kill()
        self.supervisor.wait()
        self.supervisor, _ = self._start(self.serve, "rookery listening on ")
        self.call("GET", "/v1/sessions?limit=1")

    def worker(self, session):
        """The pid of a session's worker."""
        for pid in self.processes()["worker"]:
            if session in open(f"/proc/{pid}/cmdline").read().split("\0"):
                return pid
        raise SystemExit(f"no worker of {session}")

    def forget_hand_over(self, session):
        """Has the session's worker take no sockets: its clients are relayed."""
        os.unlink(f"{self.directory}/run/w/{session}/handover.sock")

    def processes(self):
        """pid by kind: supervisor, launcher, workers. A worker is known by its session's id, its one argument."""
        sessions = {session["id"] for session in self.call("GET", "/v1/sessions?limit=200")["items"]}
        found = {"supervisor": [], "launcher": [], "worker": []}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                command = open(f"/proc/{name}/cmdline").read()
            except OSError:
                continue
            if self.directory not in command and not sessions.intersection(command.split("\0")):
                continue
            program = os.path.basename(command.split("\0")[0])
            kind = {"rookery": "supervisor", "rookery-launcher": "launcher", "rookery-worker": "worker"}.get(program)
            if kind:
                found[kind].append(int(name))
        return found


def memory(pid):
    """(RSS, PSS) of a process in MiB."""
    values = {}
    for line in open(f"/proc/{pid}/smaps_rollup"):
        parts = line.split()
        if parts[0] in ("Rss:", "Pss:"):
            values[parts[0]] = int(parts[1]) / 1024
    return values["Rss:"], values["Pss:"]


def wait_until(condition, limit=60.0):
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit("timed out")
        time.sleep(0.005)
