"""The stage in a real browser, by itself: its verdict, messages and bar, and what it looks like."""

import cv2
import numpy as np
import pytest
from playwright.sync_api import expect

from kernel_demo.imaging.kernels import named
from kernel_demo.ui.components import stage
from tests.browser.conftest import after_drawing
from tests.browser.on_stage import (
    UNEVEN,
    WINDOWS,
    at_speed,
    attribute,
    begun,
    in_plex,
    listen,
    plain,
    plex,
    run,
    settled,
    show,
    told,
    verdict,
    written,
)
from tests.browser.stage_values import SOBEL, ended, falling, idle, photo, piece, record, value

pytestmark = pytest.mark.browser

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


BLUR = np.full((3, 3), 1 / 9)
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
        "Right to 7 decimals. No weight is more than 0.000 000 019 off, after 33 steps and 0.12 s. "
        "More steps bring it no nearer.",
    ),
    "right, and learning on": (
        value([record(0, SOBEL, SOBEL + 2), record(28, SOBEL, SOBEL, error=1.6e-8)]),
        "grey",
        "Right to 7 decimals so far. No weight is more than 0.000 000 016 off.",
    ),
    "right, of small weights": (
        value([record(0, BLUR, BLUR + 2), record(9, BLUR, BLUR, error=8.3e-9, seconds=0.1)], BLUR)
        | ended(),
        "good",
        "Right to 7 decimals. No weight is more than 0.000 000 008 3 off, after 9 steps and "
        "0.10 s. More steps bring it no nearer.",
    ),
    "before": (
        idle(),
        "grey",
        "Nothing learned yet: it sees each picture before and after the true filter, never the "
        "true weights. The weights are random numbers, up to 1.25 off.",
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
def test_the_verdict(on_stage, case):
    """What is shown, in words, and its dot; more steps are offered where they help."""
    sent, dot, expected = CASES[case]
    page = on_stage()
    at_speed(page, "fast")
    show(page, sent)
    assert verdict(page).replace("\u202f", " ") == expected
    assert page.locator(".kd-verdict-line").get_attribute("data-dot") == dot
    assert page.locator("#verdict-action").is_visible() == (case == "steps")


@pytest.mark.parametrize(("width", "lines"), [(1366, 1), (1280, 1), (390, 2)])
def test_what_is_seen_is_said_before_it_begins(on_stage, width, lines):
    """In one line, in two on a phone; and of a loss that has a price that it is not measured."""
    page = on_stage(width, 800)
    in_plex(page, 12 if width == 390 else 24)
    line = page.locator("[data-text=verdict]")
    assert "before and after the true filter, never the true weights." in line.inner_text()
    high = line.evaluate(
        "(e) => { const all = document.createRange(); all.selectNodeContents(e);"
        " return all.getBoundingClientRect().height; }"
    )
    assert round(high / (18 if width == 390 else 20)) == lines
    assert page.locator("header [data-text=loss]").inner_text() == "not measured yet"


# ---- Messages


def test_an_update_may_be_repeated_or_come_late(on_stage):
    """The same value twice draws the same; one that was made before what is shown is ignored, of
    this run or of the one before; a server that started anew counts from one again."""
    page = on_stage()
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


def test_an_error_keeps_what_was_drawn(on_stage):
    """The sentence stands in the verdict's line; kernels stay, and the next value takes it away."""
    page = on_stage()
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
    show(page, failure | {"error": "Expected a picture.", "number": 8})
    show(page, value(falling(SOBEL, 6), number=7))  # asked for before what was refused
    assert error.inner_text() == "Expected a picture."
    show(page, failure | {"error": "Of long ago.", "number": 6})
    assert error.inner_text() == "Expected a picture."
    show(page, value(falling(SOBEL, 6), number=9))
    assert error.inner_text() == ""
    assert verdict(page).startswith("Small loss")


def test_without_a_filter_nothing_of_the_one_before_is_shown(on_stage):
    """Weights that are no numbers: no true kernel, no difference, no sum; the run before stays
    pale, by the name of its filter. Learn may be pressed, and brings no old run back."""
    picture = piece(photo())
    page = on_stage(first=idle(picture=picture))
    listen(page)
    at_speed(page, "fast")
    old = value(falling(SOBEL, 9), number=2, picture=picture, run="Adam, rate 0.2") | ended()
    show(page, old)
    settled(page, done="true")
    assert "−2" in written(page, "truth")
    none = {"text": "No filter yet", "none": True}
    wrong = {"error": "Expected a number in every cell.", "server": "one"}
    for number, said in enumerate(
        [
            {"kind": "error", "chips": {"filter": none}},
            old | {"chips": old["chips"] | {"filter": none}},
        ],
        start=3,
    ):
        show(page, said | wrong | {"number": number})
        assert attribute(page, "state") == "before"
        assert [written(page, name) for name in ("truth", "learned", "difference")] == [[]] * 3
        assert page.locator("#arithmetic").get_attribute("data-sum") is None
        assert page.locator("header [data-text=error]").inner_text() == ""
        assert "Adam, rate 0.2 on Sobel x, 3 × 3, the run before" in written(page, "error")
        assert page.locator(".kd-live-error").inner_text() == wrong["error"]
    assert page.locator("#learn").inner_text() == "Learn this filter"
    show(page, idle(SOBEL, number=5, picture=picture))
    assert "−2" in written(page, "truth")
    assert page.locator("#arithmetic").get_attribute("data-sum") is not None


def test_settings_changed_bring_the_stage_back_to_its_start(on_stage):
    """At once; the run that was there stays as pale, named curves until it is cleared."""
    page = on_stage()
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


def test_the_run_before_keeps_the_name_of_its_filter(on_stage):
    """What it learned was called so when it began: whatever the same numbers are called later."""
    page = on_stage()
    listen(page)
    at_speed(page, "fast")
    old = value(falling(SOBEL, 9), number=2) | ended()
    show(page, old)
    settled(page, done="true")
    show(page, old | {"number": 3, "chips": old["chips"] | {"filter": {"text": "Your own, 3 × 3"}}})
    show(page, idle(UNEVEN, number=4, chips=old["chips"] | {"filter": {"text": "Random, 3 × 3"}}))
    for curve in ("loss", "error"):
        assert "K-FAC on Sobel x, 3 × 3, the run before" in written(page, curve)


@pytest.mark.parametrize("finished", [True, False])
def test_a_run_that_comes_back_stands_as_it_was_left(on_stage, finished):
    """A rate set and set back, at a pause or at an end: nothing plays, and the run is not shown as
    the one before itself."""
    page = on_stage()
    listen(page)
    at_speed(page, "normal")
    run_ = value(falling(SOBEL, 20), number=2)
    show(page, run_ | (ended() if finished else {}))
    if finished:
        at_speed(page, "fast")
        settled(page, done="true")
        at_speed(page, "normal")
    else:
        begun(page)
        page.locator("#learn").click()
        settled(page, state="paused")
    state, step = attribute(page, "state"), attribute(page, "step")
    assert state == ("finished" if finished else "paused")
    back = run_ | (ended() if finished else {"computing": False, "paused": True})
    show(page, idle(number=3))
    assert attribute(page, "state") == "before"
    assert "K-FAC, the run before" in written(page, "error")
    show(page, back | {"number": 4})
    page.wait_for_timeout(600)
    assert (attribute(page, "state"), attribute(page, "step")) == (state, step)
    assert not [word for word in written(page, "error") if "before" in word]
    assert [name for name, _ in told(page)] == ([] if finished else ["pause"])


def test_the_run_before_is_another_one(on_stage):
    """The same run once more is not drawn twice; one of another rate alone is called by its own."""
    page = on_stage()
    listen(page)
    at_speed(page, "fast")
    for session in (1, 2):
        show(page, value(falling(SOBEL, 9), number=session, session=session) | ended())
        settled(page, done="true", session=str(session))
    words = [*written(page, "loss"), *written(page, "error")]
    assert not [word for word in words if "before" in word]
    assert not page.locator("#clear-before").is_visible()
    other = {"run": "K-FAC, rate 0.5", "rated": "K-FAC, rate 0.5"}
    show(page, value(falling(SOBEL, 9, fall=0.6), number=3, session=3) | ended() | other)
    settled(page, done="true", session="3")
    assert "K-FAC, rate 0.05, the run before" in written(page, "error")


def test_the_run_before_lies_within_the_axes(on_stage):
    """As far as it is in view its values count, unless it went astray; of the same filter the name
    of the run suffices. An axis keeps nothing of settings that are no more."""
    page = on_stage()
    listen(page)
    at_speed(page, "fast")
    show(page, value(falling(SOBEL, 30, fall=0.5), number=2) | ended())
    settled(page, done="true")
    show(page, value(falling(SOBEL, 20, fall=0.99), number=3, session=2) | ended())
    settled(page, done="true", session="2")
    axis = written(page, "error")
    assert "−6" in axis  # 0.5 ** 20: the 21st of its errors is the last in view
    assert "−9" not in axis
    assert "K-FAC, the run before" in axis
    astray = [record(s, SOBEL, SOBEL + 100.0**s) for s in range(9)]
    show(page, value(astray, number=4, session=3) | ended("DIVERGED", False))
    show(page, value(falling(SOBEL, 9), number=5, session=4))
    assert max(int(word) for word in written(page, "error") if word.isdigit()) == 10
    page.locator("#clear-before").click()
    show(page, idle(number=6))
    first = written(page, "error")
    show(page, idle(1e5 * UNEVEN, number=7))
    show(page, idle(number=8))
    assert written(page, "error") == first


# ---- The bar


def test_chips_say_what_is_set_and_open_their_panels(on_stage):
    """One panel at a time, under its chip; Escape, a click outside close it; focus comes back."""
    page = on_stage()
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


def test_what_is_locked_while_it_runs(on_stage):
    """Pictures and Filter can be read, not pressed; Method opens, and its panel knows."""
    page = on_stage()
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<div id=panel-method></div>')")
    show(page, value(falling(SOBEL, 30), number=2))
    settled(page, state="running")
    disabled = [
        page.locator(f"#chip-{name}").is_disabled() for name in ("pictures", "filter", "method")
    ]
    assert disabled == [True, True, False]
    assert page.locator("#step").is_disabled()
    assert page.locator("#panel-method").get_attribute("data-locked") == "true"


@pytest.mark.parametrize("width", [320, 390, 600, 683, 720, 900])
def test_no_part_is_wider_than_the_window(on_stage, width):
    """Kernels, pictures and buttons end inside; main button, count, step, speed are whole words."""
    page = on_stage(width, 700)
    in_plex(page, 12)
    outside = page.evaluate(
        """() => [...document.querySelectorAll('.kd-live :is(canvas, button, figure)')]
          .filter((e) => e.getBoundingClientRect().right > innerWidth - 12)
          .map((e) => e.outerHTML)"""
    )
    assert outside == []
    cut = page.evaluate(
        """() => ['#learn', '#step', '#speed b', '#chip-pictures .kd-short', '#chip-filter b']
          .filter((name) => { const e = document.querySelector(`.kd-live ${name}`);
            return e.scrollWidth > e.clientWidth; })"""
    )
    assert cut == []


@pytest.mark.parametrize(("touch", "says"), [(False, "point at a pixel"), (True, "tap a pixel")])
@pytest.mark.parametrize("width", [390, 683, 1280])
def test_who_has_a_mouse_points(on_stage, width, touch, says):
    """Whatever the width. What the colours are is said on a phone, too."""
    page = on_stage(width, 700, has_touch=touch)
    caption = page.locator("figcaption", has_text="Before")
    assert caption.inner_text() == f"Before {says}"
    box = page.locator(".kd-legend").bounding_box()
    line = page.locator(".kd-sentence").bounding_box()
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= line["y"] + line["height"] + 1


def test_a_sum_stays_in_the_card(on_stage):
    """Of weights of 100,000: in a power of ten."""
    kernel = 1e5 * UNEVEN
    page = on_stage(first=value([record(0, kernel, -kernel)], kernel, picture=piece(photo())))
    in_plex(page, 24)
    page.locator("#arithmetic[data-sum]").wait_for()
    assert "·10" in page.locator("[data-text=true_sum]").inner_text()
    card = page.locator(".kd-stage").bounding_box()
    for name in ("sum", "true_sum"):
        wide = page.locator(f"[data-text={name}]").evaluate(
            "(e) => { const all = document.createRange(); all.selectNodeContents(e);"
            " return all.getBoundingClientRect().right; }"
        )
        assert wide <= card["x"] + card["width"]
        column = page.locator(".kd-sum").bounding_box()
        assert wide <= column["x"] + column["width"] + 0.5
        equation = page.locator(".kd-equation").bounding_box()
        assert wide <= equation["x"] + equation["width"] + 0.5


def test_large_weights_leave_the_difference_its_digits(on_stage):
    """1 − 0.5 is no 0 beside 100,000 − 99,862; and a number stays clear of its cell's edges."""
    truth = np.array([[1e5, 1, 1], [1, 1, 1], [1, 1, 1e5]])
    off = np.full((3, 3), 0.5)
    off[2, 2] = 138
    page = on_stage()
    listen(page)
    page.evaluate(
        """() => { const write = CanvasRenderingContext2D.prototype.fillText;
          window.shares = [];
          CanvasRenderingContext2D.prototype.fillText = function note(text, ...given) {
            const { kernel } = this.canvas.dataset;
            const share = 3 * this.measureText(text).width / this.canvas.clientWidth;
            if (kernel === 'main') shares.push(share);
            write.call(this, text, ...given); }; }"""
    )
    show(page, value([record(0, truth, truth - off)], truth, number=2))
    assert written(page, "difference") == ["0.5"] * 8 + ["138.0"]
    assert written(page, "main")[0] == "99999.5"
    assert max(page.evaluate("shares")) < 0.92


def test_few_controls_at_first_paint(on_stage):
    """At most twelve that can be used, beside the pictures and the timeline."""
    page = on_stage()
    controls = page.locator(".kd-live :is(button, input):enabled:visible")
    assert controls.count() <= 12
    assert page.locator("#learn").inner_text() == "Learn this filter"


def test_keys_act_outside_fields_and_can_be_turned_off(on_stage):
    """R presses Random, ? opens the list; in a field they are letters."""
    page = on_stage()
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
def test_zero_has_the_neutral_colour_of_the_page(on_stage, dark, neutral, motion):
    """A weight of zero is neither blue nor orange, and follows the page from light to dark, for who
    wants to see no motion too."""
    page = on_stage(reduced_motion=motion)
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


def test_a_kernel_that_diverged_is_neutral(on_stage):
    """Weights that are no numbers show neither blue nor orange, and break nothing."""
    page = on_stage()
    at_speed(page, "fast")
    show(page, value([record(0, SOBEL, SOBEL), record(1, SOBEL, SOBEL * np.nan, loss=np.nan)]))
    colour = page.evaluate(
        """() => { const c = document.querySelector('[data-kernel=learned]');
          return [...c.getContext('2d').getImageData(c.width / 6, c.height / 6, 1, 1).data]; }"""
    )
    assert colour[:3] == [245, 245, 242]


def test_a_result_that_stays_positive_is_grey(on_stage):
    """A blurred picture is a picture; what has a sign is blue and orange, Gabor's nearly all above
    zero, too: in grey it would be black."""
    blur = np.full((3, 3), 1 / 9)
    saturation = """() => { const c = document.querySelector('[data-picture=after]');
      const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);
      let most = 0;
      for (let i = 0; i < data.length; i += 4) {
        most = Math.max(most, Math.abs(data[i] - data[i + 2]));
      }
      return most; }"""
    page = on_stage(first=idle(blur, picture=piece(photo())))
    page.wait_for_timeout(300)
    assert page.evaluate(saturation) == 0
    for number, kernel in enumerate((SOBEL, named("gabor", 15).values), 2):
        show(page, idle(kernel, number=number, picture=piece(photo())))
        page.wait_for_timeout(300)
        assert page.evaluate(saturation) > 60


def test_what_rounding_leaves_of_flat_colours_is_neutral(on_stage):
    """Of a disc on a ground After shows the edge alone, right to six digits or exactly."""
    pixels = cv2.circle(np.full((200, 200, 3), 128, np.uint8), (100, 100), 8, (250, 200, 20), -1)
    off = value([record(0, SOBEL, SOBEL + 1e-6)], picture=piece(pixels))
    page = on_stage(first=off)
    page.locator("#arithmetic[data-sum]").wait_for()
    apart = page.evaluate(
        """() => { const c = document.querySelector('[data-picture=after]');
          return [[30, 100], [190, 100], [92, 100]].map(([x, y]) => {
            const [r, , b] = c.getContext('2d').getImageData(x, y, 1, 1).data;
            return Math.abs(r - b); }); }"""
    )
    assert max(apart[:2]) < 12
    assert apart[2] > 60


def test_what_is_below_zero_in_a_grey_result_is_blue(on_stage):
    """A start that turns the picture over is dark blue beside the true grey: not black."""
    blur = np.full((3, 3), 1 / 9)
    sent = value([record(0, blur, -blur)], blur, picture=piece(np.full((60, 60, 3), 200, np.uint8)))
    page = on_stage(first=sent)
    page.locator("#arithmetic[data-sum]").wait_for()
    learned, true = page.evaluate(
        """() => { const c = document.querySelector('[data-picture=after]');
          return [9, 55].map((x) => [...c.getContext('2d').getImageData(x, 30, 1, 1).data]); }"""
    )
    assert learned[2] > learned[0] + 60
    assert true[:3] == [200] * 3


def test_a_vanishing_difference_has_a_unit_of_its_own(on_stage):
    """Never nine zeros: ten times, or in a power of ten, as the caption says."""
    page = on_stage()
    at_speed(page, "fast")
    unit = page.locator("[data-text=unit]")
    for number, (error, caption) in enumerate(
        [(0.4, ""), (0.048, "× 10"), (1.9e-8, "in 10⁻⁸")], start=2
    ):
        show(page, value([record(1, SOBEL, SOBEL - error)], number=number, session=number))
        assert unit.inner_text() == caption


def test_a_true_zero_alone_is_written_so(on_stage):
    """A weight of a billionth among ones is no exact 0."""
    page = on_stage()
    listen(page)
    tiny = np.ones((3, 3))
    tiny[1, 1] = 1e-9
    show(page, idle(tiny, number=2))
    assert written(page, "truth") == ["1.00"] * 4 + ["0.00"] + ["1.00"] * 4
    tiny[1, 1] = 0
    show(page, idle(tiny, number=3))
    assert written(page, "truth") == ["1"] * 4 + ["0"] + ["1"] * 4


def test_the_run_before_ends_with_the_plot(on_stage):
    """A longer one is cut at the last step of the axis: right of it nothing is drawn."""
    page = on_stage()
    at_speed(page, "fast")
    show(page, value(falling(SOBEL, 60, fall=0.9), number=2) | ended())
    settled(page, done="true")
    show(page, idle(number=3))
    beyond = page.evaluate(
        """() => [...document.querySelectorAll('[data-curve]')].map((canvas) => {
          const wide = Math.round(5 * devicePixelRatio); // of the margin of 6
          const ctx = canvas.getContext('2d');
          const { data } = ctx.getImageData(canvas.width - wide, 0, wide, canvas.height - 20);
          return data.some((v, i) => i % 4 === 3 && v > 0); })"""
    )
    assert beyond == [False, False]


def test_the_weights_can_be_read_without_a_mouse(on_stage):
    """Arrow keys walk the cells; what they hold is written out and spoken."""
    page = on_stage()
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
def test_nothing_jumps_while_it_learns(on_stage, width, height, font):
    """Every part keeps its place from the first paint to the end and back, in two fonts.

    Letters decide no size; no figure and no verdict is cut off.
    """
    page = on_stage(width, height)
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


def test_a_phone_shows_the_arithmetic_in_the_place_of_the_equation(on_stage):
    """A tap on a picture brings it, at the same height; its button takes it away."""
    page = on_stage(390, 844, has_touch=True)
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
def test_the_bar_keeps_its_place_whatever_the_chips_say(on_stage, width, height):
    """Short words, and the longest: every button stays; what is cut off is in its title."""
    page = on_stage(width, height)
    bar = """() => [...document.querySelectorAll('.kd-bar > button')]
      .map((e) => e.getBoundingClientRect()).map((r) => [r.x, r.y, r.width, r.height].join(' '))"""
    at_first = page.evaluate(bar)
    long = {
        "pictures": {"text": "16 bundled photos", "short": "16 photos", "urls": []},
        "filter": {"text": "Laplacian of Gaussian 175°, 31 × 31"},
        "method": {"text": "Exact L-BFGS", "note": "rate 0.0123"},
    }
    lacking = {"pictures": {"text": "No picture yet", "short": "none yet", "urls": []}}
    for number, chips in enumerate([long, long | lacking], start=2):
        show(page, idle(SOBEL) | {"number": number, "chips": chips})
        assert page.evaluate(bar) == at_first
        assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("#chip-filter").get_attribute("title") == long["filter"]["text"]
    title = page.locator("#chip-method").get_attribute("title")
    assert title == "Exact L-BFGS rate 0.0123"


# The palette as the browser itself mixes it, of the theme's five colours: levels of 0 to 255.
BY_THE_BROWSER = """() => {
  const probe = document.body.appendChild(document.createElement('i'));
  probe.style.setProperty('transition', 'none', 'important');
  const mixed = [];
  for (let i = -255; i <= 255; i++) {
    const [side, t] = [i < 0 ? 'negative' : 'positive', 1.6 * Math.abs(i) / 255];
    const [to, from] = t <= 1 ? [side, 'zero'] : [`${side}-deep`, side];
    const share = Math.min(100, 100 * (t <= 1 ? t : (t - 1) / 0.6));
    const mix = `color-mix(in oklab, var(--kd-${to}) ${share}%, var(--kd-${from}))`;
    probe.style.color = `color-mix(in srgb, ${mix}, transparent 0%)`; // gives color(srgb r g b)
    mixed.push(...getComputedStyle(probe).color.match(/[\\d.]+(e-\\d+)?/g).map((v) => 255 * v));
  }
  return mixed;
}"""


@pytest.mark.parametrize("dark", [False, True])
def test_colours_are_mixed_as_style_sheets_do(on_stage, dark):
    """Each of the 511 colours of signed values is the browser's own OKLab mixture, rounded."""
    page = on_stage()
    page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", dark)
    page.wait_for_timeout(300)
    exact = np.array(page.evaluate(BY_THE_BROWSER))
    drawn = page.evaluate("[...window.kdPalettes.values()].map((palette) => [...palette])")
    assert exact.shape == (511 * 3,)
    assert min(np.abs(exact - palette).max() for palette in drawn) < 0.51


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
def test_every_word_can_be_read(on_stage, width, dark):
    """4.5 to 1 or better and 11 px or larger, what is locked too, in light and in dark."""
    page = on_stage(width, 844)
    page.add_style_tag(content="body { background: var(--kd-page); }")
    page.evaluate("(dark) => document.body.classList.toggle('dark', dark)", dark)
    show(page, value(falling(SOBEL, 20), number=2))
    settled(page, state="running")
    page.locator("#more").click()
    texts = page.evaluate(TEXTS)
    assert len(texts) > 25
    assert [text for text in texts if text[1] < 4.5 or text[2] < 11] == []


def test_everything_has_a_name(on_stage):
    """Controls, pictures and tables: what a screen reader says of each."""
    page = on_stage()
    page.wait_for_timeout(300)
    unnamed = page.evaluate(
        """() => [...document.querySelectorAll('.kd-live :is(button, input, [role], [tabindex])')]
          .filter((e) => !e.getAttribute('aria-label') && !e.textContent.trim() && !e.hidden
            && e.getAttribute('role') !== 'alert')
          .map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert unnamed == []


def test_the_divider_moves_by_keys(on_stage):
    """Learned on the left of it, true on the right: its share is told."""
    page = on_stage()
    divider = page.locator(".kd-cut")
    divider.focus()
    page.keyboard.press("Home")
    assert divider.get_attribute("aria-valuenow") == "0"
    page.keyboard.press("ArrowRight")
    assert divider.get_attribute("aria-valuetext") == "2 % learned"


def test_a_name_is_seen_over_its_own_part_alone(on_stage):
    """Wherever the divider stands, and none where its part is too narrow."""
    page = on_stage()
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


def test_reduced_motion_shows_what_has_come(on_stage):
    """Who asks for less motion gets the fast pace unless another one is chosen."""
    page = on_stage(reduced_motion="reduce")
    assert attribute(page, "speed") == "fast"
