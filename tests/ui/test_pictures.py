"""From a choice to pictures, on a server that has no network."""

import cv2
import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.sources import bundled, hub
from kernel_demo.ui import (
    certificate_card,
    picture_events,
    pictures,
)
from kernel_demo.ui.session import PictureChoice


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
    assert picture_events.source_chosen("bundled", count)[-1]["value"] == expected


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
    card = ("mine", 8, "", "", "", uploads, "luminance")
    training = ("kfac", "kfac", 0, 32, 64, 1, 3, "normal", 0, 5, False)
    return card, (*card, "sobel_x", 3, 0, 0, None, 0, False, *training)


def choice(uploads):
    return PictureChoice("mine", uploads=tuple(uploads))


def test_uploads_that_are_all_bad_get_one_sentence(tmp_path):
    """Not a sentence in a sentence: one "Expected", each file once, and nothing of the server."""
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"no picture")
    paths = [str(tmp_path / name) for name in ("a.png", "b.png")]
    with pytest.raises(DemoError) as caught:
        pictures.gather(choice(paths))
    told = str(caught.value)
    assert (told.count("Expected"), told.count("a.png"), told.count("b.png")) == (1, 1, 1)
    assert ".." not in told
    assert str(tmp_path) not in told


def test_a_bad_upload_is_told_beside_the_others_alone(uploads, tmp_path):
    """The gallery's notice names it; the certificate tells of the pictures that are used."""
    (tmp_path / "bad.png").write_bytes(b"no picture")
    card, values = page_values([*uploads, str(tmp_path / "bad.png")])
    _, notice = picture_events.show_gallery(*card)
    assert notice.count("bad.png") == 1
    assert "bad.png" not in certificate_card.look(*values)
