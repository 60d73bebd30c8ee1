"""What visitors upload, good and bad together."""

import cv2
import numpy as np
import pytest
from PIL import Image

from kernel_demo.sources import uploads
from kernel_demo.sources.uploads import display_name, open_uploads, together


@pytest.fixture
def save(tmp_path):
    """Writes a small grey picture, or the bytes given, and returns its path."""

    def write(name, content=None, size=(8, 6)):
        path = tmp_path / name
        if content is None:
            Image.fromarray(np.full(size, 100, np.uint8)).save(path, "PNG")
        else:
            path.write_bytes(content)
        return str(path)

    return write


def test_bad_files_do_not_cost_the_good_ones(save, tmp_path):
    """Each bad file is named by its own name, without a path; the others are opened."""
    paths = [save("a.png"), save("bad.txt", b"no"), save("b.png"), str(tmp_path / "gone.png")]
    photos, problems = open_uploads(paths)
    assert [photo.name for photo in photos] == ["a.png", "b.png"]
    assert len(problems) == 2
    assert "“bad.txt”" in str(problems[0])
    assert "“gone.png”" in str(problems[1])
    assert str(tmp_path) not in str(together(problems))


def test_nothing_uploaded():
    """No files: no photos and nothing to complain of (the page asks for one)."""
    assert open_uploads([]) == ((), ())


def test_number_of_files_is_bounded(save):
    """The 33rd file is not opened, and that is told."""
    photos, problems = open_uploads([save("a.png")] * 40)
    assert len(photos) == uploads.MAX_FILES == 32
    assert "40 files, of which the first 32 were opened. Upload fewer." in str(*problems)


def test_total_is_bounded(save, monkeypatch):
    """Pixels are counted over all files; who comes too late is told why."""
    monkeypatch.setattr(uploads, "MAX_TOTAL", 100)
    paths = [
        save("a.png"),
        save("b.png"),
        save("c.png"),
        save("d.png", size=(2, 2)),
    ]  # 48, 48, 48, 4
    photos, problems = open_uploads(paths)
    assert [photo.name for photo in photos] == ["a.png", "b.png", "d.png"]
    assert len(problems) == 1
    assert "“c.png”" in str(problems[0])
    assert "all files together" in str(problems[0])


def test_the_total_is_told_as_it_is(save, monkeypatch):
    """Not the limit of one file: all that may be had, what of it is used, and what is left."""
    monkeypatch.setattr(uploads, "MAX_TOTAL", 1_600_000)
    paths = [save(name, size=(1000, 1040)) for name in ("a.png", "b.png")]
    _, (problem,) = open_uploads(paths)
    assert str(problem) == (
        "Expected at most 1.6 megapixels in all files together; got 1.1 megapixels in “b.png”, "
        "with 1.1 of 1.6 used and 0.5 left. Scale it down, or leave out another file."
    )


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["notes.txt"], "Expected a picture (PNG, JPEG, WebP, TIFF, BMP or GIF); got “notes.txt”,"),
        (
            ["notes.txt", "cut.png"],
            "no picture or is damaged; “cut.png”, which is damaged or cut short.",
        ),
        (
            ["notes.txt", "cut.png"] * 4,
            "no picture or is damaged; “cut.png”, which is damaged or cut short.",
        ),
        (
            ["cut.png"] * 2,
            "Expected a whole picture; got “cut.png”, which is damaged or cut short.",
        ),
        ([f"{n}cut.png" for n in range(8)], "“3cut.png”, which is damaged or cut short; 4 more."),
    ],
)
def test_problems_are_one_sentence(save, names, told):
    """However many files are bad, or there twice: one "Expected", one remedy, each reason once."""
    good = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    contents = {"notes.txt": b"no", "cut.png": cv2.imencode(".png", good)[1].tobytes()[:2000]}
    _, problems = open_uploads([save(name, contents[name.lstrip("01234567")]) for name in names])
    assert len(problems) == len(names)
    sentence = str(together(problems))
    assert told in sentence
    assert (sentence.count("Expected"), sentence.count("; got ")) == (1, 1)
    assert ".." not in sentence


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/tmp/gradio/abc/cat.png", "cat.png"),
        ("C:\\Users\\me\\cat.png", "cat.png"),
        ("/x/<b>bold</b>.png", "b.png"),
        ("/x/<img src=x>.png", "img src=x.png"),
        ("/x/a\nb[link](y)`.png", "ablink(y).png"),
        ("/x/Ümläut 猫.png", "Ümläut 猫.png"),
        ("/x/", "x"),
        ("", "unnamed"),
    ],
)
def test_names_are_fit_for_messages(path, expected):
    """A name can bring no folder, markup or line break into a message."""
    assert display_name(path) == expected


def test_long_names_are_shortened():
    """60 characters at most, the ending kept."""
    name = display_name("a" * 300 + ".jpeg")
    assert len(name) == 60
    assert name.endswith(".jpeg")
