"""A server that is being replaced: told by SIGTERM, it ends when nobody waits for it any more.

From then on it takes no new run, and the page's own address answers 503, at which a proxy sends the
visitor to another server. Who is at work goes on, to the last card of the result, and is told where
it takes too long. A second SIGTERM ends the process at once.
"""

import atexit
import os
import signal
import sys
import threading
import time

import gradio as gr
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from kernel_demo.ui.serving import health

SENTENCE = "This server is being replaced: reload the page."
TELL_AFTER = 15.0  # seconds: runs that are still at work are told then
END_AFTER = 18.0  # seconds: whatever still waits has had its chance to hear of it
# Seconds without a request: a browser asks for the next card of a result when it has the last one.
QUIET_FOR = 2.0
LAST_WORDS = 1.5  # seconds: a thread that computes does not keep the process
# What a visit begins with, in a browser and in gradio's client, and what a proxy asks.
ENTRANCES = ("/", "/config", health.PATH)
HEARTBEAT = "/gradio_api/heartbeat/"  # open as long as the page is: nobody waits for it

_told = threading.Event()
_since = float("inf")  # when it was told, by time.monotonic
_waiting: dict[int, Scope] = {}  # the requests that are being answered, but for heartbeats
_latest = 0.0  # when the last of them began or ended


def begun() -> bool:
    """Whether this server takes no new run any more."""
    return _told.is_set()


def end_late_runs() -> None:
    """Raise the sentence as gradio's error where a run has had its time."""
    if time.monotonic() - _since > TELL_AFTER:
        raise gr.Error(SENTENCE, print_exception=False, visible=False)


def refuse_new_runs() -> None:
    """Raise the sentence as gradio's error where no run is taken any more."""
    if begun():
        raise gr.Error(SENTENCE, print_exception=False)


def begin() -> None:
    """Take no new run from now on."""
    global _since
    _since = min(_since, time.monotonic())
    _told.set()


def heed_sigterm() -> None:
    """Let SIGTERM end this process, with status 0, when nobody waits for it any more.

    To be called by the main thread, which is kept by that.
    """

    def drain(*_) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        begin()
        while time.monotonic() - _since < END_AFTER and not _quiet():
            time.sleep(0.1)
        # Not by gradio's way to close: it would tell who still waits of an error, not of a lost
        # server, at which a page goes on elsewhere. Nor does the interpreter put its modules away:
        # threads of PyTorch and of the server that are at work then may abort the process.
        atexit.register(os._exit, 0)
        last = threading.Timer(LAST_WORDS, os._exit, [0])
        last.daemon = True
        last.start()
        sys.exit(0)

    signal.signal(signal.SIGTERM, drain)


def _quiet() -> bool:
    return not _waiting and time.monotonic() - max(_latest, _since) > QUIET_FOR


class Gate:
    """ASGI middleware: lets nobody in where the server takes no new run, and says so."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        if scope["type"] != "http" or path.startswith(HEARTBEAT):
            await self.app(scope, receive, send)
        elif begun() and path in ENTRANCES:
            answer = PlainTextResponse(SENTENCE, 503, {"Retry-After": "1"})
            await answer(scope, receive, send)
        else:
            await self._answered(scope, receive, send)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        global _latest
        _waiting[id(scope)], _latest = scope, time.monotonic()
        try:
            await self.app(scope, receive, send)
        finally:
            del _waiting[id(scope)]
            _latest = time.monotonic()
