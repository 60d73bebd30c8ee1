"""Sixty visitors of three servers behind the proxy of examples/deploy."""

import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from gradio_client import Client

from benchmarks.machines import COOKIE, PROXY, Machines
from kernel_demo.imaging import kernels
from tests.ui import visitor as visiting
from tests.ui.test_concurrency import records, stage, truth
from tests.ui.visitor import Visitor

pytestmark = [
    pytest.mark.slow,
    pytest.mark.served,
    pytest.mark.skipif(PROXY is None, reason="needs HAProxy"),
    pytest.mark.timeout(1200),  # three servers are started
]
VISITORS = 60
LONGEST = 600  # seconds until the last of them has seen the end


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    """Three servers and their proxy."""
    folder = tmp_path_factory.mktemp("machines")
    with Machines(3, folder, OMP_NUM_THREADS="1") as machines:
        yield machines


def arrive(machines, number: int) -> Visitor:
    """A visitor from an address of its own, with a kernel of its own."""
    visitor = Visitor(machines.address, about="live", source=f"127.0.1.{number + 1}")
    visitor.http.get("/app_id").raise_for_status()
    for name, value in {"kernel": "random", "size": 3, "seed": number, "count": 2}.items():
        visitor.shown[name]["value"] = value
    return visitor


def learn(visitor: Visitor, deadline: float) -> None:
    """Press Learn, and again where the queue was full."""
    while time.monotonic() < deadline:
        visitor.press("live", "learn", data={})
        if stage(visitor)["end"]:
            return
        time.sleep(1)


def server_of(visitor: Visitor) -> str:
    return visitor.http.cookies[COOKIE]


def test_each_of_sixty_sees_its_own_run(machines, monkeypatch):
    """They are spread over the three servers; each stays with one, and at the end has learned the
    kernel that it asked for, under its own truth."""
    monkeypatch.setattr(visiting, "PATIENCE", LONGEST)
    visitors = [arrive(machines, number) for number in range(VISITORS)]
    before = [server_of(visitor) for visitor in visitors]
    deadline = time.monotonic() + LONGEST
    with ThreadPoolExecutor(VISITORS) as pool:
        list(pool.map(lambda visitor: learn(visitor, deadline), visitors))
    assert [server_of(visitor) for visitor in visitors] == before
    assert set(before) == {"a", "b", "c"}
    for number, visitor in enumerate(visitors):
        wanted = kernels.random(3, number).values.ravel()
        np.testing.assert_array_equal(truth(visitor), wanted)
        assert stage(visitor)["end"]["complete"]
        np.testing.assert_allclose(records(visitor)[-1, 5:], 0, atol=1e-4)


def test_a_server_that_is_replaced_loses_no_result(machines):
    """Six scripts are at work when one server is told to end: each gets its result, that server
    ends with status 0 within 20 s, and who comes then is served by another."""
    clients = [Client(machines.address, verbose=False) for _ in range(6)]
    jobs = [
        client.submit("random", seed=number, images=2, steps=60, api_name="/learn")
        for number, client in enumerate(clients)
    ]
    spread = Counter(client.cookies[COOKIE] for client in clients)
    server = spread.most_common(1)[0][0]
    while not all(job.outputs() for job, client in zip(jobs, clients, strict=True)
                  if client.cookies[COOKIE] == server):  # fmt: skip
        time.sleep(0.05)
    machines.drain(server)
    for number, job in enumerate(jobs):
        last = job.result(timeout=120)
        assert last["done"]
        wanted = kernels.random(3, number).values
        np.testing.assert_allclose(last["kernel"], wanted, atol=1e-3)
    assert machines.processes[server].wait(20) == 0
    assert Client(machines.address, verbose=False).cookies[COOKIE] != server


def test_a_flood_from_one_address_is_refused(machines):
    """Beyond 50 requests a second, over two seconds, an address gets 429; another one is served."""
    codes, lock = Counter(), threading.Lock()

    def ask(_):
        code = flooding.get("/gradio_api/app_id").status_code
        with lock:
            codes[code] += 1

    flood = httpx.HTTPTransport(local_address="127.0.2.1")
    with httpx.Client(base_url=machines.address, transport=flood, timeout=60) as flooding:
        with ThreadPoolExecutor(60) as pool:
            list(pool.map(ask, range(400)))
        assert codes[429] > 0
        assert codes[200] >= 90
        other = httpx.HTTPTransport(local_address="127.0.2.2")
        with httpx.Client(base_url=machines.address, transport=other, timeout=60) as client:
            assert client.get("/gradio_api/app_id").status_code == 200


def test_an_upload_beyond_the_limit_is_refused_at_once(machines):
    """By its announced length, before a byte of it is sent."""
    head = (
        f"POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1:{machines.port}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000000\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", machines.port), timeout=60) as sent:
        sent.sendall(head.encode())
        assert sent.recv(100).startswith(b"HTTP/1.1 413")
