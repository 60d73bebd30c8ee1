"""The stage in a real browser, by itself: no server, values handed to its script directly."""

import base64
import itertools
import json
from pathlib import Path

import cv2
import gradio
import numpy as np
import pytest
from playwright.sync_api import expect

from kernel_demo import numbers
from kernel_demo.ui import components
from kernel_demo.ui.components import stage
from kernel_demo.ui.learn import showing
from tests.browser.conftest import after_drawing
from tests.browser.stage_values import (
    SOBEL,
    ended,
    falling,
    idle,
    photo,
    piece,
    record,
    value,
)

pytestmark = pytest.mark.browser

UNEVEN = np.array([[0.0, 1, -2], [3, 0.5, 0], [-1, 4, 0.25]])  # no symmetry: shows a flipped kernel
# cv2's borders; filter2D refuses wrap, which is numpy's then.
BORDERS = {
    "zero": cv2.BORDER_CONSTANT,
    "replicate": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT_101,
    "symmetric": cv2.BORDER_REFLECT,
    "wrap": None,
}
SCRIPT = components.script("drawing", "chart", "show", "verdict", "arithmetic")
# Windows, and where the parts must end: of the bar's top, which stands 88 below the window's.
WINDOWS = {(1366, 768): 618, (1280, 720): 591, (1366, 650): 562}


def plex():
    """The page's own font, which comes with gradio, as a style for pages without a server."""
    folder = Path(gradio.__file__).parent / "templates/frontend/static/fonts/IBMPlexSans"
    faces = []
    for weight, name in ((400, "Regular"), (700, "Bold")):
        encoded = base64.b64encode((folder / f"IBMPlexSans-{name}.woff2").read_bytes()).decode()
        source = f"url(data:font/woff2;base64,{encoded})"
        faces.append(
            f"@font-face {{ font-family: 'IBM Plex Sans'; font-weight: {weight}; src: {source}; }}"
        )
    return "".join(faces)


def grey(pixels, channel="luminance"):
    """The plane that is learned from, in grey levels, float64."""
    levels = pixels.astype(np.float64)
    if channel == "luminance":
        return levels @ [0.299, 0.587, 0.114]
    return levels[..., ["red", "green", "blue"].index(channel)]


def filtered(plane, kernel, border):
    """The whole picture through the kernel, by OpenCV."""
    if BORDERS[border] is not None:
        return cv2.filter2D(plane, cv2.CV_64F, kernel, borderType=BORDERS[border])
    radius = len(kernel) // 2
    wide = cv2.filter2D(np.pad(plane, radius, mode="wrap"), cv2.CV_64F, kernel)
    return wide[radius:-radius, radius:-radius]


@pytest.fixture
def opened(alone):
    """Opens the stage at a size: opened(width=1280, height=720, first=...) -> the page."""

    def open_stage(width=1280, height=720, first=None, **options):
        first = first or idle(picture=piece(photo()))
        size = {"width": width, "height": height}
        return alone(stage.component("live", None), plain(first), viewport=size, **options)

    return open_stage


def plain(sent):
    return json.loads(json.dumps(sent))


def show(page, sent):
    page.evaluate("(value) => window.show(value)", plain(sent))


def run(page, call, *given):
    """The result of a function of the scripts: run(page, "figure", 0.5)."""
    return page.evaluate(
        "([script, call, given]) => Function(`${script}; return ${call}`)()(...given)",
        [SCRIPT, call, list(given)],
    )


def attribute(page, name):
    return page.locator(".kd-live").get_attribute(f"data-{name}")


def settled(page, **attributes):
    """Wait until the stage shows these attributes."""
    for name, expected in attributes.items():
        page.locator(f".kd-live[data-{name}='{expected}']").wait_for()


def told(page):
    """What the script has told the server of what was pressed."""
    return [one for one in page.evaluate("window.triggered") if one[0] != "arrived"]


def arrivals(page):
    """The steps at which it has told that the show rests."""
    return [said["step"] for name, said in page.evaluate("window.triggered") if name == "arrived"]


def begun(page):
    """A step beyond the first is shown: which one, a busy machine decides."""
    page.locator(".kd-live:not([data-step='0'])").wait_for()


def at_speed(page, name):
    page.locator("#speed").click()
    page.locator(f"#speed-{name}").click()


def verdict(page):
    return " ".join(page.locator("[data-text=verdict]").inner_text().split())


# ---- The arithmetic


@pytest.mark.parametrize("size", [3, 9, 31])
def test_the_browser_filters_as_opencv_does(page, size):
    """The pictures on the stage are those of the kernels beside them, not flipped, to float32."""
    generator = np.random.default_rng(size)
    kernel = UNEVEN if size == 3 else generator.normal(size=(size, size))
    before = generator.random((40, 50), dtype=np.float32)
    result = run(
        page,
        "(pixels, kernel, k) => { const before = { pixels, height: 40, width: 50 };"
        " const r = correlate(before, kernel, k); return [r.height, r.width, [...r.values]]; }",
        before.ravel().tolist(), kernel.ravel().tolist(), size,
    )  # fmt: skip
    radius = size // 2
    inside = filtered(before.astype(np.float64), kernel, "reflect")
    inside = inside[radius : 40 - radius, radius : 50 - radius]
    assert tuple(result[:2]) == inside.shape
    # At most 961 sums rounded to float32, of magnitude 31 or less.
    np.testing.assert_allclose(np.reshape(result[2], inside.shape), inside, atol=1e-4)


@pytest.mark.parametrize("size", [3, 5, 9])
@pytest.mark.parametrize("border", list(BORDERS))
@pytest.mark.parametrize("channel", ["luminance", "red", "blue"])
def test_every_pixel_is_worked_out_as_opencv_does(page, border, size, channel):
    """Patch times kernel, summed, at every pixel and corner: OpenCV's within 0.01 grey levels."""
    pixels = photo(9, 11, seed=size)
    kernel = np.random.default_rng(size).normal(size=(size, size))
    rgba = np.dstack([pixels, np.full((9, 11), 255, np.uint8)])
    sums = run(
        page,
        """(rgba, kernel, k, border, channel) => {
          const where = { left: 0, top: 0, width: 11, height: 9, of: [9, 11], channel };
          const plane = planeOf(rgba, where);
          return Array.from({ length: 99 }, (_, i) => (
            productsOf(patchAt(plane, i % 11, Math.floor(i / 11), k, border), kernel).sum));
        }""",
        rgba.ravel().tolist(), kernel.ravel().tolist(), size, border, channel,
    )  # fmt: skip
    expected = filtered(grey(pixels, channel), kernel, border)
    np.testing.assert_allclose(np.reshape(sums, (9, 11)), expected, atol=0.01)


