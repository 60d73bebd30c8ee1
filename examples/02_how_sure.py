"""One pass, one solve, and how sure it is: python examples/02_how_sure.py"""

import sys
from pathlib import Path

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

import kernel_demo as kd

truth = kd.kernel("sharpen").values
noise = np.random.default_rng(1)
befores, afters = [], []
for path in sorted(Path(__file__).parent.glob("*.jpg")):
    before = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    # As a camera would: noise of two grey levels, then rounded and clipped to 8 bits.
    after = kd.apply(before, truth) + noise.normal(0, 2, before.shape)
    befores.append(before)
    afters.append(after.round().clip(0, 255).astype(np.uint8))

best = kd.fit(befores, afters, size=3)
errors = abs(best.kernel - truth) / best.standard_error
print(best.kernel.round(3))
print(f"condition number {best.condition:.0f}, {best.pixels} pixels")
print(f"error bars up to {best.standard_error.max():.1e}")
print(f"largest error {abs(best.kernel - truth).max():.1e}: {errors.max():.1f} error bars")
