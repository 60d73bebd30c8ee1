"""Choosing pictures, on a server that cannot reach the Hub."""

import cv2
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import opened
from tests.browser.stage_values import photo


def test_more_pictures_than_are_bundled(page, server):
    """Sixteen of a dataset: the bundled photos and the cause; then eight, and no error."""
    page.goto(server)
    opened(page, "pictures")
    page.locator("#source").get_by_role("radio", name="Dataset").check()
    number = page.locator("#count input[type=number]")
    expect(number).to_have_attribute("max", "16")
    number.fill("16")
    number.press("Tab")
    expect(page.locator("#notice")).to_contain_text("no usable answer from the Hub")
    page.locator("#source").get_by_role("radio", name="Bundled").check()
    expect(number).to_have_value("8")
    expect(page.locator("#notice")).to_be_empty()
    page.keyboard.press("Escape")
    page.locator("#learn").click()
    expect(page.locator("#live .kd-live")).to_have_attribute("data-done", "true")
    expect(page.locator(".toast-body")).to_have_count(0)


@pytest.mark.parametrize("query", ["n=16", "source=hub&n=16"])
def test_a_link_with_sixteen_pictures(page, server, query):
    """The sliders take what a link may say; without the Hub there are eight photos."""
    page.goto(f"{server}/?{query}")
    opened(page, "pictures")
    expected = "16" if "hub" in query else "8"
    expect(page.locator("#count input[type=number]")).to_have_value(expected)
    if "hub" in query:
        expect(page.locator("#notice")).to_contain_text("Using the bundled photos")
    page.keyboard.press("Escape")
    page.locator("#learn").click()
    expect(page.locator("#live .kd-live")).to_have_attribute("data-done", "true")
    expect(page.locator(".toast-body")).to_have_count(0)


def test_learn_waits_for_files_that_are_on_their_way(page, server, watch, tmp_path):
    """Pressed while a file is being sent: the page says so, and learns from it once it is here."""
    cv2.imwrite(str(tmp_path / "own.png"), photo(200, 200))
    sent = []
    page.route("**/upload?*", lambda route: sent.append(route))
    page.goto(server)
    opened(page, "pictures")
    page.locator("#source").get_by_role("radio", name="Mine").check()
    expect(page.locator("#chip-pictures")).to_contain_text("No picture yet")
    page.locator("#uploads input[type=file]").set_input_files(tmp_path / "own.png")
    expect(page.locator("#uploads progress")).to_have_count(1)
    page.keyboard.press("Escape")
    page.locator("#learn").click()
    expect(page.locator(".kd-verdict-line")).to_contain_text("Your pictures are being read")
    expect(page.locator("#learn")).to_contain_text("Learn this filter")
    watch.errors.clear()  # gradio asks how far the upload is, which the server has not seen yet
    sent[0].continue_()
    expect(page.locator("#live .kd-live")).to_have_attribute("data-done", "true")
    expect(page.locator("#chip-pictures")).to_contain_text("1 own photo")
