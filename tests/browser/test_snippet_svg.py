"""The SVG snippet, drawn by a real Chromium."""

import cv2
import numpy as np
import pytest

from kernel_demo.export.code import snippets
from kernel_demo.imaging.filtering import correlate


@pytest.fixture
def draw(chromium):
    """draw(svg file, height, width) -> what Chromium shows of it, uint8 H x W x 3."""
    page = chromium.new_page(device_scale_factor=1)

    def screenshot(path, height, width):
        page.goto(path.as_uri())
        clip = {"x": 0, "y": 0, "width": width, "height": height}
        pixels = np.frombuffer(page.screenshot(clip=clip), np.uint8)
        return cv2.imdecode(pixels, cv2.IMREAD_COLOR)[:, :, ::-1]

    yield screenshot
    page.close()


@pytest.mark.parametrize(
    ("size", "offset", "border"),
    [(3, 0.0, "zero"), (3, 0.1, "replicate"), (5, -0.1, "reflect"), (15, 0.0, "wrap")],
)
def test_chromium_makes_the_after_picture(size, offset, border, draw, tmp_path):
    """Unflipped, sRGB, with SVG's three borders exact, and any other right in the interior."""
    random = np.random.default_rng(size)
    kernel = random.normal(0, 0.5 / size, (size, size)) + 1 / size**2
    before = random.integers(0, 256, (40, 61, 3), np.uint8)
    before = cv2.GaussianBlur(before, (0, 0), 1)
    cv2.imwrite(str(tmp_path / "before.png"), before[:, :, ::-1])
    (snippet,) = (one for one in snippets(kernel, offset, border) if one.tool == "SVG")
    (tmp_path / "filter.svg").write_text(snippet.code)
    after = draw(tmp_path / "filter.svg", *before.shape[:2]).astype(float)
    expected = np.clip(correlate(before.astype(float), kernel, border, 255 * offset), 0, 255)
    inner = slice(size // 2, -(size // 2)) if border == "reflect" else slice(None)
    assert np.abs(after - expected)[inner, inner].max() <= 1.0
