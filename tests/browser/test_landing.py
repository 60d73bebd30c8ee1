"""A link opens on what it shares, and runs it where it says so."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import opened
from tests.browser.test_axe import AXE, RUN

WINDOWS = [(1366, 768), (1280, 720), (390, 844)]
SEEN = """(id) => {
  const { top, bottom, left, right } = document.getElementById(id).getBoundingClientRect();
  return top > -2 && top < innerHeight / 2 && left >= 0 && right <= innerWidth + 1 && bottom > top;
}"""


def live(page):
    return page.locator("#live .kd-live")


def lands(page, target):
    """Within patience its start is in the upper half of the window, and stays there."""
    page.wait_for_function(f"document.getElementById('{target}')?.dataset.landed")
    page.wait_for_timeout(1500)
    assert page.evaluate(SEEN, target) or page.evaluate(
        "innerHeight + Math.ceil(scrollY) >= document.documentElement.scrollHeight - 1"
    )
    assert page.locator(f"#{target}").bounding_box()["y"] < page.viewport_size["height"] - 40


@pytest.mark.parametrize(
    ("query", "tab", "target"),
    [
        ("challenge=3-17", "Questions", "challenge"),
        ("question=limits", "Questions", "question-limits"),
        ("example=camera_edges", "Recover", "example-camera_edges"),
        ("race=kfac,adam", "Learn", "race-card"),
    ],
)
@pytest.mark.parametrize("size", WINDOWS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_link_opens_on_what_it_shares(new_page, server, query, tab, target, size, scheme):
    """The tab is open, and what is shared is in view and has the focus; axe finds nothing there."""
    page = new_page(viewport=dict(zip(("width", "height"), size, strict=True)), color_scheme=scheme)
    page.goto(f"{server}/?{query}")
    expect(page.get_by_role("tab", name=tab, exact=True)).to_have_attribute("aria-selected", "true")
    lands(page, target)
    focused = page.evaluate("document.activeElement.closest('[data-landed]')?.id")
    assert focused == target
    expect(page.locator(".kd-landing")).to_be_hidden()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate(RUN, []) == []


def test_a_link_runs_what_learn_is_set_to(page, server):
    """Once the page is set to all of it, and not the defaults."""
    page.goto(f"{server}/?kernel=box&size=5&method=closed_form&run=1")
    expect(live(page)).to_have_attribute("data-done", "true")
    expect(page.locator("#chip-filter")).to_contain_text("Box blur, 5 × 5")
    assert float(live(page).get_attribute("data-kernel-error")) < 1e-5
    assert page.evaluate("scrollY") == 0


def test_a_link_without_run_waits(page, server):
    """Opening a link alone costs nothing."""
    page.goto(f"{server}/?kernel=box&size=5")
    expect(page.locator("#chip-filter")).to_contain_text("Box blur, 5 × 5")
    page.wait_for_timeout(1500)
    expect(live(page)).to_have_attribute("data-state", "before")


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("challenge=3-17&run=1", "#challenge-learn-result .kd-answer[data-done=true]"),
        ("question=edges&run=1", "#try-edges-result .kd-answer[data-done=true]"),
        ("example=camera_emboss&run=1", "#recover-take .kd-take"),
        ("race=kfac,closed_form&kernel=box&run=1", "#race-view table tbody tr:nth-child(2)"),
    ],
)
def test_a_link_runs_what_it_opens(page, server, query, result):
    """The hidden kernel is learned, the question answered, the filter found, the race run."""
    page.goto(f"{server}/?{query}")
    expect(page.locator(result)).to_be_visible()


def test_a_race_by_its_link_is_of_those_who_were_chosen(page, server):
    """Copied beside the settings of the page; opened, the same methods race for the same kernel."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{server}/?kernel=box&run=0")
    page.locator("#race-card .kd-fold button").click()
    page.get_by_role("checkbox", name="SGD", exact=True).uncheck()
    page.locator("#race-link").click()
    expect(page.locator("#race-link")).to_have_text("Link copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{server}/?kernel=box&race=kfac,adam,exact_lbfgs,closed_form"
    page.wait_for_timeout(1000)  # a request that is left open is an error in the console
    page.goto(copied)
    lands(page, "race-card")
    page.locator("#race-card .kd-fold button").click()
    expect(page.get_by_role("checkbox", name="SGD", exact=True)).not_to_be_checked()
    expect(page.get_by_role("checkbox", name="Adam", exact=True)).to_be_checked()


def test_what_a_link_has_set_is_marked(page, server):
    """A dot on the chips, heard as well, and a line in their panels, until it is set otherwise."""
    page.goto(f"{server}/?kernel=box&size=5&method=adam")
    for name, said in (
        ("filter", "From the link: Kernel, Size."),
        ("method", "From the link: Method."),
    ):
        chip = page.locator(f"#chip-{name}")
        expect(chip).to_have_attribute("data-linked", "true")
        expect(chip).to_have_attribute("aria-description", said)
        expect(chip).to_have_attribute("title", re.compile(rf"\n{said}$"))
        expect(opened(page, name).locator(".kd-linked")).to_have_text(said)
        page.keyboard.press("Escape")
    expect(page.locator("#chip-pictures")).to_have_attribute("data-linked", "false")
    opened(page, "method").get_by_role("radio", name=re.compile("^K-FAC")).check()
    expect(page.locator("#chip-method")).to_have_attribute("data-linked", "false")
    assert page.locator("#chip-method").get_attribute("aria-description") is None
    expect(page.locator("#chip-filter")).to_have_attribute("data-linked", "true")


def test_a_place_that_there_is_not(page, server):
    """One sentence says so over the page, which is as at first; it can be closed."""
    page.goto(f"{server}/?question=nonsense&run=1")
    strip = page.locator(".kd-landing")
    expect(strip).to_contain_text("a question that there is not, “nonsense”")
    expect(live(page)).to_have_attribute("data-state", "before")
    strip.get_by_role("button", name="Close").click()
    expect(strip).to_be_hidden()


def test_what_is_only_told_leaves_by_itself(page, server):
    """After a while, but not while it is pointed at: someone is reading it."""
    page.clock.install()
    page.goto(f"{server}/?question=nonsense")
    strip = page.locator(".kd-landing")
    expect(strip).to_be_visible()
    strip.hover()
    page.clock.run_for(40_000)
    expect(strip).to_be_visible()
    page.mouse.move(5, 5)
    page.clock.run_for(40_000)
    expect(strip).to_be_hidden()


def test_a_link_to_a_question_is_copied(page, server):
    """By the question itself; the page stays where it is."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(server)
    page.get_by_role("tab", name="Questions").click()
    link = page.locator("#question-edges .kd-share")
    link.click()
    expect(link).to_have_text("Link copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"{server}/?question=edges"
    expect(link).to_have_text("Copy link")