@pytest.mark.parametrize("border", list(BORDERS))
@pytest.mark.parametrize(("height", "width"), [(60, 60), (60, 90)])
def test_the_page_says_what_a_pixel_comes_to(opened, border, height, width):
    """By arrow keys to the picture's corner and a step inside: data-sum, data-true of a PNG
    that is a piece with margins, in pixels of the full picture."""
    pixels = photo(height, width, seed=1)
    learned = UNEVEN * 0.9
    records = [record(0, UNEVEN, learned)]
    first = value(records, UNEVEN, picture=piece(pixels, margin=5), border=border)
    page = opened(first=first)
    page.locator("#arithmetic[data-sum]").wait_for()
    page.locator("[data-view=after]").focus()
    for key in ("ArrowUp", "ArrowLeft"):
        for _ in range(7):
            page.keyboard.press(f"Shift+{key}")
    place = page.locator("#arithmetic")
    for step in range(2):
        x, y = (width - 60) // 2 + step, 0
        for name, at in (("x", x), ("y", y)):
            expect(place).to_have_attribute(f"data-{name}", str(at))
        for name, kernel in (("sum", learned), ("true", UNEVEN)):
            expected = filtered(grey(pixels), kernel, border)[y, x]
            assert float(place.get_attribute(f"data-{name}")) == pytest.approx(expected, abs=0.01)
        assert place.get_attribute("data-made") == "true"
        page.keyboard.press("ArrowRight")


def test_a_pixel_of_a_photo_of_16_bits(opened):
    """Its sums are of the values that are learned from, not of their 8 bits."""
    deep = np.random.default_rng(5).integers(0, 65536, (50, 60, 3)).astype(np.uint16)
    photo = np.divide(deep, np.float32(65535), dtype=np.float32)
    first = value(
        [record(0, UNEVEN, UNEVEN * 0.9)], UNEVEN, picture=showing.piece(photo, "luminance")
    )
    page = opened(first=first)
    page.locator("#arithmetic[data-sum]").wait_for()
    place = page.locator("#arithmetic")
    x, y = (int(place.get_attribute(f"data-{name}")) for name in "xy")
    for name, kernel in (("sum", UNEVEN * 0.9), ("true", UNEVEN)):
        expected = filtered(grey(deep / 257), kernel, "reflect")[y, x]
        assert float(place.get_attribute(f"data-{name}")) == pytest.approx(expected, abs=0.01)


def test_a_pixel_that_the_piece_lacks_is_not_invented(page):
    """Where the rule asks for the picture's other side, and that was not sent, there is no sum."""
    lacking, made, held = run(
        page,
        """() => {
          const rgba = new Uint8Array(4 * 25).fill(100);
          const at = { left: 0, top: 0, width: 5, height: 5, of: [50, 50], channel: 'luminance' };
          const plane = planeOf(rgba, at);
          const corner = patchAt(plane, 0, 0, 3, 'wrap');
          return [corner.lacking, [...corner.made], patchAt(plane, 0, 0, 3, 'reflect').lacking];
        }""",
    )
    assert (lacking, held) == (True, False)
    assert made == [1, 1, 1, 1, 0, 0, 1, 0, 0]


def test_the_pointer_chooses_the_pixel(opened):
    """Where the mouse is over Before, there the arithmetic is; the mark stands on both pictures."""
    page = opened()
    box = page.locator("[data-view=before]").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.251, box["y"] + box["height"] * 0.501)
    after_drawing(page)
    place = page.locator("#arithmetic")
    # The square is 80 of a picture 100 wide: its left edge is at 10.
    assert (place.get_attribute("data-x"), place.get_attribute("data-y")) == ("30", "40")
    lefts = page.eval_on_selector_all(".kd-mark", "(all) => all.map((e) => e.style.left)")
    assert lefts == ["25.625%"] * 2


def test_the_pixels_of_a_picture_come_once(opened):
    """Later values name it by its key alone; back to one that was shown, it is there again."""
    first, second = piece(photo(seed=1)), piece(photo(seed=2))
    page = opened(first=idle(picture=first))
    page.locator("#arithmetic[data-sum]").wait_for()
    shown = page.evaluate("pixels()")
    for number, sent in enumerate((first | {"url": ""}, second, first | {"url": ""}), start=1):
        show(page, idle(picture=sent, number=number))
        assert (page.evaluate("pixels()") == shown) == (sent["key"] == first["key"])
    show(page, idle(picture=second | {"url": "", "key": "never sent"}, number=9))
    assert page.locator("#arithmetic").get_attribute("data-sum") is None


def test_it_begins_on_an_edge(opened):
    """Before anything is touched the pixel is one where the filter has something to say."""
    pixels = np.full((60, 60, 3), 40, np.uint8)
    pixels[:, 25:] = 200
    page = opened(first=idle(picture=piece(pixels)))
    page.locator("#arithmetic[data-sum]").wait_for()
    assert page.locator("#arithmetic").get_attribute("data-x") in ("24", "25")
    assert float(page.locator("#arithmetic").get_attribute("data-true")) == pytest.approx(640)


# ---- Numbers, charts


def test_the_browser_writes_numbers_as_python_does(page):
    """Three digits or a power of ten, signs and ties alike: one figure, whichever wrote it."""
    values = [0.0, 0.9996, 9.996, 999.96, 9999.4, 9999.6, 0.0009996, 1e-3, 1e4, 12500, 1350000]
    values += [step / 64 for step in range(200)]  # ties among them: 0.03125, 1.125
    values += (10.0 ** np.random.default_rng(0).uniform(-12, 12, 200)).tolist()
    values += [-value for value in values]
    written = run(page, "(values) => values.map((v) => figure(v))", values)
    assert written == [numbers.figure(value) for value in values]


def test_axes_grow_by_decades_and_by_ten_twenty_fifty(page):
    """Steps: 10, 20, 50, 100, never beyond the run's; decades: never back, four at least."""
    ends = run(
        page, "(steps) => steps.map((s) => axisFor(s, 5000))", [0, 10, 11, 21, 51, 300, 4999]
    )
    assert ends == [10, 10, 20, 50, 100, 500, 5000]
    assert run(page, "axisFor", 33, 33) == 33
    assert run(page, "decadesOf", [0.2, 0.05], None) == [-4, 0]
    assert run(page, "decadesOf", [3e-6], [-4, 1]) == [-6, 1]
    assert run(page, "fittingDecades", [0.2, 1e-7]) == [-7, 0]


# ---- The player


def test_a_run_of_35_steps_takes_four_seconds(page):
    """Normal: 9 a second whatever the machine; a late clock does not lengthen it."""
    durations = run(
        page,
        """(pace) => [7, 40, 300].map((tick) => {
          let [player, now] = [begun(0), 0];
          while (player.at < 35) { now += tick; player = advanced(player, 35, 'normal', now); }
          return now;
        })""",
        None,
    )
    assert all(3800 <= duration <= 4300 for duration in durations)


def test_what_comes_late_is_not_shown_in_bulk(page):
    """Who had nothing to show goes on by one step, not by all that time allows."""
    places = run(
        page,
        """() => {
          let player = begun(0);
          const places = [];
          for (const [last, now] of [[0, 1000], [20, 5000], [20, 5050], [20, 5112], [20, 5223]]) {
            player = advanced(player, last, 'normal', now);
            places.push(player.at);
          }
          return places;
        }""",
    )
    assert places == [0, 1, 1, 2, 3]


