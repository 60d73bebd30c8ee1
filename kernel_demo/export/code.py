"""The learned kernel as code: short programs for nine tools, each complete.

Every tool has its own idea of a kernel (turned by 180 degrees in SVG, upside down in Pillow, whole
numbers in ffmpeg) and of a border. The programs hide this, and tests/export/test_code.py runs each
with the tool itself. filter.c and filter.rs beside this file are templates of string.Template.
"""

from dataclasses import dataclass
from pathlib import Path
from string import Template

import numpy as np

from kernel_demo.errors import finite
from kernel_demo.export import named
from kernel_demo.export.digits import VISIBLE, supported
from kernel_demo.imaging.filtering import CONSTANT, MODES, border_named
from kernel_demo.imaging.kernels import MAX_VALUE, check
from kernel_demo.recovery.explanations import ROUNDED, Rounding
from kernel_demo.recovery.passes import TIE

# How a float picture in grey levels becomes an 8-bit file, or one that keeps everything, the same
# in each Python program below. A sum this near to the edge of two levels lies on it, but for
# floating point.
ENDED = {
    None: "np.floor({sums} + 0.5)",
    Rounding.HALF_UP: f"np.floor({{sums}} + 0.5 + {TIE!r})",
    Rounding.HALF_EVEN: "np.rint(np.round({sums}, 9))",
    Rounding.TRUNCATE: f"np.floor({{sums}} + {TIE!r})",
}
_ROUND = "np.clip({ended}, 0, 255).astype(np.uint8)"
_KEEP = "after.astype(np.float32)"
# ... but for the float32 of Pillow and of ffmpeg's convolution; in grey levels.
_COARSE_TIE = 2e-4
# ImageMagick keeps 16 bits, of which half a step is 0.002 grey levels. Version 6 then cuts off to 8
# bits where 7 rounds: whole levels are the same in both.
_MAGICK_ENDED = {
    None: "",
    Rounding.HALF_UP: "floor(255*u+0.5025)/255",
    # A half was rounded up to an odd level: one less.
    Rounding.HALF_EVEN: "(floor(255*u+0.5025)-(abs(mod(255*u+0.5025,2)-1.0025)<0.0026?1:0))/255",
    Rounding.TRUNCATE: "floor(255*u+0.0025)/255",
}
_WHITE = 255
_OFFSET = 128  # grey levels that bring what is below zero into 8 bits
# Pillow's C code has these two sizes and no other.
_PILLOW_SIZES = (3, 5)

_MAGICK = {
    "zero": "Black", "replicate": "Edge", "symmetric": "Mirror", "wrap": "Tile",
    CONSTANT: "Background",
}  # fmt: skip
_FFMPEG = {
    "replicate": "smear", "reflect": "reflect", "symmetric": "mirror", "wrap": "wrap",
    CONSTANT: "fixed",
}  # fmt: skip
_SVG = {"zero": "none", "replicate": "duplicate", "wrap": "wrap"}

# ffmpeg's convolution takes 9, 25 or 49 whole numbers.
_FFMPEG_SIZES = (3, 5, 7)
# It adds them up in 32 bits: 255 * sum |m| < 2^31 holds below 8.4e6. With larger gains than 100 the
# sum of the rounded numbers, by which it divides, would be too small to be precise.
_FFMPEG_SUM = 8_000_000
_FFMPEG_GAIN = 100
_FFMPEG_DIVISOR = 1000  # up to which weights are tried as fractions
# Chromium draws nothing useful for more than 256 weights.
_SVG_SIZE = 15

# The pixel that stands for index i of n, -1 where there is none: the same formulas in C and Rust.
# Rust's rem_euclid is never negative; C's % takes the sign of i and is put right by a second one.
_C_INSIDE = {
    "zero": "return i < 0 || i >= n ? -1 : i;",
    "replicate": "return i < 0 ? 0 : i >= n ? n - 1 : i;",
    "reflect": """int period = n > 1 ? 2 * n - 2 : 1;
    i = (i % period + period) % period;
    return i < n ? i : period - i;""",
    "symmetric": """int period = 2 * n;
    i = (i % period + period) % period;
    return i < n ? i : period - 1 - i;""",
    "wrap": "return (i % n + n) % n;",
}
_C_INSIDE[CONSTANT] = _C_INSIDE["zero"]
_RUST_INSIDE = {
    "zero": "if i < 0 || i >= n { -1 } else { i }",
    "replicate": "i.clamp(0, n - 1)",
    "reflect": """let period = (2 * n - 2).max(1);
    let i = i.rem_euclid(period);
    if i < n { i } else { period - i }""",
    "symmetric": """let period = 2 * n;
    let i = i.rem_euclid(period);
    if i < n { i } else { period - 1 - i }""",
    "wrap": "i.rem_euclid(n)",
}
_RUST_INSIDE[CONSTANT] = _RUST_INSIDE["zero"]

