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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from benchmarks import learning, sums
from benchmarks.__main__ import describe_machine, save, show
from benchmarks.table import table
from kernel_demo.imaging.filtering import correlate, to_uint8
from kernel_demo.imaging.kernels import named, random
from kernel_demo.learning import devices
from kernel_demo.learning.statistics import Statistics
from kernel_demo.learning.sums import fused_way
from kernel_demo.learning.training import MAX_STEPS

ROOT = Path(__file__).parents[1]
BUDGET = 350  # seconds for all stages
LEAST = 10  # seconds without which a stage is not begun
PYTEST = (
    "-m pytest -v -o addopts= --import-mode=importlib -p no:cacheprovider --no-header --tb=short"
)
OUTCOME = re.compile(r"^(\S+::.*?) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b", re.MULTILINE)
SIZES = (3, 7, 15, 31)
NONE = "none here"
COPIED = 2**29  # bytes, of the copy that gives the memory's bandwidth
HUGE = (2**15, 2**14)  # pixels of a picture that lies on the device
ADAM_STEPS, STEPS, ROUNDS = 3000, 100, 3
IN_A_ROW = 8  # passes told at once: the telling of one is hidden by the one before
METHOD_SECONDS = 2.0  # of a method at one size on one device
JPEGS = 8  # pairs of them


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
        Stage("sums", (*figures, "sums"), 75),
        Stage("decoding", (*figures, "decoding"), 30),
        Stage("learning", (*figures, "learning"), 90),
        Stage("methods", (*figures, "methods"), 110),
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
    """Sums of 8-bit pictures, which lie on the host or on the device already."""
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
    yield from _of_sums_there(before, after, device, bandwidth)
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


