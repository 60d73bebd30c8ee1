"""The core on a GPU: its tests, and its figures beside those of the same machine's processor.

`make gpu`, or `python -m benchmarks.gpu --results FOLDER`: six minutes at most, with torch, NumPy,
OpenCV, SciPy, Pillow and pytest alone. Each stage is a process with a time limit of its own, so
that what ends one leaves the others; what it told until then is kept. `--device cpu` rehearses.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks import learning, sums
from benchmarks.__main__ import describe_machine, save, show
from benchmarks.table import table
from kernel_demo.imaging.filtering import correlate, to_uint8
from kernel_demo.imaging.kernels import named, random
from kernel_demo.learning import devices
from kernel_demo.learning.statistics import Statistics

ROOT = Path(__file__).parents[1]
BUDGET = 350  # seconds for all stages
LEAST = 10  # seconds without which a stage is not begun
PYTEST = (
    "-m pytest -v -o addopts= --import-mode=importlib -p no:cacheprovider --no-header --tb=short"
)
OUTCOME = re.compile(r"^(\S+::.*?) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b", re.MULTILINE)
SIZES = (3, 7, 15, 31)
COPIED = 2**29  # bytes, of the copy that gives the memory's bandwidth
ADAM_STEPS, STEPS, ROUNDS = 3000, 100, 3


@dataclass(frozen=True)
class Stage:
    """A process of its own: what Python is called with, and its seconds at most."""

    name: str
    arguments: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Figure:
    """One measurement, on the device and on the processor beside it."""

    what: str
    device: str
    cpu: str = ""


def stages(device: str) -> tuple[Stage, ...]:
    """In the order of what matters: the last one has whatever time is left."""
    chosen = f"{device} or gpu"
    figures = ("-m", "benchmarks.gpu", "--device", device, "--figures")
    tests = (*PYTEST.split(), "-m", "not slow")
    rest = ("tests/imaging", "tests/lab", "tests/learning")
    return (
        Stage("tests on it", (*tests, *rest[1:], "-k", chosen), 100),
        Stage("sums", (*figures, "sums"), 45),
        Stage("learning", (*figures, "learning"), 100),
        Stage("other tests", (*tests, *rest, "-k", f"not ({chosen})"), BUDGET),
    )


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    if options.device == "cuda" and not torch.cuda.is_available():
        print("There is no CUDA device here; --device cpu rehearses.", file=sys.stderr)
        return 2
    if options.figures:
        for figure in FIGURES[options.figures](options.device):
            print(json.dumps(asdict(figure)), flush=True)
        return 0
    record = {"machine": describe_machine(), "device": devices.name(options.device), "stages": []}
    record["machine"]["CUDA"] = f"{torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"
    show(table(("machine", ""), list(record["machine"].items())))
    until = time.monotonic() + options.budget
    try:
        for stage in stages(options.device):
            record["stages"].append(run(stage, until - time.monotonic()))
            show(told(record["stages"][-1], record["device"]))
    finally:
        save(options.results, record, "gpu-")
    return int(any(stage["ended"] != "done" for stage in record["stages"]))


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--results", type=Path, default=Path("bench-results"), metavar="FOLDER")
    parser.add_argument("--budget", type=float, default=BUDGET, help="seconds in all")
    parser.add_argument("--figures", choices=FIGURES, help=argparse.SUPPRESS)  # one stage's own
    return parser.parse_args(arguments)


def run(stage: Stage, left: float) -> dict:
    """What a stage told before it ended, or its time did."""
    if left < LEAST:
        return {"name": stage.name, "ended": "skipped: no time was left", "seconds": 0}
    began = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        command = [sys.executable, *stage.arguments]
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        try:
            status = process.wait(min(stage.seconds, left))
            ended = "done" if status == 0 else f"failed with status {status}"
        except subprocess.TimeoutExpired:
            ended = "cut short: its time was up"
        finally:
            process.kill()
            process.wait()
        log.seek(0)
        text = log.read()
    seconds = round(time.monotonic() - began, 1)
    return {"name": stage.name, "ended": ended, "seconds": seconds, **reading(text, ended)}


def reading(text: str, ended: str) -> dict:
    """The outcomes of tests and the figures in a stage's output; its end, where it failed."""
    outcomes = OUTCOME.findall(text)
    found = {
        "figures": [json.loads(line) for line in text.splitlines() if line.startswith('{"what"')],
        "tests": dict(Counter(outcome.lower() for _, outcome in outcomes)),
        "failures": [name for name, outcome in outcomes if outcome in ("FAILED", "ERROR")],
    }
    if ended != "done":
        found["output"] = text[-8000:]
    return found


def told(stage: dict, device: str) -> str:
    """A stage in Markdown."""
    lines = [f"## {stage['name']}\n\n{stage['ended'].capitalize()} ({stage['seconds']:.0f} s)."]
    if stage.get("tests"):
        lines.append(", ".join(f"{count} {outcome}" for outcome, count in stage["tests"].items()))
        lines.extend(f"- {name}" for name in stage["failures"])
    if stage.get("figures"):
        rows = [tuple(figure.values()) for figure in stage["figures"]]
        lines.append(table(("what", device, devices.name("cpu")), rows))
    elif stage["ended"].startswith("failed") and not stage.get("tests"):
        lines.append(stage["output"][-1000:])
    return "\n\n".join(lines)


