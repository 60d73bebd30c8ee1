"""Visitors take turns: in the queue of the page as it is served, and in the places it tells."""

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from gradio.queueing import EventQueue
from gradio_client import Client
from PIL import Image

from kernel_demo.ui import device as gpu
from kernel_demo.ui.serving import fair
from kernel_demo.ui.serving.fair import FairQueue
from kernel_demo.ui.serving.jobs import RUNS_AT_ONCE
from kernel_demo.ui.serving.line import MOST_SERVED, Line, Served, fairly
from tests.ui.visitor import PATIENCE


@pytest.mark.parametrize(
    ("waiting", "served", "order"),
    [
        ("aaab", {}, "abaa"),  # each one's first before anybody's second
        ("aabb", {"a": 2, "b": 1}, "baba"),  # who was served longest ago comes first
        ("aab", {"a": 1}, "baa"),  # who was never served, before
        ("cab", {}, "cab"),  # as they came
        ("", {}, ""),
    ],
)
def test_the_order_of_turns(waiting, served, order):
    """By hand."""
    assert "".join(waiting[i] for i in fairly(waiting, served)) == order


def test_each_visitors_own_come_in_their_order():
    """Whoever waits with several gets them as they were asked for."""
    waiting = list("aabacb")
    order = fairly(waiting, {"c": 3, "a": 9})
    for visitor in "abc":
        own = [i for i in order if waiting[i] == visitor]
        assert own == sorted(own)


def test_what_is_known_of_the_served_is_bounded():
    """A server that runs for long forgets who was served longest ago."""
    served = Served()
    for visitor in range(MOST_SERVED + 5):
        served.note(visitor)
    assert len(served) == MOST_SERVED
    assert served.get(0, 0) == 0
    assert served[5] < served[MOST_SERVED]


def test_the_place_told_is_that_of_the_turn():
    """Of two who wait the one who was served already is told the later place."""
    line = Line()
    line.begin(line.join("device", visitor="a"))
    again = [line.join("device", visitor="a") for _ in range(3)]
    other = line.join("device", visitor="b")
    assert [line.waiting(turn)[0] for turn in (*again, other)] == [2, 3, 4, 1]


def test_a_tenth_run_waits_behind_anothers_first(address, page, monkeypatch):
    """A script asks for ten runs, then another one for its first: that is served before the third,
    as soon as one of the two at work ends."""
    order, gate, full = [], threading.Semaphore(0), threading.Barrier(RUNS_AT_ONCE + 1)
    real = gpu.learn

    def watched(pictures, truth, settings, *rest):
        order.append(settings.steps)
        if len(order) <= RUNS_AT_ONCE:
            full.wait(PATIENCE)
        assert gate.acquire(timeout=PATIENCE)
        yield from real(pictures, truth, settings, *rest)

    monkeypatch.setattr(gpu, "learn", watched)
    many, one = (Client(address, verbose=False, ssl_verify=False) for _ in range(2))

    def ask(client, steps):
        return client.submit(images=1, steps=steps, api_name="/learn")

    jobs = []
    for steps in range(1, 11):
        jobs.append(ask(many, steps))
        until(lambda n=steps: len(order) + len(page._queue) >= n)
    full.wait(PATIENCE)
    jobs.append(ask(one, 20))
    until(lambda: len(page._queue) == 11 - RUNS_AT_ONCE)
    gate.release(11)
    for job in jobs:
        job.result(timeout=PATIENCE)
    assert order.index(20) == RUNS_AT_ONCE
    assert [steps for steps in order[RUNS_AT_ONCE:] if steps < 20] == [*range(3, 11)]


def test_one_visitor_does_not_fill_the_queue(address, page, monkeypatch):
    """Beyond a half of it the visitor is told so, and there is room for another."""
    opened, real = threading.Event(), gpu.learn

    def held(*arguments):
        assert opened.wait(PATIENCE)
        yield from real(*arguments)

    monkeypatch.setattr(gpu, "learn", held)
    greedy, other = (Client(address, verbose=False, ssl_verify=False) for _ in range(2))
    most = page._queue.max_size // fair.SHARE
    begun, waiting = page._queue.get_active_worker_count, page._queue.__len__
    with ThreadPoolExecutor(1) as pool:
        jobs = []
        for asked in range(1, RUNS_AT_ONCE + most + 1):
            jobs.append(greedy.submit(images=1, steps=1, api_name="/learn"))
            until(lambda n=asked: begun() >= min(n, RUNS_AT_ONCE) and begun() + waiting() >= n)
        until(lambda: len(page._queue) == most)
        with pytest.raises(Exception, match="full|at most"):
            greedy.predict(images=1, steps=1, api_name="/learn")
        late = pool.submit(other.predict, images=1, steps=1, api_name="/learn")
        until(lambda: len(page._queue) == most + 1)
        opened.set()
        assert late.result(PATIENCE)
        for job in jobs:
            job.result(timeout=PATIENCE)


