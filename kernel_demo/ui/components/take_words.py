"""What the card "Take it with you" says."""

from kernel_demo.imaging.filtering import BORDERS
from kernel_demo.numbers import at_most

TITLE = "Take it with you"
CODE = "Code to use it"
TOOLS = "Tool"
COPY = "Copy"
COPIED = "Copied"
KERNEL = "Kernel"
MODEL = "safetensors"
GRAPH = "ONNX"
PRECISIONS = {"float32": "float32", "float16": "float16", "int8": "8-bit"}
CANNOT = "not by this tool"


def about(border: str, int8_error: float, float16_error: float) -> str:
    """One line under the files: the border that they use, and what smaller numbers cost."""
    label = BORDERS[border].label.lower()
    if not int8_error and not float16_error:
        return f"Edges: {label}. Every precision stores these weights exactly."
    return (
        f"Edges: {label}. Stored as float16, a weight is off by at most {at_most(float16_error)}; "
        f"in 8 bits by at most {at_most(int8_error)}."
    )


def file_size(count: int) -> str:
    """312 bytes, 1.4 KB."""
    return f"{count} bytes" if count < 1000 else f"{count / 1000:.1f} KB"
