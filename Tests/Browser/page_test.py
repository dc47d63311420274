#!/usr/bin/env python3
"""Uses the page as a person would, in Debian's Chromium, and fails loudly where it does not behave.

usage: page_test.py URL TOKEN_FILE PICTURES_DIRECTORY

Needs a running server with the scripted model. Prints the id of the session it made; exits 0 when all went well.
Screenshots, one a step and one of the moment of failure, go to PICTURES_DIRECTORY. It is run by BrowserTests.swift
and can be run by hand with .deps/venv/bin/python.
"""
import pathlib
import sys
import time

from person import DESK, PHONE, Failure, Person, browser, complaints, has_not_complained


def logs_in_and_talks(person, url, token):
    """A wrong token is refused; the right one leads to a session with Claude Code's prompt, which answers."""
    person.page.goto(url)
    person.page.wait_for_selector("#token", state="visible")
    person.logs_in("rk_wrong_token")
    person.shows("#login .error", "not valid")
    person.logs_in(token)
    person.sees("Claude Code")
    person.sees("❯")
    person.shows("#connection", "connected")
    person.shows("#activity", "idle")
    person.picture("1-prompt")
    person.types("SAY hello-from-model")
    person.sees("● hello-from-model")
    person.shows("#activity", "idle")
    person.picture("2-answer")


def allows_a_command(person):
    """A tool that changes something asks first; Enter allows it."""
    person.types("BASH touch made-by-bash")
    person.sees("Do you want to proceed?")
    person.shows("#activity", "pending")
    person.picture("3-permission")
    time.sleep(1)  # Claude Code takes no key in a dialog's first moments
    person.page.keyboard.press("Enter")
    person.sees("● done")
    person.shows("#activity", "idle")


def comes_back(person):
    """A reload shows the same session with what was said."""
    before = person.session()
    person.page.reload()
    person.sees("● hello-from-model")
    if person.session() != before:
        raise Failure(f"after a reload the page shows {person.session()}, not {before}")
    person.picture("4-reload")


def watches_and_takes_over(phone, url, token, session):
    """A second, small client sees the session at once and can become the one that drives it."""
    phone.page.goto(f"{url}/?id={session}")
    phone.page.wait_for_selector("#token", state="visible")
    phone.logs_in(token)
    phone.sees("● hello-from-model")
    phone.page.wait_for_selector("#take-over", state="visible")
    phone.page.click("#take-over")
    phone.page.wait_for_selector("#take-over", state="hidden")
    phone.page.wait_for_selector("#keys", state="visible")
    overflow = phone.page.evaluate("document.documentElement.scrollWidth - innerWidth")
    if overflow > 0:
        raise Failure(f"the page is {overflow} px wider than a phone")
    phone.page.tap("#terminal")
    phone.types("SAY from-the-phone")
    phone.sees("● from-the-phone")
    phone.picture("5-phone")


def parks_and_wakes(person):
    """Park frees the session, Wake brings it back with its conversation."""
    person.page.click("#park")
    person.shows("#cover", "Parked")
    person.picture("6-parked")
    person.page.click("#cover button.primary")
    person.sees("from-the-phone")
    person.shows("#activity", "idle")


def unknown_session(person, url):
    person.page.goto(f"{url}/?id=00000000-0000-4000-8000-000000000000")
    person.shows("#cover", "No such session")


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__.strip().splitlines()[2])
    url, token = sys.argv[1].rstrip("/"), pathlib.Path(sys.argv[2]).read_text().strip()
    with browser(pathlib.Path(sys.argv[3]), (Person, "desk", DESK), (Person, "phone", PHONE)) as (desk, phone):
        logs_in_and_talks(desk, url, token)
        session = desk.session()
        allows_a_command(desk)
        comes_back(desk)
        watches_and_takes_over(phone, url, token, session)
        parks_and_wakes(desk)
        unknown_session(desk, url)
        has_not_complained(complaints([desk, phone]))
    print(session)


if __name__ == "__main__":
    main()
