"""Datasets for the tests: pictures of smooth noise, and what OpenCV makes of them."""

import io
import tarfile
from pathlib import Path

import cv2
import numpy as np

KERNEL = np.array([[0.1, -0.2, 0.05], [0.3, 0.4, -0.1], [0.0, 0.2, 0.15]])
OTHER = np.full((3, 3), 1 / 9)


def picture(seed: int, height: int = 60, width: int = 70) -> np.ndarray:
    """Noise of some smoothness, from 40 to 215: no filter here clips it."""
    noise = np.random.default_rng(seed).standard_normal((height, width))
    noise = noise + 2 * cv2.GaussianBlur(noise, (0, 0), 2)
    low, high = noise.min(), noise.max()
    return np.rint(40 + 175 * (noise - low) / (high - low)).astype(np.uint8)


def filtered(before: np.ndarray, kernel: np.ndarray = KERNEL) -> np.ndarray:
    """OpenCV's, rounded and clipped as a file is."""
    after = cv2.filter2D(before.astype(np.float64), -1, kernel)
    return np.clip(np.rint(after), 0, np.iinfo(before.dtype).max).astype(before.dtype)


def png(values: np.ndarray) -> bytes:
    return cv2.imencode(".png", values)[1].tobytes()


def tar(path: Path, members: list[tuple[str, bytes]]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    return path


def pair(seed: int, kernel: np.ndarray = KERNEL) -> list[tuple[str, bytes]]:
    """The members of one key."""
    before = picture(seed)
    after = png(filtered(before, kernel))
    return [
        (f"{seed:06d}.before.png", png(before)), (f"{seed:06d}.after.png", after),
        (f"{seed:06d}.json", b"{}"),
    ]  # fmt: skip


def tars(folder: Path, shards: int, each: int, strange: tuple[int, ...] = ()) -> list[Path]:
    """So many tars of so many pairs; the `strange` ones are of another filter."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(shards):
        seeds = range(number * each, (number + 1) * each)
        found = [pair(seed, OTHER if seed in strange else KERNEL) for seed in seeds]
        members = [member for one in found for member in one]
        paths.append(tar(folder / f"{number:05d}.tar", members))
    return paths
