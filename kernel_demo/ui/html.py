"""The few pieces of HTML that every tab uses. All text is escaped here."""

from html import escape

import gradio as gr

from kernel_demo.errors import DemoError

# What one tab says of another.
CHALLENGE = "challenge"  # the key of a link that Questions reads, and Learn passes over
CERTIFICATE = "How sure is this?"  # the title of Learn's panel, to which Questions points


def block(html: str, elem_id: str | None = None, spoken: bool = False) -> gr.HTML:
    """A piece of HTML in the page's own look, without gradio's typography.

    spoken: what comes to stand there is read out by screen readers.
    """
    script = "element.setAttribute('aria-live', 'polite')" if spoken else None
    return gr.HTML(html, elem_id=elem_id, js_on_load=script, apply_default_css=False)


def quiet(text: str) -> str:
    """A line in the quiet tone of a note; nothing for an empty text."""
    return f'<p class="kd-note">{escape(text)}</p>' if text else ""


def title(text: str) -> str:
    """A card's heading."""
    return f'<h2 class="kd-title">{escape(text)}</h2>'


def step_title(number: int, text: str) -> str:
    """A numbered card's heading."""
    return f'<h2 class="kd-step"><b>{number}</b>{escape(text)}</h2>'


def problem(error: DemoError) -> str:
    """What a visitor can put right."""
    return alert(str(error))


def alert(text: str) -> str:
    """What went wrong, announced to screen readers too."""
    return f'<p class="kd-error" role="alert">{escape(text)}</p>'
