#!/usr/bin/env python3
"""Two of the three who share a session: the page of its terminal, and an approver's phone that never opens it.

usage: together_test.py URL TOKEN_FILE APPROVER_TOKEN_FILE SESSION PICTURES_DIRECTORY

The third, a client of the session's stream, is TogetherTests.swift, which runs this and checks what that one is told.
"""
import pathlib
import sys
import time

from person import DESK, PHONE, Failure, Person, browser, complaints, has_not_complained


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__.strip().splitlines()[2])
    url, session, pictures = sys.argv[1].rstrip("/"), sys.argv[4], pathlib.Path(sys.argv[5])
    token, approver = (pathlib.Path(path).read_text().strip() for path in sys.argv[2:4])
    with browser(pictures, (Person, "together-desk", DESK), (Person, "together-phone", PHONE)) as (desk, phone):
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
        has_not_complained(complaints([desk, phone]))


if __name__ == "__main__":
    main()