def test_a_late_browser_shows_the_run_all_the_same(page):
    """Where a drawing takes a second, one passes on three kept steps, not nine."""
    places = run(
        page,
        """() => {
          let player = begun(0);
          return [1000, 2000, 2112, 2223].map((now) => {
            player = advanced(player, 35, 'normal', now);
            return player.at;
          });
        }""",
    )
    assert places == [3, 6, 7, 8]


def test_a_step_is_not_passed_before_it_is_drawn(opened):
    """While nothing is drawn the show stands; then it goes on by a few steps."""
    page = opened()
    page.evaluate(
        """() => { [window.real, window.held] = [requestAnimationFrame, []];
          window.requestAnimationFrame = (call) => held.push(call); }"""
    )
    page.evaluate("(value) => { window.show(value); }", plain(value(falling(SOBEL, 30))))
    page.wait_for_timeout(1500)
    step = page.evaluate(
        """() => { window.requestAnimationFrame = real; held.forEach((call) => call());
          return document.querySelector('.kd-live').dataset.step; }"""
    )
    assert int(step) <= 3
    settled(page, step="30")


def test_speeds_and_hands(page):
    """fast: all that has come; step: nothing by itself; a hand on it: it stays until set going."""
    assert run(page, "() => advanced(begun(0), 9, 'fast', 1).at") == 9
    assert run(page, "() => advanced(begun(0), 9, 'step', 1e6).at") == 0
    assert run(page, "() => advanced(sought(begun(0), 4), 9, 'fast', 1e6).at") == 4
    assert run(page, "() => played(sought(begun(0), 9), 9, true, 0).at") == 0
    assert run(page, "() => played(sought(begun(0), 4), 9, true, 0).at") == 4
    assert run(page, "() => cutTo(sought(begun(0), 9), 4)")["furthest"] == 4


def test_kept_steps_come_out_as_they_went_in(page):
    """Figures in float32; true - learned of any step, of any chunk."""
    truth = np.random.default_rng(0).normal(size=(5, 5))
    records = falling(truth, 40)
    sent = value(records, truth)
    rows, difference = run(
        page,
        "(chunks) => { const held = kept(chunks, 5, null);"
        " return [held.rows.map((row) => [...row]), [...differenceAt(held, 37)]]; }",
        sent["records"],
    )
    assert [row[0] for row in rows] == list(range(41))
    np.testing.assert_array_equal(
        np.array([row[3] for row in rows], "<f4"), [r[3] for r in records]
    )
    np.testing.assert_array_equal(np.array(difference, "<f4"), records[37][5:])


def test_a_run_of_the_largest_kernel_stays_small(page):
    """400 kept steps of 31 x 31: what is held of them beside what was sent is little."""
    truth = np.random.default_rng(0).normal(size=(31, 31))
    (chunk,) = value([record(0, truth, truth)], truth)["records"]
    sent, held = run(
        page,
        "(chunk) => { const chunks = Array(400).fill(chunk); const held = kept(chunks, 31, null);"
        " const bytes = held.rows.reduce((sum, row) => sum + row.buffer.byteLength, 0);"
        " return [400 * chunk.length, bytes]; }",
        chunk,
    )
    assert sent + held < 3e6


# ---- The verdict


@pytest.mark.parametrize(
    ("error", "up", "expected"),
    [
        (0.7616, False, "0.76"),
        (2.4662, False, "2.47"),
        (0.0479, False, "0.048"),
        (1.8987e-8, True, "0.000 000 019"),
        (1.91e-8, True, "0.000 000 020"),
        (0.05001, True, "0.051"),
        (0.05, True, "0.050"),
        (0.0, True, "0"),
    ],
)
def test_an_error_in_plain_figures(page, error, up, expected):
    """Without a power of ten; as a bound it is never below what was measured."""
    assert run(page, "decimal", error, up).replace("\u202f", " ") == expected


@pytest.mark.parametrize(
    ("error", "largest", "digits"),
    [(1.8987e-8, 2, 7), (4.9e-4, 1, 3), (5.1e-4, 1, 2), (3e-8, 0.26, 6), (0.6, 1, 0)],
)
def test_digits_are_those_that_rounding_leaves(page, error, largest, digits):
    """Right to n digits: off by half a unit of the n-th, or of the largest weight if below 1."""
    assert run(page, "digitsOf", error, largest) == digits


