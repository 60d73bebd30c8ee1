"""The endpoints, through gradio's own client: a script gets what the page gets."""

import json
import re

import cv2
import numpy as np
import pytest
from gradio_client import handle_file
from gradio_client.client import Endpoint
from gradio_client.exceptions import AppError

from kernel_demo.errors import DemoError
from kernel_demo.imaging.kernels import named, random
from kernel_demo.sources import bundled, hub

IDENTITY = named("identity").values.tolist()
KEYS = {
    "step",
    "loss",
    "validation_loss",
    "kernel_error",
    "kernel",
    "done",
    "stopped_because",
    "seconds",
    "device",
}


@pytest.fixture
def picture(tmp_path):
    """A colour picture of 41 x 57 pixels as a PNG file, and its pixels (RGB)."""
    pixels = np.random.default_rng(5).integers(0, 256, (41, 57, 3)).astype(np.uint8)
    path = tmp_path / "picture.png"
    cv2.imwrite(str(path), pixels[..., ::-1])
    return handle_file(str(path)), pixels


def learn(client, **arguments) -> list[dict]:
    job = client.submit(api_name="/learn", **arguments)
    job.result(timeout=120)
    return job.outputs()


def test_learn_streams_and_ends_with_sobel(client):
    """The defaults learn Sobel x; the contract's keys are in every item; the end says why."""
    items = learn(client, images=2)
    assert all(set(item) == KEYS for item in items)
    assert items[0]["step"] == 0
    assert not items[0]["done"]
    assert items[-1]["done"]
    assert items[-1]["stopped_because"]
    oracle = np.outer(*cv2.getDerivKernels(1, 0, 3)[::-1])
    np.testing.assert_allclose(items[-1]["kernel"], oracle, atol=1e-5)


@pytest.mark.parametrize("method", ["exact", "closed_form"])
def test_the_exact_sums_recover_to_the_last_digits(client, method):
    """By the sums of all pixels the kernel comes back to 1e-7: float32 pictures carry no more."""
    last = learn(client, images=2, method=method)[-1]
    assert last["done"]
    assert last["kernel_error"] < 1e-7


def test_a_dataset_that_cannot_be_had_is_an_error(client, monkeypatch):
    """A script is told; it does not learn from other pictures unawares."""

    def silent(*_, **__):
        raise DemoError("an answer of the Hub", "none", "Try again later.")

    monkeypatch.setattr(hub, "load", silent)
    with pytest.raises(AppError, match="an answer of the Hub"):
        learn(client, source="hub", dataset_id="owner/name")


@pytest.mark.parametrize("method", ["adam", "sgd"])
def test_other_methods_run_for_the_steps_they_are_given(client, method):
    """Adam and SGD are there too, and stop at the last step at the latest."""
    last = learn(client, images=1, method=method, steps=5)[-1]
    assert last["step"] <= 5
    assert last["done"]


def test_a_matrix_brings_its_own_size(client):
    """A JSON matrix is learned as it is; `size` does not matter then."""
    matrix = random(5, seed=9).values
    last = learn(client, kernel=json.dumps(matrix.tolist()), size=3, images=2)[-1]
    np.testing.assert_allclose(last["kernel"], matrix, atol=1e-5)


def test_every_seed_of_the_page_is_one_of_a_script(client):
    """The largest seed that Random takes makes the same kernel here."""
    last = learn(client, kernel="random", seed=2**32 - 1, method="closed_form", images=1)[-1]
    np.testing.assert_allclose(last["kernel"], random(3, 2**32 - 1).values, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"kernel": "no_such"}, "no_such"),
        ({"kernel": "random", "size": 4}, "odd"),
        ({"kernel": "[[1, 2], [3, 4]]"}, "odd"),
        ({"kernel": "[[1, 2, 3], [4, 5], [6, 7, 8]]"}, "row"),
        ({"kernel": "[[1, 2, NaN], [4, 5, 6], [6, 7, 8]]"}, "(?i)nan"),
        ({"size": 99}, "size"),
        ({"steps": 0}, "steps"),
        ({"steps": 10**9}, "steps"),
        ({"steps": "many"}, "steps"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"images": 10**6}, "images"),
        ({"images": 9}, "from 1 to 8"),
        ({"method": "magic"}, "magic"),
        ({"source": "/etc/passwd"}, "source"),
    ],
)
def test_learn_refuses_in_one_sentence(client, arguments, words):
    """Out of range, unknown or malformed: expected, got, what to do; no traceback, no path."""
    with pytest.raises(AppError, match=words) as caught:
        learn(client, **arguments)
    assert "Expected" in str(caught.value)
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize("padding", ["zero", "replicate", "reflect", "symmetric"])
def test_apply_is_opencv(client, picture, padding):
    """Each channel is what cv2.filter2D makes of it, rounded and clipped, with the same border."""
    borders = {
        "zero": cv2.BORDER_CONSTANT,
        "replicate": cv2.BORDER_REPLICATE,
        "reflect": cv2.BORDER_REFLECT_101,
        "symmetric": cv2.BORDER_REFLECT,
    }
    file, pixels = picture
    kernel = named("sharpen").values
    path = client.predict(file, kernel.tolist(), padding, 0.0, api_name="/apply")
    got = cv2.imread(path)[..., ::-1]
    oracle = cv2.filter2D(pixels, -1, kernel, borderType=borders[padding])
    assert np.array_equal(got, oracle)


