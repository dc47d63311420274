#!/usr/bin/env python3
"""Uses the page as a person would, in Debian's Chromium, and fails loudly where it does not behave.

usage: page_test.py URL TOKEN_FILE PICTURES_DIRECTORY

Needs a running server with the scripted model. Prints the id of the session it made; exits 0 when all went well.
Screenshots, one a step and one of the moment of failure, go to PICTURES_DIRECTORY. It is run by BrowserTests.swift
and can be run by hand with .deps/venv/bin/python.
"""
import pathlib
import re
import sys
import time

from playwright.sync_api import Error, sync_playwright

FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
UUID = re.compile(r"[?]id=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$")
PATIENCE = 60  # seconds; for a hang, not for speed


class Failure(Exception):
    pass


class Person:
    """A browser tab and what somebody does in it."""

    def __init__(self, browser, pictures, name, **context):
        self.page = browser.new_context(**context).new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        self.pictures, self.name = pictures, name
        self.complaints = []
        self.page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        self.page.on("console", self._console)

    def _console(self, message):
        # A refused login and an unknown session are logged by the browser itself.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(f"console: {message.text}")

    def screen(self):
        return self.page.evaluate("globalThis.rookery?.screen ?? ''")

    def until(self, what, condition, patience=PATIENCE):
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if condition():
                return
            time.sleep(0.05)
        raise Failure(f"{self.name}: waited {patience} s for {what}; the terminal shows:\n{self.screen()}")

    def sees(self, text):
        self.until(f"{text!r} in the terminal", lambda: text in self.screen())

    def shows(self, selector, text):
        self.until(
            f"{text!r} in {selector}",
            lambda: self.page.locator(selector).is_visible() and text in self.page.locator(selector).inner_text(),
        )

    def types(self, text):
        self.page.keyboard.type(text)
        self.sees(text)
        self.page.keyboard.press("Enter")

    def logs_in(self, token):
        self.page.fill("#token", token)
        self.page.press("#token", "Enter")

    def picture(self, step):
        self.page.screenshot(path=str(self.pictures / f"{self.name}-{step}.png"))

    def session(self):
        match = UUID.search(self.page.url)
        if not match:
            raise Failure(f"{self.name}: the address {self.page.url} carries no session id")
        return match.group(1)


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
    pictures = pathlib.Path(sys.argv[3])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        desk = Person(browser, pictures, "desk", viewport={"width": 1100, "height": 700}, color_scheme="dark")
        phone = Person(
            browser, pictures, "phone", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True,
            color_scheme="light")
        try:
            logs_in_and_talks(desk, url, token)
            session = desk.session()
            allows_a_command(desk)
            comes_back(desk)
            watches_and_takes_over(phone, url, token, session)
            parks_and_wakes(desk)
            unknown_session(desk, url)
            if complaints := desk.complaints + phone.complaints:
                raise Failure("the browser complained:\n" + "\n".join(complaints))
        except (Failure, Error) as failure:
            for person in (desk, phone):
                person.picture("failure")
            sys.exit(f"{failure}\nbrowser: {desk.complaints + phone.complaints}\npictures: {pictures}")
        finally:
            browser.close()
    print(session)


if __name__ == "__main__":
    main()
