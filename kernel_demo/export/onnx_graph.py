"""The layer and its border as an ONNX graph.

before (N, C, H, W) -> (N C, 1, H, W) -> padded by the border -> Conv -> (N, C, H, W) after

A centre weight that is stored by itself (compression.py) adds its share of `before` to the result.
"""

import numpy as np
import onnx
from onnx import TensorProto, checker, helper, numpy_helper

# Opset 19 is the first in which Pad can wrap; version 9 of the format is the one that came with it.
OPSET = 19
IR_VERSION = 9
_PAD_MODES = {"zero": "constant", "replicate": "edge", "reflect": "reflect", "wrap": "wrap"}
_TO_THE_START = np.iinfo(np.int64).min  # what Slice takes for "down to and including the first"


class _Graph:
    """Collects nodes and constants; each method adds one step and returns its output's name."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: np.ndarray | list[int]) -> str:
        name = f"constant_{len(self.constants)}"
        array = np.array(value, np.int64) if isinstance(value, list) else value
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, kind: str, *inputs: str, output: str = "", **attributes) -> str:
        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def strip(self, picture: str, axis: int, start: int, end: int) -> str:
        """picture[start:end:-1] along an axis: a mirrored strip."""
        ends = [self.constant([value]) for value in (start, end, axis, -1)]
        return self.add("Slice", picture, *ends)


def graph_bytes(
    stored: tuple[np.ndarray, ...], offset: float, border: str, precision: str
) -> bytes:
    """The whole model. stored: Compressed.stored of a float kind or of int8."""
    graph = _Graph()
    radius = len(stored[0]) // 2
    shape = graph.add("Shape", "before")
    sides = graph.add("Slice", shape, graph.constant([2]), graph.constant([4]))
    planes = graph.add("Concat", graph.constant([-1, 1]), sides, axis=0)
    picture = graph.add("Reshape", "before", planes)
    padded = _pad(graph, picture, radius, border)
    weight = _weight(graph, stored, precision)
    bias = graph.constant(np.array([offset], np.float32))
    filtered = graph.add("Conv", padded, weight, bias)
    centre = float(stored[2]) if precision == "int8" else 0.0
    if centre:
        share = graph.add("Mul", picture, graph.constant(np.array([centre], np.float32)))
        filtered = graph.add("Add", filtered, share)
    graph.add("Reshape", filtered, shape, output="after")

    sides = ["batch", "channels", "height", "width"]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "kernel_demo",
            [helper.make_tensor_value_info("before", TensorProto.FLOAT, sides)],
            [helper.make_tensor_value_info("after", TensorProto.FLOAT, sides)],
            graph.constants,
        ),
        producer_name="kernel_demo",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    checker.check_model(model, full_check=True)
    return model.SerializeToString()


def _weight(graph: _Graph, stored: tuple[np.ndarray, ...], precision: str) -> str:
    """The weights (1, 1, k, k) as float32, from how they are stored."""
    values = stored[0][None, None]
    if precision == "int8":
        scale = graph.constant(np.asarray(stored[1], np.float32))
        return graph.add("DequantizeLinear", graph.constant(values), scale)
    if precision == "float16":
        return graph.add("Cast", graph.constant(values.astype(np.float16)), to=TensorProto.FLOAT)
    return graph.constant(values)


def _pad(graph: _Graph, picture: str, radius: int, border: str) -> str:
    if border in _PAD_MODES:
        widths = graph.constant([0, 0, radius, radius] * 2)
        return graph.add("Pad", picture, widths, mode=_PAD_MODES[border])
    # ONNX has no symmetric: the outermost pixels, mirrored, are joined on.
    for axis in (2, 3):
        first = graph.strip(picture, axis, radius - 1, _TO_THE_START)
        last = graph.strip(picture, axis, -1, -radius - 1)
        picture = graph.add("Concat", first, picture, last, axis=axis)
    return picture
