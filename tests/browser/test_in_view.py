"""What the page shows without scrolling, and that a run can be watched; on the real page."""

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import at_pace, opened

LAPTOPS = [(1366, 768), (1280, 720), (1366, 650)]
PHONE = (390, 844)
KERNELS = [f'[data-kernel="{name}"]' for name in ("truth", "learned", "difference")]
CURVES = ['[data-curve="loss"]', '[data-curve="error"]']
# Input picture, kernel, output; true - learned = difference; curves with timeline; the verdict.
STAGE = [
    "#learn", '[data-picture="before"]', '[data-kernel="main"]', '[data-picture="after"]',
    *KERNELS, *CURVES, "#timeline", '[data-text="verdict"]',
]  # fmt: skip
OUTSIDE = """(selectors) => selectors.filter((selector) => {
  const r = document.querySelector('.kd-live').querySelector(selector).getBoundingClientRect();
  return !r.width || !r.height || r.left < 0 || r.top < 0
    || r.right > innerWidth || r.bottom > innerHeight;
})"""
# Every 100 ms: the time, and what is drawn of the kernel: its weights to two decimals, and how far
# they are off, in which one sees the last ones of a run change.
RECORD = """() => {
  const drawn = [...document.querySelectorAll('[data-kernel=main], [data-kernel=difference]')];
  window.recorded = [];
  const look = () => recorded.push([
    performance.now(), drawn.map((canvas) => canvas.toDataURL()).join()]);
  look();
  setInterval(look, 100);
}"""


def live(page):
    return page.locator("#live .kd-live")


def in_view(page, parts):
    assert page.evaluate(OUTSIDE, parts) == []
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [*LAPTOPS, PHONE])
def test_in_view_without_scrolling(new_page, server, width, height, scheme):
    """At first paint, in a run and at its end; on a phone Learn at once, then kernels and curves.

    In the colours that the visitor's machine is set to.
    """
    page = new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    at_pace(page, "slow")
    page.goto(server)
    page.locator("#arithmetic[data-sum]").wait_for(state="attached")
    dark = page.evaluate("document.body.classList.contains('dark')")
    assert dark == (scheme == "dark")
    in_view(page, ["#learn"] if (width, height) == PHONE else STAGE)
    parts = [*KERNELS, *CURVES] if (width, height) == PHONE else STAGE
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-state", "running")
    expect(live(page)).not_to_have_attribute("data-step", "0")
    in_view(page, parts)
    page.locator("#speed").click()
    page.locator("#speed-fast").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    in_view(page, parts)


def test_the_default_run_can_be_watched(page, server):
    """Recorded ten times a second at normal speed: at least 12 kernels, over at least 3 s."""
    at_pace(page, "normal")
    page.goto(server)
    page.locator("#arithmetic[data-sum]").wait_for()
    page.evaluate(RECORD)
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    recorded = page.evaluate("recorded")
    first = {}
    for milliseconds, drawn in recorded:
        first.setdefault(drawn, milliseconds)
    assert len(first) >= 12
    assert max(first.values()) - min(first.values()) >= 3000


def test_a_rate_is_changed_while_the_run_is_shown(page, server):
    """Computing has long ended: the run goes on from the step shown with the other rate, which the
    curve marks. Once it is through, another rate is a setting as any other.
    """
    at_pace(page, "slow")
    page.goto(f"{server}/?method=adam&rate=0.01&steps=40")
    chip = page.locator("#chip-method")
    expect(chip).to_contain_text("Adam rate 0.01")
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-step", "4")  # two seconds on, its end is computed
    expect(page.locator("#result .kd-first")).to_be_hidden()  # and not told yet
    session = live(page).get_attribute("data-session")
    rate = opened(page, "method").locator("#rate input")
    rate.fill("0.25")
    rate.press("Enter")
    expect(chip).to_contain_text("rate 0.25")
    expect(live(page)).to_have_attribute("data-state", "running")
    assert live(page).get_attribute("data-session") == session
    assert 0 < int(live(page).get_attribute("data-step")) < 40
    page.keyboard.press("Escape")
    page.locator("#speed").click()
    page.locator("#speed-fast").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    assert live(page).get_attribute("data-step") == "40"
    opened(page, "method")
    rate.fill("0.05")
    rate.press("Enter")
    expect(live(page)).to_have_attribute("data-state", "before")
    expect(chip).to_contain_text("rate 0.05")


