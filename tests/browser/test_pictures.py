"""Choosing pictures, on a server that cannot reach the Hub."""

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect


def test_more_pictures_than_are_bundled(page, server):
    """Sixteen of a dataset: the bundled photos and the cause; then eight, and no error."""
    page.goto(server)
    page.locator("#source").get_by_role("radio", name="Dataset").check()
    number = page.locator("#count input[type=number]")
    expect(number).to_have_attribute("max", "16")
    number.fill("16")
    number.press("Tab")
    expect(page.locator("#notice")).to_contain_text("no usable answer from the Hub")
    page.locator("#source").get_by_role("radio", name="Bundled").check()
    expect(number).to_have_value("8")
    expect(page.locator("#notice")).to_be_empty()
    page.locator("#learn").click()
    expect(page.locator("#live [data-step]")).to_have_attribute("data-done", "true")
    expect(page.locator(".toast-body")).to_have_count(0)


@pytest.mark.parametrize("query", ["n=16", "source=hub&n=16"])
def test_a_link_with_sixteen_pictures(page, server, query):
    """The sliders take what a link may say; without the Hub there are eight photos."""
    page.goto(f"{server}/?{query}")
    expected = "16" if "hub" in query else "8"
    expect(page.locator("#count input[type=number]")).to_have_value(expected)
    if "hub" in query:
        expect(page.locator("#notice")).to_contain_text("Using the bundled photos")
    page.locator("#learn").click()
    expect(page.locator("#live [data-step]")).to_have_attribute("data-done", "true")
    expect(page.locator(".toast-body")).to_have_count(0)


def test_uploads_with_a_bad_one(page, server, tmp_path):
    """Three are shown, the bad one is told once, and the console stays silent."""
    said = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    for number in range(3):
        values = np.random.default_rng(number).integers(0, 256, (120, 150, 3))
        cv2.imwrite(str(tmp_path / f"{number}.png"), values.astype(np.uint8))
    (tmp_path / "holiday.png").write_bytes(b"no picture")
    page.goto(server)
    page.get_by_role("radio", name="Mine").click()
    page.locator("#uploads input[type=file]").set_input_files(sorted(tmp_path.glob("*.png")))
    expect(page.locator("#notice")).to_contain_text("“holiday.png”, which is none or is damaged.")
    expect(page.locator("#gallery img")).to_have_count(3)
    page.locator("#learn").click()
    expect(page.locator("#live [data-step]")).to_have_attribute("data-done", "true")
    expect(page.locator("#certificate .kd-details")).to_be_visible()  # its last part to come
    expect(page.get_by_text("which is none or is damaged")).to_have_count(1)
    assert [line for line in said if "not implemented" in line] == []
    with page.expect_console_message(lambda message: message.text == "Something else."):
        page.evaluate("console.warn('Something else.')")  # which is still heard
