"""Who waits for something that is lent to a few at a time, in the order in which they asked.

Gradio's queue tells no place. Here one is counted: of all who were announced and have not begun.
"""

import itertools
import threading
import time
from dataclasses import dataclass, field
from typing import Any

SILENCE = 5.0  # seconds: nobody waits behind who was not heard of for so long
FORGET = 3600.0  # seconds


@dataclass
class _Turn:
    where: str  # the queue in which it waits
    handed: Any  # what it is to begin with
    heard: float  # when it was last heard of
    begun: bool = False
    notes: dict = field(default_factory=dict)


class Line:
    """Turns, by their number; shared by all threads. 0 is the number of no turn."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._turns: dict[int, _Turn] = {}  # in ascending order
        self._lock = threading.Lock()

    def join(self, where: str, handed: Any = None) -> int:
        """Stand at the end of a queue; the number of the turn. handed: what `begin` gives back."""
        with self._lock:
            now = time.monotonic()
            for number in [n for n, turn in self._turns.items() if now - turn.heard > FORGET]:
                del self._turns[number]
            number = next(self._numbers)
            self._turns[number] = _Turn(where, handed, now)
            return number

    def begin(self, number: int) -> tuple[bool, Any]:
        """Whether the turn is still to be taken, and what was handed over for it."""
        with self._lock:
            turn = self._turns.get(number)
            if turn is None:
                return False, None
            handed, turn.begun, turn.handed = turn.handed, True, None
            turn.heard = float("inf")  # it leaves when it ends
            return True, handed

    def leave(self, number: int) -> None:
        """The turn is over, or is not wanted any more."""
        with self._lock:
            self._turns.pop(number, None)

    def holds(self, number: int) -> bool:
        """Whether the turn waits or has begun, and has not been given up."""
        return number in self._turns

    def works(self, number: int | None) -> bool:
        """Whether the turn has begun, and has not been given up."""
        with self._lock:
            return number in self._turns and self._turns[number].begun

    def waiting(self, number: int) -> tuple[int, Any] | None:
        """The place of who waits, 1: the next one, and what was handed over; None for others.

        To ask is a sign of life: who gives none for SILENCE seconds is not counted any more.
        """
        with self._lock:
            turn, now = self._turns.get(number), time.monotonic()
            if turn is None or turn.begun:
                return None
            turn.heard = now
            before = [
                other for n, other in self._turns.items()
                if n < number and other.where == turn.where and not other.begun
                and now - other.heard <= SILENCE
            ]  # fmt: skip
            return 1 + len(before), turn.handed

    def note(self, number: int, **notes: Any) -> None:
        """Tell whoever works at a turn what has changed meanwhile."""
        with self._lock:
            if number in self._turns:
                self._turns[number].notes.update(notes)

    def notes(self, number: int) -> dict:
        """What was told since the turn was announced."""
        with self._lock:
            turn = self._turns.get(number)
            return dict(turn.notes) if turn else {}
