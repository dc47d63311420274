#!/usr/bin/env python3
"""Uses the page of structured sessions as a person would, in Debian's Chromium, and fails loudly where it does not behave.

usage: conversation_test.py URL TOKEN_FILE PICTURES_DIRECTORY

Needs a running server with the scripted model. Prints the id of the session it made; exits 0 when all went well. Run by
BrowserTests.swift; can be run by hand with .deps/venv/bin/python.
"""
import base64
import json
import pathlib
import sys

from person import DESK, PHONE, Failure, Person, browser, complaints, has_not_complained

HOSTILE = "<img src=x onerror=\"document.title='owned'\"> <script>document.title='owned'</script> [x](javascript:alert(1)) &lt;b&gt;"
RED_DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg==")


class Talker(Person):
    """Somebody who talks to a structured session."""

    def screen(self):
        return self.page.evaluate("document.querySelector('#conversation')?.innerText ?? ''")

    def says(self, text):
        self.page.fill(".composer textarea", text)
        self.page.press(".composer textarea", "Enter")

    def is_idle(self):
        self.shows("#activity", "idle")

    def count(self, selector, text=None):
        found = self.page.locator(selector)
        return (found.filter(has_text=text) if text else found).count()

    def has(self, selector, text=None, number=1):
        what = f"{number} × {selector}" + (f" with {text!r}" if text else "")
        self.until(what, lambda: self.count(selector, text) == number)

    def clicks(self, selector, text):
        self.page.locator(selector).filter(has_text=text).last.click()

    def fits(self):
        overflow = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if overflow > 0:
            raise Failure(f"{self.name}: the page is {overflow} px too wide")


def makes_a_session(desk, url, token):
    """The inbox makes nothing; the dialog asks for the kind."""
    desk.page.goto(f"{url}/?inbox")
    desk.page.wait_for_selector("#token", state="visible")
    desk.logs_in(token)
    desk.shows("#inbox", "Nothing waits for your answer")
    desk.page.click("#new")
    desk.page.check("#new-session [value=structured]")
    desk.page.fill("#new-session [name=name]", "of the page")
    desk.page.fill("#new-session [name=prompt]", "SAY first-words")
    desk.picture("1-new")
    desk.page.click("#new-session [value=create]")
    desk.page.wait_for_selector("#conversation", state="visible")
    desk.has(".timeline .text", "first-words")
    desk.is_idle()


def asks_and_is_answered(desk):
    """What the session says is text, whatever it looks like, and Markdown where it is that."""
    desk.says(f"SAY {HOSTILE}")
    desk.has(".timeline .text", "onerror=")
    desk.is_idle()
    bad = desk.page.evaluate("document.querySelectorAll('#conversation li :is(img, script, iframe, a[href^=javascript])').length")
    if bad or desk.page.title() == "owned":
        raise Failure("a session's text became part of the page")
    desk.says("SAY **bold** and `code`")
    desk.has(".timeline .text strong", "bold")
    desk.has(".timeline .text code", "code")
    desk.says("THINK about it")
    desk.has(".timeline .thinking")
    desk.has(".timeline .turn", "$", number=4)
    desk.is_idle()
    desk.picture("2-answers")


def watches_and_interrupts(desk):
    """An answer is seen while it is written; what waits is seen, and taken back; the turn is ended."""
    desk.says("DRIP 100 0.3")
    desk.has(".text.streaming", "drip2")
    desk.shows("#activity", "working")
    desk.says("SAY never")
    desk.has(".tail .prompt[data-state=queued]", "SAY never")
    desk.says("SAY later")
    desk.has(".tail .prompt[data-state=queued]", number=2)
    desk.picture("3-queued")
    desk.page.locator(".tail .prompt").filter(has_text="SAY never").locator("button").click()
    desk.has(".tail .prompt[data-state=queued]", "SAY later")
    desk.has(".tail .prompt", "SAY never", number=0)
    if desk.page.input_value(".composer textarea") != "SAY never":
        raise Failure("the words that were taken back are gone")
    desk.page.fill(".composer textarea", "")
    desk.page.press(".composer textarea", "Escape")
    desk.has(".turn[data-outcome=interrupted]")
    desk.has(".timeline .text", "later")
    desk.is_idle()


