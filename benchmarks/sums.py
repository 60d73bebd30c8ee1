"""The exact sums and the closed form, beside what else there is."""

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kernel_demo.imaging.filtering import correlate, to_uint8
from kernel_demo.imaging.kernels import named
from kernel_demo.learning import devices
from kernel_demo.learning.evaluation import kernel_error
from kernel_demo.learning.statistics import Statistics, accumulate

TITLE = "Exact sums and the closed form"
EXAMPLES = Path(__file__).parents[1] / "examples"
ROUNDS = 9  # of which the quickest counts: a busy moment slows, nothing speeds up
DECODING = {3: 2, 7: 5, 15: 8, 31: 25}  # size: times the decoding of the same JPEGs, at most
SIDE = 2000  # 4 Mpx
LARGE = (4000, 5000)  # 20 Mpx


def run(report):
    colour = mosaic(SIDE, SIDE, cv2.IMREAD_COLOR)
    before = cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY)
    after = to_uint8(correlate(before / 255, named("sobel_x").values / 8, offset=0.5))
    _against_regression(report)
    _against_decoding(report, colour, before, after)
    _growth(report, before, after)
    _masked(report, before, after)
    _memory(report)
    report.note(
        f"{devices.name('cpu')}. Pictures are mosaics of the bundled photos, 8-bit grey; JPEGs of "
        f"them in colour at quality 90. Times are the quickest of {ROUNDS} rounds, taken in turns."
    )


def mosaic(height, width, mode=cv2.IMREAD_GRAYSCALE):
    """The bundled photos side by side, at their own scale, as one uint8 picture."""
    files = sorted(EXAMPLES.glob("*.jpg"))
    photos = [cv2.imread(str(file), mode) for file in files]
    cell = min(min(photo.shape[:2]) for photo in photos)
    cells = [photo[:cell, :cell] for photo in photos]
    down, across = -(-height // cell), -(-width // cell)
    rng = np.random.default_rng(0)
    chosen = rng.integers(len(cells), size=(down, across))
    whole = np.concatenate([np.concatenate([cells[i] for i in row], 1) for row in chosen])
    return np.ascontiguousarray(whole[:height, :width])


def quickest(*functions, rounds=ROUNDS, clock=time.perf_counter):
    """The least seconds of each function, called in turns."""
    times = []
    for _ in range(rounds):
        turn = []
        for function in functions:
            start = clock()
            function()
            turn.append(clock() - start)
        times.append(turn)
    return np.min(times, axis=0)


def _against_regression(report):
    """Sums and solution against least squares on the patches themselves, 20 Mpx, a blur.

    Both pictures are 8-bit, as files are; the kernel error of every way is that of the rounding.
    """
    kernel = named("gaussian", 3).values
    before = mosaic(*LARGE)
    after = to_uint8(correlate(before / np.float32(255), kernel))
    found = []
    (ours,) = quickest(lambda: found.append(Statistics.from_pair(before, after, 3).solve(False)))
    error = kernel_error(found[-1].kernel, kernel)
    patches = sliding_window_view(before, (3, 3)).reshape(-1, 9).astype(np.float64)
    answers = after[1:-1, 1:-1].ravel().astype(np.float64)
    others = {"numpy.linalg.lstsq": lambda: np.linalg.lstsq(patches, answers, rcond=None)[0]}
    if importlib.util.find_spec("sklearn"):
        from sklearn.linear_model import LinearRegression

        others["sklearn LinearRegression"] = lambda: (
            LinearRegression(fit_intercept=False).fit(patches, answers).coef_
        )
    for name, fit in others.items():
        start = time.perf_counter()
        other = kernel_error(fit().reshape(3, 3), kernel)
        seconds = time.perf_counter() - start
        report.row(
            f"sums + solution, 3x3, {before.size / 1e6:.0f} Mpx, against {name}",
            asked=">= 20x faster, kernel error no worse",
            got=f"{ours * 1e3:.0f} ms: {seconds / ours:.0f}x; error {error:.1e}",
            beside=f"{seconds:.1f} s (patches made before); error {other:.1e}",
            met=seconds >= 20 * ours and error <= other + 1e-9,
        )


def _against_decoding(report, colour, before, after):
    _, jpeg = cv2.imencode(".jpg", colour, [cv2.IMWRITE_JPEG_QUALITY, 90])
    for size, most in DECODING.items():
        decoding, ours = quickest(
            lambda: cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE),
            lambda size=size: Statistics.from_pair(before, after, size),
        )
        report.row(
            f"sums of 4 Mpx, {size}x{size}, against decoding the same JPEG",
            asked=f"<= {most}x",
            got=f"{ours * 1e3:.0f} ms: {ours / decoding:.1f}x",
            beside=f"cv2.imdecode, grey: {decoding * 1e3:.0f} ms",
            met=ours <= most * decoding,
        )


