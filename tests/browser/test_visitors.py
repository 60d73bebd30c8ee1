"""Visitors who leave, visitors who wait, and scripts side by side with them."""

import time

import pytest
from gradio_client import Client
from playwright.sync_api import expect


def live(page):
    return page.locator("#live [data-step]")


def start_a_long_run(page, server):
    """A random 15 x 15 kernel by Adam for 5000 steps: longer than any of these tests' patience."""
    page.goto(server)
    page.locator("#random").click()
    page.locator("#size input").click()
    page.get_by_role("option", name="15 × 15", exact=True).click()
    page.locator("#method input").click()
    page.get_by_role("option", name="Adam", exact=True).click()
    page.locator("#details button").first.click()
    page.locator("#steps input[type=number]").fill("5000")
    page.locator("#steps input[type=number]").press("Tab")
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


@pytest.mark.parametrize("leave", ["close", "reload"])
def test_who_leaves_frees_the_device(new_page, server, watch, occupy, leave):
    """Two long runs hold both places; when one's visitor leaves, a third run goes through."""
    occupy()
    page = new_page()
    start_a_long_run(page, server)
    watch.leave(page)
    if leave == "close":
        page.close()
    else:
        page.reload()
    third = new_page()
    third.goto(server)
    third.locator("#learn").click()
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
