#!/usr/bin/env python3
"""Uses the client library in Debian's Chromium, as a page of somebody's own would.

usage: client_test.py URL TOKEN_FILE

Needs a running server with the scripted model. Prints the ids of the sessions it made, one a line; exits 0 when all went
well. It is run by BrowserTests.swift and can be run by hand with .deps/venv/bin/python.
"""
import json
import pathlib
import sys

from playwright.sync_api import Error, sync_playwright

FLAGS = ["--no-sandbox"]

PRELUDE = """
const { ClaudeSocket, RookerySession } = await import('/client/index.js');
const until = async (what, condition, patience = 60000) => {
  const end = Date.now() + patience;
  for (;;) {
    const found = condition();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
"""

CLAUDE_SOCKET = """
const client = new ClaudeSocket(`ws://${location.host}`, { session: 'page', user: 'page' });
const seen = [];
client.on('message', (message) => seen.push(message));
client.connect();
await until('a connection', () => client.connected);
client.send('SAY from-the-page');
const reply = await until('the reply', () => seen.find(({ type, content }) => type === 'reply' && content.includes('from-the-page')));
client.fetchHistory(10);
const history = await until('the history', () => seen.find(({ type }) => type === 'history'));
client.send('BASH touch from-the-page');
const asked = await until('the permission', () => seen.find(({ type }) => type === 'permission_request'));
client.respondToPermission(asked.request_id, true);
await until('the second reply', () => seen.filter(({ type }) => type === 'reply').length > 1);
client.disconnect();
return { session: reply.session_id, history: history.messages.map(({ content }) => content) };
"""

OPEN_SESSION = """
globalThis.session = await RookerySession.create({ name: 'of the library' }, { reconnectDelay: 100, maxReconnectDelay: 500 });
globalThis.events = [];
session.on('event', (event) => events.push(event));
globalThis.terminal = session.terminal({ cols: 90, rows: 25 });
globalThis.shown = '';
const draw = (bytes) => { shown += new TextDecoder().decode(bytes); };
terminal.on('output', (bytes, done) => { draw(bytes); done(); });
terminal.on('snapshot', ({ bytes }, done) => { draw(bytes); done(); });
terminal.connect();
await until('the terminal', () => shown.includes('Claude Code'));
await session.send('SAY while-online');
await until('the answer', () => events.some(({ type, data }) => type === 'message.assistant' && data.text.includes('while-online')));
return session.id;
"""

SEND_OFFLINE = """
globalThis.sends = ['one', 'two', 'three'].map((word) => session.send(`SAY offline-${word}`));
await new Promise((resolve) => setTimeout(resolve, 1500));
return session.pending;
"""

CHECK = """
session.hurry();
const seqs = (await Promise.all(sends)).map(({ seq }) => seq);
const answer = (word) => events.some(({ type, data }) => type === 'message.assistant' && data.text.includes(`offline-${word}`));
await until('the last answer', () => answer('three'));
const inputs = events.filter(({ type, data }) => type === 'input.accepted' && data.text?.includes('offline')).map(({ data }) => data.text);
const numbers = events.map(({ seq }) => seq);
session.close();
return { seqs, inputs, ordered: numbers.every((seq, index) => index === 0 || seq > numbers[index - 1]) };
"""


def run(page, body):
    return page.evaluate("async () => {" + PRELUDE + body + "}")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip().splitlines()[2])
    url, token = sys.argv[1].rstrip("/"), pathlib.Path(sys.argv[2]).read_text().strip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        context = browser.new_context()
        page = context.new_page()
        try:
            page.goto(url)
            page.evaluate(
                "token => fetch('/v1/auth/login', {method: 'POST', headers: {'content-type': 'application/json'},"
                " body: JSON.stringify({token})})", token)
            told = run(page, CLAUDE_SOCKET)
            assert told["session"] == "page", told
            assert told["history"][0] == "SAY from-the-page", told
            session = run(page, OPEN_SESSION)
            context.set_offline(True)
            # Nothing can be imported now, and nothing need be.
            pending = page.evaluate("async () => {" + SEND_OFFLINE + "}")
            assert pending == 3, pending
            context.set_offline(False)
            found = run(page, CHECK)
            assert found["inputs"] == [f"SAY offline-{word}" for word in ("one", "two", "three")], found
            assert found["seqs"] == sorted(found["seqs"]), found
            assert found["ordered"], found
            made = page.evaluate("fetch('/v1/sessions').then((answer) => answer.json())")
            print("\n".join(item["id"] for item in made["items"]))
            assert session in json.dumps(made)
        except (AssertionError, Error) as failure:
            sys.exit(f"{failure}")
        finally:
            browser.close()


if __name__ == "__main__":
    main()
