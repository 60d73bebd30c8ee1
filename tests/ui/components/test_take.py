"""The card "Take it with you": what its links and its code hold."""

import base64
import io
import json

import numpy as np
import onnxruntime
import pytest
import safetensors.torch

from kernel_demo.imaging.filtering import correlate
from kernel_demo.imaging.kernels import random
from kernel_demo.ui.components import take
from kernel_demo.ui.components.take import Taken

KERNEL = random(5, seed=3).values


def held(value: dict, name: str) -> bytes:
    """The bytes of the file of that name."""
    links = [link for group in value["files"] for link in group["links"]]
    (url,) = (link["url"] for link in links if link["name"] == name)
    return base64.b64decode(url.partition(",")[2])


def test_every_file_is_the_kernel():
    """JSON, .npy, safetensors and ONNX hold the kernel, the offset and the border."""
    value = take.value(Taken(KERNEL, 0.25, "wrap", "Find me"))
    record = json.loads(held(value, "find_me.json"))
    assert record["kernel"] == KERNEL.tolist()
    assert (record["offset"], record["border"]) == (0.25, "wrap")
    assert np.array_equal(np.load(io.BytesIO(held(value, "find_me.npy"))), KERNEL)
    tensors = safetensors.torch.load(held(value, "find_me_float32.safetensors"))
    assert np.array_equal(tensors["weight"][0, 0].numpy(), KERNEL.astype(np.float32))
    picture = np.random.default_rng(1).random((1, 1, 20, 30), np.float32)
    session = onnxruntime.InferenceSession(held(value, "find_me_float32.onnx"))
    (got,) = session.run(None, {"before": picture})
    # float32 sums of 25 products
    np.testing.assert_allclose(got[0, 0], correlate(picture[0, 0], KERNEL, "wrap", 0.25), atol=1e-5)


def test_nine_tools_each_with_code_or_a_reason():
    """The tools in their order; one that cannot says why."""
    made = take.value(Taken(KERNEL))["snippets"]
    assert [snippet["tool"] for snippet in made][:3] == ["OpenCV", "NumPy/SciPy", "PyTorch"]
    assert len(made) == 9
    assert all(snippet["code"] or snippet["note"] for snippet in made)


@pytest.mark.parametrize("border", ["copied", "black"])
def test_edges_that_no_tool_has_become_reflect(border):
    """A tool that leaves its edges alone is continued by reflection."""
    value = take.value(Taken(KERNEL, border=border))
    assert json.loads(held(value, "kernel.json"))["border"] == "reflect"


def test_a_kernel_of_one_pixel_can_be_taken():
    """The identity found as 1 x 1 is given as 3 x 3: no tool takes less."""
    value = take.value(Taken(np.ones((1, 1))))
    assert json.loads(held(value, "kernel.json"))["size"] == 3


def test_the_report_goes_along():
    """Where there is more to tell than the kernel, it is a file too."""
    value = take.value(Taken(KERNEL, report=b'{"verdict": "convolution"}'))
    assert json.loads(held(value, "kernel_report.json"))["verdict"] == "convolution"
