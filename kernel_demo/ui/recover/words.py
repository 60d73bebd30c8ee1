"""What the tab "Recover" says, besides the sentences that the recovery itself finds."""

from collections.abc import Sequence

from kernel_demo.imaging.filtering import BORDERS
from kernel_demo.numbers import figure, percent
from kernel_demo.recovery import Channels, Edge, Rounding, Verdict
from kernel_demo.recovery.fractions import Fractions

TAB = "Recover"
PAIR = "Before and after"
PAIR_INFO = "The same picture twice: as it was, and as the tool, camera or code made it."
BEFORE = "Before"
AFTER = "After"
LARGEST = "Largest size"
RECOVER = "Recover the filter"
EXAMPLES = "Try one that a real tool made"
SEVERAL = "Several pairs of one filter are welcome: they are matched in order."

EMPTY_TITLE = "Which filter was it?"
EMPTY = "Bring a picture before and after a filter, and leave with the kernel, proof and code."
EMPTY_POINTS = (
    "Every pixel that was not clipped goes into exact sums: 8-bit files give the kernel to the "
    "fourth digit, simple fractions exactly.",
    "What is left over tells the rest: rounding, compression, or something no kernel can do.",
    "Lossless files (PNG, TIFF) tell most; JPEG and WebP work. Crop, resize or turn nothing.",
)

VERDICTS = {
    Verdict.CONVOLUTION: "A convolution",
    Verdict.NOISY: "A convolution, with noise",
    Verdict.NOT: "Not a convolution",
    Verdict.UNDETERMINED: "These pictures cannot tell",
}
NEXT = "Next:"
KERNEL = "The kernel"
BEST_KERNEL = "The nearest kernel"
CHANNELS = ("red", "green", "blue")
PICTURES = "How well it explains the picture"
VIEWS = [("After and reproduced", "reproduced"), ("Before and after", "pair")]
REPRODUCED = "reproduced"
HEARD = "Getting ready…"
FORGOTTEN = "The files are forgotten; upload them again."
WHICH = "Kernel to take"

NAME = "Name"
SIZE = "Size"
OFFSET = "Offset"
BORDER = "Edges"
ARRANGEMENT = "Channels"
LEFT_OVER = "Left over"
USED = "Pixels used"
FILE = "After file"
EXACTLY = "In whole numbers"
NOT_SEEN = "cannot be seen in this pair"
COPIED = "left as they were"
BLACK = "black"
SIDES = ("top", "bottom", "left", "right")


def pair_count(pairs: int, pixels: int) -> str:
    """One line under the thumbnails."""
    noun = "pair" if pairs == 1 else "pairs"
    return f"{pairs} {noun} · {megapixels(pixels)}"


def waiting(side: str) -> str:
    """What is still missing: side is BEFORE or AFTER."""
    return f"Now the picture {side.lower()}."


def working(pairs: int, pixels: int, max_size: int) -> str:
    """The progress line."""
    noun = "pair" if pairs == 1 else "pairs"
    size = f"{max_size} × {max_size}"
    return f"Looking for a kernel up to {size} in {pairs} {noun}, {megapixels(pixels)}"


def megapixels(pixels: int) -> str:
    """0.3 Mpx; small pictures in pixels."""
    return f"{pixels / 1e6:.1f} Mpx" if pixels >= 1e5 else f"{count(pixels)} pixels"


def count(number: int) -> str:
    """1 398 200: thin groups of three."""
    return f"{number:,}".replace(",", "\u202f")


def size(k: int, support: tuple[int, int, int, int]) -> str:
    """The size, and the smaller box in which all weights lie where there is one."""
    height, width = support[2:]
    box = f" (its weights lie in {height} × {width})" if 0 < height * width < k * k else ""
    return f"{k} × {k}{box}"


def larger(most: int, taken: bool) -> str:
    """Below a kernel that is drawn without its numbers."""
    below = " The code and files below hold every weight." if taken else ""
    return f"Larger than {most} × {most}: point at a cell to read it.{below}"


