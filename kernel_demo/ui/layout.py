"""The whole page: header, tabs, endpoints, and how it is served: its queue, and what it forgets."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from threading import Timer

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

import gradio as gr
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

from kernel_demo.learning import devices
from kernel_demo.ui import api, landing, served, terms, theme
from kernel_demo.ui.components import header
from kernel_demo.ui.html import block
from kernel_demo.ui.learn import folder, link, showing
from kernel_demo.ui.learn import tab as learn_tab
from kernel_demo.ui.questions import tab as questions_tab
from kernel_demo.ui.recover import tab as recover_tab
from kernel_demo.ui.serving import bundle, draining, health, jobs, progress
from kernel_demo.ui.serving.bounds import Bounds
from kernel_demo.ui.serving.disk import Disk
from kernel_demo.ui.serving.fair import FairQueue
from kernel_demo.ui.serving.guard import Guard
from kernel_demo.ui.serving.headers import Headers
from kernel_demo.ui.serving.light import Light
from kernel_demo.ui.serving.preview import Preview
from kernel_demo.ui.serving.receiving import Receiving, sweeping
from kernel_demo.ui.serving.visits import Heartbeats, Visits

TITLE = "Kernel Demo"
TAGLINE = "One convolution layer learns any linear image filter from pictures alone."
LEARNED = (
    "A single convolution layer sees pictures before and after this filter, and learns its weights "
    "from them alone. Watch it, and see how far it is from the truth."
)
WARM_AFTER = 4  # seconds
FORGET_EVERY, FORGET_AFTER = 600, 3600  # seconds: the visitors' files
HEAD = tuple(
    Path(__file__).with_name(name) for name in ("gradio.js", "terms.js", "back.js", "lost.js")
)


def build(folders: bool = False) -> gr.Blocks:
    """The page, not yet served. folders: whether to learn from folders, see `local`."""
    with api.Page(
        title=TITLE,
        analytics_enabled=False,
        delete_cache=(FORGET_EVERY, FORGET_AFTER),
    ) as page:
        api.define(page)  # first: the names are a contract, and the first to ask for a name gets it
        top = header.component(TITLE, TAGLINE, devices.name_of_best(), learn_tab.TAB)
        block(terms.meanings(), "terms")
        with gr.Tabs(elem_classes="kd-tabs") as tabs:
            with gr.Tab(learn_tab.TAB, id=landing.LEARN):
                learn = learn_tab.Tab(page, top, folders)
            with gr.Tab(recover_tab.TAB, id="recover"):
                recover = recover_tab.Tab()
            with gr.Tab(questions_tab.TAB, id="questions"):
                questions = questions_tab.build(tabs)
        page.places = (*questions, recover.place, learn.race)
        landing.connect(page, tabs, page.places, link.told)
    # As page.queue(...) does, which makes a web application for it that is never served.
    page.api_open, page._queue.default_concurrency_limit = False, 4
    return page


def shared(places: Sequence[landing.Place], asked: Mapping[str, str]) -> tuple[str, str, dict]:
    """What a link shares: its title, its description, and what it says that is ours.

    places: where it may land. asked: what it says, by key.
    """
    landed = landing.read(asked, places)
    title, ours = link.described(asked)
    about = LEARNED if title else TAGLINE
    if landed.place is not None:
        ours |= {landed.place.key: asked[landed.place.key]}
        title, about = landed.found.title, landed.found.about
    return title or TITLE, about, ours | ({landing.RUN: "1"} if landed.run and ours else {})


local = folder.local  # who may serve folders


def launch(page: gr.Blocks, bounds: Bounds = Bounds(), **options):  # noqa: B008 - it is frozen
    """Serve the page; `options` go to gradio's launch (server_name, server_port, share, auth).

    What a first run needs beyond the page is loaded while the page is already there.
    """
    queue = page._queue = FairQueue.in_place_of(page._queue, bounds.queue)
    lasting = partial(_lasting, page)
    disk = Disk(get_upload_folder(), bounds, queue.named, lasting)
    queue.no_room = lambda: disk.full
    progress.bound()
    visits = Visits(queue.busy)
    for each in page.fns.values():
        if each.concurrency_id == jobs.DEVICE["concurrency_id"]:
            each.concurrency_limit = bounds.runs
    warming = Timer(WARM_AFTER, showing.warm)
    warming.daemon = True
    warming.start()
    if not options.get("prevent_thread_lock"):  # the process is there for the page alone
        draining.heed_sigterm()
    return page.launch(
        theme=theme.build(),
        head=served.head(*HEAD),
        max_file_size=bounds.upload,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        run_history=False,
        footer_links=[],
        app_kwargs={
            "exception_handlers": api.REFUSALS,
            "lifespan": visits.beside(sweeping(disk), queue.tidy),
            "routes": [health.route(page)],
            "middleware": [
                Middleware(Headers),
                Middleware(draining.Gate),
                Middleware(Heartbeats, visits=visits),
                Middleware(Receiving, disk=disk),
                Middleware(Guard, seen=disk.touch),
                Middleware(Light, head=served.scripts(page) + bundle.hints() + theme.hints()),
                Middleware(Preview, describe=partial(shared, page.places)),
            ],
        },
        **options,
    )


def _lasting(page: gr.Blocks) -> set[str]:
    """The files that belong to the page itself."""
    return {path for part in page.blocks.values() for path in getattr(part, "keep_in_cache", ())}
