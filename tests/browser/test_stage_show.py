"""The pace of a run on the stage, by itself: no server, values handed to its script directly."""

import itertools

import numpy as np
import pytest
from playwright.sync_api import expect

from kernel_demo.numbers import duration, powered
from tests.browser.conftest import after_drawing
from tests.browser.on_stage import (
    arrivals,
    at_speed,
    attribute,
    begun,
    listen,
    plain,
    run,
    settled,
    show,
    told,
    verdict,
    written,
)
from tests.browser.stage_values import SOBEL, ended, falling, idle, photo, piece, record, value

pytestmark = pytest.mark.browser

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


def test_a_step_is_not_passed_before_it_is_drawn(on_stage):
    """While nothing is drawn the show stands; then it goes on by a few steps."""
    page = on_stage()
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


def test_as_fast_as_they_come_is_no_jerk(page):
    """Of 30 steps that come at once while more are on their way, a third of what is left each
    tenth of a second; when the last has come, all at once."""
    places = run(
        page,
        """() => {
          let player = begun(0);
          return [50, 100, 150, 200, 300].map((now) => {
            player = advanced(player, 30, 'fast', now, true);
            return player.at;
          });
        }""",
    )
    assert places == [0, 10, 10, 17, 22]
    wait = "() => waitOf(advanced(begun(0), 30, 'fast', 100, true), 30, 'fast', 140, true)"
    assert run(page, wait) == 60
    assert run(page, "() => advanced(begun(0), 30, 'fast', 1, false).at") == 30


def test_the_thumb_never_runs_back(on_stage):
    """From the first step to the end, also where the curves' axis grows: 10, 20, 50, 100."""
    page = on_stage()
    at_speed(page, "normal")
    page.evaluate(
        """() => { window.shares = [];
          const line = document.querySelector('#timeline');
          new MutationObserver(() => shares.push(line.value / line.max))
            .observe(line.closest('.kd-live'), { attributeFilter: ['data-step'] });
        }"""
    )
    show(page, value(falling(SOBEL, 24), number=2))
    settled(page, step="24")
    show(page, value(falling(SOBEL, 24), number=3, **ended()))
    settled(page, done="true")
    shares = page.evaluate("shares")
    assert len(shares) >= 20
    assert shares == sorted(shares)
    assert page.evaluate("document.querySelector('#timeline').max") == "24"


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


# ---- The show


def test_a_computed_run_is_shown_step_by_step(on_stage):
    """It came in one message: every kept step is shown, in order, and then it is done."""
    page = on_stage()
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


def test_pause_stops_the_show_and_tells_the_step_shown(on_stage):
    """Not the step computed; Resume goes on from there, and neither moves the focus."""
    page = on_stage()
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
    show(page, value(falling(SOBEL, 34), number=3, computing=False, paused=True))  # its answer
    page.keyboard.press("Space")
    settled(page, state="running", step=str(step + 1))
    assert told(page)[1:] == [["resume", {"step": step}]]


def test_learn_waits_and_stops(on_stage):
    """Pressed: Getting ready, and Stop in the same place; a place in the queue; Stop is told."""
    page = on_stage()
    page.locator("#learn").click()
    settled(page, state="waiting")
    assert verdict(page).startswith("Getting ready.")
    show(page, value([record(0, SOBEL, SOBEL)], number=2, waiting=1))
    assert verdict(page).startswith("Waiting for a place. You are next.")
    assert page.locator("#learn").inner_text() == "Stop"
    page.locator("#learn").click()
    assert [name for name, _ in told(page)] == ["learn", "stop"]
    assert arrivals(page) == []


def test_what_has_not_begun_is_cancelled_when_it_has(on_stage):
    """Learn, or Resume, pressed twice at once: Stop, or Pause, is told as soon as the run can be
    cancelled, which is when anything of its own has come."""
    page = on_stage()
    press_twice = "() => [0, 1].forEach(() => document.getElementById('learn').click())"
    page.evaluate(press_twice)
    show(page, value([record(0, SOBEL, SOBEL)], number=2, waits=True))
    assert [name for name, _ in told(page)] == ["learn"]
    show(page, value([record(0, SOBEL, SOBEL)], number=3))
    assert [name for name, _ in told(page)] == ["learn", "stop"]
    show(page, value(falling(SOBEL, 3), number=4, computing=False, paused=True))
    settled(page, state="paused")
    page.evaluate(press_twice)
    show(page, value(falling(SOBEL, 3), number=5, waits=True))
    settled(page, state="paused")
    assert [name for name, _ in told(page)] == ["learn", "stop", "resume"]
    show(page, value(falling(SOBEL, 4), number=6))
    assert [name for name, _ in told(page)] == ["learn", "stop", "resume", "pause"]


