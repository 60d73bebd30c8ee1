"""Runs the benchmarks: `python -m benchmarks [name ...]`. How to write one: benchmarks/table.py."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import os
import pkgutil
import platform
import subprocess
import sys
import time
import traceback
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType

import cv2
import numpy
import torch

import benchmarks
from benchmarks.table import Report, table
from kernel_demo.learning import devices

OURS = ("benchmarks", "kernel_demo")
# gpu, which has a runner of its own, is `make gpu`.
NOT_BENCHMARKS = ("__main__", "ddp", "gpu", "machines", "operations", "table")


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    machine = describe_machine()
    show(table(("machine", ""), list(machine.items())))
    results = []
    for name in options.names or available():
        module, missing = load(name)
        if not options.names and getattr(module, "LONG", False):
            show(f"## {name}\n\nSkipped: takes long, and runs by name only.")
            results.append({"name": name, "skipped": "long"})
        elif missing:
            show(f"## {name}\n\nSkipped: needs {', '.join(missing)}.")
            results.append({"name": name, "skipped": missing})
        elif hasattr(module, "run"):  # a module without it is shared by several benchmarks
            results.append(measure(name, module))
    save(options.results, {"machine": machine, "benchmarks": results})
    return int(any(result.get("error") for result in results))


def show(text: str) -> None:
    print(text, end="\n\n", flush=True)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="name", help="which; without, all but the long ones"
    )
    parser.add_argument(
        "--results", type=Path, default=Path("bench-results"), help="folder for the JSON file"
    )
    options = parser.parse_args(arguments)
    options.names = [name.replace("-", "_") for name in options.names]
    unknown = sorted(set(options.names) - set(available()))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(available())}")
    return options


def available() -> list[str]:
    """The names of the modules in this folder that may be benchmarks."""
    names = (module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return sorted(name for name in names if name not in NOT_BENCHMARKS)


def load(name: str) -> tuple[ModuleType | None, tuple[str, ...]]:
    """The benchmark and the modules that it needs and this machine lacks.

    None for the benchmark if one of those is imported at its top, before NEEDS can be read.
    """
    try:
        module = importlib.import_module(f"benchmarks.{name}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] in OURS:
            raise
        return None, (error.name,)
    needs = getattr(module, "NEEDS", ())
    return module, tuple(need for need in needs if importlib.util.find_spec(need) is None)


def measure(name: str, module: ModuleType) -> dict:
    """Run one benchmark, show its table and return the same for the file.

    One that fails keeps the rows that it has, and does not keep the others from running.
    """
    report = Report(getattr(module, "TITLE", name), announce=_to_stderr)
    started = time.perf_counter()
    error = ""
    try:
        module.run(report)
    except Exception as failure:  # noqa: BLE001 - told in full, and by the exit status
        traceback.print_exc()
        error = f"{type(failure).__name__}: {failure}"
    seconds = time.perf_counter() - started
    show(report.markdown())
    show(f"Failed with {error}" if error else f"Took {seconds:.0f} s.")
    return {
        "name": name,
        "title": report.title,
        "rows": [asdict(row) for row in report.rows],
        "notes": report.notes,
        "seconds": round(seconds, 1),
        "error": error,
    }


def _to_stderr(line: str) -> None:
    # Not stdout: `make bench > figures.md` keeps the tables alone.
    print(f"  {line}", file=sys.stderr, flush=True)


def save(folder: Path, record: dict, prefix: str = "") -> None:
    """Writes a record, and when that was, to a file of its own in the folder."""
    now = datetime.now(timezone.utc)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{prefix}{now:%Y%m%d-%H%M%S}.json"
    record = {"time": now.isoformat(timespec="seconds"), **record}
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    _to_stderr(f"saved to {path}")


def describe_machine() -> dict[str, str]:
    """What the figures depend on: the hardware, and the versions of what does the work."""
    machine = {
        "processor": processor(),
        "cores": str(devices.cores()),
        "memory": memory(),
        "GPU": torch.cuda.get_device_name(0) if torch.cuda.is_available() else "none",
        "system": platform.platform(terse=True),
        "Python": platform.python_version(),
        "torch": f"{torch.__version__}, {torch.get_num_threads()} threads",
        "NumPy": numpy.__version__,
        "OpenCV": cv2.__version__,
    }
    if torch.backends.mps.is_available():
        machine["GPU"] = "Apple, by MPS"
    return machine


def processor() -> str:
    """The processor's name as its maker gives it."""
    if sys.platform == "darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def memory() -> str:
    if not hasattr(os, "sysconf"):
        return "unknown"
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"


if __name__ == "__main__":
    sys.exit(main())
