"""A whole folder of the machine that the page is served on, for whoever sits at it.

It is there only where the server listens to this machine alone, and each request is asked again
where it comes from: through a tunnel, a proxy, or from another site's page in the same browser,
nothing is read and no name is told.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import gradio as gr
from markupsafe import Markup

from kernel_demo.dataset import report
from kernel_demo.dataset.engine import Pool
from kernel_demo.dataset.fitting import Ended, Progress, Result, fit
from kernel_demo.dataset.settings import settings as dataset_settings
from kernel_demo.dataset.store import Store
from kernel_demo.errors import DemoError
from kernel_demo.imaging.kernels import Kernel
from kernel_demo.learning import devices
from kernel_demo.learning.evaluation import kernel_error
from kernel_demo.numbers import at_most, count
from kernel_demo.sources.shards import Plan, plan
from kernel_demo.ui.html import alert, block, filled, joined, matrix, problem, quiet
from kernel_demo.ui.learn import settings
from kernel_demo.ui.serving.jobs import FAILED, QUIET, UNQUEUED, buttons, throttled

OWN = ("127.0.0.1", "localhost", "::1")  # names by which a machine calls itself
# A page is served further by Spaces, by Gradio's own tunnel, or below a path of a proxy.
FURTHER = ("SPACE_ID", "GRADIO_SHARE", "GRADIO_ROOT_PATH")
# What proxies and tunnels say of whom they ask for.
FORWARDED = (
    "forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via",
)  # fmt: skip
READ = ("kernel", "size", "angle", "kernel_seed", "editor", "channel")  # settings that count here
ABOUT = (
    "All pictures of a folder on this machine (tars and Parquet files too), filtered here exactly, "
    "as the filter above says. Nothing of them is stored, and only this machine is shown this."
)
SECONDS = 0.3  # between two updates
STOPPED = "Stopped."
BAR = (
    '<div role="progressbar" aria-valuemin="0" aria-valuemax="{}" aria-valuenow="{}" style="height:'
    ' 4px; border-radius: 2px; background: var(--kd-line)"><div style="width: {}%; height: 100%; '
    'border-radius: 2px; background: var(--kd-accent)"></div></div>{}'
)
DIGITS = 9  # decimals that are shown: the error bars are smaller
NAMED = 5  # faults


def local(host: str, share: bool) -> bool:
    """Whether a server that listens so is this machine's own alone."""
    return host in OWN and not share and not any(os.environ.get(name) for name in FURTHER)


def from_here(request: gr.Request | None) -> bool:
    """Whether a request is of this machine's own browser, on a page of this server."""
    if request is None or request.client is None or request.client.host not in OWN:
        return False
    headers = request.headers
    origin = headers.get("origin")
    named = [urlsplit(f"//{headers.get('host', '')}").hostname]
    named += [urlsplit(origin).hostname] if origin else []
    return not any(name in headers for name in FORWARDED) and all(name in OWN for name in named)


class Folder:
    """The field, its two buttons, and what they fill."""

    def __init__(self) -> None:
        self.fold = gr.Accordion(
            "A whole folder of this machine", open=False, visible=False,
            elem_classes="kd-fold", elem_id="whole-folder",
        )  # fmt: skip
        with self.fold:
            block(quiet(ABOUT))
            self.path = gr.Textbox(
                label="Folder", placeholder="/home/me/photos", max_lines=1, max_length=1000,
                elem_id="folder",
            )  # fmt: skip
            with gr.Row(elem_classes="kd-buttons"):
                self.start = gr.Button("Learn from all of it", size="sm", elem_id="learn-folder")
                self.stop = gr.Button("Stop", size="sm", interactive=False, elem_id="stop-folder")
            self.shown = block("", "folder-result", spoken=True)

    def connect(self, controls: Mapping) -> None:
        """controls: of the page's settings, by name."""
        outputs = [self.shown, self.start, self.stop]
        source = controls["source"]
        source.change(lambda chosen: gr.update(visible=chosen == "mine"), source, self.fold,
                      **UNQUEUED)  # fmt: skip
        ran = gr.on(
            [self.start.click, self.path.submit], learn,
            [self.path, *(controls[name] for name in READ)], outputs,
            concurrency_id="folder", concurrency_limit=1, trigger_mode="once", **QUIET,
        )  # fmt: skip
        ran.failure(lambda: (alert(FAILED), *buttons(False)), None, outputs, **UNQUEUED)
        self.stop.click(lambda: (quiet(STOPPED), *buttons(False)), None, outputs, cancels=[ran],
                        **UNQUEUED)  # fmt: skip


def learn(path, kernel, size, angle, kernel_seed, editor, channel, request: gr.Request) -> Iterator:
    """Updates of what is shown and of the buttons, until all of a folder is learned from."""
    values = dict(zip(READ, (kernel, size, angle, kernel_seed, editor, channel), strict=True))
    try:
        if not from_here(request):
            raise DemoError(
                "a visitor at the machine itself", "one from elsewhere", "Upload pictures instead."
            )
        yield quiet("Looking what is there…"), *buttons(True)
        for html in _learned(_planned(path), values):
            yield html, *buttons(True)
        yield gr.skip(), *buttons(False)
    except DemoError as error:
        yield problem(error), *buttons(False)


def _planned(path: str) -> Plan:
    folder = os.path.expanduser((path or "").strip())
    if not os.path.isdir(folder):
        received = f"“{folder}”"[:120] if folder else "none"
        raise DemoError("a folder on this machine", received, "Type or paste its whole path.")
    return plan([os.path.abspath(folder)], pairs=False)


def _learned(planned: Plan, values: Mapping) -> Iterator[str]:
    weights = settings.truth(settings.fitting(values))
    asked = dataset_settings(None, Kernel("", weights), values["channel"])
    with tempfile.TemporaryDirectory(prefix="kernel-demo-folder-") as place:
        engine = Pool(devices.cores())
        for progress in throttled(fit(planned, asked, Store.at(place), engine), SECONDS):
            yield _told(progress.result) if progress.result else _running(progress, planned)


def _running(progress: Progress, planned: Plan) -> str:
    pictures = [shard.pictures for shard in planned.shards]
    done, of, what = progress.shards, progress.of, "parts"
    if all(pictures):
        done, of, what = progress.pictures, sum(filter(None, pictures)), "pictures"
    line = ", ".join([f"{count(done)} of {count(of)} {what}", *report.known(progress)])
    return filled(BAR, of, done, round(100 * done / max(of, 1)), Markup(quiet(line)))


def _told(result: Result) -> str:
    solution, truth, parts = result.solution, result.settings.truth, [report.sentence(result)]
    if result.ended is not Ended.ALL_READ:
        parts.append(result.ended.value)
    table = ""
    if solution is not None and truth is not None:
        table = matrix(solution.kernel.round(DIGITS) + 0.0)
        parts.append(f"Kernel error {at_most(kernel_error(solution.kernel, truth))}.")
    for number, faults, what in (
        (result.left_out, result.faults, "Pictures left out"),
        (len(result.failed), result.failed, "Parts that failed"),
    ):
        if number:
            parts.append(f"{what}: {count(number)}.")
            parts += [f"{fault.name}: {fault.reason}." for fault in faults[:NAMED]]
    first, *rest = map(quiet, parts)
    return filled('<div data-done="true">{}</div>', joined([first, table, *rest]))