PAUSED = {"computing": False, "paused": True}
CASES = {
    "small loss": (
        value(
            [record(0, SOBEL, SOBEL + 2, loss=0.236), record(60, SOBEL, SOBEL + 0.762, loss=0.0054)]
        ),
        "warm",
        "Small loss, wrong kernel. 98 % of the loss is gone, and a weight is still 0.76 off.",
    ),
    "on the way": (
        value([record(0, SOBEL, SOBEL + 2, loss=0.2), record(9, SOBEL, SOBEL + 0.5, loss=0.1)]),
        "grey",
        "Learning. A weight is still 0.50 off. 50 % of the loss is gone.",
    ),
    "near": (
        value([record(0, SOBEL, SOBEL + 2, loss=0.2), record(9, SOBEL, SOBEL + 0.0301, loss=1e-4)]),
        "grey",
        "Nearly right. No weight is more than 0.031 off.",
    ),
    "right": (
        value([record(0, SOBEL, SOBEL + 2), record(33, SOBEL, SOBEL, error=1.9e-8, seconds=0.12)])
        | ended(),
        "good",
        "Right to 7 digits. No weight is more than 0.000 000 019 off, after 33 steps and 0.12 s. "
        "Nothing is left to learn.",
    ),
    "steps": (
        value([record(0, SOBEL, SOBEL + 2), record(50, SOBEL, SOBEL + 1, loss=0.3, seconds=2.0)])
        | ended("STEPS", False, "All 50 steps are done."),
        "warm",
        "Not there yet. A weight is 1.00 off, after 50 steps and 2.0 s. All 50 steps are done.",
    ),
    "noise": (
        value([record(0, SOBEL, SOBEL + 2), record(50, SOBEL, SOBEL + 0.01, seconds=2.0)])
        | ended("OPTIMUM", True, "Nothing left to learn: the best."),
        "good",
        "As near as these pictures allow. No weight is more than 0.010 off, after 50 steps and "
        "2.0 s. Nothing left to learn: the best.",
    ),
    "diverged": (
        value([record(0, SOBEL, SOBEL + 2), record(5, SOBEL, SOBEL * np.nan, loss=np.nan)])
        | ended("DIVERGED", False, "Lower the learning rate."),
        "warm",
        "This run went astray. Lower the learning rate.",
    ),
    "waiting": (
        value([record(0, SOBEL, SOBEL + 2)], waiting=3),
        "grey",
        "Waiting for a place. You are number 3 in the queue. Learning begins by itself; "
        "Stop gives the place away.",
    ),
    "paused": (
        value([record(0, SOBEL, SOBEL + 2), record(4, SOBEL, SOBEL + 0.14)], **PAUSED),
        "grey",
        "Paused: still 0.14 off in a weight. The largest weight is 2.00. Resume goes on from here, "
        "Step makes one update.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", list(CASES))
def test_the_verdict(opened, case):
    """What is shown, in words, and its dot; more steps are offered where they help."""
    sent, dot, expected = CASES[case]
    page = opened()
    at_speed(page, "fast")
    show(page, sent)
    assert verdict(page).replace("\u202f", " ") == expected
    assert page.locator(".kd-verdict-line").get_attribute("data-dot") == dot
    assert page.locator("#verdict-action").is_visible() == (case == "steps")


# ---- Messages


def test_an_update_may_be_repeated_or_come_late(opened):
    """The same value twice draws the same; one that was made before what is shown is ignored, of
    this run or of the one before; a server that started anew counts from one again."""
    page = opened()
    at_speed(page, "fast")
    run_ = falling(SOBEL, 9)
    show(page, value(run_[:6], number=5))
    drawn = page.evaluate("pixels()")
    show(page, value(run_[:6], number=5))
    assert page.evaluate("pixels()") == drawn
    show(page, value(run_[:4], number=4))
    assert (attribute(page, "step"), page.evaluate("pixels()")) == ("5", drawn)
    show(page, value(run_[:8], number=7, session=2))
    assert attribute(page, "step") == "7"
    show(page, value(run_[:7], number=6, session=1))
    assert (attribute(page, "step"), attribute(page, "session")) == ("7", "2")
    show(page, value(run_[:2], number=1, session=2, server="another"))
    assert attribute(page, "step") == "1"


def test_an_error_keeps_what_was_drawn(opened):
    """The sentence stands in the verdict's line; kernels stay, and the next value takes it away."""
    page = opened()
    at_speed(page, "fast")
    show(page, value(falling(SOBEL, 5), number=5))
    drawn = page.evaluate("pixels()")
    top = page.locator(".kd-verdict-line").bounding_box()
    show(page, {"kind": "error", "server": "one", "number": 6, "error": "Expected a picture."})
    error = page.locator(".kd-verdict-line [role=alert]")
    assert error.inner_text() == "Expected a picture."
    assert (attribute(page, "step"), page.evaluate("pixels()")) == ("5", drawn)
    assert page.locator(".kd-verdict-line").bounding_box() == top
    lacking = {"pictures": {"text": "No picture yet", "short": "none yet", "urls": []}}
    failure = {"kind": "error", "server": "one", "number": 6, "error": "No.", "chips": lacking}
    show(page, failure)
    assert "No picture yet" in page.locator("#chip-pictures").inner_text()
    assert "Sobel x" in page.locator("#chip-filter").inner_text()
    show(page, failure | {"error": "Expected a picture."})
    show(page, value(falling(SOBEL, 6), number=7))
    assert error.inner_text() == ""
    assert verdict(page).startswith("Small loss")


def test_settings_changed_bring_the_stage_back_to_its_start(opened):
    """At once; the run that was there stays as pale, named curves until it is cleared."""
    page = opened()
    at_speed(page, "fast")
    show(page, value(falling(SOBEL, 9), number=2, run="Adam, rate 0.2") | ended())
    settled(page, done="true")
    bare = page.evaluate("pixels()")
    show(page, idle(UNEVEN, number=3))
    assert (attribute(page, "state"), attribute(page, "step")) == ("before", "0")
    assert attribute(page, "done") == "false"
    named = page.evaluate("pixels()")
    page.locator("#clear-before").click()
    page.wait_for_timeout(300)
    assert page.evaluate("pixels()") != named != bare
    assert not page.locator("#clear-before").is_visible()


# ---- The show


def test_a_computed_run_is_shown_step_by_step(opened):
    """It came in one message: every kept step is shown, in order, and then it is done."""
    page = opened()
    page.evaluate(
        """() => { const root = document.querySelector('.kd-live'); window.steps = [];
          new MutationObserver(() => steps.push(Number(root.dataset.step)))
            .observe(root, { attributes: true, attributeFilter: ['data-step'] }); }"""
    )
    show(page, value(falling(SOBEL, 12), steps=12) | ended())
    assert attribute(page, "done") == "false"
    settled(page, done="true", state="finished")
    steps = page.evaluate("steps")
    assert steps == sorted(set(steps))
    assert steps[-1] == 12
    assert len(steps) >= 6  # a busy machine may pass over one or the other
    assert page.locator("#learn").inner_text() == "Learn again"


def test_pause_stops_the_show_and_tells_the_step_shown(opened):
    """Not the step computed; Resume goes on from there, and neither moves the focus."""
    page = opened()
    at_speed(page, "slow")
    show(page, value(falling(SOBEL, 30)))
    begun(page)
    page.locator("#learn").focus()
    page.keyboard.press("Space")
    settled(page, state="paused")
    step = int(attribute(page, "step"))
    show(page, value(falling(SOBEL, 34), number=2))  # it was still under way
    page.wait_for_timeout(700)
    assert int(attribute(page, "step")) == step
    assert told(page) == [["pause", {"step": step}]]
    page.keyboard.press("Space")
    settled(page, state="running", step=str(step + 1))
    assert told(page)[1:] == [["resume", {"step": step}]]


def test_learn_waits_and_stops(opened):
    """Pressed: Getting ready, and Stop in the same place; a place in the queue; Stop is told."""
    page = opened()
    page.locator("#learn").click()
    settled(page, state="waiting")
    assert verdict(page).startswith("Getting ready.")
    show(page, value([record(0, SOBEL, SOBEL)], number=2, waiting=1))
    assert verdict(page).startswith("Waiting for a place. You are next.")
    assert page.locator("#learn").inner_text() == "Stop"
    page.locator("#learn").click()
    assert [name for name, _ in told(page)] == ["learn", "stop"]
    assert arrivals(page) == []


def test_what_has_not_begun_is_cancelled_when_it_has(opened):
    """Learn, or Resume, pressed twice at once: Stop, or Pause, is told as soon as the run can be
    cancelled, which is when anything of its own has come."""
    page = opened()
    page.locator("#learn").dblclick()
    show(page, value([record(0, SOBEL, SOBEL)], number=2, waits=True))
    assert [name for name, _ in told(page)] == ["learn"]
    show(page, value([record(0, SOBEL, SOBEL)], number=3))
    assert [name for name, _ in told(page)] == ["learn", "stop"]
    show(page, value(falling(SOBEL, 3), number=4, computing=False, paused=True))
    settled(page, state="paused")
    page.locator("#learn").dblclick()
    show(page, value(falling(SOBEL, 3), number=5, waits=True))
    settled(page, state="paused")
    assert [name for name, _ in told(page)] == ["learn", "stop", "resume"]
    show(page, value(falling(SOBEL, 4), number=6))
    assert [name for name, _ in told(page)] == ["learn", "stop", "resume", "pause"]


def test_the_end_of_a_show_is_told_once(opened):
    """Not when computing has ended, but when its last step is shown; looking back and to the end
    again is nothing new. A pause is told by itself, and so is going on from it to the end."""
    page = opened()
    at_speed(page, "slow")
    run_through = value(falling(SOBEL, 30), number=2, steps=30) | ended()
    show(page, run_through)
    settled(page, state="running")
    assert arrivals(page) == []
    page.locator("#learn").click()
    assert [name for name, _ in told(page)] == ["pause"]
    page.locator("#timeline").focus()
    page.keyboard.press("End")
    settled(page, done="true")
    for key in ("ArrowLeft", "End", "Home", "End"):
        page.keyboard.press(key)
    settled(page, step="30")
    show(page, run_through | {"number": 3})
    assert arrivals(page) == [30]


def test_the_pieces_that_the_browser_holds_are_told(opened):
    """Learn says which pictures it has: their pixels need not travel again."""
    first = piece(photo())
    page = opened(first=idle(picture=first))
    page.locator("#arithmetic[data-sum]").wait_for()
    page.locator("#learn").click()
    assert told(page) == [["learn", {"held": [first["key"]]}]]


def test_one_update_from_the_step_shown(opened):
    """Step on a paused run: told with its step; what comes back is shown at once, paused."""
    page = opened()
    at_speed(page, "fast")
    show(page, value(falling(SOBEL, 4), number=2, computing=False, paused=True))
    settled(page, state="paused", step="4")
    page.locator("#timeline").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    settled(page, step="2")
    page.locator("#step").click()
    assert told(page) == [["step", {"step": 2}]]
    at_speed(page, "slow")
    show(page, value(falling(SOBEL, 3), number=3, computing=False, paused=True))
    settled(page, state="paused", step="3")


def test_one_step_a_press(opened):
    """Speed 1 step: a run that is computed goes on by presses of Step alone, and that is told."""
    page = opened()
    at_speed(page, "step")
    show(page, value(falling(SOBEL, 5), steps=5) | ended())
    page.wait_for_timeout(400)
    assert attribute(page, "step") == "0"
    assert verdict(page) == "One step at a time: press Step. A weight is still 1.00 off."
    for _ in range(2):
        page.locator("#step").click()
    settled(page, step="2", state="running")
    assert told(page) == []


def test_a_changed_rate_counts_from_the_step_shown(opened):
    """It is told with that step; the show stands until the run of the new rate is there."""
    page = opened()
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<label id=rate>Rate <input></label>')"
    )
    at_speed(page, "slow")
    show(page, value(falling(SOBEL, 20), number=2, method="adam"))
    begun(page)
    page.locator("#rate input").fill("0.05")
    page.locator("#rate input").blur()
    step = told(page)[0][1]["step"]
    assert told(page) == [["rate", {"step": step, "rate": 0.05}]]
    page.wait_for_timeout(700)
    assert attribute(page, "step") == str(step)
    anew = [*falling(SOBEL, step), *[record(s, SOBEL, SOBEL + 0.9) for s in (step + 1, step + 2)]]
    show(page, value(anew, number=3, method="adam", rates=[[step, 0.05]]))
    settled(page, step=str(step + 2))
    assert float(attribute(page, "kernel-error")) == pytest.approx(0.9)


