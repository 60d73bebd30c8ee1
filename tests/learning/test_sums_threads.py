"""Sums that share threads leave torch's own threads alone, and do not mind each other."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from kernel_demo.learning import sums
from kernel_demo.learning.sums import patch_sums
from tests.learning.explicit import assert_same_bits, picture

PAIR = picture((300, 300), np.uint8, 1), picture((300, 300), np.uint8, 2)
WAYS = [  # the type and the size that choose each way to the lags
    pytest.param(np.uint8, 3, sums.Norms, id="norms"),
    pytest.param(np.uint16, 3, sums.Products, id="products"),
    pytest.param(np.float32, 7, sums.Transforms, id="transforms"),
]


@pytest.fixture
def threads(monkeypatch):
    """Four threads for torch, whatever the machine has, and strips enough for all of them."""
    monkeypatch.setattr(sums, "STRIP_PIXELS", 2**12)
    allowed = torch.get_num_threads()
    torch.set_num_threads(4)
    yield 4
    torch.set_num_threads(allowed)


def of_a_newcomer():
    """The number of threads of a thread that meets torch for the first time, now."""
    numbers = []
    newcomer = threading.Thread(target=lambda: numbers.append(torch.get_num_threads()))
    newcomer.start()
    newcomer.join()
    return numbers[0]


@pytest.mark.parametrize(("dtype", "size", "way"), WAYS)
def test_who_meets_torch_meanwhile_has_all_threads(threads, monkeypatch, dtype, size, way):
    """At each strip, and after every change of torch's number, a new thread gets what is due."""
    numbers = []

    def asked_after(function):
        def wrapped(*arguments):
            result = function(*arguments)
            numbers.append(of_a_newcomer())
            return result

        return wrapped

    monkeypatch.setattr(way, "correlate", asked_after(way.correlate))
    monkeypatch.setattr(torch, "set_num_threads", asked_after(torch.set_num_threads))
    patch_sums(*(each.astype(dtype) for each in PAIR), size)
    monkeypatch.undo()
    assert numbers
    assert set(numbers) == {threads}
    assert torch.get_num_threads() == threads


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere torch may have no OpenMP")
@pytest.mark.parametrize(("dtype", "size", "way"), WAYS)
def test_each_thread_computes_alone(threads, monkeypatch, dtype, size, way):
    """Threads that share a picture do not have torch share each operation once more."""
    numbers, correlate = [], way.correlate

    def counted(*arguments):
        numbers.append((threading.get_ident(), torch.get_num_threads()))
        return correlate(*arguments)

    monkeypatch.setattr(way, "correlate", counted)
    patch_sums(*(each.astype(dtype) for each in PAIR), size)
    assert {number for _, number in numbers} == {1}
    assert threading.get_ident() not in dict(numbers)


def test_an_error_in_a_thread_is_told_and_leaves_nothing(threads, monkeypatch):
    """What fails in one thread fails in the caller, and torch's number is as it was."""

    def fails(*_):
        raise MemoryError("no room for a strip")

    monkeypatch.setattr(sums.Norms, "correlate", fails)
    with pytest.raises(MemoryError, match="no room"):
        patch_sums(*PAIR, 3)
    assert (torch.get_num_threads(), of_a_newcomer()) == (threads, threads)


def test_a_thread_that_cannot_start_is_told_and_leaves_nothing(threads, monkeypatch):
    """Where the machine refuses the second thread, at once an error, and torch is as it was."""
    started, start = [], threading.Thread.start

    def refuses(thread):
        started.append(thread)
        if len(started) == 2:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuses)
    with pytest.raises(RuntimeError, match="can't start"):
        patch_sums(*PAIR, 3)
    monkeypatch.undo()
    assert (torch.get_num_threads(), of_a_newcomer()) == (threads, threads)


@pytest.mark.parametrize(("dtype", "size", "way"), WAYS)
def test_at_the_same_time_as_alone(threads, dtype, size, way):
    """Four callers at once get, to the last bit, what one gets alone."""
    pair = [each.astype(dtype) for each in PAIR]
    alone = patch_sums(*pair, size)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: patch_sums(*pair, size), range(4)):
            assert_same_bits(found, alone)
