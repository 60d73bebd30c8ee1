"""Whether results were made from what the page is set to now.

A result is stale as soon as the settings or files that made it are not those of the page, and
current again when they are set back. Stale ones say so in words and in look (`data-stale="true"`),
and what could be taken from them is out of reach meanwhile.
"""

import itertools
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import gradio as gr

from kernel_demo.ui.components import changes, from_files
from kernel_demo.ui.serving.jobs import UNQUEUED

_SERVER = secrets.token_hex(4)  # a page that stays open while the server starts anew hears of it
_numbers = itertools.count(1)  # of the words, in the order in which they were asked for


class Freshness:
    """One word on the results that one job makes; laid out where it is made."""

    def __init__(self, elem_id: str, results: Sequence[str], taken: Sequence[str], words: str):
        """results: ids of what is marked. taken: ids of what is also locked. words: one line."""
        self.place = from_files(
            "freshness",
            told(False),
            elem_id,
            words={"stale": words},
            results=[*results],
            taken=[*taken],
        )


@dataclass(frozen=True, eq=False)
class Made:
    """Results, and what they were made from."""

    fresh: Freshness
    made: Sequence[gr.State]  # what the latest ones were made from; how it looks is the caller's
    inputs: Sequence  # all that decides them
    # Of the values of made and of the inputs: whether they differ, or the ids of the results of
    # which that is true; where there is no result, they do not. An input that cannot be read at
    # all (a number out of bounds) makes all of the inputs' values None.
    stale: Callable
    # Of the same values: whether those that are stale are being made anew, which needs no words.
    pending: Callable = lambda *_: False


def follow(results: Sequence[Made], later: Sequence = ()) -> dict:
    """Compare at every change of the inputs; returns the event that compares, for `then`.

    One event for all results: a browser sends its events one after the other. later: inputs of
    which a change alters what others allow; `then` the caller has it compared.
    """
    inputs = list(dict.fromkeys(part for each in results for part in each.inputs))
    held = [state for each in results for state in each.made]

    def look(*values) -> dict[gr.HTML, dict]:
        number = asked()
        now = dict(zip([*held, *inputs], values, strict=True))
        asked_of = {each: [now[part] for part in (*each.made, *each.inputs)] for each in results}
        return {
            each.fresh.place: told(each.stale(*of), number, each.pending(*of))
            for each, of in asked_of.items()
        }

    places = [each.fresh.place for each in results]
    looks = {"fn": look, "inputs": [*held, *inputs], "outputs": places, **UNQUEUED}
    changed = changes(part for part in inputs if part not in later)
    looked = gr.on(changed, trigger_mode="always_last", **looks)
    unread = [None] * len(inputs)
    looked.failure(lambda *made: look(*made, *unread), held, places, **UNQUEUED)
    return looks


def asked() -> int:
    """The number of a word, taken before it is thought of: of two the one asked later counts."""
    return next(_numbers)


def told(stale: bool | Collection[str], number: int | None = None, pending: bool = False) -> dict:
    """The value that marks the results, all or those named, or takes the mark away.

    number: of `asked`. pending: without words, since they are being made anew.
    """
    return {
        "stale": [*stale] if isinstance(stale, Collection) else bool(stale),
        "pending": pending,
        "server": _SERVER,
        "number": number or asked(),
    }