def levels(value: float) -> str:
    """A number of grey levels, with its sign."""
    return f"{'+' if value > 0 else ''}{figure(value)} grey levels" if value else "0"


def offset(values: Sequence[float]) -> str:
    """The offset, or one for each channel; below a hundredth of a grey level it is none."""
    values = [value if abs(value) >= 0.005 else 0.0 for value in values]
    if len(set(values)) == 1:
        return levels(values[0])
    return ", ".join(f"{n} {levels(v)}" for n, v in zip(CHANNELS, values, strict=True))


def border(padding: str | None, sides: Sequence[str | None]) -> str:
    """The border mode, or that of each side where they differ."""
    if padding or not any(sides):
        return _border(padding)
    found = zip(SIDES, sides, strict=True)
    return ", ".join(f"{side} {_border(mode)}" for side, mode in found)


def _border(mode: str | None) -> str:
    if mode in BORDERS:
        return BORDERS[mode].label.lower()
    return {Edge.COPIED: COPIED, Edge.BLACK: BLACK}.get(mode, NOT_SEEN)


def arrangement(channels: Channels, weights: Sequence[float] | None) -> str:
    """How the channels go together."""
    if weights is not None:
        shares = ", ".join(
            f"{share:.3f} {name}" for name, share in zip(CHANNELS, weights, strict=False)
        )
        return f"grey from colour: {shares}"
    return {Channels.ONE: "one kernel for all", Channels.EACH: "a kernel for each"}.get(
        channels, "mixed: a kernel from each into each"
    )


def left_over(residual: float, floor: float) -> str:
    """The residual beside what rounding alone leaves."""
    return f"{figure(residual)} grey levels RMS; rounding alone leaves {figure(floor)}"


def used(share: float) -> str:
    """The share of the pixels that were not clipped."""
    return "all" if share == 1 else f"{percent(share)}; the others are clipped"


def fractions(whole: Fractions) -> str:
    """The kernel in whole numbers, and what they reproduce."""
    sign = "−" if whole.offset < 0 else "+"
    values = str(whole.numerators.tolist()).replace("-", "−")
    divisor = f" / {whole.divisor}" if whole.divisor != 1 else ""
    text = f"{values}{divisor} {sign} {abs(whole.offset):g}"
    if whole.undecided:
        told = f"{count(whole.pixels - whole.undecided)} of {count(whole.pixels)} pixels are"
    else:
        told = f"every one of the {count(whole.pixels)} pixels is"
    rounding = ", cut off" if whole.rounding == Rounding.TRUNCATE else ""
    return f"{text}{rounding}: {told} reproduced"


def residual(gain: float) -> str:
    """The tag on the picture of what is left over; gain 0: nothing is."""
    if not gain:
        return "residual: none"
    return f"residual × {count(round(gain))}" if gain > 1 else "residual"


def figures(largest: float, share: float) -> tuple[tuple[str, str], ...]:
    """The figures under the pictures: (number, meaning)."""
    return (
        (percent(share, 2), "of all samples are reproduced exactly"),
        (figure(largest), "largest difference, grey levels"),
    )


def pair_figures(mean: float) -> tuple[tuple[str, str], ...]:
    """The figure under before and after."""
    return ((figure(mean), "mean difference, grey levels"),)


def take_note(channels: Channels, weights, padding: str | None, exact: bool) -> str:
    """What must be known beside the kernel to use it."""
    told = []
    if weights is not None:
        told.append(f"First make the picture grey: {arrangement(channels, weights)[18:]}.")
    elif channels == Channels.EACH:
        told.append("Each channel has a kernel of its own: choose it above.")
    elif channels == Channels.MIXTURE:
        told.append("Each channel of the result is a sum of three kernels, one for each before.")
    if padding in tuple(Edge):
        edges = _border(padding)
        told.append(f"The tool's pixels along the edge are {edges}; this code goes on instead.")
    elif padding is None:
        told.append("The pair does not show one way beyond the edges; this code reflects.")
    return " ".join(told)
