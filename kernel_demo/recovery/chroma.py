"""Whether the colours of a JPEG file went through the kernel of its luminance."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import cv2
import numpy as np

from kernel_demo.imaging.catalogue import identity
from kernel_demo.imaging.filtering import LUMINANCE, correlate_valid
from kernel_demo.recovery.alignment import Pair
from kernel_demo.recovery.jpeg import UNEXPLAINED, Censored
from kernel_demo.recovery.quantisation import Compression

SIMULATED = 512  # side of the part that is compressed anew
SAMPLINGS = (cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
             cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422)  # fmt: skip
# Measured over 7 filters, 6 qualities, 4 pictures: up to 1.4 times what rounding makes, up to 0.6
# times what is left if the colours were not filtered; 1.1 times and more where they were not.
ROUNDED_TWICE, BETTER, UNSEEN = 1.5, 0.75, 0.3
# Half a level times this makes two roundings of whole numbers, too, where a tool with a decoder of
# its own saw other colours before: a sixth of the pixels are one level off, 2 / 12 in variance.
BY_DECODER = 1.2
USUAL = (50, 75, 85, 92, 95)  # qualities
STRAY = 4.0  # levels; a file's own losses, made again, differ by less than 2, other encoders' by 3
SAME = 2  # bars by which a kernel that is the identity may be off


def colours_agree(pair: Pair, compressed: Compression, found: Censored) -> bool:
    """Whether the kernel of the luminance is that of all three channels.

    The luminance tells nothing of tools that filter it alone, or the colours in another way. So the
    middle of the picture is predicted, compressed in the same way, and its colours (Cb, Cr) are
    compared: they are to agree as well as two roundings do, and better than untouched colours,
    unless the kernel is the identity, under which both are the same.
    False also where the tables are not IJG's, so that nothing can be compressed in the same way.
    """
    if compressed.quality is None:
        return False
    predicted, untouched, after = _middle(pair, found)
    if min(after.shape[:2]) < 32:
        return False
    untouched = untouched + ((predicted - untouched) @ np.array(LUMINANCE))[..., None]
    dither = np.random.default_rng(0).uniform(-0.5, 0.5, predicted.shape)
    dither *= max(1 if found.believable else BY_DECODER, found.spread / UNEXPLAINED)
    pictures = {"kernel": predicted, "rounding": predicted + dither, "untouched": untouched}
    left = []
    for sampling in SAMPLINGS:
        file = (compressed.quality, sampling)
        again = {name: through_file(picture, *file) for name, picture in pictures.items()}
        left.append((
            _colour_difference(after, again["kernel"]),
            _colour_difference(again["rounding"], again["kernel"]),
            _colour_difference(after, again["untouched"]),
        ))  # fmt: skip
    kernel, rounding, _ = min(left)
    other = min(untouched for _, _, untouched in left)
    off = np.abs(found.kernel - identity(len(found.kernel))).max()
    same = off <= SAME * found.standard_error.max()
    # Whole numbers need no rounding: then there is nothing to compare with.
    agrees = kernel < max(ROUNDED_TWICE * rounding, UNSEEN)
    return agrees and (same or kernel < BETTER * other)


def recoloured(pair: Pair, compressed: Compression) -> bool:
    """Whether after, elsewhere as before, has other colours somewhere than losses make.

    Before is compressed in the same way, or in those that are usual where the tables are not IJG's;
    the means of Cb and Cr over 8 x 8 pixels are compared.
    """
    if not (pair.before.shape[2] == pair.after.shape[2] == 3):
        return False
    before, after, _ = pair.overlap()
    again = _compressed_again(before, compressed)
    return min(_strays(one, after) for one in (before, *again)) > STRAY


def losses_alone(pair: Pair, compressed: Compression) -> bool:
    """Whether before, compressed in the same way, is after to the last level.

    The coefficients of luminance would not do: a faint filter changes none of thousands, at low
    qualities. Other encoders change as many as a filter does, and so does a file saved twice.
    """
    before, after, _ = pair.overlap()
    before, after = (np.broadcast_to(p, (*p.shape[:2], 3)) for p in (before, after))
    return any(np.array_equal(one, after) for one in _compressed_again(before, compressed))


def _compressed_again(picture: np.ndarray, compressed: Compression) -> Iterator[np.ndarray]:
    """A picture (H x W x 3) out of each file that may be like that."""
    known = compressed.quality
    for way in product(USUAL if known is None else (known,), SAMPLINGS):
        yield through_file(picture, *way)


def _strays(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference of Cb or Cr, in levels, of means over 8 x 8 pixels."""
    colour = one.astype(np.float32) - other
    luma = colour @ np.array(LUMINANCE, np.float32)
    parts = (colour[..., 2] - luma) / 1.772, (colour[..., 0] - luma) / 1.402
    means = (cv2.blur(part, (8, 8))[4:-4:4, 4:-4:4] for part in parts)
    return max((float(np.abs(mean).max()) for mean in means if mean.size), default=0.0)


def through_file(picture: np.ndarray, quality: int, sampling: int) -> np.ndarray:
    """A picture (H x W x 3, 0 to 255) out of a JPEG file."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    whole = np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
    _, data = cv2.imencode(".jpg", whole[..., ::-1], options)
    back = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert back is not None  # what was encoded just now
    return back[..., ::-1]


def _middle(pair: Pair, found: Censored) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The middle of after as predicted, as before has it, and itself; whole blocks of 16 x 16."""
    radius, spans = len(found.kernel) // 2, []
    for axis, origin in enumerate(pair.origin):
        first = -(-max(0, radius - origin) // 16) * 16
        last = min(pair.after.shape[axis], pair.before.shape[axis] - origin - radius)
        count = max(0, min(SIMULATED, (last - first) // 16 * 16))
        first += (last - first - count) // 32 * 16
        spans.append((first, first + count))
    (top, bottom), (left, right) = spans
    down, across = (
        slice(first + origin - radius, last + origin + radius)
        for (first, last), origin in zip(spans, pair.origin, strict=True)
    )
    wide = pair.before[down, across].astype(np.float64)
    wide = np.broadcast_to(wide, (*wide.shape[:2], 3))
    predicted = [correlate_valid(wide[..., c], found.kernel, found.offset) for c in range(3)]
    inner = wide[radius : len(wide) - radius, radius : wide.shape[1] - radius]
    return np.stack(predicted, axis=-1), inner, pair.after[top:bottom, left:right]


def _colour_difference(one: np.ndarray, other: np.ndarray) -> float:
    """RMS difference of Cb and Cr, in levels, of two pictures (H x W x 3: red, green, blue)."""
    colour = one.astype(np.float64) - other
    luma = colour @ np.array(LUMINANCE)
    cb, cr = (colour[..., 2] - luma) / 1.772, (colour[..., 0] - luma) / 1.402
    return float(np.sqrt((cb**2 + cr**2).mean() / 2))
