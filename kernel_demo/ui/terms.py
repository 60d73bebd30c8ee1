"""What the page's terms mean, a sentence each; terms.js marks each where a card has it first.

Marked words have dotted underlines; their sentence shows on hover, focus and tap. Words on buttons,
labels and links and in code are left alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from kernel_demo.ui.html import each, filled


@dataclass(frozen=True)
class Term:
    """A term, and what it means."""

    name: str
    meaning: str  # one sentence
    others: tuple[str, ...] = ()  # other spellings; a plural in -s needs none

    @property
    def spellings(self) -> tuple[str, ...]:
        """All of them; capitals do not matter."""
        return self.name, *self.others


_EDGE = "Beyond its edge, |, a row abc "
TERMS = (
    # What is learned
    Term("kernel", "A small table of weights: laid on a pixel and its neighbours, multiplied and "
         "added up, it gives the new pixel."),
    Term("convolution layer", "A step of a neural network that lays one kernel on every pixel of a "
         "picture."),
    Term("convolution", "What one kernel does to a picture, laid on every pixel alike.",
         ("fully convolutional",)),
    Term("rounded pixels", "A photo in colour is made grey by weights of red, green and blue, "
         "which gives no whole numbers: they are multiplied as they are, and written rounded.",
         ("pixels, rounded",)),
    Term("offset", "A number that is added to every pixel after the kernel."),
    Term("kernel error", "How far the worst weight of the kernel is from the true one."),
    # Filters
    Term("Sobel", "An edge filter: the difference between the pixels on either side, the middle "
         "row counting twice."),
    Term("Scharr", "An edge filter like Sobel, with weights 3, 10, 3 that treat slanted edges more "
         "evenly."),
    Term("Prewitt", "An edge filter: the difference between the pixels on either side, all rows "
         "counting alike."),
    Term("Laplacian", "The sum of how far all neighbours differ from a pixel: zero on slopes, "
         "large on lines and spots."),
    Term("Gabor", "A wave under a soft bell: it answers to stripes of one width and direction."),
    Term("Gaussian blur", "An average in which near pixels count more than far ones, as a bell "
         "curve says."),
    Term("gradient magnitude", "How steep the brightness is in any direction: the root of two "
         "squared edge filters, which no kernel can do."),
    Term("sigma", "How wide a bell curve is: two thirds of its weight lie within one sigma."),
    # Beyond the edge
    Term("cb|abc|ba", _EDGE + "goes on mirrored, its last pixel not repeated.",
         ("reflect (cb|abc|ba)", "reflect")),
    Term("ba|abc|cb", _EDGE + "goes on mirrored, its last pixel repeated.",
         ("symmetric (ba|abc|cb)",)),
    Term("aa|abc|cc", _EDGE + "goes on as its last pixel does.",
         ("replicate (aa|abc|cc)", "replicate")),
    Term("bc|abc|ab", _EDGE + "begins again at its other end.", ("wrap (bc|abc|ab)",)),
    Term("zero (black around)", "Beyond its edge the picture goes on in black."),
    # How it is learned
    Term("loss", "How wrong the filtered pictures are: the mean of the squared differences, pixel "
         "by pixel."),
    Term("held out", "Pictures kept aside: nothing is learned from them, they only test what was "
         "learned."),
    Term("step", "One update of all weights of the kernel."),
    Term("learning rate", "How far each step moves the weights."),
    Term("tile", "A small square cut out of a picture."),
    Term("batch", "The tiles that one step looks at together.", ("batches",)),
    Term("accumulation", "Adding up the gradients of several batches before the weights move."),
    Term("patience", "How often a run is looked at without progress before it ends."),
    Term("mixed precision", "Reckoning with 16-bit numbers where that does no harm: faster on some "
         "devices, a little coarser."),
    Term("K-FAC", "A natural gradient for networks, Kronecker-factored: each step is divided by "
         "how much of each pattern the pictures contain."),
    Term("natural gradient", "The way downhill, corrected for how alike neighbouring pixels are: "
         "fine patterns are learned as fast as smooth ones."),
    Term("Adam", "The usual way to train networks: plain gradients, each weight's step scaled by "
         "how large its gradients were of late."),
    Term("SGD", "Stochastic gradient descent: straight downhill, as far as a few tiles can tell."),
    Term("L-BFGS", "A classic method that learns from its last steps how the loss bends.",
         ("exact L-BFGS",)),
    Term("plain gradients", "The way straight downhill: steep for smooth patterns, nearly flat for "
         "fine ones."),
    Term("closed form", "The best kernel in one go: one pass over the pictures, then one system of "
         "equations is solved."),
    # How sure it is
    Term("condition number", "How much more of their commonest pattern than of their rarest the "
         "pictures contain: the larger, the harder it is to learn."),
    Term("standard error", "How far off chance would put a weight: two times out of three it is "
         "less."),
    Term("guaranteed", "No kernel with a weight outside this interval can have made the file in "
         "one rounding: that is proved, not estimated. The search for the narrowest ends by time: "
         "another run may find a narrower one, and both hold.", ("guaranteed interval",)),
    Term("excess loss", "The loss less that of the best kernel these pictures allow."),
    Term("floor of 32-bit arithmetic", "32-bit numbers hold about seven digits: what is left below "
         "that is rounding.", ("32-bit arithmetic",)),
    Term("variance", "The mean square of how far pixels are from their mean; a kernel that "
         "explains 99 % of it leaves 1 % as loss.", ("variance explained",)),
    Term("clipped", "Cut off at black or white, as files do with what lies beyond."),
    # How alike two pictures are
    Term("PSNR", "Peak signal-to-noise ratio: how small the differences are; 20 dB more is ten "
         "times smaller."),
    Term("SSIM", "Structural similarity: how alike two pictures look in brightness, contrast and "
         "detail; 1 is the same."),
    Term("root mean square", "The root of the mean of the squares: a typical size, in which large "
         "differences count most.", ("RMS",)),
    Term("residual", "What is left of the picture after when the kernel's result is taken away."),
    # Files
    Term("safetensors", "A file of a network's weights that can hold no program."),
    Term("ONNX", "A file of a whole network that most frameworks and phones can run."),
)  # fmt: skip


def identifier(term: Term) -> str:
    """The id of the element that holds its meaning."""
    return "term-" + "".join(c if c.isalnum() else "-" for c in term.name.lower())


def meanings() -> str:
    """Every meaning, hidden until terms.js shows it (HTML)."""
    return filled('<div class="kd-terms">{}</div>', each(
        '<p id="{}" popover="manual" role="tooltip" data-spellings="{}">{}</p>', _rows(),
    ))  # fmt: skip


def _rows() -> Iterator[tuple[str, str, str]]:
    for term in TERMS:
        yield identifier(term), "\n".join(term.spellings), term.meaning
