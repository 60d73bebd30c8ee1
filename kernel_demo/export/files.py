"""The learned kernel as a file: JSON, .npy, safetensors and ONNX, each as bytes.

after = kernel (correlated) before + offset, with pictures in 0..1, and so is the `value` that the
border mode CONSTANT puts around. In safetensors and ONNX the kernel may be stored in fewer bytes;
what the file then computes is compress(kernel, precision).
"""

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from kernel_demo.errors import one_of
from kernel_demo.export.compression import compress
from kernel_demo.imaging.filtering import CONSTANT, border_named
from kernel_demo.imaging.kernels import check
from kernel_demo.learning.late import Late, torch

if TYPE_CHECKING:
    import onnx
else:
    onnx = Late("onnx")

PRECISIONS = ("float32", "float16", "int8")
_CONVENTION = "correlation: after[y, x] = sum kernel[i, j] * before[y + i - r, x + j - r] + offset"

# Opset 19 is the first in which Pad can wrap; version 9 of the format is the one that came with it.
_FRAME = """
<ir_version: 9, opset_import: ["": 19], producer_name: "kernel_demo">
kernel_demo (float[batch, channels, height, width] before)
    => (float[batch, channels, height, width] after) {}
"""
_PAD_MODES = {
    "zero": "constant", "replicate": "edge", "reflect": "reflect", "wrap": "wrap",
    CONSTANT: "constant",
}  # fmt: skip
_TO_THE_START = np.iinfo(np.int64).min  # what Slice takes for "down to and including the first"


def kernel_json(
    kernel: np.ndarray,
    offset: float = 0.0,
    border: str = "reflect",
    name: str = "",
    value: float = 0.0,
) -> bytes:
    """The kernel (k, k) with all digits, as UTF-8 JSON; "kernel" is what every endpoint takes."""
    values = check(kernel)
    record = {
        "name": name,
        "size": len(values),
        "kernel": values.tolist(),
        "offset": float(offset),
        **_edges(border, value),
        "convention": _CONVENTION,
    }
    return json.dumps(record, indent=2).encode()


def _edges(border: str, value: float) -> dict[str, str | float]:
    """The border mode as a file tells it, with the value around under CONSTANT."""
    mode = border_named(border).name
    return {"border": mode} | ({"border_value": float(value)} if mode == CONSTANT else {})


def kernel_npy(kernel: np.ndarray) -> bytes:
    """The kernel alone (k, k), float64, as numpy.load reads it."""
    buffer = io.BytesIO()
    np.save(buffer, check(kernel), allow_pickle=False)
    return buffer.getvalue()


def model_safetensors(
    kernel: np.ndarray,
    offset: float = 0.0,
    border: str = "reflect",
    precision: str = "float32",
    value: float = 0.0,
) -> bytes:
    """The layer as safetensors: `weight` (1, 1, k, k) and `bias` (1,).

    In the float precisions it is the state_dict of torch.nn.Conv2d(1, 1, k). In int8 the kernel is
    `weight` (whole numbers) times `scale` (1,), with `centre` (1,) added to its middle. The border,
    which a layer's weights do not hold, is in the metadata.
    """
    from safetensors.torch import save  # which imports torch

    stored = compress(kernel, one_of("a precision", precision, PRECISIONS)).stored
    size = len(stored[0])
    kind = torch.int8 if precision == "int8" else getattr(torch, precision)
    number = torch.float32 if precision == "int8" else kind
    tensors = {
        "weight": torch.from_numpy(stored[0]).to(kind).reshape(1, 1, size, size).contiguous(),
        "bias": torch.tensor([offset], dtype=number),
    }
    if precision == "int8":
        for name, part in zip(("scale", "centre"), stored[1:], strict=True):
            tensors[name] = torch.tensor([float(part)], dtype=number)
    metadata = {
        "format": "pt",
        **{key: str(told) for key, told in _edges(border, value).items()},
        "padding": str(size // 2),
        "convention": _CONVENTION,
    }
    return save(tensors, metadata)


def model_onnx(
    kernel: np.ndarray,
    offset: float = 0.0,
    border: str = "reflect",
    precision: str = "float32",
    value: float = 0.0,
) -> bytes:
    """The layer with its border as ONNX: `before` (N, C, H, W) float32 in 0..1 -> `after`, alike.

    N, C, H and W are free; every channel is filtered alike; nothing is clipped. The arithmetic is
    float32 whatever the precision, in which only the weights are stored. Height and width must
    exceed the radius, or be at least it for wrap and symmetric: ONNX reflects only once.
    """
    stored = compress(kernel, one_of("a precision", precision, PRECISIONS)).stored
    graph = _Graph()
    shape = graph.add("Shape", "before")
    sides = graph.add("Slice", shape, graph.constant([2]), graph.constant([4]))
    planes = graph.add("Concat", graph.constant([-1, 1]), sides, axis=0)
    picture = graph.add("Reshape", "before", planes)  # (N C, 1, H, W)
    padded = _pad(graph, picture, len(stored[0]) // 2, border_named(border).name, value)
    weight = _weight(graph, stored, precision)
    after = graph.add("Conv", padded, weight, graph.constant(np.array([offset], np.float32)))
    if precision == "int8" and stored[2]:
        # A centre weight that is stored by itself adds its share of `before` to the result.
        share = graph.add("Mul", picture, graph.constant(np.array([stored[2]], np.float32)))
        after = graph.add("Add", after, share)
    graph.add("Reshape", after, shape, output="after")
    return graph.model()


class _Graph:
    """Collects nodes and constants; each method adds one step and returns its output's name."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: np.ndarray | list[int]) -> str:
        name = f"constant_{len(self.constants)}"
        array = np.array(value, np.int64) if isinstance(value, list) else value
        self.constants.append(onnx.numpy_helper.from_array(array, name))
        return name

    def add(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def strip(self, picture: str, axis: int, start: int, end: int) -> str:
        """picture[start:end:-1] along an axis: a mirrored strip."""
        ends = [self.constant([value]) for value in (start, end, axis, -1)]
        return self.add("Slice", picture, *ends)

    def model(self) -> bytes:
        """The whole model, checked."""
        model = onnx.parser.parse_model(_FRAME)
        model.graph.node.extend(self.nodes)
        model.graph.initializer.extend(self.constants)
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString()


def _weight(graph: _Graph, stored: tuple[np.ndarray, ...], precision: str) -> str:
    """The weights (1, 1, k, k) as float32, from how they are stored."""
    values = stored[0][None, None]
    if precision == "int8":
        scale = graph.constant(np.asarray(stored[1], np.float32))
        return graph.add("DequantizeLinear", graph.constant(values), scale)
    if precision == "float16":
        return graph.add(
            "Cast", graph.constant(values.astype(np.float16)), to=onnx.TensorProto.FLOAT
        )
    return graph.constant(values)


def _pad(graph: _Graph, picture: str, radius: int, border: str, value: float) -> str:
    if border in _PAD_MODES:
        widths = graph.constant([0, 0, radius, radius] * 2)
        around = [graph.constant(np.array(value, np.float32))] if border == CONSTANT else []
        return graph.add("Pad", picture, widths, *around, mode=_PAD_MODES[border])
    # ONNX has no symmetric: the outermost pixels, mirrored, are joined on.
    for axis in (2, 3):
        first = graph.strip(picture, axis, radius - 1, _TO_THE_START)
        last = graph.strip(picture, axis, -1, -radius - 1)
        picture = graph.add("Concat", first, picture, last, axis=axis)
    return picture
