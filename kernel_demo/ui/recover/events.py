"""The tab "Recover" in motion."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import gradio as gr

from kernel_demo.errors import DemoError
from kernel_demo.numbers import duration
from kernel_demo.recovery import Recovery, recover_many
from kernel_demo.ui.components import take
from kernel_demo.ui.components.freshness import Made, follow
from kernel_demo.ui.components.take import Program, Taken
from kernel_demo.ui.html import alert, filled, problem, quiet
from kernel_demo.ui.recover import finding, pairs
from kernel_demo.ui.serving.jobs import (
    PRIVATE,
    PROVING,
    QUIET,
    RECOVERING,
    Job,
    failure,
    tell_failure,
)

HEARD = "Getting ready…"
SEVERAL = "Several pairs of one filter are welcome: they are matched in order."
FORGOTTEN = "The files are forgotten; upload them again."
# On a narrow page the verdict is below the fold, and from an example it is above the window: bring
# it into view when it is there. At once: a smooth way ends early where the page changes meanwhile.
# Where there is an error instead, that is brought there.
SCROLL = """() => {
  const error = document.querySelector('#recover-progress .kd-error');
  if (error) return void error.scrollIntoView({ behavior: 'instant', block: 'nearest' });
  const verdict = document.querySelector('#recover-verdict');
  const top = verdict?.getBoundingClientRect().top;
  if (innerWidth > 900 && top >= 0 && top < innerHeight / 2) return;
  verdict?.scrollIntoView({ behavior: 'instant', block: 'start' });
}"""
# Of an example that was pressed far below: where the verdict will be, beside the line that says
# what is being done; on a narrow page that line.
LOOK_UP = """() => {
  const [name, block] = innerWidth > 900 ? ['verdict', 'start'] : ['progress', 'center'];
  document.querySelector(`#recover-${name}`)?.scrollIntoView({ behavior: 'instant', block });
}"""
# Other files: what was found in those before is pale at once.
CHANGED = """() => {
  if (!document.querySelector('#recover-verdict [data-verdict]')) return;
  document.dispatchEvent(new CustomEvent('kd-changed', { detail: 'recover-verdict' }));
}"""
# Files that were taken away, or others that came: what was said of those before goes with them, but
# for what is being done.
OTHERS = f"""(told) => (
  document.querySelector('#recover-progress .kd-working') ? told : {json.dumps(quiet(SEVERAL))})"""


@dataclass(frozen=True, eq=False)
class Found:
    """What one visitor's recovery leaves behind: small, and none of the pictures."""

    paths: tuple[str, str]  # before and after of the first pair, in the page's temporary folder
    shift: tuple[int, int]
    kernels: tuple[tuple[str, Taken | Program], ...]  # (label, what can be taken)
    proof: Recovery | None = None  # without pictures, where more can be worked out
    facts: finding.Facts = field(default_factory=list)  # beside its kernels


def connect(parts) -> None:
    """Connect the events; parts: a `Tab`, laid out."""

    def found(*values):
        for update in find(*values):
            yield {getattr(parts, name): new for name, new in update.items()}

    inputs = [parts.before, parts.after, parts.max_size]
    # First: a browser does what follows a change one after the other.
    gr.on([file.change for file in inputs[:2]], None, js=CHANGED, **PRIVATE)
    shown = [
        parts.recover, parts.progress, parts.state, parts.made, parts.verdict, parts.kernel_card,
        parts.kernel, parts.picture_card, parts.views, parts.reproduced, parts.pair, parts.lost,
        parts.which, parts.take, parts.refused, parts.searching,
    ]  # fmt: skip
    runs = Job([parts.recover, parts.progress, parts.searching], failed)

    def begin(trigger) -> None:
        ended = runs.begin(trigger, lambda *_: hear(), found, inputs, shown, **RECOVERING)
        ended.then(fn=None, js=SCROLL, **PRIVATE)
        runs.begin(
            ended.then,
            lambda _: [gr.skip()] * 3,
            proved,
            [parts.state],
            [parts.kernel],
            goes_on=True,
            **PROVING,
        )

    begin(parts.recover.click)
    for button, example in parts.examples:
        button.click(fn=None, js=LOOK_UP, **PRIVATE)
        files = [parts.before, parts.after, parts.searching]
        laid = button.click(partial(_laid, example.files), None, files, **QUIET)
        tell_failure(laid, parts.progress)
        begin(laid.then)
    held = [parts.made, parts.searching]
    look = follow([Made(parts.fresh, held, inputs, stale, pending)])
    gr.on([state.change for state in held], trigger_mode="always_last", **look)
    _connect_views(parts)


def _connect_views(parts) -> None:
    latest = {"trigger_mode": "always_last", "concurrency_limit": 2, **QUIET}
    files = [parts.before, parts.after, parts.refused]
    changed = [file.change for file in files]
    thumbnails = gr.on(changed, chosen, files, [parts.chosen, parts.anew], **latest)
    tell_failure(thumbnails, parts.chosen)
    parts.anew.click(None, None, files[:2], js="() => [null, null]", **PRIVATE)
    sides = parts.before, parts.after
    others = [parts.anew.click, *(event for file in sides for event in (file.clear, file.upload))]
    gr.on(others, None, parts.progress, parts.progress, js=OTHERS, **PRIVATE)
    pictures = [parts.reproduced, parts.pair, parts.lost]
    viewed = parts.views.input(view, [parts.views, parts.state], pictures, **latest)
    tell_failure(viewed, parts.lost)
    taken = parts.which.input(which, [parts.which, parts.state], [parts.take, parts.lost], **latest)
    tell_failure(taken, parts.lost)


