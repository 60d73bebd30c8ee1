"""The rates at which Adam and SGD come nearest in 200 steps: what learning/choices.py has.

Each kernel at each rate, from the same start and batches; a run that diverges counts as infinitely
far. Every kernel error is kept in rates.json beside this file, from which ADAM_RATES follows: a
test holds that. Five minutes on an NVIDIA H200, which made rates.json: all but SGD at 31 x 31.
"""

import json
from pathlib import Path

import numpy as np

from benchmarks.learning import RATES, learn, load_photos, tiles
from kernel_demo.imaging import catalogue
from kernel_demo.imaging.kernels import Kernel, random

TITLE = "The best learning rates of Adam and SGD"
LONG = True
STEPS = 200
SIZES = (3, 5, 7, 9, 11, 15, 21, 31)
TABLE = Path(__file__).with_name("rates.json")


def run(report):
    photos, found = load_photos(), []
    for size in SIZES:
        for method, rates in RATES.items():
            errors = search(photos, size, method, rates)
            found.append({"size": size, "method": method, "rates": rates, "errors": errors})
            _tell(report, size, method, rates, errors)
            lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in found)
            TABLE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def kernels(size):
    """Derivatives, blurs and sharpeners as far as the size has them, and two random ones."""
    entries = catalogue.CATALOGUE
    made = [entries[key] for key in ("sobel_x", "unsharp", "gaussian", "log", "gabor")]
    named = [
        Kernel(entry.label, entry.build(size, 0.0))
        for entry in made
        if size in entry.sizes or size > max(catalogue.ODD_SIZES) and entry.label != "Sobel x"
    ]
    return [*named, random(size, seed=0), random(size, seed=1)]


def search(photos, size, method, rates):
    """The kernel error of each kernel, by name, at each rate."""
    errors = {}
    for kernel in kernels(size):
        laid = tiles(photos, kernel)
        errors[kernel.name] = [_error(laid, kernel, method, rate) for rate in rates]
    return errors


def _error(laid, kernel, method, rate):
    rate = rate / kernel.size**2 if method == "sgd" else rate
    *_, last = learn(laid, kernel, method, rate, STEPS)
    return float(f"{last.kernel_error:.4g}") if np.isfinite(last.kernel_error) else np.inf


def _tell(report, size, method, rates, errors):
    table = np.array(list(errors.values()))
    middle = np.median(table, axis=0)
    report.row(
        f"{method} {size}x{size}, median kernel error of {len(table)} kernels",
        got=f"{middle.min():.2g} at {rates[middle.argmin()]:g}",
        beside=", ".join(
            f"{rate:g}: {error:.2g}" for rate, error in zip(rates, middle, strict=True)
        ),
    )
