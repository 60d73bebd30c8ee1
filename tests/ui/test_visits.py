"""What is kept of visitors: of those who left little, within a bound; of the others all."""

import gc
import pickle
import threading
import time
from contextlib import contextmanager

import httpx
import pytest
from gradio.blocks import Block

from kernel_demo.ui.serving import fair
from kernel_demo.ui.serving.visits import FORGET, REST, Visits
from tests.ui.visitor import Visitor

LEAST = 100_000  # bytes of a visit that learned, once its page is closed


@pytest.fixture(scope="module")
def served(page, address):
    """The sessions of the page that is served."""
    return page.state_holder


@contextmanager
def opened(visitor):
    """The visitor's page is open, as its browser tells by a stream that stays."""
    with visitor.http.stream("GET", f"/heartbeat/{visitor.session}") as stream:
        lines = stream.iter_lines()  # forgotten, it would close the stream
        next(lines)
        yield lines


def learn(visitor):
    visitor.press("live", "learn", data={})


def later(holder, seconds):
    """Sweep as if so much time had passed."""
    holder.sweep(time.monotonic() + seconds)


def until(holds):
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.02)


def test_who_leaves_leaves_little(page, served, address):
    """Of visits that learned no object is left, of each less than 100 KB, and no name in queues."""

    def visit():
        visitor = Visitor(address)
        with opened(visitor):
            visitor.choose("method", "exact")
            learn(visitor)
        return visitor.session

    visit()
    queue = page._queue
    others = {*queue.event_analytics}  # of tests whose events never came to an end
    gc.collect()
    blocks = sum(isinstance(each, Block) for each in gc.get_objects())
    sessions = [visit() for _ in range(2)]
    until(lambda: not {*sessions} & {*served.open})
    later(served, REST + 1)
    page._queue.tidy(served.session_data)
    gc.collect()
    assert not served.session_data.keys() & {*sessions}
    assert all(1000 < len(served.left[each].packed) < LEAST for each in sessions)
    assert sum(isinstance(each, Block) for each in gc.get_objects()) <= blocks
    for kept in (queue.pending_event_ids_session, queue.pending_messages_per_session):
        assert not kept.keys() & {*sessions}
    assert {*queue.event_analytics} <= others


def test_who_comes_back_finds_it_as_it_was(served, address):
    """As after a lost connection: the run, to be gone on with, and what a control may be set to."""
    visitor = Visitor(address)
    with opened(visitor):
        visitor.choose("method", "exact")
        learn(visitor)
        before = served[visitor.session]
        states, steps = pickle.dumps(before.state_data), visitor.part("steps")
        most = before.blocks_config.blocks[steps].maximum
    until(lambda: visitor.session not in served.open)
    later(served, REST + 1)
    assert visitor.session not in served.session_data
    assert visitor.session in served
    with opened(visitor):
        again = served[visitor.session]
        assert again is not before
        assert again.blocks_config.blocks[steps].maximum == most
        assert pickle.loads(states).keys() >= again.state_data.keys()
        kept = next(each for each in before.state_data.values() if hasattr(each, "kept")).kept
        now = next(each for each in again.state_data.values() if hasattr(each, "kept"))
        assert now.kept == kept
        visitor.press("live", "resume", data={"step": kept.steps[1]})
        assert not visitor.failures
        assert visitor.session not in served.left


def test_pages_that_are_open_or_at_work_stay(page, served, address, monkeypatch):
    """However long they rest: nothing of them is packed, and nothing that is kept forgotten."""
    visitor, script = Visitor(address), Visitor(address)
    with opened(visitor), opened(visitor):
        learn(visitor)
        visit = served[visitor.session]
        assert served.open[visitor.session] == 2
    with opened(visitor):
        later(served, 100 * FORGET)
        assert served.session_data[visitor.session] is visit
    served[script.session]
    monkeypatch.setattr(served, "busy", lambda: {script.session})
    later(served, 100 * FORGET)
    assert script.session in served.session_data
    until(lambda: visitor.session not in served.open)
    later(served, 100 * FORGET)
    assert visitor.session not in served


def test_a_bound_for_all(page):
    """Whoever left first is forgotten first, as soon as all who left exceed the bound."""
    holder = Visits(most=11_000)
    holder.blocks = page
    state = next(key for key, block in page.blocks.items() if block.stateful)
    for number in range(50):
        holder[f"{number}"][state] = bytes(2000)
        later(holder, REST + 1)
        assert holder.size <= holder.most
    assert [*holder.left] == ["46", "47", "48", "49"]
    assert holder.size == sum(each.size for each in holder.left.values())
    holder["46"]
    assert holder.size == sum(each.size for each in holder.left.values())
    later(holder, REST + 1)
    assert [*holder.left] == ["47", "48", "49", "46"]
    later(holder, FORGET + 1)
    assert not holder.left
    assert holder.size == 0


def test_nothing_is_kept_of_who_set_nothing(page, address, served):
    """As of scripts: each call is a session of its own."""
    answer = httpx.post(
        f"{address}gradio_api/call/learn", json={"data": ["sobel_x", 3, 0, "kfac", 3]}
    )
    number = answer.json()["event_id"]
    text = httpx.get(f"{address}gradio_api/call/learn/{number}", timeout=60).text
    assert "event: complete" in text
    until(lambda: number not in page._queue.busy())
    later(served, REST + 1)
    assert number not in served
    page._queue.tidy()
    assert number not in page._queue.pending_event_ids_session


def test_unread_answers_are_bounded(page, address, monkeypatch):
    """A script may ask later for what it began; of many that never do the oldest are forgotten."""
    call, data = f"{address}gradio_api/call/learn", ["sobel_x", 3, 0, "kfac", 3]
    queue = page._queue
    numbers = []
    for _ in range(3):
        numbers.append(httpx.post(call, json={"data": data}).json()["event_id"])
        until(lambda: numbers[-1] not in queue.busy())
    queue.tidy()
    assert queue.pending_event_ids_session.keys() >= {*numbers}
    sizes = [queue.pending_messages_per_session[each].qsize() for each in numbers]
    monkeypatch.setattr(fair, "UNREAD_IN_ALL", sum(sizes[1:]))
    queue.tidy(queue.pending_event_ids_session.keys() - {*numbers})
    assert numbers[0] not in queue.pending_event_ids_session
    assert "complete" in httpx.get(f"{call}/{numbers[1]}", timeout=60).text


def test_links_to_what_a_session_shows_are_not_made(address):
    """Gradio's own ones: they would write a file of all that the page is made of."""
    answer = httpx.get(f"{address}gradio_api/deep_link", params={"session_hash": "a"})
    assert answer.status_code == 404


def test_a_visit_that_cannot_be_packed_is_nobody_elses_trouble(page):
    """It is gone, which the log tells; the next one is packed."""
    holder = Visits()
    holder.blocks = page
    state = next(key for key, block in page.blocks.items() if block.stateful)
    holder["one"][state], holder["two"][state] = threading.Lock(), 2
    later(holder, REST + 1)
    assert [*holder.left] == ["two"]
    assert holder["two"][state] == 2