@pytest.mark.parametrize("ended_at_once", [False, True])
def test_a_rate_is_told_as_that_of_the_run_in_view_while_it_is_shown(opened, ended_at_once):
    """Computing may have ended long before the show: it counts from the step shown all the same.
    Before a run, at its end and of K-FAC it is a setting as any other."""
    page = opened()
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<label id=rate>Rate <input></label>')"
    )

    def change(rate):
        page.locator("#rate input").fill(rate)
        page.locator("#rate input").blur()
        return told(page)[-1]

    assert change("0.3") == ["set", {}]
    at_speed(page, "slow")
    end = ended() if ended_at_once else {}
    show(page, value(falling(SOBEL, 20), number=2, method="adam", steps=20) | end)
    begun(page)
    name, data = change("0.05")
    assert (name, data["rate"]) == ("rate", 0.05)
    assert data["step"] == int(attribute(page, "step")) < 20
    name, data = change("")  # empty: the method's own
    assert (name, data["rate"]) == ("rate", 0)
    at_speed(page, "fast")
    show(page, value(falling(SOBEL, 20), number=3, session=2, method="adam", steps=20) | ended())
    settled(page, done="true")
    assert change("0.07") == ["set", {}]
    show(page, value(falling(SOBEL, 20), number=4, session=3, method="kfac"))
    settled(page, state="running")
    assert change("0.08") == ["set", {}]


def test_a_filtered_picture_is_of_the_step_shown(opened):
    """At normal speed After is made anew for each step of a 3 x 3 run, of a photo as the page's."""
    picture = piece(photo(430, 430))
    page = opened(first=idle(picture=picture))
    page.locator("#arithmetic[data-sum]").wait_for()
    # So near from the start that no pixel is beyond the palette's ends, where all look alike.
    sent = value(falling(SOBEL, 12, start=0.1), number=2, picture=picture, steps=12)
    page.evaluate(
        """() => { const root = document.querySelector('.kd-live'); window.seen = [];
          const after = document.querySelector('[data-picture=after]');
          new MutationObserver(() => seen.push([root.dataset.step, after.toDataURL()]))
            .observe(root, { attributes: true, attributeFilter: ['data-step'] }); }"""
    )
    show(page, sent | ended())
    settled(page, done="true")
    seen = page.evaluate("seen")
    assert len(seen) >= 6  # a busy machine may pass over one or the other
    # What was not made for its step would be the same as at the step before.
    assert all(a[1] != b[1] for a, b in itertools.pairwise(seen))


@pytest.mark.parametrize("level", [1e-4, 0.1, 0.95])
@pytest.mark.parametrize("at", [2, 9.8])
def test_no_curve_strikes_through_a_label(page, level, at):
    """A mark's words and the name of a pale curve stand inside the plot, clear of the curves."""
    found = run(
        page,
        """(level, at) => {
          const canvas = document.createElement('canvas');
          Object.assign(canvas.style, { width: '300px', height: '110px', display: 'block' });
          document.body.append(canvas);
          const said = [];
          const write = CanvasRenderingContext2D.prototype.fillText;
          CanvasRenderingContext2D.prototype.fillText = function note(text, x, y) {
            const { width } = this.measureText(text);
            said.push([text, { left: x, center: x - width / 2, right: x - width }[this.textAlign],
              y - (this.textBaseline === 'middle' ? 6 : 10), width]);
            write.call(this, text, x, y); };
          const flat = Array.from({ length: 11 }, (_, step) => [step, level]);
          const falling = flat.map(([step]) => [step, 10 ** (-step / 2.6)]);
          drawChart(canvas, { last: 10, range: [-4, 0], end: 'step 10', marks: [[at, 'rate 0.03']],
            series: [
              { points: falling, colour: '#f00', pale: true, name: 'the run before', short: '' },
              { points: flat, colour: '#f00' }], cursor: { step: 10, value: level, colour: '#f00' },
          }, { font: 'sans-serif', ink: '#000', muted: '#00f', line: '#eee', ground: '#fff' });
          const labels = said.filter(([text]) => /rate|before/.test(text));
          return labels.map(([text, x, y, width]) => {
            const { data } = canvas.getContext('2d').getImageData(x, y, width, 12);
            let red = 0;
            for (let i = 0; i < data.length; i += 4) {
              red += data[i + 3] > 99 && data[i] > data[i + 2] + 60;
            }
            return [text, x, x + width, y, red]; }); }""",
        level, at,
    )  # fmt: skip
    assert {text for text, *_ in found} == {"rate 0.03", "the run before"}
    for _, left, right, top, red in found:
        assert left >= 38
        assert right <= 294
        assert 0 <= top <= 92 - 12
        assert red <= 8  # of the dot's edge
    (_, a, b, top, _), (_, c, d, other, _) = found
    assert b < c or d < a or abs(top - other) >= 12


