"""From a choice to pictures, on a server that has no network."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL.PngImagePlugin import PngImageFile

from kernel_demo.errors import DemoError
from kernel_demo.sources import bundled, decoding, hub
from kernel_demo.sources.decoding import Photo
from kernel_demo.sources.memory import Memory
from kernel_demo.ui import pictures
from kernel_demo.ui.learn import result, tab
from kernel_demo.ui.learn.run import run
from kernel_demo.ui.learn.session import Session
from kernel_demo.ui.learn.settings import START, experiment
from kernel_demo.ui.pictures import PictureChoice
from kernel_demo.ui.questions.card import grey, show_pictures
from kernel_demo.ui.recover import events


@pytest.mark.parametrize("count", [8, 9, 16])
def test_bundled_photos_stand_in_for_any_number(count, monkeypatch):
    """With the Hub down, whatever number was asked for, the note says why there are eight."""

    def refuse(*_, **__):
        raise DemoError("a dataset", "no answer", "Wait.")

    monkeypatch.setattr(hub, "load", refuse)
    gathered = pictures.gather(PictureChoice(source="hub", count=count))
    assert len(gathered.photos) == bundled.COUNT
    assert "no answer" in gathered.told
    assert "Expected" not in gathered.note  # told beside the choice, not again with the results


def test_bundled_photos_are_as_many_as_there_are():
    """A number left over from a larger source is no error."""
    assert len(pictures.gather(PictureChoice(count=16)).photos) == bundled.COUNT
    assert len(pictures.gather(PictureChoice(count=3)).photos) == 3


@pytest.mark.parametrize(("count", "expected"), [(16, 8), (5, 5)])
def test_choosing_the_bundled_photos_brings_the_number_down(count, expected):
    """The slider shows how many will be used."""
    assert tab.source_chosen("bundled", count)[-1]["value"] == expected


@pytest.fixture
def decoded(monkeypatch):
    """One item for each file that Pillow's own decoder is run on; nothing is remembered yet."""
    counted, prepare = [], PngImageFile.load_prepare

    def counting(image):
        counted.append(image.size)
        prepare(image)

    monkeypatch.setattr(PngImageFile, "load_prepare", counting)
    monkeypatch.setattr(decoding, "_memory", Memory(decoding.MAX_REMEMBERED))
    return counted


@pytest.fixture
def uploads(tmp_path):
    """Four pictures of a visitor, each of its own size."""
    paths = []
    for number in range(4):
        values = np.random.default_rng(number).integers(0, 256, (80, 90 + number, 3))
        paths.append(str(tmp_path / f"{number}.png"))
        cv2.imwrite(paths[-1], values.astype(np.uint8))
    return paths


def page_values(uploads):
    """What the inputs of the tab "Learn" hold, set to learn Sobel from these files."""
    return START | {"source": "mine", "uploads": uploads, "steps": 3, "patience": 5}


def test_each_upload_is_decoded_once(decoded, uploads):
    """For one change on the page and for all that follow, four files are decoded four times."""
    values = page_values(uploads)
    gallery, _ = tab.show_gallery(0, values)
    assert gallery.count("<img") == 4
    assert len(decoded) == 4
    tab.changed(Session(), values)
    result.look(None, values)
    *_, ended = run(mine(uploads))
    result.show(ended, "reflect", None)
    assert len(grey("mine", uploads)[0]) == 4
    events.chosen(uploads[:2], uploads[2:], None)
    assert len(decoded) == 4


def test_the_same_at_once_is_decoded_once(decoded, uploads):
    """Two events of one change that ask at the same moment share one decoder."""
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: pictures.gather(choice(uploads)).photos, range(6)))
    assert len(decoded) == 4
    for photos in found[1:]:
        for photo, first in zip(photos, found[0], strict=True):
            assert np.array_equal(photo.pixels, first.pixels)


def choice(uploads):
    return PictureChoice("mine", uploads=tuple(uploads))


