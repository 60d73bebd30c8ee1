"""What recovered kernels make of the pair, against OpenCV's own filter and padding."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage

from kernel_demo.imaging import filtering
from kernel_demo.imaging.filtering import LUMINANCE
from kernel_demo.recovery import Channels, Edge, Verdict, alignment, recover, reproduction
from kernel_demo.recovery.explanations import Left
from kernel_demo.sources.bundled import FOLDER

COLOUR = np.asarray(Image.open(FOLDER / "cat.jpg").convert("RGB"))[60:240, 100:300]
GREY = cv2.cvtColor(COLOUR, cv2.COLOR_RGB2GRAY)
SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], float)
EMBOSS = np.array([[0, 0, 0], [0, 1, 0], [-1, 0, 0]], float)
SKEW = np.array([[0, 1, 2], [-1, 4, 1], [-2, -1, 0]]) / 4
BLUR = cv2.getGaussianKernel(5, 1.1) @ cv2.getGaussianKernel(5, 1.1).T
SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
MODES = {
    "zero": cv2.BORDER_CONSTANT,
    "replicate": cv2.BORDER_REPLICATE,
    "symmetric": cv2.BORDER_REFLECT,
    "reflect": cv2.BORDER_REFLECT_101,
    "wrap": cv2.BORDER_WRAP,
    "constant": cv2.BORDER_CONSTANT,
}


def filtered(before, kernel, offset=0.0, mode="reflect", value=0.0):
    """OpenCV's filter of a picture that OpenCV has padded; unrounded float64."""
    r = len(kernel) // 2
    value = tuple(np.broadcast_to(value, 3).tolist())
    wide = cv2.copyMakeBorder(before, r, r, r, r, MODES[mode], value=value)
    inner = np.s_[r : r + before.shape[0], r : r + before.shape[1]]
    return cv2.filter2D(wide.astype(np.float64), cv2.CV_64F, kernel, delta=offset)[inner]


def as_file(values, low=0, high=255, kind=np.uint8):
    return np.clip(np.floor(values + 0.5), low, high).astype(kind)


def made(found, before):
    """The record's own kernels by OpenCV: unrounded, of the whole picture, H x W x A."""
    planes = [before] if before.ndim == 2 else list(np.moveaxis(before, -1, 0))
    outputs = max(len(found.kernel), 1 if found.kernel.shape[1] > 1 else len(planes))
    offsets, mode = np.broadcast_to(found.offset, outputs), found.padding
    mode = mode if mode in MODES else "replicate"
    value = np.broadcast_to(0 if mode != "constant" else found.padding_value, len(planes))
    result = []
    for a in range(outputs):
        row = found.kernel[min(a, len(found.kernel) - 1)]
        own = range(len(planes)) if len(row) > 1 else [min(a, len(planes) - 1)]
        parts = (filtered(planes[b], k, 0, mode, value[b]) for b, k in zip(own, row, strict=True))
        result.append(sum(parts) + offsets[a])
    return np.stack(result, axis=-1)


def captioned(after, top=60):
    """After with a white caption written over it, and where that changed it."""
    image = Image.fromarray(np.zeros(after.shape[:2], np.uint8))
    ImageDraw.Draw(image).text((20, top), "A caption", fill=255, font_size=24)
    changed, result = np.asarray(image) > 128, after.copy()
    result[changed] = np.iinfo(after.dtype).max
    return result, changed


def test_every_border_has_its_place():
    """Each border mode, and each Edge, can be told: a new one that is forgotten is told here."""
    assert sorted(map(str, reproduction.PREFERENCE)) == sorted(map(str, (*filtering.MODES, *Edge)))


@pytest.mark.sweep(7)
@pytest.mark.parametrize("value", [255, 128, 1, (10, 200, 90)])
@pytest.mark.parametrize(("kernel", "offset"), [(SHARPEN, 0), (EMBOSS, 128), (BLUR, 0)])
def test_a_constant_border_is_told_with_its_value(kernel, offset, value):
    """Grey levels around, the same or others for each channel: found, and made again."""
    after = as_file(filtered(COLOUR, kernel, offset, "constant", value))
    found = recover(COLOUR, after, 7)
    assert (found.verdict, found.padding) == (Verdict.CONVOLUTION, "constant")
    assert found.padding_value == value
    told = found.as_dict()
    assert told["padding"] == "constant"
    assert np.array_equal(told["padding_value"], value)
    differences = np.abs(found.reproduction.astype(int) - after)
    assert differences.max() == 0 if found.bit_exact else differences.max() <= 1


