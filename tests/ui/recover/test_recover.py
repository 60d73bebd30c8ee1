"""Recover by its endpoint: what real tools made comes back, and nothing valid makes it fail."""

import base64
import io
import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from gradio_client import handle_file
from gradio_client.exceptions import AppError
from PIL import Image, ImageFilter

from kernel_demo.imaging import probe as imaging_probe
from kernel_demo.imaging.filtering import correlate
from kernel_demo.imaging.kernels import named
from kernel_demo.learning.training import TrainSettings
from kernel_demo.recovery import Channels, alignment, leftover, recover, reproduction
from kernel_demo.recovery.known import Name
from kernel_demo.sources.bundled import FOLDER
from kernel_demo.ui import served
from kernel_demo.ui.components import take as take_card
from kernel_demo.ui.learn.result import before_learning
from kernel_demo.ui.learn.session import Damage, Experiment
from kernel_demo.ui.pictures import PictureChoice
from kernel_demo.ui.recover import events, finding, pairs, tab

KEYS = {
    "verdict", "kernel", "size", "offset", "standard_error", "residual", "rounding_floor",
    "reproduced", "left_out", "used_fraction", "padding", "padding_value", "bit_exact", "white",
    "interval", "smallest_bound", "roundings", "coefficients", "alternative", "alternative_name",
    "explanation", "code",
}  # fmt: skip


def photo(colour=False):
    """A piece of a bundled photo, large enough for every verdict and quick to go through."""
    name = "cat.jpg" if colour else "camera.jpg"
    image = Image.open(FOLDER / name).convert("RGB" if colour else "L")
    return image.crop((120, 80, 280, 200))


@pytest.fixture
def ask(client, tmp_path):
    """ask(before, after, **more): the endpoint's answer for two Pillow pictures."""

    def answer(before, after, **more):
        files = []
        for name, image in (("before", before), ("after", after)):
            image.save(tmp_path / f"{name}.png")
            files.append(handle_file(str(tmp_path / f"{name}.png")))
        return client.predict(*files, api_name="/recover", **more)

    return answer


# Pillow's own definitions (PIL.ImageFilter), top row last: it draws kernels upside down.
PILLOW = {
    "EMBOSS": (ImageFilter.EMBOSS, 128),
    "SHARPEN": (ImageFilter.SHARPEN, 0),
    "BLUR": (ImageFilter.BLUR, 0),
}


@pytest.mark.parametrize("name", PILLOW)
def test_pillows_filters_come_back_exactly(ask, name):
    """From one small 8-bit photo: kernel, offset and verdict, each pixel reproduced."""
    tool, offset = PILLOW[name]
    size, scale, _, values = tool.filterargs
    found = ask(photo(), photo().filter(tool), max_size=7)
    assert set(found) == KEYS
    assert found["verdict"] == "convolution"
    assert found["bit_exact"] is True
    assert found["size"] == size[0]
    assert found["offset"] == pytest.approx(offset, abs=1e-6)
    oracle = np.reshape(values, size)[::-1] / scale
    np.testing.assert_allclose(found["kernel"], oracle, atol=1e-9)


@pytest.mark.parametrize("name", ["SHARPEN", "EMBOSS", "DETAIL", "BLUR", "CONTOUR"])
def test_pillows_own_filters_are_named(name):
    """By the kernel in whole numbers and the offset; a kernel turned or of another offset is not
    that filter, nor is one behind which not every value is exact."""
    before = photo()
    after = before.filter(getattr(ImageFilter, name))
    found = recover(np.asarray(before), np.asarray(after))
    assert ("The same as", f"ImageFilter.{name} of Pillow") in finding.facts_of(found)
    whole = found.fractions[0]
    others = [replace(whole, offset=whole.offset + 1), replace(whole, undecided=1)]
    if name == "EMBOSS":
        others.append(replace(whole, numerators=whole.numerators[::-1]))
    for other in others:
        facts = dict(finding.facts_of(replace(found, fractions=(other,))))
        assert "The same as" not in facts


def test_a_median_is_no_convolution(ask):
    """What no kernel can do is said to be so."""
    found = ask(photo(), photo().filter(ImageFilter.MedianFilter(3)), max_size=5)
    assert found["verdict"] == "not a convolution"
    assert found["bit_exact"] is False


