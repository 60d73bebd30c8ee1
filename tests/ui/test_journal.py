"""The log: one line a run, which tells nothing of a visitor."""

import asyncio
import logging
import time

import pytest

from kernel_demo.ui.serving import journal
from tests.ui.visitor import PATIENCE, Visitor


@pytest.fixture
def lines(caplog):
    """What was logged, line by line."""

    class Kept(logging.Handler):
        def emit(self, record):
            kept.append(record.getMessage())

    kept, handler = [], Kept()
    caplog.set_level(logging.INFO, "kernel_demo")
    logging.getLogger("kernel_demo").addHandler(handler)
    yield kept
    logging.getLogger("kernel_demo").removeHandler(handler)


def test_a_run_is_told_in_one_line(lines):
    """What ran, its settings, its seconds, its end."""
    with journal.told("learn", {"size": 3, "method": "kfac", "noise": 0.5}):
        pass
    assert [line.partition(", ")[0] for line in lines] == ["learn size=3 method=kfac noise=0.5"]
    assert lines[0].endswith(" s: done")


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (GeneratorExit, "stopped"),
        (asyncio.CancelledError, "stopped"),
        (ValueError, "failed by ValueError"),
    ],
)
def test_how_it_ended(lines, raised, told):
    """A run that was left, and one that failed: told as such, and the error goes on."""
    with pytest.raises(raised), journal.told("learn", {}):
        raise raised("/secret/path.png")
    assert lines[0].endswith(told)


@pytest.mark.parametrize(
    "secret",
    [
        "holiday.png", "/tmp/gradio/ab/holiday.png", "127.0.0.1", "http://a.b/c", "::1",
        ["holiday.png"], {"path": "holiday.png"}, b"picture", "a name that is longer than any",
    ],
)  # fmt: skip
def test_nothing_of_a_visitor_is_told(lines, secret):
    """No file, no picture, no address, no free text."""
    with journal.told("recover", {"file": secret, "size": 9}):
        pass
    assert lines[0].startswith("recover size=9, ")


def test_the_page_tells_its_runs(client, address, lines):
    """A script's run and a visitor's leave a line each, with their settings."""
    client.predict(kernel="sobel_y", images=1, steps=2, api_name="/learn")
    visitor = Visitor(address, about="live")
    visitor.press("live", "learn", data={})
    deadline = time.monotonic() + PATIENCE
    while len(runs := sorted(line for line in lines if "learn" in line)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert "/learn kernel=sobel_y size=3 seed=0 method=kfac steps=2" in runs[0]
    assert runs[1].startswith("live learn ")
    assert "kernel=sobel_x" in runs[1]
    assert all(run.endswith(": done") for run in runs)
    assert "127.0.0.1" not in "".join(lines)