def test_a_link_may_set_a_rate_alone(page, server):
    """The chip says what the page is set to, before anything is pressed."""
    page.goto(f"{server}/?rate=0.0123")
    expect(page.locator("#chip-method")).to_contain_text("rate 0.0123")


@pytest.mark.parametrize("fold", ["Which grey", "Paste a matrix", "Steps, batch"])
def test_a_panel_ends_in_the_window(new_page, server, fold):
    """What is unfolded in it is scrolled to in the panel; the page stays where it is."""
    name = {"W": "pictures", "P": "filter", "S": "method"}[fold[0]]
    page = new_page(viewport={"width": 1280, "height": 650})
    page.goto(f"{server}/?kernel=own")
    panel = opened(page, name)
    panel.get_by_role("button", name=fold).click()
    if name != "pictures":
        page.wait_for_function(
            "(panel) => panel.scrollHeight > panel.clientHeight + 40", arg=panel.element_handle()
        )
    box = panel.bounding_box()
    assert box["y"] + box["height"] <= 650
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.wheel(0, 5000)
    page.wait_for_function(
        "(panel) => panel.scrollTop >= panel.scrollHeight - panel.clientHeight - 1",
        arg=panel.element_handle(),
    )
    page.mouse.wheel(0, 5000)
    page.wait_for_timeout(200)
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize(("width", "height"), [(1280, 720), PHONE])
def test_fifteen_columns_are_in_view(new_page, server, width, height):
    """A grid of 15 x 15 shows every column; chip, list and grid say the same size. Where a cell is
    narrow, the one that is being written in shows all of its number."""
    page = new_page(viewport={"width": width, "height": height})
    page.goto(f"{server}/?kernel=own")
    panel = opened(page, "filter")
    page.locator("#size input").click()
    page.get_by_role("option", name="15 × 15", exact=True).click()
    expect(page.locator("#editor input")).to_have_count(225)
    expect(page.locator("#chip-filter")).to_contain_text("Your own, 15 × 15")
    expect(page.locator("#size input")).to_have_value("15 × 15")
    grid = page.locator(".kd-editor")
    assert grid.evaluate("(e) => e.scrollWidth <= e.clientWidth")
    for column in (1, 15):
        cell = page.get_by_label(f"row 5, column {column}", exact=True)
        cell.fill("-0.041987")
        assert cell.evaluate("(e) => e.scrollWidth <= e.clientWidth")
        assert grid.evaluate("(e) => e.scrollWidth <= e.clientWidth")
    box = panel.bounding_box()
    assert box["x"] + box["width"] <= width


@pytest.mark.parametrize("width", [683, 390, 320])
def test_the_filters_stand_side_by_side(new_page, server, width):
    """Two columns one beside the other, each as wide as its bar, and every name whole."""
    page = new_page(viewport={"width": width, "height": 700})
    page.goto(server)
    panel = opened(page, "filter").bounding_box()
    first, second = (
        page.locator("#kernel label", has_text=name).bounding_box()
        for name in ("Sobel x", "Emboss")
    )
    assert 0 <= second["x"] - first["x"] - first["width"] <= 8
    assert second["x"] + second["width"] <= panel["x"] + panel["width"] - 8
    cut = "(all) => all.filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => e.textContent)"
    assert page.locator("#kernel label").evaluate_all(cut) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_thumb_of_a_slider_is_seen(new_page, server, scheme):
    """Its middle stands out from the panel behind: a contrast of three or more."""
    page = new_page(viewport={"width": 1280, "height": 720}, color_scheme=scheme)
    page.goto(server)
    panel = opened(page, "pictures")
    slider = panel.locator("#count input[type=range]")
    expect(slider).to_have_value("8")  # its most: the thumb is at the right end
    box, around = slider.bounding_box(), panel.bounding_box()
    shot = cv2.imdecode(np.frombuffer(page.screenshot(), np.uint8), cv2.IMREAD_COLOR) / 255
    linear = np.where(shot <= 0.04045, shot / 12.92, ((shot + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.0722, 0.7152, 0.2126]  # OpenCV's order: blue, green, red
    thumb = luminance[round(box["y"] + box["height"] / 2), round(box["x"] + box["width"] - 7)]
    behind = luminance[round(around["y"]) + 6, round(around["x"]) + 150]
    dark, light = sorted((thumb, behind))
    assert (light + 0.05) / (dark + 0.05) >= 3
