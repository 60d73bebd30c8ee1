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
    expect(page.locator("#method input")).to_have_value("Adam")
    page.locator("#learn").click()
    expect(page.locator("#pause")).to_be_visible()
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


@pytest.mark.slow
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
        third.locator("#learn").click()
        expect(live(third)).to_have_attribute("data-done", "false")
        expect(live(third)).to_have_attribute("data-done", "true", timeout=30_000)


def test_who_waits_is_told_and_can_leave(new_page, server, occupy):
    """While others hold the device, a click is answered at once, and Stop gives the place up."""
    held = occupy()
    occupy()
    page = new_page()
    page.goto(server)
    for button in ("#step", "#learn"):
        page.locator(button).click()
        expect(page.locator("#live")).to_contain_text("Getting ready")
        page.locator("#stop").click()
        expect(page.locator("#learn")).to_be_visible()
        expect(page.locator("#live")).to_contain_text("Ready to learn")
    held.cancel()
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-done", "true", timeout=30_000)
