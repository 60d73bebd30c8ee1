"""From a visitor's choice to pictures: loaded, shown as a small gallery, made grey."""

import base64
import os.path
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import gradio as gr
import numpy as np
from markupsafe import Markup

from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import to_grey, to_uint8
from kernel_demo.numbers import count
from kernel_demo.sources import bundled, hub, uploads
from kernel_demo.sources.decoding import Photo
from kernel_demo.ui import served
from kernel_demo.ui.html import each, filled, joined, quiet

MAX_PICTURES = 16
THUMBNAIL = 160  # pixels, the longer side: sharp on a phone's screen at about 70 CSS pixels
WELL = 92  # per cent: the quality of a small picture
HUB_DEADLINE = 15.0  # seconds
_DECODING = threading.BoundedSemaphore(2)  # visitors at once: 80 Mpx are a gigabyte of float32

# What the page begins with, of the first bundled photo: all but columns that nobody sees, by
# `jpegtran -crop 448x400+80+0 -progressive -optimize -copy none`, which leaves each pixel as it is.
FIRST, FIRST_LEFT = Path(__file__).with_name("coffee.jpg"), 80
TOLD_BESIDE = "See beside your files what is wrong with them."
BUNDLED_INSTEAD = "Using the bundled photos."
CHOOSE = """
element.addEventListener('click', (event) => {
  const chosen = event.target.closest('button[data-index]');
  if (!chosen) return;
  for (const each of element.querySelectorAll('button[data-index]')) {
    each.setAttribute('aria-pressed', each === chosen);
  }
  trigger('choose', { index: Number(chosen.dataset.index) });
});
const panel = element.closest('.kd-panel');
const opening = new MutationObserver(() => {
  if (panel.dataset.open !== 'true') return;
  opening.disconnect();
  trigger('opened');
});
if (panel) opening.observe(panel, { attributes: true, attributeFilter: ['data-open'] });
"""


@dataclass(frozen=True)
class PictureChoice:
    """Which pictures to learn from."""

    source: str = "bundled"  # "bundled", "hub" or "mine"
    count: int = 8
    dataset_id: str = ""
    split: str = ""  # empty: found by itself
    column: str = ""  # empty: found by itself
    uploads: tuple[str, ...] = ()  # files of this visitor, in the page's own temporary folder
    channel: str = "luminance"  # which grey the layer learns from
    strict: bool = False  # no others in place of what cannot be had: for a script, which sees none


@dataclass(frozen=True, eq=False)
class Gathered:
    """The pictures that will be used, and what should be said of them."""

    photos: tuple[Photo, ...]
    note: str = ""  # which these are, where that is not plain; one line
    problem: str = ""  # why others that were asked for are not among them: told beside the choice

    @property
    def told(self) -> str:
        """All of it, for the place of the choice."""
        return f"{self.note} {self.problem}".strip()


def gather(choice: PictureChoice, beside: bool = False) -> Gathered:
    """The pictures of a choice; never empty, and no more than there are.

    A dataset that cannot be had is replaced by the bundled photos; note and problem say so and why.
    Raises DemoError when the visitor's own files hold no picture, and of a strict choice for all
    that cannot be had.

    beside: what is raised will stand beside the files and gives their reasons; elsewhere it points
    there, so that the page says nothing twice.
    """
    if choice.source == "mine":
        return _from_uploads(choice.uploads, beside, choice.strict)
    note = problem = ""
    if choice.source == "hub":
        try:
            return from_hub(choice)
        except DemoError as error:
            if choice.strict:
                raise
            note, problem = BUNDLED_INSTEAD, str(error)
    return Gathered(bundled.photos(min(_count(choice), bundled.COUNT)), note, problem)


def at_hand(source: str, dataset_id: str, split: str, column: str) -> bool:
    """Whether `gather` need not wait for the network."""
    return source != "hub" or hub.at_hand(dataset_id or hub.DATASETS[0].id, split, column)


def fetch(source: str, dataset_id: str, split: str, column: str) -> None:
    """Wait until that is so."""
    gather(PictureChoice(source if source == "hub" else "bundled", 1, dataset_id, split, column))


def from_hub(choice: PictureChoice) -> Gathered:
    """The pictures of a dataset. Raises DemoError where they cannot be had."""
    loaded = hub.load(
        choice.dataset_id or hub.DATASETS[0].id,
        _count(choice),
        split=choice.split,
        column=choice.column,
        deadline=HUB_DEADLINE,
    )
    return Gathered(tuple(loaded.photos), loaded.note)


def _count(choice: PictureChoice) -> int:
    return max(1, min(int(choice.count), MAX_PICTURES))


def _from_uploads(paths: Sequence[str], beside: bool, strict: bool) -> Gathered:
    if not paths:
        raise DemoError("at least one picture of yours", "none", "Choose one or more files.")
    with _DECODING:
        photos, problems = uploads.open_uploads(paths)
    if strict and problems:
        raise uploads.together(problems)
    if not photos:
        # Files that are forgotten since are told of nowhere else.
        if beside or len(paths) == 1 or not all(map(os.path.isfile, paths)):
            raise uploads.together(problems)
        received = f"{len(paths)} files, none of which can be used"
        raise DemoError("a picture among your files", received, TOLD_BESIDE)
    return Gathered(photos, problem=str(uploads.together(problems)) if problems else "")


def grey(photos: Sequence[Photo], channel: str) -> list[np.ndarray]:
    """H x W float32 pictures, 0..1, one for each photo."""
    return [to_grey(photo.pixels, channel) for photo in photos]


