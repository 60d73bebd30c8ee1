"""What the Hub answered lately, so that one choice means the same pictures wherever it is used."""

import threading
import time
from collections import OrderedDict
from contextlib import contextmanager
from weakref import WeakValueDictionary

from kernel_demo.errors import DemoError

BYTES_EACH = 4096  # of an answer without pictures


class Memory:
    """Answers by key, the latest of them, at most `most` bytes; shared by all threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[tuple, tuple[float, int, object]] = OrderedDict()
        self._asked: WeakValueDictionary[tuple, threading.Lock] = WeakValueDictionary()
        self._lock = threading.Lock()

    @contextmanager
    def asking(self, key: tuple, patience: float):
        """Whoever asks the same meanwhile waits, and then finds the answer here.

        Raises DemoError for one who waited `patience` seconds.
        """
        with self._lock:
            asked = self._asked.setdefault(key, threading.Lock())
        if not asked.acquire(timeout=patience):
            raise busy()
        try:
            yield
        finally:
            asked.release()

    def recall(self, key: tuple):
        """The answer, or None."""
        with self._lock:
            until, _, answer = self._kept.get(key, (0.0, 0, None))
            if until <= time.monotonic():
                return None
            self._kept.move_to_end(key)
            return answer

    def remember(self, key: tuple, answer, size: int, seconds: float) -> None:
        """Keep an answer of `size` bytes for so many seconds, unless later ones need its place."""
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = time.monotonic() + seconds, BYTES_EACH + size, answer
            while sum(size for _, size, _ in self._kept.values()) > self._most:
                self._kept.popitem(last=False)


def busy() -> DemoError:
    """Too many visitors at once."""
    return DemoError(
        "a free connection to the Hub",
        "too many visitors loading at once",
        "Try again in a few seconds.",
    )
