"""Visitors, many at once: how long they wait, how many are refused, what they leave behind.

Each loads the page, then learns Sobel by K-FAC from the eight photos, over HTTP, from an address
of its own. Servers and visitors share this machine's processors.
"""

import contextlib
import itertools
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from benchmarks.machines import NAMES, PROXY, Machines

TITLE = "Visitors, many at once"
NEEDS = ("gradio", "httpx", "psutil")
LONG = True  # ten minutes

AT_ONCE = (1, 4, 16, 64)
ROUNDS = {1: 5, 4: 3}  # of so many visitors, for a median that means something
PART_SECONDS = 120  # no other part takes longer, whatever it has by then
SERVED_SECONDS = 40
VISITING = 12  # at once, each followed by the next one
VISITS, TELL_EVERY, VISITS_SECONDS = 1000, 250, 360
# Of the default run, and of one that is little more than its frame.
LEARN = ["sobel_x", 3, 0, "kfac", 200, "bundled", 8, ""]
GLANCE = ["sobel_x", 3, 0, "kfac", 3, "bundled", 2, ""]


@dataclass(frozen=True)
class Visit:
    """How it went; seconds from the request for the run on."""

    refused: bool = False
    first: float = float("nan")  # until the first update
    end: float = float("nan")


def run(report) -> None:
    """One server first, then two, then three."""
    if PROXY is None:
        report.note("Skipped: needs HAProxy (Debian: haproxy).")
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        # Two runs at a time in each server: its threads would wait for one another.
        Machines(1, Path(folder), OMP_NUM_THREADS="1") as machines,
    ):
        _told(report, _at_once, machines)
        _told(report, _left_behind, machines)
        for count in range(1, 1 + len(NAMES)):
            if count > 1:
                machines.start(NAMES[count - 1])
                machines.wait(NAMES[count - 1])
                time.sleep(5)  # until the proxy has seen it
            _told(report, _served, machines, count)


def _told(report, part: Callable, *arguments) -> None:
    """One part, and the load of the machine before and after it: others may be at work."""
    before, began = os.getloadavg()[0], time.monotonic()
    part(report, *arguments)
    spent = time.monotonic() - began
    after = os.getloadavg()[0]
    report.note(f"{part.__name__.strip('_')}: {spent:.0f} s, load {before:.1f} to {after:.1f}.")


def _at_once(report, machines: Machines) -> None:
    deadline = time.monotonic() + PART_SECONDS
    _visit(machines, 0)  # what is loaded once
    for count in AT_ONCE:
        visits = []
        for _ in range(ROUNDS.get(count, 1)):
            if time.monotonic() > deadline:
                break
            with ThreadPoolExecutor(count) as pool:
                visits += pool.map(lambda number: _visit(machines, number), range(count))
        served = [visit for visit in visits if not visit.refused]
        report.row(
            f"{count} at once, one server: seconds to the first update; to the end",
            got=f"{_spread([visit.first for visit in served])}; "
            f"{_spread([visit.end for visit in served])}",
            beside=f"{len(visits) - len(served)} of {len(visits)} refused",
        )


def _left_behind(report, machines: Machines) -> None:
    deadline, numbers, lock = time.monotonic() + VISITS_SECONDS, itertools.count(), threading.Lock()
    server, grown = psutil.Process(machines.processes["a"].pid), []

    def visits() -> None:
        while (number := next(numbers)) < VISITS and time.monotonic() < deadline:
            _visit(machines, number % 200, GLANCE)
            with lock:
                done.append(number)
                if len(done) % TELL_EVERY == 0 or len(done) == 50:
                    grown.append((len(done), server.memory_info().rss))

    done: list[int] = []
    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(visits) for _ in range(4)]:
            each.result()
    grown.append((len(done), server.memory_info().rss))
    told = ", ".join(f"{rss / 1e6:.0f} MB after {count}" for count, rss in dict(grown).items())
    report.row(f"memory of a server that {len(done)} visits were made to", got=told)


def _served(report, machines: Machines, count: int) -> None:
    deadline, numbers = time.monotonic() + SERVED_SECONDS, itertools.count()
    began, ends = time.monotonic(), []

    def visits() -> None:
        while time.monotonic() < deadline:
            visit = _visit(machines, next(numbers) % 200)
            if not visit.refused:
                ends.append(time.monotonic())
            else:
                time.sleep(1)

    with ThreadPoolExecutor(VISITING) as pool:
        for each in [pool.submit(visits) for _ in range(VISITING)]:
            each.result()
    inside = sum(end <= deadline for end in ends)
    report.row(
        f"visitors served a minute, {count} server{'s' * (count > 1)}, {VISITING} at a time",
        got=f"{60 * inside / (deadline - began):.0f}",
    )


def _visit(machines: Machines, number: int, wanted: list = LEARN) -> Visit:
    """Load the page and learn; as many numbers as there are addresses to come from."""
    transport = httpx.HTTPTransport(local_address=f"127.0.3.{number + 1}")
    with httpx.Client(
        base_url=machines.address, transport=transport, timeout=PART_SECONDS, trust_env=False
    ) as client:
        client.get("/").raise_for_status()
        began, first = time.monotonic(), None
        with contextlib.suppress(httpx.TransportError):
            for kind in _events(client, wanted):
                first = first or time.monotonic() - began
                if kind == "complete":
                    return Visit(first=first, end=time.monotonic() - began)
                if kind == "error":
                    break
    return Visit(refused=True)


def _events(client: httpx.Client, wanted: list) -> Iterator[str]:
    """The names of what the endpoint tells; none where the queue is full."""
    joined = client.post("/gradio_api/call/learn", json={"data": wanted})
    if joined.status_code != 200:
        return
    number = json.loads(joined.text)["event_id"]
    with client.stream("GET", f"/gradio_api/call/learn/{number}") as stream:
        for line in stream.iter_lines():
            if line.startswith("event: ") and line != "event: heartbeat":
                yield line.removeprefix("event: ")


def _spread(seconds: list[float]) -> str:
    """The median, and the 95th percentile."""
    if len(seconds) < 2:
        return f"{seconds[0]:.2f}" if seconds else "none"
    most = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    return f"{statistics.median(seconds):.2f} ({most:.2f})"
