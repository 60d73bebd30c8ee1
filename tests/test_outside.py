"""Pairs of other projects: where their files come from, and what counts as right and as false."""

import hashlib
import json
import re
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

from benchmarks import outside
from benchmarks.proof import gaussian
from benchmarks.recovering import MAGICK
from benchmarks.table import Report
from kernel_demo.recovery import recover

BEFORE = np.random.default_rng(3).integers(20, 236, (40, 50, 3), np.uint8)
HEADER = "id=ImageMagick  version=1.0\nclass=DirectClass  colors=0  matte=False\n{}\n\n:\x1a"


def as_miff(picture: np.ndarray) -> bytes:
    size = f"columns={picture.shape[1]}  rows={picture.shape[0]}  depth=8\ncompression=None"
    return HEADER.format(size).encode() + picture.tobytes()


def as_png(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", picture[..., ::-1])[1].tobytes()


def hashed(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Another project's repository of two pairs, one of MIFF files, as it would be served."""
    repository = tmp_path / "served" / "them" / "tool" / "0123"
    files = {}
    for name, picture in (("before", BEFORE), ("negate", 255 - BEFORE), ("flop", BEFORE[:, ::-1])):
        for path, data in (
            (f"t/{name}.miff", as_miff(picture)),
            (f"t/{name}.png", as_png(picture)),
        ):
            kind = (
                {"pixels": hashed(picture.tobytes())} if "miff" in path else {"file": hashed(data)}
            )
            files[path] = kind
            (repository / path).parent.mkdir(parents=True, exist_ok=True)
            (repository / path).write_bytes(data)
    rows = [
        {"name": "negate", "before": "t/before.miff", "after": "t/negate.miff",
         "truth": {"kind": "convolution", "kernel": [[-1]]}},
        {"name": "flop", "before": "t/before.png", "after": "t/flop.png",
         "truth": {"kind": "geometry"}},
    ]  # fmt: skip
    suite = {"name": "Tool", "repository": "them/tool", "commit": "0123", "licence": "MIT",
             "files": files, "pairs": rows}  # fmt: skip
    manifest = tmp_path / "outside.json"
    manifest.write_text(json.dumps([suite]))
    monkeypatch.setattr(outside, "MANIFEST", manifest)
    monkeypatch.setattr(outside, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(outside, "SOURCE", "http://127.0.0.1:9")
    monkeypatch.delenv("FOLDER", raising=False)
    return repository


@pytest.fixture
def served(project, monkeypatch):
    """The same on 127.0.0.1; call it to close it."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = partial(Quiet, directory=project.parents[2])
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(outside, "SOURCE", f"http://127.0.0.1:{server.server_port}")
    yield server.shutdown
    server.shutdown()
    server.server_close()


def measured() -> Report:
    report = Report("outside")
    outside.run(report)
    return report


def test_files_are_fetched_once(served):
    """What is not here comes from the repository, and is here from then on."""
    first = measured()
    assert [row.what for row in first.rows] == ["Tool: 2 pairs", "all 2"]
    served()
    again = measured()
    assert again.rows == first.rows
    assert "1 right" in again.rows[0].got or "2 right" in again.rows[0].got


def test_a_folder_serves_without_a_network(project, monkeypatch, tmp_path):
    """Files lie there by their path in the repository, or as PNGs of the same pixels."""
    monkeypatch.setenv("FOLDER", str(tmp_path / "by path"))
    (tmp_path / "by path").mkdir()
    (tmp_path / "by path" / "Tool").symlink_to(project)
    by_path = measured()
    flat = tmp_path / "flat" / "Tool"
    flat.mkdir(parents=True)
    for name in ("before", "negate", "flop"):
        (flat / f"{name}.png").write_bytes((project / f"t/{name}.png").read_bytes())
    monkeypatch.setenv("FOLDER", str(tmp_path / "flat"))
    assert measured().rows == by_path.rows != []


def test_without_files_and_network_a_sentence_says_what_to_do(project):
    """No table then, and no traceback."""
    report = measured()
    assert report.rows == []
    assert "make outside FOLDER=" in report.notes[0]


def test_another_file_of_that_name_is_not_taken(project, monkeypatch, tmp_path):
    """The checksum is looked at, of bytes and of converted pixels."""
    (tmp_path / "Tool").symlink_to(project)
    monkeypatch.setenv("FOLDER", str(tmp_path))
    for path in ("t/negate.miff", "t/flop.png"):
        whole = (project / path).read_bytes()
        picture = BEFORE.copy()
        (project / path).write_bytes((as_png if "png" in path else as_miff)(picture))
        assert measured().notes[-1].endswith("is not the file that the manifest names.")
        (project / path).write_bytes(whole)


def test_miff_is_read_as_it_is_written():
    """Rows of red, green, blue behind a header; what is compressed is refused."""
    assert np.array_equal(outside.miff(as_miff(BEFORE)), BEFORE)
    with pytest.raises(ValueError, match="plain MIFF"):
        outside.miff(as_miff(BEFORE).replace(b"=None", b"=RLE"))


@pytest.mark.tool
@pytest.mark.skipif(MAGICK is None, reason="needs ImageMagick")
def test_imagemagick_writes_what_is_read(tmp_path):
    """Its own MIFF, uncompressed, has the pixels of the PNG that it was made of."""
    (tmp_path / "a.png").write_bytes(as_png(BEFORE))
    command = [MAGICK, "a.png", "-type", "TrueColor", "-depth", "8", "-compress", "None", "a.miff"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert np.array_equal(outside.miff((tmp_path / "a.miff").read_bytes()), BEFORE)


def pair_of(**truth) -> outside.Pair:
    return outside.Pair("Tool", "it", None, None, truth)


@pytest.mark.parametrize(
    ("made", "truth", "said"),
    [
        ("negative", {"kind": "convolution", "kernel": [[-1]]}, ""),
        ("negative", {"kind": "convolution", "kernel": [[-1.01]]}, "a weight outside"),
        ("negative", {"kind": "convolution"}, ""),
        ("negative", {"kind": "curve"}, "called a convolution"),
        ("negative", {"kind": "shift", "kernel": [[-1]], "shift": [0, 3]}, "bars off"),
        ("square", {"kind": "curve"}, ""),
        ("square", {"kind": "convolution", "kernel": [[1]]}, "denied"),
        ("black", {"kind": "curve"}, "undetermined"),
        ("halves", {"kind": "channels", "matrix": np.diag([0.5, 0.5, 1]).tolist()}, ""),
        (
            "halves",
            {"kind": "channels", "matrix": np.diag([0.5, 1, 1]).tolist()},
            "a weight outside",
        ),
        ("halves", {"kind": "channels", "matrix": np.eye(3, k=1).tolist()}, "not mixed"),
    ],
)
def test_what_counts_as_false(made, truth, said):
    """The linear denied, others called a convolution, weights beyond their bars."""
    half = np.dstack([BEFORE[..., 0] // 2, BEFORE[..., 1] // 2, BEFORE[..., 2]])
    after = {
        "negative": 255 - BEFORE,
        "square": np.rint(BEFORE.astype(float) ** 2 / 255).astype(np.uint8),
        "black": np.zeros_like(BEFORE),
        "halves": half,
    }[made]
    told = outside.wrong(pair_of(**truth), recover(BEFORE, after), BEFORE, after)
    assert said in told
    assert bool(said) == bool(told)


def test_the_manifest_is_whole():
    """67 pairs of four projects, each file with its checksum, each with a truth."""
    listed = list(outside.pairs(outside.MANIFEST))
    assert len(listed) == len({str(pair) for pair in listed}) == 67
    assert {pair.suite for pair in listed} == {"ImageMagick", "Pillow", "libgd", "bild"}
    for pair in listed:
        for file in (pair.before, pair.after):
            assert re.fullmatch(r"[^/]+/[^/]+/[0-9a-f]{40}/.+", file.address)
            assert file.hashes
            assert all(re.fullmatch("[0-9a-f]{64}", known) for known in file.hashes.values())
        known = outside.kernel(pair.truth)
        assert known is None or known.shape[-1] % 2 == known.shape[-2] % 2 == 1


def test_gaussians_of_the_manifest_are_spelled_out():
    """As a plain one, as sums of finer samples, and as what an unsharp mask adds."""
    plain = outside.kernel({"kernel": {"gaussian": [5, 1.5]}})
    assert np.allclose(plain, gaussian(5, 1.5), atol=1e-15)
    finer = outside.kernel({"kernel": {"gaussian": [3, 1], "samples": 3}})
    line = [sum(np.exp(-((i + j / 3) ** 2) / 2) for j in (-1, 0, 1)) for i in (-1, 0, 1)]
    assert np.allclose(finer, np.outer(line, line) / sum(line) ** 2, atol=1e-15)
    sharper = outside.kernel({"kernel": {"gaussian": [5, 1.5], "amount": 0.5}})
    assert np.allclose(sharper + plain / 2, 1.5 * np.pad([[1]], 2), atol=1e-15)
