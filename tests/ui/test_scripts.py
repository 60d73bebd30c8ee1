"""The scripts of the page, each as gradio gets it: shared parts, and then its own."""

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from kernel_demo.ui import layout

pytestmark = pytest.mark.tool
# What gradio hands to a script: https://www.gradio.app/guides/custom-HTML-components
OPENING = "export default async function (element, props, trigger, server, upload, watch) {\n"
RULES = {
    "env": {"browser": True, "es2024": True},
    "categories": {"correctness": "error"},
    "rules": {"no-undef": "error", "no-unused-vars": ["error", {"args": "none"}]},
}


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> tuple[dict[str, str], list[dict]]:
    """The text of each whole script by its component's name, and what oxlint says of all."""
    folder = tmp_path_factory.mktemp("scripts")
    texts = {}
    for part in layout.build().get_config_file()["components"]:
        text = part["props"].get("js_on_load")
        if text and text not in texts.values():
            texts[part["props"].get("elem_id") or f"part-{part['id']}"] = text
    for name, text in texts.items():
        (folder / f"{name}.js").write_text(f"{OPENING}{text}\n}}\n", encoding="utf-8")
    (folder / "rules.json").write_text(json.dumps(RULES))
    oxlint = Path(sys.executable).with_name("oxlint")
    command = [oxlint, "-c", "rules.json", "-f", "json", "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return texts, json.loads(done.stdout)["diagnostics"]


def test_every_name_is_one_that_there_is(found):
    """No script uses what neither it, a part that comes before it, nor the browser has."""
    texts, said = found
    assert {"live", "header", "spectrum", "take"} <= set(texts)
    others = [one for one in said if "no-unused-vars" not in one["code"]]
    assert [(one["filename"], one["message"]) for one in others] == []


def test_nothing_is_left_over(found):
    """A shared function that no script uses is gone."""
    texts, said = found
    unused = defaultdict(set)
    for one in said:
        if "no-unused-vars" in one["code"]:
            unused[re.search("'(.+?)'", one["message"])[1]].add(Path(one["filename"]).stem)
    assert unused  # the shared parts hold more than each script needs
    for name, where in unused.items():
        having = {key for key, text in texts.items() if re.search(rf"\b{re.escape(name)}\b", text)}
        assert having - where, f"nobody uses {name}"
