"""What the page shows without scrolling, and that a run can be watched; on the real page."""

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
