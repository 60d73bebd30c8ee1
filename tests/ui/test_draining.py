"""A server that is being replaced: whom it still answers, what it says, and when it ends."""

import signal
import threading
import time
from functools import partial
from types import SimpleNamespace

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from kernel_demo.ui import device as gpu
from kernel_demo.ui.serving import draining
from kernel_demo.ui.serving.jobs import FAILED
from tests.ui.visitor import PATIENCE, Visitor


@pytest.fixture
def server(monkeypatch):
    """Nothing has been told to it yet, and what the test does to it ends with the test."""
    monkeypatch.setattr(draining, "_told", threading.Event())
    monkeypatch.setattr(draining, "_since", float("inf"))
    monkeypatch.setattr(draining, "_waiting", {})
    return draining


@pytest.fixture
def behind(server):
    """What answers "page" at every path, behind the gate."""

    def answer(request):
        return PlainTextResponse("page")

    app = Starlette(routes=[Route("/{path:path}", answer)], middleware=[Middleware(server.Gate)])
    return TestClient(app)


def test_the_gate(behind):
    """A proxy learns that the server is not ready. From the word on, the page itself is another
    server's, and everything else, which those at work need, goes on."""
    assert not draining.begun()
    for path in draining.ENTRANCES:
        assert behind.get(path).text == "page"
    draining.begin()
    assert draining.begun()
    for path in ("/health", "/", "/config"):
        assert behind.get(path).status_code == 503
        assert behind.get(path).text == draining.SENTENCE
    for path in ("/gradio_api/queue/data", "/gradio_api/run/predict", "/assets/x.js"):
        assert behind.get(path).text == "page"


def test_the_gate_under_a_path(server):
    """With a root path, whether the proxy takes it off or not."""
    app = Starlette(middleware=[Middleware(server.Gate)])
    server.begin()
    for path in ("/health", "/kernels/health"):
        assert TestClient(app, root_path="/kernels").get(path).status_code == 503


@pytest.fixture
def ending(server, monkeypatch):
    """ending(): SIGTERM to this process; (status, seconds) with and after which it would end."""
    # The process is that of all tests, and goes on.
    monkeypatch.setattr(draining, "LAST_WORDS", 3600)
    monkeypatch.setattr(draining, "atexit", SimpleNamespace(register=lambda *_: None))
    before = signal.getsignal(signal.SIGTERM)

    def tell() -> tuple[int, float]:
        draining.heed_sigterm()
        began = time.monotonic()
        with pytest.raises(SystemExit) as ended:
            signal.raise_signal(signal.SIGTERM)
        return ended.value.code, time.monotonic() - began

    yield tell
    signal.signal(signal.SIGTERM, before)


def test_it_ends_when_nobody_waits(ending, monkeypatch):
    """Status 0, not before a moment has passed without a request; the second SIGTERM is heard by
    the system alone."""
    monkeypatch.setattr(draining, "QUIET_FOR", 0.3)
    status, seconds = ending()
    assert status == 0
    assert seconds > 0.3
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_it_ends_late_for_those_who_wait(ending, monkeypatch):
    """Whoever waits is waited for, but not for ever."""
    monkeypatch.setattr(draining, "QUIET_FOR", 0)
    monkeypatch.setattr(draining, "END_AFTER", 0.5)
    draining._waiting[1] = {}
    status, seconds = ending()
    assert status == 0
    assert seconds > 0.5


def test_a_request_is_waited_for_and_a_heartbeat_is_not(server, monkeypatch):
    """What is being answered keeps the server; an open page alone does not."""
    monkeypatch.setattr(draining, "QUIET_FOR", 0)
    draining.begin()
    quiet = []

    async def app(scope, receive, send):
        quiet.append(draining._quiet())
        await PlainTextResponse("")(scope, receive, send)

    for path in ("/gradio_api/heartbeat/abc", "/gradio_api/queue/data"):
        TestClient(server.Gate(app)).get(path)
    assert quiet == [True, False]
    assert draining._quiet()


def test_no_new_run(address, client, server):
    """A script is told in a sentence, and so is the page, where it tells what went wrong; what was
    learned before stays, and the settings can still be changed."""
    visitor = Visitor(address, about="live")
    visitor.press("live", "learn", data={})
    learned = visitor.shown["live"]["value"]
    assert learned["end"]
    draining.begin()
    with pytest.raises(AppError, match=draining.SENTENCE):
        client.predict(api_name="/learn")
    visitor.press("live", "learn", data={})
    told = visitor.shown["live"]["value"]
    assert told["error"] == draining.SENTENCE
    assert told["records"] == learned["records"]
    visitor.choose("kernel", "emboss")
    assert "mboss" in visitor.shown["live"]["value"]["chips"]["filter"]["text"]


def test_a_failure_told_by_another_server(address):
    """Whose run was another server's, which is gone, is told that it failed, and not left waiting.

    Who has halted a run is told of no failure by this one either."""
    visitor = Visitor(address, about="live")
    heard = visitor.of("live", "learn")[0]
    (fails,) = (event for event in visitor.after(heard["id"]) if event["trigger_only_on_failure"])
    visitor.dispatch(fails)
    assert visitor.shown["live"]["value"]["error"] == FAILED
    visitor.press("live", "stop", data={})
    halted = visitor.shown["live"]["value"]
    visitor.dispatch(fails)
    assert visitor.shown["live"]["value"] == halted


@pytest.mark.parametrize("tell_after", [1000, -1])
def test_a_run_in_progress_ends_or_is_told(address, server, monkeypatch, tell_after):
    """One that ends in time is as it would have been; one that takes longer says the sentence, and
    what it has learned stays."""
    reached, opened = threading.Event(), threading.Event()
    real = gpu.learn

    def gated(*arguments):
        for progress in real(*arguments):
            if progress.step >= 3 and not reached.is_set():
                reached.set()
                assert opened.wait(PATIENCE)
            yield progress

    monkeypatch.setattr(gpu, "learn", gated)
    monkeypatch.setattr(draining, "TELL_AFTER", tell_after)
    visitor = Visitor(address, about="live")
    learning = threading.Thread(target=partial(visitor.press, "live", "learn", data={}))
    learning.start()
    assert reached.wait(PATIENCE)
    draining.begin()
    opened.set()
    learning.join(PATIENCE)
    told = visitor.shown["live"]["value"]
    if tell_after > 0:
        assert told["end"]["complete"]
        assert "error" not in told
    else:
        assert told["error"] == draining.SENTENCE
        assert not told["computing"]
        assert told["records"]


def test_a_script_in_progress_is_told(address, server, monkeypatch):
    """The sentence is the error of its job, with the steps before it at hand."""
    job = Client(address, verbose=False).submit(
        kernel="random", size=15, method="adam", steps=5000, api_name="/learn"
    )
    while len(job.outputs()) < 2:
        time.sleep(0.05)
    monkeypatch.setattr(draining, "TELL_AFTER", -1)
    draining.begin()
    with pytest.raises(AppError, match=draining.SENTENCE):
        job.result(timeout=PATIENCE)
    assert job.outputs()[-1]["step"] > 0
