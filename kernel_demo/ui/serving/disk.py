"""How much of the disk visitors may take: who is beyond it is told, and the oldest files go first.

Counted is what lies in gradio's folder: uploads, and the files that were made. A file is in use
while an event that waits or runs names it, and for some time after the last one that did; gradio
itself deletes what is an hour old.
"""

import os
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from kernel_demo.errors import DemoError
from kernel_demo.ui.serving.bounds import MB, Bounds

IN_USE = 600.0  # seconds after its last use in which an upload stays
MADE_IN_USE = 120.0  # and a file that was made, which a browser fetches at once
BLOCK = 4096  # bytes that a file takes at least
WAIT = (
    f"Wait until the files of before are forgotten, {IN_USE / 60:g} minutes after their last use."
)


@dataclass(frozen=True)
class _File:
    path: str
    size: int  # bytes
    touched: float  # when it was made, moved or used last


class Disk:
    """What lies in the folder; shared by all threads."""

    def __init__(
        self,
        folder: str | Path,
        bounds: Bounds,
        named: Callable[[], Collection[str]] = tuple,
        lasting: Callable[[], Collection[str]] = tuple,
    ) -> None:
        """named: the files that waiting and running events name. lasting: what is never deleted."""
        self.folder, self._bounds = Path(folder).resolve(), bounds
        self._named, self._lasting = named, lasting
        self._owners: dict[str, str] = {}  # uploads, and who brought them
        self._coming: dict[object, tuple[str, int]] = {}  # uploads under way: whose, and bytes
        self._lock = threading.RLock()
        self.full = False  # as of the last sweep

    @contextmanager
    def receiving(self, visitor: str, size: int) -> Iterator[None]:
        """Make room for an upload of `size` bytes, and keep it while the block runs.

        Raises DemoError where there is none: the visitor has too much, or all is in use.
        """
        upload = object()
        with self._lock:
            self._admit(visitor, size)
            self._coming[upload] = visitor, size
        try:
            yield
        finally:
            with self._lock:
                del self._coming[upload]
                if not self._coming:
                    self._remove_strays()

    def arrived(self, visitor: str, paths: Iterable[str]) -> None:
        """These uploads are a visitor's."""
        with self._lock:
            self._owners.update((path, visitor) for path in paths)

    def touch(self, paths: Iterable[str]) -> None:
        """These files are used now; what is none of ours is left alone."""
        for path in paths:
            with suppress(OSError, ValueError):  # it is gone; or no path
                if Path(path).resolve().is_relative_to(self.folder):
                    os.utime(path)

    def sweep(self) -> None:
        """Delete the oldest of what is not in use, until all is within the bound."""
        with self._lock:
            over = sum(file.size for file in self._files()) - self._bounds.disk
            self.full = over > 0 and self._free(self._files(), over) < over

    def _admit(self, visitor: str, size: int) -> None:
        files, most = self._files(), self._bounds.visitor
        own = [file for file in files if self._owners.get(file.path) == visitor]
        coming = sum(each for who, each in self._coming.values() if who == visitor)
        if size > most:
            received, remedy = f"{size / MB:.1f} MB at once", "Upload fewer, or smaller ones."
            raise DemoError(_share(most), received, remedy)
        over = sum(file.size for file in own) + coming + size - most
        if over > 0 and self._free(own, over) < over:
            raise DemoError(_share(most), "more than that in all", WAIT)
        files, coming = self._files(), sum(each for _, each in self._coming.values())
        over = max(
            sum(file.size for file in files) + coming + size - self._bounds.disk,
            coming + size - shutil.disk_usage(self.folder).free,
        )
        if over > 0 and self._free(files, over) < over:
            raise NO_ROOM

    def _free(self, files: Iterable[_File], wanted: int) -> int:
        """Delete files, the oldest first and none in use; the bytes that are free for it."""
        freed, now = 0, time.time()
        used = {*self._named(), *self._lasting()}
        for file in sorted(files, key=lambda each: each.touched):
            if freed >= wanted:
                break
            while_used = IN_USE if file.path in self._owners else MADE_IN_USE
            if file.path in used or now - file.touched <= while_used:
                continue
            with suppress(OSError):
                os.remove(file.path)
                freed += file.size
                os.rmdir(os.path.dirname(file.path))  # an OSError where others lie there
        return freed

    def _files(self) -> list[_File]:
        found = []
        for folder, _, names in os.walk(self.folder):
            for path in (os.path.join(folder, name) for name in names):
                with suppress(OSError):  # deleted meanwhile
                    told = os.lstat(path)
                    found.append(_File(path, max(BLOCK, told.st_size), told.st_ctime))
        there = {file.path for file in found}
        self._owners = {path: who for path, who in self._owners.items() if path in there}
        return found

    def _remove_strays(self) -> None:
        """Gradio leaves behind what came of an upload that was broken off, beside its folders."""
        with suppress(OSError):
            for entry in os.scandir(self.folder):
                if entry.name.startswith("tmp") and entry.is_file(follow_symlinks=False):
                    os.remove(entry.path)


NO_ROOM = DemoError(
    "room on the server's disk",
    "a disk that is full",
    "Wait a few minutes: the oldest files are deleted.",
)


def _share(most: int) -> str:
    return f"at most {most / MB:g} MB of files from one visitor"