def test_scripts_without_a_session_are_one_visitor(address, page, monkeypatch):
    """By their address: beyond a half of the queue they are told so, too."""
    opened = threading.Event()

    def held(*_):
        assert opened.wait(PATIENCE)
        yield from ()

    monkeypatch.setattr(gpu, "learn", held)
    where = f"{address.rstrip('/')}/gradio_api/call/learn"
    body = {"data": ["sobel_x", 3, 0, "kfac", 1, "bundled", 1, ""]}
    most, answers = page._queue.max_size // fair.SHARE, []
    for asked in range(RUNS_AT_ONCE + most + 1):
        answers.append(
            httpx.post(where, json=body, timeout=PATIENCE, trust_env=False, verify=False)
        )
        until(lambda n=asked: page._queue.get_active_worker_count() >= min(n + 1, RUNS_AT_ONCE))
    assert [each.status_code for each in answers] == [200] * (RUNS_AT_ONCE + most) + [503]
    assert "one visitor" in answers[-1].text
    opened.set()
    until(lambda: not len(page._queue) and not page._queue.get_active_worker_count())


class TestLargePictures:
    """Of visitors' own pictures only so many pixels are worked on at once."""

    @pytest.fixture
    def queue(self, page, monkeypatch):
        """queue(size of a session's pictures, ...): who waits, in a queue of four at once."""
        monkeypatch.setattr(fair, "AT_ONCE", 100)
        queue = FairQueue.in_place_of(page._queue, 16)
        queue.active_jobs = [None] * 8
        each = EventQueue("device", 4)

        def waiting(**sizes):
            queue._sizes.update(sizes)
            each.queue[:] = [Waits(name) for name in sizes]
            queue.event_queue_per_concurrency_id["device"] = each
            return queue

        return waiting

    def begin(self, queue):
        """The names of all that may begin now."""
        begun = []
        while found := queue.get_events():
            queue.active_jobs[queue.active_jobs.index(None)] = found[0]
            begun.append(found[0][0].session_hash)
        return begun

    def test_they_wait_for_one_another(self, queue):
        """What fits beside those at work begins; the others wait, those without pictures do not."""
        waits = queue(a=80, b=30, c=20, none=0)
        assert self.begin(waits) == ["a", "c", "none"]
        assert [event.session_hash for event in waits._waiting()] == ["b"]
        waits.active_jobs[0] = None  # the largest has ended
        assert self.begin(waits) == ["b"]

    def test_one_alone_always_begins(self, queue):
        """However large it is; and never beside another."""
        waits = queue(a=500, b=1)
        assert self.begin(waits) == ["a"]
        waits.active_jobs[0] = None
        assert self.begin(waits) == ["b"]

    def test_the_size_of_a_picture_is_that_of_its_file(self, tmp_path, monkeypatch):
        """By Pillow's own picture; what is no picture, or not in the folder, counts nothing."""
        monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "ours"))
        for folder in ("ours", "other"):
            (tmp_path / folder).mkdir()
            Image.new("RGB", (30, 20)).save(tmp_path / folder / "a.png")
        (tmp_path / "ours" / "b.png").write_bytes(b"no picture")
        paths = ["ours/a.png", "other/a.png", "ours/b.png", "ours/c.png", "ours/../other/a.png"]
        assert fair._size([*(str(tmp_path / path) for path in paths), "\0", ""]) == 600


class Waits:
    """An event of a session."""

    class fn:  # noqa: N801 - as gradio calls it
        concurrency_limit, batch = 4, False

    def __init__(self, session_hash):
        self._id, self.session_hash = f"event of {session_hash}", session_hash


class TestUnread:
    """What nobody reads."""

    def test_ends_its_run_and_is_dropped(self, page, monkeypatch):
        """Beyond so many messages the run is given up and what is kept of it is one message; who
        reads is never cut off."""
        monkeypatch.setattr(fair, "UNREAD", 5)

        class Event:
            _id, session_hash, alive = "e", "s", True

        from asyncio import Queue

        from gradio.server_messages import HeartbeatMessage

        queue = FairQueue.in_place_of(page._queue, 4)
        unread = queue.pending_messages_per_session["s"] = Queue()
        event = Event()
        for _ in range(5):
            queue.send_message(event, HeartbeatMessage())
        assert (event.alive, unread.qsize()) == (True, 5)
        unread.get_nowait()
        queue.send_message(event, HeartbeatMessage())
        assert event.alive
        queue.send_message(event, HeartbeatMessage())
        assert not event.alive
        assert unread.qsize() == 1
        assert unread.get_nowait().success is False


def until(true):
    """Return when it is true."""
    pause, end = threading.Event(), PATIENCE
    while not true():
        assert not pause.wait(0.02)
        end -= 0.02
        assert end > 0
