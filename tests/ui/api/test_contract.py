"""Calls as they were documented before the endpoints took more: names, places and answers stay."""

import json

import cv2
import httpx
import numpy as np
import pytest
from gradio_client import handle_file

from kernel_demo.sources import bundled

LEARNED = [
    "step", "loss", "validation_loss", "kernel_error", "kernel", "done", "stopped_because",
    "seconds", "device",
]  # fmt: skip
RECOVERED = [
    "verdict", "kernel", "size", "offset", "standard_error", "residual", "rounding_floor",
    "reproduced", "left_out", "used_fraction", "padding", "padding_value", "bit_exact", "white",
    "interval", "smallest_bound", "roundings", "coefficients", "alternative", "alternative_name",
    "code", "explanation",
]  # fmt: skip
SHARPEN = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]


def answers(address: str, endpoint: str, body) -> list:
    """What a call by curl streams: the data of each event, and the kind of the last."""
    posted = httpx.post(f"{address}gradio_api/call/{endpoint}", json=body, trust_env=False)
    assert posted.status_code == 200, posted.text
    url = f"{address}gradio_api/call/{endpoint.removeprefix('v2/')}/{posted.json()['event_id']}"
    told = httpx.get(url, timeout=120, trust_env=False).text
    lines = told.splitlines()
    last = [line for line in lines if line.startswith("event: ")][-1]
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ")] + [last[7:]]


@pytest.fixture
def pair(tmp_path):
    """Two files: a photo, and what OpenCV makes of it with SHARPEN."""
    photo = cv2.imread(str(bundled.FOLDER / "camera.jpg"), cv2.IMREAD_GRAYSCALE)[80:240, 120:300]
    paths = tmp_path / "before.png", tmp_path / "after.png"
    cv2.imwrite(str(paths[0]), photo)
    cv2.imwrite(str(paths[1]), cv2.filter2D(photo, -1, np.array(SHARPEN, float)))
    return paths


@pytest.fixture
def uploaded(address, pair) -> list[dict]:
    """The pair on the server, as a call by curl names it."""
    files = [("files", (path.name, path.read_bytes())) for path in pair]
    held = httpx.post(f"{address}gradio_api/upload", files=files, trust_env=False).json()
    return [{"path": path, "meta": {"_type": "gradio.FileData"}} for path in held]


def test_all_eight_places_of_learn(address):
    """The eight values that were all, in their places, and nothing else in the answer."""
    whole = ["[[0, 0, 0], [0, 0, 1], [0, 0, 0]]", 3, 0, "closed_form", 200, "bundled", 1, ""]
    *_, (last,), kind = answers(address, "learn", {"data": whole})
    assert kind == "complete"
    assert list(last) == LEARNED
    np.testing.assert_allclose(last["kernel"], [[0, 0, 0], [0, 0, 1], [0, 0, 0]], atol=1e-6)


def test_places_that_are_left_out_are_as_by_default(address):
    """A call by position that names a kernel alone learns it as the client's call does."""
    *_, (last,), kind = answers(address, "learn", {"data": ["sobel_y"]})
    assert kind == "complete"
    oracle = np.outer(*cv2.getDerivKernels(0, 1, 3)[::-1])
    np.testing.assert_allclose(last["kernel"], oracle, atol=1e-5)


def test_all_three_places_of_recover(address, uploaded):
    """Two files and a size, in their places; every key there was, and no other."""
    *_, (found,), kind = answers(address, "recover", {"data": [*uploaded, 5]})
    assert kind == "complete"
    assert list(found) == RECOVERED
    assert (found["verdict"], found["kernel"]) == ("convolution", SHARPEN)


def test_all_six_places_of_apply(address, uploaded, pair):
    """A file, a matrix, border, offsets and a value around: a file as OpenCV makes it."""
    call = [uploaded[0], SHARPEN, "reflect", 0.0, 0.0, 0.0]
    *_, (made,), kind = answers(address, "apply", {"data": call})
    assert kind == "complete"
    png = httpx.get(made["url"], trust_env=False).content
    got = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(got, cv2.imread(str(pair[1]), cv2.IMREAD_UNCHANGED))


def test_by_the_client(client, pair):
    """As the documentation says it: by position and by name, a matrix as text or as rows."""
    job = client.submit("sobel_x", api_name="/learn")
    last = job.result(timeout=120)
    assert list(last) == LEARNED
    last = client.predict("random", 5, 7, "closed_form", 10, "bundled", 2, "", api_name="/learn")
    assert len(last["kernel"]) == 5
    before, after = (handle_file(str(path)) for path in pair)
    paths = [
        client.predict(before, SHARPEN, api_name="/apply"),
        client.predict(before, json.dumps(SHARPEN), "reflect", 0.0, api_name="/apply"),
        client.predict(image=before, kernel=SHARPEN, padding="reflect", offset=0, offset_levels=0,
                       padding_value=0, api_name="/apply"),
    ]  # fmt: skip
    for path in paths:
        assert np.array_equal(cv2.imread(path), cv2.imread(str(pair[1])))
    found = client.predict(before, after, 5, api_name="/recover")
    assert list(found) == RECOVERED
