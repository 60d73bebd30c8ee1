"""Where sums and reports are kept: a folder here, or anywhere that fsspec reaches."""

from __future__ import annotations

import os
import posixpath
import secrets
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kernel_demo.errors import DemoError


@dataclass(frozen=True)
class Store:
    """A folder of small files, each of which is there whole or not at all."""

    url: str  # a path, or s3://..., gs://..., hf://... as fsspec reads it

    @classmethod
    def at(cls, url: str) -> Store:
        """The folder, made if need be. DemoError where that cannot be."""
        store = cls(url if "://" in url else os.path.abspath(url))
        try:
            store._system.makedirs(store._root, exist_ok=True)
        except (
            OSError,
            ImportError,
            ValueError,
        ) as error:  # no such protocol, or no package for it
            reason = getattr(error, "strerror", None) or str(error)[:100] or "an error"
            remedy = "Choose another place."
            raise DemoError("a folder to write to", f"“{url}”: {reason}", remedy) from None
        return store

    def inside(self, name: str) -> Store:
        """A folder in this one."""
        return Store.at(f"{self.url.rstrip('/')}/{name}")

    @cached_property
    def _place(self) -> tuple[Any, str]:
        import fsspec

        return fsspec.core.url_to_fs(self.url)

    @property
    def _system(self) -> Any:
        return self._place[0]

    @property
    def _root(self) -> str:
        return self._place[1]

    def __getstate__(self) -> dict[str, str]:
        return {"url": self.url}  # a worker opens it anew

    def names(self) -> frozenset[str]:
        """Of all files that are there."""
        self._system.invalidate_cache()
        found = self._system.ls(self._root, detail=False)
        return frozenset(posixpath.basename(str(path).replace("\\", "/")) for path in found)

    def __contains__(self, name: str) -> bool:
        return bool(self._system.exists(f"{self._root}/{name}"))

    def read(self, name: str) -> bytes:
        """OSError where it is not there."""
        content: bytes = self._system.cat_file(f"{self._root}/{name}")
        return content

    def remove(self, name: str) -> None:
        """Take a file away."""
        self._system.rm_file(f"{self._root}/{name}")

    def write(self, name: str, content: bytes) -> None:
        """Atomic: under another name first, then moved. OSError, and nothing left, if not."""
        part = f"{self._root}/.{name}.{secrets.token_hex(8)}.part"
        try:
            self._system.pipe_file(part, content)
            self._system.mv(part, f"{self._root}/{name}")
        except BaseException:
            with suppress(Exception):
                self._system.rm_file(part)
            raise