@pytest.mark.parametrize("rest", ["end", "pause", "one step"])
def test_a_large_filtered_picture_is_of_the_step_at_rest(opened, rest):
    """Where drawing is slow After lags behind while a run is shown, and no more once it rests."""
    kernel = np.random.default_rng(1).normal(size=(9, 9)) / 9
    page = opened(first=idle(kernel, picture=piece(photo())))
    page.evaluate(
        """() => { const put = CanvasRenderingContext2D.prototype.putImageData;
          CanvasRenderingContext2D.prototype.putImageData = function slow(...given) {
            const until = performance.now() + 400;
            while (performance.now() < until);
            put.apply(this, given); }; }"""
    )
    at_speed(page, "fast")
    show(page, value(falling(kernel, 2), kernel, number=2))
    settled(page, step="2")
    behind = value(falling(kernel, 9), kernel, number=3)
    show(page, behind | (ended() if rest == "end" else {}))
    settled(page, step="9")
    if rest == "pause":
        page.locator("#learn").click()
    if rest == "one step":
        at_speed(page, "step")
    expect(page.locator("[data-text=after_note]")).to_have_text("step 9", timeout=5000)


def test_the_timeline_stays_where_it_is_put(opened):
    """While it runs: the run goes on, the show waits; arrow keys go from kept step to kept step."""
    page = opened()
    at_speed(page, "fast")
    sparse = [r for r in falling(SOBEL, 40) if r[0] < 3 or r[0] % 10 == 0]
    show(page, value(sparse, number=2))
    settled(page, step="40")
    page.locator("#timeline").focus()
    for key, step in (
        ("ArrowLeft", 30),
        ("Home", 0),
        ("ArrowRight", 1),
        ("PageUp", 2),
        ("ArrowRight", 10),
    ):
        page.keyboard.press(key)
        settled(page, step=str(step))
    show(page, value([*sparse, record(50, SOBEL, SOBEL)], number=3))
    assert (attribute(page, "step"), attribute(page, "state")) == ("10", "running")
    assert verdict(page).startswith("Looking back at step 10:")
    assert page.locator("#timeline").get_attribute("aria-valuetext") == "step 10 of 200"
    page.locator("#verdict-action").click()
    settled(page, step="50")
    assert told(page) == []


def test_looking_back_says_so(opened):
    """After the end: the step, its error, how it ended; To the end goes there; play shows it."""
    page = opened()
    at_speed(page, "fast")
    show(page, value(falling(SOBEL, 60), steps=60) | ended())
    settled(page, done="true")
    assert page.locator("#step").is_disabled()
    page.locator("#timeline").fill("6")
    settled(page, step="6", state="finished", done="true")
    said = verdict(page)
    assert said.startswith("Looking back at step 6: a weight is 0.12 off. At the end: right to 8")
    page.locator("#step").click()
    settled(page, step="7")
    page.locator("#verdict-action").click()
    settled(page, step="60")
    at_speed(page, "slow")
    page.locator("#play").click()
    settled(page, step="0", done="true")


def test_more_steps_go_on_from_the_end(opened):
    """Offered where they help; told with the last step, and shown from there."""
    page = opened()
    at_speed(page, "fast")
    first = falling(SOBEL, 5, fall=0.95)
    show(page, value(first, number=2) | ended("STEPS", False, "All 5 steps are done."))
    settled(page, done="true")
    action = page.locator("#verdict-action")
    assert action.inner_text() == "200 more steps"
    action.click()
    settled(page, state="running", done="false")
    assert told(page) == [["more", {"step": 5, "steps": 200}]]
    show(page, value(falling(SOBEL, 9, fall=0.95), number=3))
    settled(page, step="9")


# ---- The bar


def test_chips_say_what_is_set_and_open_their_panels(opened):
    """One panel at a time, under its chip; Escape, a click outside close it; focus comes back."""
    page = opened()
    page.evaluate(
        """() => { const stage = document.getElementById('part'); stage.style.position = 'relative';
          for (const name of ['filter', 'method']) stage.insertAdjacentHTML('beforeend',
            `<div id="panel-${name}" style="position: absolute"><button>in</button></div>`); }"""
    )
    assert page.locator("#chip-filter").inner_text().split("\n")[-1].strip() == "Sobel x, 3 × 3"
    page.locator("#chip-pictures").click()  # its panel is not there: nothing happens
    page.locator("#chip-filter").click()
    opened_panel = page.locator("#panel-filter[data-open=true]")
    opened_panel.wait_for()
    below = page.locator("#chip-filter").bounding_box()
    assert opened_panel.bounding_box()["x"] == pytest.approx(below["x"], abs=1)
    assert opened_panel.bounding_box()["y"] >= below["y"] + below["height"]
    assert page.evaluate("document.activeElement.textContent") == "in"
    page.keyboard.press("Escape")
    assert opened_panel.count() == 0
    assert page.evaluate("document.activeElement.id") == "chip-filter"
    page.locator("#chip-filter").click()
    page.locator("#chip-method").click()
    assert page.locator("[data-open=true]").get_attribute("id") == "panel-method"
    page.mouse.click(5, 700)
    assert page.locator("[data-open=true]").count() == 0


def test_what_is_locked_while_it_runs(opened):
    """Pictures and Filter can be read, not pressed; Method opens, and its panel knows."""
    page = opened()
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<div id=panel-method></div>')")
    show(page, value(falling(SOBEL, 30), number=2))
    settled(page, state="running")
    disabled = [
        page.locator(f"#chip-{name}").is_disabled() for name in ("pictures", "filter", "method")
    ]
    assert disabled == [True, True, False]
    assert page.locator("#step").is_disabled()
    assert page.locator("#panel-method").get_attribute("data-locked") == "true"


def test_few_controls_at_first_paint(opened):
    """At most twelve that can be used, beside the pictures and the timeline."""
    page = opened()
    controls = page.locator(".kd-live :is(button, input):enabled:visible")
    assert controls.count() <= 12
    assert page.locator("#learn").inner_text() == "Learn this filter"


def test_keys_act_outside_fields_and_can_be_turned_off(opened):
    """R presses Random, ? opens the list; in a field they are letters."""
    page = opened()
    page.evaluate(
        """() => document.body.insertAdjacentHTML('beforeend',
          '<input id=field><button id=random onclick="window.drawn = (window.drawn || 0) + 1">')"""
    )
    page.locator("#learn").focus()
    page.keyboard.press("r")
    assert page.evaluate("window.drawn") == 1
    page.locator("#field").focus()
    page.keyboard.type("r?")
    assert page.locator("#field").input_value() == "r?"
    assert page.evaluate("window.drawn") == 1
    page.locator("#learn").focus()
    page.keyboard.press("?")
    page.locator("#more-menu[data-open=true]").wait_for()