def answers_permissions(desk):
    """A card shows all of it, with what is hidden made visible; the answer and whose it was stay."""
    desk.says("BASH touch made-from-the-page")
    desk.has("#conversation .card:not(.resolved) pre", "touch made-from-the-page")
    desk.shows("#activity", "pending")
    desk.shows("#inbox-toggle .count", "1")
    desk.picture("4-permission")
    desk.page.locator("#conversation .card:not(.resolved) .actions button").filter(has_text="Allow").first.click()
    desk.has("#conversation .card.resolved[data-resolution=allowed]", "allowed by")
    desk.has(".tool[data-state=done]")
    desk.is_idle()
    desk.says(r'TOOL WebFetch {"url":"http://example.test/","prompt":"look \u202eexe.txt\u200b\u0007"}')
    desk.has("#conversation .card:not(.resolved) pre", r"look \u{202e}exe.txt\u{200b}\u{7}")
    desk.clicks("#conversation .card button", "Deny…")
    desk.page.keyboard.type("not this one")
    desk.page.keyboard.press("Enter")
    desk.has("#conversation .card.resolved[data-resolution=denied]", "not this one")
    desk.is_idle()


def answers_questions_and_plans(desk):
    question = {"questions": [
        {"question": "Which colour?", "header": "Colour", "multiSelect": False,
         "options": [{"label": "Red", "description": "as fire"}, {"label": "Blue", "description": "as the sea"}]},
        {"question": "Which sizes?", "header": "Size", "multiSelect": True,
         "options": [{"label": "Small", "description": "S"}, {"label": "Large", "description": "L"}]}]}
    desk.says(f"TOOL AskUserQuestion {json.dumps(question)}")
    desk.has("#conversation .card fieldset", number=2)
    desk.picture("5-question")
    desk.clicks("#conversation .card button", "Answer")
    desk.has("#conversation .card .error", "Each question needs an answer")
    desk.clicks("#conversation .card label", "Blue")
    desk.clicks("#conversation .card label", "Small")
    desk.clicks("#conversation .card label", "Large")
    desk.clicks("#conversation .card button", "Answer")
    desk.has("#conversation .card.resolved", "answered by")
    desk.is_idle()
    desk.page.locator(".tool").filter(has_text="AskUserQuestion").locator("summary").click()
    desk.has(".tool pre", "Small, Large")
    desk.page.select_option(".composer [name=mode]", "plan")
    desk.until("plan mode", lambda: desk.page.evaluate("rookery.conversation.settings.permission_mode") == "plan")
    desk.says("TOOL ExitPlanMode {}")
    desk.has("#conversation .card h3", "Claude has a plan")
    desk.picture("6-plan")
    desk.clicks("#conversation .card button", "Approve the plan")
    desk.has("#conversation .card.resolved", "The plan: allowed by")
    desk.is_idle()


def sends_an_image(desk):
    desk.page.set_input_files(".composer input[type=file]", files=[{"name": "dot.png", "mimeType": "image/png", "buffer": RED_DOT}])
    desk.has(".composer .images img")
    desk.says("SAY I see it")
    desk.has(".prompt .images img")
    desk.has(".timeline .text", "I see it")
    desk.is_idle()


def comes_back(desk):
    """A reload shows the same, once each; what is said while away is said once."""
    def shape():
        return desk.page.evaluate(
            "rookery.conversation.items.filter(({type}) => type !== 'notice').map(({type, text, state, outcome, open}) => [type, text, state, outcome, open])")
    before = shape()
    desk.page.reload()
    desk.until("the same conversation", lambda: desk.page.evaluate("!!globalThis.rookery?.conversation") and shape() == before)
    desk.has("#conversation .card:not(.resolved)", number=0)
    desk.has(".prompt", "1 image")
    context = desk.page.context
    context.set_offline(True)
    desk.says("SAY from-offline")
    desk.has(".tail .prompt[data-state=sending]", "not sent yet")
    desk.picture("7-offline")
    context.set_offline(False)
    desk.has(".timeline .text", "from-offline")
    desk.has(".timeline .prompt", "from-offline")
    desk.is_idle()


