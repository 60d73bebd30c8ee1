"""What the README has for scripts runs as it stands there."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from gradio_client.exceptions import AppError

from kernel_demo.sources import bundled

README = Path(__file__).parents[2] / "README.md"
EMBOSS = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], float)


def blocks() -> list[str]:
    """The code under "From Python": with the package, then with the page."""
    section = README.read_text(encoding="utf-8").partition("## From Python")[2]
    return re.findall("```python\n(.*?)```", section, re.DOTALL)


def test_ten_lines_of_python(tmp_path, monkeypatch, capsys):
    """The package on OpenCV's filters: Sobel is learned and fitted, an emboss recovered."""
    monkeypatch.chdir(tmp_path)
    photo = cv2.imread(str(bundled.FOLDER / "camera.jpg"), cv2.IMREAD_GRAYSCALE)
    names = {
        "photo": photo,
        "photos": [photo],
        "filtered": [cv2.Sobel(photo, cv2.CV_64F, 1, 0)],
        "before": photo,
        "after": cv2.filter2D(photo, -1, EMBOSS, delta=128),
    }
    exec(blocks()[0], names)
    assert names["progress"].kernel_error < 1e-5
    np.testing.assert_allclose(names["edges"], names["filtered"][0], atol=1e-3)
    np.testing.assert_allclose(names["best"].kernel, names["sobel"], atol=1e-8)
    np.testing.assert_array_equal(names["found"].kernel[0, 0], EMBOSS)
    assert "convolution" in capsys.readouterr().out
    assert json.loads((tmp_path / "found.json").read_text())["bit_exact"]


@pytest.fixture
def snippet(address, tmp_path, monkeypatch) -> str:
    """The code for the page's endpoints, for the page of this test, beside the files it names."""
    monkeypatch.chdir(tmp_path)
    photo = cv2.imread(str(bundled.FOLDER / "camera.jpg"), cv2.IMREAD_GRAYSCALE)[80:240, 120:300]
    cv2.imwrite("photo.jpg", photo)
    cv2.imwrite("before.png", photo)
    cv2.imwrite("after.png", cv2.filter2D(photo, -1, EMBOSS, delta=128))
    _, code = blocks()
    assert "http://127.0.0.1:7860" in code
    return code.replace("http://127.0.0.1:7860", address)


def test_the_snippet_learns_applies_and_recovers(snippet, capsys):
    """Sobel is learned while it is told, and a recovered emboss embosses another picture."""
    names = {}
    exec(snippet, names)
    said = capsys.readouterr().out
    assert re.search("^0 [0-9]", said, re.MULTILINE)  # a step and its kernel error
    assert names["last"]["done"]
    assert names["last"]["kernel_error"] < 1e-5
    assert "convolution [[-2.0, -1.0, 0.0], [-1.0, 1.0, 1.0], [0.0, 1.0, 2.0]]" in said
    photo = cv2.imread("photo.jpg", cv2.IMREAD_GRAYSCALE)
    oracle = cv2.filter2D(photo, -1, EMBOSS, delta=128)
    assert np.array_equal(cv2.imread(names["png"], cv2.IMREAD_UNCHANGED), oracle)


def test_a_mistake_in_the_snippet_brings_the_servers_sentence(snippet):
    """A kernel that there is not: the caller reads which there are, not what Python makes of it."""
    assert '"sobel_x"' in snippet
    with pytest.raises(AppError, match="Expected a kernel of the catalogue .* got 'sobel'. Choose"):
        exec(snippet.replace('"sobel_x"', '"sobel"'), {})