@pytest.mark.sweep(2)
@pytest.mark.parametrize("value", [128, 45, 90, 201])
def test_a_value_beyond_a_black_frame_is_the_one(value):
    """Along a plain border few sums differ, so that rounding is no noise: the value is SciPy's."""
    before, line = GREY[:110, :140].copy(), cv2.getGaussianKernel(7, 1)
    before[:6] = before[-6:] = before[:, :6] = before[:, -6:] = 0
    blurred = ndimage.correlate(before.astype(float), line @ line.T, mode="constant", cval=value)
    found = recover(before, as_file(blurred), 7)
    assert (found.padding, found.padding_value) in [("constant", value), (None, None)]
    if found.padding is not None:
        assert np.array_equal(found.reproduction, as_file(blurred))
        assert found.next_step.endswith("gives the tool's own result.")


def test_the_tools_own_result_is_not_promised_along_a_border_that_differs():
    """Two pixels of the first row are other ones, as a tool of two borders makes: it is said."""
    after = as_file(filtered(COLOUR, SHARPEN, 0, "reflect"))
    other = as_file(filtered(COLOUR, SHARPEN, 0, "replicate"))
    differs = np.flatnonzero((after[0] != other[0]).any(axis=1))[:2]
    after[0, differs] = other[0, differs]
    found = recover(COLOUR, after, 5)
    assert (found.bit_exact, found.border_missed) == (True, 2)
    assert np.count_nonzero((found.reproduction != after).any(axis=2)) == 2
    assert "“reflect”; rounded half up" in found.next_step
    assert found.next_step.endswith("own result but for 2 pixels along the border.")


@pytest.mark.sweep(2)
@pytest.mark.parametrize("white", [65535, 255])
def test_the_value_is_in_levels_of_the_after_file(white):
    """A 16-bit picture with white around: 65535, or 255 where the file after has 8 bits."""
    deep = GREY.astype(np.uint16) * 257 + np.arange(GREY.size, dtype=np.uint16).reshape(GREY.shape)
    levels = filtered(deep, BLUR, 0, "constant", 65535) * white / 65535
    found = recover(deep, as_file(levels, 0, white, np.uint16 if white > 255 else np.uint8), 5)
    assert (found.padding, found.padding_value, found.white) == ("constant", white, white)


@pytest.mark.parametrize("mode", ["zero", "replicate", "reflect"])
def test_a_mode_with_a_name_is_called_by_it(mode):
    """Black around is `zero`, and where a mode explains the border no value is made up."""
    found = recover(COLOUR, as_file(filtered(COLOUR, SHARPEN, 0, mode)), 5)
    assert (found.padding, found.padding_value) == (mode, None)


NAMED = tuple(name for name in MODES if name != "constant")


def lined(picture, turned):
    """With its five outermost rows and columns alike, or as those of the opposite side."""
    rows = np.r_[[0] * 5, 5 : len(picture)] if not turned else np.r_[: len(picture) - 5, 4:-1:-1]
    columns = np.arange(picture.shape[1])
    columns[:5] = 0
    columns[-5:] = columns[4::-1] if turned else columns[-1]
    return np.ascontiguousarray(picture[rows][:, columns])


@pytest.mark.sweep(4)
@pytest.mark.parametrize("mode", NAMED)
@pytest.mark.parametrize("turned", [False, True], ids=["plain", "opposite"])
@pytest.mark.parametrize("kernel", [np.eye(5) / 5, BLUR], ids=["motion", "blur"])
def test_a_mode_is_named_where_no_other_makes_the_same(kernel, turned, mode):
    """Along rows that are alike several modes do: a name would be a guess."""
    before = lined(GREY[:60, :80], turned)
    made = {name: as_file(filtered(before, kernel, 0, name)) for name in NAMED}
    same = [name for name, after in made.items() if np.array_equal(after, made[mode])]
    found = recover(before, made[mode], 5)
    assert found.verdict == Verdict.CONVOLUTION
    assert found.padding == (mode if same == [mode] else None)


def test_sides_that_no_weight_leaves_are_not_told():
    """Emboss looks down and left: there the sides differ, above and right nothing can be seen."""
    wide = np.pad(np.pad(GREY, [(0, 0), (1, 1)], "reflect"), [(1, 1), (0, 0)], constant_values=200)
    after = as_file(cv2.filter2D(wide.astype(float), -1, EMBOSS, delta=128)[1:-1, 1:-1])
    found = recover(GREY, after, 5)
    assert found.padding_sides == (None, "constant", "reflect", None)
    assert (found.padding, found.padding_value) == (None, 200)
    assert np.array_equal(found.reproduction[:, 1:], after[:, 1:])


