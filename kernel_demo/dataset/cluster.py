"""The shards by DataTrove's executors: its own local one, Slurm, and Ray.

DataTrove is the extra `kernel-demo[cluster]`. Its tasks end a run at the first that fails, and
count as done whatever they did: here nothing leaves a task, and what is left to do is told by the
sums that are in the store. The store has to be a place that all machines reach.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kernel_demo.dataset.engine import Engine, Event, alone, work
from kernel_demo.dataset.settings import Settings
from kernel_demo.dataset.store import Store
from kernel_demo.errors import DemoError, whole
from kernel_demo.sources.shards import Fault, Shard

TASKS = 1000  # at most: a task takes every so manieth shard (Slurm's arrays end at 1,001)
LOG = "datatrove"  # folder beside the sums
SLURM = {"time": "KERNEL_DEMO_SLURM_TIME", "partition": "KERNEL_DEMO_SLURM_PARTITION"}


@dataclass(frozen=True)
class Step:
    """What DataTrove runs on each machine: data in and out is of no account."""

    shards: tuple[Shard, ...]
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
        step = Step(tuple(shards), settings, store)
        self._executor(step, tasks, store.inside(LOG).url).run()
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
                **asked, **given, workers=self.workers, job_name="kernel-demo"
            )
        if self.kind == "ray":
            from datatrove.executor import RayPipelineExecutor

            return RayPipelineExecutor(**asked, workers=self.workers)
        from datatrove.executor import LocalPipelineExecutor

        workers = min(self.workers, tasks) if self.workers > 0 else -1
        return LocalPipelineExecutor(**asked, workers=workers, start_method="forkserver")


def engine(kind: str, number: str) -> Engine:
    """slurm, ray or datatrove, with so many tasks at a time. DemoError without DataTrove."""
    try:
        import datatrove  # noqa: F401
    except ModuleNotFoundError:
        raise DemoError(
            f"the package datatrove for --on {kind}",
            "none installed",
            'Install it: pip install "kernel-demo[cluster]".',
        ) from None
    if number and not number.isdigit():
        raise DemoError(f"--on {kind}:N with a number", f"“{number}”"[:60], "Name one.")
    return DataTrove(kind, whole("a number of workers", int(number), 1, 10_000) if number else -1)
