"""The whole page: header, tabs, endpoints, and how it is served: its queue, and what it forgets."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported

import gradio as gr
from starlette.middleware import Middleware

from kernel_demo.learning import devices
from kernel_demo.ui import api, theme
from kernel_demo.ui.guard import MAX_UPLOAD, Guard
from kernel_demo.ui.html import block
from kernel_demo.ui.learn import tab as learn_tab
from kernel_demo.ui.questions import tab as questions_tab
from kernel_demo.ui.recover import tab as recover_tab

TITLE = "Kernel Demo"
TAGLINE = "One convolution layer learns any linear image filter from pictures alone."
QUEUE = 16  # visitors who wait; one more is told that the page is busy
FORGET_EVERY, FORGET_AFTER = 600, 3600  # seconds: the visitors' files
# Gradio's client ends the stream of an upload's progress by a method that does nothing but say so
# to the console (6.31). The server ends that stream by itself: nobody needs to hear of it.
# Gradio gives every radio button a name of its own, so that a browser does not know them as one
# group: arrow keys choose the next one all the same.
HEAD = """<script>{
  const warn = console.warn;
  console.warn = (...said) => said[0] === 'Method not implemented.' || warn.apply(console, said);
  document.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step || !event.target.matches?.('fieldset input[type=radio]')) return;
    const all = [...event.target.closest('fieldset').querySelectorAll('input[type=radio]')];
    const next = all[(all.indexOf(event.target) + step + all.length) % all.length];
    event.preventDefault();
    next.focus();
    next.click();
  });
}</script>"""


def build() -> gr.Blocks:
    """The page, not yet served."""
    with gr.Blocks(
        title=TITLE,
        analytics_enabled=False,
        delete_cache=(FORGET_EVERY, FORGET_AFTER),
    ) as page:
        api.define()  # first: the names are a contract, and the first to ask for a name gets it
        block(_header(), "header")
        with gr.Tabs(elem_classes="kd-tabs") as tabs:
            with gr.Tab(learn_tab.TAB, id="learn"):
                learn_tab.Tab(page)
            with gr.Tab(recover_tab.TAB, id="recover"):
                recover_tab.Tab()
            with gr.Tab(questions_tab.TAB, id="questions"):
                questions_tab.build(tabs)
    page.queue(max_size=QUEUE, default_concurrency_limit=4, api_open=False)
    return page


def launch(page: gr.Blocks, **options):
    """Serve the page; `options` go to gradio's launch (server_name, server_port, share, auth)."""
    return page.launch(
        theme=theme.build(),
        head=HEAD,
        max_file_size=MAX_UPLOAD,
        show_error=False,
        ssr_mode=False,
        enable_monitoring=False,
        run_history=False,
        footer_links=[],
        app_kwargs={"middleware": [Middleware(Guard)]},
        **options,
    )


def _header() -> str:
    """One line: what this is, and at its right where it computes."""
    device = devices.name(devices.best())
    return (
        f'<header class="kd-header"><h1>{TITLE}</h1><p>{TAGLINE}</p>'
        f'<span class="kd-chip" id="device">{device}</span></header>'
    )
