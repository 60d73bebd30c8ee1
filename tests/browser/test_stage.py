"""The live stage in a real browser, by itself: no server, values handed to its script directly."""

import base64
import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import gradio
import numpy as np
import pytest

from kernel_demo import numbers
from kernel_demo.ui import components
from kernel_demo.ui.components import stage

pytestmark = pytest.mark.browser

SOBEL = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
UNEVEN = np.array([[0.0, 1, -2], [3, 0.5, 0], [-1, 4, 0.25]])  # no symmetry: shows a flipped kernel
SIZES = [(1280, 900), (390, 844)]


def plex():
    """The page's own font, which comes with gradio, as a style for pages without a server."""
    folder = Path(gradio.__file__).parent / "templates/frontend/static/fonts/IBMPlexSans"
    encoded = base64.b64encode((folder / "IBMPlexSans-Bold.woff2").read_bytes()).decode()
    source = f"url(data:font/woff2;base64,{encoded})"
    return f"@font-face {{ font-family: 'IBM Plex Sans'; src: {source}; }}"


def patch():
    return np.random.default_rng(0).integers(0, 256, (80, 100), dtype=np.uint8)


def frame(number=1, session=1, server="one", kernel=SOBEL + 0.1, truth=SOBEL, **changes):
    state = {
        "step": number,
        "steps": 50,
        "loss": 0.1,
        "validation_loss": 0.2,
        "kernel": kernel,
        "kernel_error": 0.1,
        "seconds": 1.0,
        "device": "CPU",
        "done": False,
        "stopped_because": "",
    }
    progress = SimpleNamespace(**(state | changes))
    history = stage.History().add([progress])
    value = stage.frame(session, progress, truth, history, patch())
    return value | {"server": server, "number": number}


@pytest.fixture
def opened(alone):
    """Opens the stage at a width: opened(width=1280, height=900) -> the page."""

    def open_stage(width=1280, height=900):
        first = stage.idle(SOBEL, patch())
        return alone(stage.component(), first, viewport={"width": width, "height": height})

    return open_stage


def show(page, value):
    page.evaluate("(value) => window.show(value)", json.loads(json.dumps(value)))


def step(page):
    return page.locator(".kd-live").get_attribute("data-step")


@pytest.mark.parametrize("size", [3, 9, 31])
def test_the_browser_filters_as_opencv_does(page, size):
    """The pictures on the stage are those of the kernels beside them, not flipped, to float32."""
    generator = np.random.default_rng(size)
    kernel = UNEVEN if size == 3 else generator.normal(size=(size, size))
    before = generator.random((40, 50), dtype=np.float32)
    script = components.script("drawing")
    result = page.evaluate(
        """([script, pixels, kernel, k]) => {
          const correlate = Function(`${script}; return correlate`)();
          const picture = { pixels: Float32Array.from(pixels), height: 40, width: 50 };
          const result = correlate(picture, Float32Array.from(kernel), k);
          return [result.height, result.width, [...result.values]];
        }""",
        [script, before.ravel().tolist(), kernel.ravel().tolist(), size],
    )
    radius = size // 2
    whole = cv2.filter2D(before.astype(np.float64), cv2.CV_64F, kernel)
    inside = whole[radius : 40 - radius, radius : 50 - radius]
    assert tuple(result[:2]) == inside.shape
    # At most 961 sums rounded to float32, of magnitude 31 or less.
    np.testing.assert_allclose(np.reshape(result[2], inside.shape), inside, atol=1e-4)


def test_the_browser_writes_numbers_as_python_does(page):
    """Three digits or a power of ten, signs and ties alike: one figure, whichever wrote it."""
    values = [0.0, 0.9996, 9.996, 999.96, 9999.4, 9999.6, 0.0009996, 1e-3, 1e4, 12500, 1350000]
    values += [step / 64 for step in range(200)]  # ties among them: 0.03125, 1.125
    values += (10.0 ** np.random.default_rng(0).uniform(-12, 12, 200)).tolist()
    values += [-value for value in values]
    written = page.evaluate(
        "([script, values]) => values.map((v) => Function(`${script}; return figure`)()(v))",
        [components.script("drawing"), values],
    )
    assert written == [numbers.figure(value) for value in values]


def test_an_update_may_be_repeated_or_come_late(opened):
    """The same update twice draws the same; one that was drawn before what is shown is ignored,
    of this run or of the one before; a server that started anew counts from one again."""
    page = opened()
    show(page, frame(number=5))
    drawn = page.evaluate("pixels()")
    show(page, frame(number=5))
    assert page.evaluate("pixels()") == drawn
    show(page, frame(number=4, kernel=SOBEL * 0))
    assert (step(page), page.evaluate("pixels()")) == ("5", drawn)
    show(page, frame(number=7, session=2))
    assert step(page) == "7"
    show(page, frame(number=6, session=1))
    assert step(page) == "7"
    show(page, frame(number=1, session=2, server="another"))
    assert step(page) == "1"


