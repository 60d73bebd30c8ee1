"""Loading from the Hub, by the real client against a small Hub of our own."""

import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.sources import hub, hub_worker
from tests.sources import fake_hub

pytestmark = pytest.mark.tool

ROOT = Path(__file__).parents[2]
LONG = 200.0  # seconds: never reached, whatever else the machine does

# What is asked of the Hub, all at once before the first test: each load starts a process that
# takes seconds to import its libraries.
ASKED = {
    "good": {"dataset_id": "demo/good"},
    "damaged": {"dataset_id": "demo/damaged", "split": "train", "column": "photo"},
    "texts": {"dataset_id": "demo/texts"},
    "two": {"dataset_id": "demo/two", "count": 3},
    "cut": {"dataset_id": "demo/cut"},
    "folder": {"dataset_id": "demo/folder", "count": 4},
    "escape": {"dataset_id": "demo/escape"},
    "unknown": {"dataset_id": "demo/unknown"},
    "gated": {"dataset_id": "demo/gated"},
    "busy": {"dataset_id": "demo/busy"},
    "hang": {"dataset_id": "demo/hang", "deadline": 3.0},
}


@pytest.fixture(scope="module")
def environment():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_TOKEN", "hf_secret_of_the_host")
        patch.delenv("HF_HUB_OFFLINE", raising=False)
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield patch


@pytest.fixture(scope="module")
def outcomes(environment):
    """Loaded or DemoError, and the seconds it took, for each of ASKED; and the Hub's log."""

    def ask(arguments):
        started = time.monotonic()
        try:
            result = hub.load(**{"deadline": LONG, **arguments})
        except DemoError as error:
            result = error
        return result, time.monotonic() - started

    with fake_hub.FakeHub(f"{ROOT}/examples/cat.jpg") as server:
        environment.setenv("HF_ENDPOINT", server.url)
        environment.setattr(hub, "NOTHING", 3600.0)  # longer than the tests on a busy machine
        environment.setattr(hub, "_slots", threading.BoundedSemaphore(4))
        with ThreadPoolExecutor(4) as pool:
            # The slow ones first.
            order = sorted(ASKED, key=lambda name: name not in ("cut", "hang"))
            results = dict(zip(order, pool.map(ask, [ASKED[n] for n in order]), strict=True))
        results["log"] = list(server.requests)
        yield results


def levels(loaded):
    """The seeds of fake_hub.picture(), told from the grey levels of the pictures loaded."""
    return [int(photo.pixels.mean() * 255 / 10) for photo in loaded.photos]


def test_good_dataset(outcomes):
    """A small split is preferred, the picture column found, and eight pictures come whole."""
    loaded, _ = outcomes["good"]
    about = hub._memory.recall(("demo/good", "", "", hub.DRAWN_FROM)).about
    assert (about["split"], about["column"]) == ("validation", "image")
    assert len(loaded.photos) == 8
    for photo, level in zip(loaded.photos, levels(loaded), strict=True):
        expected = np.random.default_rng(level).integers(0, 10, (48, 48)) + 10 * level
        assert np.array_equal(np.rint(photo.pixels * 255), expected)
    assert "demo/good" in loaded.note
    assert "validation" in loaded.note


def test_fewer_are_the_first_of_more(outcomes, monkeypatch):
    """Another number of pictures of the same dataset asks the Hub for nothing."""
    loaded, _ = outcomes["good"]
    monkeypatch.setattr(hub, "_run_worker", None)
    assert hub.at_hand("demo/good")
    assert levels(hub.load("demo/good", 3)) == levels(loaded)[:3]
    assert levels(hub.load("demo/good", 11))[:8] == levels(loaded)


def test_seed_shuffles_what_was_taken(outcomes, monkeypatch):
    """Other seeds draw other pictures, from memory, even when the Hub can no longer be reached."""
    loaded, _ = outcomes["good"]
    monkeypatch.setattr(hub, "_run_worker", None)
    again = hub.load("demo/good", 8, seed=0)
    other = hub.load("demo/good", 8, seed=1)
    assert levels(again) == levels(loaded)
    assert levels(other) != levels(loaded)
    assert len(set(levels(other))) == 8
    assert set(levels(other)) <= set(range(12))


def test_damaged_pictures_are_left_out_and_counted(outcomes):
    """Three files are cut short and one is only a path on this server: none of them is used."""
    loaded, _ = outcomes["damaged"]
    assert sorted(levels(loaded)) == [1, 2, 3, 5, 6, 7, 9, 10]
    taken = hub._memory.recall(("demo/damaged", "train", "photo", hub.DRAWN_FROM))
    assert (taken.about["split"], taken.about["column"]) == ("train", "photo")
    everything = hub._open("demo/damaged", taken, 12, seed=0, deadline=1.0)
    assert sorted(levels(everything)) == [1, 2, 3, 5, 6, 7, 9, 10]
    assert "4 damaged" in everything.note