def test_apply_adds_the_offset(client, picture):
    """An offset of 1 makes everything white, as 1 is white."""
    file, _ = picture
    path = client.predict(file, named("identity").values.tolist(), "wrap", 1.0, api_name="/apply")
    assert (cv2.imread(path) == 255).all()


def test_offsets_in_levels_and_of_white_add_up(client, picture):
    """51 levels and a fifth of white are 102 levels."""
    file, pixels = picture
    path = client.predict(file, IDENTITY, offset=0.2, offset_levels=51, api_name="/apply")
    assert np.array_equal(cv2.imread(path)[..., ::-1], cv2.add(pixels, (102,) * 3))


def test_halves_are_rounded_up(client, picture):
    """Where a sum ends in one half, the next level is meant: of every pixel, in every channel."""
    file, pixels = picture
    kernel = np.zeros((3, 3))
    kernel[1, 1], kernel[1, 2] = 1.25, -0.75  # quarters: every fourth sum ends in a half
    path = client.predict(file, kernel.tolist(), api_name="/apply")
    sums = cv2.filter2D(pixels.astype(float), -1, kernel)
    assert (np.mod(sums, 1) == 0.5).mean() > 0.2
    oracle = np.floor(np.clip(sums, 0, 255) + 0.5).astype(np.uint8)
    assert np.array_equal(cv2.imread(path)[..., ::-1], oracle)


EMBOSS = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], float)


