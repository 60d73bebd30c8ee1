"""The one safe loader: a picture file, from whomever, as an array.

What a file may be is decided before its pixels are decoded: an allow-list of formats, a limit
on its bytes and one on its pixels. Only pixels come out: EXIF, GPS and colour profiles are left
behind (the numbers are those stored in the file; no colour management).

What was decoded is remembered by the file's content: one change on the page asks for the same
pictures several times, and a hash costs a fraction of a decoder. Who brings the same bytes gets
the same samples, and nobody else does.
"""

import hashlib
import io
import math
import re
import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile

from kernel_demo.errors import DemoError
from kernel_demo.sources.memory import Memory

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
READABLE = "PNG, JPEG, WebP, TIFF, BMP or GIF"
MAX_PIXELS = 40_000_000
MAX_LARGE = 200_000_000  # pixels, for a command that serves nobody but its own user
MAX_BYTES = 256 * 2**20  # 40 Mpx of uncompressed 16-bit RGB fit
# The most that one visitor may upload, 80 Mpx, is 240 MB in 8-bit colour: two such visitors do not
# push each other out, and of the 16 GB of a Space it is little. The files themselves are deleted
# after an hour, too.
MAX_REMEMBERED, KEPT = 512 * 2**20, 3600.0  # bytes, seconds

# Pillow refuses at twice this value, in every open() of this process (gradio's own too), and
# warns between the two: the limit is ours, so the warning would only be noise in the log.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

# What the codecs raise on damaged files (found by fuzzing; Pillow documents only OSError).
_DAMAGED = (
    OSError, EOFError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError,
    AttributeError, RuntimeError, struct.error, zlib.error, cv2.error,
)  # fmt: skip

_ORIENTATION = 0x0112  # EXIF tag
_DAMAGE = (  # what DemoError tells of a file, without the name that a visitor gave it
    "a whole picture",
    "“{}”, which is damaged or cut short",
    "Copy or download the file again, or save the picture anew.",
)


class _UnsupportedError(Exception):
    """A whole picture, but of samples that are not ours; its text says which."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture, decoded."""

    name: str  # what to call it on the page; never a path
    pixels: NDArray[np.float32] = field(repr=False)  # 0..1, H x W or H x W x 3, read-only
    credit: str = ""  # author and licence, where known
    notes: tuple[str, ...] = ()  # what the loader did that one would not expect


@dataclass(frozen=True)
class Room:
    """The pixels that several files may have together, and how many of them are used."""

    total: int
    used: int = 0
    of: str = "all files"  # what it is for, in a message

    @property
    def left(self) -> int:
        """Pixels for what comes next."""
        return self.total - self.used

    def less(self, pixels: np.ndarray) -> "Room":
        """The room beside one more picture, H x W (x C)."""
        return replace(self, used=self.used + pixels.shape[0] * pixels.shape[1])


@dataclass(frozen=True, eq=False)
class _Decoded:
    """What a file holds, or why nothing can be made of it."""

    values: np.ndarray | None = None  # H x W (x 3) uint8 or uint16, read-only
    alpha: np.ndarray | None = None  # H x W of the same type, read-only
    notes: tuple[str, ...] = ()
    fault: tuple[str, str, str] = _DAMAGE  # where there are no values


_memory: Memory[_Decoded] = Memory(MAX_REMEMBERED)


def decode(
    source: bytes | str | Path, name: str, credit: str = "", room: Room | None = None
) -> Photo:
    """The picture in a file, for looking at and learning from.

    source: the file's bytes, or its path. name: what to call it in messages and on the page.
    room: what is left for it beside other files. 8-bit samples are divided by 255, 16-bit ones by
    65535. Transparent pixels are laid over white. Raises DemoError for what is no picture, is
    damaged or is too large.
    """
    values, alpha, notes = _read(source, name, MAX_PIXELS, room)
    top = np.float32(np.iinfo(values.dtype).max)
    pixels = np.divide(values, top, dtype=np.float32)
    if alpha is not None:
        cover = np.divide(alpha, top, dtype=np.float32)
        cover = cover if pixels.ndim == 2 else cover[..., None]
        pixels = pixels * cover + (1 - cover)
        notes = (*notes, "Its transparent parts were laid over white.")
    pixels.setflags(write=False)
    return Photo(name, pixels, credit, notes)


