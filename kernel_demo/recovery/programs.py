"""What is known beside a kernel as a short program: NumPy and OpenCV, before.png to after.png.

A program is `head`, lines that make `after` of `x`, and `tail`. x is the picture in 255ths of
white, float32, in OpenCV's order of channels: blue, green, red.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kernel_demo.recovery.explanations import Curve
from kernel_demo.recovery.operations import SRGB, Operation

EQUALISE = "after = np.dstack([cv2.equalizeHist(channel) for channel in cv2.split(before)])\n"
A_LINE = 16  # numbers of a table


def head(colours: bool, eight_bit: bool) -> str:
    """Lines that read x. colours: three channels, whatever the file has."""
    flag = "cv2.IMREAD_COLOR" if colours else "cv2.IMREAD_ANYCOLOR"
    read = f'before = cv2.imread("before.png", {flag} | cv2.IMREAD_ANYDEPTH)\n'
    x = "x = before.astype(np.float32)\n"
    if not eight_bit:
        x = "x = (before / (1 if before.dtype == np.uint8 else 257)).astype(np.float32)\n"
    return f"import cv2\nimport numpy as np\n\n{read}{x}"


def tail(unit: float, clip: tuple[int, int], even: bool) -> str:
    """Lines that write after: `unit` of its grey levels are a 255th of white.

    even: halves are rounded to even levels; else up.
    """
    low, high = clip
    scaled = "after" if unit == 1 else f"{unit:g} * after"
    kind = "np.uint8" if unit == 1 else "np.uint16"
    whole = f"np.rint({scaled})" if even else f"np.floor({scaled} + 0.5)"
    rounded = f"np.clip({whole}, {low}, {high}).astype({kind})"
    return f'cv2.imwrite("after.png", {rounded})\n'


def grey(weights: Sequence[float] | None, whole: bool) -> str:
    """Lines that make x grey by weights of red, green and blue; none without weights."""
    if weights is None:
        return ""
    shares = ", ".join(_number(share) for share in reversed(weights))
    summed = f"x @ np.array([{shares}])"
    summed = f"np.floor({summed} + 0.5)" if whole else f"({summed})"
    return f"x = {summed}.astype(np.float32)\n"


def operation(made: Operation, factor: float, offset: float) -> str:
    """`factor` times an operation, and `offset`."""
    lines = f"\n\n{made.needs}\n\n" if made.needs else ""
    lines += "" if made.kernel is None else f"kernel = {_array(made.kernel)}\n"
    lines += f"after = {made.code}\n"
    if (factor, offset) != (1, 0):
        lines += f"after = {_number(factor)} * after + {_number(offset)}\n"
    return lines


def light(code: str, kernel: np.ndarray, offset: float) -> str:
    """The kernel at work on light; code: decode and encode. offset: white is 1."""
    filtered = f"cv2.filter2D(decode(x.astype(np.float64) / 255), -1, kernel, delta={offset!r})"
    return f"\n\n{code}\n\nkernel = {_array(kernel)}\nafter = 255 * encode({filtered})\n"


def threshold(level: float, below: float, above: float) -> str:
    """One value from a level on, another below it."""
    return f"after = np.where(x >= {level:g}, {above:g}, {below:g})\n"


def steps(edges: np.ndarray, values: np.ndarray) -> str:
    """A value between each level and the next."""
    found = 'np.searchsorted(edges, x, side="right")'
    return f"edges = {_list(edges)}\nvalues = {_array(values)}\nafter = values[{found}]\n"


def power(exponent: float, offset: float) -> str:
    """A gamma curve."""
    more = f" - {_number(-offset)}" if offset else ""
    return f"after = 255 * (x.astype(np.float64) / 255) ** {_number(exponent)}{more}\n"


def by_light(curve: Curve) -> str:
    """sRGB decoded or encoded."""
    way = "decode" if curve == Curve.TO_LIGHT else "encode"
    return f"\n\n{SRGB}\n\nafter = 255 * {way}(x / 255)\n"


def table(values: np.ndarray) -> str:
    """What is after each of 256 levels, one line for all channels or one for each (red first)."""
    levels = "np.arange(256)"
    if values.ndim == 1:
        return f"table = {_array(values)}\nafter = np.interp(x, {levels}, table)\n"
    each = f"np.interp(x[..., c], {levels}, tables[2 - c]) for c in range(3)"
    return f"tables = {_array(values)}  # red, green, blue\nafter = np.dstack([{each}])\n"


def matrix(values: np.ndarray, offsets: np.ndarray) -> str:
    """Channels of after (rows) by those of before (columns), red first; offsets: 255ths."""
    flipped = "after = x[..., ::-1] @ matrix.T"
    flipped += f" + {_list(offsets)}" if offsets.any() else ""
    back = "after = after[..., ::-1]\n" if len(values) > 1 else ""
    return f"matrix = {_array(values)}\n{flipped}\n{back}"


def conversion(code: str) -> str:
    """Grey of `rgb`, in whole numbers as a library makes it."""
    return f"rgb = x[..., ::-1].astype(np.int64)\nafter = {code}\n"


def _number(value: float) -> str:
    """The shortest text that reads back as the same number."""
    value = float(value)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _list(values: np.ndarray) -> str:
    return f"[{', '.join(map(_number, values.tolist()))}]"


def _array(values: np.ndarray) -> str:
    """np.array([...]), a line for each row and for every 16 numbers."""
    if values.ndim == 1 and len(values) <= A_LINE:
        return f"np.array({_list(values)}, float)"
    rows = [_row(row) for row in (values if values.ndim == 2 else [values])]
    if values.ndim == 1:
        return f"np.array({rows[0]}, float)"
    return "np.array([\n" + "".join(f"    {row},\n" for row in rows) + "], float)"


def _row(values: np.ndarray) -> str:
    words = [_number(value) for value in values.tolist()]
    lines = [", ".join(words[at : at + A_LINE]) for at in range(0, len(words), A_LINE)]
    return "[" + ",\n     ".join(lines) + "]"