def middle(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The middle of a picture: at most so many of its pixels."""
    top, left = max(0, (len(image) - height) // 2), max(0, (image.shape[1] - width) // 2)
    return image[top : top + height, left : left + width]


def data_url(image: np.ndarray, exact: bool = True) -> str:
    """A uint8 picture (grey, RGB or RGBA) as a PNG inside a URL: nothing lies on the disk."""
    return png_url(png(image))


def file_url(image: np.ndarray, exact: bool = True) -> str:
    """The same as a file that browsers keep: for pictures that are no visitor's own.

    exact: each pixel counts; else the picture is to be looked at, and a WebP, a fifth as large.
    """
    if exact:
        return served.address(png(image), "png")
    quality = [cv2.IMWRITE_WEBP_QUALITY, WELL]
    return served.address(_encoded(image, ".webp", quality), "webp")


def png(image: np.ndarray) -> bytes:
    """A uint8 picture (grey, RGB or RGBA) as a PNG."""
    return _encoded(image, ".png")


def _encoded(image: np.ndarray, kind: str, how: Sequence[int] = ()) -> bytes:
    if image.ndim == 3:
        order = cv2.COLOR_RGBA2BGRA if image.shape[2] == 4 else cv2.COLOR_RGB2BGR
        image = cv2.cvtColor(image, order)
    return cv2.imencode(kind, image, how)[1].tobytes()


def png_url(png: bytes) -> str:
    """The bytes of a PNG as a URL."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def fit(image: np.ndarray, longest: int) -> np.ndarray:
    """The picture with its longer side at most `longest` pixels, averaged over areas."""
    height, width = image.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def gallery(photos: Sequence[Photo], chosen: int | None = None) -> str:
    """The photos as a grid of thumbnails, and one line that counts them (HTML).

    chosen: the number of the one that is shown elsewhere; the thumbnails are then buttons that
    choose it, see `choosing`.
    """
    pixels = sum(photo.pixels.shape[0] * photo.pixels.shape[1] for photo in photos)
    noun = "photo" if len(photos) == 1 else "photos"
    size = f"{pixels / 1e6:.1f} Mpx" if pixels >= 5e4 else f"{count(pixels)} pixels"
    sizes = dict.fromkeys(f"{photo.pixels.shape[1]} × {photo.pixels.shape[0]}" for photo in photos)
    if len(photos) == len(sizes) == 2:
        size = f"{' and '.join(sizes)} pixels"
    figures = [
        of(photo, thumbnail, photo.name, " · ".join(filter(None, (photo.name, photo.credit))))
        for photo in photos
    ]
    if chosen is not None:
        pressed = {min(chosen, len(figures) - 1): "true"}
        figures = each(
            '<button type="button" data-index="{}" aria-pressed="{}">{}</button>',
            ((n, pressed.get(n, "false"), Markup(figure)) for n, figure in enumerate(figures)),
        )
    told = quiet(f"{len(photos)} {noun} · {size} · taken as grey to learn from")
    return filled('<div class="kd-gallery">{}</div>', joined(figures)) + told


def choosing(html: str, elem_id: str) -> gr.HTML:
    """A gallery to choose from: its event `choose` tells the `index` of a thumbnail.

    Its event `opened` comes once, when the panel around it is first opened (`data-open`).
    """
    return gr.HTML(html, elem_id=elem_id, js_on_load=CHOOSE, apply_default_css=False)


def of(photo: Photo, make: Callable, *how):
    """make(pixels, *how) of a photo. What shows a bundled one is made once, and is a file.

    make: takes `url_of`, which gives a uint8 picture its address; by default `data_url`.
    """
    if photo in bundled.photos():
        return _of_bundled(photo, make, *how)
    return make(photo.pixels, *how)


@lru_cache(maxsize=128)
def _of_bundled(photo: Photo, make: Callable, *how):
    return make(photo.pixels, *how, url_of=file_url)


def file_of(photo: Photo, piece: Mapping) -> dict | None:
    """The file that a piece of a bundled photo is a part of; None: it is no such photo.

    It is a third as large as the PNG of the piece, which has `left`, `top`, `width` and `height`.
    left, top: of the piece, in the file. sum: Adler-32 of its red, green and blue: whose decoder
    makes others takes the PNG.
    """
    if photo not in bundled.photos():  # a visitor's own is not remembered
        return None
    return _file(photo, *(piece[name] for name in ("left", "top", "width", "height")))


@lru_cache(maxsize=64)
def _file(photo: Photo, left: int, top: int, width: int, height: int) -> dict:
    file, cut = bundled.file(photo), 0
    if photo is bundled.photos(1)[0] and left >= FIRST_LEFT:
        file, cut = FIRST.read_bytes(), FIRST_LEFT
    part = to_uint8(photo.pixels[top : top + height, left : left + width])
    colours = part if part.ndim == 3 else np.repeat(part[..., None], 3, axis=-1)
    return {
        "url": served.address(file, "jpg"),
        "left": left - cut,
        "top": top,
        "sum": zlib.adler32(colours.tobytes()),
    }


def thumbnail(image: np.ndarray, name: str, title: str = "", url_of: Callable = data_url) -> str:
    """A picture, H x W (x 3): 0..1, uint8 or uint16, made small (HTML)."""
    small = fit(image, THUMBNAIL)
    if small.dtype == np.uint16:
        small = (small >> 8).astype(np.uint8)
    url = url_of(small if small.dtype == np.uint8 else to_uint8(small), exact=False)
    return filled('<img src="{}" alt="{}" title="{}" loading="lazy">', url, name, title or name)
