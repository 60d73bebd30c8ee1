"""Learn Sobel from the bundled photos, step by step: python examples/01_learn_sobel.py"""

import sys
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).parents[1]))

import kernel_demo as kd

folder = Path(__file__).parent
befores = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in folder.glob("*.jpg")]
afters = [kd.apply(before, "sobel_x") for before in befores]

for progress in kd.learn(befores, afters, size=3, truth=kd.kernel("sobel_x")):
    print(f"step {progress.step:3}  loss {progress.loss:.1e}  error {progress.kernel_error:.1e}")
print(progress.stopped_because)
print(progress.kernel.round(6))