def test_what_is_asked_for_before_a_halt_is_heard(on_stage):
    """Resume pressed before Pause is answered goes out with the answer, as
    requests may overtake one another; one that is paused again before that, never does."""
    page = on_stage()
    learn = page.locator("#learn")
    learn.press("Enter")
    show(page, value(falling(SOBEL, 9), number=2))
    settled(page, state="running")
    learn.press("Enter")
    learn.press("Enter")
    settled(page, state="running")
    assert [name for name, _ in told(page)] == ["learn", "pause"]
    show(page, value(falling(SOBEL, 10), number=3))  # was on its way
    assert [name for name, _ in told(page)] == ["learn", "pause"]
    show(page, value(falling(SOBEL, 10), number=4, computing=False, paused=True))
    settled(page, state="running")
    assert [name for name, _ in told(page)] == ["learn", "pause", "resume"]
    assert arrivals(page) == []
    show(page, value(falling(SOBEL, 12), number=5))
    for _ in range(3):
        learn.press("Enter")
    settled(page, state="paused")
    show(page, value(falling(SOBEL, 12), number=6, computing=False, paused=True))
    settled(page, state="paused")
    assert [name for name, _ in told(page)] == ["learn", "pause", "resume", "pause"]


def test_what_is_asked_for_goes_out_where_no_answer_comes(on_stage):
    """The answer of a Pause was lost: Resume is told all the same, after a while."""
    page = on_stage()
    page.locator("#learn").press("Enter")
    show(page, value(falling(SOBEL, 9), number=2))
    page.locator("#learn").press("Enter")
    page.locator("#learn").press("Enter")
    page.wait_for_function("() => window.triggered.some(([name]) => name === 'resume')")


def test_a_double_click_is_one(on_stage):
    """It begins a run, and does not stop it."""
    page = on_stage()
    page.locator("#learn").dblclick()
    show(page, value(falling(SOBEL, 9), number=2))
    assert [name for name, _ in told(page)] == ["learn"]
    assert attribute(page, "state") == "running"


# From now on the time stamp of the first click is known; and a click so many milliseconds later.
NOTE = "() => addEventListener('click', (e) => { window.pressedAt ??= e.timeStamp; }, true)"
PRESS = """(button, after) => {
  const click = new MouseEvent('click', { bubbles: true, detail: 1 });
  Object.defineProperty(click, 'timeStamp', { value: window.pressedAt + after });
  button.dispatchEvent(click); }"""


def test_a_second_press_of_learn_is_no_pause(on_stage):
    """What takes Learn's place is halted by no press within 600 ms, slower than a double click; by
    a later one it is, and by a key at any time."""
    page = on_stage()
    page.evaluate(NOTE)
    learn = page.locator("#learn")
    learn.click()
    show(page, value(falling(SOBEL, 9), number=2))
    learn.evaluate(PRESS, 450)
    assert [name for name, _ in told(page)] == ["learn"]
    assert attribute(page, "state") == "running"
    learn.evaluate(PRESS, 700)
    settled(page, state="paused")
    page = on_stage()
    page.locator("#learn").focus()
    page.keyboard.press("Enter")
    page.evaluate("(value) => { window.show(value); }", plain(value(falling(SOBEL, 9), number=2)))
    page.keyboard.press("Enter")
    settled(page, state="paused")


def test_seconds_are_written_as_python_writes_them(page):
    """verdict.js and numbers.py on the same durations, from microseconds to minutes."""
    seconds = [0, 2.13e-6, 0.0021, 0.0631, 0.0949, 0.0996, 0.1, 0.4, 1, 9.94, 9.96, 59.6, 185]
    written = run(page, "(all) => all.map(inSeconds)", seconds)
    assert written == [duration(one) for one in seconds]


