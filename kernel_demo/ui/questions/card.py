"""One experiment of the tab "Questions": its button, its Stop, and the place of its answer."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import gradio as gr

from kernel_demo.errors import DemoError
from kernel_demo.ui.html import alert, block, problem, quiet
from kernel_demo.ui.jobs import DEVICE, FAILED, PRIVATE, SUMS, Job, tell_failure, throttled
from kernel_demo.ui.questions import words as wording

FRAME_SECONDS = 0.2  # five updates a second: tables that change faster cannot be read


@dataclass(frozen=True)
class Experiment:
    """The components of one experiment."""

    button: gr.Button
    stop: gr.Button | None  # None: it takes less than two seconds
    status: gr.HTML  # what is going on, or what went wrong
    result: gr.HTML


def build(name: str, text: str, stoppable: bool = False, primary: bool = True) -> Experiment:
    """Lay out the button, its Stop and the place of the answer; ids start with `name`."""
    with gr.Row(elem_classes="kd-experiment"):
        button = gr.Button(
            text, variant="primary" if primary else "secondary", elem_id=name, scale=0,
            min_width=60,
        )  # fmt: skip
        stop = None
        if stoppable:
            stop = gr.Button(
                wording.STOP, interactive=False, elem_id=f"{name}-stop", scale=0, min_width=60
            )
        status = block("", f"{name}-status", spoken=True)
    return Experiment(button, stop, status, block("", f"{name}-result"))


def connect(
    experiment: Experiment,
    function: Callable[..., Iterator[str]],
    inputs: list,
    *,
    trains: bool = False,
    reads: Callable[..., tuple] = lambda *values: values,
) -> None:
    """Run `function` at a press; each item it yields is the answer so far, as HTML.

    trains: it waits in the queue of the device. reads: turns the inputs' values into the
    function's arguments. DemoErrors of either are told, and take the answer away: what stands
    there was the answer to something else.
    """

    def announce(*_) -> tuple:
        busy = (gr.update(interactive=False), gr.update(interactive=True))
        return _updates(experiment, *busy, quiet(wording.WORKING), gr.skip())

    def run(*values) -> Iterator[tuple]:
        said, answer = "", gr.skip()
        try:
            for html in throttled(function(*reads(*values)), FRAME_SECONDS):
                said = _spoken(html)
                yield _updates(experiment, gr.skip(), gr.skip(), gr.skip(), html)
        except DemoError as error:
            said, answer = problem(error), ""
        yield _updates(experiment, *_ready(), said, answer)

    def ended(told: str) -> Callable[[], tuple]:
        return lambda: _updates(experiment, *_ready(), told, gr.skip())

    runs = Job(_outputs(experiment), ended(alert(FAILED)))
    runs.begin(experiment.button.click, announce, run, inputs, **(DEVICE if trains else SUMS))
    if experiment.stop is not None:
        runs.halt(experiment.stop, ended(quiet(wording.STOPPED)))


def connect_choice(
    choice: gr.Radio, place: gr.HTML, function: Callable[..., Iterator[str]], inputs: list, *,
    reads: Callable[..., tuple],
) -> None:  # fmt: skip
    """Run `function` for each choice; its last item is shown in `place`, or what went wrong."""

    def run(*values) -> str:
        try:
            *_, html = function(*reads(*values))
        except DemoError as error:
            return problem(error)
        return html

    tried = choice.input(
        run, inputs, place, trigger_mode="always_last", **SUMS,
        show_progress="minimal", **PRIVATE,
    )  # fmt: skip
    tell_failure(tried, place)


def _spoken(html: str) -> str:
    """The sentence of an answer, to be heard only: a table read out would be too much."""
    found = re.search(r'<p class="kd-finding [^>]*>([^<]*)', html)
    return f'<p class="kd-live-spoken">{found[1]}</p>' if found else ""


def _outputs(experiment: Experiment) -> list:
    parts = [experiment.button, experiment.stop, experiment.status, experiment.result]
    return [part for part in parts if part is not None]


def _updates(experiment: Experiment, button, stop, status, result) -> tuple:
    if experiment.stop is None:
        return button, status, result
    return button, stop, status, result


def _ready() -> tuple:
    return gr.update(interactive=True), gr.update(interactive=False)