def _growth(report, before, after):
    rates = {}
    for side in (1000, 2000, 4000, 8000):
        copies = -(-side // SIDE)
        pair = [np.tile(picture, (copies, copies))[:side, :side] for picture in (before, after)]
        rounds = ROUNDS if side < 8000 else 3
        (seconds,) = quickest(lambda p=pair: Statistics.from_pair(*p, 5), rounds=rounds)
        rates[side**2 // 10**6] = seconds / (side**2 / 1e6) * 1e3
    report.row(
        "growth with pixels at 5x5: ms a Mpx",
        asked="linear",
        got=", ".join(f"{rate:.1f} at {mpx} Mpx" for mpx, rate in rates.items()),
        met=rates[64] <= 1.5 * rates[1],
    )
    sizes = (3, 7, 15, 31)
    times = quickest(*(lambda k=k: Statistics.from_pair(before, after, k) for k in sizes))
    by_size = dict(zip(sizes, times, strict=True))
    report.row(
        "growth with size at 4 Mpx",
        asked="31x31 <= 12x of 7x7",
        got=f"{by_size[31] / by_size[7]:.1f}x: "
        + ", ".join(f"{k}x{k} {t * 1e3:.0f} ms" for k, t in by_size.items()),
        met=by_size[31] <= 12 * by_size[7],
    )


def _masked(report, before, after):
    used = (after > 0) & (after < 255) & (np.random.default_rng(0).random(after.shape) < 0.95)
    for size in (3, 15):
        whole, masked = quickest(
            lambda size=size: Statistics.from_pair(before, after, size),
            lambda size=size: Statistics.from_pair(before, after, size, used),
            rounds=3,
        )
        report.row(
            f"sums of 4 Mpx with a mask, {1 - used.mean():.0%} left out, {size}x{size}",
            got=f"{masked * 1e3:.0f} ms",
            beside=f"without a mask {whole * 1e3:.0f} ms",
        )


def _memory(report):
    """Peak memory of a process that passes over pairs from a generator (Linux tells it)."""
    if not Path("/proc/self/status").exists():
        return
    peaks = {}
    for pairs in (12, 125):  # of 2 x 4 MB: 0.1 and 1 GB
        command = [sys.executable, "-m", "benchmarks.sums", str(pairs)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks[pairs] = json.loads(done.stdout)
    low, high = peaks[12], peaks[125]
    report.row(
        "peak memory of a pass over 1 GB from a generator, 5x5",
        asked="independent of how many",
        got=f"{high:.0f} MB, libraries included",
        beside=f"over 0.1 GB: {low:.0f} MB",
        met=high <= low + 20,
    )


def _memory_of(pairs):
    """MB of this process at its peak, after a pass over that many pairs of 4 Mpx."""
    base = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), dtype=np.uint8)
    accumulate(((base + np.uint8(i), base ^ np.uint8(i)) for i in range(pairs)), 5)
    status = Path("/proc/self/status")  # getrusage counts the parent's peak too
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines["VmHWM"].split()[0]) / 1e3


if __name__ == "__main__":
    print(json.dumps(_memory_of(int(sys.argv[1]))))