def test_a_row_of_numbers_has_one_notation(page):
    """All plain, or all with a power of ten as `powered` writes them, where one needs it."""
    assert run(page, "alike", [0.42, 0.057, 0.0017]) == ["0.42", "0.057", "0.0017"]
    mixed = [8e-5, 3e-4, 0.00104, 0.057, 0.42]
    assert run(page, "alike", mixed) == [powered(one) for one in mixed]
    assert run(page, "alike", [0, 0.5]) == ["0", "0.50"]


def test_without_a_picture_no_part_of_one_stands(on_stage):
    """No operators of a pixel's sum, no divider and no names of its sides; with one they come."""
    page = on_stage(first=idle(picture=None))
    parts = [
        page.locator(name).first
        for name in (
            ".kd-cut",
            ".kd-side-name-left",
            "#arithmetic .kd-operator",
            "#arithmetic .kd-sum",
        )
    ]
    for part in parts:
        expect(part).to_be_hidden()
    show(page, idle(number=2, picture=piece(photo())))
    for part in parts:
        expect(part).to_be_visible()


def test_what_stands_still_stays(on_stage):
    """Stopped while it waits to go on, or paused by the server: what comes late is not shown by
    itself, and the small button plays."""
    page = on_stage()
    at_speed(page, "fast")
    show(page, value(falling(SOBEL, 3), number=2, computing=False, paused=True))
    settled(page, state="paused", step="3")
    show(page, value(falling(SOBEL, 5), number=3))
    assert (attribute(page, "state"), attribute(page, "step")) == ("paused", "3")
    page.locator("#learn").click()
    show(page, value(falling(SOBEL, 5), number=4, waiting=1))
    settled(page, state="waiting")
    step = attribute(page, "step")
    page.locator("#learn").click()
    show(page, value(falling(SOBEL, 9), number=5))
    assert (attribute(page, "state"), attribute(page, "step")) == ("paused", step)
    assert page.locator("#play").get_attribute("data-icon") == "play"


def test_the_end_of_a_show_is_told_once(on_stage):
    """Not when computing has ended, but when its last step is shown; looking back and to the end
    again is nothing new. A pause is told by itself, and so is going on from it to the end."""
    page = on_stage()
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


def test_the_pieces_that_the_browser_holds_are_told(on_stage):
    """Learn says which pictures it has: their pixels need not travel again."""
    first = piece(photo())
    page = on_stage(first=idle(picture=first))
    page.locator("#arithmetic[data-sum]").wait_for()
    page.locator("#learn").click()
    assert told(page) == [["learn", {"held": [first["key"]]}]]


def test_one_update_from_the_step_shown(on_stage):
    """Step on a paused run: told with its step; what comes back is shown at once, paused."""
    page = on_stage()
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


def test_one_step_a_press(on_stage):
    """Speed 1 step: a run that is computed goes on by presses of Step alone, and that is told."""
    page = on_stage()
    at_speed(page, "step")
    show(page, value(falling(SOBEL, 5), steps=5) | ended())
    page.wait_for_timeout(400)
    assert attribute(page, "step") == "0"
    assert verdict(page) == "One step at a time: press Step. A weight is still 1.00 off."
    for _ in range(2):
        page.locator("#step").click()
    settled(page, step="2", state="running")
    assert told(page) == []


def test_a_changed_rate_counts_from_the_step_shown(on_stage):
    """It is told with that step; the show stands until the run of the new rate is there."""
    page = on_stage()
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
def test_a_rate_is_told_as_that_of_the_run_in_view_while_it_is_shown(on_stage, ended_at_once):
    """Computing may have ended long before the show: it counts from the step shown all the same.
    Before a run, at its end and of K-FAC it is a setting as any other."""
    page = on_stage()
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


