"""`python -m kernel_demo fit`: a whole dataset at a terminal."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest

from kernel_demo.__main__ import main
from kernel_demo.imaging.kernels import named
from tests.dataset.making import KERNEL, filtered, pair, picture, png, tar, tars

ROOT = Path(__file__).parents[2]


def fit(*arguments) -> tuple[int, str, str]:
    """The exit status, and what was written to stdout and to stderr."""
    out, said = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(said):
        status = main(["fit", *map(str, arguments)])
    return status, out.getvalue(), said.getvalue()


def told(folder) -> dict:
    return json.loads((folder / "report.json").read_text())


def test_pairs_in_folders(tmp_path):
    """The kernel of OpenCV's afters, with its bars; what has no partner is named; all formats."""
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
    for seed in range(12):
        (tmp_path / f"before/{seed}.png").write_bytes(png(picture(seed)))
        (tmp_path / f"after/{seed}.bmp").write_bytes(
            cv2.imencode(".bmp", filtered(picture(seed)))[1].tobytes()
        )
    (tmp_path / "after/alone.png").write_bytes(png(picture(0)))
    status, out, _ = fit(
        tmp_path / "before", tmp_path / "after", "--out", tmp_path / "out", "--tolerate", "0.2"
    )
    assert status == 0
    found = told(tmp_path / "out")
    bars = np.array(found["standard_error"])
    assert (np.abs(np.array(found["kernel"]) - KERNEL) < 6 * bars).all()
    assert bars.max() < 1e-3
    assert (found["pictures"], found["shards_read"], found["shards_taken_up"]) == (12, 1, 0)
    assert found["left_out"] == {
        "count": 1, "first": [{"name": "after/alone.png", "reason": "has no partner"}]
    }  # fmt: skip
    assert found["exact"] is True
    assert found["outliers"]["count"] == 0
    assert "A kernel of 3 × 3 from 12 pictures" in out
    exports = {path.name for path in (tmp_path / "out/exports").iterdir()}
    assert {"kernel.json", "kernel.npy", "kernel.onnx", "kernel.safetensors", "c.txt"} <= exports
    assert np.array_equal(np.load(tmp_path / "out/exports/kernel.npy"), found["kernel"])
    session = onnxruntime.InferenceSession(tmp_path / "out/exports/kernel.onnx")
    before = picture(3).astype(np.float32)[None, None] / 255
    (after,) = session.run(None, {"before": before})
    oracle = cv2.filter2D(picture(3).astype(float), -1, KERNEL)[1:-1, 1:-1]
    assert np.abs(255 * after[0, 0, 1:-1, 1:-1] - oracle).max() < 0.1


def test_a_known_filter(tmp_path):
    """--filter: the kernel comes out to the last digits, and its error is told."""
    (tmp_path / "p").mkdir()
    for seed in range(4):
        (tmp_path / f"p/{seed}.png").write_bytes(png(picture(seed)))
    matrix, truth = json.dumps(KERNEL.tolist()), np.pad(KERNEL, 1)
    for what, kernel in (("sobel_x", named("sobel_x", 5).values), (matrix, truth)):
        out_folder = tmp_path / what[:5]
        status, out, _ = fit(tmp_path / "p", "--filter", what, "--out", out_folder, "--size", 5)
        assert status == 0
        found = told(out_folder)
        assert found["kernel_error"] < 1e-9
        assert np.abs(np.array(found["kernel"]) - kernel).max() < 1e-9
    assert found["outliers"] is None
    assert "kernel error" in out


def test_the_page_of_a_run(tmp_path):
    """One file that asks nobody for anything: heat map, certificate, curve, outliers, reasons."""
    tars(tmp_path / "t", 5, 4, (3, 9))
    tar(tmp_path / "t/z.tar", [*pair(50), ("51.before.png", b""), ("51.after.png", b"x")])
    status, out, _ = fit(tmp_path / "t/*.tar", "--out", tmp_path / "o", "--tolerate", 0.1)
    assert status == 0
    assert "2 of 21 pairs were not made by it alone" in out
    page = (tmp_path / "o/report.html").read_text()
    for part in (
        "<table",
        "<svg",
        "largest error bar",
        "000003",
        "000009",
        "is empty",
        "21 pictures",
    ):
        assert part in page, part
    for outside in ("http:", "https:", "src=", "<script", "<link", "@import", "url("):
        assert outside not in page
    found = told(tmp_path / "o")
    named_ones = sorted(one["name"][-6:] for one in found["outliers"]["first"])
    assert named_ones == ["000003", "000009"]
    assert found["curve"][-1]["pictures"] == 21
    assert [point["pictures"] for point in found["curve"]] == sorted(
        point["pictures"] for point in found["curve"]
    )


