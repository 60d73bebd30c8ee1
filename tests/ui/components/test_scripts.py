"""What the page's scripts compute, without a page: in Node, which Playwright brings along."""

import base64
import json
import math
import subprocess
from pathlib import Path

import numpy as np
import playwright
import pytest
from scipy import ndimage

from kernel_demo import numbers
from kernel_demo.imaging.filtering import BORDERS
from kernel_demo.ui.components import script

pytestmark = pytest.mark.tool
NODE = Path(playwright.__file__).parent / "driver" / "node"
# What they ask of a browser when they are read; numbers that JSON lacks go as text.
BEGIN = """
globalThis.ResizeObserver = class { observe() {} };
const value = (v) => (typeof v === 'number' && !Number.isFinite(v) ? String(v)
  : ArrayBuffer.isView(v) ? [...v].map(value) : Array.isArray(v) ? v.map(value)
    : v && typeof v === 'object'
      ? Object.fromEntries(Object.entries(v).map(([key, one]) => [key, value(one)]))
      : v);
"""


def computed(names: tuple[str, ...], expression: str, given=None):
    """What the expression is where these scripts stand, and `given` is what is given."""
    code = f"{BEGIN}{script(*names)}\nconst given = {json.dumps(given)};\n"
    code += f"process.stdout.write(JSON.stringify(value({expression})));"
    done = subprocess.run([NODE, "-"], input=code, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("border", [*BORDERS, "constant"])
def test_where_a_pixel_beyond_the_edge_comes_from(border):
    """numpy.pad's own places, for lines of 1 to 5 pixels and up to 12 beyond either end."""
    given = [[i, length] for length in range(1, 6) for i in range(-12, length + 12)]
    said = computed(
        ("drawing", "arithmetic"),
        f"given.map(([i, n]) => borderPlace(i, n, '{border}'))", given,
    )  # fmt: skip
    numpy = BORDERS[border].numpy if border in BORDERS else "constant"
    filler = {"constant_values": -1} if numpy == "constant" else {}
    expected = [np.pad(np.arange(n), 12, mode=numpy, **filler) for n in range(1, 6)]
    assert said == np.concatenate(expected).tolist()


@pytest.mark.parametrize(("border", "scipy"), [("zero", "constant"), ("replicate", "nearest"),
    ("reflect", "mirror"), ("symmetric", "reflect"), ("wrap", "grid-wrap")])  # fmt: skip
def test_the_arithmetic_of_a_pixel(border, scipy):
    """Patch times kernel, added up, at every pixel of a small picture: SciPy's correlate."""
    noise = np.random.default_rng(1)
    picture, kernel = noise.integers(0, 256, (6, 7)), noise.normal(size=(5, 5))
    said = computed(
        ("drawing", "arithmetic"),
        f"""given.pixels.map(([y, x]) => {{
          const plane = {{ values: given.picture.flat(), width: 7, height: 6, left: 0, top: 0,
            of: [6, 7] }};
          const patch = patchAt(plane, x, y, 5, '{border}');
          const {{ products, sum }} = productsOf(patch, given.kernel.flat(), 3);
          return [sum, products.reduce((a, b) => a + b), patch.made.reduce((a, b) => a + b)];
        }})""",
        {"picture": picture.tolist(), "kernel": kernel.tolist(),
         "pixels": [[y, x] for y in range(6) for x in range(7)]},
    )  # fmt: skip
    expected = ndimage.correlate(picture.astype(float), kernel, mode=scipy).ravel()
    np.testing.assert_allclose([row[0] for row in said], expected + 3, atol=1e-9)
    np.testing.assert_allclose([row[1] for row in said], expected, atol=1e-9)
    inside = ndimage.correlate(np.ones((6, 7)), np.ones((5, 5)), mode="constant").ravel()
    assert [row[2] for row in said] == (25 - inside).tolist()  # pixels that were made up


def test_a_piece_lacks_what_it_does_not_hold():
    """A piece from the middle of a picture: a patch over its edge is lacking, one inside is not."""
    plane = "{ values: new Float64Array(25), width: 5, height: 5, left: 10, top: 10, of: [40, 40] }"
    said = computed(
        ("drawing", "arithmetic"), f"[[12, 12], [10, 12], [14, 14]].map(([x, y]) => "
        f"patchAt({plane}, x, y, 3, 'reflect').lacking)",
    )  # fmt: skip
    assert said == [False, True, True]


@pytest.mark.parametrize("size", [3, 5, 7, 9])
def test_the_filter_of_the_browser(size):
    """`correlate`, which takes three taps at a time: SciPy's, to float32."""
    noise = np.random.default_rng(size)
    picture, kernel = noise.normal(size=(13, 17)), noise.normal(size=(size, size))
    said = computed(
        ("drawing", "arithmetic"),
        "correlate({ pixels: Float32Array.from(given[0].flat()), height: 13, width: 17 }, "
        f"given[1].flat(), {size})", [picture.tolist(), kernel.tolist()],
    )  # fmt: skip
    r = size // 2
    expected = ndimage.correlate(picture, kernel)[r : 13 - r, r : 17 - r]
    assert (said["height"], said["width"]) == expected.shape
    np.testing.assert_allclose(said["values"], expected.ravel(), atol=2e-5)


# Numbers of every size, ties, what rounds up to another power, and what has none.
VALUES = [
    *(sign * digits * 10.0**power for power in range(-9, 8) for digits in (1, 2.345, 9.995, 9.9949)
      for sign in (1, -1)),
    0.125, 0.375, 2.5, 0.0625, 1234.5, 12345.0, 99999.5, 0.1, 1 / 3, 0.0, math.inf, math.nan,
]  # fmt: skip


def test_numbers_are_written_as_python_writes_them():
    """figure() and decimal() of the scripts, and count(): to the letter what numbers.py says."""
    given = [str(value) for value in VALUES]
    read = "given.map((t) => ({ inf: Infinity, nan: NaN })[t] ?? Number(t))"
    assert computed(("drawing",), f"{read}.map((v) => figure(v))", given) == [
        numbers.figure(value) for value in VALUES
    ]
    positive = [value for value in VALUES if value > 0]
    said = computed(
        ("drawing", "show", "verdict"),
        f"{read}.map((v) => [decimal(v), decimal(v, true)])", [str(value) for value in positive],
    )  # fmt: skip
    told = [[numbers.decimal(value), numbers.decimal(value, up=True)] for value in positive]
    assert said == told
    whole = [0, 7, 999, 9999, 10000, 123456, 1234567, -45678]
    assert computed(("drawing",), "given.map((n) => count(n))", whole) == [
        numbers.count(number) for number in whole
    ]


STEPS = [*range(0, 40), *range(40, 200, 4), 200]


@pytest.mark.parametrize("wanted", [0, 1, 39, 41, 42.1, 198, 199, 10_000])
def test_the_timeline_stops_at_the_nearest_kept_step(wanted):
    """A step that was not kept leads to the one nearest to it."""
    said = computed(
        ("drawing", "show"), f"nearestRow(given.map((s) => [s]), {wanted})", STEPS
    )  # fmt: skip
    assert abs(STEPS[said] - wanted) == min(abs(step - wanted) for step in STEPS)


def shown(speed: str, times: list[int], last: int, computing: bool = False) -> list[int]:
    """The row shown at each of these milliseconds, begun at 0."""
    return computed(
        ("drawing", "show"),
        f"given.reduce(([p, all], t) => {{ const q = advanced(p, {last}, '{speed}', t, "
        f"{json.dumps(computing)}); return [q, [...all, q.at]]; }}, "
        "[{ ...begun(0), starved: false }, []])[1]",
        times,
    )  # fmt: skip


def test_the_pace_of_a_run():
    """Normal shows 35 steps in about four seconds at any rate of drawing; slow two a second; one
    step at a time none by itself; as fast as it can all that is there; and never back."""
    for frame in (16, 33, 100):
        times = list(range(frame, 4200, frame))
        rows = shown("normal", times, 35)
        arrived = times[rows.index(35)]
        assert 3700 < arrived < 4100
        assert np.diff(rows).min() >= 0
        assert len(set(rows)) >= 35  # each kernel is seen
    assert shown("slow", [100, 499, 501, 999, 1001], 35) == [0, 0, 1, 1, 2]
    assert shown("step", [1000, 9000], 35) == [0, 0]
    assert shown("fast", [1], 35) == [35]


def test_a_late_browser_skips_nothing():
    """After two seconds without a drawing the run goes on from where it was, a few rows further."""
    assert shown("normal", [100, 111 * 5 + 2000, 111 * 5 + 2112], 35)[1] <= 3


def test_what_was_cut_off_is_not_shown():
    """After a change at step 3 the player stands there at most; taken back by hand, it stays."""
    said = computed(
        ("drawing", "show"),
        "[cutTo({ at: 9, furthest: 12 }, 3), sought(begun(0), 5), played({ at: 7 }, 7, true, 1)]",
    )  # fmt: skip
    assert said[0] == {"at": 3, "furthest": 3}
    assert (said[1]["at"], said[1]["playing"]) == (5, False)
    assert (said[2]["at"], said[2]["playing"]) == (0, True)  # from the start again


@pytest.mark.parametrize("rows", [1, 7])
def test_kept_steps_are_read_from_chunks(rows):
    """Chunks of base64 float32 give the figures of each step, and true - learned in its place."""
    table = np.arange(rows * 14, dtype="<f4").reshape(rows, 14)
    chunks = [
        base64.b64encode(part.tobytes()).decode() for part in np.array_split(table, 3) if len(part)
    ]
    said = computed(
        ("drawing", "show"),
        "(() => { const all = kept(given, 3); return [all.rows, all.rows.map((_, i) => "
        "differenceAt(all, i)), differenceAt(all, 99)]; })()", chunks,
    )  # fmt: skip
    np.testing.assert_array_equal(said[0], table[:, :5])
    np.testing.assert_array_equal(said[1], table[:, 5:])
    assert said[2] is None


def test_axes_of_steps():
    """The axis grows by 10, 20, 50, 100 and holds its run; its ticks are even and below the end."""
    said = computed(
        ("drawing", "chart"),
        "given.map((n) => [axisFor(n), axisFor(n, 200), stepTicks(axisFor(n))])",
        [1, 10, 11, 35, 51, 199, 200, 4999],
    )  # fmt: skip
    assert [row[0] for row in said] == [10, 10, 20, 50, 100, 200, 200, 5000]
    assert [row[1] for row in said] == [10, 10, 20, 50, 100, 200, 200, 200]
    for last, _, ticks in said:
        assert ticks[0] == 0
        assert len(set(np.diff(ticks))) == 1
        assert 2 <= len(ticks) <= 5
        assert ticks[-1] < last