def chosen(befores, afters, refused: tuple | None) -> tuple[str, dict]:
    """The pairs as thumbnails, or what is wrong with a file; and the way to another pair.

    refused: the files of which Recover has told that already; once is enough.
    """
    anew = gr.update(visible=bool(befores or afters))
    try:
        return pairs.thumbnails(*map(pairs.open_side, (befores, afters))), anew
    except DemoError as error:
        return "" if refused == _files(befores, afters) else problem(error), anew


def _laid(files: Callable[[], tuple]) -> tuple:
    """The files of an example, in which the filter is looked for without another press."""
    return *files(), True


def hear() -> tuple:
    """The press was heard; what is done is told when it is its turn."""
    return gr.update(interactive=False), _working(HEARD), True


def failed() -> tuple:
    """The recovery could not be done, or not to its end; what was found before stays."""
    return gr.update(interactive=True), alert(failure()), False


def made_from(befores, afters, max_size: int) -> tuple:
    """What a finding was made from, to be compared."""
    return *_files(befores, afters), max_size


def _files(befores, afters) -> tuple:
    return pairs.listed(befores), pairs.listed(afters)


def stale(made: tuple | None, _searching: bool, *values) -> bool:
    """Whether what was found was made from other files or another largest size."""
    return made is not None and made != made_from(*values)


def pending(_made: tuple | None, searching: bool, *_values) -> bool:
    """Whether the filter is being looked for: there is nothing to press."""
    return searching


def find(befores, afters, max_size: int) -> Iterator[dict]:
    """Recover the filter, saying meanwhile what is being done; by the names of `Tab`."""
    began = time.monotonic()
    again = {"recover": gr.update(interactive=True), "searching": False}
    try:
        sides = [pairs.open_side(paths, keep_alpha=True) for paths in (befores, afters)]
    except DemoError as error:
        yield {**again, "progress": problem(error), "refused": _files(befores, afters)}
        return
    try:
        matched = pairs.match(*sides)
        size = f"{max_size} × {max_size}"
        told = f"Looking for a kernel up to {size} in {pairs.many(sides[0], ', ')}"
        yield {"progress": _working(told)}
        found = recover_many([(b.samples, a.samples) for b, a in matched], int(max_size))
    except DemoError as error:
        yield {**again, "progress": problem(error)}
        return
    notes = tuple(dict.fromkeys(note for pair in matched for side in pair for note in side.notes))
    state = _left(found, (pairs.listed(befores)[0], pairs.listed(afters)[0]))
    spent = duration(time.monotonic() - began)
    yield {
        **again,
        "progress": quiet(f"{pairs.many(sides[0])} · {spent}"),
        "made": made_from(befores, afters, max_size),
        **_shown(found, notes, state, [(b.samples, a.samples) for b, a in matched]),
    }
    if state.kernels:
        # After the rest: the libraries that write the files take half a second to load.
        yield {"take": take.value(state.kernels[0][1])}


def _left(found: Recovery, paths: tuple[str, str]) -> Found:
    """What a recovery leaves behind; paths: those of the first pair."""
    more = finding.to_come(found)
    return Found(
        paths[::-1] if found.swapped else paths,
        found.shift,
        finding.taken(found),
        finding.without_pictures(found) if more else None,
        finding.facts_of(found),
    )


def proved(state: Found | None) -> Iterator[str]:
    """The kernels with the bars that are guaranteed, and with what one rounding allows."""
    if state is None or state.proof is None:
        yield gr.skip()
    else:
        yield finding.kernel(state.proof, state.facts, proved=True)


def _working(told: str) -> str:
    return filled(
        '<div class="kd-working" role="status"><i aria-hidden="true"></i><p class="kd-note">{}'
        '<span class="kd-seconds" aria-hidden="true"></span></p></div>',
        told,
    )


def _shown(found: Recovery, notes: tuple[str, ...], state: Found, samples: list) -> dict:
    reproduced, kernel = finding.reproduced(found, samples), finding.kernel(found, state.facts)
    labels = [(label, number) for number, (label, _) in enumerate(state.kernels)]
    return {
        "state": state,
        "verdict": finding.verdict(found, notes),
        "kernel_card": gr.update(visible=bool(kernel)),
        "kernel": kernel,
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
        before, after = (pairs.open_side(path)[0].samples for path in state.paths)
    except DemoError:  # the files of a visitor who stayed away for long
        return hidden, hidden, quiet(FORGOTTEN)
    value = finding.pair(before, after, state.shift)
    return hidden, gr.update(value=value, visible=True), ""


def which(number: int | None, state: Found | None):
    """The card for another of several kernels."""
    if state is None or not 0 <= int(number or 0) < len(state.kernels):
        return gr.skip(), gr.skip()
    return take.value(state.kernels[int(number or 0)][1]), ""