@pytest.mark.sweep(2)
@pytest.mark.parametrize("seed", range(3))
def test_a_value_that_noise_hides_is_not_told(seed):
    """Under noise of three levels the value is the right one, or none."""
    noise = np.random.default_rng(seed).normal(0, 3, GREY.shape)
    found = recover(GREY, as_file(filtered(GREY, SKEW, 0, "constant", 131) + noise), 5)
    assert found.padding != "constant" or found.padding_value == 131


@pytest.mark.parametrize("value", [128, 255, (3, 70, 9)])
def test_a_ring_of_one_value_is_told(value):
    """What a tool leaves at another value than black is no border mode; the picture shows it."""
    after = np.empty_like(COLOUR)
    after[:] = value
    after[1:-1, 1:-1] = as_file(filtered(COLOUR, SHARPEN))[1:-1, 1:-1]
    found = recover(COLOUR, after, 5)
    assert (found.verdict, found.padding, found.padding_value) == (
        Verdict.CONVOLUTION, Edge.PLAIN, value,
    )  # fmt: skip
    assert np.array_equal(found.reproduction, after)


# Channels: (before, what makes it unrounded, lowest and highest level, type)
PAIRS = {
    "one": (COLOUR, lambda p: filtered(p, SHARPEN), 0, 255, np.uint8),
    "clipped": (COLOUR, lambda p: filtered(p, SHARPEN), 16, 235, np.uint8),
    "round numbers": (GREY, lambda p: filtered(p, EMBOSS, 128), 0, 255, np.uint8),
    "weights": (GREY, lambda p: filtered(p, BLUR), 0, 255, np.uint8),
    "each": (
        COLOUR,
        lambda p: np.dstack([filtered(p[..., c], k) for c, k in enumerate((SKEW, BLUR, SHARPEN))]),
        0, 255, np.uint8,
    ),
    "mixture": (COLOUR, lambda p: p @ SEPIA.T, 0, 255, np.uint8),
    "16 bits": (
        GREY.astype(np.uint16) * 200, lambda p: filtered(p, SKEW), 0, 65535, np.uint16,
    ),
}  # fmt: skip


@pytest.fixture(params=PAIRS, scope="module")
def told(request):
    """(before, after with a caption, where that is, clip levels, what is told of the pair)."""
    before, tool, low, high, kind = PAIRS[request.param]
    clean = as_file(tool(before), low, high, kind)
    after, changed = captioned(clean)
    pair, _ = alignment.prepare(before, after)
    pair = replace(pair, outliers=changed)
    found = replace(recover(before, clean, 5), clip=(low, high))
    return before, after, changed, found, reproduction.told(found, [pair])


def test_figures_and_picture_are_those_of_the_kernel_shown(told):
    """OpenCV with the record's numbers: the same picture, residual and share reproduced."""
    before, after, changed, clean, found = told
    values = made(clean, before)
    after = after.reshape(values.shape)
    r = found.size // 2
    inside = np.zeros(changed.shape, bool)
    inside[r:-r, r:-r] = True
    level = np.clip(np.floor(values + 0.5), *found.clip)
    reproduced = found.reproduction.reshape(values.shape)
    # Float64 may end a tie of a weighted sum on the other side: hardly any.
    assert (reproduced != level)[inside].mean() < 1e-3
    assert np.abs(reproduced - level)[inside].max() <= 1
    counts = inside & ~changed
    share = (after == reproduced)[counts].mean()
    assert found.reproduced == pytest.approx(share, abs=1e-12)
    assert found.reproduced == pytest.approx((after == level)[counts].mean(), abs=1e-3)
    unclipped = counts[..., None] & (values > found.clip[0]) & (values < found.clip[1])
    residual = np.sqrt(((after - values)[unclipped] ** 2).mean())
    assert found.residual == pytest.approx(residual, rel=1e-6, abs=1e-9)
    assert found.residual < 0.6
    difference = found.residual_map.reshape(values.shape)
    assert np.array_equal(difference, after.astype(np.float32) - reproduced)


def test_what_is_left_out_is_counted_and_shown(told):
    """The caption's share of the pixels inside, its mask, and what the kernel makes there."""
    _, after, changed, clean, found = told
    r = found.size // 2
    assert found.left_out.share == pytest.approx(changed[r:-r, r:-r].mean(), abs=1e-12)
    assert found.left_out.share > 0.01
    assert found.left_out.reasons == (Left.CHANGED,)
    assert np.array_equal(found.left_out.mask, changed)
    assert np.array_equal(found.reproduction[changed], clean.reproduction[changed])
    assert (found.reproduction[changed] != after[changed]).any()
    assert found.as_dict()["left_out"] == {
        "share": found.left_out.share,
        "reasons": ["changed pixels"],
    }


