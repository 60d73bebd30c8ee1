"""The learned kernel as a file: JSON, .npy, safetensors and ONNX, each as bytes.

after = kernel (correlated) before + offset, with pictures in 0..1. In safetensors and ONNX the
kernel may be stored in fewer bytes; what the file then computes is compress(kernel, precision).
"""

import io
import json

import numpy as np
import safetensors.torch
import torch

from kernel_demo.errors import DemoError
from kernel_demo.export.compression import compress
from kernel_demo.imaging.filtering import border_named
from kernel_demo.imaging.kernels import check

PRECISIONS = ("float32", "float16", "int8")
CONVENTION = "correlation: after[y, x] = sum kernel[i, j] * before[y + i - r, x + j - r] + offset"


def kernel_json(
    kernel: np.ndarray, offset: float = 0.0, border: str = "reflect", name: str = ""
) -> bytes:
    """The kernel (k, k) with all digits, as UTF-8 JSON; "kernel" is what every endpoint takes."""
    values = check(kernel)
    record = {
        "name": name,
        "size": len(values),
        "kernel": values.tolist(),
        "offset": float(offset),
        "border": border_named(border).name,
        "convention": CONVENTION,
    }
    return json.dumps(record, indent=2).encode()


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
) -> bytes:
    """The layer as safetensors: `weight` (1, 1, k, k) and `bias` (1,).

    In the float precisions it is the state_dict of torch.nn.Conv2d(1, 1, k). In int8 the kernel is
    `weight` (whole numbers) times `scale` (1,), with `centre` (1,) added to its middle. The border,
    which a layer's weights do not hold, is in the metadata.
    """
    stored = compress(kernel, _checked(precision)).stored
    size = len(stored[0])
    kind = torch.int8 if precision == "int8" else getattr(torch, precision)
    number = torch.float32 if precision == "int8" else kind
    tensors = {
        "weight": torch.from_numpy(stored[0]).to(kind).reshape(1, 1, size, size),
        "bias": torch.tensor([offset], dtype=number),
    }
    if precision == "int8":
        for name, value in zip(("scale", "centre"), stored[1:], strict=True):
            tensors[name] = torch.tensor([float(value)], dtype=number)
    metadata = {
        "format": "pt",
        "border": border_named(border).name,
        "padding": str(size // 2),
        "convention": CONVENTION,
    }
    return safetensors.torch.save(tensors, metadata)


def model_onnx(
    kernel: np.ndarray,
    offset: float = 0.0,
    border: str = "reflect",
    precision: str = "float32",
) -> bytes:
    """The layer with its border as ONNX: `before` (N, C, H, W) float32 in 0..1 -> `after`, alike.

    N, C, H and W are free; every channel is filtered alike; nothing is clipped. The arithmetic is
    float32 whatever the precision, in which only the weights are stored. Height and width must
    exceed the radius, or be at least it for wrap and symmetric: ONNX reflects only once.
    """
    # Half a second to import, for a file that few visitors ask for; nothing else needs onnx.
    from kernel_demo.export.onnx_graph import graph_bytes

    stored = compress(kernel, _checked(precision)).stored
    return graph_bytes(stored, float(offset), border_named(border).name, precision)


def _checked(precision: str) -> str:
    if precision not in PRECISIONS:
        choices = ", ".join(PRECISIONS)
        raise DemoError(f"a precision ({choices})", repr(precision)[:60], "Choose one of these.")
    return precision