# ---- What it looks like


@pytest.mark.parametrize(("dark", "neutral"), [(False, [245, 245, 242]), (True, [38, 41, 49])])
@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_zero_has_the_neutral_colour_of_the_page(opened, dark, neutral, motion):
    """A weight of zero is neither blue nor orange, and follows the page from light to dark, for who
    wants to see no motion too."""
    page = opened(reduced_motion=motion)
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


def test_a_kernel_that_diverged_is_neutral(opened):
    """Weights that are no numbers show neither blue nor orange, and break nothing."""
    page = opened()
    at_speed(page, "fast")
    show(page, value([record(0, SOBEL, SOBEL), record(1, SOBEL, SOBEL * np.nan, loss=np.nan)]))
    colour = page.evaluate(
        """() => { const c = document.querySelector('[data-kernel=learned]');
          return [...c.getContext('2d').getImageData(c.width / 6, c.height / 6, 1, 1).data]; }"""
    )
    assert colour[:3] == [245, 245, 242]


def test_a_result_that_stays_positive_is_grey(opened):
    """A blurred picture is a picture; what has a sign is blue and orange."""
    blur = np.full((3, 3), 1 / 9)
    saturation = """() => { const c = document.querySelector('[data-picture=after]');
      const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);
      let most = 0;
      for (let i = 0; i < data.length; i += 4) {
        most = Math.max(most, Math.abs(data[i] - data[i + 2]));
      }
      return most; }"""
    page = opened(first=idle(blur, picture=piece(photo())))
    page.wait_for_timeout(300)
    assert page.evaluate(saturation) == 0
    show(page, idle(SOBEL, number=2, picture=piece(photo())))
    page.wait_for_timeout(300)
    assert page.evaluate(saturation) > 60


def test_what_rounding_leaves_of_flat_colours_is_neutral(opened):
    """Of a disc on a ground After shows the edge alone, right to six digits or exactly."""
    pixels = cv2.circle(np.full((200, 200, 3), 128, np.uint8), (100, 100), 8, (250, 200, 20), -1)
    off = value([record(0, SOBEL, SOBEL + 1e-6)], picture=piece(pixels))
    page = opened(first=off)
    page.locator("#arithmetic[data-sum]").wait_for()
    apart = page.evaluate(
        """() => { const c = document.querySelector('[data-picture=after]');
          return [[30, 100], [190, 100], [92, 100]].map(([x, y]) => {
            const [r, , b] = c.getContext('2d').getImageData(x, y, 1, 1).data;
            return Math.abs(r - b); }); }"""
    )
    assert max(apart[:2]) < 12
    assert apart[2] > 60


def test_what_is_below_zero_in_a_grey_result_is_blue(opened):
    """A start that turns the picture over is dark blue beside the true grey: not black."""
    blur = np.full((3, 3), 1 / 9)
    sent = value([record(0, blur, -blur)], blur, picture=piece(np.full((60, 60, 3), 200, np.uint8)))
    page = opened(first=sent)
    page.locator("#arithmetic[data-sum]").wait_for()
    learned, true = page.evaluate(
        """() => { const c = document.querySelector('[data-picture=after]');
          return [9, 55].map((x) => [...c.getContext('2d').getImageData(x, 30, 1, 1).data]); }"""
    )
    assert learned[2] > learned[0] + 60
    assert true[:3] == [200] * 3


def test_a_vanishing_difference_has_a_unit_of_its_own(opened):
    """Never nine zeros: ten times, or in a power of ten, as the caption says."""
    page = opened()
    at_speed(page, "fast")
    unit = page.locator("[data-text=unit]")
    for number, (error, caption) in enumerate(
        [(0.4, ""), (0.048, "× 10"), (1.9e-8, "in 10⁻⁸")], start=2
    ):
        show(page, value([record(1, SOBEL, SOBEL - error)], number=number, session=number))
        assert unit.inner_text() == caption


def test_the_weights_can_be_read_without_a_mouse(opened):
    """Arrow keys walk the cells; what they hold is written out and spoken."""
    page = opened()
    at_speed(page, "fast")
    show(page, value([record(1, SOBEL, SOBEL - 0.25)]))
    page.locator(".kd-equation").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    said = "Row 2, column 2: true 0 − learned (−0.250) = 0.25"
    after_drawing(page)
    assert page.locator("[data-text=reading]").inner_text() == said
    assert page.locator(".kd-live-spoken").inner_text() == said
    page.keyboard.press("Escape")
    after_drawing(page)
    assert not page.locator("[data-text=reading]").is_visible()


PLACES = """() => [...document.querySelectorAll('.kd-live canvas, .kd-live button, .kd-live p, '
    + '.kd-live-card, .kd-timeline > *')]
  .filter((e) => e.id !== 'verdict-action' && e.id !== 'clear-before' && e.getClientRects().length
    && !e.matches('[data-text=verdict], .kd-live-error'))
  .map((e) => [e.id || e.className, e.getBoundingClientRect()])
  .map(([name, r]) => [name, r.x, r.y + scrollY, r.width, r.height].join(' '))"""
CUT = """() => [...document.querySelectorAll('.kd-timeline > span, .kd-curves .kd-figure, .kd-sum, '
    + '.kd-verdict-line p, .kd-pick-words')]
  .filter((e) => e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)
  .map((e) => e.textContent)"""


@pytest.mark.parametrize("font", ["'IBM Plex Sans'", "'DejaVu Sans'"])
@pytest.mark.parametrize(("width", "height"), [*WINDOWS, (390, 844)])
def test_nothing_jumps_while_it_learns(opened, width, height, font):
    """Every part keeps its place from the first paint to the end and back, in two fonts.

    Letters decide no size; no figure and no verdict is cut off.
    """
    page = opened(width, height)
    page.add_style_tag(content=f"{plex()} .kd-live * {{ font-family: {font} !important; }}")
    page.evaluate("(font) => document.fonts.load(`700 14px ${font}`)", font)
    at_speed(page, "fast")
    page.wait_for_timeout(300)
    at_first = page.evaluate(PLACES)
    long = [record(0, SOBEL, SOBEL + 2), record(9999, SOBEL, SOBEL - 1.2e-8, seconds=5999)]
    picture = piece(photo())
    for number, sent in enumerate(
        [
            value([record(0, SOBEL, SOBEL + 2)], waiting=12, picture=picture),
            value(falling(SOBEL, 6), picture=picture),
            value(
                [*falling(SOBEL, 1), record(4998, SOBEL, SOBEL + 0.7)], steps=5000, picture=picture
            ),
            value(long, session=2, steps=10_000, picture=picture) | ended(),
            value(long, session=3, steps=10_000, picture=picture)
            | ended("PATIENCE", False, "The validation loss has not fallen for 200 steps."),
            {"kind": "error", "error": "Expected a picture; got none. Choose one or more files."},
            idle(UNEVEN, picture=picture),
        ],
        start=2,
    ):
        show(page, sent | {"number": number})
        assert page.evaluate(PLACES) == at_first
        assert page.evaluate(CUT) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(("width", "height"), list(WINDOWS))
