"""What the page is made of, as a script for the browser, without what no browser needs.

Gradio's frontend (6.31) looks through all parts for each event, through all events for each part,
and through both twice before it shows anything: a phone is busy with that for seconds.
"""

import json
from pathlib import Path

# The types of what is in no page: of those who call without a browser, and what the server keeps.
UNSEEN = ("api", "state")
# What is told of a part to those alone.
UNREAD = ("api_info", "api_info_as_input", "api_info_as_output", "example_inputs")
_STILL = Path(__file__).with_name("still.js")


def script(config: bytes) -> bytes:
    """The script that has the page's configuration. config: gradio's, in JSON."""
    made = json.dumps(slim(json.loads(config)), ensure_ascii=False, separators=(",", ":"))
    return f"window.gradio_config = {made};\n{_STILL.read_text('utf-8')}".encode()


def theme(config: bytes) -> str:
    """The version of the theme's style sheet."""
    return json.loads(config)["theme_hash"]


def slim(config: dict) -> dict:
    """A configuration without the events of calls without a browser, and parts that tell nothing.

    What follows another event is not told by a part: it is found by what it follows.
    """
    told = [_told(event) for event in config["dependencies"]]
    telling = {part for event in told for part, _ in event["targets"]}
    silent = {part["id"] for part in config["components"] if part["type"] in UNSEEN}
    unseen = silent - telling
    parts = [_read(part) for part in config["components"] if part["id"] not in unseen]
    events = [event for event in told if event["targets"] or event["trigger_after"] is not None]
    ids = {event["id"] for event in events}
    pages = {
        name: {
            "layout": _seen(page["layout"], unseen),
            "components": [each for each in page["components"] if each not in unseen],
            "dependencies": [each for each in page["dependencies"] if each in ids],
        }
        for name, page in config["page"].items()
    }
    layout = _seen(config["layout"], unseen)
    made = {"components": parts, "dependencies": events, "page": pages, "layout": layout}
    return config | made


def _read(part: dict) -> dict:
    return {key: value for key, value in part.items() if key not in UNREAD}


def _told(event: dict) -> dict:
    told = [(part, name) for part, name in event["targets"] if part is not None]
    return event | {"targets": told}


def _seen(node: dict, unseen: set[int]) -> dict:
    if "children" not in node:
        return node
    kept = [_seen(each, unseen) for each in node["children"] if each["id"] not in unseen]
    return node | {"children": kept}