def test_grey_from_colour_is_measured_too():
    """The residual of the grey's own kernel, with OpenCV's grey."""
    grey = cv2.cvtColor(COLOUR, cv2.COLOR_RGB2GRAY)
    after = as_file(filtered(grey, BLUR))
    found = recover(COLOUR, after, 5)
    assert found.channels == Channels.GREY
    assert found.channel_weights == pytest.approx(LUMINANCE, abs=1e-3)
    inside = np.s_[2:-2, 2:-2]
    left = (after - made(found, grey)[..., 0])[inside]
    assert found.residual == pytest.approx(np.sqrt((left**2).mean()), rel=1e-6)
    assert found.reproduced == (found.reproduction == after)[inside].mean()


@pytest.mark.sweep(3)
@pytest.mark.parametrize("corner", [(21, 71), (119, 105), (43, 295)])
def test_tails_are_not_cut_off(corner):
    """A Gaussian's outermost weights, 2e-5 to 2e-3, sum to a hundredth: they are in the kernel."""
    coffee = np.asarray(Image.open(FOLDER / "coffee.jpg").convert("L"))
    before = coffee[corner[0] :, corner[1] :][:150, :200]
    line = cv2.getGaussianKernel(7, 1)
    found = recover(before, as_file(filtered(before, line @ line.T)), 9)
    assert found.verdict == Verdict.CONVOLUTION
    assert found.residual == pytest.approx(found.rounding_floor, rel=0.05)
    off = np.abs(found.kernel[0, 0] - np.pad(line @ line.T, found.size // 2 - 3))
    assert (off <= 5 * found.standard_error[0, 0]).all()


def test_figures_are_of_all_pairs():
    """A second pair with noise is in the residual and the share, not in the picture."""
    noise = np.random.default_rng(0).normal(0, 2, GREY.shape)
    after = as_file(filtered(GREY, BLUR))
    found = recover(GREY, after, 5)
    pairs = [alignment.prepare(GREY, p)[0] for p in (after, as_file(filtered(GREY, BLUR) + noise))]
    both = reproduction.told(found, pairs)
    assert both.residual == pytest.approx(np.sqrt((1 / 12 + 2**2 + 1 / 12) / 2), rel=0.05)
    assert 0.5 < both.reproduced < 0.7
    assert np.array_equal(both.reproduction, found.reproduction)


def ring(before, after, width, value=None):
    """After with its outermost pixels copied from before, or of one value."""
    result = before.copy() if value is None else np.full_like(after, value)
    result[width:-width, width:-width] = after[width:-width, width:-width]
    return result


@pytest.mark.parametrize(
    ("value", "edge", "reason"),
    [(None, Edge.COPIED, Left.COPIED), (70, Edge.PLAIN, Left.PLAIN)],
)
def test_a_ring_wider_than_the_kernel_is_said_to_be_one(value, edge, reason):
    """Two pixels for a 3 x 3 kernel: the outer is the edge, the inner is left out as a ring."""
    clean = as_file(filtered(GREY, SHARPEN))
    after = ring(GREY, clean, 2, value)
    outliers = after != clean
    pair = replace(alignment.prepare(GREY, after)[0], outliers=outliers)
    found = reproduction.told(recover(GREY, clean, 5), [pair])
    assert found.padding == edge
    assert found.left_out.reasons == (reason,)
    assert found.reproduced == 1
    assert np.array_equal(found.reproduction[1:-1, 1:-1], clean[1:-1, 1:-1])
    assert np.array_equal(found.reproduction[0], after[0])


@pytest.mark.parametrize("value", [None, 70])
def test_a_spot_near_the_border_is_no_ring(value):
    """One value, or the picture as it was, in a corner: changed pixels, beside a ring or not."""
    clean = as_file(filtered(GREY, SHARPEN))
    spot = np.s_[2:9, 3:30]
    after = clean.copy()
    after[spot] = GREY[spot] if value is None else value
    pair, _ = alignment.prepare(GREY, after)
    found = recover(GREY, clean, 5)
    pair = replace(pair, outliers=after != clean)
    assert reproduction.told(found, [pair]).left_out.reasons == (Left.CHANGED,)
    both = ring(GREY, after, 2)
    pair = replace(pair, after=both[..., None], outliers=both != clean)
    reasons = reproduction.told(found, [pair]).left_out.reasons
    assert reasons == (Left.COPIED, Left.CHANGED)
