"""Two pictures under a divider, and their difference."""

import base64

import cv2
import numpy as np
import pytest

from kernel_demo.imaging.kernels import named
from kernel_demo.ui.components import comparison


def decoded(url: str) -> np.ndarray:
    data = base64.b64decode(url.partition(",")[2])
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


NEGATIVE_ONES = -named("sharpen").values  # no sum near zero, and all below zero


@pytest.mark.parametrize(
    ("kernel", "is_map"),
    [
        (named("sobel_x").values, True),
        (named("laplacian_8").values, True),
        (named("sharpen").values, False),
        (named("box").values, False),
        (NEGATIVE_ONES, True),
        (named("box").values * 0.3, False),  # a sum near zero, and nothing below it
        (named("box").values * 0.1, False),
        *((named("gabor", size).values, True) for size in (7, 15)),  # nearly all above zero
        (named("log", 9).values, True),
    ],
)
def test_which_outputs_are_signed_maps(kernel, is_map):
    """What lies below zero in part is drawn as a signed map, what does not as a photo."""
    photo = cv2.GaussianBlur(np.random.default_rng(0).random((60, 80)), (0, 0), 2)
    assert comparison.is_signed(cv2.filter2D(photo, cv2.CV_64F, kernel), kernel) is is_map


@pytest.mark.parametrize("name", ["sobel_x", "box"])
@pytest.mark.parametrize("rest", [0, 1e-8, -1e-8])
def test_of_nearly_nothing_the_kernel_tells(name, rest):
    """Sobel makes a signed map of what is flat, a blur a photo of what is black: no sign tells."""
    assert comparison.is_signed(np.full((8, 8), rest), named(name).values) is (name == "sobel_x")


def test_zero_is_transparent_and_signs_have_their_colours():
    """Zero shows the page's ground; negative is blue, positive orange; magnitude is opacity."""
    rgba = comparison.signed(np.array([[-1.0, 0.0, 0.5]]), scale=1.0)
    assert rgba[0, :, 3].tolist() == [255, 0, 128]
    assert tuple(rgba[0, 0, :3]) == comparison.NEGATIVE
    assert tuple(rgba[0, 2, :3]) == comparison.POSITIVE


def test_a_signed_map_travels_in_the_colours_it_has():
    """As a palette it is what `signed` draws, to half a shade."""
    values = np.random.default_rng(0).normal(size=(20, 30))
    drawn = decoded(comparison.signed_url(values, 1.5))
    expected = comparison.signed(values, 1.5)
    np.testing.assert_allclose(drawn[..., 3].astype(int), expected[..., 3], atol=2)
    seen = drawn[..., 3] > 0
    np.testing.assert_array_equal(drawn[seen][:, 2::-1], expected[seen][:, :3])


def disc() -> np.ndarray:
    """A drawing of two flat colours, 200 x 300 float32, its edge less than a fiftieth of it."""
    return np.float32(cv2.circle(np.full((200, 300), 1.0), (130, 100), 20, 0.2, -1))


@pytest.mark.parametrize("pixels", [disc(), np.full((20, 20), 128 / 255, np.float32)])
@pytest.mark.parametrize("off", [1e-7, -1e-7, 1e-5])
def test_a_flat_picture_stays_pale_under_a_signed_map(pixels, off):
    """Of flat colours the true map and one that is right to five digits are both pale, but for
    edges, and those are shown."""
    true = cv2.filter2D(pixels, cv2.CV_32F, named("sobel_x").values)
    value = comparison.view(true, true + np.float32(off), ("a", "b"), is_map=True)
    for url in filter(None, (value["first"], value["second"])):
        opacity = decoded(url)[..., 3]
        assert opacity[true == 0].max() <= 8
        assert (opacity[np.abs(true) > 1] > 200).all()


def test_true_and_learned_share_one_scale():
    """A value of one sign and size has one colour in both pictures."""
    first = np.zeros((20, 20), np.float32)
    first[:, 10:] = 0.5
    value = comparison.view(first, first[:, ::-1].copy(), ("a", "b"), is_map=True)
    assert np.array_equal(decoded(value["first"]), decoded(value["second"])[:, ::-1])


@pytest.mark.parametrize("is_map", [False, True])
def test_two_pictures_alike_travel_once(is_map):
    """A kernel that is right draws the true picture: it is sent once; one grey level is seen."""
    first = np.random.default_rng(0).random((40, 60), dtype=np.float32)
    for apart, sent in ((0, False), (1e-6, False), (1 / 255, True)):
        value = comparison.view(first, first + np.float32(apart), ("a", "b"), is_map=is_map)
        assert bool(value["second"]) == sent


@pytest.mark.parametrize(
    ("largest", "gain"),
    [
        (0.5, "difference × 1"),
        (0.04, "difference × 10"),
        (3e-6, "difference × 10⁵"),
        (0, "difference: none"),
    ],
)
def test_the_gain_brings_the_largest_difference_into_sight(largest, gain):
    """The gain is a power of ten, and the drawn difference reaches a tenth of full opacity."""
    first = np.full((40, 60), 0.4, np.float32)
    second = first.astype(np.float64)
    second[7, 9] += largest
    value = comparison.view(first, second, ("a", "b"), is_map=False)
    assert value["gain"] == gain
    opacity = decoded(value["difference"])[..., 3]
    assert opacity.max() >= 25 if largest else opacity.max() == 0


def test_a_photo_travels_without_loss():
    """What is not shrunk is shown bit for bit, in its own colours."""
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3)).astype(np.uint8)
    value = comparison.view(
        pixels / np.float32(255), pixels / np.float32(255), ("a", "b"), is_map=False
    )
    assert np.array_equal(decoded(value["first"])[..., ::-1], pixels)


@pytest.mark.parametrize(
    ("shape", "place"),
    [
        ((3000, 2000), (1234, 777)),
        ((3000, 2000), (2999, 1999)),  # of a block that is not full
        ((1, 5000), (0, 4999)),
        ((2000, 1500, 3), (700, 3, 2)),
    ],
)
def test_one_wrong_pixel_stays_visible_when_shrunk(shape, place):
    """A single error in a large picture is not averaged away, wherever it is."""
    difference = np.zeros(shape, np.float32)
    difference[place] = -0.7
    shrunk = comparison.strongest(difference, 1024)
    assert shrunk.ndim == 2
    assert shrunk.min() == np.float32(-0.7)
    assert max(shrunk.shape) <= 1024
