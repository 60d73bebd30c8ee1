"""One throttle for all that streams to a browser, and one turn at a time for each visitor."""

import asyncio
import itertools

import gradio as gr
import pytest

from kernel_demo.ui.serving import jobs
from kernel_demo.ui.serving.jobs import LINE, Job, _while_held, throttled


def test_the_first_and_the_last_are_shown():
    """A fast source is thinned, and neither its start nor its end is lost."""
    assert list(throttled((n for n in range(1000)), 60)) == [0, 999]
    assert list(throttled((n for n in [None]), 60)) == [None]
    assert list(throttled((n for n in [None, None]), 60)) == [None, None]
    assert list(throttled((n for n in []), 60)) == []


def test_nothing_is_lost_without_haste():
    """With no time between them all are shown."""
    assert list(throttled((n for n in range(5)), 0)) == [0, 1, 2, 3, 4]


def test_a_long_stream_is_thinned_more_and_more(monkeypatch):
    """By a clock of our own, an item each hundredth of a second: every tenth of a second for the
    first one, each tenth of the time gone then, and never further apart than told."""
    now = [0.0]
    monkeypatch.setattr("kernel_demo.ui.serving.jobs.time.monotonic", lambda: now[0])

    def source():
        for n in range(1000):
            now[0] = n / 100
            yield n

    shown = list(throttled(source(), 0.1, 0.5))
    apart = [after - before for before, after in itertools.pairwise(shown)]
    assert shown[0] == 0
    assert set(apart[:9]) <= {10, 11}
    assert sorted(apart[:-1]) == apart[:-1] or max(apart) <= 51
    assert apart[-3] in (50, 51)
    assert shown[-1] == 999


def test_closing_the_stream_closes_its_source():
    """Who stops looking frees the device."""
    closed = []

    def source():
        try:
            yield from range(10**9)
        finally:
            closed.append(True)

    stream = throttled(source(), 0)
    next(stream)
    stream.close()
    assert closed == [True]


class TestTurns:
    """Of one visitor's turns the latest alone counts."""

    def test_who_was_given_up_makes_no_more_updates(self):
        """From the moment on at which another turn took its place; its source is closed."""
        closed = []

        def source():
            try:
                yield from range(10)
            finally:
                closed.append(True)

        turn = LINE.join("device")
        LINE.begin(turn)
        updates = _while_held(turn, source, [])
        assert [next(updates), next(updates)] == [0, 1]
        LINE.leave(turn)
        assert list(updates) == []
        assert closed == [True]

    @pytest.mark.parametrize("given_up", [False, True])
    def test_an_error_counts_while_somebody_waits_for_it(self, given_up):
        """It is told to who asked; of a turn that was given up, to nobody."""

        def breaks():
            yield 1
            raise RuntimeError

        turn = LINE.join("device")
        LINE.begin(turn)
        updates = _while_held(turn, breaks, [])
        next(updates)
        if given_up:
            LINE.leave(turn)
            assert list(updates) == []
        else:
            with pytest.raises(RuntimeError):
                next(updates)
        assert not LINE.holds(turn)

    def test_the_failure_of_an_old_turn_does_not_end_the_new_one(self):
        """It comes late, when the next one waits or is at work: nothing is told. One that cannot
        begin, as where the queue is full, or has failed, is told."""
        job = Job([gr.HTML()], lambda: ("told",))

        def told(turn):
            return asyncio.run(job._fail(turn))

        turn = LINE.join("device", None, "visitor", 7)
        LINE.queued("visitor", 7)
        assert told(turn) == [gr.skip()]
        assert LINE.holds(turn)
        LINE.begin(turn)
        assert told(turn) == [gr.skip()]
        assert LINE.holds(turn)
        LINE.leave(turn)
        assert told(turn) == ("told",)
        turn = LINE.join("device", None, "visitor", 7)
        LINE.refuse("visitor", 7)
        assert told(turn) == ("told",)
        assert told(0) == [gr.skip()]  # halted

    @pytest.mark.parametrize("comes", [True, False])
    def test_what_a_proxy_refuses_is_told(self, monkeypatch, comes):
        """Only the browser knows of it. An event that is on its way comes within a while, and then
        the failure is an old turn's; one that does not come was refused, and nobody waits behind
        it."""
        monkeypatch.setattr(jobs, "ON_ITS_WAY", 0.2)
        monkeypatch.setattr(jobs, "LOOK_AGAIN", 0.02)
        job, turn = Job([gr.HTML()], lambda: ("told",)), LINE.join("device", None, "visitor", 7)

        async def failure():
            answer = asyncio.create_task(job._fail(turn))
            await asyncio.sleep(0.05)
            if comes:
                LINE.queued("visitor", 7)
            return await answer

        assert asyncio.run(failure()) == ([gr.skip()] if comes else ("told",))
        assert LINE.holds(turn) == comes
