"""What question 8 says: twelve ways to break it, and the challenge."""

from collections.abc import Sequence

from kernel_demo.lab.limits import Limit
from kernel_demo.numbers import at_most, figure, shown

# key of LIMITS: (name, why)
LIMITS = {
    "constant": (
        "A flat picture",
        "It shows the sum of the weights and nothing else: each comes out as their mean.",
    ),
    "blurred": (
        "Blurred pictures",
        "They hold no fine detail, and what is left of it drowns in the camera's noise.",
    ),
    "eight_bit_clipping": (
        "Clipping",
        "A file cuts at black and white, and the fit takes the cut values for answers.",
    ),
    "jpeg_file": (
        "JPEG",
        "The file's rounding in blocks of 8 × 8 takes away detail that the fit believes in.",
    ),
    "noise_after": (
        "Noise after",
        "Noise on the answers averages out: a hundred times the pixels, a tenth of the error.",
    ),
    "noise_before": (
        "Noise before",
        "Noise on what comes in shrinks the kernel, however many pixels there are.",
    ),
    "wrong_padding": (
        "Wrong padding",
        "The layer pads with zeros, the tool reflected: the border pixels teach a lie.",
    ),
    "model_too_small": (
        "Too small a model",
        "What does not fit into the model is laid on the weights that do.",
    ),
    "model_too_large": (
        "Too large a model",
        "No harm: the weights too many come out as zero.",
    ),
    "even_kernel": (
        "An even kernel",
        "A 2 × 2 average has no centre pixel: a 3 × 3 model holds it, shifted by half a pixel.",
    ),
    "varying_filter": (
        "A filter that varies",
        "Sharp at the left, blurred at the right: one kernel can only be the middle.",
    ),
    "non_linear": (
        "Not linear",
        "The length of the gradient has lost its sign: the best kernel is nearly none.",
    ),
}
TABLE = ("Way", "foretold", "measured", "with the remedy", "error of")
MEASURES = {"kernel": "a weight", "output": "the output, grey levels"}
REMEDIES = {
    "blurred": "sharp pictures",
    "eight_bit_clipping": "cut pixels left out",
    "noise_before": "the noise taken off X'X",
    "wrong_padding": "valid pixels only",
    "model_too_small": "a model of its size",
}
CHOOSE = "or one of them"
TRUE, LEARNED = "true", "learned"


def finding(tried: Sequence[Limit]) -> str:
    """How well theory foretold the errors, as they are and as the table writes them."""
    ways = "way" if len(tried) == 1 else "ways"
    worst = max(
        ratio
        for limit in tried
        for ratio in (
            limit.measured / limit.predicted,
            shown(limit.measured) / shown(limit.predicted),
        )
    )
    return f"{len(tried)} {ways} tried; no error was above {at_most(worst)} times its forecast."


def facts(limit: Limit) -> list[tuple[str, str]]:
    """(number, meaning) of one way to break it."""
    unit = MEASURES[limit.measure]
    pairs = [
        (figure(limit.predicted), f"error of {unit}, foretold"),
        (figure(limit.measured), f"error of {unit}, measured"),
    ]
    if limit.remedied is not None:
        pairs.append((figure(limit.remedied), f"with the remedy: {REMEDIES[limit.key]}"))
    return pairs


CHALLENGE = "The challenge: a hidden kernel"
CHALLENGE_NOTE = (
    "Every weight is a multiple of ½ from −2 to 2. Guess them from the pictures, or let the layer "
    "learn them; the link brings a friend to the same kernel."
)
NUMBER = "Number"
SIZE = "Size"
ANOTHER = "Another"
GUESS = "Score my guess"
LEARN = "Let the layer learn it"
LINK = "Link to this challenge"
BEFORE, AFTER, YOURS = "before", "after the hidden kernel", "after your guess"
YOUR_GUESS, HIDDEN = "your guess", "the hidden kernel"
LEARNING = "the layer, step {step}"


def score_facts(score) -> list[tuple[str, str]]:
    """(number, meaning) of a guess."""
    return [
        (
            f"{score.whole_points} of 100",
            "points; they fall with the largest weight error, and 100 is every weight right",
        ),
        (
            figure(score.kernel_error),
            f"largest weight error (the best: {figure(score.best_kernel_error)})",
        ),
        (
            figure(255 * score.output_error),
            f"output error, grey levels (the best: {figure(255 * score.best_output_error)})",
        ),
    ]


def guess_finding(score) -> str:
    """What a visitor's guess is worth, without telling the kernel."""
    if score.exact:
        return "Exactly right: every weight."
    if score.points >= 50:
        return "Close: at least half the way from a kernel of zeros."
    if score.points > 0:
        return "Nearer than a kernel of zeros. The pictures can tell more."
    return "One weight is off at least as far as in a kernel of zeros."


def learned_finding(score) -> str:
    """What the layer made of it."""
    told = (
        f"The layer found it to {at_most(score.kernel_error)}: {score.whole_points} of 100 points."
    )
    if score.nearest_exact and not score.exact:
        told += " Rounded to halves, every weight is right."
    return told
