"""Who waits for something that is lent to a few at a time, in the order in which they are served.

Gradio's queue tells no place. Here one is counted: of all who were announced and have not begun.
"""

import itertools
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SILENCE = 5.0  # seconds: nobody waits behind who was not heard of for so long
FORGET = 3600.0  # seconds
MOST_SERVED = 4096  # visitors of whom it is known when they were served
MOST_WAITING = 4096  # turns: who only says that a button was pressed never begins


def fairly(visitors: Sequence[Hashable], served: Mapping[Hashable, int]) -> list[int]:
    """The indices of who waits, in the order in which they are served: visitors take turns.

    visitors: whose each one is, in the order in which they came. served: when a visitor was last
    served, as an ascending number. Each visitor's first comes before anybody's second; among those
    who was served longest ago, or never, comes first, and then who came first.
    """
    own, keys = Counter(), []
    for place, visitor in enumerate(visitors):
        keys.append((own[visitor], served.get(visitor, 0), place))
        own[visitor] += 1
    return sorted(range(len(keys)), key=keys.__getitem__)


class Served(Mapping):
    """When a visitor was last served, as an ascending number; the latest MOST_SERVED of them."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._last: OrderedDict[Hashable, int] = OrderedDict()

    def note(self, visitor: Hashable) -> None:
        """A visitor is served now."""
        self._last[visitor] = next(self._numbers)
        self._last.move_to_end(visitor)
        if len(self._last) > MOST_SERVED:
            self._last.popitem(last=False)

    def __getitem__(self, visitor: Hashable) -> int:
        return self._last[visitor]

    def __iter__(self):
        return iter(self._last)

    def __len__(self) -> int:
        return len(self._last)


@dataclass(eq=False)
class _Turn:
    where: str  # the queue in which it waits
    visitor: Hashable  # whose it is
    event: int | None  # of gradio's: that which is to begin it
    handed: Any  # what it is to begin with
    heard: float  # when it was last heard of
    queued: bool = False  # whether that event is in gradio's queue
    begun: bool = False
    notes: dict = field(default_factory=dict)


class Line:
    """Turns, by their number; shared by all threads. 0 is the number of no turn."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._turns: dict[int, _Turn] = {}  # in ascending order
        self._served = Served()
        self._lock = threading.Lock()

    def join(
        self, where: str, handed: Any = None, visitor: Hashable = None, event: int | None = None
    ) -> int:
        """Stand in a queue; the number of the turn. handed: what `begin` gives back.

        Beyond MOST_WAITING who was not heard of for the longest time has left.
        """
        with self._lock:
            now = time.monotonic()
            waiting = {n: turn.heard for n, turn in self._turns.items() if not turn.begun}
            gone = [n for n, heard in waiting.items() if now - heard > FORGET]
            if not gone and len(waiting) >= MOST_WAITING:
                gone = [min(waiting, key=waiting.__getitem__)]
            for number in gone:
                del self._turns[number]
            number = next(self._numbers)
            self._turns[number] = _Turn(where, visitor, event, handed, now)
            return number

    def begin(self, number: int) -> tuple[bool, Any]:
        """Whether the turn is still to be taken, and what was handed over for it."""
        with self._lock:
            turn = self._turns.get(number)
            if turn is None:
                return False, None
            handed, turn.begun, turn.handed = turn.handed, True, None
            turn.heard = float("inf")  # it leaves when it ends
            self._served.note((turn.where, turn.visitor))
            return True, handed

    def leave(self, number: int) -> None:
        """The turn is over, or is not wanted any more."""
        with self._lock:
            self._turns.pop(number, None)

    def queued(self, visitor: Hashable, event: int | None) -> None:
        """That event of the visitor has come: its turn waits no longer for it, but for others."""
        with self._lock:
            for turn in self._turns.values():
                if (turn.visitor, turn.event) == (visitor, event):
                    turn.queued = True

    def lacks_event(self, number: int) -> bool:
        """Whether the turn waits for an event that has not come."""
        turn = self._turns.get(number)
        return turn is not None and not (turn.queued or turn.begun)

    def refuse(self, visitor: Hashable, event: int | None) -> None:
        """That event of the visitor cannot begin: its turn, where it waits for it, is over."""
        with self._lock:
            for number, turn in [*self._turns.items()]:
                if (turn.visitor, turn.event, turn.begun) == (visitor, event, False):
                    del self._turns[number]

    def holds(self, number: int) -> bool:
        """Whether the turn waits or has begun, and has not been given up."""
        return number in self._turns

    def waiting(self, number: int) -> tuple[int, Any] | None:
        """The place of who waits, 1: the next one, and what was handed over; None for others.

        To ask is a sign of life: who gives none for SILENCE seconds is not counted any more.
        """
        with self._lock:
            turn, now = self._turns.get(number), time.monotonic()
            if turn is None or turn.begun:
                return None
            turn.heard = now
            here = [
                other for other in self._turns.values()
                if other.where == turn.where and not other.begun and now - other.heard <= SILENCE
            ]  # fmt: skip
            order = fairly([(turn.where, other.visitor) for other in here], self._served)
            return 1 + [here[index] for index in order].index(turn), turn.handed

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
