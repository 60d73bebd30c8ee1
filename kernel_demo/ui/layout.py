"""The whole page: header, tabs, endpoints, and how it is served: its queue, and what it forgets."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

import gradio as gr
from starlette.middleware import Middleware

from kernel_demo.learning import devices
from kernel_demo.ui import api, draining, landing, terms, theme
from kernel_demo.ui.components import header
from kernel_demo.ui.guard import MAX_UPLOAD, Guard
from kernel_demo.ui.html import block
from kernel_demo.ui.learn import link
from kernel_demo.ui.learn import tab as learn_tab
from kernel_demo.ui.preview import Preview
from kernel_demo.ui.questions import tab as questions_tab
from kernel_demo.ui.recover import tab as recover_tab

TITLE = "Kernel Demo"
TAGLINE = "One convolution layer learns any linear image filter from pictures alone."
LEARNED = (
    "A single convolution layer sees pictures before and after this filter, and learns its weights "
    "from them alone. Watch it, and see how far it is from the truth."
)
QUEUE = 16  # visitors who wait; one more is told that the page is busy
FORGET_EVERY, FORGET_AFTER = 600, 3600  # seconds: the visitors' files
HEAD = "".join(
    f"<script>{Path(__file__).with_name(name).read_text('utf-8')}</script>"
    for name in ("gradio.js", "terms.js", "back.js", "lost.js")
)


def build() -> gr.Blocks:
    """The page, not yet served."""
    with gr.Blocks(
        title=TITLE,
        analytics_enabled=False,
        delete_cache=(FORGET_EVERY, FORGET_AFTER),
    ) as page:
        api.define()  # first: the names are a contract, and the first to ask for a name gets it
        top = header.component(TITLE, TAGLINE, devices.name(devices.best()), learn_tab.TAB)
        block(terms.meanings(), "terms")
        with gr.Tabs(elem_classes="kd-tabs") as tabs:
            with gr.Tab(learn_tab.TAB, id=landing.LEARN):
                learn = learn_tab.Tab(page, top)
            with gr.Tab(recover_tab.TAB, id="recover"):
                recover = recover_tab.Tab()
            with gr.Tab(questions_tab.TAB, id="questions"):
                questions = questions_tab.build(tabs)
        page.places = (*questions, recover.place, learn.race)
        landing.connect(page, tabs, page.places, link.told)
    page.queue(max_size=QUEUE, default_concurrency_limit=4, api_open=False)
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


def launch(page: gr.Blocks, **options):
    """Serve the page; `options` go to gradio's launch (server_name, server_port, share, auth)."""
    if not options.get("prevent_thread_lock"):  # the process is there for the page alone
        draining.heed_sigterm()
    return page.launch(
        theme=theme.build(),
        head=HEAD,
        max_file_size=MAX_UPLOAD,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        run_history=False,
        footer_links=[],
        app_kwargs={
            "middleware": [
                Middleware(draining.Gate),
                Middleware(Guard),
                Middleware(Preview, describe=partial(shared, page.places)),
            ]
        },
        **options,
    )
