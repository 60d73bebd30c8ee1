"""Places in a queue, counted by the page itself."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from kernel_demo.ui.serving import line
from kernel_demo.ui.serving.line import Line


def places(queue, *turns):
    return [waiting and waiting[0] for waiting in map(queue.waiting, turns)]


def test_places_are_those_of_who_still_waits():
    """In the order in which they came; whoever begins or leaves gives way, and each queue is its
    own."""
    queue = Line()
    first, second, third = (queue.join("device") for _ in range(3))
    elsewhere = queue.join("sums")
    assert places(queue, first, second, third, elsewhere) == [1, 2, 3, 1]
    assert queue.begin(first)[0]
    assert places(queue, first, second, third) == [None, 1, 2]
    queue.leave(second)
    assert places(queue, second, third) == [None, 1]


def test_a_turn_is_taken_once_and_not_after_it_was_given_up():
    """What was handed over is given back to who begins; a turn that was left does not begin, and 0
    is none."""
    queue = Line()
    turn, left = queue.join("device", "mine"), queue.join("device", "other")
    queue.leave(left)
    assert queue.waiting(turn) == (1, "mine")
    assert queue.begin(turn) == (True, "mine")
    assert queue.holds(turn)
    assert queue.begin(left) == (False, None)
    assert queue.begin(0) == (False, None)
    queue.leave(turn)
    assert not queue.holds(turn)
    assert queue.begin(turn) == (False, None)


def test_who_is_gone_is_not_counted(monkeypatch):
    """A visitor who closes the page says nothing: after a while nobody waits behind them, and at
    last nothing is kept of them; who is at work is never forgotten."""
    now = 0.0
    monkeypatch.setattr(line.time, "monotonic", lambda: now)
    queue = Line()
    at_work, gone, here = (queue.join("device", "session") for _ in range(3))
    queue.begin(at_work)
    assert places(queue, here) == [2]
    now = line.SILENCE + 1
    assert places(queue, here) == [1]
    now = line.FORGET + line.SILENCE + 2
    queue.join("device")
    assert queue.begin(gone) == (False, None)
    assert queue.holds(at_work)


def test_of_many_who_never_begin_the_latest_are_kept(monkeypatch):
    """Whoever is heard of stays in the line, and whoever is at work; of the others at most so many
    as are kept in all."""
    now = 0.0
    monkeypatch.setattr(line.time, "monotonic", lambda: now)
    monkeypatch.setattr(line, "MOST_WAITING", 4)
    queue = Line()
    at_work, here = (queue.join("device", "session") for _ in range(2))
    queue.begin(at_work)
    made_up = []
    for now in range(1, 21):  # noqa: B007 - the clock
        made_up.append(queue.join("device", "session"))
        assert queue.waiting(here)
    assert queue.holds(at_work)
    assert [*map(queue.holds, made_up)] == [False] * 17 + [True] * 3


def test_an_event_that_cannot_begin_loses_its_turn():
    """That of the visitor alone, and of what is at work nothing."""
    queue = Line()
    at_work, waits = (queue.join("device", visitor="a", event=3) for _ in range(2))
    others = [queue.join("device", visitor=v, event=e) for v, e in (("a", 4), ("b", 3))]
    queue.begin(at_work)
    queue.refuse("a", 3)
    assert not queue.holds(waits)
    assert all(map(queue.holds, (at_work, *others)))


def test_notes_reach_who_works():
    """The latest of each kind; none reach a turn that is over."""
    queue = Line()
    turn = queue.join("device")
    queue.note(turn, picture=1, other=2)
    queue.note(turn, picture=3)
    assert queue.notes(turn) == {"picture": 3, "other": 2}
    queue.leave(turn)
    queue.note(turn, picture=4)
    assert queue.notes(turn) == {}


@pytest.mark.parametrize("workers", [8])
def test_many_at_once_get_turns_of_their_own(workers):
    """Threads that join, ask, begin and leave at the same time: no turn is given twice, none begins
    twice, and all places are taken in order when they have gone."""
    queue, interval = Line(), sys.getswitchinterval()

    def visit(_):
        turn = queue.join("device")
        place, _ = queue.waiting(turn)
        begun = [queue.begin(turn)[0] for _ in range(2)]
        queue.leave(turn)
        return turn, place, begun

    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(workers) as pool:
            visits = list(pool.map(visit, range(400)))
    finally:
        sys.setswitchinterval(interval)
    turns, seen, begun = zip(*visits, strict=True)
    assert len(set(turns)) == 400
    assert all(1 <= place <= workers for place in seen)
    assert all(first for first, _ in begun)
    assert places(queue, queue.join("device")) == [1]
