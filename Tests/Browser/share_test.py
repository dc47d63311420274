#!/usr/bin/env python3
"""Whoever holds share links: pages that log nobody in, and offer what the link's role may do and nothing else.

usage: share_test.py PICTURES_DIRECTORY VIEW APPROVE DRIVE TERMINAL

The first three are links to one structured session, the last one to drive a terminal session that is parked. The session's
owner is ShareTests.swift, which runs this; it revokes the link of the one who drives once that one has said 'bye'.
"""
import pathlib
import sys

from person import DESK, PHONE, Failure, Person, browser, complaints, has_not_complained

MANAGING = ["#park", "#stop", "#resume", "#switch", "#new", "#sessions", "#login"]


def offers(person, *selectors, absent=()):
    for selector in selectors:
        if not person.page.locator(selector).first.is_visible():
            raise Failure(f"{person.name}: {selector} is not there")
    for selector in [*MANAGING, *absent]:
        if person.page.locator(selector).first.is_visible():
            raise Failure(f"{person.name}: {selector} is offered")


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__.strip().splitlines()[2])
    pictures = pathlib.Path(sys.argv[1])
    view, approve, drive, terminal = sys.argv[2:6]
    people = [(Person, "share-viewer", PHONE), (Person, "share-approver", PHONE), (Person, "share-driver", DESK)]
    with browser(pictures, *people) as (viewer, approver, driver):
        asked = []
        for person, link in [(viewer, view), (approver, approve), (driver, drive)]:
            person.page.on("request", lambda request: asked.append(request.url))
            person.page.goto(link)
            connection = person.page.locator("#connection")
            person.until("the connection", lambda: connection.get_attribute("data-state") == "on")
        driver.page.fill(".composer textarea", "BASH touch by-a-link")
        driver.page.press(".composer textarea", "Enter")
        for person in (viewer, approver, driver):
            person.until("the card", lambda person=person: person.page.locator("#conversation .card").count() == 1)
        viewer.shows("#access", "looks on")
        offers(viewer, absent=[".composer", "#inbox-toggle", ".card .answers button"])
        approver.shows("#access", "may answer")
        offers(approver, "#inbox-toggle", ".card .answers button", absent=[".composer"])
        driver.shows("#access", "shared with you")
        offers(driver, ".composer")
        viewer.picture("1-asked")
        approver.page.locator("#conversation .card button").filter(has_text="Allow").first.tap()
        for person in (viewer, approver, driver):
            person.until("the answer", lambda person=person: person.page.locator(".card.resolved").count() == 1)
        viewer.until("the end", lambda: viewer.page.locator(".turn[data-outcome=completed]").count() == 1)

        # A parked terminal session wakes for whoever may drive it.
        driver.page.goto("about:blank")
        driver.page.goto(terminal)
        driver.sees("❯")
        driver.shows("#activity", "idle")
        offers(driver, "#terminal")
        driver.types("SAY bye")
        driver.shows("#cover", "This link does not work")
        driver.picture("2-revoked")
        if any("rs_" in url for url in asked):
            raise Failure("a link's secret was in a request's address")
        has_not_complained(complaints([viewer, approver, driver]))


if __name__ == "__main__":
    main()
