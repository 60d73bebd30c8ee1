"""Visitors who leave, visitors who wait, and scripts side by side with them."""

import time

import pytest
from gradio_client import Client
from playwright.sync_api import expect


def live(page):
    return page.locator("#live [data-step]")


def start_a_long_run(page, server):
    """A random 15 x 15 kernel by Adam for 5000 steps: longer than any of these tests' patience."""
    page.goto(f"{server}/?kernel=random&size=15&method=adam&steps=5000")
    expect(page.locator("#chip-method")).to_contain_text("Adam")
    page.locator("#learn").click()
    expect(page.locator("#learn")).to_have_text("Pause")
    expect(live(page)).not_to_have_attribute("data-step", "0")


@pytest.fixture
def occupy(server):
    """occupy(): a script's run holds one of the two places on the device; its job."""
    jobs = []

    def start():
        options = {"kernel": "random", "size": 31, "method": "adam", "steps": 5000}
        jobs.append(Client(server, verbose=False).submit(**options, api_name="/learn"))
        deadline = time.monotonic() + 30
        while not jobs[-1].outputs():
            assert time.monotonic() < deadline, "the run did not begin"
            time.sleep(0.05)
        return jobs[-1]

    yield start
    for job in jobs:
        job.cancel()


def test_who_leaves_frees_the_device(new_page, server, watch, occupy):
    """Two long runs hold both places; when one's visitor leaves, a third run goes through.

    By reloading the page, and by closing it.
    """
    occupy()
    page, third = new_page(), new_page()
    watch.leave(page)
    third.goto(server)
    for leave in (page.reload, page.close):
        start_a_long_run(page, server)
        leave()
        before = live(third).get_attribute("data-session")
        third.locator("#learn").click()
        expect(live(third)).not_to_have_attribute("data-session", before)
        expect(live(third)).to_have_attribute("data-done", "true", timeout=30_000)


def test_who_waits_is_told_and_can_leave(new_page, server, occupy):
    """While others hold the device, a click is answered at once with one's place in the queue.

    Stop, where Learn was, gives it up, and all is as before.
    """
    held = occupy()
    occupy()
    page = new_page()
    page.goto(server)
    verdict = page.locator('#live [data-text="verdict"]')
    for button in ("#step", "#learn"):
        page.locator(button).click()
        expect(verdict).to_contain_text("Waiting for a place. You are next.")
        expect(verdict).to_be_in_viewport(ratio=1)
        expect(page.locator("#learn")).to_have_text("Stop")
        page.locator("#learn").click()
        expect(verdict).to_contain_text("Nothing learned yet")
        expect(page.locator("#learn")).to_have_text("Learn this filter")
    held.cancel()
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-done", "true", timeout=30_000)
