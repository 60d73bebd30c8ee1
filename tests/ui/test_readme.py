"""What the README has for scripts runs as it stands there."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from gradio_client.exceptions import AppError

from kernel_demo.sources import bundled

README = Path(__file__).parents[2] / "README.md"
EMBOSS = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], float)


@pytest.fixture
def snippet(address, tmp_path, monkeypatch) -> str:
    """The code under "From Python", for the page of this test, beside the files that it names."""
    monkeypatch.chdir(tmp_path)
    photo = cv2.imread(str(bundled.FOLDER / "camera.jpg"), cv2.IMREAD_GRAYSCALE)[80:240, 120:300]
    cv2.imwrite("photo.jpg", photo)
    cv2.imwrite("before.png", photo)
    cv2.imwrite("after.png", cv2.filter2D(photo, -1, EMBOSS, delta=128))
    section = README.read_text(encoding="utf-8").partition("## From Python")[2]
    code = re.search("```python\n(.*?)```", section, re.DOTALL)[1]
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
