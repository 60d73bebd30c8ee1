"""The patterns under the stage: live, in step with the timeline, right to the digits told."""

import numpy as np
import pytest
from playwright.sync_api import expect

from kernel_demo.learning.patterns import MOST
from kernel_demo.ui.components import spectrum
from kernel_demo.ui.learn import settings
from kernel_demo.ui.learn.run import run
from kernel_demo.ui.learn.session import Session, prepare
from tests.browser.conftest import after_drawing, at_pace
from tests.browser.stage_values import SOBEL, encoded, record

COLUMNS = "[data-wrong]"
WRONG = f"[...document.querySelectorAll('#spectrum {COLUMNS}')].map((e) => Number(e.dataset.wrong))"
SHOWN = """() => ({ step: Number(document.querySelector('.kd-live').dataset.step),
                    told: Number(document.querySelector('.kd-spectrum').dataset.step) })"""


def live(page):
    return page.locator("#live .kd-live")


def set_to(**changes):
    """The experiment of the page's settings but for these."""
    return settings.experiment({**settings.START, **changes})


def eigenvectors(wanted):
    """Of X'X of all patches, laid out one by one: shares and columns, in descending order."""
    size, gram = len(wanted.weights), 0
    for before, _, _ in prepare(wanted).pairs:
        rows = np.lib.stride_tricks.sliding_window_view(before, (size, size))
        rows = rows.reshape(-1, size * size).astype(np.float64)
        gram = gram + rows.T @ rows
    values, vectors = np.linalg.eigh(gram)
    return values[::-1] / values.sum(), vectors[:, ::-1]


def seek(page, step):
    """Drag the timeline to a step."""
    page.locator("#timeline").evaluate(
        """(slider, step) => { slider.value = step;
             slider.dispatchEvent(new Event('input', { bubbles: true })); }""",
        step,
    )
    after_drawing(page)


def quieted(page):
    """The requests from now on, once the page has made none for three seconds."""
    requests, before = [], None
    page.on("request", lambda request: requests.append(request.url))
    while before != len(requests):
        before = len(requests)
        page.wait_for_timeout(3000)
    requests.clear()
    return requests


def opened(page, link):
    """Open a link that is set to Adam: what it sets is on the page."""
    page.goto(link)
    expect(page.locator("[data-chip=method]")).to_have_text("Adam")
    quieted(page)


@pytest.mark.parametrize("width", [1366, 1280, 900, 390])
@pytest.mark.parametrize("query", ["kernel=gaussian&size=5", "kernel=random&size=15", "size=3"])
def test_no_sentence_is_cut_off(new_page, server, width, query):
    """Before and after a run, every line of the card is within its box."""
    page = new_page(viewport={"width": width, "height": 800})
    page.goto(f"{server}?{query}&run=1")
    expect(live(page)).to_have_attribute("data-done", "true")
    page.locator("#spectrum").scroll_into_view_if_needed()
    expect(page.locator(".kd-spectrum")).not_to_have_attribute("data-step", "0")
    after_drawing(page)
    cut = """() => [...document.querySelectorAll('.kd-spectrum-words p')]
      .filter((e) => e.scrollHeight > e.clientHeight + 1).map((e) => e.textContent)"""
    assert page.evaluate(cut) == []


@pytest.mark.parametrize("width", [1366, 390])
def test_how_the_bars_are_measured_is_said(new_page, server, width):
    """Those below are to scale, those above by tens; and why no bar is the verdict's figure."""
    page = new_page(viewport={"width": width, "height": 800})
    page.goto(server)
    card = page.locator("#spectrum")
    card.scroll_into_view_if_needed()
    expect(card.locator("canvas").first).to_be_visible()
    said = " ".join(card.inner_text().split())
    assert "each grid line" in said
    assert "to scale" in said
    assert "one figure for all weights together, not that of the worst one" in said
    names = card.locator(".kd-spectrum-names")
    if names.is_visible():  # none stands out of its row
        assert names.evaluate("(e) => e.scrollHeight <= e.clientHeight + 1")


def test_on_a_phone_what_is_told_is_drawn(new_page, server):
    """Of nine patterns six are seen, which is said; the one that is named is among them."""
    page = new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{server}?method=adam&steps=60&run=1")
    expect(live(page)).to_have_attribute("data-done", "true")
    page.locator("#spectrum").scroll_into_view_if_needed()
    seen = page.locator("#spectrum .kd-pattern:visible")
    expect(seen).to_have_count(6)
    words = page.locator(".kd-spectrum-words")
    expect(words).to_contain_text("a mix of nine patterns, of which 6 are here.")
    named = page.evaluate("window.kdPatterns")
    assert named["along"] in words.inner_text()
    assert any(named["part"] in one for one in seen.all_inner_texts())


