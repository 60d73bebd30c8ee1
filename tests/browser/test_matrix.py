"""A kernel as a table of coloured numbers, by itself: no server."""

import numpy as np
import pytest

from kernel_demo.ui import theme
from kernel_demo.ui.components import comparison, stage
from kernel_demo.ui.html import matrix
from kernel_demo.ui.questions import markup as question_markup
from tests.browser import stage_values

# The WCAG contrast of an element's ink on its ground, both as the browser paints them.
CONTRAST = """(elements) => {
  const context = new OffscreenCanvas(1, 1).getContext('2d');
  const luminance = (colour) => {
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const linear = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map((level) => {
      const c = level / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  return Math.min(...elements.map((element) => {
    const { color, opacity } = getComputedStyle(element);
    if (opacity !== '1') return 0;
    const behind = getComputedStyle(element.closest('span')).backgroundColor;
    const [dark, light] = [luminance(color), luminance(behind)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  }));
}"""


# Red, green and blue behind an element, and of a canvas at a place in shares of its size.
PAINTED = """(element) => {
  const context = new OffscreenCanvas(1, 1).getContext('2d');
  context.fillStyle = getComputedStyle(element).backgroundColor;
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
}"""
PIXEL = """(canvas, [x, y]) => [...canvas.getContext('2d')
  .getImageData(x * canvas.width, y * canvas.height, 1, 1).data].slice(0, 3)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_numbers_can_be_read_on_every_colour(page, scheme):
    """From the deepest blue to the deepest orange, error bars too: 4.5 to 1 or better."""
    css = theme.style()
    shades = np.linspace(-1, 1, 5 * 49).reshape(5, 7, 7)
    drawn = "".join(matrix(values, errors=np.abs(values) + 0.01, scale=1) for values in shades)
    drawn += question_markup.product(shades[0, 0], shades[4, 0], ("column", "row"))
    page.set_content(f"<!doctype html><style>{css}</style><body class={scheme}>{drawn}")
    cells = page.locator(".kd-matrix :is(span, small), .kd-vector span")
    assert cells.count() == 2 * 245 + 14
    assert cells.evaluate_all(CONTRAST) >= 4.5


def test_one_pair_of_colours(alone):
    """The ends of the scale are painted alike in a table, on the stage and in a picture."""
    ends = np.array([[-1.0, 0, 1], [0, 0, 0], [0, 0, 0]])
    picture = comparison.signed(ends, 1.0)[0, [0, 2]]
    first = stage_values.idle(ends)
    page = alone(stage.component("live", first), first)
    page.evaluate("(table) => document.body.insertAdjacentHTML('beforeend', table)", matrix(ends))
    cells = page.locator(".kd-matrix span")
    canvas = page.locator("[data-kernel=truth]")
    for end, index in zip(picture, (0, 2), strict=True):
        assert end[3] == 255
        drawn = cells.nth(index).evaluate(PAINTED)
        np.testing.assert_allclose(drawn, end[:3], atol=1)  # rounded after mixing
        drawn = canvas.evaluate(PIXEL, [(index + 0.5) / 3 - 0.1, 0.1])
        np.testing.assert_allclose(drawn, end[:3], atol=1)


@pytest.mark.parametrize(
    ("size", "caption", "told"),
    [
        (3, "red", "red: −0.5, 0, 0; 0, 1, 0; 0, 0, 1"),
        (3, "", "−0.5, 0, 0; 0, 1, 0; 0, 0, 1"),
        (9, "red", "red: entries from −0.5 to 1"),
        (9, "", "entries from −0.5 to 1"),
    ],
)
def test_it_is_read_out(page, size, caption, told):
    """Small ones number by number, large ones by their range; a caption comes first."""
    values = np.eye(size)
    values[0, 0] = -0.5
    page.set_content(matrix(values, caption=caption))
    assert page.get_by_role("img").get_attribute("aria-label") == told
