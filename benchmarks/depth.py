"""When depth helps: one layer against a small deep network, on pictures that neither was shown."""

from kernel_demo.imaging.filtering import to_grey
from kernel_demo.imaging.kernels import named
from kernel_demo.lab import depth
from kernel_demo.sources.bundled import photos

TITLE = "Depth"
ASKED_DECIBELS = 15
ASKED_SECONDS = 60


def run(report):
    pictures = [to_grey(photo.pixels) for photo in photos()]
    for target in depth.TARGETS:
        _race(report, pictures, target)
    _stack(report, pictures)
    report.note(
        "PSNR on two bundled photos held out, with six to train on. Beside: the best single kernel."
    )


def _race(report, pictures, target):
    moments = list(depth.compare(pictures, target, deadline=ASKED_SECONDS))
    last = moments[-1]
    gain = last.deep_psnr - last.shallow_psnr
    goal = target == "magnitude"
    report.row(
        f"{target}: held-out PSNR of {last.deep_weights} weights in three layers",
        asked=f">= {ASKED_DECIBELS} dB more within {ASKED_SECONDS} s" if goal else "",
        got=f"{last.deep_psnr:.1f} dB, {gain:+.1f} dB after {last.seconds:.0f} s "
        f"({last.deep.step} steps)",
        beside=f"{last.shallow_psnr:.1f} dB",
        met=gain >= ASKED_DECIBELS and last.seconds <= ASKED_SECONDS + 1 if goal else None,
    )


def _stack(report, pictures):
    kernel = named("sobel_x").values
    for method in ("kfac", "adam"):
        *_, last = depth.compare_stack(pictures, kernel, method=method)
        report.row(
            f"three linear layers on Sobel, Adam, beside one by {method}: kernel error",
            got=f"{last.stacked_error:.1g} after {last.stacked.seconds:.1f} s",
            beside=f"{last.single_error:.1g} after {last.single.seconds:.1f} s",
        )
