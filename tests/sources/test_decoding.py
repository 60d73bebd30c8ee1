"""The safe loader, file by file. Oracles: the arrays that the files were made from, and Pillow."""

import io
import os
import struct
import time
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from kernel_demo.errors import DemoError
from kernel_demo.sources import decoding
from kernel_demo.sources.decoding import MAX_PIXELS, Photo, decode, samples, shrink

HEIGHT, WIDTH = 11, 17  # odd and unequal: a transposed or cropped picture cannot pass
GREY, RGB, GREY_16, RGB_16 = (
    np.random.default_rng(i).integers(0, top, (HEIGHT, WIDTH, *channels)).astype(kind)
    for i, (top, kind, channels) in enumerate(
        [(256, "uint8", ()), (256, "uint8", (3,)), (65536, "uint16", ()), (65536, "uint16", (3,))]
    )
)
ALPHA = np.random.default_rng(9).integers(0, 256, (HEIGHT, WIDTH)).astype(np.uint8)


def file(image, kind="PNG", **options) -> bytes:
    """The bytes of a file that Pillow writes from an array or an image."""
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def file_16(values, extension=".png") -> bytes:
    """The bytes of a 16-bit file that OpenCV writes (from RGB: it takes BGR)."""
    values = values[..., [2, 1, 0, 3][: values.shape[2]]] if values.ndim == 3 else values
    return cv2.imencode(extension, values)[1].tobytes()


def png(width, height, depth, colour, rows, extra=b""):
    """A PNG made by hand, as its specification says."""

    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = extra and chunk(extra[:4], extra[4:])
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", head),
            body,
            chunk(b"IDAT", zlib.compress(rows, 9)),
            chunk(b"IEND", b""),
        )
    )


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
@pytest.mark.parametrize("values", [GREY, RGB], ids=["grey", "colour"])
def test_8_bit_files_come_back_exactly(kind, values):
    """Lossless 8-bit files give the very samples they were made from, grey as H x W."""
    content = file(values, kind, **({"lossless": True} if kind == "WEBP" else {}))
    expected = values
    if kind == "WEBP" and values.ndim == 2:  # WebP knows only colour
        expected = np.dstack([values] * 3)
    found, notes = samples(content, "x")
    assert found.dtype == np.uint8
    assert np.array_equal(found, expected)
    assert notes == ()
    photo = decode(content, "x")
    assert photo.pixels.dtype == np.float32
    # One rounding to float32.
    np.testing.assert_allclose(photo.pixels, expected / 255, rtol=1e-7)


def test_jpeg_is_what_pillow_decodes():
    """A JPEG gives Pillow's own pixels, unchanged."""
    content = file(RGB, "JPEG", quality=90)
    expected = np.asarray(Image.open(io.BytesIO(content)))
    assert np.array_equal(samples(content, "x")[0], expected)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (file_16(GREY_16), GREY_16),
        (file_16(GREY_16, ".tiff"), GREY_16),
        (file(Image.fromarray(GREY_16)), GREY_16),
        (file(Image.fromarray(GREY_16), "TIFF"), GREY_16),
        (file_16(RGB_16), RGB_16),
        (file_16(RGB_16, ".tiff"), RGB_16),
        (file_16(np.dstack([RGB_16, np.full_like(GREY_16, 65535)])), RGB_16),
    ],
    ids=["png", "tiff", "pillow png", "pillow tiff", "colour png", "colour tiff", "opaque"],
)
def test_16_bit_files_keep_their_precision(content, expected):
    """All 65536 levels survive, in colour too, where Pillow alone would keep 256."""
    found, notes = samples(content, "x")
    assert found.dtype == np.uint16
    assert np.array_equal(found, expected)
    assert notes == ()
    np.testing.assert_allclose(decode(content, "x").pixels, expected / 65535, rtol=1e-7)


def test_16_bit_grey_with_alpha():
    """16-bit grey with alpha (PNG colour type 4) is composited at full precision."""
    cover = GREY_16[::-1]
    rows = b"".join(
        b"\0" + np.dstack([GREY_16[y : y + 1], cover[y : y + 1]]).astype(">u2").tobytes()
        for y in range(HEIGHT)
    )
    content = png(WIDTH, HEIGHT, 16, 4, rows)
    found, notes = samples(content, "x")
    assert np.array_equal(found, GREY_16)
    assert "transparency" in notes[0]
    colour, opacity = GREY_16 / 65535, cover / 65535
    expected = colour * opacity + 1 - opacity
    # float32: two products and a sum.
    np.testing.assert_allclose(decode(content, "x").pixels, expected, atol=3e-7)


