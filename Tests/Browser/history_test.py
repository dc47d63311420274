#!/usr/bin/env python3
"""Opens the page of a session with a long past, in Debian's Chromium, and fails loudly where all of it is read.

usage: history_test.py URL TOKEN_FILE PICTURES_DIRECTORY

Needs a running server with the scripted model. Prints the id of the session it made; exits 0 when all went well. Run by
BrowserTests.swift; can be run by hand with .deps/venv/bin/python.
"""
import pathlib
import re
import sys

from conversation_test import Talker
from person import DESK, PHONE, Failure, browser, complaints, has_not_complained

STEPS = 250
PAGE = 300
FIRST = "the-very-first-words"
LAST = "the-very-last-words"


class Reader(Talker):
    """Somebody who reads, and what the page reads for that."""

    def __init__(self, *arguments, **window):
        super().__init__(*arguments, **window)
        self.read, self.followed = [], []
        self.page.on("response", self._response)

    def _response(self, response):
        if "/history?" in response.url:
            self.read.append(response)
        elif match := re.search(r"/events[?]since=(\d+)$", response.url):
            self.followed.append(int(match.group(1)))

    def opens(self, address):
        self.read, self.followed = [], []
        self.page.goto(address)
        self.has(".timeline .text", LAST)
        self.is_idle()

    def items(self):
        """What is said, without the notices, which tell of this page's time too."""
        return self.page.evaluate(
            "rookery.conversation.items.filter(({type}) => type !== 'notice').map(({type, text, state, name, outcome}) => [type, text, state, name, outcome])")

    def drawn(self):
        return self.page.locator(".timeline > li").count()

    def place(self):
        """The first entry that is seen, and how far below the window's top it is."""
        return self.page.evaluate("""(() => {
            const top = document.querySelector('#conversation .scroll').getBoundingClientRect().top;
            const seen = [...document.querySelectorAll('.timeline > li')].find((node) => node.getBoundingClientRect().bottom > top + 4);
            return [seen.dataset.item, Math.round(seen.getBoundingClientRect().top - top)];
        })()""")


def has_a_long_past(desk, url, token):
    desk.page.goto(f"{url}/?inbox")
    desk.page.wait_for_selector("#token", state="visible")
    desk.logs_in(token)
    desk.page.click("#new")
    desk.page.check("#new-session [value=structured]")
    desk.page.fill("#new-session [name=prompt]", f"SAY {FIRST}")
    desk.page.click("#new-session [value=create]")
    desk.has(".timeline .text", FIRST)
    desk.is_idle()
    desk.says(f"LOOP {STEPS}")
    desk.until("the loop's end", lambda: desk.count(".timeline .text", "loop finished") == 1, patience=420)
    desk.is_idle()
    desk.says(f"SAY {LAST}")
    desk.has(".timeline .text", LAST)
    desk.is_idle()
    return desk.page.evaluate("rookery.conversation.seq")


def reads_its_end(reader, address, events):
    reader.opens(address)
    pages = [response.json()["items"] for response in reader.read]
    if len(pages) != 1 or len(pages[0]) > PAGE:
        raise Failure(f"{reader.name}: {[len(page) for page in pages]} of {events} events were read to open the page")
    if reader.followed != [pages[0][-1]["seq"]]:
        raise Failure(f"{reader.name}: read up to {pages[0][-1]['seq']}, and then followed from {reader.followed}")
    reader.has(".timeline .text", FIRST, number=0)
    reader.shows("#conversation .earlier", "Show earlier")
    if reader.drawn() > PAGE:
        raise Failure(f"{reader.name}: {reader.drawn()} entries are drawn")


def goes_back_to_the_beginning(desk, whole):
    """By the button; what one reads stays where it is, and in the end it is what it was for who saw it happen."""
    desk.page.locator("#conversation .tool summary").first.scroll_into_view_if_needed()
    presses = 0
    while desk.page.locator("#conversation .earlier").is_visible():
        desk.page.evaluate("document.querySelector('#conversation .scroll').scrollTop = 220")
        (name, before), known = desk.place(), desk.drawn()
        desk.page.evaluate("document.querySelector('#conversation .earlier').click()")
        desk.until("more", lambda: desk.drawn() > known)
        after = desk.page.evaluate("""(name) => Math.round(document.querySelector(`.timeline > [data-item="${name}"]`).getBoundingClientRect().top
            - document.querySelector('#conversation .scroll').getBoundingClientRect().top)""", name)
        if abs(after - before) > 40:
            raise Failure(f"what was read moved by {after - before} px")
        desk.until("the page is read", lambda: desk.page.locator("#conversation .earlier[disabled]").count() == 0)
        presses += 1
    desk.has(".timeline .text", FIRST)
    if presses < 3 or desk.items() != whole:
        missing = [item for item in whole if item not in desk.items()]
        raise Failure(f"after {presses} pages the conversation is not what it was; missing: {missing[:5]}; {len(desk.items())} of {len(whole)}")
    desk.picture("2-beginning")
    desk.page.click("#conversation .latest")
    desk.has(".timeline .text", LAST)
    desk.says("SAY still-here")
    desk.has(".timeline .text", "still-here")
    desk.is_idle()


def scrolls_up_on_a_phone(phone):
    """A finger that pulls the conversation down reads more of it."""
    phone.fits()
    phone.picture("1-end")
    known = phone.drawn()
    fingers = phone.page.context.new_cdp_session(phone.page)

    def touches(kind, *points):
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": 180, "y": y} for y in points]})

    def pulls():
        touches("touchStart", 150)
        for y in range(190, 560, 40):
            touches("touchMove", y)
        touches("touchEnd")
        return len(phone.read) > 1 and phone.drawn() > known

    phone.until("more, from scrolling", pulls)
    phone.fits()
    phone.picture("2-earlier")


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip().splitlines()[2])
    url, token = sys.argv[1].rstrip("/"), pathlib.Path(sys.argv[2]).read_text().strip()
    people = (Reader, "history-desk", DESK), (Reader, "history-phone", PHONE)
    with browser(pathlib.Path(sys.argv[3]), *people) as (desk, phone):
        events = has_a_long_past(desk, url, token)
        if events < 1000:
            raise Failure(f"only {events} events happened")
        whole, session = desk.items(), desk.session()
        address = f"{url}/?id={session}"
        phone.page.goto(f"{url}/?inbox")
        phone.page.wait_for_selector("#token", state="visible")
        phone.logs_in(token)
        phone.shows("#inbox", "Nothing waits")
        reads_its_end(desk, address, events)
        reads_its_end(phone, address, events)
        goes_back_to_the_beginning(desk, whole)
        scrolls_up_on_a_phone(phone)
        has_not_complained(complaints([desk, phone]))
    print(session)


if __name__ == "__main__":
    main()
