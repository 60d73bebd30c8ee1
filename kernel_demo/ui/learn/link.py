"""The page's address follows its settings, and a link opens the page with them.

Keys are short; they and their bounds stand in settings.TABLE. Values that the page has at first
paint are left out. What a link says is looked at key by key: what cannot be used is left as it was
and named, never obeyed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import gradio as gr

from kernel_demo.errors import DemoError
from kernel_demo.ui.components import changes
from kernel_demo.ui.html import CHALLENGE, quiet, square
from kernel_demo.ui.jobs import QUIET
from kernel_demo.ui.learn.settings import (
    TABLE,
    most_pictures,
    most_steps,
    nearest,
    sizes,
)

SHARED = {setting.key: setting for setting in TABLE if setting.key}
NAMES = tuple(SHARED)
# Replaces the query in the address bar whenever Python names another one.
FOLLOW = """
watch('value', () => {
  const query = props.value || '';
  if (query !== location.search) history.replaceState(null, '', location.pathname + query);
});
"""


def keys(values: Iterable[Any]) -> dict[str, Any]:
    """Values in the order of NAMES, by their keys."""
    return dict(zip(NAMES, values, strict=True))


def query(start: Mapping[str, Any], values: Mapping[str, Any]) -> str:
    """The query, "?kernel=random&seed=7", or an empty one, of values by key.

    start: those of the first paint; what equals them is left out.
    """
    said = {}
    unsaid = "size" if values["kernel"] == "own" else "own"  # the rows of one's own say its size
    for key, setting in SHARED.items():
        value = values[key]
        counts = key == "own" or value != start[key]
        if counts and key != unsaid and value is not None:
            said[key] = setting.write(value)
    if said.get("source") == "mine":  # a visitor's own pictures stay with the visitor
        said = {key: text for key, text in said.items() if key not in ("source", "n")}
    return "?" + urlencode(said, safe=",;/") if said else ""


def settings(
    start: Mapping[str, Any], asked: Mapping[str, str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The values that a link asks for, by key, and the keys that had to be ignored."""
    # What begins with __ is gradio's own, such as __theme.
    ours = [key for key in asked if key != CHALLENGE and not key.startswith("__")]
    values = {}
    for key in ours:
        with suppress(KeyError, ValueError, OverflowError, DemoError):
            values[key] = SHARED[key].parse(asked[key])
    for key, choices in allowed(start, values).items():
        if key in values and values[key] not in choices:
            del values[key]
    return values, tuple(key[:20] for key in ours if key not in values)


def ignored(names: tuple[str, ...]) -> str:
    """What a link asked for and did not get."""
    what, left = ("settings", "they were") if len(names) > 1 else ("a setting", "it was")
    return f"This link has {what} that cannot be used, left as {left}: {', '.join(names)}."


def allowed(start: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Sequence[int]]:
    """What the controls allow that hang on another setting, of a link or of the first paint."""
    decided = {**start, **values}
    return {
        "n": range(1, most_pictures(decided["source"]) + 1),
        "size": sizes(decided["kernel"]),
        "steps": range(1, most_steps(decided["method"]) + 1),
    }


def address() -> gr.HTML:
    """An element without a look that carries the query to the address bar."""
    return gr.HTML("", html_template="<i></i>", js_on_load=FOLLOW, elem_id="address")


def connect(
    page: gr.Blocks, controls: Mapping, bar: gr.HTML, notice: gr.HTML
) -> gr.events.Dependency:
    """Connect the address with the controls, which go by the names of their settings.

    What depends on them follows their changes, whether a hand or a link has made them. Returns the
    event that has set them by a link.
    """
    shared = [controls[setting.name] for setting in SHARED.values()]
    start = keys(setting.value for setting in SHARED.values())
    gr.on(
        changes(shared), lambda *values: query(start, keys(values)), shared, bar,
        trigger_mode="always_last", preprocess=False, queue=False, **QUIET,
    )  # fmt: skip
    return page.load(_opener(start), None, [notice, *shared], **QUIET)


def _opener(start: Mapping[str, Any]) -> Callable:
    def open_link(request: gr.Request):
        values, passed = settings(start, dict(request.query_params))
        told = quiet(ignored(passed)) if passed else ""
        bounds = allowed(start, values) if values else {}
        if bounds:  # what stays as it was may not fit the kernel
            values.setdefault("size", nearest(bounds["size"], start["size"]))
        updates = [_update(key, values, bounds) for key in NAMES]
        return told, *updates

    return open_link


def _update(key: str, values: dict, bounds: dict):
    said = {"value": values[key]} if key in values else {}
    if key == "size" and said:
        return gr.update(choices=square(bounds[key]), **said)
    if key in ("n", "steps") and bounds:
        return gr.update(maximum=max(bounds[key]), **said)
    if key == "rate":  # empty where it is the method's own, which no field of gradio's is at first
        return values.get(key) or None
    return said.get("value", gr.skip())
