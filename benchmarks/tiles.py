"""Applying by tiles: as fast as on the whole, in bounded memory, with the same result."""

import json
import subprocess
import sys
import time

import cv2
import numpy as np

from kernel_demo.imaging.kernels import random
from kernel_demo.imaging.tiles import apply_tiles

TITLE = "Applying by tiles"
SIDE = 10_000  # 100 Mpx
SIZE = 7
REPEATS = 5
ASKED_TIME, ASKED_MEGABYTES, ASKED_DIFFERENCE = 1.5, 200, 1e-5


def run(report):
    """Times in turns, in one process; each peak of memory in a process of its own."""
    timed = _measured("time")
    ratio = timed["tiles"] / timed["whole"]
    report.row(
        f"{SIDE**2 / 1e6:.0f} Mpx grey float32, {SIZE} x {SIZE}: time",
        asked=f"<= {ASKED_TIME} x the whole",
        got=f"{timed['tiles']:.2f} s, {ratio:.2f} x",
        beside=f"cv2.filter2D on the whole {timed['whole']:.2f} s",
        met=ratio <= ASKED_TIME,
    )
    whole, tiles = (_measured(way)["megabytes"] for way in WAYS)
    report.row(
        "peak memory beyond input and output",
        asked=f"<= {ASKED_MEGABYTES} MB",
        got=f"{tiles:.0f} MB",
        beside=f"{whole:.0f} MB",
        met=tiles <= ASKED_MEGABYTES,
    )
    difference = timed["difference"]
    report.row(
        "largest difference, of full scale",
        asked=f"<= {ASKED_DIFFERENCE:.0e}",
        got=f"{difference:.1g}",
        met=difference <= ASKED_DIFFERENCE,
    )
    report.note(
        f"A random kernel, reflect border, random pixels; the fastest of {REPEATS}. Memory: the "
        "process's high-water mark less what it had with input and output in place."
    )


def _measured(way: str) -> dict:
    command = [sys.executable, "-m", "benchmarks.tiles", way]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _main(way: str) -> dict:
    source = np.random.default_rng(0).random((SIDE, SIDE), np.float32)
    sink = np.ones_like(source)  # every page of it is there
    kernel = random(SIZE, 0).values
    if way != "time":
        before = _peak_megabytes()
        WAYS[way](source, sink, kernel)
        return {"megabytes": _peak_megabytes() - before}
    other = np.ones_like(source)
    seconds = {name: float("inf") for name in WAYS}
    for _ in range(REPEATS):
        for (name, function), target in zip(WAYS.items(), (sink, other), strict=True):
            start = time.perf_counter()
            function(source, target, kernel)
            seconds[name] = min(seconds[name], time.perf_counter() - start)
    difference = max(float(np.abs(a - b).max()) for a, b in zip(sink, other, strict=True))
    return {**seconds, "difference": difference}


def _whole(source, sink, kernel):
    cv2.filter2D(source, -1, kernel, dst=sink, borderType=cv2.BORDER_REFLECT_101)


def _tiles(source, sink, kernel):
    for _ in apply_tiles(source, sink, kernel, "reflect"):
        pass


WAYS = {"whole": _whole, "tiles": _tiles}


def _peak_megabytes() -> float:
    """The most memory that this process has had so far."""
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


if __name__ == "__main__":
    print(json.dumps(_main(sys.argv[1])))