def test_a_filtered_picture_is_of_the_step_shown(on_stage):
    """At normal speed After is made anew for each step of a 3 x 3 run, of a photo as the page's."""
    picture = piece(photo(430, 430))
    page = on_stage(first=idle(picture=picture))
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
@pytest.mark.parametrize("step", [8, 10])
def test_no_curve_strikes_through_a_label(page, level, at, step):
    """A mark's words and the name of a pale curve stand inside the plot, clear of the curves and of
    the line at the step shown."""
    found = run(
        page,
        """(level, at, step) => {
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
              { points: flat, colour: '#f00' }], cursor: { step, value: level, colour: '#f00' },
          }, { font: 'sans-serif', ink: '#000', muted: '#00f', line: '#eee', ground: '#fff' });
          const labels = said.filter(([text]) => /rate|before/.test(text));
          return labels.map(([text, x, y, width]) => {
            const { data } = canvas.getContext('2d').getImageData(x, y, width, 12);
            let red = 0;
            for (let i = 0; i < data.length; i += 4) {
              red += data[i + 3] > 99 && data[i] > data[i + 2] + 60;
            }
            return [text, x, x + width, y, red]; }); }""",
        level, at, step,
    )  # fmt: skip
    upright = 38 + (300 - 38 - 6) * step / 10
    assert {text for text, *_ in found} == {"rate 0.03", "the run before"}
    for text, left, right, top, red in found:
        assert left >= 38
        assert right <= 294
        assert 0 <= top <= 92 - 12
        assert text == "rate 0.03" or not left < upright < right
        assert red <= 8  # of the dot's edge
    (_, a, b, top, _), (_, c, d, other, _) = found
    assert b < c or d < a or abs(top - other) >= 12


@pytest.mark.parametrize("rest", ["end", "pause", "one step"])
def test_a_large_filtered_picture_is_of_the_step_at_rest(on_stage, rest):
    """Where drawing is slow After lags behind while a run is shown, and no more once it rests."""
    kernel = np.random.default_rng(1).normal(size=(9, 9)) / 9
    page = on_stage(first=idle(kernel, picture=piece(photo())))
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


def test_a_click_beyond_what_is_computed_learns_nothing(on_stage):
    """Paused: how far it is computed is marked and told; beyond lies the last computed step, and
    the server is asked for nothing but what rests there."""
    page = on_stage()
    at_speed(page, "slow")
    show(page, value(falling(SOBEL, 60)))
    begun(page)
    page.locator("#learn").click()
    settled(page, state="paused")
    show(page, value(falling(SOBEL, 60), number=2, computing=False, paused=True))
    timeline = page.locator("#timeline")
    expect(timeline).to_have_attribute(
        "title", "Computed up to step 60: a click beyond goes there and learns nothing."
    )
    expect(timeline).to_have_css("--computed", "30.00%")
    before = told(page)
    box = timeline.bounding_box()
    page.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2)
    settled(page, state="paused", step="60")
    page.wait_for_timeout(700)
    assert attribute(page, "step") == "60"
    assert timeline.input_value() == "60"
    assert told(page) == before


def test_the_timeline_stays_where_it_is_put(on_stage):
    """While it runs: the run goes on, the show waits; arrow keys go from kept step to kept step."""
    page = on_stage()
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
    assert page.locator("#timeline").get_attribute("aria-valuetext") == "step 10, at most 200"
    assert page.locator(".kd-timeline > span").first.inner_text() == "Step 10, at most 200"
    assert page.locator("[data-text=seconds]").inner_text() == "computed in 0.10 s"
    page.locator("#verdict-action").click()
    settled(page, step="50")
    assert told(page) == []


def test_a_curve_is_pointed_at(on_stage):
    """The pointer tells the step and the value there; pressed it goes there, and drawn along on
    from there, to kept steps alone. A finger goes where it taps."""
    page = on_stage(has_touch=True)
    listen(page)
    at_speed(page, "fast")
    sparse = [r for r in falling(SOBEL, 40) if r[0] < 3 or r[0] % 10 == 0]
    show(page, value(sparse, number=2, steps=40) | ended())
    settled(page, done="true")
    curve = page.locator("[data-curve=error]")
    box = curve.bounding_box()
    middle = box["y"] + box["height"] / 2

    def across(step):
        return box["x"] + 38 + (box["width"] - 44) * step / 40

    page.mouse.move(across(21), middle)
    after_drawing(page)
    assert "step 20: 8.0·10⁻⁴" in written(page, "error")
    assert attribute(page, "step") == "40"
    page.mouse.down()
    settled(page, step="20", state="finished")
    page.mouse.move(across(9), middle)
    settled(page, step="10")
    page.mouse.up()
    page.mouse.move(5, 5)
    after_drawing(page)
    assert not [word for word in written(page, "error") if word.startswith("step 10:")]
    curve.tap(position={"x": across(29) - box["x"], "y": 20})
    settled(page, step="30")
    assert told(page) == []