@pytest.mark.parametrize("values", [GREY, RGB], ids=["grey", "colour"])
def test_transparency_lies_over_white_or_is_left_out(values):
    """decode() shows c a + 1 - a; samples() keeps the colours c; both say so."""
    content = file(np.dstack([values, ALPHA]))
    found, notes = samples(content, "x")
    assert np.array_equal(found, values)
    assert "left out" in notes[0]
    kept, notes = samples(content, "x", keep_alpha=True)
    assert np.array_equal(kept, np.dstack([values, ALPHA]))
    assert notes == ()
    photo = decode(content, "x")
    opacity = (ALPHA if values.ndim == 2 else ALPHA[..., None]) / 255
    # float32: two products and a sum.
    np.testing.assert_allclose(photo.pixels, values / 255 * opacity + 1 - opacity, atol=3e-7)
    assert "over white" in photo.notes[0]


def test_opaque_alpha_is_not_mentioned():
    """An alpha channel that hides nothing changes nothing."""
    photo = decode(file(np.dstack([RGB, np.full_like(GREY, 255)])), "x")
    np.testing.assert_allclose(photo.pixels, RGB / 255, rtol=1e-7)
    assert photo.notes == ()


def test_palette_with_transparency():
    """Palette entries become RGB; the transparent one is white to look at, itself in samples."""
    image = Image.new("P", (3, 1))
    image.putpalette([10, 20, 30, 200, 100, 50, 0, 0, 255])
    image.putdata([0, 1, 2])
    content = file(image, transparency=1)
    found, notes = samples(content, "x")
    assert found.tolist() == [[[10, 20, 30], [200, 100, 50], [0, 0, 255]]]
    assert any("palette" in note for note in notes)
    seen = np.rint(decode(content, "x").pixels * 255).astype(int)
    assert seen.tolist() == [[[10, 20, 30], [255, 255, 255], [0, 0, 255]]]


