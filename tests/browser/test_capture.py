"""Pictures from the clipboard and the camera, where files are taken."""

import base64

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import opened
from tests.browser.stage_values import photo
from tests.browser.test_axe import AXE, RUN

PASTE = """async (url) => {
  const blob = await (await fetch(url)).blob();
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([blob], 'image.png', { type: 'image/png' }));
  const event = new ClipboardEvent('paste', { clipboardData, bubbles: true });
  document.activeElement.dispatchEvent(event);
}"""
TRACKS = "() => window.tracks.map((track) => track.readyState)"
HEAR = """() => {
  const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  window.tracks = [];
  navigator.mediaDevices.getUserMedia = async (...given) => {
    const stream = await ask(...given);
    tracks.push(...stream.getTracks());
    return stream; };
}"""


def png(pixels):
    return "data:image/png;base64," + base64.b64encode(cv2.imencode(".png", pixels)[1]).decode()


def mine(page, server):
    page.goto(server)
    panel = opened(page, "pictures")
    expect(page.locator("#capture .kd-capture")).to_be_hidden()
    panel.get_by_role("radio", name="Mine").check()
    expect(page.locator("#uploads")).to_be_visible()
    return panel


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1366, 768), (1280, 720), (390, 844)])
def test_a_photo_is_taken(new_page, server, size, scheme):
    """It becomes one of the visitor's pictures; the camera is off when nobody looks."""
    page = new_page(viewport=dict(zip(("width", "height"), size, strict=True)), color_scheme=scheme)
    panel = mine(page, server)
    page.evaluate(HEAR)
    for press, count in (("Cancel", 0), ("Take it", 1)):
        panel.get_by_role("button", name="Take a photo").click()
        page.wait_for_function("document.querySelector('#capture video').videoWidth > 0")
        assert page.evaluate(TRACKS)[-1] == "live"
        if count:
            page.evaluate(AXE.read_text(encoding="utf-8"))
            assert page.evaluate(RUN, []) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role("button", name=press).click()
        expect(page.locator("#capture dialog")).to_be_hidden()
        page.wait_for_function(f"({TRACKS})().every((state) => state === 'ended')")
    expect(page.locator("#uploads tbody tr")).to_have_count(1)
    expect(page.locator("#gallery img")).to_have_count(1)


def test_pasted_pictures_are_added(page, server):
    """Each pasted one stands beside those before, and is what is learned from."""
    mine(page, server)
    for count in (1, 2):
        page.evaluate(PASTE, png(photo(80 + count, 90)))
        expect(page.locator("#uploads tbody tr")).to_have_count(count)
        expect(page.locator("#gallery img")).to_have_count(count)
    expect(page.locator("#capture [role=status]")).to_have_text("Pasted: pasted_2.png.")
    page.keyboard.press("Escape")
    page.locator("#learn").click()
    expect(page.locator("#live .kd-live")).to_have_attribute("data-done", "true")


def test_before_and_after_are_pasted(page, server):
    """The first goes to Before, the second to After, and the filter between them is found."""
    before = np.random.default_rng(0).integers(20, 230, (90, 100)).astype(np.uint8)
    after = cv2.blur(before, (3, 3), borderType=cv2.BORDER_REFLECT_101)
    page.goto(server)
    page.get_by_role("tab", name="Recover").click()
    for field, pixels in (("before", before), ("after", after)):
        page.evaluate(PASTE, png(pixels))
        expect(page.locator(f"#recover-{field} tbody tr")).to_have_count(1)
    page.evaluate(PASTE, png(after))
    expect(page.locator("#recover-capture [role=status]")).to_contain_text(
        "Each field has a picture"
    )
    page.locator("#recover").click()
    expect(page.locator("#recover-verdict .kd-verdict")).to_have_attribute(
        "data-verdict", "convolution"
    )


def test_what_is_no_picture_is_left_to_the_browser(page, server):
    """Text is pasted where it belongs; an empty clipboard is told by one sentence."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel = mine(page, server)
    page.evaluate("navigator.clipboard.writeText('no picture')")
    panel.get_by_role("button", name="Paste a picture").click()
    expect(page.locator("#capture [role=status]")).to_contain_text("has no picture")
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="Recover").click()
    page.locator("#recover-size input").focus()
    page.evaluate(PASTE, png(photo(80, 80)))
    expect(page.locator("#recover-before tbody tr")).to_have_count(0)


def test_a_picture_pasted_beside_a_closed_panel_is_taken(page, server):
    """The panel opens on the visitor's own pictures, with that one; while a run goes on, which
    locks the panel, one sentence says what to do."""
    page.goto(server)
    page.locator("#arithmetic[data-sum]").wait_for(state="attached")
    page.evaluate(PASTE, png(photo(90, 120)))
    expect(page.locator("#panel-pictures")).to_be_visible()
    expect(page.locator("#gallery img")).to_have_count(1)
    expect(page.locator("[data-chip=pictures]")).to_contain_text("1 own photo")
    page.keyboard.press("Escape")
    page.evaluate("document.querySelector('#chip-pictures').disabled = true")  # as a run does
    page.evaluate(PASTE, png(photo(90, 120)))
    expect(page.locator(".kd-landing")).to_contain_text("pause it, then paste again")


def test_a_picture_pasted_among_the_questions_is_taken(page, server):
    """Whatever their source was."""
    page.goto(f"{server}/?question=2")
    expect(page.locator("#question-edges")).to_be_in_viewport()
    page.evaluate(PASTE, png(photo(90, 120)))
    expect(page.locator("#question-gallery img")).to_have_count(1)
    expect(page.locator("#question-source input[value=mine]")).to_be_checked()
