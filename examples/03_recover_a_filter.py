"""Which filter was it? Two files, one answer: python examples/03_recover_a_filter.py"""

import sys
from pathlib import Path

import cv2

sys.path.insert(0, str(Path(__file__).parents[1]))

import kernel_demo as kd

folder = Path(__file__).parent / "recover"
for tool in ("camera_emboss.png", "camera_smooth.jpg", "camera_edges.png"):
    before, after = (
        cv2.imread(str(folder / name), cv2.IMREAD_GRAYSCALE) for name in ("camera.png", tool)
    )
    found = kd.recover(before, after)
    print(f"{tool}: {found.verdict}. {found.explanation}")
    if found.kernel is not None:
        print(found.kernel[0, 0].round(4))
    print()
