"""How the page's own events run; scripts use the endpoints of `api`."""

from collections.abc import Callable
from typing import Any

import gradio as gr

RUNS_AT_ONCE = 2
DEVICE_QUEUE = "device"  # everything that holds the device waits in one queue
PRIVATE = {"api_visibility": "private"}
QUIET = {**PRIVATE, "show_progress": "hidden"}


def begin(
    button: gr.Button, announce: Callable, function: Callable, inputs: Any, outputs: list, **queue
) -> gr.events.Dependency:
    """Let a button show at once what `announce` returns, and stream `function` in its turn.

    While others hold the device, a visitor thus sees that the click was heard, and can stop.
    queue: options of the event that streams, which is returned.
    """
    heard = button.click(announce, inputs, outputs, queue=False, trigger_mode="once", **QUIET)
    return heard.then(function, inputs, outputs, trigger_mode="once", **queue, **QUIET)


def halt(
    button: gr.Button, function: Callable, inputs: Any, outputs: list, running: list
) -> gr.events.Dependency:
    """Let a button end the running events and show what `function` returns.

    Not queued: who stops must not wait for others. Said twice: an update that was under way when
    it was said first would have the last word, in the browser or in the session.
    """
    options = {"queue": False, **QUIET}
    said = button.click(function, inputs, outputs, cancels=running, **options)
    return said.then(function, inputs, outputs, **options)