def test_an_error_keeps_what_was_drawn(opened):
    """The sentence appears, the kernels stay, and the next update takes the sentence away."""
    page = opened()
    show(page, frame(number=5))
    drawn = page.evaluate("pixels()")
    show(page, stage.failed("Expected a picture; got none."))
    error = page.locator(".kd-live-error")
    assert error.inner_text() == "Expected a picture; got none."
    assert (step(page), page.evaluate("pixels()")) == ("5", drawn)
    show(page, frame(number=6))
    assert not error.is_visible()


@pytest.mark.parametrize(("dark", "neutral"), [(False, [245, 245, 242]), (True, [38, 41, 49])])
def test_zero_has_the_neutral_colour_of_the_page(opened, dark, neutral):
    """A weight of zero is neither blue nor orange, and follows the page from light to dark."""
    page = opened()
    show(page, frame())
    page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", dark)
    page.wait_for_timeout(300)
    corner, middle = page.evaluate(
        """() => [[0.04, 0.5], [0.36, 0.5]].map(([x, y]) => {
          const c = document.querySelector('[data-kernel=truth]');
          return [...c.getContext('2d').getImageData(x * c.width, y * c.height, 1, 1).data];
        })"""
    )
    assert middle[:3] == neutral
    assert corner[2] > corner[0] + 60  # -2 is blue


@pytest.mark.parametrize("font", ["'IBM Plex Sans'", "monospace"])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_jumps_while_it_learns(opened, width, height, font):
    """Every part keeps its place from the invitation to the end, and no word beside the bar is cut.

    In the page's own font and in the widest that every system has: letters decide no size.
    """
    page = opened(width, height)
    page.add_style_tag(content=f"{plex()} .kd-live * {{ font-family: {font} !important; }}")
    loaded = page.evaluate(
        "(font) => document.fonts.load(`600 14px ${font}`).then((f) => f.length)", font
    )
    assert loaded == (font != "monospace")
    places = """() => [...document.querySelectorAll('.kd-live canvas, .kd-live-bar > *')]
      .map((e) => e.getBoundingClientRect())
      .map((r) => [r.x, r.y + scrollY, r.width, r.height])"""
    cut = """() => [...document.querySelectorAll('.kd-live-bar > *')]
      .filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.textContent)"""
    at_first = page.evaluate(places)
    ended = {"done": True, "stopped_because": "Why it stopped. " * 4}
    for number, changes in enumerate(
        [
            {"step": 1, "seconds": 0.1},
            {"step": 4998, "steps": 5000, "seconds": 599.9},
            {"step": 10_000, "steps": 10_000, "seconds": 7000.0} | ended,
        ],
        start=1,
    ):
        show(page, frame(number, **changes))
        assert page.evaluate(places) == at_first
        assert page.evaluate(cut) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_stage_comes_into_view_on_a_phone(opened):
    """Where learning starts below the fold, the page scrolls to it: once, not at each update."""
    page = opened(390, 600)
    page.evaluate("() => { document.querySelector('.kd-live').style.margin = '1500px 0'; }")
    show(page, frame(number=1))
    page.wait_for_function(
        "() => Math.round(document.querySelector('.kd-live').getBoundingClientRect().top) === 8"
    )
    page.evaluate("() => window.scrollTo(0, 0)")
    show(page, frame(number=2))
    page.wait_for_timeout(500)
    assert page.evaluate("scrollY") == 0


def test_the_weights_can_be_read_without_a_mouse(opened):
    """Arrow keys walk the cells; what they hold is written out and spoken."""
    page = opened()
    show(page, frame(kernel=SOBEL - 0.25))
    page.locator(".kd-live-row").first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    said = "Row 2, column 2: 0 − (−0.250000) = 0.25"
    assert page.locator(".kd-live-reading").inner_text() == said
    assert page.locator(".kd-live-spoken").inner_text() == said
    page.keyboard.press("Escape")
    assert "Row" not in page.locator(".kd-live-reading").inner_text()


def test_a_kernel_that_diverged_is_neutral(opened):
    """Weights that are no numbers show neither blue nor orange, and break nothing."""
    page = opened()
    show(page, frame(kernel=np.full((3, 3), np.nan), loss=float("nan"), kernel_error=None))
    colour = page.evaluate(
        """() => { const c = document.querySelector('[data-kernel=learned]');
          return [...c.getContext('2d').getImageData(c.width / 6, c.height / 6, 1, 1).data]; }"""
    )
    assert colour[:3] == [245, 245, 242]
