"""The shards by DataTrove's executors: its own local one, Slurm, and Ray.

DataTrove is the extra `kernel-demo[cluster]`. Its tasks end a run at the first that fails, and
count as done whatever they did: here nothing leaves a task, and what is left to do is told by the
sums that are in the store. The store has to be a place that all machines reach.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kernel_demo.dataset.engine import Engine, Event, alone, work
from kernel_demo.dataset.settings import Settings
from kernel_demo.dataset.store import Store
from kernel_demo.errors import DemoError, whole
from kernel_demo.sources.shards import Fault, Shard, absolute

TASKS = 1000  # at most: a task takes every so manieth shard (Slurm's arrays end at 1,001)
LOG = "datatrove"  # folder beside the sums
SLURM = {"time": "KERNEL_DEMO_SLURM_TIME", "partition": "KERNEL_DEMO_SLURM_PARTITION"}


@dataclass(frozen=True)
class Step:
    """What DataTrove runs on each machine: data in and out is of no account."""

    shards: tuple[Shard, ...] = field(repr=False)  # DataTrove writes what it runs into each log
    settings: Settings
    store: Store

    def __call__(self, data: Any = None, rank: int = 0, world_size: int = 1) -> Any:
        """Work on every world_size-th shard from `rank` on."""
        alone()
        for shard in self.shards[rank::world_size]:
            work(shard, self.settings, self.store)
        return data


@dataclass(frozen=True)
class DataTrove:
    """An engine of DataTrove's."""

    kind: str  # datatrove (its local one), slurm or ray
    workers: int

    @property
    def waits(self) -> bool:
        """Slurm is handed the work, and has it done when it pleases."""
        return self.kind != "slurm"

    def run(self, shards: Sequence[Shard], settings: Settings, store: Store) -> Iterator[Event]:
        """Hands all of it over, and then tells what is in the store."""
        if not shards:
            return
        tasks = min(len(shards), TASKS)
        step = Step(tuple(map(_from_root, shards)), settings, store)
        executor = self._executor(step, tasks, store.inside(LOG).url)
        try:
            executor.run()
        except subprocess.CalledProcessError as error:  # what it said is on the terminal
            ended = f"exit status {error.returncode} of {error.cmd[0]}"
            raise DemoError("a job that Slurm takes", ended, "See what it says.") from None
        if not self.waits:
            return
        there = store.names()
        for shard in shards:
            failed = settings.name_of(shard) not in there
            yield Event(shard, Fault(shard.name, f"failed: see “{LOG}”") if failed else None)

    def _executor(self, step: Step, tasks: int, log: str) -> Any:
        asked: dict[str, Any] = {
            "pipeline": [step], "tasks": tasks, "logging_dir": log, "skip_completed": False,
        }  # fmt: skip
        if self.kind == "slurm":
            from datatrove.executor import SlurmPipelineExecutor

            given = {key: os.environ.get(name, "") for key, name in SLURM.items()}
            if not all(given.values()):
                raise DemoError(
                    f"a time and a partition for Slurm, as {' and '.join(SLURM.values())}",
                    "none in the environment",
                    "Set both, such as 02:00:00 and cpu.",
                )
            return SlurmPipelineExecutor(
                **asked, **given, workers=self.workers, job_name="kernel-demo",
                env_command=_found_again(),
            )  # fmt: skip
        if self.kind == "ray":
            from datatrove.executor import RayPipelineExecutor

            return RayPipelineExecutor(**asked, workers=self.workers)
        from datatrove.executor import LocalPipelineExecutor

        workers = min(self.workers, tasks) if self.workers > 0 else -1
        return LocalPipelineExecutor(**asked, workers=workers, start_method="forkserver")


def _from_root(shard: Shard) -> Shard:
    """The same by paths that hold in whatever folder a task begins."""
    named = shard.kind == "files"
    parts = (
        (*part[:named], *(absolute(path) for path in part[named:])) for part in shard.parts
    )  # fmt: skip
    return replace(shard, parts=tuple(parts))


def _found_again() -> str:
    """In a shell: the programs beside this Python, DataTrove's among them, come first."""
    return f'export PATH={shlex.quote(sysconfig.get_path("scripts"))}:"$PATH"'


def engine(kind: str, number: str) -> Engine:
    """slurm, ray or datatrove, with so many tasks at a time. DemoError without what it takes."""
    _needed("datatrove", kind, "kernel-demo[cluster]")
    if kind == "ray":
        _needed("ray", kind, "ray")
    if kind == "slurm" and shutil.which("sbatch") is None:
        raise DemoError("Slurm's sbatch for --on slurm", "none here", "Start it where Slurm is.")
    if number and not number.isdigit():
        raise DemoError(f"--on {kind}:N with a number", f"“{number}”"[:60], "Name one.")
    return DataTrove(kind, whole("a number of workers", int(number), 1, 10_000) if number else -1)


def _needed(package: str, kind: str, named: str) -> None:
    if importlib.util.find_spec(package) is None:
        expected, remedy = f"the package {package} for --on {kind}", f'pip install "{named}".'
        raise DemoError(expected, "none installed", f"Install it: {remedy}")
