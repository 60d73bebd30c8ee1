"""Everybody can use the page: axe-core finds nothing, best practices included."""

import importlib.resources

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import opened

SCREENS = {"laptop": {"width": 1366, "height": 768}, "phone": {"width": 390, "height": 844}}
AXE = importlib.resources.files("axe_playwright_python").joinpath("axe.min.js")
# Elements of gradio's that nothing of ours reaches, as selector: reason. None is left.
OUT_OF_REACH = {}
RUN = """async (exclude) => {
  const found = await axe.run({ exclude: exclude.map((each) => [each]) },
                              { resultTypes: ["violations"], preload: false });
  return found.violations.flatMap(({ id, nodes }) => nodes.map((node) =>
    `${id}: ${node.target.join(' ')} ${node.html.slice(0, 120)}\\n    ${node.failureSummary}`));
}"""


def panels(page):
    """The tab Learn at first paint, then with each thing that can be opened; yields their names."""
    expect(page.locator("#live [data-picture=before]")).to_be_visible()
    yield "first paint"
    for name in ("pictures", "filter", "method"):
        opened(page, name)
        yield f"panel {name}"
        page.keyboard.press("Escape")
    for name in ("speed", "more"):
        page.locator(f"#{name}").click()
        yield f"menu {name}"
        page.keyboard.press("Escape")


def run(page):
    """The tab Learn in a run and at its end."""
    live = page.locator("#live .kd-live")
    page.locator("#speed").click()
    page.locator("#speed-slow").click()
    page.locator("#learn").click()
    expect(live).to_have_attribute("data-state", "running")
    yield "run"
    page.locator("#speed").click()
    page.locator("#speed-fast").click()
    expect(live).to_have_attribute("data-done", "true")
    expect(page.locator("#result .kd-first")).to_be_visible()
    expect(page.locator("#certificate .kd-details")).to_be_visible()
    yield "end"


def recover(page):
    """The tab Recover before and after an example."""
    page.get_by_role("tab", name="Recover").click()
    expect(page.locator(".kd-example").first).to_be_visible()
    yield "before"
    page.locator(".kd-example").first.click()
    expect(page.locator("#recover-take .kd-take")).to_be_visible()
    expect(page.locator("#recover")).to_be_enabled()
    yield "after"


def questions(page):
    """The tab Questions, whose questions are all in view, then with two of the answers."""
    page.get_by_role("tab", name="Questions").click()
    expect(page.locator("#try-size")).to_be_visible()
    yield "opened"
    for name in ("try-edges", "try-small"):
        page.locator(f"#{name}").click()
        expect(page.locator(f"#{name}-result .kd-answer[data-done=true]")).to_be_visible()
        expect(page.locator(f"#{name}")).to_be_enabled()
    yield "answered"


AT_REST = """() => document.getAnimations().every((one) =>
  one.playState !== "running" || one.effect.getComputedTiming().endTime === Infinity)"""


@pytest.mark.parametrize("walk", [panels, run, recover, questions])
@pytest.mark.parametrize(
    ("screen", "scheme"),
    [
        ("laptop", "light"),
        ("phone", "dark"),
        ("laptop", "dark"),
        ("phone", "light"),
    ],
)
def test_axe_finds_nothing(new_page, server, screen, scheme, walk):
    """In each state of a tab, on a laptop and on a phone, light and dark."""
    page = new_page(viewport=SCREENS[screen], color_scheme=scheme)
    page.goto(server)
    page.add_script_tag(content=AXE.read_text("utf-8"))
    found = {}
    for state in walk(page):
        page.wait_for_function(AT_REST)  # half faded in, text has half its contrast
        for violation in page.evaluate(RUN, list(OUT_OF_REACH)):
            found.setdefault(violation, state)
    assert not found, "\n".join(f"{state}: {violation}" for violation, state in found.items())