def is_answered_from_a_phone(desk, phone, url, token, session):
    """The inbox of a small screen answers without opening the session."""
    phone.page.goto(f"{url}/?inbox")
    phone.page.wait_for_selector("#token", state="visible")
    phone.logs_in(token)
    phone.shows("#inbox", "Nothing waits")
    desk.says("BASH touch made-by-the-phone && echo words-that-a-small-screen-has-no-room-for-in-one-line")
    desk.has("#conversation .card:not(.resolved)")
    phone.has("#inbox .card:not(.resolved)", "touch made-by-the-phone")
    phone.shows("#inbox", "of the page")
    phone.fits()
    if phone.page.evaluate("(({scrollWidth, clientWidth}) => scrollWidth - clientWidth)(document.querySelector('#inbox .card pre'))") > 0:
        raise Failure("what is asked about is not seen whole")
    phone.picture("8-inbox")
    phone.page.locator("#inbox .card button").filter(has_text="Allow").first.tap()
    desk.has("#conversation .card.resolved", "Bash: allowed by", number=2)
    phone.has("#inbox .card", number=0)
    desk.is_idle()
    phone.page.goto(f"{url}/?id={session}")
    phone.has(".timeline .text", "from-offline")
    phone.fits()
    phone.says("SAY from the small one")
    phone.has(".timeline .text", "from the small one")
    desk.has(".timeline .text", "from the small one")
    phone.picture("9-phone")


def rests_and_changes_its_kind(desk):
    """A parked session is read as it is, and woken by a message; an idle one goes on as a terminal and comes back."""
    desk.page.click("#park")
    desk.shows("#conversation .rest", "Parked")
    desk.picture("10-parked")
    desk.says("SAY awake again")
    desk.has(".timeline .text", "awake again")
    desk.is_idle()
    desk.page.click("#switch")
    desk.until("the terminal", lambda: "❯" in desk.page.evaluate("rookery.screen"))
    desk.until("idle", lambda: desk.page.locator("#switch").is_enabled() and desk.page.locator("#activity").inner_text() == "idle")
    desk.page.click("#switch")
    desk.page.wait_for_selector("#conversation", state="visible")
    desk.has(".timeline .text", "awake again")
    desk.is_idle()
    desk.says("SAY and back")
    desk.has(".timeline .text", "and back")


def is_copied(desk, phone, url, session):
    """A copy says whose it is and leads there, on a phone too."""
    desk.page.click("#park")
    desk.shows("#conversation .rest", "Parked")
    fork = desk.page.evaluate(
        """async (id) => (await fetch(`/v1/sessions/${id}/fork`, {method: 'POST', headers: {'content-type': 'application/json'},
            body: '{}'})).json()""", session)["id"]
    desk.page.goto(f"{url}/?id={fork}")
    desk.has(".timeline .notice", "began this session as a copy")
    phone.page.goto(f"{url}/?id={fork}")
    phone.has(".timeline .notice", "began this session as a copy")
    phone.fits()
    phone.picture("11-copy")
    desk.page.click(".timeline .notice a")
    desk.has(".timeline .text", "and back")
    assert desk.session() == session, desk.session()
    desk.page.evaluate("(id) => fetch(`/v1/sessions/${id}`, {method: 'DELETE'})", fork)
    desk.says("SAY awake once more")
    desk.has(".timeline .text", "awake once more")
    desk.is_idle()


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip().splitlines()[2])
    url, token = sys.argv[1].rstrip("/"), pathlib.Path(sys.argv[2]).read_text().strip()
    desk_window = DESK | {"viewport": {"width": 1100, "height": 760}}
    people = (Talker, "chat-desk", desk_window), (Talker, "chat-phone", PHONE)
    with browser(pathlib.Path(sys.argv[3]), *people) as (desk, phone):
        makes_a_session(desk, url, token)
        session = desk.session()
        asks_and_is_answered(desk)
        watches_and_interrupts(desk)
        answers_permissions(desk)
        answers_questions_and_plans(desk)
        sends_an_image(desk)
        comes_back(desk)
        is_answered_from_a_phone(desk, phone, url, token, session)
        rests_and_changes_its_kind(desk)
        is_copied(desk, phone, url, session)
        # A terminal's page may learn by a refusal that its session is a chat now.
        has_not_complained([text for text in complaints([desk, phone]) if "response code: 409" not in text])
    print(session)


if __name__ == "__main__":
    main()
