"""What questions 1 to 3 say: tiles, edges, a layer on a picture of any size."""

from kernel_demo.numbers import at_most, duration, figure

TRUE, LEARNED = "true", "learned"

# 1. Sizes
WHOLE, TILED, DIFFERENCE = "learned whole", "learned in tiles", "difference"


def tiles_caption(width: int, height: int, tiles: int, tile: int) -> str:
    return f"{width} × {height} pixels in {tiles} tiles of up to {tile} × {tile}"


def tiles_facts(kernel: float, output: float) -> tuple[tuple[str, str], ...]:
    return (
        (figure(kernel), "largest difference between the two kernels"),
        (figure(output), "largest difference between the two outputs, grey levels"),
    )


def tiles_finding(same: bool, error: float) -> str:
    sums = "Every sum is the same number, bit for bit" if same else "The sums differ"
    return f"{sums}. Both kernels are within {at_most(error)} of the true one."


APPLY = "Apply a filter to a picture of any size"
APPLY_NOTE = (
    "Here up to {pixels} megapixels; up to 200 megapixels by the command "
    "python -m kernel_demo apply IN OUT --kernel sobel_x"
)
APPLY_BUTTON = "Choose a picture and apply"
APPLY_CANCEL = "Cancel"
APPLY_SAVE = "Save the result"
KERNEL = "Kernel"
EDGES = "Edges"
READING = "Reading the picture…"


def applying(done: float, megapixels: float) -> str:
    return f"{done * megapixels:.1f} of {megapixels:.1f} Mpx"


def applied(name: str, width: int, height: int, tiles: int, seconds: float) -> str:
    return (
        f"{name}: {width} × {height} pixels filtered in {tiles} "
        f"{'tile' if tiles == 1 else 'tiles'}, {duration(seconds)}."
    )


# 2. Edges
CORNER = "A corner of the blurred picture, magnified"
APART = "Its difference to Reflect"
EDGES_TABLE = ("Border", "largest difference at the border", "inside", "pixels that differ")
TAUGHT = ("true", "learned with padded pixels", "learned from valid pixels only")


def edges_finding(padded: float, valid: float, share: float) -> str:
    return (
        f"Only {share:.1%} of the pixels lie at the border, yet a zero-padded layer that counts "
        f"them errs by {figure(padded)}; the one that leaves them out, by {figure(valid)}."
    )


# 3. Anywhere
LEARNING_TILES = "Learning on tiles of 64 × 64: step {step}, kernel error {error}."
PANORAMA = "the panorama"
PANORAMA_AFTER = "through the layer"


def anywhere_facts(found) -> tuple[tuple[str, str], ...]:
    (side, _), (height, width) = found.trained_on, found.applied_to
    return (
        (f"{side} × {side}", "pixels, what it was trained on"),
        (f"{width} × {height}", "pixels, what it is applied to"),
        (str(found.weights), "weights, the same for both"),
        (figure(found.output_difference), "largest difference to the true filter, grey levels"),
    )


def anywhere_finding(found) -> str:
    times = found.applied_to[0] * found.applied_to[1] / found.trained_on[0] ** 2
    return f"The same layer, on a picture with {times:,.0f} times as many pixels as a tile."