def test_first_part_is_taken_of_several(outcomes):
    """A dataset with several configurations and no default gives its first, and says so."""
    loaded, _ = outcomes["two"]
    assert len(loaded.photos) == 3
    assert "part “first”" in loaded.note


def test_folder_of_pictures(outcomes):
    """A repository of plain picture files, without Parquet, works too."""
    loaded, _ = outcomes["folder"]
    assert sorted(levels(loaded)) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("name", "licence"),
    [("good", ", licence cc-by-sa-4.0"), ("folder", ", licence mit, cc0-1.0"), ("damaged", "")],
)
def test_licence_is_told(outcomes, name, licence):
    """The licence that a dataset's card names is with its pictures and in the note."""
    loaded, _ = outcomes[name]
    assert {photo.credit for photo in loaded.photos} == {f"demo/{name}{licence}"}
    assert re.search(rf"split “\w+”{re.escape(licence)}\.", loaded.note)


@pytest.mark.parametrize("name", ["cut", "hang", "texts"])
def test_the_same_is_not_asked_twice(outcomes, name, monkeypatch):
    """What came before a failure stays the same pictures; a failure is repeated at once."""
    before, _ = outcomes[name]
    monkeypatch.setattr(hub, "_run_worker", None)
    if isinstance(before, DemoError):
        with pytest.raises(DemoError) as caught:
            hub.load(**ASKED[name])
        assert str(caught.value) == str(before)
    else:
        assert levels(hub.load(**ASKED[name])) == levels(before)


def test_failing_in_the_middle(outcomes):
    """What came before the Hub failed is used, and the note says that it failed."""
    loaded, _ = outcomes["cut"]
    assert sorted(levels(loaded)) == [0, 1, 2]
    assert "stopped answering" in loaded.note


def test_what_came_until_the_deadline_is_used(tmp_path, monkeypatch):
    """A worker that hangs is ended; the whole frames that it sent are there, half a one is not."""
    worker = tmp_path / "worker.py"
    worker.write_text(
        """
import sys, time
for frame in (
    b'{"kind": "about", "size": 0}\\n',
    b'{"kind": "picture", "size": 90000}\\n' + b"x" * 90000,
    b'{"kind": "picture", "si',
):
    sys.stdout.buffer.write(frame)
sys.stdout.flush()
time.sleep(600)
"""
    )
    monkeypatch.setattr(hub, "_WORKER", worker)
    taken = hub._run_worker("{}", 3.0)
    assert taken.files == (b"x" * 90000,)
    assert taken.cause == "late"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("unknown", "does not know"),
        ("gated", "sign in"),
        ("texts", "these columns: text"),
        ("busy", "no usable answer"),
        ("hang", "within 3 seconds"),
        ("escape", "could not be read"),
    ],
)
def test_failures_say_what_is_wrong(outcomes, name, words):
    """Each way to fail has a sentence of its own, and none of them shows a path of the server."""
    error, _ = outcomes[name]
    assert isinstance(error, DemoError), error
    assert words in str(error)
    assert str(ROOT) not in str(error)


@pytest.mark.parametrize(
    ("cause", "detail", "words"),
    [
        ("", "", "only damaged ones in “a/b”"),
        ("no such split", "train, test", "these splits: train, test"),
        ("no such column", "photo, mask", "columns of pictures: photo, mask"),
    ],
)
def test_rarer_failures_have_their_sentences(cause, detail, words):
    """What the worker reports becomes a sentence with the names to choose from."""
    error = hub._failure("a/b", hub._Taken(cause=cause, detail=detail), 15.0)
    assert words in str(error)


@pytest.mark.parametrize(
    ("names", "wanted", "expected"),
    [
        (["train", "test"], "", "test"),
        (["train", "validation", "test"], "", "validation"),
        (["train"], "", "train"),
        (["big", "small"], "", "big"),
        (["train", "test"], "train", "train"),
    ],
)
def test_split_chosen(names, wanted, expected):
    """Small splits are preferred, an unusual one serves, and a wish is followed."""
    assert hub_worker.choose(names, wanted, hub_worker.SMALL_SPLITS, "split") == expected


def test_split_that_is_not_there():
    """A wish that cannot be followed is refused with the names there are."""
    with pytest.raises(hub_worker.RefusedError) as caught:
        hub_worker.choose(["train", "test"], "tset", (), "split")
    assert (caught.value.cause, caught.value.detail) == ("no such split", "train, test")


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        ("hf://datasets/a/b@0123/x.jpg", True),
        ("zip://x.jpg::hf://datasets/a/b@0123/x.zip", True),
        ("hf://datasets/a/c@0123/x.jpg", False),
        ("hf://datasets/a/b@0123/../../c/x.jpg", False),
        ("hf://datasets/a/b@0123/x.zip::/etc/passwd", False),
        ("/etc/passwd", False),
        ("file:///etc/passwd", False),
        ("http://169.254.169.254/latest", False),
        ("", False),
    ],
)
def test_paths_in_a_dataset_stay_inside_it(path, inside):
    """A row's path is followed only where it leads into the very dataset."""
    assert hub_worker.is_inside(path, "a/b") is inside


