"""The show "Why a small loss is not enough": both methods on the stage, and the reason in view."""

import re

import pytest
from playwright.sync_api import expect

from kernel_demo.ui.components.header import WORDS
from tests.browser.conftest import at_pace
from tests.browser.on_stage import listen, written
from tests.browser.test_axe import AXE
from tests.browser.test_axe import RUN as FOUND

SIZES = [(1366, 768), (1280, 720), (1366, 650), (390, 844)]
STAND = """() => [...document.querySelectorAll(
    '.kd-live-card, #live canvas, .tab-container [role=tab], #spectrum')]
  .filter((e) => e.checkVisibility())
  .map((e) => { const r = e.getBoundingClientRect();
                return [r.x, r.y + scrollY, r.width, r.height].map(Math.round).join(' '); })"""
# Every caption that is written, and the state and method of the stage then.
RECORD = """() => { window.captions = [];
  new MutationObserver(() => {
    const { state, method, row } = window.kdShown;
    captions.push([document.querySelector('.kd-show p').textContent, state, method, row[0]]);
  }).observe(document.querySelector('.kd-show p'), { childList: true, subtree: true });
}"""


def live(page):
    return page.locator("#live .kd-live")


def known_words(name):
    """The longest piece of a caption between its figures."""
    return max(re.split(r"{\w+}", WORDS[name]), key=len)


def begun(page, server, query=""):
    """Press the header's button; returns where everything stood before."""
    page.goto(f"{server}/{query}")
    page.locator("#arithmetic[data-sum]").wait_for(state="attached")
    if query:
        expect(page.locator("#chip-method")).to_have_attribute("data-linked", "true")
        page.wait_for_timeout(2000)
    listen(page)
    page.evaluate("window.experiment = window.kdShown.experiment")
    page.evaluate(RECORD)
    stood = page.evaluate(STAND)
    page.locator("#demonstrate").click()
    expect(page.locator(".kd-show")).to_be_visible()
    return stood