def test_black_and_white():
    """One-bit pictures are 0 and 1."""
    values = GREY > 127
    assert np.array_equal(decode(file(values), "x").pixels, values.astype(np.float32))


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(kind):
    """CMYK gives R = (1 - C)(1 - K), and so on, and says so."""
    ink = np.full((16, 16, 4), (200, 30, 90, 60), np.uint8)
    photo = decode(file(Image.fromarray(ink, "CMYK"), kind), "x")
    expected = (1 - np.array([200, 30, 90]) / 255) * (1 - 60 / 255)
    # JPEG and Pillow's integer arithmetic: two grey levels.
    np.testing.assert_allclose(photo.pixels, np.broadcast_to(expected, (16, 16, 3)), atol=2 / 255)
    assert "CMYK" in photo.notes[0]


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_first_frame_of_several(kind):
    """Of an animation or a document the first frame is used, and that is told."""
    frames = [Image.fromarray(np.full((8, 8), level, np.uint8)) for level in (40, 120, 200)]
    options = {"lossless": True} if kind == "WEBP" else {}
    content = file(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    photo = decode(content, "x")
    assert np.allclose(photo.pixels, 40 / 255, rtol=1e-6)
    assert photo.notes[0] == f"Only its first {'page' if kind == 'TIFF' else 'frame'} was used."


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation_is_honoured(kind, orientation):
    """A picture that is to be turned is turned as Pillow's ImageOps.exif_transpose turns it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = file(RGB, kind, exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))
    assert expected.shape[:2] == ((WIDTH, HEIGHT) if orientation > 4 else (HEIGHT, WIDTH))
    assert np.array_equal(samples(content, "x")[0], expected)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_of_16_bit_colour(orientation):
    """Also where OpenCV decodes: a PNG whose eXIf chunk asks to be turned."""
    # One entry of a big-endian TIFF directory: tag 0x0112, type 3 (short), one value.
    exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0" + bytes([orientation]) + b"\0\0" * 3
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in RGB_16)
    content = png(WIDTH, HEIGHT, 16, 2, rows, b"eXIf" + exif)
    # Pillow turns an 8-bit picture of indices with the same EXIF.
    index = Image.fromarray(np.arange(HEIGHT * WIDTH, dtype=np.uint8).reshape(HEIGHT, WIDTH))
    turned = ImageOps.exif_transpose(Image.open(io.BytesIO(file(index, exif=exif))))
    expected = RGB_16.reshape(-1, 3)[np.asarray(turned)]
    assert np.array_equal(samples(content, "x")[0], expected)


def test_gps_is_not_kept():
    """Nothing of a photo's EXIF, GPS, text or profile is in what comes out."""
    exif = Image.Exif()
    exif[0x010F] = "SECRET maker"
    exif.get_ifd(0x8825)[1] = "N"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = file(RGB, "JPEG", exif=exif, icc_profile=profile, comment=b"SECRET place")
    assert b"SECRET" in content
    photo = decode(content, "x")
    assert set(vars(photo)) == {"name", "pixels", "credit", "notes"}
    assert "SECRET" not in repr(photo)
    assert type(photo.pixels) is np.ndarray
    assert photo.pixels.base is None or type(photo.pixels.base) is np.ndarray


def test_smallest_picture():
    """1 x 1 is a picture; whether it is of use is for others to say."""
    assert decode(file(GREY[:1, :1]), "x").pixels.shape == (1, 1)


def bomb(side=13_000):
    """169 Mpx of black in 20 KB."""
    return png(side, side, 1, 0, bytes(side * (1 + -(-side // 8))))


@pytest.mark.parametrize("side", [13_000, 40_000, 2**31 - 1])
def test_too_many_pixels_are_refused_before_decoding(side):
    """169 Mpx in 20 KB, and headers that promise far more, cost neither time nor memory."""
    content = bomb() if side == 13_000 else png(side, side, 8, 2, b"")
    assert len(content) < 30_000
    started = time.perf_counter()
    tracemalloc.start()
    with pytest.raises(DemoError) as caught:
        decode(content, "bomb.png")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "megapixels" in str(caught.value) or "no picture or is damaged" in str(caught.value)
    assert "bomb.png" in str(caught.value)
    assert peak < 5e6  # bytes; decoded it would be 169e6 and more
    assert time.perf_counter() - started < 2  # seconds; decoding takes 4 on an idle machine
    if side == 13_000:
        assert "169.0 megapixels" in str(caught.value)


def test_limit_is_an_argument():
    """A stricter limit than the usual one can be asked for, and is exact."""
    assert HEIGHT * WIDTH <= MAX_PIXELS
    samples(file(GREY), "x", max_pixels=HEIGHT * WIDTH)
    with pytest.raises(DemoError, match="megapixels"):
        samples(file(GREY), "x", max_pixels=HEIGHT * WIDTH - 1)


@pytest.mark.parametrize(
    "content",
    [b"", b"\0", b"not a picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7\n"],
    ids=["empty", "nul", "text", "svg", "pdf"],
)
def test_what_is_no_picture(content):
    """Other files are refused with the formats that are taken."""
    with pytest.raises(DemoError, match=r"PNG, JPEG, WebP.*“x\.txt”, which is no picture"):
        decode(content, "x.txt")


@pytest.mark.parametrize("kind", ["ICO", "PPM", "TGA", "SGI"])
def test_formats_outside_the_list(kind):
    """What Pillow could open but nobody needs here is refused: fewer decoders, fewer holes."""
    with pytest.raises(DemoError, match="which is no picture"):
        decode(file(RGB, kind), "x")


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "16-bit PNG"])
def test_truncated_files(name):
    """A file cut short is refused in words, never half shown."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    content = file_16(noise.astype(np.uint16) * 257) if "16" in name else file(noise, name)
    with pytest.raises(DemoError, match="“cut”, which is"):
        decode(content[: len(content) * 2 // 3], "cut")


@pytest.mark.parametrize("mode", ["F", "I"])
def test_unusual_samples(mode):
    """Samples of 32 bits are refused with what to do instead."""
    content = file(Image.fromarray(GREY).convert(mode), "TIFF")
    with pytest.raises(DemoError, match=f"8-bit or 16-bit .* type {mode} in “x.tif”"):
        decode(content, "x.tif")


@pytest.mark.parametrize("path", ["/nowhere/at/all.png", "/", "/nowhere\0"])
def test_messages_show_no_path(path):
    """A path that cannot be read is told by the visitor's name for it alone."""
    with pytest.raises(DemoError) as caught:
        decode(path, "mine.png")
    assert "mine.png" in str(caught.value)
    assert "nowhere" not in str(caught.value)


def test_pipe_is_not_opened(tmp_path):
    """A named pipe would keep the server waiting for ever."""
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(DemoError, match="cannot be opened"):
        decode(tmp_path / "pipe.png", "pipe.png")


def test_path_gives_what_bytes_give(tmp_path):
    """A file may be given by its path."""
    (tmp_path / "x.png").write_bytes(file(RGB))
    assert np.array_equal(decode(tmp_path / "x.png", "x").pixels, decode(file(RGB), "x").pixels)


SEEDS = {
    "png": file(RGB),
    "palette": file(Image.fromarray(RGB).quantize(8), transparency=2),
    "png16": file_16(RGB_16),
    "jpeg": file(RGB, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06"),
    "webp": file(RGB, "WEBP"),
    "tiff": file(RGB, "TIFF", compression="tiff_lzw"),
    "tiff16": file_16(RGB_16, ".tiff"),
    "bmp": file(RGB, "BMP"),
    "gif": file(RGB, "GIF"),
}


@pytest.mark.filterwarnings("ignore")  # Pillow warns of the damage it reads past
@pytest.mark.parametrize("kind", SEEDS)
def test_damage_gives_a_picture_or_a_sentence(kind, monkeypatch):
    """300 files with a few bytes changed: each decodes within its bounds or raises DemoError."""
    monkeypatch.setattr(decoding, "MAX_PIXELS", 1_000_000)
    rng = np.random.default_rng(7)
    for _ in range(300):
        content = bytearray(SEEDS[kind])
        for place in rng.integers(0, len(content), rng.integers(1, 6)):
            content[place] = rng.integers(0, 256)
        try:
            photo = decode(bytes(content), "x")
        except DemoError:
            continue
        assert photo.pixels.ndim == 2 or photo.pixels.shape[2] == 3
        assert photo.pixels.min() >= 0
        assert photo.pixels.max() <= 1


def test_shrink_averages():
    """Scaling down by an integer is the mean of blocks; smaller pictures stay the same object."""
    values = np.random.default_rng(0).random((40, 60)).astype(np.float32)
    photo = Photo("x", values)
    assert shrink(photo, 2400) is photo
    small = shrink(photo, 600)
    blocks = values.reshape(20, 2, 30, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(small.pixels, blocks, atol=1e-6)  # float32 sums of four
    assert small.notes == ("Scaled down from 60 × 40 to 30 × 20.",)


def test_pixels_cannot_be_changed():
    """Photos are shared between visitors: nobody can write into one."""
    assert not decode(file(RGB), "x").pixels.flags.writeable


def test_a_file_that_is_read_once_is_not_remembered():
    """The same samples, and no copy of them kept: a dataset is larger than the memory."""
    content = file(np.arange(3 * 40 * 50, dtype=np.uint8).reshape(40, 50, 3))
    found = decoding.once(content, "x")
    assert np.array_equal(found, samples(content, "x")[0])
    other = file(np.arange(40 * 50, dtype=np.uint8).reshape(40, 50))
    assert decoding.once(other, "x") is not decoding.once(other, "x")
    with pytest.raises(DemoError, match="damaged"):
        decoding.once(other[: len(other) // 2], "x")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_the_luminance_alone(kind):
    """Of a JPEG what it has stored, as OpenCV reads it; of others Rec. 601, rounded, as Pillow."""
    rng = np.random.default_rng(0)
    colours = cv2.GaussianBlur(rng.integers(0, 256, (64, 48, 3)).astype(np.uint8), (0, 0), 2)
    content = file(colours, kind)
    found = decoding.once(content, "x", luminance=True)
    oracle = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - oracle).max() <= (0 if kind == "JPEG" else 1)
    grey = file(colours[..., 0], "PNG")
    assert np.array_equal(decoding.once(grey, "x", luminance=True), colours[..., 0])


def test_the_luminance_of_16_bits():
    """Rec. 601, to the nearest of 65,536 levels."""
    deep = np.random.default_rng(0).integers(0, 65536, (9, 8, 3)).astype(np.uint16)
    found = decoding.once(file_16(deep), "x", luminance=True)
    assert found.dtype == np.uint16
    assert np.abs(found - deep @ np.array((0.299, 0.587, 0.114))).max() <= 0.51