def test_what_is_no_convolution_comes_with_its_program(ask, tmp_path, monkeypatch):
    """A gamma curve: its exponent and 256 levels, and code whose file is the tool's."""
    before = photo()
    after = Image.fromarray(np.uint8(np.floor(255 * (np.asarray(before) / 255) ** 0.6 + 0.5)))
    found = ask(before, after, max_size=5)
    other = found["alternative"]
    assert set(other) == {
        "name", "parameters", "kernel", "interval", "standard_error", "curve", "matrix",
        "residual", "reproduced", "code",
    }  # fmt: skip
    assert found["alternative_name"] == other["name"] == "a gamma curve with exponent 0.60"
    assert other["parameters"]["exponent"] == 0.6
    assert (len(other["curve"]), other["kernel"], other["matrix"]) == (256, None, None)
    assert other["reproduced"] == 1
    assert found["residual"] > 2 > other["residual"]
    monkeypatch.chdir(tmp_path)
    exec(other["code"], {})
    assert np.array_equal(np.asarray(Image.open("after.png")), np.asarray(after))


def test_what_is_known_is_shown_and_the_nearest_kernel_folded_away():
    """A median: its own picture, share and code; the kernel behind a fold; no word of weights."""
    before = np.asarray(photo())
    after = cv2.medianBlur(before, 3)
    found = recover(before, after, 5)
    card, folded = finding.kernel(found).split("<details")
    assert "The operation" in card
    assert "a median filter, 3 × 3" in card
    assert "kd-matrix" not in card
    assert "The nearest kernel" in folded
    assert "kernel" not in finding.verdict(found).split("<b>Next:")[0]
    shown = finding.reproduced(found, [(before, after)])
    assert shown["figures"][0][0] == "100 %"
    assert shown["gain"] == "residual: none"
    assert shown["worked"] is None
    ((_, program),) = finding.taken(found)
    card = take_card.value(program)
    assert "cv2.medianBlur(x, 3)" in card["snippets"][0]["code"]
    assert [link["text"] for group in card["files"] for link in group["links"]] == ["report"]


def test_the_kernel_of_the_light_is_drawn():
    """A blur of the light: its weights with bars above the fold, and what they are of."""
    before = np.asarray(photo())
    lit = cv2.blur((before / 255.0) ** 2.2, (3, 3)) ** (1 / 2.2)
    found = recover(before, np.uint8(np.floor(255 * lit + 0.5)), 5)
    card = finding.kernel(found).split("<details")[0]
    assert "The kernel of the light" in card
    assert card.count(">0.111<small>±") == 9
    assert "<dt>Name</dt><dd>Box blur 3 × 3</dd>" in card
    assert "<dt>Light</dt><dd>power 2.2</dd>" in card


def blurred(size):
    """(before, after, kernel): noise through a random kernel, rounded once."""
    generator = np.random.default_rng(size)
    before = generator.integers(0, 256, (110, 120)).astype(np.uint8)
    weights = generator.random((size, size))
    weights /= weights.sum()
    after = np.floor(correlate(before.astype(float), weights, "reflect") + 0.5).astype(np.uint8)
    return before, after, weights


def test_bars_are_called_guaranteed_only_where_they_are():
    """Not before they are worked out; then each weight of the truth lies between its ends."""
    before, after, true = blurred(3)
    found = recover(before, after, 3)
    first, then = finding.kernel(found), finding.kernel(found, proved=True)
    assert "guaranteed" not in first.replace(finding.BARS_TO_COME, "")
    assert finding.BARS_TO_COME in first
    assert "guaranteed: no kernel of this size with a weight beyond its bar" in then
    ends = re.findall('title="[^"]* guaranteed ([^ ]+) to ([^"]+)"', then)
    low, high = np.array([[float(e.replace("−", "-")) for e in pair] for pair in ends]).T
    assert ((low <= true.ravel()) & (true.ravel() <= high)).all()
    wide = np.maximum(high - found.kernel.ravel(), found.kernel.ravel() - low)
    plain = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    bars = re.findall("<small>±\u202f([^<]+)<", then)
    shown = [float(bar.translate(plain).replace("·10", "e")) for bar in bars]
    assert (shown >= 0.9 * wide).all()
    assert (np.abs(found.kernel.ravel() - true.ravel()) <= shown).all()
    noisy = np.clip(after + np.random.default_rng(0).normal(0, 3, after.shape), 0, 255)
    told = recover(before, noisy.astype(np.uint8), 3)
    assert "<dd>estimated: standard errors</dd>" in finding.kernel(told, proved=True)


