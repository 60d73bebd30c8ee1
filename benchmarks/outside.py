"""Pairs that other projects keep as their own tests: which of them are recovered rightly?

outside.json names them: repository, commit, path, checksum, licence, and what is true of the pair.
The pictures are none of ours: they lie in the folder that FOLDER names, as `suite/path in the
repository` or as `suite/name.png`, or are fetched from SOURCE into CACHE, which git ignores.

A claim is false where a filter that is linear (LINEAR) is denied, where another is called a
convolution, and where a weight is more than five bars off, or outside its interval.
"""

from __future__ import annotations

import hashlib
import json
import os
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.proof import BARS, Case, distance, fault, gaussian
from kernel_demo.recovery import Channels, Recovery, Verdict, recover
from kernel_demo.sources.decoding import samples

TITLE = "Before/after pairs of other projects"
LONG = True  # runs by name only: it wants files
MANIFEST = Path(__file__).with_suffix(".json")
CACHE = Path(__file__).parents[1] / "outside-files"
SOURCE = "https://raw.githubusercontent.com"
SECONDS = 20  # for a file to come
LINEAR = ("convolution", "identity", "channels", "shift")
UNDETERMINED = "undetermined"
WANTED = 60  # of 67


class MissingError(Exception):
    """A file that is not here, or not the one that was asked for; its text says which."""


@dataclass(frozen=True)
class File:
    """A picture in a repository."""

    suite: str
    address: str  # repository/commit/path
    path: str  # in the repository
    hashes: dict  # SHA-256 of the "file", and of its "pixels" (H x W x 3 bytes, row by row)

    @property
    def places(self) -> tuple[str, ...]:
        """Where it may lie in a folder; a MIFF or a BMP may have been made a PNG there."""
        name = Path(self.path).name
        # Of the names of a suite the part that tells them apart: hopper_emboss.bmp, emboss.png.
        short = name.removeprefix("hopper_").removeprefix("basic_")
        flat = (name, short, *(Path(n).stem + ".png" for n in (name, short)))
        return tuple(f"{self.suite}/{place}" for place in (self.path, *flat))


@dataclass(frozen=True)
class Pair:
    """Two of them, and what is true of the filter between."""

    suite: str
    name: str
    before: File
    after: File
    truth: dict = field(repr=False)

    def __str__(self) -> str:
        return f"{self.suite} {self.name}"


def pairs(manifest: Path) -> Iterator[Pair]:
    """Those of a manifest."""
    for suite in json.loads(manifest.read_text(encoding="utf-8")):
        name = suite["name"]
        files = {
            path: File(name, f"{suite['repository']}/{suite['commit']}/{path}", path, hashes)
            for path, hashes in suite["files"].items()
        }
        for row in suite["pairs"]:
            yield Pair(name, row["name"], files[row["before"]], files[row["after"]], row["truth"])


