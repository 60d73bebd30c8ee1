"""The page's address follows its settings, and a link opens the page with them.

Keys are short; they and their bounds stand in settings.TABLE. Values that the page has at first
paint are left out. What a link says is looked at key by key: what cannot be used is left as it was
and named, never obeyed.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl, urlencode

import gradio as gr

from kernel_demo.errors import DemoError
from kernel_demo.ui import landing
from kernel_demo.ui.components import changes, from_files
from kernel_demo.ui.html import square
from kernel_demo.ui.learn import showing
from kernel_demo.ui.learn.session import Notice, Session
from kernel_demo.ui.learn.settings import (
    TABLE,
    Setting,
    experiment,
    fitting,
    most_pictures,
    most_steps,
    nearest,
    sizes,
)
from kernel_demo.ui.serving.jobs import QUIET, UNQUEUED

SHARED = {setting.key: setting for setting in TABLE if setting.key}
NAMES = tuple(SHARED)
START = {key: setting.value for key, setting in SHARED.items()}  # at first paint
KERNEL = ("kernel", "size", "angle", "seed", "own")  # all that says which kernel
OWN_GONE = "Own pictures are not kept after a reload, nor in a link: choose them again."
# Replaces the query in the address bar whenever Python names another one.
FOLLOW = """
watch('value', () => {
  const query = props.value || '';
  if (query !== location.search) history.replaceState(history.state, '', location.pathname + query);
  document.dispatchEvent(new CustomEvent('kd-address'));
});
"""
# Says that the controls are as the link says: whatever learns waits for it (tab.py).
ARRIVED = "watch('value', () => { if (props.value) document.body.dataset.linked = 'arrived'; });"
FROM_LINK = "From the link:"


def keys(values: Iterable[Any]) -> dict[str, Any]:
    """Values in the order of NAMES, by their keys."""
    return dict(zip(NAMES, values, strict=True))


def query(start: Mapping[str, Any], values: Mapping[str, Any], before: str = "") -> str:
    """The query, "?kernel=random&seed=7", or an empty one, of values by key.

    start: those of the first paint; what equals them is left out, and so is what cannot be used. Of
    a kernel of one's own that is none the address says what it said `before`.
    """
    said = {}
    unsaid = "size" if values["kernel"] == "own" else "own"  # the rows of one's own say its size
    for key, setting in SHARED.items():
        value = values[key]
        counts = key == "own" or value != start[key]
        if counts and key != unsaid and value is not None:
            said[key] = _written(setting, value)
    if values["kernel"] == "own" and said["own"] is None:  # as it was when it last was a kernel
        held = dict(parse_qsl(before.lstrip("?")))
        said |= {key: held.get(key) for key in KERNEL}
    if values["source"] == "mine":  # a visitor's own pictures stay with the visitor
        said["n"] = None
    said = {key: text for key, text in said.items() if text is not None}
    return "?" + urlencode(said, safe=",;/") if said else ""


def _written(setting: Setting, value: Any) -> str | None:
    """The value as it stands in an address; None for one that no link could bring back."""
    try:
        text = setting.write(value)
        if value != "mine":
            setting.parse(text)
    except (LookupError, TypeError, ValueError, ArithmeticError, DemoError):
        return None
    return text


def settings(
    start: Mapping[str, Any], asked: Mapping[str, str]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The values that a link asks for, by key, and the keys that had to be ignored."""
    # What begins with __ is gradio's own, such as __theme.
    ours = [key for key in asked if key not in landing.KEYS and not key.startswith("__")]
    values = {}
    for key in ours:
        with suppress(LookupError, ValueError, ArithmeticError, DemoError):
            values[key] = SHARED[key].parse(asked[key])
    for key, choices in allowed(start, values).items():
        if key in values and values[key] not in choices:
            del values[key]
    passed = tuple(key[:20] for key in ours if key not in values)
    if "own" in passed and values.get("kernel") == "own":  # whose name other numbers would bear
        del values["kernel"]
    return values, passed


def ignored(passed: Sequence[str], asked: Mapping[str, str] = MappingProxyType({})) -> str:
    """What a link asked for and did not get, in the words of the page.

    passed: the keys. asked: what the link says, by key.
    """
    told = [key for key in passed if not (key == "source" and asked.get(key) == "mine")]
    names = [f"“{SHARED[key].label}”" if key in SHARED else key for key in told]
    what, left = ("settings", "they were") if len(names) > 1 else ("a setting", "it was")
    cannot = f"This link has {what} that cannot be used, left as {left}: {', '.join(names)}."
    return " ".join([OWN_GONE] * (len(told) < len(passed)) + [cannot] * bool(told))


def allowed(start: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Sequence[int]]:
    """What the controls allow that hang on another setting, of a link or of the first paint."""
    decided = {**start, **values}
    return {
        "n": range(1, most_pictures(decided["source"]) + 1),
        "size": sizes(decided["kernel"]),
        "steps": range(1, most_steps(decided["method"]) + 1),
    }