def test_other_content_under_the_same_name_is_another_picture(decoded, uploads):
    """Pictures are known by their bytes: not by a path, a name or a time."""
    before = pictures.gather(choice(uploads[:1])).photos[0].pixels
    cv2.imwrite(uploads[0], np.zeros(before.shape, np.uint8))
    after = pictures.gather(choice(uploads[:1])).photos[0].pixels
    assert not after.any()
    assert before.any()
    assert len(decoded) == 2


def test_what_is_remembered_is_bounded_in_bytes(decoded, uploads, monkeypatch):
    """A picture that finds no place is decoded anew, and none of the answers changes."""
    monkeypatch.setattr(decoding, "_memory", Memory(80 * 90 * 3 + 5000))  # the first one alone
    first, second = (pictures.gather(choice(uploads)).photos for _ in range(2))
    assert len(decoded) > 4
    for photo, other in zip(first, second, strict=True):
        assert np.array_equal(photo.pixels, other.pixels)


def test_nobody_can_write_into_what_is_remembered(decoded, uploads):
    """What one visitor gets is what the next gets: read-only, samples as well as pixels."""
    (photo, *_) = pictures.gather(choice(uploads)).photos
    values, _ = decoding.samples(uploads[0], "x")
    for array in (photo.pixels, values):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 0


def test_a_bad_file_is_decoded_once_and_told_by_each_name(decoded, tmp_path):
    """What cannot be used is remembered as well; the name in the sentence is the one given."""
    content = cv2.imencode(".png", np.eye(90, dtype=np.uint8) * 255)[1].tobytes()[:-30]
    for name in ("mine", "yours"):
        with pytest.raises(DemoError, match=f"“{name}”, which is damaged"):
            decoding.decode(content, name)
    assert len(decoded) == 1


def test_uploads_that_are_all_bad_get_one_sentence(tmp_path):
    """Beside them: one "Expected", each file once, nothing of the server. Elsewhere: see there."""
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"no picture")
    paths = [str(tmp_path / name) for name in ("a.png", "b.png")]
    _, told = tab.show_gallery(0, page_values(paths))
    assert (told.count("Expected"), told.count("a.png"), told.count("b.png")) == (1, 1, 1)
    assert ".." not in told
    assert str(tmp_path) not in told
    assert show_pictures("mine", paths) == told
    for use in (grey, lambda _, paths: next(run(mine(paths)))):
        with pytest.raises(DemoError, match="2 files, none of which can be used. See beside"):
            use("mine", paths)


def test_uploads_that_were_forgotten_are_told_wherever_they_are_used(uploads):
    """Nothing stands beside files that were deleted since: who uses them hears it."""
    for path in uploads:
        Path(path).unlink()
    with pytest.raises(DemoError, match=r"“0\.png”, which cannot be opened; “1"):
        next(run(mine(uploads)))


def mine(uploads):
    """A fresh run on these files."""
    return Session(experiment=experiment(page_values(uploads)))


def test_a_bad_upload_is_told_beside_the_others_alone(uploads, tmp_path):
    """The gallery's notice names it; the certificate tells of the pictures that are used."""
    (tmp_path / "bad.png").write_bytes(b"no picture")
    values = page_values([*uploads, str(tmp_path / "bad.png")])
    _, notice = tab.show_gallery(0, values)
    assert notice.count("bad.png") == 1
    assert "bad.png" not in result.look(None, values)[0]


def test_two_pictures_of_two_sizes_are_told_by_both():
    """Width first; of one size, or of more pictures, their pixels are counted."""
    photos = [Photo(name, np.zeros((*size, 3), np.float32), "") for name, size in
              (("a", (40, 60)), ("b", (30, 50)), ("c", (40, 60)))]  # fmt: skip
    assert "2 photos · 60 × 40 and 50 × 30 pixels" in pictures.gallery(photos[:2])
    assert "2 photos · 4800 pixels" in pictures.gallery(photos[::2])
    assert "3 photos · 6300 pixels" in pictures.gallery(photos)
