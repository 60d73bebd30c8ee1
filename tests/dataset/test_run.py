"""A run over a dataset: the same bits however it was worked on; nothing lost or counted twice."""

import json
import multiprocessing
import os
import signal
from dataclasses import replace
from pathlib import Path

import cv2
import fsspec
import numpy as np
import pytest

from kernel_demo.dataset import engine, fitting, merging, report
from kernel_demo.dataset.engine import Event, Pool, work
from kernel_demo.dataset.fitting import Ended, fit
from kernel_demo.dataset.settings import settings
from kernel_demo.dataset.store import Store
from kernel_demo.imaging.kernels import random
from kernel_demo.sources.shards import Fault, Plan, plan
from tests.dataset.engines import Inline
from tests.dataset.making import KERNEL, OTHER, filtered, pair, picture, png, tar, tars

EXAMPLES = Path(__file__).parents[2] / "examples"
SHARDS = 7
PAIRS = settings(3, None)
FILTER = settings(5, random(5, 0))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dataset")
    tars(folder, SHARDS, 3)
    return str(folder / "{00000..00006}.tar")


def run(source, store, engine=None, asked=PAIRS, **options):
    """The result, and the sums as they were merged."""
    planned = source if isinstance(source, Plan) else plan([source], asked.weights is None)
    found = list(fit(planned, asked, Store.at(str(store)), engine or Inline(), **options))
    return found[-1].result


def bits(result) -> bytes:
    """All that was learned, to the last bit."""
    solution = result.solution
    arrays = (solution.kernel, solution.standard_error, np.array([solution.offset]))
    curve = json.dumps([vars(point) for point in result.curve])
    return b"".join(array.tobytes() for array in arrays) + curve.encode()


@pytest.mark.sweep(2)
@pytest.mark.parametrize("asked", [PAIRS, FILTER], ids=["8 bits", "floats"])
def test_the_same_bits_for_any_workers_and_order(dataset, tmp_path, asked):
    """1, 2 and 3 workers, and shards in any order of work: whole numbers, and floats alike."""
    found = [
        run(dataset, tmp_path / f"{number}", each, asked)
        for number, each in enumerate([Inline(), Pool(1), Pool(2), Pool(3), Inline(1), Inline(2)])
    ]
    assert {result.shards_read for result in found} == {SHARDS}
    assert len({bits(result) for result in found}) == 1
    truth = KERNEL if asked is PAIRS else asked.truth
    assert np.abs(found[0].solution.kernel - truth).max() < (2e-3 if asked is PAIRS else 1e-12)


def test_whole_numbers_do_not_know_the_order_of_merging(dataset, tmp_path):
    """8-bit pairs: the plan itself shuffled, the same kernel and bars to the last bit."""
    planned = plan([dataset], True)
    found = []
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(SHARDS)
        shuffled = replace(planned, shards=tuple(planned.shards[at] for at in order))
        solution = run(shuffled, tmp_path / "store").solution
        found.append(solution.kernel.tobytes() + solution.standard_error.tobytes())
    assert len(set(found)) == 1


def test_a_run_started_again_takes_up_what_is_there(dataset, tmp_path):
    """Stopped midway, it goes on; a third time nothing is read, and the kernel is the same."""
    whole = run(dataset, tmp_path / "other")
    half = fit(plan([dataset], True), PAIRS, Store.at(str(tmp_path / "store")), Inline())
    for progress in half:
        if progress.shards == 3:
            break
    half.close()
    second, third = (run(dataset, tmp_path / "store") for _ in range(2))
    assert (second.shards_taken_up, second.shards_read) == (3, SHARDS - 3)
    assert (third.shards_taken_up, third.shards_read) == (SHARDS, 0)
    assert bits(whole) == bits(second) == bits(third)


def test_a_killed_worker_ends_nothing(dataset, tmp_path):
    """SIGKILL of a worker: its shard is read by another one, and the bits are the same."""
    store = Store.at(str(tmp_path / "store"))
    killed = []
    for progress in fit(plan([dataset], True), PAIRS, store, Pool(2)):
        if not killed and progress.shards >= 1:
            victim = multiprocessing.active_children()[0]
            os.kill(victim.pid, signal.SIGKILL)
            killed.append(victim.pid)
    assert killed
    result = progress.result
    assert result.failed == ()
    assert bits(result) == bits(run(dataset, tmp_path / "other"))


def test_what_kills_its_worker_is_given_up(dataset, tmp_path, monkeypatch):
    """A shard that ends every worker which touches it is named, and the run ends in a result."""
    monkeypatch.setattr(engine, "_work", _die)
    planned = plan([dataset], True)
    one = replace(planned, shards=planned.shards[:1])
    result = run(one, tmp_path / "store", Pool(1))
    assert [fault.reason for fault in result.failed] == ["ended its worker 3 times"]
    assert result.ended is Ended.LEFT_OUT


def _die(shard):
    os.kill(os.getpid(), signal.SIGKILL)


def test_sums_that_are_damaged_in_the_store_are_made_again(dataset, tmp_path):
    """A file that a full disk or a crash has cut is no sums: the shard is read once more."""
    store = Store.at(str(tmp_path / "store"))
    whole = run(dataset, tmp_path / "store")
    name = sorted(store.names())[2]
    store.write(name, store.read(name)[:500])
    again = run(dataset, tmp_path / "store")
    assert bits(again) == bits(whole)
    assert again.failed == ()


