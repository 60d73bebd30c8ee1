"""Pictures from a dataset on the Hugging Face Hub, within a deadline.

Only public datasets, without the host's token. The work is done by hub_worker.py in a process
that is ended at the deadline; whatever pictures came until then are used.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kernel_demo.errors import DemoError, whole
from kernel_demo.sources.decoding import Photo, decode, shrink
from kernel_demo.sources.memory import Memory

MAX_COUNT = 64
DRAWN_FROM = 32  # the first so many pictures of a dataset, fetched once for every smaller count
MAX_PHOTO = 4_000_000  # pixels; larger ones are scaled down: a few megapixels teach any kernel
WHOLE, PART, NOTHING = float("inf"), 3600.0, 60.0  # seconds that an answer is remembered

OFFLINE = "Take the bundled photos, or your own."

_ON = ("1", "ON", "YES", "TRUE")  # as the Hub's client reads its switches
_WORKER = Path(__file__).with_name("hub_worker.py")
_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)
_slots = threading.BoundedSemaphore(2)  # loads at once: each is a process of about 150 MB


@dataclass(frozen=True)
class Dataset:
    """A dataset that is offered by name."""

    id: str  # owner/name on the Hub
    label: str  # what a visitor reads in the list


DATASETS = (
    Dataset("AI-Lab-Makerere/beans", "Bean leaves"),
    Dataset("timm/oxford-iiit-pet", "Cats and dogs"),
    Dataset("KoalaAI/StockImages-CC0", "Stock photos"),
    Dataset("timm/eurosat-rgb", "Satellite tiles"),
)


@dataclass(frozen=True, eq=False)
class Loaded:
    """What came from the Hub."""

    photos: tuple[Photo, ...]  # at least one
    note: str  # from where, by which licence, and what was left out


@dataclass(frozen=True, eq=False)
class _Taken:
    """What the worker sent."""

    files: tuple[bytes, ...] = ()  # b"" for a row without a usable picture
    about: dict[str, str] | None = None  # split, column, part, licence
    cause: str = ""  # why it failed; "late" at the deadline; "" if it did not
    detail: str = ""


_memory: Memory[_Taken] = Memory(128 * 2**20)


def load(
    dataset_id: str,
    count: int = 8,
    seed: int = 0,
    deadline: float = 15.0,
    split: str = "",
    column: str = "",
) -> Loaded:
    """`count` pictures (1..MAX_COUNT) of a dataset on the Hub, drawn from its first DRAWN_FROM.

    From its first `count` where that is more. The seed decides which are drawn, and in which order:
    fewer are the first of more. An empty split or column is chosen: a small split first
    (validation, test, train), the first column of pictures. Waits at most `deadline` seconds in
    all, for others and for the Hub; decoding what came is not counted. Raises DemoError for an id
    that is none, unknown or gated, for a dataset without pictures or such a split or column, and
    where the Hub refuses or does not answer in time. The same is not asked twice: pictures are
    remembered, even where some are missing, so that a lesson begun can be gone on with; a failure
    for a minute.
    """
    _check_id(dataset_id)
    count = whole("a count of pictures", count, 1, MAX_COUNT)
    if offline():
        raise DemoError("a dataset of the Hub", "a page that was started without network", OFFLINE)
    take = max(DRAWN_FROM, count)
    key = (dataset_id, split, column, take)
    until = time.monotonic() + deadline
    with _memory.asking(key, deadline, _busy):
        taken = _memory.recall(key)
        if taken is None:
            taken = _fetch(dataset_id, split, column, take, deadline, until)
            keep = WHOLE if not taken.cause else PART if any(taken.files) else NOTHING
            size = len(str((key, taken.about))) + sum(map(len, taken.files))
            _memory.remember(key, taken, size, keep)
    if not any(taken.files):
        raise _failure(dataset_id, taken, deadline)
    return _open(dataset_id, taken, count, seed, deadline)


def offline() -> bool:
    """Whether this process was told to ask nothing of the Hub."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in _ON


def at_hand(dataset_id: str, split: str = "", column: str = "") -> bool:
    """Whether `load` of up to DRAWN_FROM pictures answers at once, with pictures or without."""
    return offline() or _memory.recall((dataset_id, split, column, DRAWN_FROM)) is not None


def prefetch() -> None:
    """Fetch what the first of DATASETS has, in a thread of its own, unless it is here already."""
    threading.Thread(target=_fetch_first, daemon=True).start()


def _fetch_first() -> None:
    with suppress(DemoError):  # told to who asks for it
        load(DATASETS[0].id)


def _check_id(dataset_id: str) -> None:
    remedy = "Copy the name from the dataset's page, such as “AI-Lab-Makerere/beans”."
    found = re.match(r"(?:https?://)?(?:www\.)?[\w.-]+/datasets/([^/\s]+/[^/\s?#]+)", dataset_id)
    if found and _ID.fullmatch(found[1]):
        remedy = f"Enter “{found[1]}”."
    if not _ID.fullmatch(dataset_id) or len(dataset_id) > 128:
        what = "an address" if "://" in dataset_id else f"“{dataset_id[:60]}”"
        raise DemoError("a dataset's id, owner/name", what, remedy)
    if os.path.exists(dataset_id):
        raise DemoError("a dataset's id, owner/name", "a path on this server", remedy)


