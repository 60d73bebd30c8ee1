"""The page's address follows its settings, and a link opens the page with them."""

from collections.abc import Callable
from pathlib import Path

import gradio as gr

from kernel_demo.ui.html import quiet
from kernel_demo.ui.jobs import QUIET
from kernel_demo.ui.learn import link
from kernel_demo.ui.learn import words as wording
from kernel_demo.ui.learn.settings import size_choices

# Replaces the query in the address bar whenever Python names another one.
FOLLOW = """
watch('value', () => {
  const query = props.value || '';
  if (query !== location.search) history.replaceState(null, '', location.pathname + query);
});
"""
COPY = """
async () => {
  @clipboard@
  await toClipboard(location.href);
  const button = document.querySelector('#copy-link');
  const text = button.textContent;
  button.textContent = '✓';
  setTimeout(() => { button.textContent = text; }, 1500);
}
""".replace(
    "@clipboard@",
    (Path(__file__).parents[1] / "components" / "clipboard.js").read_text(encoding="utf-8"),
)


def address() -> gr.HTML:
    """An element without a look that carries the query to the address bar."""
    return gr.HTML("", html_template="<i></i>", js_on_load=FOLLOW, elem_id="address")


def connect(
    page: gr.Blocks,
    inputs: list,
    edges: gr.Dropdown,
    copy: gr.Button,
    bar: gr.HTML,
    notice: gr.HTML,
) -> gr.State:
    """Connect the address with `experiment_form.inputs` and the edges.

    Returns a state that changes when a link has set the inputs: what depends on them follows it.
    """  # fmt: skip
    shared = [component for component in inputs if not isinstance(component, gr.File)] + [edges]
    table = link.keys([component.value for component in shared])
    opened = gr.State(0)

    def tell(*values) -> str:
        return link.query(table, dict(zip(link.NAMES, values, strict=True)))

    changes = [component.change for component in shared if not isinstance(component, gr.HTML)]
    editors = [component.edit for component in shared if isinstance(component, gr.HTML)]
    gr.on([*changes, *editors], tell, shared, bar, trigger_mode="always_last", queue=False, **QUIET)
    copy.click(None, js=COPY)
    page.load(_opener(table), None, [opened, notice, *shared], **QUIET)
    return opened


def _opener(table: tuple[link.Key, ...]) -> Callable:
    def open_link(request: gr.Request):
        values, ignored = link.settings(table, dict(request.query_params))
        told = quiet(wording.ignored(ignored)) if ignored else ""
        allowed = link.allowed(table, values) if values else {}
        updates = [_update(name, values, allowed) for name in link.NAMES]
        return (1 if values else gr.skip()), told, *updates

    return open_link


def _update(name: str, values: dict, allowed: dict):
    said = {"value": values[name]} if name in values else {}
    if name == "size" and said:
        return gr.update(choices=size_choices(allowed[name]), **said)
    if name in ("n", "steps") and allowed:
        return gr.update(maximum=max(allowed[name]), **said)
    return said.get("value", gr.skip())
