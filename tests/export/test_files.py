"""Every file is opened again by the library that owns its format, and computes what it should."""

import io
import json

import numpy as np
import pytest
import safetensors.torch
import torch

from kernel_demo.errors import DemoError
from kernel_demo.export.compression import compress
from kernel_demo.export.files import (
    PRECISIONS,
    kernel_json,
    kernel_npy,
    model_onnx,
    model_safetensors,
)
from kernel_demo.imaging.filtering import MODES, pad
from kernel_demo.imaging.kernels import named

KERNEL = np.random.default_rng(2).normal(0, 0.3, (5, 5))
SIZES = [(5, 6), (33, 64), (120, 47)]


def by_torch(kernel, offset, border, picture, value=0.0):
    """PyTorch's own convolution of a padded picture (N, C, H, W)."""
    planes = picture.reshape(-1, *picture.shape[2:])
    radius = len(kernel) // 2
    padded = torch.from_numpy(np.stack([pad(plane, radius, border, value) for plane in planes]))
    weight = torch.from_numpy(kernel.astype(np.float32))[None, None]
    after = torch.nn.functional.conv2d(padded[:, None], weight) + offset
    return after.numpy().reshape(picture.shape)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("border", MODES)
def test_onnx_is_the_layer_with_its_border(border, precision):
    """onnxruntime gives what PyTorch gives, for three sizes, grey and colour, one and several.

    1e-5 of full scale: both add up 25 products in float32.
    """
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(model_onnx(KERNEL, 0.1, border, precision, 0.7))
    kernel = compress(KERNEL, precision).kernel
    for number, (height, width) in enumerate(SIZES):
        shape = (number + 1, 3 if number else 1, height, width)
        picture = np.random.default_rng(number).random(shape, np.float32)
        (after,) = session.run(["after"], {"before": picture})
        np.testing.assert_allclose(after, by_torch(kernel, 0.1, border, picture, 0.7), atol=1e-5)


def test_onnx_keeps_a_large_centre_weight():
    """An unsharp mask in 8 bits: its centre, stored by itself, is in the graph's result."""
    onnxruntime = pytest.importorskip("onnxruntime")
    unsharp = named("unsharp", 9).values
    session = onnxruntime.InferenceSession(model_onnx(unsharp, 0.0, "reflect", "int8"))
    picture = np.random.default_rng(0).random((1, 1, 40, 50), np.float32)
    (after,) = session.run(["after"], {"before": picture})
    kernel = compress(unsharp, "int8").kernel
    np.testing.assert_allclose(after, by_torch(kernel, 0.0, "reflect", picture), atol=1e-5)


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_safetensors_is_a_state_dict(precision):
    """torch.nn.Conv2d loads the file as it is, and then holds the kernel of that precision."""
    state = safetensors.torch.load(model_safetensors(KERNEL, 0.25, "wrap", precision))
    layer = torch.nn.Conv2d(1, 1, 5, dtype=getattr(torch, precision))
    layer.load_state_dict(state)
    weight = layer.weight[0, 0].detach().double().numpy()
    np.testing.assert_array_equal(weight, compress(KERNEL, precision).kernel)
    assert layer.bias.item() == 0.25


@pytest.mark.parametrize("kernel", [KERNEL, named("unsharp", 9).values])
def test_safetensors_in_8_bits_is_integers_and_a_scale(kernel):
    """weight * scale, and centre in the middle, is the kernel that compress() promises."""
    state = safetensors.torch.load(model_safetensors(kernel, 0.0, "zero", "int8"))
    assert state["weight"].dtype == torch.int8
    restored = (state["weight"][0, 0].double() * state["scale"].double()).numpy()
    restored[len(kernel) // 2, len(kernel) // 2] += state["centre"].double().item()
    np.testing.assert_array_equal(restored, compress(kernel, "int8").kernel)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_kernel_that_lies_across_memory_is_saved_too(precision):
    """Sobel y is Sobel x transposed: its rows are no rows in memory, and yet in the file."""
    kernel = named("sobel_y").values.T.copy().T
    state = safetensors.torch.load(model_safetensors(kernel, precision=precision))
    scale = state.get("scale", torch.ones(1)).double()
    np.testing.assert_array_equal((state["weight"][0, 0].double() * scale).numpy(), kernel)


def test_safetensors_tells_the_border(tmp_path):
    """The border, which no weight holds, is in the file's metadata, and the value around."""
    (tmp_path / "model.safetensors").write_bytes(model_safetensors(KERNEL, border="symmetric"))
    with safetensors.safe_open(tmp_path / "model.safetensors", "pt") as file:
        assert file.metadata()["border"] == "symmetric"
        assert file.metadata()["padding"] == "2"
        assert "border_value" not in file.metadata()
    for precision in ("float32", "int8"):
        (tmp_path / "model.safetensors").write_bytes(
            model_safetensors(KERNEL, border="constant", precision=precision, value=0.5)
        )
        with safetensors.safe_open(tmp_path / "model.safetensors", "pt") as file:
            assert file.metadata()["border_value"] == "0.5"
    assert json.loads(kernel_json(KERNEL, border="constant", value=0.5))["border_value"] == 0.5


def test_json_and_npy_lose_nothing():
    """Both give back the same float64 kernel, bit for bit."""
    record = json.loads(kernel_json(KERNEL, 0.5, "wrap", "mine"))
    np.testing.assert_array_equal(np.array(record["kernel"]), KERNEL)
    assert (record["offset"], record["border"], record["size"]) == (0.5, "wrap", 5)
    np.testing.assert_array_equal(np.load(io.BytesIO(kernel_npy(KERNEL))), KERNEL)


@pytest.mark.parametrize("write", [model_onnx, model_safetensors])
@pytest.mark.parametrize(("border", "precision"), [("mirror", "float32"), ("zero", "float8")])
def test_an_unknown_choice_is_told(write, border, precision):
    """Another border or precision raises DemoError."""
    with pytest.raises(DemoError):
        write(KERNEL, 0.0, border, precision)