def of_sums(device: str) -> Iterator[Figure]:
    """Sums of 8-bit pictures that lie on the host, as our interface takes them."""
    bandwidth = _bandwidth(device)
    yield Figure("a copy within memory", f"{bandwidth / 1e9:.0f} GB/s")
    before = sums.mosaic(sums.SIDE, sums.SIDE)
    after = to_uint8(correlate(before / 255, named("sobel_x").values / 8, offset=0.5))
    (moved,) = sums.quickest(lambda: _moved((before, after), device), rounds=ROUNDS)
    pixels = f"{before.size / 1e6:.0f} Mpx"
    yield Figure(f"both pictures of {pixels} from the host", f"{moved * 1e3:.1f} ms")
    for size in SIZES:
        ours, cpu = _seconds(
            device, lambda on, k=size: Statistics.from_pair(before, after, k, device=on)
        )
        share = 2 * before.size / ours / bandwidth
        yield Figure(
            f"sums of {pixels}, {size} x {size}",
            f"{ours * 1e3:.1f} ms, {share:.2%} of the memory's bandwidth",
            f"{cpu * 1e3:.1f} ms",
        )
    large = sums.mosaic(*sums.LARGE)
    blurred = to_uint8(correlate(large / np.float32(255), named("gaussian", 3)))
    ours, cpu = _seconds(
        device, lambda on: Statistics.from_pair(large, blurred, 3, device=on).solve(False)
    )
    yield Figure(
        f"sums and solution, {large.size / 1e6:.0f} Mpx, 3 x 3",
        f"{ours * 1e3:.1f} ms, {2 * large.size / ours / bandwidth:.2%} of the memory's bandwidth",
        f"{cpu * 1e3:.1f} ms",
    )


def of_learning(device: str) -> Iterator[Figure]:
    """K-FAC's errors and times, and the steps of Adam beside a plain loop's."""
    photos = learning.load_photos()
    for kernel in (named("sobel_x"), random(9, seed=0), random(15, seed=0)):
        lasts = [_last(photos, kernel, on) for on in (device, "cpu")]
        words = (f"{last.kernel_error:.0e} in {last.step} steps" for last in lasts)
        yield Figure(f"kernel error of K-FAC, {kernel.name}", *words)
    for size in (3, 15):
        rates = [_rates(photos, size, on) for on in (device, "cpu")]
        words = (f"{ours:.0f} (plain PyTorch loop {plain:.0f})" for ours, plain in rates)
        yield Figure(f"steps a second, Adam, {size} x {size}", *words)
    for method, rates, steps in (("kfac", (None, None), STEPS), ("adam", (0.1, 0.3), ADAM_STEPS)):
        words = [_time_to_learn(photos, method, rates, steps, on) for on in (device, "cpu")]
        yield Figure(f"seconds to a kernel error of 1e-4, Sobel x, {method}", *words)


FIGURES = {"sums": of_sums, "learning": of_learning}


def _bandwidth(device: str) -> float:
    """Bytes a second, read and written, of a copy within the device's memory."""
    source = torch.zeros(COPIED, dtype=torch.uint8, device=device)
    target = torch.zeros_like(source)

    def copy():
        target.copy_(source)
        _wait(device)

    return 2 * COPIED / sums.quickest(copy, rounds=ROUNDS)[0]


def _wait(device: str) -> None:
    """Until the device has done what it was told: without, a clock sees the telling only."""
    if device == "cuda":
        torch.cuda.synchronize()


def _moved(pictures: tuple[np.ndarray, ...], device: str) -> None:
    for picture in pictures:
        torch.from_numpy(picture).to(device, copy=True)
    _wait(device)


def _seconds(device: str, work) -> np.ndarray:
    """Of `work` on the device and on the CPU, in turns; what it returns lies on the host."""
    work(device)  # loads the libraries
    return sums.quickest(lambda: work(device), lambda: work("cpu"), rounds=ROUNDS)


def _time_to_learn(photos, method: str, rates, steps: int, device: str) -> str:
    """The least of a run at each rate; K-FAC, which has one of its own, is warm the second time."""
    kernel = named("sobel_x")
    tiles = learning.tiles(photos, kernel, device)
    taken = [learning.seconds_to(1e-4, tiles, kernel, method, r, steps, device) for r in rates]
    return f"{min(taken):.3f}" if min(taken) < np.inf else f"not in {steps} steps"


def _last(photos, kernel, device: str):
    tiles = learning.tiles(photos, kernel, device)
    *_, last = learning.learn(tiles, kernel, steps=STEPS, device=device)
    return last


def _rates(photos, size: int, device: str) -> tuple[float, float]:
    """Steps a second of train() and of a plain loop: both end by asking the device for a loss."""
    kernel = random(size, seed=0)
    tiles, afters = learning.tiles(photos, kernel, device), learning.teacher(photos, kernel)
    ours, plain = sums.quickest(
        lambda: learning.drain(tiles, kernel, "adam", STEPS, device),
        lambda: learning.plain_loop(photos, afters, size, STEPS, device),
        rounds=2,
    )
    return STEPS / ours, STEPS / plain


if __name__ == "__main__":
    sys.exit(main())
