"""The card "Race" as a visitor uses it."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from kernel_demo.learning.race import RUNNERS, Lane, Snapshot
from kernel_demo.ui.components import race_chart as race_view
from tests.browser.conftest import stop_once_there


def switch(page, label):
    if not page.locator("#race-methods").is_visible():
        page.get_by_role("button", name="Who races").click()
    page.locator("#race-methods").get_by_label(label, exact=True).click()


def test_a_race(page, server):
    """One press: the table fills, who reached 1e-6 and when is there, and why is said."""
    page.goto(server)
    expect(page.locator("#race-view canvas")).to_have_count(2)
    expect(page.locator("#race-view canvas").first).to_be_hidden()
    for slow in ("K-FAC", "Adam", "SGD"):
        switch(page, slow)
    page.locator("#race").click()
    expect(page.locator("#race-view .kd-race")).to_have_attribute("data-done", "true")
    rows = page.locator("#race-view tbody tr")
    expect(rows).to_have_count(2)
    for name in ("exact_lbfgs", "closed_form"):
        cell = page.locator(f"#race-view tr[data-name={name}] td").nth(2)
        expect(cell).to_have_text(re.compile(r"[\d.]+ s\d+ steps?"))
    expect(page.locator("#race-view td.kd-race-first")).to_have_count(3)
    expect(page.locator("#race-view [data-part=verdict]")).to_contain_text("a millionth")
    expect(page.locator("#race-view [data-part=why]")).to_contain_text("condition number")
    drawn = """canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
                     .data.some(v => v)"""
    assert page.locator("#race-view canvas[data-by=seconds]").evaluate(drawn)
    switch(page, "Closed form")  # one is no race
    expect(page.locator("#race")).to_be_disabled()
    expect(page.locator("#race-reason")).to_contain_text("at least two")


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
def test_a_race_comes_into_view(new_page, server, size):
    """Pressed at the end of the page, it shows the charts and, where there is room, all of it."""
    page = new_page(viewport=dict(zip(("width", "height"), size, strict=True)))
    page.goto(server)
    for slow in ("K-FAC", "Adam", "SGD"):
        switch(page, slow)
    page.get_by_role("button", name="Who races").click()
    page.locator("#race").evaluate("(e) => scrollBy(0, e.getBoundingClientRect().top - 700)")
    page.locator("#race").click()
    expect(page.locator("#race-view .kd-race")).to_have_attribute("data-done", "true")
    parts = page.locator("#race-view :is(canvas[data-by], table, [data-part=why])")
    for part in parts.all() if size[0] > 1000 else parts.all()[:2]:
        expect(part).to_be_in_viewport(ratio=0.99)


def test_stop_keeps_what_was_drawn(page, server):
    """Stop ends the race there and then; another one can begin."""
    page.goto(server)
    page.locator("#race").click()
    stop_once_there(page, "#race-view tr[data-name=sgd] td:last-child:not(:empty)", "#race-stop")
    view = page.locator("#race-view .kd-race")
    expect(view).to_have_attribute("data-kind", "stopped")
    expect(page.locator("#race-view tr[data-name=sgd] td").last).not_to_be_empty()
    expect(page.locator("#race-view")).to_contain_text("Stopped by you")
    expect(page.locator("#race")).to_be_enabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_racer_has_a_look_of_its_own(alone, scheme):
    """Whoever races: no two lines in the legend are drawn alike."""
    figures = np.arange(3), np.arange(3.0), np.array([1.0, 0.1, 0.01])
    lanes = tuple(Lane(name, *figures, None, (), True, None) for name in RUNNERS)
    page = alone(race_view.component(), {"kind": "idle"}, color_scheme=scheme)
    value = race_view.frame("run", 1, Snapshot(lanes, True), limit=6.0)
    page.evaluate("(value) => show(value)", value)
    keys = page.locator("tbody th canvas").evaluate_all("(all) => all.map((c) => c.toDataURL())")
    assert len(set(keys)) == len(RUNNERS)
