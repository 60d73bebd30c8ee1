"""The bundled photos and their credits."""

import re

import pytest
from PIL import Image

from kernel_demo.errors import DemoError
from kernel_demo.sources.bundled import COUNT, CREDITS, FOLDER, photos


def test_eight_photos_of_about_two_megapixels():
    """The figures of the benchmarks stand on these photos: their number and size are fixed."""
    found = photos()
    assert len(found) == COUNT == 8
    assert sum(p.pixels.shape[0] * p.pixels.shape[1] for p in found) == 2_004_356
    assert {p.pixels.ndim for p in found} == {2, 3}
    for photo in found:
        assert photo.pixels.std() > 0.05  # of 1: none is flat
        assert photo.notes == ()


def test_first_few():
    """A smaller number gives the first ones, and the same arrays every time."""
    assert [p.name for p in photos(3)] == [title for _, title, _ in CREDITS[:3]]
    assert photos(2)[1].pixels is photos(5)[1].pixels


@pytest.mark.parametrize("count", [0, 9, -1])
def test_count_is_bounded(count):
    """There are no more than there are."""
    with pytest.raises(DemoError, match="bundled photos as a whole number from 1 to 8"):
        photos(count)


def test_every_photo_is_credited_and_free():
    """CREDITS.md has a row for each photo, with the licence that the page shows, and no other."""
    text = (FOLDER / "CREDITS.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+\.jpg)` \|(.*)\|$", text, re.MULTILINE))
    assert set(rows) == {file for file, _, _ in CREDITS}
    for file, title, credit in CREDITS:
        licence = credit.rsplit(", ", 1)[1]
        assert licence in ("CC0", "public domain")
        assert f" {licence} " in rows[file]
        assert title.split()[0] in rows[file]


def test_bundled_files_carry_no_metadata():
    """No EXIF, no comment, no colour profile."""
    for file, _, _ in CREDITS:
        with Image.open(FOLDER / file) as image:
            assert not set(image.info) & {"exif", "comment", "icc_profile", "xmp"}