def test_the_bars_below_follow_the_timeline(page, server):
    """At each step |v . (learned - true)| by NumPy, of a run made here; and no request for it."""
    wanted = set_to(method="adam", steps=60)
    *_, last = run(Session(experiment=wanted))
    shares, vectors = eigenvectors(wanted)
    opened(page, f"{server}?method=adam&steps=60")
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    requests = quieted(page)
    for step in (60, 1, 37, 0):
        seek(page, step)
        expect(page.locator(".kd-spectrum")).to_have_attribute("data-step", str(step))
        expected = np.abs(last.kept.at(step).difference.ravel() @ vectors)
        np.testing.assert_allclose(page.evaluate(WRONG), expected, rtol=1e-2, atol=2e-4)
    assert requests == []
    assert page.locator(".kd-pattern-above span").all_inner_texts() == list(
        map(spectrum.share, shares)
    )


def test_they_are_of_the_step_shown_while_it_learns(new_page, server):
    """Read at every frame of a run that is shown at normal speed."""
    page = new_page(reduced_motion="no-preference")
    at_pace(page, "normal")
    page.goto(server)
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-state", "running")
    seen = page.evaluate(
        f"""async () => {{ const look = {SHOWN}; const seen = [];
             for (let i = 0; i < 120; i++) {{
               await new Promise(requestAnimationFrame);
               await new Promise((done) => setTimeout(done, 20));
               seen.push(look());
             }} return seen; }}"""
    )
    assert all(one["step"] == one["told"] for one in seen)
    assert len({one["step"] for one in seen}) >= 5


def test_learn_with_kfac(page, server):
    """One press after Adam: K-FAC from the same start, Adam's run pale; what it came to is said."""
    opened(page, f"{server}?method=adam&steps=40")
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    button = page.locator("#learn-kfac")
    expect(page.locator(".kd-spectrum [data-text=mix]")).to_contain_text("At step 40")
    expect(button).to_be_enabled()
    button.click()
    expect(page.locator("[data-chip=method]")).to_have_text("K-FAC")
    expect(live(page)).to_have_attribute("data-done", "true")
    expect(page.locator("#clear-before")).to_be_visible()
    expect(button).to_be_hidden()
    error = float(live(page).get_attribute("data-kernel-error"))
    assert error < 1e-5
    steps = live(page).get_attribute("data-step")
    expect(page.locator(".kd-spectrum [data-text=kfac]")).to_contain_text(f"after {steps} steps")
    assert "method" not in page.evaluate("location.search")


def test_why_leads_to_the_reason(page, server):
    """From the verdict on a small loss with a wrong kernel, and the address stays as it is."""
    opened(page, f"{server}?method=adam&steps=60")
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    address = page.url
    verdict = page.locator(".kd-verdict-line")
    expect(verdict).to_contain_text("Small loss, wrong kernel.")
    verdict.get_by_role("link", name="Why?").click()
    expect(page.locator("#spectrum canvas").last).to_be_in_viewport()
    assert page.url == address


def test_of_large_kernels_the_telling_ones(page, server):
    """At 9 x 9 as many as fit, from the first to the last; their errors are NumPy's."""
    wanted = set_to(kernel="random", size=9, method="adam", steps=20)
    *_, last = run(Session(experiment=wanted))
    shares, vectors = eigenvectors(wanted)
    opened(page, f"{server}?kernel=random&size=9&method=adam&steps=20")
    expect(page.locator(".kd-spectrum canvas")).to_have_count(MOST)
    page.locator("#learn").click()
    expect(live(page)).to_have_attribute("data-done", "true")
    labels = page.locator(".kd-pattern-above span").all_inner_texts()
    assert [labels[0], labels[-1]] == [spectrum.share(shares[0]), spectrum.share(shares[-1])]
    expected = np.abs(last.kept.at(20).difference.ravel() @ vectors)[[0, -1]]
    told = page.evaluate(WRONG)
    np.testing.assert_allclose([told[0], told[-1]], expected, rtol=1e-2, atol=2e-4)
    expect(page.locator(".kd-spectrum")).to_contain_text("81 patterns, of which 11 are here")


# ---- By itself: values handed to its script


def worked(**changes):
    """Patterns of two pixels of 3 x 3, as they are worked by hand: their sum and difference."""
    vectors = np.zeros((2, 3, 3))
    vectors[:, 1, :2] = np.sqrt(0.5) * np.array([[1, 1], [1, -1]])
    made = {
        "lesson": "one", "size": 3, "of": 9,
        "shares": [0.995, 0.005], "labels": ["99.5 %", "0.50 %"],
        "vectors": encoded(vectors, "<f8"), "narrow": [0, 1], "alike": True, "smooth": True,
    }  # fmt: skip
    return made | changes


SHOW = """([first, now, loss, truth, more]) => {
  const flat = (b) => new Float32Array(Uint8Array.from(atob(b), (c) => c.charCodeAt(0)).buffer);
  const rows = [flat(first).slice(0, 5), flat(now).slice(0, 5)];
  window.kdShown = {
    lesson: 'one', state: 'running', method: 'adam', before: null, row: rows[1],
    difference: Float64Array.from(flat(now).slice(5)),
    run: { rows, parts: [{ text: first, rows: [rows[0]] }], width: 14, truth, truthText: '' },
    ...more };
  document.dispatchEvent(new CustomEvent('kd-shown'));
}"""


