"""Stands for a Claude Code that takes channel notifications: the real one takes none unless Anthropic has switched them on.

It speaks as much of stream-json and MCP as a worker looks at. CHANNEL says what it does with a notification: `take` it, `drop`
it, `hold` it in its queue for ever, or `die`: it kills the worker and then stores what it was told. What it was given is in
$HOME/given, a line each, and the messages of the event stream in $HOME/heard.
"""

import http.client
import json
import os
import queue
import signal
import sys
import threading
import time

HOME = os.environ["HOME"]
PORT = int(os.environ["PORT"])
MODE = os.environ.get("CHANNEL", "take")
TRANSCRIPT = ".claude/projects/p/t.jsonl"

work = queue.Queue()
output = threading.Lock()


def note(name, line):
    with open(f"{HOME}/{name}", "a") as file:
        file.write(line + "\n")


def say(message):
    with output:
        print(json.dumps(message), flush=True)


def record(message):
    os.makedirs(os.path.dirname(f"{HOME}/{TRANSCRIPT}"), exist_ok=True)
    with open(f"{HOME}/{TRANSCRIPT}", "a") as file:
        file.write(json.dumps(message) + "\n")


def post(message):
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    connection.request("POST", "/mcp", json.dumps(message), {"content-type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def as_shown(parameters):
    meta = "".join(f' {key}="{value}"' for key, value in parameters["meta"].items())
    return f'<channel source="claude-socket"{meta}>\n{parameters["content"]}\n</channel>'


def notified(parameters):
    shown = as_shown(parameters)
    if MODE == "die":
        os.kill(int(os.environ["WORKER"]), signal.SIGKILL)
        note("given", "channel " + parameters["content"])
        record({"type": "user", "isMeta": True, "message": {"role": "user", "content": shown}})
    elif MODE in ("hold", "take"):
        record({"type": "queue-operation", "operation": "enqueue", "content": shown})
        if MODE == "take":
            work.put((None, parameters["content"], shown))


def listen():
    status, welcome = post({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}})
    assert status == 200 and "claude/channel" in json.loads(welcome)["result"]["capabilities"]["experimental"]
    post({"jsonrpc": "2.0", "method": "notifications/initialized"})
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    connection.request("GET", "/mcp", headers={"accept": "text/event-stream"})
    stream = connection.getresponse()
    assert stream.status == 200, stream.status
    for line in stream:
        if not line.startswith(b"data: "):
            continue
        message = json.loads(line[6:])
        note("heard", json.dumps(message))
        if message["method"] == "notifications/claude/channel":
            notified(message["params"])
        elif message["method"] == "ping":
            post({"jsonrpc": "2.0", "id": message["id"], "result": {}})


def read():
    for line in sys.stdin:
        message = json.loads(line)
        if message["type"] == "user":
            say({"type": "command_lifecycle", "command_uuid": message["uuid"], "state": "queued"})
            work.put((message["uuid"], message["message"]["content"], None))
        elif message["type"] == "control_request":
            say({
                "type": "control_response",
                "response": {"subtype": "success", "request_id": message["request_id"], "response": {}},
            })
    os._exit(0)


def state(name):
    say({"type": "system", "subtype": "session_state_changed", "state": name})


def turn(identity, text, shown):
    note("given", ("stdin " if identity else "channel ") + str(text))
    if identity:
        say({"type": "command_lifecycle", "command_uuid": identity, "state": "started"})
    line = {"type": "user", "uuid": identity or "own", "message": {"role": "user", "content": shown or text}}
    if shown:
        line["isMeta"] = True
    record(line)
    say({"type": "system", "subtype": "init", "model": "m"})
    if identity:
        say({"type": "user", "message": line["message"], "uuid": identity, "isReplay": True})
    if text.startswith("WAIT "):
        while not os.path.exists(f"{HOME}/go"):
            time.sleep(0.02)
    say({"type": "assistant", "message": {"id": "m", "role": "assistant", "content": [{"type": "text", "text": "did " + text}]}})
    say({"type": "result", "subtype": "success", "is_error": False, "result": "did " + text})
    if identity:
        say({"type": "command_lifecycle", "command_uuid": identity, "state": "completed"})


print("/home/agent/" + TRANSCRIPT, flush=True)
threading.Thread(target=read, daemon=True).start()
threading.Thread(target=listen, daemon=True).start()
while True:
    entry = work.get()
    state("running")
    turn(*entry)
    while not work.empty():
        turn(*work.get())
    state("idle")
