#!/usr/bin/env python3
"""Two of the three who share a session: the page of its terminal, and an approver's phone that never opens it.

usage: together_test.py URL TOKEN_FILE APPROVER_TOKEN_FILE SESSION PICTURES_DIRECTORY

The third, a client of the session's stream, is TogetherTests.swift, which runs this and checks what that one is told.
"""
import pathlib
import sys
import time

from playwright.sync_api import Error, sync_playwright

from page_test import FLAGS, Failure, Person


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__.strip().splitlines()[2])
    url, session, pictures = sys.argv[1].rstrip("/"), sys.argv[4], pathlib.Path(sys.argv[5])
    token, approver = (pathlib.Path(path).read_text().strip() for path in sys.argv[2:4])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        desk = Person(browser, pictures, "together-desk", viewport={"width": 1100, "height": 700}, color_scheme="dark")
        phone = Person(
            browser, pictures, "together-phone", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True,
            color_scheme="light")
        try:
            # An approver may not make sessions: the plain address leads to the inbox.
            phone.page.goto(url)
            phone.page.wait_for_selector("#token", state="visible")
            phone.logs_in(approver)
            phone.shows("#inbox", "Nothing waits for your answer")
            desk.page.goto(f"{url}/?id={session}")
            desk.page.wait_for_selector("#token", state="visible")
            desk.logs_in(token)
            desk.sees("❯")
            desk.shows("#activity", "idle")

            desk.types("BASH touch made-together")
            desk.sees("Do you want to proceed?")
            desk.shows("#activity", "pending")
            card = phone.page.locator("#inbox .card")
            phone.until("the card", lambda: card.count() == 1)
            phone.shows("#inbox .card pre", "touch made-together")
            phone.picture("1-asked")
            card.locator("button").filter(has_text="Allow").first.tap()
            phone.until("the card to go", lambda: card.count() == 0)
            desk.sees("● done")
            desk.shows("#activity", "idle")
            time.sleep(0.5)
            if "Do you want to proceed?" in desk.screen():
                raise Failure("the dialog stayed on the terminal")
            desk.picture("2-allowed")
            if complaints := desk.complaints + phone.complaints:
                raise Failure("the browser complained:\n" + "\n".join(complaints))
        except (Failure, Error) as failure:
            for person in (desk, phone):
                person.picture("failure")
            sys.exit(f"{failure}\nbrowser: {desk.complaints + phone.complaints}\npictures: {pictures}")
        finally:
            browser.close()


if __name__ == "__main__":
    main()