_C, _RUST = (
    Template(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    for name in ("filter.c", "filter.rs")
)
# The result of C and Rust, in bytes (PGM or PPM), or in floats (PFM, from the bottom row up).
_C_BYTES = {
    "type": "unsigned char",
    "stored": "(unsigned char)fmin(fmax(ENDED, 0), 255)",
    "write": """file = fopen("after.pnm", "wb");
    if (!file) return 1;
    fprintf(file, "P%d %d %d 255\\n", type, width, height);
    fwrite(after, 1, count, file);""",
}
_C_ENDED = {
    None: "floor(sum + 0.5)",
    Rounding.HALF_UP: f"floor(sum + 0.5 + {TIE!r})",
    Rounding.HALF_EVEN: "rint(rint(sum * 1e9) / 1e9)",
    Rounding.TRUNCATE: f"floor(sum + {TIE!r})",
}
_C_FLOATS = {
    "type": "float",
    "stored": "(float)sum",
    "write": """/* BEYOND too; 8 bits would cut it off. A PFM has its bottom row first. */
    file = fopen("after.pfm", "wb");
    if (!file) return 1;
    fprintf(file, "%s\\n%d %d\\n-1.0\\n", type == 6 ? "PF" : "Pf", width, height);
    size_t row = (size_t)width * channels;
    for (int y = height - 1; y >= 0; y--) fwrite(after + y * row, sizeof *after, row, file);""",
}
_RUST_BYTES = {
    "begin": """let mut after = format!("{} {width} {height} 255\\n", header[0]).into_bytes();""",
    "rows_of": "0..height",
    "push": "after.push(ENDED.clamp(0.0, 255.0) as u8);",
    "file": "after.pnm",
}
_RUST_ENDED = {
    None: "(sum + 0.5).floor()",
    Rounding.HALF_UP: f"(sum + 0.5 + {TIE!r}).floor()",
    Rounding.HALF_EVEN: "((sum * 1e9).round() / 1e9).round_ties_even()",
    Rounding.TRUNCATE: f"(sum + {TIE!r}).floor()",
}
_RUST_FLOATS = {
    "begin": """// BEYOND too; 8 bits would cut it off. A PFM has its bottom row first.
    let kind = if channels == 3 { "PF" } else { "Pf" };
    let mut after = format!("{kind}\\n{width} {height}\\n-1.0\\n").into_bytes();""",
    "rows_of": "(0..height).rev()",
    "push": "after.extend((sum as f32).to_le_bytes());",
    "file": "after.pfm",
}
_PFM = "magick before.png before.pnm makes its input; after.pfm holds floats, 255 is white."
_PNM = "magick before.png before.pnm makes its input, magick after.pnm after.png ends it."


@dataclass(frozen=True)
class Snippet:
    """One complete short program or command that applies a kernel.

    It reads before.png (before.pnm where a language has no PNG of its own), writes after.png (.pnm)
    or, of floats, after.tiff, .npy or .pfm, and says in `note` how to run it, and what the tool
    does otherwise than asked.
    """

    tool: str  # "OpenCV"
    code: str  # empty where the tool cannot apply this kernel; `note` then says why
    note: str  # one or two sentences


def snippets(
    kernel: np.ndarray,
    offset: float = 0.0,
    border: str = "reflect",
    value: float = 0.0,
    *,
    bars: np.ndarray | None = None,
    clipped: bool = False,
    rounding: Rounding | None = None,
) -> tuple[Snippet, ...]:
    """Programs that apply a kernel (k, k) to an 8-bit grey or RGB file, each channel alike.

    after = kernel (correlated) before + 255 * offset. `offset`, and the `value` that the border
    mode CONSTANT puts around (0..1), are in the project's unit, where 1 is white; the programs
    write them in grey levels. Where that cannot leave 0..255, or where `clipped` asks for it, after
    is an 8-bit file, rounded and clipped; else a file of floats in grey levels (255: white) that
    keeps what is below zero, or, of a tool that has none, a comment says what is cut off.
    bars: (k, k), how far each weight may be off. Only the digits that they support are written, and
    the tool's own function is called where it has a kernel of that name within them. None: exact.
    rounding: how sums become levels, those on the edge of two as well; where a tool cannot, its
    comment says so. Cutting off is to round half up half a level less, which is in `offset`. None:
    half up, and wherever floating point puts a sum on the edge.
    One Snippet per tool, always in the same order, with no code where the tool cannot.
    Raises DemoError for a kernel, a border or a value that is none.
    """
    weights, edges = check(kernel), _Edges(border_named(border).name, finite("value", value, 0, 1))
    offset, key = finite("an offset", offset, -MAX_VALUE, MAX_VALUE), None
    if bars is not None:
        key = None if offset else named.key_of(weights, bars)
        weights = supported(weights, bars)
    beyond = "" if clipped else _beyond(weights, offset)
    ended = None if beyond else Rounding.HALF_UP if rounding == Rounding.NONE else rounding
    wanted = _Wanted(weights, offset, edges, beyond, key, ended)
    return tuple(write(wanted) for write in _WRITERS)


def _beyond(kernel: np.ndarray, offset: float) -> str:
    """Where the result of some picture leaves 0..1 by what 8 bits would show; "" if nowhere."""
    ends = {
        "below zero": offset + kernel.clip(max=0).sum() <= -VISIBLE,
        "above white": offset + kernel.clip(min=0).sum() >= 1 + VISIBLE,
    }
    return " and ".join(name for name, left in ends.items() if left)


@dataclass(frozen=True)
class _Edges:
    """A border mode, with the value around where that is CONSTANT."""

    border: str  # a key of MODES
    value: float  # 1 is white

    def __call__(self, written: str) -> str:
        """A piece of code with {levels}, or {whole} ones or a {colour}; "" under other modes."""
        if self.border != CONSTANT:
            return ""
        whole = round(255 * self.value)
        colour = f"#{whole:02x}{whole:02x}{whole:02x}"
        return written.format(levels=_grey_levels(self.value), whole=whole, colour=colour)


@dataclass(frozen=True, eq=False)
class _Wanted:
    """What the programs are to do."""

    kernel: np.ndarray  # (k, k)
    offset: float  # 1 is white
    edges: _Edges
    beyond: str  # "below zero", where a file of 8 bits would cut that off; "": nothing to be kept
    key: str | None  # of the catalogue, where a tool's own function may do it
    rounding: Rounding | None  # None: half up, ties wherever they fall

    @property
    def added(self) -> float:
        """The offset of the sums that are rounded in the way asked for; 1 is white."""
        return self.offset + (0.5 / _WHITE if self.rounding == Rounding.TRUNCATE else 0)

    @property
    def tie(self) -> float:
        """What takes a sum over the edge that coarse arithmetic leaves it before; 1 is white."""
        return 0.0 if self.rounding is None else _COARSE_TIE / _WHITE

    @property
    def ended(self) -> str:
        """`after` in whole grey levels, in Python."""
        return _ROUND.format(ended=ENDED[self.rounding].format(sums="after"))

    @property
    def rounds_up(self) -> str:
        """The comment of a tool that rounds half up only, where that is not asked for."""
        if self.rounding != Rounding.HALF_EVEN:
            return ""
        return f"# It rounds half up; {ROUNDED[self.rounding]}, some sums are one level lower.\n"

    @property
    def kept(self) -> str:
        """The comment beside what keeps it."""
        return f"  # {self.beyond.partition(' and ')[0]} too; a PNG would cut it off"

    def cut(self, way: str, opening: str = "# ", closing: str = "") -> str:
        """Comments on what a tool of 8 bits cuts off, and what to do; "" where nothing."""
        said = []
        if self.beyond:
            said.append(f"8 bits: cut off {self.beyond}. OpenCV's code keeps it.")
        if self.beyond.startswith("below") and not self.offset:
            said.append(f"{way} keeps -{_OFFSET} to {255 - _OFFSET}: each plus {_OFFSET}.")
        return "".join(f"{opening}{one}{closing}\n" for one in said)

    def saved(self) -> str:
        """How NumPy's `after` becomes a file: Pillow has no colour picture of floats."""
        if self.beyond:
            return f'np.save("after.npy", {_KEEP}){self.kept}'
        return f'Image.fromarray({self.ended}).save("after.png")'


def _number(value: float) -> str:
    """The shortest text that reads back as the same float64; never "-0.0"."""
    return repr(float(value) + 0.0)


def _rows(kernel: np.ndarray, opening: str, closing: str, indent: int = 4) -> str:
    """A kernel (k, k), one line a row, its columns aligned: _rows(K, "[", "],")."""
    words = [[_number(value) for value in row] for row in kernel]
    width = max(len(word) for row in words for word in row)
    return "\n".join(
        " " * indent + opening + ", ".join(word.rjust(width) for word in row) + closing
        for row in words
    )


def _grey_levels(offset: float) -> str:
    """An offset in the project's unit (1 is white) as 8-bit grey levels, free of rounding dust."""
    return _number(round(offset * 255, 9))


def _matrix(kernel: np.ndarray) -> str:
    return "kernel = np.array([\n" + _rows(kernel, "[", "],") + "\n])"


def _opencv(wanted: _Wanted) -> Snippet:
    """cv2.filter2D, or the function of that name.

    It has no BORDER_WRAP: then, with a value around and for files of 8 bits, the picture is padded.
    """
    kernel, edges = wanted.kernel, wanted.edges
    size, border = len(kernel), f"cv2.{MODES[edges.border].opencv}"
    padding, picture, crop, argument = "", "before", "", f", borderType={border}"
    if edges.border in ("wrap", CONSTANT) or not (wanted.beyond or wanted.key):
        more = edges(", value=[{levels}] * 3")
        padding = f"""\
r = {size // 2}
padded = cv2.copyMakeBorder(before, r, r, r, r, {border}{more})
"""
        picture, crop, argument = "padded", "[r:-r, r:-r]", ""
    matrix, call = "", named.OPENCV.get(wanted.key or "")
    if call is None:
        matrix = f"{_matrix(kernel)}\n"
        delta = f", delta={_grey_levels(wanted.added)}" if wanted.added else ""
        call = f"cv2.filter2D({{picture}}, cv2.CV_64F, kernel{delta}{{border}})"
    filtered = call.format(picture=picture, size=size, border=argument) + crop
    kept = f'"after.tiff", {_KEEP}){wanted.kept}'
    file = kept if wanted.beyond else f'"after.png", {wanted.ended})'
    code = f"""\
import cv2
import numpy as np

{matrix}before = cv2.imread("before.png", cv2.IMREAD_ANYCOLOR).astype(np.float64)
{padding}after = {filtered}
cv2.imwrite({file}
"""
    return Snippet("OpenCV", code, "pip install opencv-python-headless")


def _scipy(wanted: _Wanted) -> Snippet:
    """scipy.ndimage.correlate; SciPy's "reflect" is what NumPy calls "symmetric"."""
    edges = wanted.edges
    mode, more = MODES[edges.border].scipy, edges(", cval={levels}")
    call = None if more else named.scipy_call(wanted.key, len(wanted.kernel), mode)
    if call is None:
        matrix = f"{_matrix(wanted.kernel)}\n"
        filtering = f"""\
if before.ndim == 3:
    kernel = kernel[:, :, None]  # each channel by itself
after = ndimage.correlate(before, kernel, mode="{mode}"{more}) + {_grey_levels(wanted.added)}"""
    else:
        matrix = ""
        filtering = f"""\
channels = np.moveaxis(np.atleast_3d(before), 2, 0)
after = [{call} for channel in channels]
after = np.stack(after, axis=2).reshape(before.shape)"""
    code = f"""\
import numpy as np
from PIL import Image
from scipy import ndimage

{matrix}before = np.asarray(Image.open("before.png"), np.float64)
{filtering}
{wanted.saved()}
"""
    return Snippet("NumPy/SciPy", code, "pip install scipy pillow")


def _torch(wanted: _Wanted) -> Snippet:
    """torch.nn.functional.conv2d; torch has no symmetric padding, so NumPy pads."""
    radius, edges = len(wanted.kernel) // 2, wanted.edges
    more = edges(", constant_values={levels}")
    code = f"""\
import numpy as np
import torch
from PIL import Image

{_matrix(wanted.kernel)}
before = np.atleast_3d(np.asarray(Image.open("before.png"), np.float64))
r = {radius}
padded = np.pad(before, ((r, r), (r, r), (0, 0)), mode="{MODES[edges.border].numpy}"{more})
x = torch.from_numpy(padded).permute(2, 0, 1)[:, None]  # channels x 1 x height x width
y = torch.nn.functional.conv2d(x, torch.from_numpy(kernel)[None, None])
after = y[:, 0].permute(1, 2, 0).squeeze(2).numpy() + {_grey_levels(wanted.added)}
{wanted.saved()}
"""
    return Snippet("PyTorch", code, "pip install torch pillow")


def _pillow(wanted: _Wanted) -> Snippet:
    """PIL.ImageFilter.Kernel: 3 x 3 and 5 x 5; it leaves its border unfiltered, so NumPy pads."""
    kernel, edges, size = wanted.kernel, wanted.edges, len(wanted.kernel)
    if size not in _PILLOW_SIZES:
        note = (
            f"Pillow's ImageFilter.Kernel takes 3 × 3 and 5 × 5 only; this one is {size} × {size}."
        )
        return Snippet("Pillow", "", note)
    mode, more = MODES[edges.border].numpy, edges(", constant_values={whole}")
    levels = _grey_levels(wanted.offset + wanted.tie)
    comments = wanted.rounds_up + wanted.cut(f"offset={_OFFSET}")
    code = f"""\
import numpy as np
from PIL import Image, ImageFilter

kernel = [  # from the bottom row up: Pillow turns a kernel upside down
{_rows(kernel[::-1], "", ",")}
]
before = np.asarray(Image.open("before.png"))
r = {size // 2}
padded = np.pad(before, [(r, r), (r, r), (0, 0)][: before.ndim], mode="{mode}"{more})
{comments}filtering = ImageFilter.Kernel(({size}, {size}), kernel, scale=1, offset={levels})
after = Image.fromarray(padded).filter(filtering)
after.crop((r, r, after.width - r, after.height - r)).save("after.png")
"""
    note = "pip install pillow numpy. Pillow leaves the outermost pixels unfiltered: hence pad."
    return Snippet("Pillow", code, note)


def _magick_reflection(radius: int) -> str:
    """Pads by pieces of the picture: ImageMagick's Mirror repeats the edge pixel, reflect does not.

    A strip of `radius` pixels is cut one pixel inside each edge, turned over and put outside it.
    """
    lines = []
    for first, last, size, step, turn, join in (
        ("West", "East", f"{radius}x0", "+1+0", "-flop", "+append"),
        ("North", "South", f"0x{radius}", "+0+1", "-flip", "-append"),
    ):
        strips = [
            f"\\( -clone 0 -gravity {edge} -crop {size}{step} +repage {turn} \\)"
            for edge in (first, last)
        ]
        lines += [f"  {strips[0]} \\", f"  {strips[1]} -swap 0,1 {join} +repage \\"]
    return "\n".join(lines) + "\n"


def _imagemagick(wanted: _Wanted) -> Snippet:
    """-morphology Correlate: ImageMagick's Convolve would turn the kernel by 180 degrees."""
    kernel, offset, edges = wanted.kernel, wanted.added, wanted.edges
    size, cut = len(kernel), wanted.cut(f"-define convolve:bias={100 * _OFFSET / 255:.4f}%")
    values = ",\n".join(line.strip() for line in _rows(kernel, "", "", 0).split("\n"))
    bias = f"  -define convolve:bias={_number(round(offset * 100, 9))}% \\\n" if offset else ""
    ended = _MAGICK_ENDED[wanted.rounding]
    ended = f'  -fx "{ended}" \\\n' if ended else ""
    padding, cropping, virtual = "", "", _MAGICK.get(edges.border)
    if edges.border == "reflect":
        padding, cropping, virtual = _magick_reflection(size // 2), f"-shave {size // 2} ", "Edge"
    code = f"""\
{cut}magick before.png -alpha off \\
{padding}  {edges('-background "{colour}" ')}-virtual-pixel {virtual} \\
{bias}  -morphology Correlate "{size}x{size}:
{values}" \\
{ended}  {cropping}-depth 8 after.png
"""
    return Snippet("ImageMagick", code, "ImageMagick 6 calls the program convert.")


def _ffmpeg_integers(kernel: np.ndarray) -> np.ndarray | None:
    """Whole numbers m (k, k) for which ffmpeg's convolution is this kernel; None if there are none.

    It divides by their sum, or by 1 where the sum is 0. Its option rdiv would set the divisor, but
    ffmpeg 5.1 ignores it. So a kernel must have sum 1, or sum 0 and whole numbers.
    """
    gain = np.abs(kernel).sum()
    if len(kernel) not in _FFMPEG_SIZES or gain > _FFMPEG_GAIN:
        return None
    if np.array_equal(kernel, np.rint(kernel)) and kernel.sum() in (0, 1):
        return kernel.astype(int)
    if abs(kernel.sum() - 1) > 1e-9:
        return None
    simple = (kernel * divisor for divisor in range(1, _FFMPEG_DIVISOR + 1))
    whole = (m for m in simple if np.abs(m - np.rint(m)).max() < 1e-9)
    return np.rint(next(whole, kernel * (_FFMPEG_SUM / gain))).astype(int)


def _ffmpeg_formula(wanted: _Wanted) -> str:
    """The correlation as a formula for geq, which cuts off, where p(X+1,Y-2) is a pixel.

    Each row stands in brackets: ffmpeg refuses a sum of more than about 100 terms.
    """
    kernel, radius = wanted.kernel, len(wanted.kernel) // 2
    sums = [
        "+".join(f"({_number(v)})*p(X{j - radius:+d},Y{i - radius:+d})" for j, v in enumerate(row))
        for i, row in enumerate(kernel)
    ]
    total = "+\n".join(f"({one})" for one in sums)
    tie = 0.0 if wanted.rounding is None else TIE
    half_up = f"{_grey_levels(wanted.offset + (0.5 + tie) / _WHITE)}+\n{total}"
    if wanted.rounding != Rounding.HALF_EVEN:
        return f"clip({half_up},0,255)"
    # A half was rounded up to an odd level: one less.
    odd = f"lt(ld(0)-floor(ld(0)),{2 * TIE:.9f})*mod(floor(ld(0)),2)"
    return f"st(0,{half_up});\nclip(floor(ld(0))-{odd},0,255)"


def _ffmpeg(wanted: _Wanted) -> Snippet:
    """The filter `convolution` where it can (_ffmpeg_integers), else the general and slow `geq`."""
    kernel, offset, edges = wanted.kernel, wanted.offset, wanted.edges
    radius, way = len(kernel) // 2, f"0bias={_OFFSET}:1bias={_OFFSET}:2bias={_OFFSET}"
    up = offset >= 0 and wanted.rounding != Rounding.HALF_EVEN
    whole = _ffmpeg_integers(kernel) if up else None
    formula, channels = "", "gray|gbrp"
    if whole is None:
        formula, channels = f"formula='{_ffmpeg_formula(wanted)}'\n", "gbrp"
        filtering = "geq=interpolation=n:r='$formula':g='$formula':b='$formula'"
        note = "geq takes any kernel, but is slow and writes grey pictures as RGB."
        way = f"{_OFFSET}.5 in place of 0.5"
    else:
        matrix = " ".join(str(value) for value in whole.ravel())
        bias = _grey_levels(offset + wanted.tie)
        filtering = "convolution=" + ":".join(f"{i}m={matrix}:{i}bias={bias}" for i in range(3))
        note = "ffmpeg divides by the sum of the matrix, and by 1 where that is 0."
    if edges.border in ("zero", CONSTANT):
        channels = "gbrp"  # in grey pictures ffmpeg paints black at 16 and white at 235
    steps = [f"format={channels},pad=iw+{2 * radius}:ih+{2 * radius}:{radius}:{radius}"]
    if edges.border in _FFMPEG:
        widths = ":".join(f"{side}={radius}" for side in ("left", "right", "top", "bottom"))
        mode = _FFMPEG[edges.border] + edges(":color={colour}")
        steps.append(f"fillborders={widths}:mode={mode}")
    steps += [filtering, f"crop=iw-{2 * radius}:ih-{2 * radius}:{radius}:{radius}"]
    cut = wanted.cut(way)
    code = f'{cut}{formula}ffmpeg -y -i before.png -vf "' + ",\n".join(steps) + '" after.png\n'
    return Snippet("ffmpeg", code, note)


def _svg(wanted: _Wanted) -> Snippet:
    """feConvolveMatrix convolves: its matrix is the kernel turned by 180 degrees.

    https://www.w3.org/TR/filter-effects-1/#feConvolveMatrixElement
    """
    kernel, offset, edges = wanted.kernel, wanted.offset, wanted.edges
    if len(kernel) > _SVG_SIZE:
        note = f"Browsers take at most {_SVG_SIZE} × {_SVG_SIZE}; this one is {len(kernel)}."
        return Snippet("SVG", "", note)
    cut = wanted.cut(f'bias="{_OFFSET / 255:.4f}"', "  <!-- ", " -->")
    code = f"""\
<svg xmlns="http://www.w3.org/2000/svg">
{cut}  <filter id="kernel" x="0" y="0" width="1" height="1" color-interpolation-filters="sRGB">
    <feConvolveMatrix order="{len(kernel)}" divisor="1" bias="{_number(round(offset, 12))}"
      edgeMode="{_SVG.get(edges.border, "duplicate")}" preserveAlpha="true" kernelMatrix="
{_rows(kernel[::-1, ::-1], "", "", 8).replace(",", "")}"/>
  </filter>
  <image href="before.png" filter="url(#kernel)"/>
</svg>
"""
    note = "Open it in a browser, beside before.png."
    if wanted.rounding is not None:
        note += " Browsers round in ways of their own: pixels may be one grey level off."
    if edges.border not in _SVG:
        differ = f"the outermost {len(kernel) // 2} pixels differ."
        note += f" SVG has no {edges.border} border: {differ}"
    return Snippet("SVG", code, note)


def _fill(
    template: Template,
    wanted: _Wanted,
    rows: str,
    inside: dict[str, str],
    ends: tuple[dict[str, str], dict[str, str]],
    ended: dict[Rounding | None, str],
) -> str:
    """inside: by border mode. ends: what a result in bytes needs, and one in floats."""
    edges = wanted.edges
    parts = {
        name: part.replace("BEYOND", wanted.beyond.capitalize()).replace(
            "ENDED", ended[wanted.rounding]
        )
        for name, part in ends[bool(wanted.beyond)].items()
    }
    return template.substitute(
        size=len(wanted.kernel),
        border=edges.border,
        offset=_grey_levels(wanted.added),
        around=edges("{levels}") or "0.0",
        rows=rows,
        inside=inside[edges.border],
        **parts,
    )


def _c(wanted: _Wanted) -> Snippet:
    """C99."""
    ends, rows = (_C_BYTES, _C_FLOATS), _rows(wanted.kernel, "{", "},")
    code = _fill(_C, wanted, rows, _C_INSIDE, ends, _C_ENDED)
    return Snippet("C", code, f"cc -O2 filter.c -o filter -lm && ./filter. {_files_of(wanted)}")


def _rust(wanted: _Wanted) -> Snippet:
    """Rust 2021."""
    ends = _RUST_BYTES, _RUST_FLOATS
    rows = _rows(wanted.kernel, "[", "],")
    code = _fill(_RUST, wanted, rows, _RUST_INSIDE, ends, _RUST_ENDED)
    return Snippet("Rust", code, f"rustc -O filter.rs && ./filter. {_files_of(wanted)}")


def _files_of(wanted: _Wanted) -> str:
    return _PFM if wanted.beyond else _PNM


_WRITERS = (
    _opencv,
    _scipy,
    _torch,
    _pillow,
    _imagemagick,
    _ffmpeg,
    _svg,
    _c,
    _rust,
)