def test_bars_of_a_large_kernel_stay_estimated():
    """At 15 x 15 no bar is the end of what one rounding allows: none is called guaranteed."""
    before, after, _ = blurred(15)
    shown = finding.kernel(recover(before, after, 15), proved=True)
    assert "<dd>estimated: standard errors</dd>" in shown
    assert "guaranteed" not in shown


def test_two_roundings_are_told_from_one():
    """Rounded between its two passes, a box blur is within half a level of no 3 x 3 kernel."""
    before = np.asarray(photo())
    down = np.floor(correlate(before.astype(float), np.pad(np.ones((3, 1)), ((0, 0), (1, 1))) / 3))
    twice = np.floor(correlate(down, np.pad(np.ones((1, 3)), ((1, 1), (0, 0))) / 3) + 0.5)
    shown = finding.kernel(recover(before, twice.astype(np.uint8), 5), proved=True)
    told = re.search("no kernel of 3 × 3 made this file in one rounding: each is (0.[0-9]+)", shown)
    assert 0.51 < float(told[1]) < 1
    assert "guaranteed" not in shown
    once = np.floor(correlate(before.astype(float), np.full((3, 3), 1 / 9)) + 0.5)
    found = recover(before, once.astype(np.uint8), 5)
    assert "can have made it" in finding.kernel(found, proved=True)


def test_a_kernel_for_each_channel(ask):
    """Red blurred, blue sharpened: three kernels, and three of all that goes with them."""
    red, green, blue = photo(colour=True).split()
    parts = red.filter(ImageFilter.SMOOTH), green, blue.filter(ImageFilter.SHARPEN)
    found = ask(photo(colour=True), Image.merge("RGB", parts), max_size=5)
    assert found["verdict"] == "convolution"
    assert np.shape(found["kernel"]) == (3, 3, 3)
    assert np.shape(found["standard_error"]) == (3, 3, 3)
    assert len(found["offset"]) == 3
    assert found["kernel"][1][1][1] == pytest.approx(1, abs=1e-3)


NOISE = np.random.default_rng(0).integers(0, 256, (40, 50)).astype(np.uint8)
STRANGE = {
    "constant": (np.full((40, 50), 90, np.uint8),) * 2,
    "one pixel": (np.zeros((1, 1), np.uint8),) * 2,
    "a line": (NOISE[:1], NOISE[:1]),
    "other sizes": (NOISE, NOISE[:20, :20]),
    "strangers": (NOISE, NOISE[::-1]),
    "all white": (NOISE, np.full((40, 50), 255, np.uint8)),
    "grey to colour": (NOISE, np.dstack([NOISE] * 3)),
    "with alpha": (np.dstack([NOISE] * 4), np.dstack([NOISE] * 4)),
    "deep": (NOISE.astype(np.uint16) * 257, NOISE),
}


@pytest.mark.sweep(2)
@pytest.mark.parametrize("name", STRANGE)
def test_no_valid_pair_makes_it_fail(ask, name):
    """Whatever the two pictures are, there is a verdict, a sentence and plain JSON."""
    found = ask(*(Image.fromarray(values) for values in STRANGE[name]), max_size=5)
    assert set(found) == KEYS
    assert found["verdict"] in finding.VERDICTS
    assert found["explanation"]


def around(before, kernel, offset, value):
    """OpenCV's filter with a value around the picture, rounded half up."""
    pixels = np.asarray(before)
    wide = cv2.copyMakeBorder(pixels, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=value)
    levels = cv2.filter2D(wide.astype(float), -1, kernel, delta=offset)[1:-1, 1:-1]
    return np.clip(np.floor(levels + 0.5), 0, 255).astype(np.uint8)


EMBOSS = np.array([[0, 0, 0], [0, 1, 0], [-1, 0, 0]], float)