def test_hanging_hub_is_left_at_the_deadline(outcomes):
    """A host that never answers costs the deadline (3 s), not the client's own minutes."""
    _, seconds = outcomes["hang"]
    assert seconds < 10  # 3 s, and room for a busy machine to end the process


def test_token_of_the_host_is_not_sent(outcomes):
    """A host's token must not open its private datasets to visitors."""
    assert len(outcomes["log"]) > 20
    assert not [row for row in outcomes["log"] if row[2]]


def test_refused_connection(environment):
    """Where nobody listens, the error comes at once."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        environment.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(DemoError, match="no usable answer from the Hub"):
            hub.load("demo/asked", 2, deadline=LONG)


def test_offline_switch(environment):
    """HF_HUB_OFFLINE=1, as by --offline, fails at once: no process, nothing is asked."""
    with pytest.MonkeyPatch.context() as patch, fake_hub.FakeHub() as server:
        patch.setenv("HF_ENDPOINT", server.url)
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setattr(hub, "_run_worker", None)
        assert hub.at_hand("demo/good")
        with pytest.raises(DemoError, match="started without network"):
            hub.load("demo/good", 3, deadline=LONG)
        assert server.requests == []


@pytest.mark.parametrize(
    "bad",
    [
        "", "..", "../..", "/etc/passwd", "imagefolder", "beans", "a/b/c", "a/..", "./b", "a b/c",
        "https://example.com/x.zip", "hf://datasets/a/b", "file:///etc", "C:\\x", "ä/ö", "a/b\n",
        "x/" + "y" * 200,
    ],
)  # fmt: skip
def test_bad_ids_never_reach_the_client(bad, monkeypatch):
    """A path, a URL or a bare name is refused before any process or connection is started."""
    monkeypatch.setattr(hub, "_run_worker", None)
    with pytest.raises(DemoError, match="owner/name"):
        hub.load(bad)


def test_path_on_this_server_is_refused(tmp_path, monkeypatch):
    """An id that names an existing folder is not looked up, and its place is not shown."""
    (tmp_path / "some" / "folder").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hub, "_run_worker", None)
    with pytest.raises(DemoError, match="a path on this server") as caught:
        hub.load("some/folder")
    assert str(tmp_path) not in str(caught.value)


def test_pasted_address_gets_the_id_as_remedy():
    """Who pastes a dataset's address is told the id in it."""
    with pytest.raises(DemoError, match="Enter “timm/eurosat-rgb”"):
        hub.load("https://huggingface.co/datasets/timm/eurosat-rgb?row=1")


@pytest.mark.parametrize("count", [0, -1, 65])
def test_count_is_bounded(count):
    """A client past the widgets cannot ask for any number of pictures."""
    with pytest.raises(DemoError, match="from 1 to 64"):
        hub.load("demo/good", count)


def test_loads_at_once_are_bounded(monkeypatch):
    """With every slot taken, a visitor is told so within the deadline."""
    monkeypatch.setattr(hub, "_slots", threading.BoundedSemaphore(1))
    with hub._slots, pytest.raises(DemoError, match="too many visitors"):
        hub.load("demo/other", deadline=0.2)


@pytest.mark.parametrize("share", [0.0, 0.4, 0.9])
def test_all_waits_together_keep_the_deadline(share, monkeypatch):
    """For another's load of the same, for a slot and for the Hub: ten seconds in all, not each."""
    now, waits = [100.0], []

    def wait(seconds):
        waits.append(seconds)
        now[0] += seconds
        return True

    @contextmanager
    def asking(_key, patience, *_):
        yield wait(share * patience)

    def late(_request, seconds):
        wait(seconds)
        return hub._Taken(cause="late")

    memory = SimpleNamespace(asking=asking, recall=lambda _: None, remember=lambda *_: None)
    slots = SimpleNamespace(acquire=lambda timeout: wait(timeout), release=lambda: None)
    monkeypatch.setattr(hub, "_memory", memory)
    monkeypatch.setattr(hub, "_slots", slots)
    monkeypatch.setattr(hub, "_run_worker", late)
    monkeypatch.setattr(hub, "time", SimpleNamespace(monotonic=lambda: now[0]))
    with pytest.raises(DemoError, match=r"too many visitors|within 10 seconds"):
        hub.load("a/b", deadline=10.0)
    assert sum(waits) <= 10.0 + 1e-9


def test_offered_datasets_have_valid_ids():
    """The list on the page holds ids that the loader accepts."""
    for dataset in hub.DATASETS:
        hub._check_id(dataset.id)