def test_anywhere_that_fsspec_reaches(dataset, tmp_path):
    """Shards and sums in another file system: the same bits, and taken up again."""
    memory = fsspec.filesystem("memory")
    for path in sorted(Path(dataset).parent.glob("*.tar")):
        memory.pipe_file(f"/shards/{path.name}", path.read_bytes())
    found = [run("memory://shards/{00000..00006}.tar", "memory://run") for _ in range(2)]
    assert [result.shards_taken_up for result in found] == [0, SHARDS]
    assert {bits(result) for result in found} == {bits(run(dataset, tmp_path / "store"))}
    assert not [name for name in memory.ls("/run", detail=False) if name.endswith(".part")]


def test_until_is_the_same_for_any_order(dataset, tmp_path):
    """It stops at the same shard of the plan, whichever were quickest, and well before the end."""
    whole = run(dataset, tmp_path / "whole")
    until = whole.curve[2].largest_bar * 1.0001
    found = [
        run(dataset, tmp_path / f"{number}", each, until=until)
        for number, each in enumerate([Inline(), Inline(1), Pool(2)])
    ]
    assert {result.ended for result in found} == {Ended.KNOWN}
    assert len({bits(result) for result in found}) == 1
    assert found[0].pictures == whole.curve[2].pictures < whole.pictures


def test_a_failing_shard_fails_alone(dataset, tmp_path, monkeypatch):
    """A full disk at one shard: it is named, the others are learned from; later it is read."""
    marked = plan([dataset], True).shards[3]

    class Full(Inline):
        def run(self, shards, settings, store):
            for shard in shards:
                full = Fault(shard.name, "failed: No space left on device")
                yield Event(shard, full if shard == marked else work(shard, settings, store))

    first = run(dataset, tmp_path / "store", Full())
    assert first.ended is Ended.LEFT_OUT
    assert [fault.name for fault in first.failed] == [marked.name]
    assert first.pictures == 3 * (SHARDS - 1)
    second = run(dataset, tmp_path / "store")
    assert (second.shards_taken_up, second.shards_read) == (SHARDS - 1, 1)
    assert bits(second) == bits(run(dataset, tmp_path / "other"))


def test_a_disk_that_is_full(dataset, tmp_path, monkeypatch):
    """The store refuses to write: each shard is told so, and the run ends in a result."""
    monkeypatch.setattr(Store, "write", _full)
    result = run(dataset, tmp_path / "store")
    assert result.ended is Ended.LEFT_OUT
    assert {fault.reason for fault in result.failed} == {"failed: No space left on device"}
    assert result.solution is None
    assert b"Nothing was learned" in report.as_html(result, "title")


def _full(self, name, content):
    raise OSError(28, "No space left on device")


def test_no_part_of_a_file_is_left(tmp_path):
    """What cannot be written whole is not there at all."""
    store = Store.at(str(tmp_path))
    store.write("a", b"old")
    with pytest.raises(TypeError):
        store.write("a", None)
    assert store.read("a") == b"old"
    assert store.names() == {"a"}


@pytest.mark.parametrize(("broken", "tolerate", "ended"), [
    (1, 0.05, Ended.ALL_READ), (1, 0.01, Ended.LEFT_OUT), (3, 0.5, Ended.ALL_READ),
])  # fmt: skip
def test_what_is_tolerated(tmp_path, broken, tolerate, ended):
    """Up to that share of pictures may fail; beyond, it ends with what was learned so far."""
    bad = [(f"9{n:05d}.before.png", b"nothing") for n in range(broken)]
    bad += [(f"9{n:05d}.after.png", b"nothing") for n in range(broken)]
    members = [member for seed in range(24) for member in pair(seed)]
    tar(tmp_path / "a.tar", members + sorted(bad))
    result = run(str(tmp_path / "a.tar"), tmp_path / "store", tolerate=tolerate)
    assert result.ended is ended
    assert (result.pictures, result.left_out) == (24, broken)
    assert np.abs(result.solution.kernel - KERNEL).max() < 2e-3


def test_it_does_not_read_on_in_vain(tmp_path, monkeypatch):
    """When far more fail than is tolerated, the rest is not read."""
    monkeypatch.setattr(fitting, "MANY_PICTURES", 3)
    for number in range(5):
        tar(tmp_path / f"{number}.tar", [(f"{n}.before.png", b"x") for n in range(4)])
    result = run(str(tmp_path / "*.tar"), tmp_path / "store")
    assert result.ended is Ended.LEFT_OUT
    assert result.shards_read == 1


def test_depths_are_not_mixed(tmp_path):
    """A shard of 16 bits among those of 8 is left out, and told."""
    deep = [picture(9).astype(np.uint16) * 257] * 2
    tar(tmp_path / "a.tar", pair(0))
    tar(tmp_path / "b.tar", [("9.before.png", png(deep[0])), ("9.after.png", png(deep[1]))])
    result = run(str(tmp_path / "*.tar"), tmp_path / "store", tolerate=1.0)
    assert (result.pictures, result.left_out, result.peak) == (1, 1, 255)
    assert "white of 65535" in result.faults[0].reason


def test_rounding_does_not_average_out(tmp_path):
    """Of the photos, each twice, the box is off by six classical bars, and by two of ours."""
    members = []
    for number, path in enumerate(2 * sorted(EXAMPLES.glob("*.jpg"))):
        before = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        after = filtered(before, OTHER)
        members += [(f"{number:03d}.before.bmp", bmp(before))]
        members += [(f"{number:03d}.after.bmp", bmp(after))]
    tar(tmp_path / "a.tar", members)
    solution = run(str(tmp_path / "a.tar"), tmp_path / "store").solution
    off = np.abs(solution.kernel - OTHER) / solution.standard_error
    classical = solution.standard_error / (1 + solution.pixels / merging.COHERENT) ** 0.5
    assert off.max() < 2
    assert (np.abs(solution.kernel - OTHER) / classical).max() > 5


def bmp(values):
    return cv2.imencode(".bmp", values)[1].tobytes()
