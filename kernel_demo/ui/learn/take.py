"""What a visitor can take from the tab "Learn"."""

import gradio as gr

from kernel_demo.errors import DemoError
from kernel_demo.ui.components.take import Taken, value
from kernel_demo.ui.learn.session import Session


def learned(session: Session, border: str):
    """The value for the kernel that a session learned; None, an empty card, where there is none."""
    if session.progress is None or session.running:
        return gr.skip()
    if session.kernel is None:
        return None
    try:
        return value(Taken(session.kernel, session.progress.offset, border, "learned kernel"))
    except DemoError:  # all zeros, or beyond what files and tools can hold
        return None