def _fetch(
    dataset_id: str, split: str, column: str, take: int, deadline: float, until: float
) -> _Taken:
    """What a worker sends until that time; it gets half of the deadline at least."""
    patience = until - time.monotonic() - deadline / 2
    if patience < 0 or not _slots.acquire(timeout=patience):
        raise _busy()
    try:
        left = until - time.monotonic()
        request = {"id": dataset_id, "split": split, "column": column, "take": take}
        return _run_worker(json.dumps({**request, "deadline": left}), left)
    finally:
        _slots.release()


def _busy() -> DemoError:
    return DemoError(
        "a free connection to the Hub",
        "too many visitors loading at once",
        "Try again in a few seconds.",
    )


def _run_worker(request: str, deadline: float) -> _Taken:
    # An empty folder: what a dataset's card calls a file can then not be one of this server's,
    # and the client's cache is gone afterwards, so that visitors cannot fill the disk.
    with tempfile.TemporaryDirectory(prefix="kernel_demo_hub_", ignore_cleanup_errors=True) as home:
        try:
            worker = subprocess.run(
                [sys.executable, str(_WORKER)],
                input=request.encode() + b"\n",
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=home,
                env=_environment(home),
                timeout=deadline,
            )
        except subprocess.TimeoutExpired as late:  # the worker was ended; what it sent is here
            return _parse(late.output or b"", late=True)
    return _parse(worker.stdout, late=False)


def _environment(home: str) -> dict[str, str]:
    """This process's environment without tokens, and with the client's caches in `home`."""
    kept = ("HF_ENDPOINT", "HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")
    env = {
        key: value
        for key, value in os.environ.items()
        if key in kept or not key.startswith(("HF_", "HUGGING", "XDG_CACHE"))
    }
    return env | {
        "HF_HOME": home,
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }


def _parse(output: bytes, late: bool) -> _Taken:
    """The worker's frames; the last one may be cut off."""
    files: list[bytes] = []
    about, cause, detail, at = None, "late" if late else "unreadable", "", 0
    while (end := output.find(b"\n", at)) >= 0:
        head = json.loads(output[at:end])
        at = end + 1 + head["size"]
        if at > len(output):
            break
        if head["kind"] == "about":
            about = head
        elif head["kind"] == "picture":
            files.append(output[end + 1 : at])
        elif head["kind"] == "failed":
            cause, detail = head["cause"], head["detail"][:300]
        elif head["kind"] == "end":
            cause = ""
    return _Taken(tuple(files), about, cause, detail)


def _open(dataset_id: str, taken: _Taken, count: int, seed: int, deadline: float) -> Loaded:
    """The first `count` whole pictures in the order that the seed gives."""
    photos: list[Photo] = []
    about, damaged = taken.about, 0
    if about is None:  # it comes before the first picture
        raise _failure(dataset_id, taken, deadline)
    licence = f", licence {about['licence']}" if about["licence"] else ""
    for index in np.random.default_rng(seed).permutation(len(taken.files)):
        if len(photos) == count:
            break
        try:
            photo = decode(taken.files[index], f"Picture {index + 1}", credit=dataset_id + licence)
            photos.append(shrink(photo, MAX_PHOTO))
        except DemoError:
            damaged += 1
    if not photos:
        raise _failure(dataset_id, taken, deadline)
    part = f", part “{about['part']}”" if about["part"] else ""
    note = f"{len(photos)} of “{dataset_id}”{part}, split “{about['split']}”{licence}."
    if damaged:
        note += f" {damaged} damaged or unsuitable ones were left out."
    if len(photos) < count:
        note += " The Hub stopped answering." if taken.cause else " No more were to be had."
    return Loaded(tuple(photos), note)


def _failure(dataset_id: str, taken: _Taken, deadline: float) -> DemoError:
    """Why no picture came, as a DemoError."""
    other, listed = "Choose another dataset, or the bundled photos.", "Choose one of them."
    name, detail = f"“{dataset_id}”", taken.detail
    received, remedy = {
        "unknown": (f"{name}, which the Hub does not know", "Check the spelling: owner/name."),
        "gated": (f"{name}, which asks its visitors to sign in", other),
        "no pictures": (f"{name} with these columns: {detail}", other),
        "no such split": (f"{name} with these splits: {detail}", listed),
        "no such column": (f"{name} with these columns of pictures: {detail}", listed),
        "refused": (f"no usable answer from the Hub about {name}", "Try again in a minute."),
        "late": (f"no picture of {name} within {deadline:g} seconds", "Try again in a minute."),
        "unreadable": (f"{name}, which could not be read", other),
    }.get(taken.cause, (f"only damaged ones in {name}", other))  # fmt: skip
    return DemoError("a public dataset with pictures", received, remedy)
