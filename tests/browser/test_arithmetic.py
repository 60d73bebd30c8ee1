"""The arithmetic of a pixel below the pictures of a result, against OpenCV."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter
from playwright.sync_api import expect

from kernel_demo.imaging.filtering import BORDERS, LUMINANCE, pad
from kernel_demo.imaging.kernels import named
from kernel_demo.recovery import recover
from kernel_demo.sources.bundled import FOLDER
from kernel_demo.ui.components import comparison, worked
from kernel_demo.ui.recover import finding
from tests.browser.conftest import after_drawing

UNEVEN = np.array([[0.5, -1, 0.25], [2, 0.125, -0.5], [1, -2, 3]])
TOLERANCE = 0.01  # grey levels


def filtered(levels, kernel, border, around=0.0):
    """OpenCV's correlation, in grey levels."""
    radius = len(kernel) // 2
    padded = pad(np.asarray(levels, np.float64), radius, border, around)
    made = cv2.filter2D(padded, -1, kernel)
    return made[radius:-radius, radius:-radius]


def photo(height, width, seed=0, channels=3):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def compared(pixels, border, **more):
    """A comparison of two results of UNEVEN, learned nearly, on the page; and its value."""
    planes = worked.planes_of(pixels)
    outputs = [
        {
            "name": worked.NAMES[i] if len(planes) > 1 else "",
            "side": worked.side([(i, UNEVEN * 0.9)], border, 0.1),
            "beside": worked.side([(i, UNEVEN)], border),
        }
        for i in range(len(planes))
    ]
    record = worked.record(
        worked.piece(pixels), 3, outputs, name="learned", beside="true {sum}", planes=planes
    )
    light = np.float32(pixels / np.iinfo(pixels.dtype).max)
    return comparison.view(light, light, ("a", "b"), is_map=False, arithmetic=record, **more)


def shown(page):
    """x, y, sum and true, from the attributes."""
    place = page.locator(".kd-worked[data-sum]").first
    place.wait_for()
    return [float(place.get_attribute(f"data-{name}")) for name in ("x", "y", "sum", "true")]


def walk(page, keys, view=".kd-compare"):
    page.locator(view).first.focus()
    for key in keys:
        page.keyboard.press(key)
    after_drawing(page)


def agrees(told, expected):
    x, y = map(int, told[:2])
    assert told[2] == pytest.approx(expected[0][y, x], abs=TOLERANCE)
    assert told[3] == pytest.approx(expected[1][y, x], abs=TOLERANCE)


@pytest.mark.parametrize("border", list(BORDERS))
def test_a_colour_result(alone, border):
    """In each channel, inside and in a corner that is made up: learned and true are OpenCV's."""
    pixels = photo(40, 60)
    page = alone(comparison.component("result"), compared(pixels, border))
    for channel, name in enumerate(worked.NAMES):
        page.get_by_role("button", name=name).click()
        levels = pixels[..., channel]
        expected = (
            filtered(levels, UNEVEN * 0.9, border) + 25.5,
            filtered(levels, UNEVEN, border),
        )
        after_drawing(page)
        agrees(shown(page), expected)
        walk(page, ["Shift+ArrowLeft", "Shift+ArrowUp"] * 7)
        told = shown(page)
        assert told[:2] == [0, 0]
        agrees(told, expected)
        made = page.locator(".kd-worked").get_attribute("data-made")
        assert made == "true"
    expect(page.locator(".kd-worked [data-text=square]")).to_have_text(f"made up: {border}")


def test_samples_of_16_bits(alone):
    """No bit is lost on the way: the low bytes come in a picture of their own."""
    pixels = np.random.default_rng(1).integers(0, 65536, (40, 50)).astype(np.uint16)
    page = alone(comparison.component("result"), compared(pixels, "reflect"))
    levels = pixels / 257
    expected = filtered(levels, UNEVEN * 0.9, "reflect") + 25.5, filtered(levels, UNEVEN, "reflect")
    agrees(shown(page), expected)
    assert worked.piece((pixels >> 8).astype(np.uint8))["fine"] == ""
    assert worked.piece(np.float32(pixels >> 8) / np.float32(255))["fine"] == ""


