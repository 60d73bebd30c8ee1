"""The one error that a user can put right, and the four ways to check input."""

import math
from collections.abc import Iterable
from numbers import Real
from typing import TypeGuard, TypeVar

Choice = TypeVar("Choice")
SHOWN = 60  # characters of what came: it may be anything


class DemoError(Exception):
    """Bad input, told in one clear sentence.

    expected: what the program can work with ("an odd size from 3 to 31").
    received: what came ("size 4").
    remedy: what to do ("Choose 3 or 5."), a whole sentence.
    """

    def __init__(self, expected: str, received: str, remedy: str) -> None:
        super().__init__(f"Expected {expected}; got {received}. {remedy}")
        self.expected = expected
        self.received = received
        self.remedy = remedy

    def __reduce__(self) -> tuple[type["DemoError"], tuple[str, str, str]]:
        # Exceptions pickle by their args: ours has one, but three fields. ZeroGPU pickles errors.
        return type(self), (self.expected, self.received, self.remedy)


def one_of(what: str, value: Choice, choices: Iterable[Choice]) -> Choice:
    """The value, if it is one of the choices; else DemoError. what: "a border mode"."""
    choices = tuple(choices)
    if value not in choices:
        names = ", ".join(map(str, choices))
        raise DemoError(f"{what}, one of {names}", repr(value)[:SHOWN], "Choose one of these.")
    return value


def whole(what: str, value: object, low: int, high: int) -> int:
    """The value as an int in low..high; else DemoError. 32.0 is one too, as JSON clients send it.

    what: "steps".
    """
    if not _is_number(value) or value != value // 1 or not low <= value <= high:
        expected = f"{what} as a whole number from {low} to {high}"
        raise DemoError(expected, repr(value)[:SHOWN], "Choose a number in that range.")
    return int(value)


def odd(what: str, value: object, low: int, high: int) -> int:
    """The value as an odd int in low..high; else DemoError. what: "size"."""
    if not _is_number(value) or value % 2 != 1 or not low <= value <= high:
        expected = f"an odd {what} from {low} to {high}"
        raise DemoError(expected, repr(value)[:SHOWN], f"Choose {low} or {high}, or one between.")
    return int(value)


def finite(what: str, value: object, low: float, high: float) -> float:
    """The value as a float in low..high; else DemoError. what: "noise in grey levels"."""
    if not _is_number(value) or not low <= value <= high:
        expected = f"{what} as a number from {low:g} to {high:g}"
        raise DemoError(expected, repr(value)[:SHOWN], "Choose a number in that range.")
    return float(value)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
