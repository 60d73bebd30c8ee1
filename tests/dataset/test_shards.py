"""What a dataset is split into."""

import os

import pytest

from kernel_demo.dataset.settings import settings
from kernel_demo.errors import DemoError
from kernel_demo.sources import shards
from kernel_demo.sources.shards import expand, plan
from tests.dataset.making import picture, png, tars


@pytest.mark.parametrize(
    ("text", "stands_for"),
    [
        ("a.tar", ["a.tar"]),
        ("{00000..00002}.tar", ["00000.tar", "00001.tar", "00002.tar"]),
        ("{9..11}", ["9", "10", "11"]),
        ("{a,b}/{1..2}", ["a/1", "a/2", "b/1", "b/2"]),
    ],
)
def test_braces_as_in_a_shell(text, stands_for):
    """Zeros in front are kept where the first number has them."""
    assert expand(text) == stands_for


def test_a_mistyped_range_is_refused():
    """Before a list of a thousand million names is made."""
    with pytest.raises(DemoError, match="Name fewer"):
        expand("{0..999999999}.tar")


def folder(path, names):
    for number, name in enumerate(names):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(png(picture(number, 20, 20)))
    return path


def test_a_folder_is_cut_in_slices(tmp_path, monkeypatch):
    """Sorted by relative path, whatever lies in it that is no picture."""
    monkeypatch.setattr(shards, "SLICE", 3)
    folder(tmp_path / "p", ["b/2.png", "a.jpg", "b/1.png", "c.webp"])
    (tmp_path / "p" / "notes.txt").write_text("no picture")
    (tmp_path / "p" / "._a.jpg").write_text("what a Mac leaves beside a.jpg")
    found = plan([str(tmp_path / "p")], pairs=False)
    assert [[name for name, _ in shard.parts] for shard in found.shards] == [
        ["a.jpg", "b/1.png", "b/2.png"], ["c.webp"]
    ]  # fmt: skip


def test_pairs_go_together_by_name(tmp_path):
    """By relative path without the ending; who has no partner, or one too many, is named."""
    folder(tmp_path / "before", ["x/1.png", "2.png", "3.png", "4.png", "4.jpg"])
    folder(tmp_path / "after", ["x/1.jpg", "2.png", "4.png", "5.png"])
    found = plan([str(tmp_path / "before"), str(tmp_path / "after")], pairs=True)
    assert [name for shard in found.shards for name, *_ in shard.parts] == ["2", "4", "x/1"]
    told = {(fault.name, fault.reason) for fault in found.faults}
    assert told == {
        ("before/3.png", "has no partner"), ("after/5.png", "has no partner"),
        ("before/4.png", "has the name of “4.jpg”"),
    }  # fmt: skip


def test_a_shard_that_is_named_twice_is_one(tmp_path):
    """It is counted once, and that is said."""
    tars(tmp_path, 3, 1)
    found = plan([str(tmp_path / "{00000..00002}.tar"), str(tmp_path / "*.tar")], pairs=True)
    assert (len(found.shards), found.repeated) == (3, 3)


def test_a_shard_that_is_not_there_is_named(tmp_path):
    """The others are read all the same."""
    tars(tmp_path, 2, 1)
    found = plan([str(tmp_path / "{00000..00003}.tar")], pairs=True)
    assert len(found.shards) == 2
    assert [os.path.basename(fault.name) for fault in found.missing] == ["00002.tar", "00003.tar"]


@pytest.mark.parametrize("change", ["time", "size", "settings"])
def test_sums_are_named_by_shard_and_settings(tmp_path, change):
    """Another file, or other settings, and the old sums are not taken for these."""
    (path,) = tars(tmp_path, 1, 1)
    name = settings(3, None).name_of(plan([str(path)], pairs=True).shards[0])
    assert name == settings(3, None).name_of(plan([str(path)], pairs=True).shards[0])
    size = 3
    if change == "time":
        os.utime(path, (1, 1))
    elif change == "size":
        stat = path.stat()
        path.write_bytes(path.read_bytes() + bytes(512))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    else:
        size = 5
    assert name != settings(size, None).name_of(plan([str(path)], pairs=True).shards[0])


@pytest.mark.parametrize(
    ("sources", "pairs", "says"),
    [
        (["nowhere"], False, "nowhere"),
        (["p"], True, "--filter"),
        (["p", "q"], True, "same names"),
        (["empty"], False, "empty"),
        (["hub:no id"], False, "hub:owner/name"),
    ],
)
def test_nothing_to_read_is_one_sentence(tmp_path, monkeypatch, sources, pairs, says):
    """It names what was asked for, or what to do."""
    monkeypatch.chdir(tmp_path)
    folder(tmp_path / "p", ["1.png"])
    folder(tmp_path / "q", ["2.png"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(DemoError, match=says):
        plan(sources, pairs)
