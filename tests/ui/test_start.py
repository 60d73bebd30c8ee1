"""What a start of the page does without, so that it is there soon."""

import subprocess
import sys
from pathlib import Path

import pytest

from kernel_demo.learning.devices import GPU_NODES

ROOT = Path(__file__).parents[2]
STARTED = """
import ast
import sys

from kernel_demo.ui.serving import unused

unused.leave_out(mcp=True)

parsed, parse = [], ast.parse
ast.parse = lambda *given, **how: parsed.append(given) or parse(*given, **how)
from kernel_demo.ui import layout

in_import = len(parsed)
page = layout.build()
assert any(part.get_block_name() == "html" for part in page.blocks.values())
print(in_import, *({"torch", "onnx", "datasets", "safetensors", "mcp.types"} & {*sys.modules}))
"""


@pytest.mark.tool
@pytest.mark.skipif(
    sys.platform != "linux" or any(Path(node).exists() for node in GPU_NODES),
    reason="which GPU there is only torch knows",
)
def test_the_page_is_made_without_torch():
    """On a machine without a GPU the whole page is built before torch, ONNX, datasets or MCP load.

    And gradio reads no source of its own components, which it parses twice each for their stubs.
    """
    told = subprocess.run(
        [sys.executable, "-c", STARTED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    count, *loaded = told.stdout.split()
    assert loaded == []
    assert int(count) < 20