def test_all_of_it_fits_the_window(alone, width, height):
    """Bar, stage and curves with their timeline, in a page of the width that a window leaves."""
    page = alone(
        stage.component("live", None), plain(idle()), viewport={"width": width, "height": height}
    )
    page.add_style_tag(content="body { margin: 0 24px; }")
    page.wait_for_timeout(300)
    box = page.locator(".kd-live").bounding_box()
    assert box["height"] <= WINDOWS[width, height]


def test_a_phone_shows_the_arithmetic_in_the_place_of_the_equation(opened):
    """A tap on a picture brings it, at the same height; its button takes it away."""
    page = opened(390, 844, has_touch=True)
    height = page.locator(".kd-stage").bounding_box()["height"]
    assert not page.locator("#arithmetic").is_visible()
    page.locator("[data-view=before]").tap(position={"x": 60, "y": 50})
    assert page.locator("#arithmetic").is_visible()
    assert not page.locator(".kd-equation").is_visible()
    assert page.locator(".kd-sum b").is_visible()
    assert page.locator(".kd-stage").bounding_box()["height"] == height
    back = page.locator("#to-kernels")
    expect(back).to_have_text("Back to the kernels")
    box = back.bounding_box()
    for part in page.locator(".kd-sum > *").all():
        other = part.bounding_box()
        assert not other or other["x"] + other["width"] <= box["x"]
    back.click()
    assert page.locator(".kd-equation").is_visible()


@pytest.mark.parametrize(("width", "height"), [(1366, 768), (1280, 720), (1000, 700), (390, 844)])
def test_the_bar_keeps_its_place_whatever_the_chips_say(opened, width, height):
    """Short words, and the longest: every button stays; what is cut off is in its title."""
    page = opened(width, height)
    bar = """() => [...document.querySelectorAll('.kd-bar > button')]
      .map((e) => e.getBoundingClientRect()).map((r) => [r.x, r.y, r.width, r.height].join(' '))"""
    at_first = page.evaluate(bar)
    long = {
        "pictures": {"text": "16 bundled photos", "short": "16 photos", "urls": []},
        "filter": {"text": "Laplacian of Gaussian 175°, 31 × 31"},
        "method": {"text": "Exact gradient, L-BFGS", "note": "rate 0.0123"},
    }
    lacking = {"pictures": {"text": "No picture yet", "short": "none yet", "urls": []}}
    for number, chips in enumerate([long, long | lacking], start=2):
        show(page, idle(SOBEL) | {"number": number, "chips": chips})
        assert page.evaluate(bar) == at_first
        assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("#chip-filter").get_attribute("title") == long["filter"]["text"]
    title = page.locator("#chip-method").get_attribute("title")
    assert title == "Exact gradient, L-BFGS rate 0.0123"


def test_ink_on_cells_can_be_read(page):
    """Black or white, whichever is stronger: 4.5 to 1 on any colour that there is."""
    worst = run(
        page,
        """() => {
          const linear = (v) => (v <= 10 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
          let worst = 21;
          for (let i = 0; i < 52 ** 3; i++) {
            const [r, g, b] = [i, i / 52, i / 52 ** 2].map((v) => 5 * (Math.floor(v) % 52));
            const l = 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
            const contrast = inkOn(r, g, b) === '#000' ? (l + 0.05) / 0.05 : 1.05 / (l + 0.05);
            worst = Math.min(worst, contrast);
          }
          return worst;
        }""",
    )
    assert worst >= 4.5


# The contrast of each text with the nearest ground painted behind it, and its size.
TEXTS = """() => {
  const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (colour) => {
    const linear = (v) => (v <= 10 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = rgba(colour).map(linear);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const root = document.querySelector('.kd-live');
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const ground = (node) => getComputedStyle(node).backgroundColor;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.getClientRects().length) continue;
    let behind = element;
    while (behind && rgba(ground(behind))[3] < 200) behind = behind.parentElement;
    const style = getComputedStyle(element);
    const [a, b] = [style.color, ground(behind || document.body)].map(luminance);
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push([element.textContent.trim().slice(0, 30), ratio, parseFloat(style.fontSize)]);
  }
  return found;
}"""


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("dark", [False, True])
def test_every_word_can_be_read(opened, width, dark):
    """4.5 to 1 or better and 11 px or larger, what is locked too, in light and in dark."""
    page = opened(width, 844)
    page.add_style_tag(content="body { background: var(--kd-page); }")
    page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", dark)
    show(page, value(falling(SOBEL, 20), number=2))
    settled(page, state="running")
    page.locator("#more").click()
    texts = page.evaluate(TEXTS)
    assert len(texts) > 25
    assert [text for text in texts if text[1] < 4.5 or text[2] < 11] == []


def test_everything_has_a_name(opened):
    """Controls, pictures and tables: what a screen reader says of each."""
    page = opened()
    page.wait_for_timeout(300)
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('.kd-live :is(button, input, [role], [tabindex])')]
          .filter((e) => !e.getAttribute('aria-label') && !e.textContent.trim() && !e.hidden
            && e.getAttribute('role') !== 'alert')
          .map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert unnamed == []


def test_the_divider_moves_by_keys(opened):
    """Learned on the left of it, true on the right: its share is told."""
    page = opened()
    divider = page.locator(".kd-cut")
    divider.focus()
    page.keyboard.press("Home")
    assert divider.get_attribute("aria-valuenow") == "0"
    page.keyboard.press("ArrowRight")
    assert divider.get_attribute("aria-valuetext") == "2 % learned"


def test_a_name_is_seen_over_its_own_part_alone(opened):
    """Wherever the divider stands, and none where its part is too narrow."""
    page = opened()
    page.locator(".kd-cut").focus()
    seen = """() => { const after = document.querySelector('[data-view=after]');
      const view = after.getBoundingClientRect();
      const cut = document.querySelector('.kd-cut').getBoundingClientRect();
      return [(cut.left + cut.right) / 2 - view.left,
        ...[...document.querySelectorAll('.kd-side-name')].map((name) => {
          const box = name.getBoundingClientRect();
          return getComputedStyle(name).visibility === 'visible'
            && [box.left - view.left, box.right - view.left]; })]; }"""
    both = 0
    for key in ["Home", *["ArrowRight"] * 50]:
        page.keyboard.press(key)
        cut, learned, true = page.evaluate(seen)
        assert not learned or learned[1] < cut
        assert not true or true[0] > cut
        both += bool(learned and true)
        assert learned or true
    assert both > 20


def test_reduced_motion_shows_what_has_come(opened):
    """Who asks for less motion gets the fast pace unless another one is chosen."""
    page = opened(reduced_motion="reduce")
    assert attribute(page, "speed") == "fast"
