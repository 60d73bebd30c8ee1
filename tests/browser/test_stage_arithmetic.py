"""The arithmetic of a pixel, numbers and axes, as the stage works them out by itself."""

import numpy as np
import pytest
from playwright.sync_api import expect

from kernel_demo import numbers
from kernel_demo.ui.learn import showing
from tests.browser.conftest import after_drawing
from tests.browser.on_stage import BORDERS, UNEVEN, filtered, grey, run, show
from tests.browser.stage_values import idle, photo, piece, record, value

pytestmark = pytest.mark.browser

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
def test_the_page_says_what_a_pixel_comes_to(on_stage, border, height, width):
    """By arrow keys to the picture's corner and a step inside: data-sum, data-true of a PNG
    that is a piece with margins, in pixels of the full picture."""
    pixels = photo(height, width, seed=1)
    learned = UNEVEN * 0.9
    records = [record(0, UNEVEN, learned)]
    first = value(records, UNEVEN, picture=piece(pixels, margin=5), border=border)
    page = on_stage(first=first)
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


def test_a_sum_is_of_the_products_before_they_are_rounded(on_stage):
    """At each pixel, also where what is written does not add up: NumPy's sum, then rounded, under
    one sign; which is the learned one and which the true one is said, and what was rounded when."""
    pixels, kernel = photo(40, 40, seed=3), UNEVEN * 0.93
    plane = grey(pixels)
    page = on_stage(first=value([record(0, UNEVEN, kernel)], UNEVEN, picture=piece(pixels)))
    place = page.locator("#arithmetic")
    page.locator("#arithmetic[data-sum]").wait_for()
    page.locator("[data-view=after]").focus()
    sums = page.locator(".kd-sum")
    expect(sums).to_have_attribute("title", "The products are added up before they are rounded.")
    adds_up = set()
    for _ in range(12):
        x, y = (int(place.get_attribute(f"data-{name}")) for name in "xy")
        patch = plane[y - 1 : y + 2, x - 1 : x + 2]
        products = patch * kernel
        adds_up.add(np.rint(products).sum() == np.rint(products.sum()))
        own, true = (
            f"{np.rint(one.sum()):.0f}".replace("-", "−") for one in (products, patch * UNEVEN)
        )
        assert sums.inner_text().split() == ["new", "pixel", "learned", own, "true", true]
        assert place.locator(".kd-operator").last.inner_text() == "Σ"
        page.keyboard.press("ArrowLeft")
        expect(place).to_have_attribute("data-x", str(x - 1))
    assert adds_up == {True, False}


def test_a_pixel_of_a_photo_of_16_bits(on_stage):
    """Its sums are of the values that are learned from, not of their 8 bits."""
    deep = np.random.default_rng(5).integers(0, 65536, (50, 60, 3)).astype(np.uint16)
    photo = np.divide(deep, np.float32(65535), dtype=np.float32)
    first = value(
        [record(0, UNEVEN, UNEVEN * 0.9)], UNEVEN, picture=showing.piece(photo, "luminance")
    )
    page = on_stage(first=first)
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


def test_the_pointer_chooses_the_pixel(on_stage):
    """Where the mouse is over Before, there the arithmetic is; the mark stands on both pictures."""
    page = on_stage()
    box = page.locator("[data-view=before]").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.251, box["y"] + box["height"] * 0.501)
    after_drawing(page)
    place = page.locator("#arithmetic")
    # The square is 80 of a picture 100 wide: its left edge is at 10.
    assert (place.get_attribute("data-x"), place.get_attribute("data-y")) == ("30", "40")
    lefts = page.eval_on_selector_all(".kd-mark", "(all) => all.map((e) => e.style.left)")
    assert lefts == ["25.625%"] * 2


def test_the_pixels_of_a_picture_come_once(on_stage):
    """Later values name it by its key alone; back to one that was shown, it is there again."""
    first, second = piece(photo(seed=1)), piece(photo(seed=2))
    page = on_stage(first=idle(picture=first))
    page.locator("#arithmetic[data-sum]").wait_for()
    shown = page.evaluate("pixels()")
    for number, sent in enumerate((first | {"url": ""}, second, first | {"url": ""}), start=1):
        show(page, idle(picture=sent, number=number))
        assert (page.evaluate("pixels()") == shown) == (sent["key"] == first["key"])
    show(page, idle(picture=second | {"url": "", "key": "never sent"}, number=9))
    assert page.locator("#arithmetic").get_attribute("data-sum") is None


def test_it_begins_on_an_edge(on_stage):
    """Before anything is touched the pixel is one where the filter has something to say."""
    pixels = np.full((60, 60, 3), 40, np.uint8)
    pixels[:, 25:] = 200
    page = on_stage(first=idle(picture=piece(pixels)))
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
