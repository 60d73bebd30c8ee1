"""The kernel for programs that are told in one line: ImageMagick, ffmpeg, SVG."""

import numpy as np

from kernel_demo.export.code import Snippet, grey_levels, number, rows

_MAGICK = {"zero": "Black", "replicate": "Edge", "symmetric": "Mirror", "wrap": "Tile"}
_FFMPEG = {"replicate": "smear", "reflect": "reflect", "symmetric": "mirror", "wrap": "wrap"}
_SVG = {"zero": "none", "replicate": "duplicate", "wrap": "wrap"}

# ffmpeg's convolution takes 9, 25 or 49 whole numbers.
_FFMPEG_SIZES = (3, 5, 7)
# It adds them up in 32 bits: 255 * sum |m| < 2^31 holds below 8.4e6. With larger gains than 100 the
# sum of the rounded numbers, by which it divides, would be too small to be precise.
_FFMPEG_SUM = 8_000_000
_FFMPEG_GAIN = 100
# Chromium draws nothing useful for more than 256 weights.
_SVG_SIZE = 15


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


def imagemagick(kernel: np.ndarray, offset: float, border: str) -> Snippet:
    """-morphology Correlate: ImageMagick's Convolve would turn the kernel by 180 degrees."""
    size = len(kernel)
    values = ",\n".join(line.strip() for line in rows(kernel, "", "", 0).split("\n"))
    bias = f"  -define convolve:bias={number(round(offset * 100, 9))}% \\\n" if offset else ""
    padding, cropping, virtual = "", "", _MAGICK.get(border)
    if border == "reflect":
        padding, cropping, virtual = _magick_reflection(size // 2), f"-shave {size // 2} ", "Edge"
    code = f"""\
magick before.png -alpha off \\
{padding}  -virtual-pixel {virtual} \\
{bias}  -morphology Correlate "{size}x{size}:
{values}" \\
  {cropping}-depth 8 after.png
"""
    return Snippet("ImageMagick", "shell", code, "ImageMagick 6 calls the program convert.")


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
    return np.rint(kernel * (_FFMPEG_SUM / gain)).astype(int)


def _ffmpeg_formula(kernel: np.ndarray, offset: float) -> str:
    """The correlation as a formula for geq, where p(X+1,Y-2) is a pixel.

    Each row stands in brackets: ffmpeg refuses a sum of more than about 100 terms.
    """
    radius = len(kernel) // 2
    sums = [
        "+".join(f"({number(v)})*p(X{j - radius:+d},Y{i - radius:+d})" for j, v in enumerate(row))
        for i, row in enumerate(kernel)
    ]
    total = "+\n".join(f"({one})" for one in sums)
    return f"clip({grey_levels(offset + 0.5 / 255)}+\n{total},0,255)"


def ffmpeg(kernel: np.ndarray, offset: float, border: str) -> Snippet:
    """The filter `convolution` where it can (_ffmpeg_integers), else the general and slow `geq`."""
    radius = len(kernel) // 2
    whole = _ffmpeg_integers(kernel) if offset >= 0 else None
    formula, channels = "", "gray|gbrp"
    if whole is None:
        formula, channels = f"formula='{_ffmpeg_formula(kernel, offset)}'\n", "gbrp"
        filtering = "geq=interpolation=n:r='$formula':g='$formula':b='$formula'"
        note = "geq takes any kernel, but is slow and writes grey pictures as RGB."
    else:
        matrix = " ".join(str(value) for value in whole.ravel())
        bias = grey_levels(offset)
        filtering = "convolution=" + ":".join(f"{i}m={matrix}:{i}bias={bias}" for i in range(3))
        note = "ffmpeg divides by the sum of the matrix, and by 1 where that is 0."
    steps = [f"format={channels},pad=iw+{2 * radius}:ih+{2 * radius}:{radius}:{radius}"]
    if border in _FFMPEG:
        widths = ":".join(f"{side}={radius}" for side in ("left", "right", "top", "bottom"))
        steps.append(f"fillborders={widths}:mode={_FFMPEG[border]}")
    steps += [filtering, f"crop=iw-{2 * radius}:ih-{2 * radius}:{radius}:{radius}"]
    code = f'{formula}ffmpeg -y -i before.png -vf "' + ",\n".join(steps) + '" after.png\n'
    return Snippet("ffmpeg", "shell", code, note)


def svg(kernel: np.ndarray, offset: float, border: str) -> Snippet:
    """feConvolveMatrix convolves: its matrix is the kernel turned by 180 degrees.

    https://www.w3.org/TR/filter-effects-1/#feConvolveMatrixElement
    """
    if len(kernel) > _SVG_SIZE:
        note = f"Browsers take at most {_SVG_SIZE} x {_SVG_SIZE}; this one is {len(kernel)}."
        return Snippet("SVG", "svg", "", note)
    code = f"""\
<svg xmlns="http://www.w3.org/2000/svg">
  <filter id="kernel" x="0" y="0" width="1" height="1" color-interpolation-filters="sRGB">
    <feConvolveMatrix order="{len(kernel)}" divisor="1" bias="{number(round(offset, 12))}"
      edgeMode="{_SVG.get(border, "duplicate")}" preserveAlpha="true" kernelMatrix="
{rows(kernel[::-1, ::-1], "", "", 8).replace(",", "")}"/>
  </filter>
  <image href="before.png" filter="url(#kernel)"/>
</svg>
"""
    note = "Open it in a browser, beside before.png."
    if border not in _SVG:
        note += f" SVG has no {border} border: the outermost {len(kernel) // 2} pixels differ."
    return Snippet("SVG", "svg", code, note)