def shrink(photo: Photo, max_pixels: int) -> Photo:
    """The photo scaled down, if need be, to at most max_pixels by averaging over areas."""
    height, width = photo.pixels.shape[:2]
    if height * width <= max_pixels:
        return photo
    scale = (max_pixels / (height * width)) ** 0.5
    size = max(1, int(width * scale)), max(1, int(height * scale))
    pixels = np.asarray(cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA), np.float32)
    pixels.setflags(write=False)
    note = f"Scaled down from {width} × {height} to {size[0]} × {size[1]}."
    return replace(photo, pixels=pixels, notes=(*photo.notes, note))


def pixels(path: str | Path) -> int:
    """How many pixels a file says that it has, by its first bytes; 0 for what is no picture."""
    try:
        with Image.open(path, formats=FORMATS) as image:
            return min(image.width * image.height, MAX_LARGE)
    except (Image.DecompressionBombError, *_DAMAGED):
        return 0  # it will be refused


def samples(
    source: bytes | str | Path,
    name: str,
    max_pixels: int = MAX_PIXELS,
    keep_alpha: bool = False,
    room: Room | None = None,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The integers stored in a picture file, for finding out what was done to them.

    Returns (H x W or H x W x 3 array of uint8 or uint16, read-only; notes). Palettes become RGB,
    CMYK becomes RGB, transparency is dropped (each with a note), EXIF orientation is honoured;
    nothing else is changed. keep_alpha: transparency is one channel more, where there is any.
    room, and DemoError: as for `decode`.
    """
    values, alpha, notes = _read(source, name, max_pixels, room)
    if alpha is not None and keep_alpha:
        values = np.dstack([values, alpha])
        values.setflags(write=False)
    elif alpha is not None:
        notes = (*notes, "Its transparency was left out; the colours beneath it were kept.")
    return values, notes


def once(data: bytes, name: str, luminance: bool = False) -> np.ndarray:
    """The integers stored in a picture file that is read once: as samples(), but not remembered.

    luminance: of a colour picture that alone, rounded (Rec. 601). A JPEG has it stored, and is
    spared the decoding of its colours. Returns H x W (x 3) uint8 or uint16; DemoError alike.
    """
    values, _, _ = _read(data, name, MAX_PIXELS, None, _luminance if luminance else _decode)
    if not luminance or values.ndim == 2:
        return values
    if values.dtype == np.uint8:
        return np.asarray(Image.fromarray(values).convert("L"))
    return np.rint(values @ np.array((0.299, 0.587, 0.114))).astype(values.dtype)


def open_large(path: str | Path, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """(H x W or H x W x 3 samples, uint8 or uint16, notes) of a picture of up to MAX_LARGE.

    A .npy file of such an array is mapped, not read: it costs no memory. Any other file is decoded
    as a whole by samples(), which for a moment needs it twice in memory.
    Pillow's limit is one for the process; it is put back afterwards. Not for a server.
    DemoError for what is no such picture.
    """
    if Path(path).suffix == ".npy":
        return _mapped(path, name), ()
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = MAX_LARGE // 2  # Pillow refuses at twice this
    try:
        return samples(path, name, MAX_LARGE)
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _mapped(path: str | Path, name: str) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise DemoError(
            "a NumPy array", f"“{name}”, which is none", "Save it by numpy.save()."
        ) from None
    whole = array.dtype in (np.uint8, np.uint16) and array.shape[2:] in ((), (3,))
    if not whole or array.ndim < 2 or not 0 < array.shape[0] * array.shape[1] <= MAX_LARGE:
        raise DemoError(
            f"H x W or H x W x 3 of uint8 or uint16, up to {MAX_LARGE / 1e6:g} megapixels",
            f"{array.dtype} {array.shape} in “{name}”",
            "Convert it first.",
        )
    return array


def _read(
    source: bytes | str | Path,
    name: str,
    max_pixels: int,
    room: Room | None,
    decoded: Callable[[ImageFile, bytes], _Decoded] | None = None,
) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """(samples H x W (x 3) uint8 | uint16, alpha H x W of the same type | None, notes)."""
    data = _contents(source, name)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        told = re.search(r"\((\d+) pixels\)", str(error))
        raise _too_large(name, int(told[1]) if told else None, max_pixels) from None
    except _DAMAGED:
        raise DemoError(
            f"a picture ({READABLE})",
            f"“{name}”, which is no picture or is damaged",
            "Choose another file, or save the picture as PNG.",
        ) from None
    with image:
        count = image.width * image.height
        if count > max_pixels:
            raise _too_large(name, count, max_pixels)
        if room is not None and count > room.left:
            raise _no_room(name, count, room)
        found = (decoded or _decoded)(image, data)
    if found.values is None:
        expected, received, remedy = found.fault
        raise DemoError(expected, received.format(name), remedy)
    return found.values, found.alpha, found.notes


def _decoded(image: ImageFile, data: bytes) -> _Decoded:
    """The picture in an opened file; each content is decoded once, by whomever asks first."""
    key = (hashlib.sha256(data).digest(),)
    with _memory.asking(key):
        found = _memory.recall(key)
        if found is None:
            found = _decode(image, data)
            arrays = (part for part in (found.values, found.alpha) if part is not None)
            _memory.remember(key, found, sum(part.nbytes for part in arrays), KEPT)
    return found


def _decode(image: ImageFile, data: bytes) -> _Decoded:
    try:
        found = _Decoded(*_pixels(image, data))
    except _UnsupportedError as error:
        expected = "8-bit or 16-bit grey or RGB samples"
        return _Decoded(fault=(expected, f"{error} in “{{}}”", "Save the picture as PNG."))
    except _DAMAGED:
        return _Decoded()
    for part in (found.values, found.alpha):
        if part is not None:
            part.setflags(write=False)
    return found


def _luminance(image: ImageFile, data: bytes) -> _Decoded:
    image.draft("L", image.size)  # heeded by JPEG alone
    return _decode(image, data)


def _contents(source: bytes | str | Path, name: str) -> bytes:
    try:
        if not isinstance(source, bytes):
            source = Path(source)
            if not source.is_file():  # a folder; a pipe would keep us for ever
                raise FileNotFoundError
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        if size > MAX_BYTES:  # before reading it
            limit = MAX_BYTES // 2**20
            raise DemoError(
                f"a file of at most {limit} MB",
                f"more than {limit} MB in “{name}”",
                "Scale the picture down or compress it.",
            )
        return source if isinstance(source, bytes) else source.read_bytes()
    except (OSError, ValueError):  # ValueError: a NUL in the path
        # The error's own text has the server's path in it.
        raise DemoError(
            "a picture file", f"“{name}”, which cannot be opened", "Upload it again."
        ) from None


def _pixels(image: ImageFile, data: bytes) -> tuple[np.ndarray, np.ndarray | None, tuple[str, ...]]:
    """Samples, alpha and notes of an opened picture of an acceptable size."""
    notes: tuple[str, ...] = ()
    # An MPO is a JPEG with a gain map or a thumbnail behind it: no animation to tell about.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        unit = "page" if image.format == "TIFF" else "frame"
        notes += (f"Only its first {unit} was used.",)
    raw_mode = _raw_mode(image)
    image.load()  # in every case: Pillow notices a file cut short, OpenCV may not
    if "16" in raw_mode and not image.mode.startswith("I"):
        # Pillow keeps 16 bits of grey, but only 8 of colour.
        values = _decode_deep(image, data, raw_mode)
    else:
        if image.mode in ("P", "PA"):
            notes += ("Its palette was turned into RGB.",)
        elif image.mode == "CMYK":
            notes += ("Its CMYK was turned into RGB by the plain formula.",)
        values = _decode_plain(image)
    values = _upright(values, image.getexif().get(_ORIENTATION, 1))
    if values.ndim == 2 or values.shape[2] == 3:
        return np.ascontiguousarray(values), None, notes
    alpha = np.ascontiguousarray(values[..., -1])
    colour = np.ascontiguousarray(values[..., 0] if values.shape[2] == 2 else values[..., :3])
    opaque = int(alpha.min()) == np.iinfo(alpha.dtype).max
    return colour, None if opaque else alpha, notes


def _raw_mode(image: ImageFile) -> str:
    """How the file holds its samples, such as "RGB;16B", where Pillow says so; else ""."""
    args = image.tile[0][3] if image.tile else ""
    first = args if isinstance(args, str) else next(iter(args or ("",)))
    return first if isinstance(first, str) else ""


def _decode_deep(image: ImageFile, data: bytes, raw_mode: str) -> np.ndarray:
    """uint16 samples, H x W x 2 to 4, by OpenCV; it turns TIFFs upright, as Pillow does."""
    if image.mode not in ("RGB", "RGBA"):
        raise _UnsupportedError(f"16-bit {image.mode}")
    values = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    shape = (image.height, image.width)
    if values is None or values.dtype != np.uint16 or values.shape[:2] != shape or values.ndim < 3:
        raise ValueError("OpenCV and Pillow do not see the same picture")
    if raw_mode.startswith("LA"):
        return values[..., [0, 3]]  # OpenCV repeats the grey
    return values[..., [2, 1, 0, 3][: values.shape[2]]]  # from BGR


def _decode_plain(image: ImageFile) -> np.ndarray:
    """uint8 or uint16 samples, H x W x (nothing, 2 with alpha, 3 or 4 with alpha), by Pillow."""
    mode = image.mode
    if mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)  # in the machine's own byte order
    if mode in ("1", "L", "LA", "La"):
        target = "LA" if image.has_transparency_data else "L"
    elif mode in ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"):
        target = "RGBA" if image.has_transparency_data else "RGB"
    else:  # I, F, LAB, HSV
        raise _UnsupportedError(f"samples of type {mode}")
    return np.asarray(image if mode == target else image.convert(target))


def _upright(values: np.ndarray, orientation: object) -> np.ndarray:
    """The array turned as its EXIF orientation 1..8 asks (Exif 2.32, tag 274); else as it is."""
    if orientation in (5, 6, 7, 8):  # stored by columns
        values = values.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        values = values[::-1]
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    return values


def _too_large(name: str, count: int | None, limit: int) -> DemoError:
    size = f"{_tenths(count):.1f}" if count else f"more than {limit / 1e6:g}"
    return DemoError(
        f"a picture of at most {limit / 1e6:g} megapixels",
        f"{size} megapixels in “{name}”",
        "Scale it down or cut a part out of it.",
    )


def _no_room(name: str, count: int, room: Room) -> DemoError:
    total, left = room.total / 1e6, -_tenths(-room.left)
    return DemoError(
        f"at most {total:g} megapixels in {room.of} together",
        f"{_tenths(count):.1f} megapixels in “{name}”, with {total - left:.1f} of {total:g} used "
        f"and {left:.1f} left",
        "Scale it down, or leave out another file.",
    )


def _tenths(count: int) -> float:
    """Megapixels, rounded up to tenths: what is too much must not read like the limit itself."""
    return math.ceil(count / 1e5) / 10
