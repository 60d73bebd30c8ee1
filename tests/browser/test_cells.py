"""The grid of a kernel made by hand, by itself."""

import pytest

from kernel_demo.errors import DemoError
from kernel_demo.ui.components import kernel_editor

pytestmark = pytest.mark.browser

CELLS = [
    "−1",
    "1/9",
    "+.5e-3",
    "1 / 3",
    "0,5",
    "1000000",
    "abc",
    "",
    "1/0",
    "1/2/3",
    "--1",
    "1000001",
]


def refused(cell: str) -> bool:
    """By the server: of nine such cells, or of one among ones."""
    rows = [[cell.replace(",", "."), "1", "1"], ["1"] * 3, ["1"] * 3]
    try:
        kernel_editor.read({"rows": rows})
    except DemoError:
        return True
    return False


def test_what_cannot_be_used_is_marked(alone):
    """The very cells that are refused, as soon as they are left, and until they are mended."""
    grid = kernel_editor.component([[1.0] * 3] * 3, "editor")
    page = alone(grid, {"rows": [["1", "x", "1"], ["1"] * 3, ["1"] * 3]})
    wrong = page.locator("input[aria-invalid=true]")
    assert [box.get_attribute("aria-label") for box in wrong.all()] == ["row 1, column 2"]
    page.get_by_label("row 1, column 2").fill("2")
    page.keyboard.press("Tab")
    assert wrong.count() == 0
    marked = []
    for cell in CELLS:
        page.get_by_label("row 2, column 2").fill(cell)
        page.keyboard.press("Tab")
        marked.append(wrong.count())
    assert marked == [int(refused(cell)) for cell in CELLS]
