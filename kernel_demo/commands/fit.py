"""`python -m kernel_demo fit SOURCE ...`: the kernel of a whole dataset, by the exact sums."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from kernel_demo.commands.bar import Bar
from kernel_demo.dataset import report
from kernel_demo.dataset.engine import Engine, Pool
from kernel_demo.dataset.fitting import Ended, Result, fit
from kernel_demo.dataset.settings import CHANNELS, settings
from kernel_demo.dataset.store import Store
from kernel_demo.errors import DemoError, finite, whole
from kernel_demo.export import code, files
from kernel_demo.imaging import kernels
from kernel_demo.learning import devices
from kernel_demo.numbers import count
from kernel_demo.sources.shards import plan

MAX_WORKERS = 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the subcommand `fit`."""
    parser.description = (
        "Learn a kernel from a whole dataset: a folder of pictures, tars (webdataset, as "
        "img2dataset writes them) or Parquet files, hub:owner/name, or two folders of pairs, "
        "matched by name. With --filter pictures are filtered here; else they are pairs: "
        "KEY.before.png and KEY.after.png in tars, columns before and after in Parquet files. Run "
        "again with the same --out, it reads only what is left."
    )
    parser.add_argument(
        "sources", nargs="+", metavar="SOURCE", help="{00000..00099} and * stand for many"
    )
    parser.add_argument("--filter", help="a name such as sobel_x, random, or a JSON matrix")
    parser.add_argument("--size", type=int, help="k (default: that of the filter, else 3)")
    parser.add_argument("--seed", type=int, default=0, help="of a random filter (default: 0)")
    parser.add_argument(
        "--channel", choices=CHANNELS, default="",
        help="of colour pictures (default: luminance with --filter, else each)",
    )  # fmt: skip
    parser.add_argument(
        "--fields", nargs="+", default=(), metavar="NAME",
        help="of a tar, or columns of a Parquet file: one with --filter, else two",
    )  # fmt: skip
    parser.add_argument("--split", default="train", help="of a dataset of the Hub (default: train)")
    parser.add_argument("--until", type=float, metavar="E", help="stop at error bars below E")
    parser.add_argument(
        "--tolerate", type=float, default=0.01, metavar="SHARE",
        help="of pictures or shards that may fail (default: 0.01)",
    )  # fmt: skip
    parser.add_argument("--no-offset", action="store_true", help="learn a kernel without an offset")
    parser.add_argument(
        "--no-outliers", action="store_true", help="keep no picture's own sums, and look for none"
    )
    parser.add_argument("--out", metavar="FOLDER", help="for sums, report and exports")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, metavar="N", help="processes (default: one a core)")
    where.add_argument(
        "--on", metavar="WHERE",
        help="local:N, or by DataTrove: datatrove:N, ray, or slurm, with a time and a partition in "
        "KERNEL_DEMO_SLURM_TIME and KERNEL_DEMO_SLURM_PARTITION",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Learn, and print what was learned. Returns the exit status.

    0; 2 for what the user can put right; 1 where more failed than is tolerated.
    """
    try:
        with _place(options.out) as store, _told_to_end():
            result = _fit(options, store)
            print("\n".join(_lines(result, options.out)))
            if options.out:
                _write(result, store)
    except DemoError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        kept = (
            f" What was read is in “{options.out}”: the same command goes on."
            if options.out
            else ""
        )
        print(f"\nStopped.{kept}", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"What was learned could not be written: {error.strerror or error}.", file=sys.stderr)
        return 2
    if result.ended is Ended.HANDED_OVER:
        return 0
    return 1 if result.ended is Ended.LEFT_OUT or result.solution is None else 0


@contextmanager
def _place(out: str | None) -> Iterator[Store]:
    if out:
        yield Store.at(out)
        return
    with tempfile.TemporaryDirectory(prefix="kernel-demo-fit-") as folder:
        yield Store.at(folder)


@contextmanager
def _told_to_end() -> Iterator[None]:
    """A polite end (SIGTERM) is the same as Ctrl-C."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _fit(options: argparse.Namespace, store: Store) -> Result:
    kernel = None
    if options.filter is not None:
        size = options.size or 3
        kernel = kernels.resolve(options.filter, size=size, seed=options.seed)
    fields = tuple(options.fields)
    if fields and len(fields) != (1 if kernel else 2):
        wanted = "one field with --filter" if kernel else "two fields, before and after"
        raise DemoError(wanted, f"{len(fields)}", "Name as many.")
    asked = settings(options.size, kernel, options.channel, fields, not options.no_outliers)
    until = options.until
    if until is not None:
        finite("an error bar to stop at", until, 0, 1e6)
    finite("a share to tolerate", options.tolerate, 0, 1)
    engine = _engine(options)
    planned = plan(options.sources, pairs=kernel is None, split=options.split)
    if planned.repeated:
        print(
            f"{count(planned.repeated)} shards were named twice; each is read once.",
            file=sys.stderr,
        )
    progress = None
    bar = Bar()
    for progress in fit(
        planned, asked, store.inside("sums"), engine,
        until=until, tolerate=options.tolerate, offset=not options.no_offset,
    ):  # fmt: skip
        bar.show(progress)
    bar.end()
    assert progress is not None
    assert progress.result is not None
    return progress.result


def _engine(options: argparse.Namespace) -> Engine:
    where, _, number = (options.on or "local").partition(":")
    if where in ("slurm", "ray", "datatrove"):
        from kernel_demo.dataset import cluster

        return cluster.engine(where, number)
    if where != "local":
        raise DemoError(
            "--on local:N, slurm, ray or datatrove:N", f"“{options.on}”"[:60], "Choose one."
        )
    if number and not number.isdigit():
        raise DemoError(
            "--on local:N with a number of processes", f"“{options.on}”"[:60], "Name one."
        )
    workers = options.workers if options.workers is not None else int(number or devices.cores())
    return Pool(whole("a number of workers", workers, 1, MAX_WORKERS))


def _lines(result: Result, out: str | None) -> list[str]:
    """What a person wants to read of it."""
    lines = [report.sentence(result)]
    if result.ended is not Ended.ALL_READ:
        lines.append(result.ended.value)
    solution = result.solution
    if solution is not None:
        with np.printoptions(precision=5, suppress=True, linewidth=120, threshold=1000):
            lines += ["", str(solution.kernel + 0.0), ""]
        lines.append(f"offset: {solution.offset * 255 / (result.peak or 255):.7g} grey levels")
        told = report.as_dict(result)
        if told["kernel_error"] is not None:
            lines.append(f"kernel error: {told['kernel_error']:.2g}")
        left = solution.residual * 255 / (result.peak or 255)
        lines.append(f"left unexplained: {left:.3g} grey levels RMS")
        lines += [doubt] if (doubt := report.doubt(result)) else []
    for number, faults, what in (
        (result.left_out, result.faults, "pictures left out"),
        (len(result.failed), result.failed, "shards failed"),
    ):
        if number:
            lines.append(f"{what}: {count(number)}")
            lines += [f"  {fault.name}: {fault.reason}" for fault in faults[:5]]
            lines += ["  ..."] * (number > 5)
    found = result.outliers
    if found is not None and found.count:
        lines.append("not made by this kernel alone:")
        lines += [f"  {one.name}: {one.left:.3g} grey levels RMS left" for one in found.first[:12]]
        lines += ["  ..."] * (found.count > 12)
    lines.append(
        f"report: {out}/report.html" if out else "--out FOLDER keeps the sums and a report."
    )
    return lines


def _write(result: Result, store: Store) -> None:
    """The report, and the kernel in all formats."""
    store.write("report.json", report.as_json(result))
    store.write("report.html", report.as_html(result, "A kernel from a whole dataset"))
    solution = result.solution
    if solution is None:
        return
    white = result.peak or 1.0
    kernel, offset = solution.kernel, solution.offset / white
    try:
        kernels.check(kernel)
    except DemoError:  # of zeros everywhere, say: no format holds it
        return
    exports = store.inside("exports")
    exports.write("kernel.json", files.kernel_json(kernel, offset))
    exports.write("kernel.npy", files.kernel_npy(kernel))
    exports.write("kernel.safetensors", files.model_safetensors(kernel, offset))
    exports.write("kernel.onnx", files.model_onnx(kernel, offset))
    for snippet in code.snippets(kernel, offset, bars=solution.standard_error):
        if snippet.code:
            name = snippet.tool.lower().replace("/", "_")
            exports.write(f"{name}.txt", snippet.code.encode())