def test_pointing_where_the_picture_is_shown_smaller(alone):
    """Hover and tap name pixels of the full picture; Escape goes back to the first one."""
    pixels = photo(900, 1100, channels=1)
    page = alone(comparison.component("result"), compared(pixels, "reflect"))
    first = shown(page)
    box = page.locator(".kd-compare").first.bounding_box()
    places = ((0.25, 0.6), (0.9, 0.1))
    for act, (across, down) in zip((page.mouse.move, page.mouse.click), places, strict=True):
        act(box["x"] + across * box["width"], box["y"] + down * box["height"])
        after_drawing(page)
        x, y, *_ = told = shown(page)
        assert x == pytest.approx(1100 * across, abs=4)
        assert y == pytest.approx(900 * down, abs=4)
        agrees(told, (filtered(pixels, UNEVEN * 0.9, "reflect") + 25.5,
                      filtered(pixels, UNEVEN, "reflect")))  # fmt: skip
    assert page.locator(".kd-compare input").input_value() == "50"  # a tap is no drag
    page.mouse.move(0, 0)
    walk(page, ["ArrowLeft", "Escape"])
    assert shown(page) == first


def test_of_a_large_picture_the_middle(alone):
    """It is sent at full size, that is said, and pixels are those of the full picture."""
    pixels = photo(1100, 1300, channels=1)
    page = alone(comparison.component("result"), compared(pixels, "reflect"))
    expect(page.locator(".kd-worked [data-part=piece]")).to_contain_text("1024 × 1024")
    walk(page, ["Shift+ArrowLeft"] * 70)
    told = shown(page)
    assert told[0] == (1300 - 1024) // 2 + 1  # its patch lies inside what was sent
    agrees(told, (filtered(pixels, UNEVEN * 0.9, "reflect") + 25.5,
                  filtered(pixels, UNEVEN, "reflect")))  # fmt: skip


def recovered(alone, before, after):
    found = recover(before, after, 5)
    shown = finding.reproduced(found, [(before, after)])
    return found, alone(comparison.component("reproduced"), shown)


def test_recovered_with_an_offset(alone):
    """The kernel's sum and its offset at a pixel, and beside it the after file's own level."""
    image = Image.open(FOLDER / "camera.jpg").convert("L").crop((120, 80, 280, 200))
    before, after = np.asarray(image), np.asarray(image.filter(ImageFilter.EMBOSS))
    found, page = recovered(alone, before, after)
    expected = filtered(before, found.kernel[0, 0], "reflect") + found.offset
    told = shown(page)
    agrees(told, (expected, after))
    assert "+ 128.00 (offset)" in page.locator(".kd-worked [data-part=told]").inner_text()
    walk(page, ["Shift+ArrowLeft", "Shift+ArrowUp"] * 20)
    assert shown(page)[:2] == [0, 0]
    assert np.isnan(shown(page)[2])  # Pillow copies the border: no kernel made that pixel
    expect(page.locator(".kd-worked [data-part=told]")).to_contain_text("no rule is known")


