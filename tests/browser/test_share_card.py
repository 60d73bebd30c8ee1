"""The picture of a run, to be shared."""

import re

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from kernel_demo.numbers import figure
from tests.browser.conftest import opened
from tests.browser.stage_values import photo
from tests.browser.test_axe import AXE, RUN

HEAR = """() => {
  const write = CanvasRenderingContext2D.prototype.fillText;
  window.put = [];
  CanvasRenderingContext2D.prototype.fillText = function note(text, ...given) {
    put.push(text);
    write.call(this, text, ...given); }; }"""
ZERO = {"light": (0xF5, 0xF5, 0xF2), "dark": (0x26, 0x29, 0x31)}
END = {"light": (0xEA, 0x93, 0x50), "dark": (0xCF, 0x7A, 0x34)}  # of the largest weight


def run(page, server, query):
    page.goto(f"{server}/?{query}&run=1")
    live = page.locator("#live .kd-live")
    expect(live).to_have_attribute("data-done", "true")
    return live


def in_powers(text):
    """With its small numbers as figure() writes them: one notation on the card."""
    return re.sub(
        r"(?<!\d)0\.000[\d\u202f]+", lambda n: figure(float(n[0].replace("\u202f", ""))), text
    )


def opened_card(page):
    page.evaluate(HEAR)
    page.locator(".kd-share-open").click()
    image = page.locator(".kd-share-card img")
    expect(image).to_be_visible()
    return image


def colour(picture, x, y):
    return tuple(picture[3 * y, 3 * x, ::-1])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
def test_the_card_shows_the_run(new_page, server, tmp_path, scheme, size):
    """Twice 1200 x 630, in the page's colours: the kernels, and every figure as the page has it."""
    page = new_page(viewport=dict(zip(("width", "height"), size, strict=True)), color_scheme=scheme)
    live = run(page, server, "steps=40")
    image = opened_card(page)
    put, alt = page.evaluate("put"), image.get_attribute("alt")
    for name in ("loss", "error"):
        told = live.locator(f"[data-text={name}]").text_content()
        assert told in put
        assert told in alt
    assert "Sobel x, 3 × 3" in put
    verdict = live.locator("[data-text=verdict] > :not(a)").all_text_contents()
    assert all(in_powers(part) in alt for part in verdict)
    assert not [text for text in [*put, alt] if "0.000" in text]
    assert f"{server.partition('//')[2]}/?steps=40" in put
    with page.expect_download() as download:
        page.get_by_role("link", name="Download PNG").click()
    assert download.value.suggested_filename.startswith("kernel_sobel_x_3_3_step_")
    download.value.save_as(tmp_path / "card.png")
    picture = cv2.imread(str(tmp_path / "card.png"))
    assert picture.shape == (1260, 2400, 3)
    x, y, cell = 32, 92, 151 / 3  # the true kernel: -1 0 1, -2 0 2, -1 0 1
    assert np.abs(np.subtract(colour(picture, int(x + 1.2 * cell), y + 8), ZERO[scheme])).max() < 6
    assert np.abs(np.subtract(colour(picture, int(x + 2.2 * cell), int(y + 1.2 * cell)),
                              END[scheme])).max() < 6  # fmt: skip
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate(RUN, []) == []
    page.keyboard.press("Escape")
    expect(image).to_be_hidden()
    expect(page.locator(".kd-share-open")).to_be_focused()


def test_the_card_is_of_the_step_shown(page, server):
    """Who looks back at a step shares that one; without a run there is nothing to share."""
    page.goto(server)
    expect(page.locator(".kd-share-open")).to_be_disabled()
    live = run(page, server, "method=adam&steps=60")
    page.locator("#timeline").press("Home")
    for _ in range(3):
        page.locator("#timeline").press("ArrowRight")
    expect(live).to_have_attribute("data-step", "3")
    opened_card(page)
    put = page.evaluate("put")
    assert "step 3" in put
    assert live.locator("[data-text=error]").text_content() in put


def test_picture_and_link_are_copied(page, server):
    """The link opens what is shown, and starts it where that is ticked."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    run(page, server, "kernel=box")
    opened_card(page)
    page.get_by_role("button", name="Copy picture").click()
    expect(page.locator(".kd-share-card [role=status]")).to_have_text("Picture copied")
    kinds = page.evaluate("navigator.clipboard.read().then((all) => all[0].types)")
    assert kinds == ["image/png"]
    for ticked in (True, False):
        page.get_by_role("checkbox", name="The link starts learning at once").set_checked(ticked)
        page.locator("#share-link").click()
        expect(page.locator("#share-link")).to_have_text("Link copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == f"{server}/?kernel=box" + ("&run=1" if ticked else "")
        expect(page.locator("#share-link")).to_have_text("Copy link")


def test_a_link_without_the_pictures_starts_nothing(page, server, tmp_path):
    """Of a visitor's own pictures: one line says what the link lacks, and it does not run."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    cv2.imwrite(str(tmp_path / "own.png"), photo(90, 120))
    page.goto(f"{server}/?steps=20")
    opened(page, "pictures").get_by_role("radio", name="Mine").check()
    page.locator("#uploads input[type=file]").set_input_files(tmp_path / "own.png")
    expect(page.locator("#gallery img")).to_have_count(1)
    page.keyboard.press("Escape")
    page.locator("#learn").click()
    expect(page.locator("#live .kd-live")).to_have_attribute("data-done", "true")
    opened_card(page)
    expect(page.locator(".kd-share-card [role=status]")).to_have_text(
        "The link opens these settings without your pictures."
    )
    expect(page.locator(".kd-share-card dialog input")).to_be_hidden()
    page.locator("#share-link").click()
    expect(page.locator("#share-link")).to_have_text("Link copied")
    assert "run=1" not in page.evaluate("navigator.clipboard.readText()")