def test_it_goes_on_where_it_was(tmp_path):
    """A second run reads nothing, says so, and leaves the same kernel."""
    tars(tmp_path / "t", 3, 2)
    first = fit(tmp_path / "t", "--out", tmp_path / "o")
    kernel = told(tmp_path / "o")["kernel"]
    status, _, said = fit(tmp_path / "t", "--out", tmp_path / "o")
    assert first[0] == status == 0
    assert "3 of 3 shards were read before, and are taken up." in said
    again = told(tmp_path / "o")
    assert (again["shards_read"], again["shards_taken_up"]) == (0, 3)
    assert again["kernel"] == kernel


@pytest.mark.slow
@pytest.mark.tool
def test_killed_and_started_again(tmp_path):
    """SIGKILL of the whole run: what it had read is taken up, and the kernel is to the last bit."""
    tars(tmp_path / "t", 40, 6)
    command = [sys.executable, "-m", "kernel_demo", "fit", str(tmp_path / "t"), "--workers", "1"]
    run = subprocess.Popen([*command, "--out", tmp_path / "o"], cwd=ROOT, stderr=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL)  # fmt: skip
    until = time.monotonic() + 100
    while len(list((tmp_path / "o").glob("sums/*.npz"))) < 2 and time.monotonic() < until:
        time.sleep(0.02)
    run.send_signal(signal.SIGKILL)
    run.wait()
    there = len(list((tmp_path / "o").glob("sums/*.npz")))
    assert 2 <= there < 40
    assert not (tmp_path / "o/report.json").exists()
    assert fit(tmp_path / "t", "--out", tmp_path / "o")[0] == 0
    assert fit(tmp_path / "t", "--out", tmp_path / "whole", "--workers", 2)[0] == 0
    killed, whole = told(tmp_path / "o"), told(tmp_path / "whole")
    assert killed["shards_taken_up"] >= there
    assert killed["shards_read"] == 40 - killed["shards_taken_up"]
    for key in ("kernel", "standard_error", "offset", "pictures", "curve"):
        assert killed[key] == whole[key]


def test_more_than_is_tolerated(tmp_path):
    """Exit status 1, a sentence, and the report of what was learned all the same."""
    tar(tmp_path / "a.tar", [*pair(0), *pair(1), ("9.before.png", b"")])
    status, out, _ = fit(tmp_path / "a.tar", "--out", tmp_path / "o")
    assert status == 1
    assert "More could not be used than is tolerated." in out
    assert np.abs(np.array(told(tmp_path / "o")["kernel"]) - KERNEL).max() < 0.01


@pytest.mark.slow
@pytest.mark.tool
def test_a_bar_on_a_terminal(tmp_path):
    """One line that is written over, with pictures, speed and the largest bar."""
    tars(tmp_path / "t", 3, 2)
    ours, theirs = pty.openpty()
    run = subprocess.run(
        [sys.executable, "-m", "kernel_demo", "fit", tmp_path / "t"],
        cwd=ROOT, stderr=theirs, stdout=subprocess.PIPE,
    )  # fmt: skip
    os.close(theirs)
    said = os.read(ours, 10**6).decode()
    os.close(ours)
    assert run.returncode == 0
    last = said.rstrip().split("\r")[-1]
    for part in ("█" * 24, "3/3 shards", "6 pictures", "Mpx/s", "error bars up to"):
        assert part in last, part