def shown(page, learned, start=None, loss=0.0015, **more):
    first = record(0, SOBEL, SOBEL + 1 if start is None else start, loss=1.0)
    now = record(7, SOBEL, learned, loss=loss)
    given = [encoded(first), encoded(now), loss, SOBEL.ravel().tolist(), more]
    page.evaluate(SHOW, given)


def off(by):
    """Sobel with one weight too large, and its neighbour as much too small."""
    made = SOBEL.copy()
    made[1, :2] += by, -by
    return made


def words(page):
    return " ".join(page.locator("[data-text=mix]").inner_text().split())


def test_errors_of_opposite_sign_lie_along_the_difference(alone):
    """One weight 0.3 too large and its neighbour 0.3 too small: 0, and 0.3 times the root of 2."""
    page = alone(spectrum.component(), worked())
    shown(page, off(0.3))
    told = page.evaluate(WRONG.replace("#spectrum", ".kd-spectrum"))
    np.testing.assert_allclose(told, [0, 0.3 * np.sqrt(2)], atol=1e-6)
    expect(page.locator(".kd-pattern-below span").last).to_have_text("0.42")
    assert "At step 7 99.8 % of the loss is gone, and along a rare one" in words(page)
    assert "still 0.42 wrong" in words(page)
    plot = page.get_by_role("img").first
    assert "0.50 % of the pictures, 0.42 wrong" in plot.get_attribute("aria-label")


@pytest.mark.parametrize(
    ("learned", "loss", "changes", "said"),
    [
        (off(0.001), 1e-6, {}, "along none of these is the kernel more than 0.0015 wrong"),
        (off(0.3), 0.5, {}, "is still up to 0.42 wrong along one"),  # the loss sees it
        (off(0.3), 0.001, {"shares": [0.9, 0.1]}, "is still up to 0.42 wrong along one"),
        (off(np.nan), 0.001, {}, "still up to – wrong"),
    ],
)
def test_no_more_is_said_than_the_figures_do(alone, learned, loss, changes, said):
    """Right where it is right, rounded upwards; a small loss and a rare pattern only where they
    are."""
    page = alone(spectrum.component(), worked(**changes))
    shown(page, learned, loss=loss)
    assert said in words(page)


def test_of_other_pictures_nothing_is_said(alone):
    """A run on pictures whose patterns are not here: the bars below are gone until they are."""
    page = alone(spectrum.component(), worked())
    shown(page, off(0.3))
    shown(page, off(0.3), lesson="another")
    expect(page.locator(".kd-spectrum")).to_have_attribute("data-unknown", "true")
    expect(page.locator(".kd-pattern-below").first).to_be_hidden()
    page.evaluate("(value) => show(value)", worked(lesson="another"))
    expect(page.locator(".kd-pattern-below").first).to_be_visible()
    page.evaluate("(value) => show(value)", None)
    expect(page.locator(".kd-pattern")).to_have_count(0)
    expect(page.get_by_role("img")).to_have_attribute("aria-label", spectrum.WORDS["unknown"])


def test_pictures_that_are_no_photos(alone):
    """Where neighbours are not alike, or the fine ones not rare, neither is claimed."""
    page = alone(spectrum.component(), worked(alike=False, smooth=False, shares=[0.6, 0.4]))
    said = page.locator(".kd-spectrum").inner_text()
    assert spectrum.WORDS["alike"] not in said
    assert "rare." not in said
    assert spectrum.WORDS["frequent"] in said


def test_a_bar_that_has_no_room_is_cut(alone):
    """Its full height, and marked; its figure is the true one."""
    page = alone(spectrum.component(), worked())
    shown(page, off(3.0), start=off(0.1))
    assert page.locator("[data-cut=true]").count() == 1
    expect(page.locator(".kd-pattern-below span").last).to_have_text("4.2")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1366, 1280, 390, 320])
def test_nothing_stands_out_and_nothing_jumps(alone, width, scheme):
    """Within its card at each size; card, tiles and button keep their place whatever is said."""
    size = {"width": width, "height": 844}
    page = alone(spectrum.component(), worked(), viewport=size, color_scheme=scheme)
    places = """() => ['.kd-spectrum', '.kd-spectrum canvas', '#learn-kfac', '[data-text=kfac]']
      .map((each) => { const r = document.querySelector(each).getBoundingClientRect();
                       return [r.x, r.y, r.width, r.height].map(Math.round).join(' '); })"""
    shown(page, off(0.3))
    first = page.evaluate(places)
    for learned, loss, more in (
        (off(3.0), 0.9, {"state": "before"}),
        (off(1e-7), 1e-9, {"state": "finished", "method": "kfac"}),
    ):
        shown(page, learned, loss=loss, **more)
        assert page.evaluate(places) == first
    assert page.evaluate("document.documentElement.scrollWidth") <= width
