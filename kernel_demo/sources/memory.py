"""What was fetched or decoded lately: one choice means the same pictures wherever it is used."""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from math import inf
from threading import Lock, Timer
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

Answer = TypeVar("Answer")
BYTES_EACH = 4096  # of an answer without pictures


class Memory(Generic[Answer]):
    """Answers by key, the latest of them, at most `most` bytes; shared by all threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, tuple[float, int, Answer]] = OrderedDict()
        self._asked: WeakValueDictionary[Hashable, Lock] = WeakValueDictionary()
        self._lock = Lock()
        self._timer: Timer | None = None

    @contextmanager
    def asking(
        self, key: Hashable, patience: float = -1, refuse: Callable[[], Exception] = TimeoutError
    ) -> Iterator[None]:
        """Whoever asks the same meanwhile waits, and then finds the answer here.

        patience: seconds to wait, without end at -1. Raises `refuse()` for one who waited so long.
        """
        with self._lock:
            asked = self._asked.setdefault(key, Lock())
        if not asked.acquire(timeout=patience):
            raise refuse()
        try:
            yield
        finally:
            asked.release()

    def recall(self, key: Hashable) -> Answer | None:
        """The answer, or None."""
        with self._lock:
            until, _, answer = self._kept.get(key, (0.0, 0, None))
            if until <= time.monotonic():
                return None
            self._kept.move_to_end(key)
            return answer

    def remember(self, key: Hashable, answer: Answer, size: int, seconds: float) -> None:
        """Keep an answer of `size` bytes for so many seconds, unless later ones need its place.

        One that is larger than all the place there is would push out the others in vain: it is
        not kept.
        """
        size += BYTES_EACH
        with self._lock:
            self._kept.pop(key, None)
            if size > self._most:
                return
            self._kept[key] = time.monotonic() + seconds, size, answer
            held = sum(kept for _, kept, _ in self._kept.values())
            while held > self._most:
                held -= self._kept.popitem(last=False)[1][1]
            self._call_again()

    def _forget(self) -> None:
        """Drop what is too old: visitors are told that what they bring is deleted."""
        with self._lock:
            now = time.monotonic()
            for key in [key for key, (until, *_) in self._kept.items() if until <= now]:
                del self._kept[key]
            self._timer = None
            self._call_again()

    def _call_again(self) -> None:
        """See that _forget() runs when the next answer is too old; the lock is held."""
        until = min((until for until, *_ in self._kept.values()), default=inf)
        if self._timer is None and until < inf:
            self._timer = Timer(until - time.monotonic(), self._forget)
            self._timer.daemon = True
            self._timer.start()