def address_of(values: Mapping[str, Any]) -> str:
    """The query of values by the names of their settings."""
    return query(START, {key: values[setting.name] for key, setting in SHARED.items()})


def address() -> gr.HTML:
    """An element without a look that carries the query to the address bar."""
    return gr.HTML("", html_template="<i></i>", js_on_load=FOLLOW, elem_id="address")


def connect(
    page: gr.Blocks, controls: Mapping, bar: gr.HTML, session: gr.State
) -> gr.events.Dependency:
    """Connect the address with the controls, which go by the names of their settings.

    What depends on them follows their changes, whether a hand or a link has made them. Returns the
    event that has set them by a link; the session then has the notice of what it could not set.
    """
    shared = [controls[setting.name] for setting in SHARED.values()]
    gr.on(
        changes(shared), follow, [bar, *shared], bar,
        trigger_mode="always_last", preprocess=False, queue=False, **QUIET,
    )  # fmt: skip
    arrived = gr.HTML(None, html_template="<i></i>", js_on_load=ARRIVED, elem_id="arrived")

    def opening(session: Session, request: gr.Request) -> tuple:
        return *open_link(session, request), "arrived"

    opened = page.load(opening, session, [session, *shared, arrived], **QUIET)
    opened.failure(lambda: "failed", None, arrived, **UNQUEUED)  # a full queue: nobody waits for it
    return opened


def told(asked: Mapping[str, str]) -> tuple[str, str]:
    """What of a link could not be set, in words; and the name of the experiment that it sets.

    The name is empty where there is no such experiment.
    """
    values, passed = settings(START, asked)
    try:
        key = experiment(_by_name(values)).key
    except DemoError:
        key = ""
    return ignored(passed, asked) if passed else "", key


def described(asked: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """What the settings of a link are, in a few words, and as an address says them.

    No words where they are those of the first paint.
    """
    values, _ = settings(START, asked)
    ours = _texts(values)
    try:
        return showing.title(_by_name(values)) if ours else "", ours
    except DemoError:
        return "", {}


def _by_name(values: Mapping[str, Any]) -> dict[str, Any]:
    """All settings, by their names, with these values of a link; own pictures are in none."""
    said = {setting.name: values.get(key, setting.value) for key, setting in SHARED.items()}
    return fitting({**said, "uploads": None})


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """What of the values of a link is otherwise than at first paint, as an address says it."""
    return dict(parse_qsl(query(START, {**START, **values}).lstrip("?")))


def mark(panel: str) -> gr.HTML:
    """The line that says what a link has set in this panel; it marks the panel's chip as well."""
    return from_files("linked", None, f"linked-{panel}", words={"says": FROM_LINK}, panel=panel)


def connect_marks(page: gr.Blocks, controls: Mapping, marks: Mapping[str, gr.HTML]) -> None:
    """Mark what a link has set, in the panel that has its control; marks: by the panel."""
    inside = {
        panel: [key for key, setting in SHARED.items() if _within(controls[setting.name], panel)]
        for panel in marks
    }

    def marked(request: gr.Request) -> list:
        return [linked(dict(request.query_params), keys) for keys in inside.values()]

    page.load(marked, None, [*marks.values()], **UNQUEUED)


def _within(control: gr.components.Component, panel: str) -> bool:
    """Whether it was laid out inside the panel of that name."""
    while control is not None and control.elem_id != f"panel-{panel}":
        control = control.parent
    return control is not None


def linked(asked: Mapping[str, str], keys: Sequence[str]) -> dict[str, list[str]]:
    """What of these keys a link sets otherwise than at first paint: {key: [label, text]}."""
    values, _ = settings(START, asked)
    texts = _texts(values)
    return {key: [SHARED[key].label, texts[key]] for key in keys if key in texts}


def follow(before: str | None, *values) -> str:
    """The query for the address bar, where it was another one before."""
    return query(START, keys(values), before or "")


def open_link(session: Session, request: gr.Request) -> tuple:
    """The session, and updates of the shared controls, by what the page's address says."""
    asked = dict(request.query_params)
    values, passed = settings(START, asked)
    bounds = allowed(START, values) if values else {}
    if bounds:  # what stays as it was may not fit the kernel
        values.setdefault("size", nearest(bounds["size"], START["size"]))
    updates = [_update(key, values, bounds) for key in NAMES]
    if not passed:
        return gr.skip(), *updates
    notice = Notice(ignored(passed, asked), query(START, {**START, **values}))
    return replace(session, notice=notice), *updates


def _update(key: str, values: dict, bounds: dict):
    said = {"value": values[key]} if key in values else {}
    if key == "size" and said:
        return gr.update(choices=square(bounds[key]), **said)
    if key in ("n", "steps") and bounds:
        return gr.update(maximum=max(bounds[key]), **said)
    if key == "rate":  # empty where it is the method's own, which no field of gradio's is at first
        return values.get(key) or None
    return said.get("value", gr.skip())