def _of_sums_there(before, after, device: str, bandwidth: float) -> Iterator[Figure]:
    """The same pictures on the device, then huge ones: where the sums are equal, and how fast."""
    there = [torch.from_numpy(picture).to(device) for picture in (before, after)]
    for size in SIZES:
        yield _sums_there(before, after, *there, size, device, bandwidth)
    huge = HUGE if device == "cuda" else before.shape
    copies = [-(-most // extent) for most, extent in zip(huge, before.shape, strict=True)]
    there = [torch.tile(picture, copies)[: huge[0], : huge[1]].contiguous() for picture in there]
    before, after = (picture.cpu().numpy() for picture in there)
    for size in (3, 5, 7):
        yield _sums_there(before, after, *there, size, device, bandwidth)
        yield _lags_alone(*there, size, device, bandwidth)


def _sums_there(before, after, b, a, size: int, device: str, bandwidth: float) -> Figure:
    def ours():
        return Statistics.from_pair(b, a, size)

    def cpu():
        return Statistics.from_pair(before, after, size)

    found, expected = ours(), cpu()
    same = all(
        np.array_equal(getattr(found, field.name), getattr(expected, field.name))
        for field in fields(Statistics)
    )
    rounds = ROUNDS if before.size < 1e8 else 1
    (there,) = sums.quickest(ours, rounds=3 * ROUNDS)
    (here,) = sums.quickest(cpu, rounds=rounds)
    return Figure(
        f"sums of {before.size / 1e6:.0f} Mpx on the device, {size} x {size}",
        f"{_share(there, before.size, bandwidth)}{'' if same else '; NOT the sums of the CPU'}",
        f"{here * 1e3:.1f} ms",
    )


def _lags_alone(before, after, size: int, device: str, bandwidth: float) -> Figure:
    """The pass over the pixels, by the device's own clock; without the border and the algebra."""
    what = f"the pass over {before.numel() / 1e6:.0f} Mpx alone, {size} x {size}"
    fused = fused_way()
    trouble = fused.trouble(before.device) if fused else "there is no Triton"
    if trouble:
        return Figure(what, f"none: {trouble}")
    seconds = []
    for _ in range(3 * ROUNDS):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        for _ in range(IN_A_ROW):
            fused.lags(before, after, size)
        end.record()
        end.synchronize()
        seconds.append(begin.elapsed_time(end) / 1e3 / IN_A_ROW)
    return Figure(what, _share(min(seconds), before.numel(), bandwidth))


def _share(seconds: float, pixels: int, bandwidth: float) -> str:
    share = 2 * pixels / seconds / bandwidth
    return f"{seconds * 1e3:.2f} ms, {share:.2%} of the memory's bandwidth"


def of_decoding(device: str) -> Iterator[Figure]:
    """Pairs of JPEGs to sums, 3 x 3: on the device by torchvision, on the CPU by OpenCV."""
    before = sums.mosaic(sums.SIDE, sums.SIDE)
    kernel = named("sobel_x").values / 8
    pairs = []
    for turn in range(JPEGS):
        picture = np.roll(before, 17 * turn, axis=(0, 1))
        after = to_uint8(correlate(picture / 255, kernel, offset=0.5))
        pairs.append([cv2.imencode(".jpg", each)[1].ravel() for each in (picture, after)])
    flat = [file for pair in pairs for file in pair]

    def by_opencv():
        with ThreadPoolExecutor() as pool:  # as many as there are cores, and some
            return list(pool.map(lambda file: cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), flat))

    what = f"{JPEGS} pairs of JPEGs of {before.size / 1e6:.0f} Mpx"
    cpu = _decoding_rates(by_opencv, before.size)
    there, missing = _decoder(device)
    if missing:
        yield from (Figure(f"{what}, {to}", missing, cpu[to]) for to in cpu)
        return
    own = _decoding_rates(lambda: there(flat), before.size)
    yield from (Figure(f"{what}, {to}", own[to], cpu[to]) for to in cpu)
    decoded = zip(by_opencv(), there(flat), strict=True)
    apart = max(np.abs(a - b.cpu().numpy().astype(int)).max() for a, b in decoded)
    yield Figure("grey levels between the two decoders, at most", str(apart))


def _decoding_rates(decode, pixels: int) -> dict[str, str]:
    """How fast `decode` makes pictures, and how fast their sums are there."""
    _summed(decode())  # loads the libraries
    seconds = sums.quickest(decode, lambda: _summed(decode()), rounds=ROUNDS)
    words = (
        f"{s * 1e3:.1f} ms, {JPEGS / s:.0f} pairs/s, {2 * JPEGS * pixels / s / 1e6:.0f} Mpx/s"
        for s in seconds
    )
    return dict(zip(("decoded", "to sums"), words, strict=True))


def _decoder(device: str):
    """JPEG files to grey pictures on the device by torchvision, and why there is no such, or ""."""
    if device == "cpu":
        return None, NONE
    try:
        from torchvision.io import ImageReadMode, decode_jpeg
    except ImportError:
        return None, "torchvision is not installed"

    def decode(files):
        files = [torch.from_numpy(file) for file in files]
        pictures = [one[0] for one in decode_jpeg(files, ImageReadMode.GRAY, device=device)]
        _wait(device)
        return pictures

    try:
        decode([cv2.imencode(".jpg", np.zeros((16, 16), np.uint8))[1].ravel()])
    except RuntimeError as error:  # built without nvJPEG
        return None, f"torchvision cannot: {str(error).splitlines()[0]}"
    return decode, ""


def _summed(pictures):
    """The sums over pictures that come as before, after, before, after ..."""
    pairs = zip(pictures[::2], pictures[1::2], strict=True)
    return [Statistics.from_pair(before, after, 3) for before, after in pairs]


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
        yield Figure(
            f"the plain loop as a CUDA graph, {size} x {size}", _graphed(photos, size, device)
        )
    for method, rates, steps in (("kfac", (None, None), STEPS), ("adam", (0.1, 0.3), ADAM_STEPS)):
        words = [_time_to_learn(photos, method, rates, steps, on) for on in (device, "cpu")]
        yield Figure(f"seconds to a kernel error of 1e-4, Sobel x, {method}", *words)


def of_methods(device: str) -> Iterator[Figure]:
    """Each method at each size for a few seconds, at its own rate: how fast, how near."""
    photos = learning.load_photos()
    for size in SIZES:
        kernel = random(size, seed=0)
        laid = {on: learning.tiles(photos, kernel, on) for on in (device, "cpu")}
        for method in ("kfac", "adam", "sgd"):
            words = (_for_seconds(laid[on], kernel, method, on) for on in (device, "cpu"))
            yield Figure(f"{method}, {kernel.name}", *words)


def _for_seconds(tiles, kernel, method: str, device: str) -> str:
    """Steps a second, and the seconds to a kernel error of 1e-4 or the error that is reached."""
    learning.drain(tiles, kernel, method, 1, device)  # loads the libraries
    reached = None
    for last in learning.learn(tiles, kernel, method, steps=MAX_STEPS, device=device):
        if last.kernel_error <= 1e-4:
            reached = reached or last.seconds
        if last.seconds > METHOD_SECONDS:
            break
    near = f"1e-4 in {reached:.3f} s" if reached else f"{last.kernel_error:.0e} in the end"
    return f"{last.step / last.seconds:.3g} steps/s, {near}"


FIGURES = {
    "sums": of_sums,
    "decoding": of_decoding,
    "learning": of_learning,
    "methods": of_methods,
}


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


def _graphed(photos, size: int, device: str) -> str:
    """The plain loop's step captured once and replayed: with new crops each time, and without.

    https://docs.pytorch.org/docs/stable/notes/cuda.html#whole-network-capture
    """
    if device == "cpu":
        return NONE
    afters, rng = learning.teacher(photos, random(size, seed=0)), np.random.default_rng(0)
    x, y = (part.to(device) for part in learning.crops(photos, afters, size, rng))
    conv = nn.Conv2d(1, 1, size, bias=False).to(device)
    optimizer = torch.optim.Adam(conv.parameters(), lr=0.01, capturable=True)

    def step():
        optimizer.zero_grad()
        nn.functional.mse_loss(conv(x), y).backward()
        optimizer.step()

    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):  # libraries choose and allocate before the capture
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(aside)
    optimizer.zero_grad()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()

    def loop(new_crops: bool):
        for _ in range(STEPS):
            if new_crops:
                for place, part in zip(
                    (x, y), learning.crops(photos, afters, size, rng), strict=True
                ):
                    place.copy_(part)
            graph.replay()
        _wait(device)

    fed, bare = sums.quickest(lambda: loop(True), lambda: loop(False), rounds=2)
    return f"{STEPS / fed:.0f} ({STEPS / bare:.0f} without new crops)"


if __name__ == "__main__":
    sys.exit(main())
