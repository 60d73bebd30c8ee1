"""Visitors who leave, and visitors side by side."""

import pytest
from playwright.sync_api import expect


def live(page):
    return page.locator("#live [data-step]")


def start_a_long_run(page, server):
    """A random 15 x 15 kernel by Adam for 5000 steps: a minute on two cores."""
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


@pytest.mark.parametrize("leave", ["close", "reload"])
def test_who_leaves_frees_the_device(new_page, server, watch, leave):
    """Two long runs hold both places; when their visitors leave, a third one's run goes through."""
    pages = [new_page(), new_page()]
    for page in pages:
        start_a_long_run(page, server)
    for page in pages:
        watch.leave(page)
        if leave == "close":
            page.close()
        else:
            page.reload()
    third = new_page()
    third.goto(server)
    third.locator("#learn").click()
    expect(live(third)).to_have_attribute("data-done", "true", timeout=30_000)


def test_who_waits_is_told_and_can_leave(new_page, server, watch):
    """While others hold the device, a click is answered at once, and Stop gives the place up."""
    pages = [new_page(), new_page()]
    for page in pages:
        start_a_long_run(page, server)
    third = new_page()
    third.goto(server)
    third.locator("#learn").click()
    expect(third.locator("#live")).to_contain_text("Getting ready")
    third.locator("#stop").click()
    expect(third.locator("#learn")).to_be_visible()
    expect(third.locator("#live")).to_contain_text("Ready to learn")
    for page in pages:
        watch.leave(page)
        page.close()
    third.locator("#learn").click()
    expect(live(third)).to_have_attribute("data-done", "true", timeout=30_000)
