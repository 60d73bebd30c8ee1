"""What a kernel loses in fewer bytes, on the bundled photos."""

from kernel_demo.export.compression import KINDS, compress, measure
from kernel_demo.imaging.filtering import to_grey
from kernel_demo.imaging.kernels import CATALOGUE, named, random
from kernel_demo.sources.bundled import photos

TITLE = "Smaller kernels"


def run(report):
    pictures = [to_grey(photo.pixels) for photo in photos()]
    _named_in_8_bits(report, pictures)
    _kinds_side_by_side(report, pictures[0])
    report.note("Output errors are the largest over all pixels, neither clipped nor rounded.")


def _named_in_8_bits(report, pictures):
    worst, where, exact, count = 0.0, "", 0, 0
    for key, entry in CATALOGUE.items():
        for size in entry.sizes:
            kernel = named(key, size, angle=30.0).values
            compressed = compress(kernel, "int8")
            effects = (measure(kernel, compressed, one, repeats=1) for one in pictures)
            error = max(effect.output_error for effect in effects)
            worst, where = max((worst, where), (error, f"{key} {size} x {size}"))
            # 2^-24: one rounding of the scale to float32.
            exact += compressed.largest_error <= 2**-24 * abs(kernel).max()
            count += 1
    report.row(
        f"8-bit export, {count} named kernels x {len(pictures)} photos: largest output error",
        asked="<= 1 grey level",
        got=f"{worst:.2f} ({where})",
        met=worst <= 1,
    )
    report.row("of these, kernels kept exactly by 8 bits", got=f"{exact} of {count}")


def _kinds_side_by_side(report, picture):
    kernels = {"Gaussian 15 x 15": named("gaussian", 15), "random 15 x 15": random(15, 0)}
    for label, kernel in kernels.items():
        for kind in KINDS:
            compressed = compress(kernel.values, kind)
            effect = measure(kernel.values, compressed, picture)
            report.row(
                f"{label}, {kind}: bytes",
                got=f"{compressed.bytes}, kernel off by {compressed.largest_error:.0e}, "
                f"output by {effect.output_error:.2g} levels, "
                f"{effect.passes} in {effect.seconds * 1e3:.1f} ms",
            )