def test_page_endpoint_and_exported_code_agree(ask, client, tmp_path, monkeypatch):
    """White around: /recover tells it, /apply takes it, the page's code makes the same picture."""
    before = photo(colour=True)
    after = around(before, EMBOSS, 128, (255, 255, 255))
    told = ask(before, Image.fromarray(after), max_size=5)
    assert (told["padding"], told["padding_value"], told["white"]) == ("constant", 255, 255)
    assert (told["reproduced"], told["left_out"]) == (1, {"share": 0, "reasons": []})
    found = recover(np.asarray(before), after, 5)
    assert told["residual"] == found.residual == pytest.approx(0, abs=1e-9)
    png = client.predict(
        handle_file(str(tmp_path / "before.png")), told["kernel"], "constant",
        offset_levels=told["offset"], padding_value=told["padding_value"], api_name="/apply",
    )  # fmt: skip
    assert np.array_equal(np.asarray(Image.open(png)), after)
    ((_, taken),) = finding.taken(found)
    card = take_card.value(taken)
    assert "one value around, grey level 255 of 255" in card["note"]
    monkeypatch.chdir(tmp_path)
    exec(card["snippets"][0]["code"], {})  # OpenCV
    assert np.array_equal(np.asarray(Image.open("after.png")), after)
    assert np.array_equal(found.reproduction, after)
    assert "one value around, 255" in finding.kernel(found)


def test_a_value_for_each_channel_goes_with_its_kernel():
    """Each kernel taken has its own; one for all channels says what it cannot take along."""
    red, green, blue = 10, 200, 90
    before = photo(colour=True)
    kernels = EMBOSS, np.full((3, 3), 1 / 9), EMBOSS.T
    parts = [
        around(plane, k, 100, value)
        for plane, k, value in zip(before.split(), kernels, (red, green, blue), strict=True)
    ]
    taken = finding.taken(recover(np.asarray(before), np.dstack(parts), 5))
    assert [round(255 * kernel.around) for _, kernel in taken] == [red, green, blue]
    assert {kernel.border for _, kernel in taken} == {"constant"}
    after = around(before, EMBOSS, 128, (red, green, blue))
    ((_, alone),) = finding.taken(recover(np.asarray(before), after, 5))
    assert alone.border == "reflect"
    assert "one value around, red 10, green 200, blue 90; this code reflects" in alone.note


def test_pixels_left_out_are_told_and_grey():
    """A caption: its share and what it is among the facts, grey in the residual, in no figure."""
    before = np.asarray(photo())
    clean = around(before, EMBOSS, 128, 0)
    caption = np.zeros(clean.shape, bool)
    caption[50:60, 20:60] = True
    after = np.where(caption, 255, clean).astype(np.uint8)
    pair = replace(alignment.prepare(before, after)[0], outliers=caption)
    found = reproduction.told(recover(before, clean, 5), [pair])
    share = caption.sum() / (118 * 158)
    told = re.search("<dt>Left out</dt><dd>(.*?) %: changed pixels</dd>", finding.kernel(found))[1]
    assert 0 <= float(told) - 100 * share < 0.01
    shown = finding.reproduced(found)
    assert shown["figures"][0][0] == "100 %"
    assert shown["figures"][1][0] == "0"
    assert shown["gain"] == "residual: none · grey: left out"
    encoded = shown["difference"].partition("base64,")[2]
    drawn = np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGBA"))
    assert np.array_equal((drawn == finding.LEFT_OUT).all(axis=2), caption)


