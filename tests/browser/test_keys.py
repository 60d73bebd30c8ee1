"""The page by keys alone."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import opened

LAPTOP = {"width": 1366, "height": 768}
FOCUSED = "document.activeElement.id || document.activeElement.closest('[id]')?.id"
# How many elements of a place Tab reaches, and which of them look the same with and without the
# focus: in themselves, in their label, beside them and in the three that they stand in.
UNSEEN = """async (place) => {
  const drawn = (e) => { const s = getComputedStyle(e);
    return s.opacity === '0' ? '' : [s.outlineStyle, s.boxShadow, s.borderColor].join(); };
  const around = (e) => { const up = e.parentElement;
    return [e, e.closest('label') || e, ...up.children, up, up.parentElement,
      up.parentElement.parentElement].map(drawn).join('|'); };
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const stops = () => [...document.querySelectorAll(place + ` :is(button:enabled, input:enabled,
    a[href], textarea:enabled, summary, [tabindex='0'])`)].filter((e) => e.tabIndex >= 0
    && e.checkVisibility() && !e.closest('[inert], footer'));
  const seen = new Set(), unseen = [];
  // The page may put a new element in the place of one: whoever is there in the end was visited.
  for (let left = stops(); left.length; left = stops().filter((e) => !seen.has(e))) {
    for (const stop of left) {
      seen.add(stop);
      document.activeElement.blur();
      await frame();
      if (!stop.isConnected) continue;
      const before = around(stop);
      stop.focus({ preventScroll: true });
      await frame();
      if (stop.isConnected && around(stop) === before) unseen.push(stop.outerHTML.slice(0, 160));
    }
  }
  return [seen.size, unseen];
}"""


def live(page):
    return page.locator("#live .kd-live")


def tab_to(page, elem_id, most=30):
    """Press Tab until the focus is on the element of that id, or in it."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED) == elem_id:
            return
    raise AssertionError(f"no Tab leads to {elem_id}")


@pytest.fixture
def page(new_page, server):
    page = new_page(viewport=LAPTOP)
    page.goto(server)
    expect(page.locator("#live [data-picture=before]")).to_be_visible()
    expect(page.locator("#kernel[role=radiogroup]")).to_be_attached()
    return page


@pytest.mark.glance
def test_a_run_by_keys_alone(page):
    """From the first Tab on: each panel, another filter, Learn, pause, the end, any step of it, any
    pixel of a picture."""
    for name in ("pictures", "filter", "method"):
        tab_to(page, f"chip-{name}")
        page.keyboard.press("Enter")
        panel = page.locator(f"#panel-{name}")
        expect(panel).to_be_visible()
        expect(page.get_by_role("dialog")).to_have_count(1)
        if name == "filter":
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()
        expect(page.locator(f"#chip-{name}")).to_be_focused()
    expect(page.locator("#chip-filter")).to_contain_text("Sobel y")
    tab_to(page, "learn")
    page.keyboard.press("Enter")
    expect(live(page)).to_have_attribute("data-state", "running")
    page.keyboard.press("Space")
    expect(live(page)).to_have_attribute("data-state", "paused")
    page.keyboard.press("Space")
    expect(live(page)).to_have_attribute("data-done", "true")
    last = int(live(page).get_attribute("data-step"))
    tab_to(page, "timeline")
    page.keyboard.press("ArrowLeft")
    expect(live(page)).not_to_have_attribute("data-step", str(last))
    page.keyboard.press("End")
    expect(live(page)).to_have_attribute("data-step", str(last))
    page.locator("#more").focus()  # as far back as Shift+Tab would have to be pressed
    page.keyboard.press("Tab")
    expect(page.locator("dfn:focus")).to_have_text("kernel")  # a term that explains itself
    page.keyboard.press("Tab")
    expect(page.locator("[data-view=before]")).to_be_focused()
    column = int(page.locator("#arithmetic").get_attribute("data-x"))
    page.keyboard.press("ArrowRight")
    expect(page.locator("#arithmetic")).to_have_attribute("data-x", str(column + 1))


