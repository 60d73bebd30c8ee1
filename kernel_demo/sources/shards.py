"""What a dataset is split into: shards, each read by one worker from beginning to end.

A shard is a tar (webdataset, as img2dataset writes it), a Parquet file, or a slice of a folder's
sorted list. Which there are depends on the dataset alone, never on how many workers there are.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernel_demo.errors import DemoError
from kernel_demo.sources import hub_shards

SLICE = 256  # pictures of a folder in one shard: some seconds of work
HUB = "hub:"
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif")
KINDS = {".tar": "tar", ".tgz": "tar", ".tar.gz": "tar", ".parquet": "parquet"}
MOST = 1_000_000  # of what braces stand for: a mistyped range is no dataset

_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


@dataclass(frozen=True)
class Fault:
    """A picture, or a whole file, that was left out."""

    name: str
    reason: str  # "is empty", to be read behind the name


@dataclass(frozen=True)
class Shard:
    """A part of a dataset. Equal identities are equal contents, as far as can be told unread."""

    kind: str  # files, tar or parquet
    name: str  # what to call it in a report
    # Of a tar or a Parquet file its one path; of files (name, path) or (name, before, after) each.
    parts: tuple[tuple[str, ...], ...]
    identity: str  # of its paths, sizes and times

    @property
    def pictures(self) -> int | None:
        """How many there are; None: only reading tells."""
        return len(self.parts) if self.kind == "files" else None


@dataclass(frozen=True)
class Plan:
    """What is to be read, in the order in which it is counted."""

    shards: tuple[Shard, ...]
    faults: tuple[Fault, ...] = ()  # found without reading: no partner, not there
    missing: tuple[Fault, ...] = ()  # whole shards that are not there
    repeated: int = 0  # shards that were named more than once, and are read once


def plan(sources: Sequence[str], pairs: bool, split: str = "train") -> Plan:
    """The shards of folders, tars, Parquet files, patterns of them, and `hub:owner/name`.

    sources: as a user names them; {00000..00099} stands for a hundred names, * and ? for any. Two
    folders are pairs, matched by name, where pairs are wanted. split: of a dataset of the Hub.
    DemoError: nothing there, or folders of single pictures where pairs are wanted.
    """
    if pairs and len(sources) == 2 and all(os.path.isdir(source) for source in sources):
        return _pairs(*map(Path, sources))
    shards: list[Shard] = []
    missing: list[Fault] = []
    for source in sources:
        for path in _named(source, split):
            found = list(_of_path(path, pairs))
            shards += found
            if not found:
                missing.append(Fault(path, "is not there"))
    unique = {shard.identity: shard for shard in shards}
    ordered = sorted(unique.values(), key=lambda shard: shard.name)
    if not ordered:
        raise _nothing(sources)
    return Plan(tuple(ordered), (), tuple(missing), len(shards) - len(ordered))


def _nothing(sources: Sequence[str]) -> DemoError:
    named = ", ".join(f"“{source}”" for source in sources)[:200]
    return DemoError(
        "a folder of pictures, tars or Parquet files, or hub:owner/name",
        f"none in {named}",
        "Check the names.",
    )


def _named(source: str, split: str) -> Iterator[str]:
    """The paths that a user's words stand for."""
    if source.startswith(HUB):
        yield from hub_shards.files(source.removeprefix(HUB), split)
        return
    for path in expand(source):
        if "://" not in path and any(sign in path for sign in "*?[") and not os.path.exists(path):
            yield from sorted(glob.glob(path, recursive=True))
        else:
            yield path


def expand(text: str) -> list[str]:
    """What braces stand for, as in a shell: {000..099} with its zeros, {a,b}.

    >>> expand("{08..10}.tar")
    ['08.tar', '09.tar', '10.tar']
    """
    found = _BRACES.search(text)
    if not found:
        return [text]
    inside = _RANGE.fullmatch(found[1])
    if inside:
        first, last = int(inside[1]), int(inside[2])
        if last - first >= MOST:
            raise DemoError(f"at most {MOST:,} names", f"“{text}”", "Name fewer.")
        width = len(inside[1]) if inside[1].startswith("0") else 0
        inner = [f"{number:0{width}d}" for number in range(first, last + 1)]
    else:
        inner = found[1].split(",")
    rests = expand(text[found.end() :])
    return [f"{text[: found.start()]}{each}{rest}" for each in inner for rest in rests]


