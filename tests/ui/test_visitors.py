"""What is left behind when visitors come and go."""

import gc
import time

import psutil

from kernel_demo.ui import device as gpu


def test_cancelling_closes_the_run(client, monkeypatch):
    """A client that cancels its job ends the training loop on the server, not just the stream."""
    running = []
    real = gpu.learn

    def watched(*arguments):
        running.append("run")
        try:
            yield from real(*arguments)
        finally:
            running.pop()

    monkeypatch.setattr(gpu, "learn", watched)
    job = client.submit(kernel="random", size=31, method="adam", steps=5000, api_name="/learn")
    wait_until(lambda: len(job.outputs()) >= 2)
    assert running == ["run"]
    job.cancel()
    wait_until(lambda: running == [])


def test_memory_does_not_grow_with_visitors(client):
    """Visitors, one after the other, leave less than a megabyte each."""

    def grown():
        """Bytes, by fifteen visitors."""
        before = psutil.Process().memory_info().rss
        for _ in range(15):
            client.submit(images=2, steps=3, api_name="/learn").result(timeout=60)
        gc.collect()
        return psutil.Process().memory_info().rss - before

    # What is loaded, cached or kept by the allocator grows once; what visitors leave, every time.
    assert any(grown() < 15 * 2**20 for _ in range(4))


def wait_until(holds, seconds: float = 60):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.05)
