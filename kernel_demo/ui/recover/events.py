"""The tab "Recover" in motion."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import gradio as gr

from kernel_demo.errors import DemoError
from kernel_demo.numbers import duration
from kernel_demo.recovery import Recovery, recover_many
from kernel_demo.ui.api.recover import AT_ONCE, QUEUE
from kernel_demo.ui.components import take as take_card
from kernel_demo.ui.components.take import Taken
from kernel_demo.ui.html import alert, problem, quiet
from kernel_demo.ui.jobs import FAILED, PRIVATE, QUIET, Job, tell_failure
from kernel_demo.ui.recover import examples as recover_examples
from kernel_demo.ui.recover import finding as recover_view
from kernel_demo.ui.recover import pairs as recover_pairs
from kernel_demo.ui.recover import words as wording

# On a narrow page the verdict is below the fold: bring it into view when it is there.
SCROLL = """() => {
  const verdict = document.querySelector('#recover-verdict');
  if (innerWidth <= 900) verdict?.scrollIntoView({ behavior: 'smooth', block: 'start' });
}"""


@dataclass(frozen=True, eq=False)
class Found:
    """What one visitor's recovery leaves behind: small, and none of the pictures."""

    paths: tuple[str, str]  # before and after of the first pair, in the page's temporary folder
    shift: tuple[int, int]
    kernels: tuple[tuple[str, Taken], ...]  # (label, what can be taken)


def connect(card, cards) -> None:
    """Connect the events; card and cards: PairCard and FindingCards of recover_tab."""

    def finding(*values):
        for update in find(*values):
            yield {
                getattr(cards, name, None) or getattr(card, name): u for name, u in update.items()
            }

    inputs = [card.before, card.after, card.max_size]
    shown = [
        card.recover, card.progress, cards.state, cards.verdict, cards.kernel_card, cards.kernel,
        cards.picture_card, cards.views, cards.reproduced, cards.pair, cards.lost, cards.which,
        cards.take, card.chosen,
    ]  # fmt: skip
    queue = {"concurrency_id": QUEUE, "concurrency_limit": AT_ONCE}
    runs = Job([card.recover, card.progress], failed)

    def begin(trigger) -> None:
        found = runs.begin(trigger, lambda *_: hear(), finding, inputs, shown, **queue)
        found.then(fn=None, js=SCROLL, **PRIVATE)

    begin(card.recover.click)
    for button, example in zip(cards.examples, recover_examples.examples(), strict=True):
        laid = button.click(example.files, None, [card.before, card.after], **QUIET)
        tell_failure(laid, card.progress)
        begin(laid.then)
    thumbnails = gr.on(
        [card.before.change, card.after.change], chosen, [card.before, card.after], card.chosen,
        trigger_mode="always_last", concurrency_limit=2, **QUIET,
    )  # fmt: skip
    tell_failure(thumbnails, card.chosen)
    viewed = cards.views.input(
        view, [cards.views, cards.state], [cards.reproduced, cards.pair, cards.lost],
        trigger_mode="always_last", concurrency_limit=2, **QUIET,
    )  # fmt: skip
    tell_failure(viewed, cards.lost)
    cards.which.input(which, [cards.which, cards.state], cards.take, **QUIET)


def chosen(befores, afters) -> str:
    """The pairs as thumbnails, or what is wrong with a file."""
    try:
        sides = (recover_pairs.open_side(paths) for paths in (befores, afters))
        return recover_pairs.thumbnails(*sides)
    except DemoError as error:
        return problem(error)


def hear() -> tuple:
    """The press was heard; what is done is told when it is its turn."""
    return gr.update(interactive=False), _working(wording.HEARD)


def failed() -> tuple:
    """The recovery could not be done, or not to its end; what was found before stays."""
    return gr.update(interactive=True), alert(FAILED)


def find(befores, afters, max_size: int) -> Iterator[dict]:
    """Recover the filter, saying meanwhile what is being done; by the names of the components."""
    began = time.monotonic()
    try:
        pairs = recover_pairs.open_pairs(befores, afters)
        pixels = sum(before.pixels for before, _ in pairs)
        told = wording.working(len(pairs), pixels, int(max_size))
        yield {"progress": _working(told)}
        found = recover_many([(b.samples, a.samples) for b, a in pairs], int(max_size))
    except DemoError as error:
        told = problem(error)
        said = (
            {"chosen": ""} if chosen(befores, afters) == told else {}
        )  # there, too: once is enough
        yield {"recover": gr.update(interactive=True), "progress": told, **said}
        return
    notes = tuple(dict.fromkeys(note for pair in pairs for side in pair for note in side.notes))
    state = _state(found, befores, afters)
    told = f"{wording.pair_count(len(pairs), pixels)} · {duration(time.monotonic() - began)}"
    yield {
        "recover": gr.update(interactive=True),
        "progress": quiet(told),
        **_shown(found, notes, state),
    }
    if state.kernels:
        # After the rest: the libraries that write the files take half a second to load.
        yield {"take": take_card.value(state.kernels[0][1])}


def _working(told: str) -> str:
    return (
        f'<div class="kd-working" role="status"><i aria-hidden="true"></i>'
        f'<p class="kd-note">{escape(told)}<span class="kd-seconds" aria-hidden="true"></span></p>'
        "</div>"
    )


def _state(found: Recovery, befores, afters) -> Found:
    paths = tuple(side if isinstance(side, str) else side[0] for side in (befores, afters))
    return Found(paths[::-1] if found.swapped else paths, found.shift, recover_view.taken(found))


def _shown(found: Recovery, notes: tuple[str, ...], state: Found) -> dict:
    reproduced = recover_view.reproduced(found)
    labels = [(label, number) for number, (label, _) in enumerate(state.kernels)]
    return {
        "state": state,
        "verdict": recover_view.verdict(found, notes),
        "kernel_card": gr.update(visible=found.kernel is not None),
        "kernel": recover_view.kernel(found),
        "picture_card": gr.update(visible=reproduced is not None),
        "views": "reproduced",
        "reproduced": gr.update(value=reproduced, visible=True),
        "pair": gr.update(value=None, visible=False),
        "lost": "",
        "which": gr.update(choices=labels, value=0 if labels else None, visible=len(labels) > 1),
        "take": None,
    }


def view(name: str, state: Found | None):
    """The two pictures under the divider and, where they are forgotten, a line instead of them.

    Before and after are drawn when they are asked for.
    """
    if state is None:
        return gr.skip(), gr.skip(), gr.skip()
    hidden = gr.update(visible=False)
    if name == "reproduced":
        return gr.update(visible=True), hidden, ""
    try:
        before, after = (recover_pairs.open_side(path)[0].samples for path in state.paths)
    except DemoError:  # the files of a visitor who stayed away for long
        return hidden, hidden, quiet(wording.FORGOTTEN)
    value = recover_view.pair(before, after, state.shift)
    return hidden, gr.update(value=value, visible=True), ""


def which(number: int | None, state: Found | None):
    """The card for another of several kernels."""
    if state is None or not 0 <= int(number or 0) < len(state.kernels):
        return gr.skip()
    return take_card.value(state.kernels[int(number or 0)][1])
