"""Bodies made at random, to every endpoint and event; benchmarks/fuzz.py takes ten minutes."""

import gc
import time
from types import SimpleNamespace

import httpx
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


class Pretended:
    """A server whose looks are given: what runs, and MB; the last one goes on."""

    def __init__(self, *looks):
        self.looks, self.seen = [*looks], self

    def get(self, path):
        self.now = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        return httpx.Response(200, json={"running": self.now[0], "waiting": 0})

    def memory_info(self):
        return SimpleNamespace(rss=self.now[1] * 1e6)


def pretended(monkeypatch, *looks):
    """What the benchmark says of it, in steps of a second of no length."""
    now = [0.0]
    monkeypatch.setattr(fuzz.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(fuzz.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    found = fuzz.Findings()
    return fuzz.at_rest(Pretended(*looks), found), found, now[0]


def test_memory_is_that_of_a_server_at_rest(monkeypatch):
    """Neither that of a run, nor what is free and not given back yet; nor what was before a run
    that came between."""
    looks = [(1, 700), (0, 500), (1, 650), *[(0, 640)] * 30, (0, 610)]
    least, found, seconds = pretended(monkeypatch, *looks)
    assert (least, found.wrong) == (610, {})
    assert seconds >= fuzz.REST


def test_what_is_never_given_back_counts_in_full(monkeypatch):
    """And what a server takes that falls back for a moment long before."""
    looks = [(0, 500), *[(0, 640)] * 10]
    assert pretended(monkeypatch, *looks)[0] == 640


def test_a_run_that_never_ends_is_a_finding(monkeypatch):
    """It is told, in bounded time, and its memory counts."""
    least, found, seconds = pretended(monkeypatch, (1, 700))
    assert least == 700
    assert len(found.wrong) == 1
    assert seconds <= 2 * (fuzz.PATIENCE + fuzz.REST)