def kernel(truth: dict) -> np.ndarray | None:
    """k x k, or (3, 3, 1, 1) of a colour matrix, for correlation. None: it is not known."""
    if "matrix" in truth:
        return np.array(truth["matrix"], float)[:, :, None, None]
    known = truth.get("kernel")
    if not isinstance(known, dict):
        return None if known is None else np.array(known, float)
    size, sigma = known["gaussian"]
    blur, amount = _sampled(size, sigma, known.get("samples", 1)), known.get("amount")
    if amount is None:
        return blur
    middle = np.pad(np.ones((1, 1)), size // 2)
    return (1 + amount) * middle - amount * blur


def _sampled(size: int, sigma: float, samples: int) -> np.ndarray:
    """A Gaussian whose weights are sums of some samples (odd), 1 / samples of a pixel apart."""
    fine = gaussian(size * samples, sigma * samples)
    return fine.reshape(size, samples, size, samples).sum(axis=(1, 3))


def wrong(pair: Pair, found: Recovery, before: np.ndarray, after: np.ndarray) -> str:
    """What of the claim the truth contradicts; UNDETERMINED; or nothing, where it is right."""
    linear = pair.truth["kind"] in LINEAR
    if found.verdict == Verdict.UNDETERMINED:
        return UNDETERMINED
    if not linear:
        return "called a convolution" if found.verdict.linear else ""
    if found.verdict == Verdict.NOT:
        return "denied"
    true = kernel(pair.truth)
    if true is None:
        return ""
    # The kernel applies to before[y + shift], so what moved by more lies off its middle.
    off = -np.array(pair.truth.get("shift", (0, 0))) - found.shift
    if off.any():
        wide = np.pad(true, [(0, 0)] * (true.ndim - 2) + [(np.abs(off).max(),) * 2] * 2)
        true = np.roll(wide, off, axis=(-2, -1))
    if found.channels == Channels.GREY and true.ndim == 4:
        return _grey(true, found)
    if true.ndim == 4 and found.kernel.shape[1] == 1:
        own = true[range(3), range(3)]
        if np.abs(true).sum() > np.abs(own).sum():
            return "channels that are not mixed"
        true = own[:, None]
    return fault(Case(pair.suite, pair.name, before, after, true), found)


def _grey(true: np.ndarray, found: Recovery) -> str:
    """What of a grey made of colours (one row of a 3 x 3 matrix) the weights told contradict."""
    weights = np.array(found.channel_weights)[:, None, None]
    alone = (found.kernel[0, 0] * weights, found.standard_error[0, 0] * weights)
    worst = max(distance(*part, row) for *part, row in zip(*alone, true[0], strict=True))
    return f"{worst:.0f} bars off" if worst > BARS or np.ptp(true, axis=0).any() else ""


def read(file: File, folder: Path | None) -> np.ndarray:
    """H x W (x 3) samples of a file: of a folder, else of the cache, else fetched into it.

    MissingError for what cannot be had, or is another picture than the manifest's.
    """
    if folder is None:
        path = CACHE / file.suite / file.path
        if not path.exists():
            _fetch(file, path)
    else:
        path = next(filter(Path.exists, (folder / place for place in file.places)), None)
        if path is None:
            raise MissingError(f"{file.places[0]} is not in {folder}.")
    data = path.read_bytes()
    values = miff(data) if path.suffix == ".miff" else samples(data, path.name)[0]
    if not _same(file, data, values):
        raise MissingError(f"{path} is not the file that the manifest names.")
    return values


def _same(file: File, data: bytes, values: np.ndarray) -> bool:
    """Whether the bytes are the manifest's or, of what may have been converted, the pixels."""
    content = {"file": data, "pixels": np.ascontiguousarray(values)}
    found = {name: hashlib.sha256(part).hexdigest() for name, part in content.items()}
    return any(found[name] == known for name, known in file.hashes.items())


def _fetch(file: File, path: Path) -> None:
    try:
        with urllib.request.urlopen(f"{SOURCE}/{file.address}", timeout=SECONDS) as answer:
            data = answer.read()
    except (urllib.error.URLError, OSError) as error:
        raise MissingError(
            f"{SOURCE}/{file.address} cannot be fetched ({error}). Where there is no network, name "
            f"a folder that has the files: make outside FOLDER=..."
        ) from None
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def miff(data: bytes) -> np.ndarray:
    """H x W x 3 samples of ImageMagick's own format, of 8 bits and not compressed.

    Lines of key=value up to a colon and a Ctrl-Z, then the rows (imagemagick.org/script/miff.php).
    ValueError for what else MIFF may hold.
    """
    head, end, rows = data.partition(b":\x1a")
    told = dict(word.split("=", 1) for word in head.decode("latin-1").split() if "=" in word)
    plain = {"class": "DirectClass", "depth": "8", "compression": "None", "matte": "False"}
    if not end or any(told.get(key, value) != value for key, value in plain.items()):
        raise ValueError("only plain MIFF of 8 bits is read here")
    shape = int(told["rows"]), int(told["columns"]), 3
    return np.frombuffer(rows, np.uint8).reshape(shape)


def run(report):
    named = os.environ.get("FOLDER")
    folder = Path(named).expanduser() if named else None
    suites, total = {}, Counter()
    try:
        for pair in pairs(MANIFEST):
            said = _told(pair, folder, report)
            suites.setdefault(pair.suite, Counter()).update(pairs=1, **{said: 1})
    except MissingError as error:
        report.note(str(error))
        return
    for suite, count in suites.items():
        total.update(count)
        report.row(f"{suite}: {count['pairs']} pairs", "none false", _summed(count),
                   met=not count["false"])  # fmt: skip
    met = not total["false"] and total["right"] >= WANTED
    report.row(f"all {total['pairs']}", f"none false, {WANTED} right", _summed(total), met=met)


def _told(pair: Pair, folder: Path | None, report) -> str:
    """What it counts as, noted where it is not right."""
    before, after = (read(file, folder) for file in (pair.before, pair.after))
    found = recover(before, after)
    said = wrong(pair, found, before, after)
    if not said:
        return "right"
    kind = pair.truth["kind"]
    if said == UNDETERMINED:
        report.note(f"{pair} ({kind}): undetermined. {found.explanation}")
        return said
    report.note(f"{pair} ({kind}): FALSE, {said}. {found.explanation}")
    return "false"


def _summed(count: Counter) -> str:
    return ", ".join(f"{count[what]} {what}" for what in ("right", UNDETERMINED, "false"))