def test_tab_leaves_a_panel(page):
    """Choices are one stop of Tab each; behind the last one the panel is closed, the focus back at
    its chip; a list of options that was opened on the way is closed."""
    for name, stops in (("filter", 8), ("method", 5)):
        opened(page, name)
        tab_to(page, f"chip-{name}", most=stops)
        expect(page.locator(f"#panel-{name}")).to_be_hidden()
    expect(page.get_by_role("option")).to_have_count(0)


def test_what_gradio_leaves_unsaid(page):
    """A set of choices has a name, and what is folded away says so."""
    opened(page, "filter")
    expect(page.get_by_role("radiogroup", name="Kernel")).to_be_visible()
    for expanded in (False, True):
        fold = page.get_by_role("button", name="Noise and rounding", expanded=expanded)
        expect(fold).to_be_visible()
        fold.press("Enter")


def test_escape_closes_one_thing(page):
    """A list of options in a panel first, then the panel."""
    panel = opened(page, "filter")
    tab_to(page, "edges")
    expect(page.get_by_role("option")).not_to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("option")).to_have_count(0)
    expect(panel).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.locator("#chip-filter")).to_be_focused()


def test_single_keys(page):
    """R and ? act outside fields, and not once they are turned off."""
    chip, menu = page.locator("#chip-filter"), page.locator("#more-menu")
    page.locator("#learn").focus()
    page.keyboard.press("r")
    expect(chip).to_contain_text("Random")
    random = chip.inner_text()
    opened(page, "method")
    page.locator("#rate input").focus()
    page.keyboard.press("r")
    page.keyboard.press("?")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    page.keyboard.press("?")
    expect(menu).to_be_visible()
    page.locator("#keys").focus()
    page.keyboard.press("Space")
    expect(page.locator("#keys")).to_have_attribute("aria-checked", "false")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    page.keyboard.press("?")
    page.keyboard.press("r")
    page.wait_for_timeout(500)
    expect(menu).to_be_hidden()
    assert chip.inner_text() == random


def test_every_press_counts(page):
    """R, five times within a second: the fifth random filter."""
    page.locator("#learn").focus()
    for _ in range(5):
        page.keyboard.press("r")
        page.wait_for_timeout(100)
    expect(page.locator("#chip-filter")).to_contain_text("Random")
    expect(page.locator("#seed input")).to_have_value("4")
    expect(page).to_have_url(re.compile("seed=4$"))


def test_the_ring_of_the_timeline_is_about_its_track(page):
    """With the focus, nothing changes above the track but near the thumb."""
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    box = page.locator("#timeline").bounding_box()
    clip = {"x": box["x"] + 2, "y": box["y"] - 5, "width": box["width"] * 0.8, "height": 8}
    page.locator("#play").focus()
    before = page.screenshot(clip=clip)
    tab_to(page, "timeline", most=2)  # past a term that explains itself
    assert page.screenshot(clip=clip) == before


@pytest.mark.parametrize("tab", ["Learn", "Recover", "Questions"])
def test_the_focus_is_seen(page, tab):
    """Whatever Tab reaches looks another with the focus."""
    page.get_by_role("tab", name=tab).click()
    if tab == "Recover":
        page.locator(".kd-example").first.click()
        expect(page.locator("#recover-take .kd-take")).to_be_visible()
        expect(page.locator("#recover")).to_be_enabled()  # intervals come after the verdict
        expect(page.locator("#recover-before .icon-button").first).to_have_accessible_name(
            "Add files"
        )
    panels = ("pictures", "filter", "method") if tab == "Learn" else ()
    for place in ["body", *(f"#panel-{name}" for name in panels)]:
        if place != "body":
            opened(page, place.removeprefix("#panel-"))
        page.keyboard.press("Tab")  # rings are for those who use keys
        found, unseen = page.evaluate(UNSEEN, place)
        assert found > 3
        assert unseen == [], place
