"""Whether results were made from what the page is set to now.

A result is stale as soon as the settings or files that made it are not those of the page, and
current again when they are set back. Stale ones say so in words and in look (`data-stale="true"`),
and what could be taken from them is out of reach meanwhile.
"""

import itertools
from collections.abc import Callable, Sequence

import gradio as gr

from kernel_demo.ui.components import from_files
from kernel_demo.ui.jobs import UNQUEUED

_numbers = itertools.count(1)  # each word is another one: what came into the page since hears it


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

    def follow(self, inputs: Sequence, made: gr.State, stale: Callable[..., bool]) -> dict:
        """Compare at every change of the inputs; returns the event that compares, for `then`.

        inputs: all that decides the result. made: what the latest result was made from, and how it
        looks is the caller's. stale: of made and the inputs' values, whether they differ; where
        there is no result, they do not.
        """
        look = {
            "fn": lambda *values: told(stale(*values)),
            "inputs": [made, *inputs],
            "outputs": self.place,
            **UNQUEUED,
        }
        changes = [
            one.edit if isinstance(one, gr.HTML) else getattr(one, "change", None) for one in inputs
        ]
        gr.on([change for change in changes if change], trigger_mode="always_last", **look)
        return look


def told(stale: bool) -> dict:
    """The value that marks the results, or takes the mark away."""
    return {"stale": bool(stale), "number": next(_numbers)}
