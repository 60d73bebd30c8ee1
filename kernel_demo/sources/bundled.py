"""The eight photos that come with the project: they serve with no network at all."""

from functools import cache
from pathlib import Path

from kernel_demo.errors import whole
from kernel_demo.sources.decoding import Photo, decode

PACKAGE = Path(__file__).resolve().parents[1]
# A wheel has the photos inside the package, a checkout beside it.
FOLDER = next(folder / "examples" for folder in (PACKAGE, PACKAGE.parent)
              if (folder / "examples").is_dir())  # fmt: skip

# (file, title, author and licence); examples/CREDITS.md has the sources.
# Ordered so that the first few already differ in colour, sharpness and texture.
CREDITS = (
    ("coffee.jpg", "Coffee cup", "Rachel Michetti, CC0"),
    ("astronaut.jpg", "Astronaut Eileen Collins", "NASA, public domain"),
    ("cat.jpg", "Chelsea the cat", "Stefan van der Walt, CC0"),
    ("camera.jpg", "Cameraman", "Lav Varshney, CC0"),
    ("brick.jpg", "Brick wall", "CC0Textures, CC0"),
    ("rocket.jpg", "Falcon 9 before its launch", "SpaceX, public domain"),
    ("gravel.jpg", "Gravel", "CC0Textures, CC0"),
    ("galaxies.jpg", "Hubble eXtreme Deep Field", "NASA, public domain"),
)
COUNT = len(CREDITS)


def photos(count: int = COUNT) -> tuple[Photo, ...]:
    """The first `count` bundled photos, 1..COUNT, always the same ones in the same order.

    Raises DemoError for a count out of range.
    """
    count = whole("a count of bundled photos", count, 1, COUNT)
    return tuple(_photo(*row) for row in CREDITS[:count])


def file(photo: Photo) -> bytes:
    """The JPEG file of one of these photos."""
    return next((FOLDER / row[0]).read_bytes() for row in CREDITS if _photo(*row) is photo)


@cache  # 2 Mpx in all, read-only: every visitor shares the same arrays
def _photo(file: str, title: str, credit: str) -> Photo:
    return decode((FOLDER / file).read_bytes(), title, credit=credit)
