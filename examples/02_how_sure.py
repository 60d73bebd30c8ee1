"""One pass, one solve, and how sure it is: python examples/02_how_sure.py"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from kernel_demo.imaging import kernels
from kernel_demo.imaging.filtering import correlate, to_grey
from kernel_demo.imaging.operators import degrade
from kernel_demo.learning.certificate import certify
from kernel_demo.learning.statistics import accumulate, trusted
from kernel_demo.sources import bundled

truth = kernels.named("sharpen").values
befores = [to_grey(photo.pixels) for photo in bundled.photos()]
# As a camera would: noise of two grey levels, then rounded and clipped to 8 bits.
damaged = [
    degrade(correlate(picture, truth), 2.0, True, seed=n) for n, picture in enumerate(befores)
]
afters, masks = zip(*damaged, strict=True)

masks = trusted(befores, afters, masks, size=3)
sums, _ = accumulate(zip(befores, afters, masks, strict=True), size=3)
best = certify(sums, fit_offset=False).solution
errors = abs(best.kernel - truth) / best.standard_error
print(best.kernel.round(3))
print(f"condition number {best.condition:.0f}, {sums.count} pixels")
print(f"error bars up to {best.standard_error.max():.1e}")
print(f"largest error {abs(best.kernel - truth).max():.1e}: {errors.max():.1f} error bars")