def swipe(page, start, way):
    """A finger comes down at start, moves by way in ten steps and leaves."""
    finger = page.context.new_cdp_session(page)
    for i, kind in enumerate(["touchStart", *["touchMove"] * 10, "touchEnd"]):
        at = [begin + by * min(i, 10) / 10 for begin, by in zip(start, way, strict=True)]
        points = [] if kind == "touchEnd" else [dict(zip("xy", at, strict=True))]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.wait_for_timeout(20)
    page.wait_for_timeout(300)


@pytest.mark.parametrize("part", ["[data-curve=loss]", "[data-curve=error]", "#timeline"])
def test_a_finger_that_scrolls_changes_no_step(on_stage, part):
    """On a phone, drawn up from a curve or the timeline, it scrolls and the step shown stays; drawn
    along it, it goes to the step where it ends, and the page stays."""
    page = on_stage(390, 844, has_touch=True, is_mobile=True)
    page.add_style_tag(content="body { padding-bottom: 2000px; }")
    at_speed(page, "fast")
    show(page, value(falling(SOBEL, 40), number=2, steps=40) | ended())
    settled(page, done="true")
    place = page.locator(part)
    box = place.bounding_box()
    start = box["x"] + 0.6 * box["width"], box["y"] + box["height"] / 2
    swipe(page, start, (4, -250))
    assert page.evaluate("scrollY") > 100
    settled(page, step="40")
    page.evaluate("scrollTo(0, 0)")
    swipe(page, start, (-0.4 * box["width"], 3))
    settled(page, state="finished")
    assert page.evaluate("scrollY") == 0
    assert int(attribute(page, "step")) < 20


def test_looking_back_says_so(on_stage):
    """After the end: the step, its error, how it ended; To the end goes there; play shows it."""
    page = on_stage()
    at_speed(page, "fast")
    show(page, value(falling(SOBEL, 60), steps=60) | ended())
    settled(page, done="true")
    assert page.locator("#step").is_disabled()
    page.locator("#timeline").fill("6")
    settled(page, step="6", state="finished", done="true")
    said = verdict(page)
    assert said.startswith(
        "Looking back at step 6: a weight is 0.12 off. At the end: right to 8 decimals"
    )
    assert page.locator(".kd-timeline > span").first.inner_text() == "Step 6 of 60"
    page.locator("#step").click()
    settled(page, step="7")
    page.locator("#verdict-action").click()
    settled(page, step="60")
    at_speed(page, "slow")
    page.locator("#play").click()
    settled(page, step="0", done="true")


def test_who_looks_back_hears_of_the_end(on_stage):
    """Dragged back while it learns, the stage stays there and says that learning goes on, until it
    does not. Who pressed Pause meanwhile goes on from there.
    """
    page = on_stage()
    at_speed(page, "fast")
    show(page, value(falling(SOBEL, 20), number=2))
    settled(page, step="20")
    page.locator("#timeline").fill("6")
    settled(page, step="6", state="running")
    assert "Learning goes on meanwhile." in verdict(page)
    show(page, value(falling(SOBEL, 60), number=3) | ended())
    settled(page, step="6", state="finished", done="true")
    assert "goes on" not in verdict(page)
    assert "At the end: right to 8 decimals" in verdict(page)
    page.locator("#verdict-action").click()
    settled(page, step="60")
    at_speed(page, "slow")
    show(page, value(falling(SOBEL, 60), number=4, session=2))
    settled(page, step="1")
    page.locator("#learn").click()
    show(page, value(falling(SOBEL, 60), number=5, session=2) | ended())
    settled(page, state="paused")


def test_more_steps_go_on_from_the_end(on_stage):
    """Offered where they help; told with the last step, and shown from there."""
    page = on_stage()
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
