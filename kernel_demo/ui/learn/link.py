"""An experiment as the query of the page's address, and back: the same link, the same kernel.

Keys are short, values that the page has at first paint are left out. What a link says is looked at
key by key: what cannot be used is left as it was and named, never obeyed.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from kernel_demo.errors import DemoError
from kernel_demo.imaging.catalogue import CATALOGUE
from kernel_demo.imaging.filtering import BORDERS, CHANNELS
from kernel_demo.imaging.kernels import MAX_SEED, check
from kernel_demo.learning import training
from kernel_demo.learning.model import INITS
from kernel_demo.sources import bundled
from kernel_demo.ui.learn import settings as learn_controls
from kernel_demo.ui.learn import words as wording
from kernel_demo.ui.learn.settings import FREE_SIZES
from kernel_demo.ui.pictures import MAX_PICTURES

CHALLENGE = "challenge"  # the key of `question_challenge`, which reads it itself
MAX_TEXT = 200  # characters of a dataset id, a split or a column
MAX_MATRIX = 12_000  # characters of a kernel made by hand: 31 x 31 weights of twelve


@dataclass(frozen=True)
class Key:
    """One setting in a link."""

    name: str  # in the query
    default: Any  # the value at first paint
    read: Callable[[str], Any]  # raises ValueError for what cannot be used
    write: Callable[[Any], str] = str


def _one_of(*choices: Any) -> Callable[[str], Any]:
    by_text = {str(choice): choice for choice in choices}

    def read(text: str) -> Any:
        if text not in by_text:
            raise ValueError(text)
        return by_text[text]

    return read


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError(text)
        return number

    return read


def _real(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        number = float(text)
        if not (math.isfinite(number) and low <= number <= high):
            raise ValueError(text)
        return number

    return read


def _text(text: str) -> str:
    if len(text) > MAX_TEXT or not text.isprintable():
        raise ValueError(text[:20])
    return text


def _matrix(text: str) -> dict:
    """The value of the kernel editor from rows such as 1,0,-1;2,0,-2;1,0,-1."""
    if len(text) > MAX_MATRIX:
        raise ValueError("too long")
    rows = [row.split(",") for row in text.split(";")]
    try:
        check([[float(cell) for cell in row] for row in rows])
    except DemoError as error:
        raise ValueError(str(error)) from None
    return {"rows": rows}


def _write_matrix(editor: Mapping) -> str:
    return ";".join(",".join(map(str, row)) for row in editor["rows"])


def _write_number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(value)  # with every digit


def _write_flag(value: Any) -> str:
    return "1" if value else "0"


def _flag(text: str) -> bool:
    return bool(_whole(0, 1)(text))


# All settings in the order of `experiment_form.inputs` (without the uploads), then the edges:
# name in the query, reader, writer. What also hangs on another setting is in `allowed`.
TABLE = (
    ("source", _one_of("bundled", "hub"), str),
    ("n", _whole(1, MAX_PICTURES), _write_number),
    ("data", _text, str),
    ("split", _text, str),
    ("column", _text, str),
    ("grey", _one_of(*CHANNELS), str),
    ("kernel", _one_of(*CATALOGUE, "random", "own"), str),
    ("size", _one_of(*FREE_SIZES), str),
    ("angle", _real(0, learn_controls.MAX_ANGLE), _write_number),
    ("seed", _whole(0, MAX_SEED), _write_number),
    ("own", _matrix, _write_matrix),
    ("noise", _real(0, learn_controls.MAX_NOISE), _write_number),
    ("bits", _flag, _write_flag),
    ("method", _one_of(*(name for _, name in wording.METHODS)), str),
    ("by", _one_of(*(name for _, name in wording.OPTIMIZERS)), str),
    ("rate", _real(0, training.MAX_RATE), _write_number),
    ("batch", _whole(1, learn_controls.MAX_BATCH), _write_number),
    ("tile", _one_of(*learn_controls.TILES), str),
    ("sum", _whole(1, learn_controls.MAX_ACCUMULATION), _write_number),
    ("steps", _whole(1, learn_controls.MAX_EXACT_STEPS), _write_number),
    ("start", _one_of(*INITS), str),
    ("order", _whole(0, training.MAX_SEED), _write_number),
    ("wait", _whole(1, training.MAX_STEPS), _write_number),
    ("half", _flag, _write_flag),
    ("edges", _one_of(*BORDERS), str),
)
NAMES = tuple(name for name, _, _ in TABLE)


def keys(start: Sequence[Any]) -> tuple[Key, ...]:
    """The keys of a page with these values at first paint, in the order of NAMES."""
    return tuple(
        Key(name, default, read, write)
        for (name, read, write), default in zip(TABLE, start, strict=True)
    )


def query(table: tuple[Key, ...], values: Mapping[str, Any]) -> str:
    """The query, "?kernel=random&seed=7", or an empty one; what equals the default is left out."""
    said = {}
    unsaid = "size" if values["kernel"] == "own" else "own"  # the rows of one's own say its size
    for key in table:
        value = values[key.name]
        counts = key.name == "own" or value != key.default
        if counts and key.name != unsaid and value is not None:
            said[key.name] = key.write(value)
    if said.get("source") == "mine":  # a visitor's own pictures stay with the visitor
        said = {name: text for name, text in said.items() if name not in ("source", "n")}
    return "?" + urlencode(said, safe=",;/") if said else ""


def settings(
    table: tuple[Key, ...], asked: Mapping[str, str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The values that a link asks for, by key, and the keys that had to be ignored."""
    by_name = {key.name: key for key in table}
    # What begins with __ is gradio's own, such as __theme.
    ours = [name for name in asked if name != CHALLENGE and not name.startswith("__")]
    values = {}
    for name in ours:
        with suppress(KeyError, ValueError, OverflowError):
            values[name] = by_name[name].read(asked[name])
    for name, choices in allowed(table, values).items():
        if name in values and values[name] not in choices:
            del values[name]
    return values, tuple(name[:20] for name in ours if name not in values)


def allowed(table: tuple[Key, ...], values: Mapping[str, Any]) -> dict[str, Sequence[int]]:
    """What the controls allow that hang on another setting, of a link or of the first paint."""
    decided = {key.name: key.default for key in table} | dict(values)
    named = CATALOGUE.get(decided["kernel"])
    exact = decided["method"] == "exact"
    pictures = bundled.COUNT if decided["source"] == "bundled" else MAX_PICTURES
    steps = learn_controls.MAX_EXACT_STEPS if exact else learn_controls.MAX_STEPS
    return {
        "n": range(1, pictures + 1),
        "size": named.sizes if named else FREE_SIZES,
        "steps": range(1, steps + 1),
    }
