"""Where after lies on before: moved, turned, or cut out of it (image registration)."""

from __future__ import annotations

import cv2
import numpy as np

from kernel_demo.imaging.filtering import LUMINANCE
from kernel_demo.recovery.alignment import WHOLE, Pair
from kernel_demo.recovery.explanations import Turn

# Side of the middle part that is searched for a displacement: an FFT of 1 Mpx takes 0.1 s.
SEARCH_SIDE = 1024
ALIKE = 0.9  # share of the variance that a turned picture must explain
UNTOUCHED = 2.5  # grey levels RMS that a fine JPEG file takes from a picture's brightness


def displacement(pair: Pair) -> tuple[int, int] | None:
    """The origin under which after shows the same place as before, if one stands out.

    The filter's impulse response A conj(B) / (|B|^2 + noise) (Wiener's deconvolution, with A and B
    the spectra) has its energy where the kernel is, however far from the centre.
    """
    height, width = (min(SEARCH_SIDE, side) for side in pair.overlap()[1].shape[:2])
    # What a window dims at the border may be all that both show; without one, the borders are edges
    # of their own, but for pictures that go round.
    for window in (np.outer(np.hanning(height), np.hanning(width)), np.ones((height, width))):
        energy = _response(pair, window)
        spread: np.ndarray = cv2.blur(energy, (5, 5), borderType=cv2.BORDER_REFLECT)
        y, x = np.unravel_index(int(spread.argmax()), spread.shape)
        if spread[y, x] > 50 * np.median(spread):
            row, column = _middle(energy, int(y), int(x))
            return pair.origin[0] + height // 2 - row, pair.origin[1] + width // 2 - column
    return None


def _middle(energy: np.ndarray, y: int, x: int) -> tuple[int, int]:
    """The whole pixel next to the centre of the energy within two of (y, x)."""
    top, left = max(y - 2, 0), max(x - 2, 0)
    near = energy[top : y + 3, left : x + 3]
    rows, columns = np.indices(near.shape)
    down, right = ((near * places).sum() / near.sum() for places in (rows, columns))
    return top + round(float(down)), left + round(float(right))


def _response(pair: Pair, window: np.ndarray) -> np.ndarray:
    """The energy of the impulse response of the pair's middle (h x w, as the window is)."""
    before, after, _ = pair.overlap()
    height, width = window.shape
    top, left = (after.shape[0] - height) // 2, (after.shape[1] - width) // 2
    spectra = []
    for picture in (before, after):
        part = picture[top : top + height, left : left + width].mean(axis=2)
        spectra.append(np.fft.rfft2((part - part.mean()) * window))
    power = np.abs(spectra[0]) ** 2
    if not power.any():
        return np.zeros(window.shape)
    response = np.fft.irfft2(
        spectra[1] * spectra[0].conj() / (power + 1e-3 * power.mean()), (height, width)
    )
    return np.fft.fftshift(response**2)


def turned(pair: Pair) -> Turn | None:
    """The turn of before under which after shows the same picture, if one stands out."""
    before, after, _ = pair.overlap()
    turns = {
        Turn.ACROSS: before[:, ::-1], Turn.DOWN: before[::-1], Turn.HALF: before[::-1, ::-1],
        None: before,
    }  # fmt: skip
    # Every n-th pixel both ways, by which pictures that are alike are so as well.
    apart = max(1, int((after[..., 0].size / WHOLE) ** 0.5))
    here, *there = (
        picture[::apart, ::apart].mean(axis=2, dtype=np.float32).ravel()
        for picture in (after, *turns.values())
    )
    if any(picture.std() == 0 for picture in (here, *there)):
        return None
    alike = {
        turn: np.corrcoef(picture, here)[0, 1] ** 2
        for turn, picture in zip(turns, there, strict=True)
    }
    best = max(alike, key=lambda turn: alike[turn])
    others = max(value for turn, value in alike.items() if turn != best)
    # Of a picture that is its own mirror image two turns are the same.
    stands_out = alike[best] > ALIKE and others < alike[best] / 2
    return best if stands_out else None


def cut_out(before: np.ndarray, after: np.ndarray) -> tuple[int, int] | None:
    """Row and column of before at which after, which is smaller, is just what stands there.

    Pictures as in `prepare`. None also where a filter has changed it by more than a fine file does,
    and where it stands in several places.
    """
    there, here = (_brightness(picture) for picture in (before, after))
    if any(a > b for a, b in zip(here.shape, there.shape, strict=True)) or here.std() == 0:
        return None
    score = cv2.matchTemplate(there, here, cv2.TM_CCOEFF_NORMED)
    first = _place(score)
    if not _is_there(there, here, first):
        return None
    y, x = first
    score[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] = -1
    # In a pattern that repeats itself it may come from anywhere.
    return None if _is_there(there, here, _place(score)) else first


def _place(score: np.ndarray) -> tuple[int, int]:
    y, x = np.unravel_index(int(score.argmax()), score.shape)
    return int(y), int(x)


def _is_there(there: np.ndarray, here: np.ndarray, place: tuple[int, int]) -> bool:
    """Whether a part stands at a place of the whole, but for what a fine file does."""
    y, x = place
    off = here - there[y : y + here.shape[0], x : x + here.shape[1]]
    most = min(UNTOUCHED, here.std() / 10)  # a plain part looks like many
    return bool(off.std() <= most and abs(off.mean()) <= most / 2)


def _brightness(picture: np.ndarray) -> np.ndarray:
    """H x W float32, 0 to 255."""
    scaled = picture * np.float32(255 / np.iinfo(picture.dtype).max)
    deep = scaled.reshape(*picture.shape[:2], -1)
    return deep[..., :3] @ np.array(LUMINANCE, np.float32) if deep.shape[2] > 2 else deep[..., 0]
