"""Whoever uses the page in a test: a tab of Debian's Chromium, and what somebody does in it."""
import contextlib
import re
import sys
import time

from playwright.sync_api import Error, sync_playwright

FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
UUID = re.compile(r"[?]id=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$")
DESK = dict(viewport={"width": 1100, "height": 700}, color_scheme="dark")
PHONE = dict(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, color_scheme="light")
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


@contextlib.contextmanager
def browser(pictures, *people):
    """People of a kind each (a class, its name, its window), in one browser. A failure is told with a picture of each."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        present = [kind(chromium, pictures, name, **window) for kind, name, window in people]
        try:
            yield present
        except (Failure, Error) as failure:
            for person in present:
                person.picture("failure")
            sys.exit(f"{failure}\nbrowser: {complaints(present)}\npictures: {pictures}")
        finally:
            chromium.close()


def complaints(people):
    return [text for person in people for text in person.complaints]


def has_not_complained(texts):
    if texts:
        raise Failure("the browser complained:\n" + "\n".join(texts))
