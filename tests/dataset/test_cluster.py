"""The same shards by DataTrove's executors: the same bits."""

import numpy as np
import pytest

from kernel_demo.dataset.cluster import TASKS, Step
from kernel_demo.dataset.fitting import Ended, fit
from kernel_demo.dataset.settings import settings
from kernel_demo.dataset.store import Store
from kernel_demo.errors import DemoError
from kernel_demo.sources.shards import plan
from tests.dataset.engines import Inline
from tests.dataset.making import tars

PAIRS = settings(3, None)


def run(source, store, engine):
    (*_, last) = fit(plan([source], True), PAIRS, Store.at(str(store)), engine, tolerate=0.5)
    return last.result


def test_every_shard_is_one_task_s(tmp_path):
    """The ranks together do all of them, each once, whether there are more or fewer."""
    tars(tmp_path, 5, 1)
    shards = plan([str(tmp_path / "*.tar")], True).shards
    store = Store.at(str(tmp_path / "sums"))
    for ranks in (1, 2, 5):
        done = [shard for rank in range(ranks) for shard in shards[rank::ranks]]
        assert sorted(shard.name for shard in done) == [shard.name for shard in shards]
    for rank in range(2):
        Step(shards, PAIRS, store)(None, rank, 2)
    assert store.names() == {PAIRS.name_of(shard) for shard in shards}
    assert TASKS < 1001


@pytest.mark.tool
def test_datatrove_and_the_pool_agree(tmp_path):
    """Its local executor, a damaged shard among them: the same kernel to the last bit."""
    pytest.importorskip("datatrove", reason="needs kernel-demo[cluster]")
    from kernel_demo.dataset import cluster

    tars(tmp_path, 5, 3)
    (tmp_path / "00002.tar").write_bytes(b"no tar at all" * 100)
    source = str(tmp_path / "*.tar")
    ours = run(source, tmp_path / "a", Inline())
    theirs = run(source, tmp_path / "b", cluster.engine("datatrove", "2"))
    assert theirs.ended is ours.ended is Ended.ALL_READ
    assert theirs.shards_read == 5
    assert theirs.left_out == ours.left_out == 1
    assert theirs.solution.kernel.tobytes() == ours.solution.kernel.tobytes()
    assert np.array_equal(theirs.solution.standard_error, ours.solution.standard_error)
    again = run(source, tmp_path / "b", cluster.engine("datatrove", "2"))
    assert (again.shards_read, again.shards_taken_up) == (0, 5)


@pytest.mark.tool
def test_slurm_needs_a_partition(tmp_path, monkeypatch):
    """A sentence says what is missing, before anything is handed over."""
    pytest.importorskip("datatrove", reason="needs kernel-demo[cluster]")
    from kernel_demo.dataset import cluster

    monkeypatch.delenv("KERNEL_DEMO_SLURM_PARTITION", raising=False)
    tars(tmp_path, 1, 1)
    with pytest.raises(DemoError, match="KERNEL_DEMO_SLURM_PARTITION"):
        run(str(tmp_path / "*.tar"), tmp_path / "s", cluster.engine("slurm", ""))
