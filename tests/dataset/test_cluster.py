"""The same shards by DataTrove's executors: the same bits."""

import os
import shutil
import time

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


def engine(kind, number=""):
    pytest.importorskip("datatrove", reason="needs kernel-demo[cluster]")
    from kernel_demo.dataset import cluster

    return cluster.engine(kind, number)


@pytest.fixture
def source(tmp_path, monkeypatch):
    """Five tars by a relative path, a damaged one among them."""
    tars(tmp_path / "t", 5, 3)
    (tmp_path / "t/00002.tar").write_bytes(b"no tar at all" * 100)
    monkeypatch.chdir(tmp_path)
    return "t/*.tar"


def same(theirs, ours) -> bool:
    """Whether two runs learned the same to the last bit, and left out the same."""
    found = [
        (one.ended, one.pictures, one.left_out, one.solution.kernel.tobytes(),
         one.solution.standard_error.tobytes()) for one in (theirs, ours)
    ]  # fmt: skip
    return found[0] == found[1]


@pytest.mark.tool
def test_datatrove_and_the_pool_agree(source):
    """Its local executor, a damaged shard among them: the same kernel to the last bit."""
    theirs, ours = run(source, "b", engine("datatrove", "2")), run(source, "a", Inline())
    assert same(theirs, ours)
    assert (theirs.ended, theirs.shards_read, theirs.left_out) == (Ended.ALL_READ, 5, 1)
    again = run(source, "b", engine("datatrove", "2"))
    assert (again.shards_read, again.shards_taken_up) == (0, 5)


@pytest.mark.slow
@pytest.mark.tool
@pytest.mark.timeout(600)  # Ray's processes import torch once each
def test_ray_and_the_pool_agree(source):
    """Ray's executor, two tasks at a time on this machine: the same kernel to the last bit."""
    ray = pytest.importorskip("ray", reason="needs ray")
    by_ray = engine("ray", "2")
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=2**27, log_to_driver=False)
    try:
        theirs = run(source, "b", by_ray)
    finally:
        ray.shutdown()
    assert same(theirs, run(source, "a", Inline()))
    assert (theirs.ended, theirs.shards_read) == (Ended.ALL_READ, 5)


# What a batch script asks of Slurm, done at once and here: an array's tasks one after the other.
SBATCH = """#!/bin/bash
script="${!#}"
echo "$@" >> "$SLURM_STANDS_IN/sbatch"
last=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' "$script")
for task in $(seq 0 "$last"); do
  grep -q launch_pickled_pipeline "$script" || continue
  SLURM_ARRAY_TASK_ID=$task SLURM_NODELIST=here bash "$script" >> "$SLURM_STANDS_IN/log" 2>&1
done
echo Submitted batch job 7
"""
SRUN = """#!/bin/bash
while [ "$1" != launch_pickled_pipeline ]; do shift; done
exec "$@"
"""
SCONTROL = "#!/bin/bash\necho here\n"


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Programs of Slurm's names in front of all others, and what a run has to be told."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in (("sbatch", SBATCH), ("srun", SRUN), ("scontrol", SCONTROL)):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("SLURM_STANDS_IN", str(tmp_path))
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")  # without this Python's own programs
    monkeypatch.setenv("KERNEL_DEMO_SLURM_TIME", "00:05:00")
    monkeypatch.setenv("KERNEL_DEMO_SLURM_PARTITION", "cpu")
    return programs


@pytest.mark.slow
@pytest.mark.tool
@pytest.mark.timeout(600)
def test_what_slurm_is_handed_does_the_work(source, slurm, tmp_path):
    """Its batch script, run by a stand-in: the sums that a second run adds up, to the last bit."""
    first = run(source, "b", engine("slurm", "2"))
    assert first.ended is Ended.HANDED_OVER
    again = run(source, "b", engine("slurm", "2"))
    assert again.shards_taken_up == 5, (tmp_path / "log").read_text()[-3000:]
    assert same(again, run(source, "a", Inline()))
    assert "no tar" not in (tmp_path / "log").read_text()  # nor the list of all shards


@pytest.mark.tool
def test_what_slurm_refuses_is_said(source, slurm, monkeypatch):
    """A batch script that sbatch will not take is one sentence, and no traceback."""
    (slurm / "sbatch").write_text("#!/bin/bash\nexit 3\n")
    with pytest.raises(DemoError, match="exit status 3 of sbatch"):
        run(source, "b", engine("slurm"))
    monkeypatch.setenv("PATH", str(slurm.parent))
    with pytest.raises(DemoError, match="Start it where Slurm is"):
        engine("slurm")


@pytest.mark.slow
@pytest.mark.tool
def test_slurm_and_the_pool_agree(source):
    """Where the machine has a Slurm, whose partition the environment names: the same bits."""
    if not shutil.which("sbatch") or not os.environ.get("KERNEL_DEMO_SLURM_PARTITION"):
        pytest.skip("needs Slurm, and KERNEL_DEMO_SLURM_PARTITION")
    assert run(source, "b", engine("slurm", "2")).ended is Ended.HANDED_OVER
    wanted, until = len(plan([source], True).shards), time.monotonic() + 240
    store = Store.at("b")
    while sum(name.endswith(".npz") for name in store.names()) < wanted:
        assert time.monotonic() < until
        time.sleep(1)
    again = run(source, "b", engine("slurm", "2"))
    assert again.shards_taken_up == wanted
    assert same(again, run(source, "a", Inline()))


@pytest.mark.tool
def test_slurm_needs_a_partition(source, slurm, monkeypatch):
    """A sentence says what is missing, before anything is handed over."""
    monkeypatch.delenv("KERNEL_DEMO_SLURM_PARTITION")
    with pytest.raises(DemoError, match="KERNEL_DEMO_SLURM_PARTITION"):
        run(source, "s", engine("slurm"))