@pytest.mark.slow
@pytest.mark.tool
def test_ctrl_c(tmp_path):
    """It ends at once, without a traceback, and says how to go on."""
    tars(tmp_path / "t", 40, 6)
    command = [sys.executable, "-m", "kernel_demo", "fit", tmp_path / "t", "--out", tmp_path / "o"]
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # not so in the background
    run = subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, start_new_session=True, preexec_fn=heard
    )
    until = time.monotonic() + 100
    while not list((tmp_path / "o").glob("sums/*.npz")) and time.monotonic() < until:
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to all of its processes
    said = run.communicate(timeout=60)[1].decode()
    assert run.returncode == 130
    assert "the same command goes on" in said
    assert "Traceback" not in said


def test_until(tmp_path):
    """It stops when it knows, and says that it did."""
    tars(tmp_path / "t", 12, 2)
    status, out, _ = fit(tmp_path / "t", "--until", "0.01", "--out", tmp_path / "o")
    assert status == 0
    assert "Every error bar is as small as was asked for." in out
    assert told(tmp_path / "o")["pictures"] < 24


def test_plain_lines_in_a_log(tmp_path):
    """No bar, and no carriage return, where nobody looks at a terminal."""
    tars(tmp_path / "t", 3, 2)
    _, _, said = fit(tmp_path / "t")
    assert "\r" not in said
    assert "3/3 shards, 6 pictures" in said
    assert "error bars up to" in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nowhere",), "nowhere"),
        (("p",), "--filter"),
        (("p", "--filter", "nonsense"), "nonsense"),
        (("p", "--filter", "box", "--size", "4"), "size"),
        (("p", "--filter", "[[1,2],[3,4]]"), "2 × 2"),
        (("t.tar", "--until", "nan"), "error bar"),
        (("t.tar", "--tolerate", "2"), "tolerate"),
        (("t.tar", "--workers", "0"), "workers"),
        (("t.tar", "--on", "moon"), "slurm"),
        (("t.tar", "--on", "local:x"), "local:N"),
        (("t.tar", "--fields", "one"), "two fields"),
        (("t.tar", "--channel", "luminance"), "luminance"),
        (("t.tar", "--size", "33"), "size"),
        (("t.tar", "--out", "t.tar/inside"), "folder"),
        (("hub:nothing",), "hub:owner/name"),
        (("nosuch://bucket/{0..3}.tar",), "nosuch"),
        (("t.tar", "--out", "nosuch://bucket/run"), "nosuch"),
    ],
)
def test_what_can_be_put_right_is_one_sentence(tmp_path, monkeypatch, arguments, says):
    """Exit status 2 and a sentence that names it; nothing is read, and no traceback shown."""
    monkeypatch.chdir(tmp_path)
    Path("p").mkdir()
    Path("p/1.png").write_bytes(png(picture(0)))
    tar(tmp_path / "t.tar", pair(0))
    status, _, said = fit(*arguments)
    assert status == 2
    assert said.startswith("Expected")
    assert says in said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.parametrize("on", ["slurm", "ray", "datatrove:2"])
def test_without_datatrove(tmp_path, monkeypatch, on):
    """The extra that is missing is named, with how to install it."""
    monkeypatch.setitem(sys.modules, "datatrove", None)
    tar(tmp_path / "t.tar", pair(0))
    status, _, said = fit(tmp_path / "t.tar", "--on", on)
    assert status == 2
    assert 'pip install "kernel-demo[cluster]"' in said


def test_nothing_at_all_could_be_used(tmp_path):
    """Exit status 1 and a report that says so, with null for a kernel."""
    (tmp_path / "t.tar").write_bytes(b"")
    status, out, _ = fit(tmp_path / "t.tar", "--out", tmp_path / "o")
    assert status == 1
    assert "Nothing was learned" in out
    assert told(tmp_path / "o")["kernel"] is None
    assert os.listdir(tmp_path / "o/sums")


def test_pictures_without_an_after(tmp_path):
    """What img2dataset writes, and no filter named: the sentence says what is missing."""
    tar(tmp_path / "t.tar", [("0.jpg", png(picture(0))), ("0.json", b"{}"), ("0.txt", b"a cat")])
    status, out, _ = fit(tmp_path / "t.tar")
    assert status == 1
    assert "need a --filter" in out
    assert "has no “before”" in out
    assert fit(tmp_path / "t.tar", "--filter", "box")[0] == 0