def ended(page):
    expect(page.locator("#demonstrate-stop")).to_have_text(WORDS["close"], timeout=180_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_it_shows_both_methods_and_ends_with_the_reason_in_view(
    new_page, server, width, height, scheme
):
    """Adam, then K-FAC, from the same start; nothing moves, axe finds nothing, the stage is usable
    again with Adam's run beside it."""
    page = new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    at_first = begun(page, server)
    page.add_script_tag(content=AXE.read_text("utf-8"))
    caption = page.locator(".kd-show p")
    expect(caption).to_contain_text("the kernels are not alike")
    expect(page.locator(".kd-equation[data-pointed=true]")).to_be_in_viewport(ratio=1)
    assert page.evaluate(STAND) == at_first
    expect(caption).to_contain_text("Why?")
    expect(page.locator(".kd-spectrum-plot[data-pointed=true]")).to_be_in_viewport(ratio=0.99)
    assert page.evaluate(FOUND, []) == []
    ended(page)
    expect(page.locator(".kd-spectrum-plot")).to_be_in_viewport(ratio=0.99)
    assert page.evaluate(STAND) == at_first
    assert caption.evaluate("(e) => e.scrollHeight <= e.parentElement.clientHeight")
    # The cards below are pale until they have the result of this run.
    page.wait_for_function(
        """() => [...document.querySelectorAll("[data-stale]")]
             .every((one) => getComputedStyle(one).opacity === "1")"""
    )
    assert page.evaluate(FOUND, []) == []
    captions = page.evaluate("captions")
    said = [one[0] for one in captions]
    order = [next(i for i, text in enumerate(said) if known_words(name) in text)
             for name in ("ready", "adam", "kernels", "why", "kfac", "end")]  # fmt: skip
    assert order == sorted(order)
    at_the_end = {text: tuple(more) for text, *more in captions}
    assert at_the_end[said[order[2]]] == ("finished", "adam", 200)
    assert at_the_end[said[order[5]]][:2] == ("finished", "kfac")
    # Every figure is of the run: what is told of Adam is what its curve, pale now, ends with.
    error = page.evaluate("window.kdShown.before.error.at(-1)")
    assert error[0] == 200
    assert f"{error[1]:.2f} off" in said[order[2]]
    assert f"was {error[1]:.2f} off" in said[order[5]]
    # How much of each loss is left tells the two apart; both runs are seen to their ends.
    assert "All but 0.0" in said[order[2]]
    expect(page.locator("#spectrum")).to_contain_text(re.compile(r"all but \d·10⁻¹. % of the loss"))
    for curve in ("loss", "error"):
        assert "step 200" in written(page, curve)
    page.locator("#demonstrate-stop").click()
    expect(page.locator(".kd-show")).to_be_hidden()
    expect(page.locator("[data-pointed]")).to_have_count(0)
    expect(page.locator("#demonstrate")).to_be_focused()
    expect(page.locator("#clear-before")).to_be_visible()
    expect(page.locator("#learn")).to_have_text(re.compile("Learn again"))


def test_it_brings_the_kernels_back(new_page, server):
    """On a phone, where a tapped pixel's arithmetic stands in their place."""
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True)
    page.goto(server)
    page.locator("#arithmetic[data-sum]").wait_for(state="attached")
    page.locator("[data-view=before]").tap(position={"x": 60, "y": 50})
    expect(page.locator(".kd-equation")).to_be_hidden()
    page.locator("#demonstrate").click()
    expect(page.locator(".kd-show p")).to_contain_text("the kernels are not alike")
    expect(page.locator(".kd-equation[data-pointed=true]")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("way", ["stop", "escape"])
@pytest.mark.parametrize(
    "query", ["?kernel=gaussian&size=5&method=closed_form", "?method=adam&rate=0.05"]
)
def test_who_stops_it_has_the_page_as_before(new_page, server, way, query):
    """By its button or Escape, as soon as it runs: settings and address are those before it, and
    no run is on; also where only a rate was set otherwise."""
    page = new_page(reduced_motion="no-preference")
    at_pace(page, "normal")
    begun(page, server, query)
    set_to = page.evaluate("experiment")
    expect(live(page)).to_have_attribute("data-state", "running")
    if way == "escape":
        page.keyboard.press("Escape")
    else:
        page.locator("#demonstrate-stop").click()
    expect(page.locator(".kd-show")).to_be_hidden()
    expect(page.locator("[data-pointed]")).to_have_count(0)
    page.wait_for_function("(name) => window.kdShown.experiment === name", arg=set_to)
    expect(live(page)).to_have_attribute("data-state", "before")
    page.wait_for_function("(query) => location.search === query", arg=query)


def test_who_pauses_it_takes_over(new_page, server):
    """The run stands still where it was, by the method in view."""
    page = new_page(reduced_motion="no-preference")
    at_pace(page, "normal")
    begun(page, server)
    expect(live(page)).to_have_attribute("data-state", "running")
    expect(live(page)).not_to_have_attribute("data-step", "0")
    page.locator("#learn").click()
    expect(page.locator(".kd-show")).to_be_hidden()
    expect(live(page)).to_have_attribute("data-state", "paused")
    expect(page.locator("[data-pointed]")).to_have_count(0)
    step = live(page).get_attribute("data-step")
    page.wait_for_timeout(3000)
    assert live(page).get_attribute("data-step") == step
    assert page.locator("[data-chip=method]").inner_text() == "Adam"


@pytest.mark.parametrize(
    ("query", "filter_"),
    [
        ("?kernel=gaussian&size=5&n=3", "Gaussian blur, 5 × 5"),  # the visitor's own
        ("?kernel=random&size=31", "Sobel x, 3 × 3"),  # beyond what 200 steps show
    ],
)
def test_it_is_of_what_the_visitor_has_set_up(page, server, query, filter_):
    """The same pictures and filter, where they are for it; else the default ones."""
    page.goto(f"{server}{query}")
    page.locator("#arithmetic[data-sum]").wait_for(state="attached")
    expect(page.locator("[data-chip=filter]")).to_contain_text(
        query.split("size=")[1].split("&")[0]
    )
    begun_from = page.evaluate("window.kdShown.lesson")
    page.locator("#demonstrate").click()
    expect(page.locator("[data-chip=filter]")).to_have_text(filter_)
    expect(page.locator("[data-chip=method]")).to_have_text("Adam")
    expect(page.locator(".kd-show p")).to_contain_text("Adam first, 200 steps")
    assert (page.evaluate("window.kdShown.lesson") == begun_from) == ("31" not in query)
    page.locator("#demonstrate-stop").click()


def test_it_opens_the_tab_that_it_plays_on(page, server):
    """Pressed on another tab: Learn is opened."""
    page.goto(server)
    page.locator("#arithmetic[data-sum]").wait_for(state="attached")
    page.get_by_role("tab", name="Recover").click()
    page.locator("#demonstrate").click()
    expect(page.get_by_role("tab", name="Learn")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".kd-show p")).to_contain_text("Adam first")
    page.keyboard.press("Escape")
    expect(page.locator(".kd-show")).to_be_hidden()


@pytest.mark.parametrize("width", [390, 375, 360, 320])
def test_on_a_phone_the_header_keeps_its_name_in_one_line(new_page, server, width):
    """The show's short name, in words of its long one, leaves room for the page's own."""
    page = new_page(viewport={"width": width, "height": 844})
    page.goto(server)
    short = page.locator("#demonstrate .kd-show-short")
    expect(short).to_be_visible()
    assert {"loss", "enough"} <= set(short.inner_text().strip("?").split())
    name = page.locator(".kd-header h1")
    assert name.evaluate("(e) => e.offsetHeight < 1.5 * parseFloat(getComputedStyle(e).lineHeight)")