def test_recovered_mixture_of_colours(alone):
    """Three kernels into a channel: a row of tables each, and the sum of all is the new pixel."""
    rgb = np.asarray(Image.open(FOLDER / "coffee.jpg").crop((100, 80, 260, 240)))
    matrix = np.array([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
    after = np.floor(rgb @ matrix.T + 0.5).astype(np.uint8)
    found, page = recovered(alone, rgb, after)
    assert found.kernel.shape[:2] == (3, 3)
    assert page.locator(".kd-arithmetic").count() == 3
    page.get_by_role("button", name="green").click()
    after_drawing(page)
    offset = np.broadcast_to(found.offset, 3)[1]
    expected = offset + sum(filtered(rgb[..., i], found.kernel[1, i], "reflect") for i in range(3))
    agrees(shown(page), (expected, after[..., 1]))


def test_recovered_with_a_value_around(alone):
    """Beyond a border of one value there is that value."""
    image = np.asarray(Image.open(FOLDER / "camera.jpg").convert("L").crop((120, 80, 280, 240)))
    kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    after = np.floor(filtered(image, kernel, "constant", 77) + 0.5).astype(np.uint8)
    found, page = recovered(alone, image, after)
    assert found.padding == "constant"
    walk(page, ["Shift+ArrowLeft", "Shift+ArrowUp"] * 20)
    told = shown(page)
    assert told[:2] == [0, 0]
    around = found.padding_value
    agrees(told, (filtered(image, found.kernel[0, 0], "constant", around) + found.offset, after))


def test_of_a_run_on_the_page(page, server):
    """The result of a run: learned and true at a pixel of the whole picture."""
    page.goto(server)
    page.locator("#learn").click()
    place = page.locator("#result .kd-worked[data-sum]")
    place.wait_for()
    page.locator("#result .kd-compare").first.focus()
    page.keyboard.press("ArrowRight")
    after_drawing(page)
    x, y = (int(place.get_attribute(f"data-{name}")) for name in "xy")
    picture = page.locator("#result-card #picture input").input_value()
    levels = None
    for path in FOLDER.glob("*.jpg"):
        if path.stem.startswith(picture.split()[0].lower()):
            levels = np.asarray(Image.open(path).convert("RGB")) @ np.array(LUMINANCE)
    expected = filtered(levels, named("sobel_x").values, "reflect")[y, x]
    for name in ("sum", "true"):
        assert float(place.get_attribute(f"data-{name}")) == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize(("cut", "names"), [(0, ["b"]), (50, ["a", "b"]), (100, ["a"])])
def test_a_name_is_seen_over_its_own_picture_alone(alone, cut, names):
    """Where the divider leaves one of the pictures no room, its name is gone with it."""
    page = alone(comparison.component("r"), compared(photo(100, 100), "reflect"))
    page.locator("input[type=range]").fill(str(cut))
    seen = [tag.inner_text() for tag in page.locator(".kd-tag").all()[:2] if tag.is_visible()]
    assert seen == names


@pytest.mark.parametrize(
    ("learned", "told"),
    [
        # Two digits would make it a hundredth: 100.00 and 100.01.
        (0.00499, "100.005; true 100.005, apart by 2.0·10⁻⁵."),
        (0.00502, "100.01; true 100.01."),
        (0.01600, "100.02; true 100.01."),  # a hundredth indeed
    ],
)
def test_two_digits_say_nothing_false(alone, learned, told):
    """Learned and true that round to different hundredths are told with what they are apart, in
    figures that do not gainsay it."""
    same = np.pad([[1.0]], 1)
    pair = [worked.side([(0, same)], "reflect", n / 255) for n in (learned, 0.00501)]
    record = worked.record(
        worked.piece(np.full((20, 20), 100, np.uint8)), 3,
        [{"name": "", "side": pair[0], "beside": pair[1]}], name="learned", beside="true {sum}",
    )  # fmt: skip
    light = np.full((20, 20), 0.4, np.float32)
    value = comparison.view(light, light, ("a", "b"), is_map=False, arithmetic=record)
    page = alone(comparison.component("r"), value)
    expect(page.locator("[data-part=told]")).to_contain_text(told)


def test_question_2(page, server):
    """In a corner of each border's picture: OpenCV's blur under it, beside that under Reflect."""
    page.goto(server)
    page.get_by_role("tab", name="Questions").click()
    page.locator("#try-edges").click()
    place = page.locator("#try-edges-result .kd-worked[data-sum]")
    place.wait_for()
    source = cv2.imread(str(next(FOLDER.glob("coffee.jpg"))), cv2.IMREAD_COLOR)
    levels = source[..., ::-1] @ np.array(LUMINANCE)
    blur = named("gaussian", 15).values
    for border in BORDERS:
        page.locator(f"[data-border={border}]").first.focus()
        for key in ("ArrowUp", "ArrowRight") * 28:
            page.keyboard.press(key)
        after_drawing(page)
        told = [float(place.get_attribute(f"data-{name}")) for name in ("x", "y", "sum", "true")]
        agrees(told, [filtered(levels, blur, rule) for rule in (border, "reflect")])
        assert place.get_attribute("data-made") == "true"
