"""Bodies made at random, to every endpoint and event; benchmarks/fuzz.py takes ten minutes."""

import gc
import time

import psutil
import pytest

from benchmarks import fuzz
from tests.ui.visitor import PATIENCE


def rest(page):
    """Return when nothing runs and nothing waits."""
    end = time.monotonic() + PATIENCE
    while len(page._queue) or page._queue.get_active_worker_count():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_few(address, page):
    """No answer of 500, no traceback, no silence."""
    found = fuzz.fuzz(address, 2, 1, least=10)
    rest(page)
    assert found.wrong == {}


@pytest.mark.slow
def test_a_minute(address, page):
    """The same, and memory stays: what is loaded once comes first."""
    fuzz.fuzz(address, 30, 2)
    rest(page)
    gc.collect()
    before = psutil.Process().memory_info().rss
    found = fuzz.fuzz(address, 60, 3)
    rest(page)
    gc.collect()
    assert found.wrong == {}
    assert psutil.Process().memory_info().rss - before < 100 * 2**20
