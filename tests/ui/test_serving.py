"""How the page is served: /health, headers, and what an operator bounds."""

import threading
from contextlib import suppress

import httpx
import pytest

from kernel_demo.ui import device as gpu
from kernel_demo.ui import layout
from kernel_demo.ui.serving.bounds import Bounds
from kernel_demo.ui.serving.headers import HEADERS, POLICY
from kernel_demo.ui.serving.jobs import DEVICE, RUNS_AT_ONCE
from tests.ui.visitor import PATIENCE


def get(address, path, **options):
    return httpx.get(f"{address.rstrip('/')}{path}", timeout=PATIENCE, trust_env=False, **options)


def test_health_answers_while_all_devices_are_busy(address, page, monkeypatch):
    """As many runs as there may be hold the device, one waits: /health tells so, at once."""
    opened, held = threading.Event(), threading.Barrier(RUNS_AT_ONCE + 1)

    def busy(*_):
        with suppress(threading.BrokenBarrierError):
            held.wait(PATIENCE)
        assert opened.wait(PATIENCE)
        yield from ()

    monkeypatch.setattr(gpu, "learn", busy)
    learn = next(each._id for each in page.fns.values() if each.api_name == "learn")
    asked = {"fn_index": learn, "data": ["sobel_x", 3, 0, "kfac", 1, "bundled", 1, ""]}
    for number in range(RUNS_AT_ONCE + 1):
        body = {**asked, "session_hash": f"busy{number}"}
        assert post(address, "/gradio_api/queue/join", json=body).status_code == 200
    held.wait(PATIENCE)
    while len(page._queue) < 1:
        opened.wait(0.02)
    answer = get(address, "/health")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"status": "ok", "running": RUNS_AT_ONCE, "waiting": 1}
    held.abort()  # for the one that waits
    opened.set()


def post(address, path, **options):
    return httpx.post(f"{address.rstrip('/')}{path}", timeout=PATIENCE, trust_env=False, **options)


@pytest.mark.parametrize("path", ["/", "/config", "/health", "/gradio_api/nothing", "/preview.png"])
def test_every_answer_has_the_headers(address, path):
    """Of pages, files, JSON and what is not there."""
    headers = get(address, path).headers
    assert {name: headers.get(name) for name in HEADERS} == HEADERS


def test_the_policy_lets_a_space_frame_the_page_and_nobody_load_from_elsewhere():
    """By its own words: only frames may come from other hosts."""
    rules = dict(rule.split(" ", 1) for rule in POLICY.split("; "))
    framed = rules.pop("frame-ancestors")
    assert "https://huggingface.co" in framed
    assert "https://*.hf.space" in framed
    assert not any("http" in sources or "*" in sources for sources in rules.values())
    assert rules["object-src"] == "'none'"


def test_an_operators_bounds_reach_the_page():
    """Size of a file, length of the queue, runs at once: what gradio is given."""
    page = layout.build()
    given = {}
    page.launch = lambda **options: given.update(options)
    layout.launch(page, Bounds(upload=5, queue=3, runs=1))
    assert given["max_file_size"] == 5
    assert page._queue.max_size == 3
    limits = {
        fn.concurrency_limit
        for fn in page.fns.values()
        if fn.concurrency_id == DEVICE["concurrency_id"]
    }
    assert limits == {1}
