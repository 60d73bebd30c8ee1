"""What is remembered, of the Hub's answers and in general."""

import threading
import time
import weakref

import pytest

from kernel_demo.errors import DemoError
from kernel_demo.sources import hub
from kernel_demo.sources.memory import BYTES_EACH, Memory

ANSWER = BYTES_EACH + 100


@pytest.fixture
def runs(monkeypatch):
    """The requests that reach a worker which always finds the Hub refusing; starts unknowing."""
    asked = []

    def refuse(request, _):
        time.sleep(0.1)
        asked.append(request)
        return hub._Taken(cause="refused")

    monkeypatch.setattr(hub, "_memory", Memory(10**6))
    monkeypatch.setattr(hub, "_run_worker", refuse)
    return asked


def fail():
    with pytest.raises(DemoError, match="no usable answer"):
        hub.load("a/b")


def test_memory_is_bounded():
    """The latest answers are remembered, the oldest forgotten beyond the limit in bytes."""
    memory = Memory(2 * ANSWER)
    for name in "abc":
        memory.remember((name,), name, 100, 60.0)
    assert memory.recall(("a",)) is None
    assert memory.recall(("b",)) == "b"
    memory.remember(("d",), "d", 100, 60.0)  # b was asked for last: c is forgotten
    assert memory.recall(("c",)) is None
    assert memory.recall(("b",)) == "b"


def test_what_is_too_large_pushes_nothing_out():
    """An answer beyond the whole limit is not kept, and costs no other its place."""
    memory = Memory(2 * ANSWER)
    memory.remember(("a",), "a", 100, 60.0)
    memory.remember(("b",), "b", 3 * ANSWER, 60.0)
    assert (memory.recall(("a",)), memory.recall(("b",))) == ("a", None)


def test_what_is_too_old_is_let_go():
    """Nothing holds an old answer any longer, even if nobody asks for it again."""
    memory, answer = Memory(10**6), threading.Event()
    gone = weakref.ref(answer)
    memory.remember(("kept",), "kept", 0, float("inf"))
    memory.remember(("late",), answer, 0, 0.02)
    del answer
    until = time.monotonic() + 10  # a busy machine; passes within 0.1 s
    while gone() is not None and time.monotonic() < until:
        time.sleep(0.01)
    assert gone() is None
    assert memory.recall(("kept",)) == "kept"


def test_failure_is_forgotten_after_a_while(runs, monkeypatch):
    """The Hub is asked again when a failure is old; not before."""
    fail()
    fail()
    assert len(runs) == 1
    monkeypatch.setattr(hub, "NOTHING", 0.0)
    hub._memory = Memory(10**6)
    fail()
    fail()
    assert len(runs) == 3


def test_the_same_at_once_is_asked_once(runs):
    """Visitors who choose the same dataset together share one load."""
    threads = [threading.Thread(target=fail) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) == 1


def test_who_waits_too_long_is_told():
    """The wait for another's load ends, too."""
    memory = Memory(ANSWER)
    refused = pytest.raises(LookupError)
    with memory.asking(("a",), 1.0), refused, memory.asking(("a",), 0.05, LookupError):
        pass
    with memory.asking(("a",), 0.05):  # and is free again
        pass
