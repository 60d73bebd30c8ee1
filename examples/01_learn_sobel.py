"""Learn Sobel from the bundled photos, step by step: python examples/01_learn_sobel.py"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from kernel_demo.imaging import kernels
from kernel_demo.imaging.filtering import correlate, to_grey
from kernel_demo.learning import pairs
from kernel_demo.learning.model import SingleConv
from kernel_demo.learning.training import TrainSettings, train
from kernel_demo.sources import bundled

sobel = kernels.named("sobel_x").values
befores = [to_grey(photo.pixels) for photo in bundled.photos()]
afters = [correlate(before, sobel) for before in befores]

layer = SingleConv(size=3)
for progress in train(layer, pairs.build(befores, afters, size=3), TrainSettings(), truth=sobel):
    print(f"step {progress.step:3}  loss {progress.loss:.1e}  error {progress.kernel_error:.1e}")
print(progress.stopped_because)
print(layer.kernel().round(6))