@pytest.mark.parametrize(
    ("clip", "told"),
    [((0, 255), None), ((16, 235), "below 16 and above 235"), ((0, 250), "above 250")],
)
def test_clip_levels_are_told_where_they_are_not_black_and_white(clip, told):
    """A tool that cuts off at 16 and 235 is said to; one that cuts off at 0 and 255 is not."""
    before = np.asarray(photo())
    found = replace(recover(before, before // 2, 3), clip=clip)
    facts, ((_, taken),) = finding.kernel(found), finding.taken(found)
    assert ("The tool cuts off" in taken.note) == (told is not None)
    assert ("<dt>Cut off</dt>" in facts) == (told is not None)
    assert (told or "") in facts


@pytest.mark.sweep(2)
@pytest.mark.parametrize("size", [4, 1, 33, "many", 10**9])
def test_a_size_out_of_range_gets_a_sentence(ask, size):
    """An even, too small, too large or absurd size is refused in words."""
    with pytest.raises(AppError, match="Expected an odd max_size"):
        ask(photo(), photo(), max_size=size)


def test_a_broken_file_gets_a_sentence(client, tmp_path):
    """It is named, and nothing of the server's folders is shown."""
    good, broken = tmp_path / "good.png", tmp_path / "broken.png"
    photo().save(good)
    broken.write_bytes(good.read_bytes()[:700])
    with pytest.raises(AppError, match="broken.png") as caught:
        client.predict(handle_file(str(good)), handle_file(str(broken)), api_name="/recover")
    assert "/" not in str(caught.value)


def test_the_examples_are_there():
    """Every pair that COMMANDS.md lists is offered, with the command that made it."""
    listed = tab.COMMANDS.read_text(encoding="utf-8").count("| camera.png |")
    found = tab.examples()
    assert sum(example.before.name == "camera.png" for example in found) == listed > 0
    for example in found:
        assert example.command
        befores, afters = (pairs.open_side([p]) for p in (example.before, example.after))
        assert befores[0].samples.shape[:2] == afters[0].samples.shape[:2]


@pytest.mark.parametrize("size", [7, 9])
def test_what_has_no_numbers_says_how_to_read_it(size):
    """Up to 7 x 7 the weights are written in their cells; above, a line tells of pointing."""
    generator = np.random.default_rng(0)
    before = generator.integers(0, 256, (90, 90)).astype(np.uint8)
    weights = generator.random((size, size))
    after = np.rint(correlate(before, weights / weights.sum(), "reflect")).astype(np.uint8)
    found = recover(before, after, size)
    assert found.size == size
    drawn = finding.kernel(found)
    assert ("Larger than 7 × 7: point at a cell" in drawn) == (size > 7)
    assert ("<small>" in drawn) == (size <= 7)


def test_forgotten_files_are_told(tmp_path):
    """Before and after can be seen while the files are there; later a line says to upload them."""
    paths = tuple(str(tmp_path / f"{name}.png") for name in ("before", "after"))
    for path in paths:
        photo().save(path)
    state = events.Found(paths, (0, 0), ())
    _, pair, told = events.view("pair", state)
    assert (pair["visible"], told) == (True, "")
    for path in paths:
        Path(path).unlink()
    reproduced, pair, told = events.view("pair", state)
    assert (reproduced["visible"], pair["visible"]) == (False, False)
    assert "upload them again" in told


def test_both_cards_offer_the_same_probe(tmp_path):
    """Recover's verdict and "How sure is this?" link to the probe in one way."""
    flat = np.full((90, 90), 90, np.uint8)
    path = tmp_path / "flat.png"
    Image.fromarray(flat).save(path)
    verdict = finding.verdict(recover(flat, flat, 3))
    sobel = tuple(map(tuple, named("sobel_x").values.tolist()))
    mine = PictureChoice("mine", uploads=(str(path),))
    panel = before_learning(Experiment(mine, sobel, Damage(), TrainSettings()))
    assert take_card.probe_link() in verdict
    assert take_card.probe_link() in panel
    name = re.search(r'download="probe.png" href="kept/([^"]*)"', take_card.probe_link())[1]
    file = Image.open(io.BytesIO(served.content(name)))
    assert np.array_equal(np.asarray(file), imaging_probe.probe())


def test_a_channel_without_a_kernel_is_not_offered():
    """Where a tool blanks a channel, the kernels of the other two can be taken, and are whole."""
    before = np.asarray(photo(colour=True))
    after = np.asarray(photo(colour=True).filter(ImageFilter.SMOOTH)).copy()
    after[..., 2] = 40
    offered = finding.taken(recover(before, after, 5))
    assert [label for label, _ in offered] == ["red", "green"]
    assert all(take_card.value(kernel)["snippets"] for _, kernel in offered)


def test_a_tool_that_cuts_off_is_told_so():
    """The sums of 1 2 1 without rounding: the sentence of the fractions says how they end."""
    before = np.asarray(photo())
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
    found = recover(before, np.floor(correlate(before.astype(float), kernel)).astype(np.uint8), 5)
    assert found.bit_exact
    assert "/ 16, cut off<" in finding.kernel(found)


def test_where_most_is_left_is_among_the_facts():
    """A median on blue alone: the channel and the textured parts are named with what they leave."""
    before = np.asarray(photo(colour=True))
    after = cv2.GaussianBlur(before, (3, 3), 0.8)
    after[..., 2] = cv2.medianBlur(before[..., 2], 3)
    drawn = finding.kernel(recover(before, after, 5))
    told = re.search(
        "<dt>Left over by channel</dt><dd>red (.*?), green (.*?), blue (.*?) grey", drawn
    )
    red, green, blue = map(float, told.groups())
    assert blue > 3 * max(red, green)
    assert re.search(
        "<dt>Left over unevenly</dt><dd>.* in its smooth and its textured parts", drawn
    )
    exact = finding.kernel(recover(before, before // 2, 5))
    assert "unevenly" not in exact
    assert "by channel" not in exact


def test_a_nearest_kernel_has_no_error_bars():
    """One of many that explain a checkerboard is shown without a claim of how well it is known."""
    rows, columns = np.mgrid[:90, :90]
    board = np.uint8(60 + 120 * ((rows // 8 + columns // 8) % 2))
    found = recover(board, cv2.GaussianBlur(board, (5, 5), 1), 5)
    assert not found.verdict.linear
    assert "±" not in finding.kernel(found)
    assert "±" in finding.kernel(recover(np.asarray(photo()), np.asarray(photo()) // 2, 5))


def test_kernels_of_channels_have_their_own_depth_of_colour():
    """A blur beside a sharpening of 5 is not all white, and 7 x 7 numbers are not cut off."""
    kernels = np.zeros((3, 1, 7, 7))
    kernels[0], kernels[1:, :, 3, 3] = 1 / 49, 5
    each = recover(np.asarray(photo(colour=True)), np.asarray(photo(colour=True)), 3)
    shown = finding.kernel(replace(each, kernel=kernels, channels=Channels.EACH, offset=(0.0,) * 3,
                                   standard_error=0 * kernels, fractions=()))  # fmt: skip
    assert shown.count("100%") == 49 + 2
    assert "point at a cell" in shown


def test_a_pixel_that_was_not_used_is_called_what_it_is():
    """Half of the pixels transparent: not called clipped alone."""
    grey = np.asarray(photo())
    opaque = np.where(np.arange(grey.shape[1]) < 80, 255, 0) * np.ones_like(grey)
    pair = (np.dstack([values] * 3 + [opaque.astype(np.uint8)]) for values in (grey, grey // 2))
    told = "at black or white, where clipping cannot be excluded, or not opaque"
    assert told in finding.kernel(recover(*pair, 3))


def test_a_kernel_between_strangers_has_no_name():
    """What least squares makes of two different photos may look like something named."""
    before, after = np.asarray(photo()), np.asarray(photo(colour=True).convert("L"))
    found = recover(before, after, 5)
    identity = replace(found, name=Name("Identity 3 × 3", 1 / 12), alternative=None)
    assert "Identity" not in finding.kernel(identity)
    assert "Change of contrast, divided by 2" in finding.kernel(recover(before, before // 2, 3))


@pytest.mark.parametrize(("size", "helps"), [((90, 90), False), ((120, 160), True)])
def test_a_probe_is_offered_where_it_helps(size, helps):
    """Not for pictures of two sizes."""
    flat = np.full((120, 160), 90, np.uint8)
    told = finding.verdict(recover(flat, flat[: size[0], : size[1]], 3))
    assert ("probe.png" in told) == helps


def test_a_mixture_has_each_offset_once():
    """Kernels into one channel are added up: their offsets together are that of the channel."""
    before = np.asarray(photo(colour=True))
    mixed = before @ np.array([[0.4, 0.5, 0.1], [0.3, 0.6, 0.1], [0.2, 0.5, 0.1]]).T
    after = np.clip(np.floor(mixed + [10, 20, 30] + 0.5), 0, 255).astype(np.uint8)
    found = recover(before, after, 3)
    assert found.channels == Channels.MIXTURE
    (label, program), *kernels = finding.taken(found)
    assert (label, "matrix" in program.code) == ("the colour matrix", True)
    offsets = [taken.offset for _, taken in kernels]
    assert 255 * np.reshape(offsets, (3, 3)).sum(axis=1) == pytest.approx([10, 20, 30], abs=0.2)


ENDS = {
    "half up": lambda sums: np.floor(sums + 0.5),
    "half to even": np.rint,
    "cut off": np.floor,
}
PADS = {"reflect": "reflect", "replicate": "edge", "zero": "constant", "wrap": "wrap"}


@pytest.mark.sweep(5)
@pytest.mark.parametrize("border", PADS)
@pytest.mark.parametrize("ended", ENDS)
def test_the_code_rounds_as_the_tool_did(ended, border, tmp_path, monkeypatch):
    """A mean of 2 x 2, of which a quarter of the sums are halves, by NumPy: the program that the
    page exports makes the same file, and the page tells of no difference, at the edges or not."""
    before = np.asarray(photo())
    wide = np.pad(before.astype(float), 1, mode=PADS[border])[:-1, :-1]
    sums = (wide[1:, 1:] + wide[:-1, 1:] + wide[1:, :-1] + wide[:-1, :-1]) / 4
    after = ENDS[ended](sums).astype(np.uint8)
    found = recover(before, after, 3)
    ((_, kernel),) = finding.taken(found)
    monkeypatch.chdir(tmp_path)
    Image.fromarray(before).save("before.png")
    exec(take_card.value(kernel)["snippets"][0]["code"], {})
    np.testing.assert_array_equal(np.asarray(Image.open("after.png")), after)
    figures = finding.reproduced(found)["figures"]
    assert [number for number, _ in figures] == ["100 %", "0"]
    assert "bit for bit" in finding.verdict(found)


def facts_beside(before, after, size=3):
    """What stands beside what is known of a pair: {name: text}."""
    drawn = finding.kernel(recover(before, after, size))
    return dict(reversed(re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", drawn)))  # the first of a name


def test_exactness_and_what_is_left_are_told_together():
    """A gamma curve that cuts off: what is left is of sums that are not yet rounded, and the offset
    of half a level is said to be the cutting."""
    before = np.asarray(photo())
    after = (255 * (before / 255) ** 0.5).astype(np.uint8)
    facts = facts_beside(before, after)
    assert facts["Reproduces"] == "100 % of the pixels that count"
    assert "grey levels RMS before rounding; rounded, nothing is left; " in facts["Left over"]
    told = "−0.500, which is to cut fractions off instead of rounding"
    assert facts["Plus, grey levels"] == told


def test_one_share_is_told_of_a_matrix():
    """Sepia: that of the picture shown, and where its program makes another, whose each is."""
    before = np.asarray(photo(colour=True))
    sepia = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
    after = np.clip(before @ sepia.T, 0, 255).round().astype(np.uint8)
    found = recover(before, after, 3)
    told = dict(re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", finding.kernel(found)))["Reproduces"]
    (shown, what), _ = finding.reproduced(found)["figures"]
    assert shown in told
    assert "of the values (three a pixel) that count" in f"{told} {what}"
    assert "as kernels" in told or told.startswith(shown)


def test_what_is_at_black_or_white_is_not_called_clipped():
    """A negative clips nothing: of its white and black pixels nobody can tell."""
    before = np.asarray(photo()).copy()
    before[:2] = 0
    facts = facts_beside(before, 255 - before)
    assert facts["Name"] == "Negative"
    assert facts["Pixels used"].endswith(
        "to find the kernel; the others are at black or white, where clipping cannot be excluded"
    )


def test_a_shift_is_told_by_where_things_went():
    """Moved three rows down and five columns right, by NumPy."""
    before = np.asarray(photo())
    (note,) = recover(before, np.roll(before, (3, 5), (0, 1)), 11).notes
    assert note.endswith(
        "after shows what is in before 3 rows further down and 5 columns further right."
    )


def test_who_takes_the_kernel_of_a_moved_picture_is_told():
    """Moved by NumPy farther than a kernel reaches: beside the kernel stands by how much, and the
    card of its code says that it does not move; the strip that no pixel of before went to tells
    nothing of where the kernel leaves most. So with 16 bits, of which the code keeps 8.
    """
    before = np.asarray(photo())
    found = recover(before, np.roll(before, (40, 25), (0, 1)), 7)
    assert found.bit_exact
    assert "moved 40 rows further down and 25 columns further right" in found.next_step
    ((_, taken),) = finding.taken(found)
    assert "leaves it in its place" in taken.note
    assert leftover.uneven(found) is None
    deep = before.astype(np.uint16) * 257
    ((_, taken),) = finding.taken(recover(deep, cv2.GaussianBlur(deep, (3, 3), 0.8), 5))
    assert "16 bits" in taken.note