@pytest.mark.parametrize(("depth", "white"), [(np.uint8, 255), (np.uint16, 65535)])
def test_what_recover_answers_is_what_apply_takes(client, tmp_path, depth, white):
    """OpenCV's emboss with a grey of 128: recovered, and applied again it is OpenCV's picture."""
    before = cv2.imread(str(bundled.FOLDER / "camera.jpg"), cv2.IMREAD_GRAYSCALE)[80:240, 120:300]
    before = before.astype(depth) * (white // 255)
    delta = 128 * (white // 255)
    after = cv2.filter2D(before, -1, EMBOSS, delta=delta, borderType=cv2.BORDER_REFLECT_101)
    files = []
    for name, values in (("before.png", before), ("after.png", after)):
        cv2.imwrite(str(tmp_path / name), values)
        files.append(handle_file(str(tmp_path / name)))
    found = client.predict(*files, 5, api_name="/recover")
    assert (found["white"], found["padding"], found["bit_exact"]) == (white, "reflect", True)
    assert found["offset"] == pytest.approx(delta)
    low, high = found["interval"]["low"], found["interval"]["high"]
    assert ((np.array(low) <= found["kernel"]) & (found["kernel"] <= np.array(high))).all()
    assert found["smallest_bound"] <= 0.501
    levels = 255 * found["offset"] / found["white"]
    path = client.predict(
        files[0], found["kernel"], found["padding"], offset_levels=levels, api_name="/apply"
    )
    eight_bit = np.rint(after / (white // 255)).astype(np.uint8)
    assert np.array_equal(cv2.imread(path, cv2.IMREAD_UNCHANGED), eight_bit)


HOSTILE = {
    "a path": "/srv/secret/../../etc/passwd",
    "markup": "<img src=x onerror=alert(1)>.png",
    "lines": "a\r\nSet-Cookie: b\x00\x1b[31m.png",
    "thousands": "x" * 5000 + ".png",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("endpoint", ["/apply", "/recover"])
def test_a_clients_name_for_a_file_is_cleaned(client, monkeypatch, tmp_path, endpoint, name):
    """What a client calls its file is told as the page would: no folder, no markup, no novel."""
    upload = Endpoint._upload_file
    monkeypatch.setattr(
        Endpoint,
        "_upload_file",
        lambda *a, **more: {**upload(*a, **more), "orig_name": HOSTILE[name]},
    )
    path = tmp_path / "note.png"
    path.write_text("not a picture")
    file = handle_file(str(path))
    arguments = (file, IDENTITY) if endpoint == "/apply" else (file, file)
    with pytest.raises(AppError, match="which is no picture or is damaged") as caught:
        client.predict(*arguments, api_name=endpoint)
    told = re.search("“(.*)”", str(caught.value), re.DOTALL)[1]
    assert 0 < len(told) <= 60
    assert not set(told) & set('/\\<>:[{"\r\n\0\x1b')


@pytest.mark.parametrize("file", [None, "<b>", {"path": 7, "orig_name": "<b>"}, 3])
@pytest.mark.parametrize("endpoint", ["/apply", "/recover"])
def test_what_is_no_file_gets_a_sentence(client, endpoint, file):
    """A client is told to upload a picture, in our words alone."""
    arguments = (file, IDENTITY) if endpoint == "/apply" else (file, file)
    with pytest.raises(AppError, match="Expected a picture file.*Upload one.") as caught:
        client.predict(*arguments, api_name=endpoint)
    assert "<" not in str(caught.value)


@pytest.mark.parametrize("levels", [25_501, -25_501, True, "many", None])
def test_offset_levels_have_bounds(client, picture, levels):
    """A hundred times white at most, and a number: one sentence names both."""
    with pytest.raises(AppError, match="offset_levels as a number from -25500 to 25500; got "):
        client.predict(picture[0], IDENTITY, offset_levels=levels, api_name="/apply")


@pytest.mark.parametrize(
    ("kernel", "padding", "offset", "words"),
    [
        ([[1, 2], [3, 4]], "reflect", 0.0, "odd"),
        ([], "reflect", 0.0, "matrix"),
        ([[0, 0, 0], [0, "x", 0], [0, 0, 0]], "reflect", 0.0, "number"),
        ([[0, 0, 0], [0, 1, 0], [0, 0, 0]], "mirror", 0.0, "mirror"),
        ([[0, 0, 0], [0, 1, 0], [0, 0, 0]], "reflect", 1e9, "offset"),
    ],
)
def test_apply_refuses_in_one_sentence(client, picture, kernel, padding, offset, words):
    """A kernel, padding or offset that cannot be used is named."""
    with pytest.raises(AppError, match=f"(?i){words}"):
        client.predict(picture[0], kernel, padding, offset, api_name="/apply")


def test_apply_refuses_what_is_no_picture(client, tmp_path):
    """A text file gets a sentence without its path on the server."""
    path = tmp_path / "note.png"
    path.write_text("not a picture")
    with pytest.raises(AppError) as caught:
        client.predict(handle_file(str(path)), [[0, 0, 0], [0, 1, 0], [0, 0, 0]], api_name="/apply")
    assert "/" not in str(caught.value).replace("and/or", "")


@pytest.mark.parametrize("marked", [{}, {"meta": {"_type": "gradio.FileData"}}])
@pytest.mark.parametrize("path", ["/etc/hostname", str(bundled.FOLDER / "camera.jpg"), "a\0.png"])
@pytest.mark.parametrize("endpoint", ["/apply", "/recover"])
def test_a_file_of_the_server_is_no_picture(client, monkeypatch, endpoint, path, marked):
    """Naming a file of the server in place of an upload is refused, marked as a file or not."""
    monkeypatch.setattr(Endpoint, "_upload_file", lambda _, file, **more: file)
    file = {"path": path, **marked}
    arguments = (file, IDENTITY) if endpoint == "/apply" else (file, file)
    with pytest.raises(AppError) as caught:
        client.predict(*arguments, api_name=endpoint)
    if not marked:  # gradio's own sentence names the path that it was sent
        assert "Expected a picture file" in str(caught.value)
        assert path not in str(caught.value)