def kind_of(path: str) -> str:
    """tar, parquet, files (a picture), or "" for anything else."""
    lower = path.lower()
    for ending, kind in KINDS.items():
        if lower.endswith(ending):
            return kind
    return "files" if lower.endswith(PICTURES) else ""


def _of_path(path: str, pairs: bool) -> Iterator[Shard]:
    if os.path.isdir(path):
        names = _walk(Path(path))
        root = Path(path)
    else:
        root, names = None, [path]
    pictures = []
    for name in names:
        full = str(root / name) if root else name
        kind = kind_of(name)
        if kind == "files":
            pictures.append((name if root else os.path.basename(name), full))
        elif kind:
            known = _known(full)
            if known is not None:
                yield Shard(kind, _short(full), ((full,),), _identity([(full, *known)]))
    if pictures and pairs:
        raise DemoError(
            "pairs of pictures: two folders, or tars or Parquet files with before and after",
            f"single pictures in “{path}”",
            "Name the folder of the pictures after as well, or a --filter.",
        )
    yield from _slices(_short(path) if root else "", pictures)


def _slices(folder: str, pictures: Sequence[tuple[str, ...]]) -> Iterator[Shard]:
    for start in range(0, len(pictures), SLICE):
        parts = tuple(pictures[start : start + SLICE])
        known = [(path, _known(path)) for _, *paths in parts for path in paths]
        if all(stat is None for _, stat in known):
            continue
        name = f"{folder}[{start:08d}:{start + len(parts):08d}]" if folder else parts[0][0]
        yield Shard("files", name, parts, _identity(known))


def _walk(folder: Path) -> list[str]:
    """All files below a folder by their relative path, sorted: the same list on every machine.

    Hidden ones are the system's, such as ._photo.jpg beside photo.jpg.
    """
    return sorted(
        (Path(where) / name).relative_to(folder).as_posix()
        for where, _, names in os.walk(folder)
        for name in names
        if not name.startswith(".")
    )


def _pairs(before: Path, after: Path) -> Plan:
    """Two folders, matched by the relative path without its ending."""
    faults: list[Fault] = []
    sides: list[dict[str, str]] = []
    for folder in (before, after):
        side: dict[str, str] = {}
        for name in _walk(folder):
            if kind_of(name) != "files":
                continue
            stem = name[: name.rindex(".")]
            if stem in side:
                other = side[stem]
                faults.append(Fault(f"{folder.name}/{name}", f"has the name of “{other}”"))
            else:
                side[stem] = name
        sides.append(side)
    first, second = sides
    for folder, own in ((before, first), (after, second)):
        alone = [stem for stem in own if stem not in first or stem not in second]
        faults += [Fault(f"{folder.name}/{own[stem]}", "has no partner") for stem in alone]
    both = sorted(first.keys() & second.keys())
    if not both:
        raise DemoError(
            f"pictures of the same names in “{before.name}” and “{after.name}”",
            "none",
            "Name each picture after as the one before; the endings may differ.",
        )
    parts = [(stem, str(before / first[stem]), str(after / second[stem])) for stem in both]
    shards = _slices(f"{_short(str(before))}+{_short(str(after))}", parts)
    return Plan(tuple(shards), tuple(faults))


def absolute(path: str) -> str:
    """A path from the root of its file system; an address as it is."""
    return path if "://" in path else os.path.abspath(path)


def _short(path: str) -> str:
    """The last two names of a path: enough to tell shards apart in a report."""
    return "/".join(path.rstrip("/").split("/")[-2:])


def _known(path: str) -> tuple[Any, ...] | None:
    """Size and time (or tag) of a file; None if it is not there."""
    if "://" not in path:
        try:
            stat = os.stat(path)
        except OSError:
            return None
        return (stat.st_size, stat.st_mtime_ns)
    if hub_shards.is_pinned(path):
        return ()  # its address names the commit
    import fsspec

    try:
        system, inner = fsspec.core.url_to_fs(path)
        info = system.info(inner)
    except FileNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001 - fsspec raises what its stores raise
        reason = str(error)[:100] or type(error).__name__
        raise DemoError("files that can be reached", f"“{path}”: {reason}", "Check it.") from None
    tags = ("ETag", "etag", "mtime", "LastModified", "last_modified", "updated")
    return (info.get("size"), *(str(info[tag]) for tag in tags if tag in info))


def _identity(known: Iterable[tuple[Any, ...]]) -> str:
    told = json.dumps([[absolute(path), *rest] for path, *rest in known])
    return hashlib.sha256(told.encode()).hexdigest()
