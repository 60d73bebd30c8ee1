"""The endpoint /recover: two files, and what the filter between them is."""

import gradio as gr

from kernel_demo.errors import odd, one_of
from kernel_demo.export import tools
from kernel_demo.imaging.kernels import MAX_SIZE, MIN_SIZE
from kernel_demo.recovery import recover as find
from kernel_demo.sources.decoding import samples
from kernel_demo.ui.api.files import exported, sent
from kernel_demo.ui.components import take
from kernel_demo.ui.recover import finding
from kernel_demo.ui.serving.jobs import in_words

KEYS = (
    "verdict", "kernel", "size", "offset", "standard_error", "residual", "rounding_floor",
    "reproduced", "left_out", "used_fraction", "padding", "padding_value", "bit_exact", "white",
    "interval", "smallest_bound", "roundings", "coefficients", "alternative", "alternative_name",
)  # fmt: skip


@in_words()
def recover(
    before: gr.FileData, after: gr.FileData, max_size: int = 15, files: bool = False
) -> dict:
    """Find the image filter that some tool has applied, from a picture before and after it.

    The answer begins with verdict (convolution, convolution with noise, not a convolution, or
    undetermined) and explanation, which says in words what was found and what to do next.

    kernel is relative to white: rows of numbers, correlated with the picture and not flipped; size
    is its number of rows. offset, residual and rounding_floor are in grey levels of the after file,
    of which white is the highest: 255, or 65535 for 16-bit samples. /apply takes the offset as
    offset_levels = 255 * offset / white. kernel and offset are for sums that are rounded half up (a
    tool that cuts off has 0.5 less). For one kernel a channel, kernel, offset and standard_error
    are lists of three. A number that is not known is null.

    residual is that of the kernel given; reproduced is the share of the pixels that it makes
    exactly, of those whose patch lies inside and that are not left out. left_out tells of pixels
    that something else has changed: {share, reasons}. padding is a border mode of /apply, or
    copied, black or one value (pixels along the border that are not filtered), or renormalised (a
    mean of what lies inside: weights divided by their share of all). padding_value, with
    constant and one value, is the value (or a list, one for each channel), in grey levels too.

    interval is {low, high}, each like kernel: no kernel of this size with a weight outside made the
    pair in one rounding, whatever the noise, but for the pixels left out; or null. It is worked out
    for at most 20 seconds, and wider where that is too short. smallest_bound: each kernel of this
    size is so many grey levels off somewhere, or more; above a half (and a thousandth or so for the
    tool's arithmetic), none made the pair in one rounding. roundings: how many times the tool
    rounds to whole levels, where that is known (once, or in the steps that make the file); or null.

    code is a program that makes after.png of before.png as the tool did, by its own function or
    filter by filter, where it is known how; else null: kernel and offset do it in one rounding.
    residual, reproduced and padding are those of the tool's steps where it rounds several times.

    coefficients, where after went through a JPEG file: the share of its coefficients (of the
    luminance) that the kernel's picture has as well, once it is compressed in the same way; or
    null.

    alternative is what is known beside the kernel, or null: an operation that is no convolution (a
    median, a gamma curve, a kernel of the light), or the matrix of channels that kernels are. It is
    {name, parameters, kernel, interval, standard_error, curve, matrix, residual, reproduced, code},
    null where one does not apply: curve is what is after each of 256 levels before, in 255ths of
    white, or three of them; matrix has a row for each channel of after; code is Python with NumPy
    and OpenCV that makes after.png of before.png, and residual and reproduced are of what it makes.
    alternative_name is its name alone.

    Args:
        before: the picture before, best a PNG or TIFF: the address of an upload, or a data URL.
        after: the same picture after the tool, of the same size or cropped, given in the same way.
        max_size: the largest kernel to look for, odd, 3 to 31.
        files: also give what was found as files (JSON, npy, safetensors, ONNX) and as programs.

    Returns:
        all that was found; files and programs too, where asked for
    """
    max_size = odd("max_size", max_size, MIN_SIZE, MAX_SIZE)
    one_of("files", files, (False, True))
    pair = (samples(*sent(before, "before"), keep_alpha=True)[0],
            samples(*sent(after, "after"), keep_alpha=True)[0])  # fmt: skip
    found = find(*pair, max_size)
    report, made_by = found.as_dict(proved=True), tools.program(found)
    cards = [(label, take.value(taken)) for label, taken in finding.taken(found)] if files else []
    return {
        **{key: report[key] for key in KEYS},
        "code": made_by and made_by.code,
        "explanation": f"{found.explanation} {found.next_step}".strip(),
        **(exported(cards) if files else {}),
    }
