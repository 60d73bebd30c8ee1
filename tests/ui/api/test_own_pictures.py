"""/learn with a script's own pictures and all that the page can set, and the files of both."""

import base64
import json
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import safetensors.numpy
from gradio_client import handle_file
from gradio_client.exceptions import AppError

from kernel_demo.imaging.filtering import correlate
from kernel_demo.imaging.kernels import random
from kernel_demo.sources import bundled
from tests.ui.api.test_api import learn
from tests.ui.api.test_contract import answers


@pytest.fixture
def photo() -> np.ndarray:
    """A grey photo, 160 x 180, uint8."""
    return cv2.imread(str(bundled.FOLDER / "camera.jpg"), cv2.IMREAD_GRAYSCALE)[80:240, 120:300]


@pytest.fixture
def written(tmp_path):
    """Writes a picture as a PNG file; returns it as a client sends it."""

    def write(pixels, name="own.png"):
        cv2.imwrite(str(tmp_path / name), pixels)
        return handle_file(str(tmp_path / name))

    return write


def exactly(client, **arguments) -> dict:
    """The end of a run by the closed form."""
    return learn(client, **({"method": "closed_form", "images": 1} | arguments))[-1]


def test_it_is_these_pictures_that_are_learned_from(client, written):
    """Stripes tell one direction alone: of them nothing else can be learned, of the bundled all."""
    rows = np.random.default_rng(1).integers(0, 256, (64, 1)).astype(np.uint8)
    stripes = written(np.repeat(rows, 64, axis=1))
    told = exactly(client, kernel="sobel_y", pictures=[stripes])["stopped_because"]
    assert "determine only 3 of the 9 combinations" in told
    assert exactly(client, kernel="sobel_y")["kernel_error"] < 1e-7


def test_several_are_one_lesson(client, written):
    """Stripes along and across: together they tell more than either, and so does a data URL."""
    rows = np.random.default_rng(1).integers(0, 256, (64, 1)).astype(np.uint8)
    down = np.repeat(rows, 64, axis=1)
    png = base64.b64encode(cv2.imencode(".png", down.T)[1].tobytes()).decode()
    pictures = [written(down), f"data:image/png;base64,{png}"]
    told = exactly(client, kernel="sobel_y", pictures=pictures)["stopped_because"]
    assert "determine only 5 of the 9 combinations" in told


@pytest.mark.parametrize("channel", ["red", "green", "blue"])
def test_the_channel_of_a_colour_picture(client, written, photo, channel):
    """A picture that has detail in one channel alone tells a kernel by that channel alone."""
    colours = np.full((*photo.shape, 3), 128, np.uint8)
    colours[..., ["blue", "green", "red"].index(channel)] = photo
    picture = written(colours)
    assert exactly(client, pictures=[picture], channel=channel)["kernel_error"] < 1e-6
    other = {"red": "blue", "green": "red", "blue": "green"}[channel]
    told = exactly(client, pictures=[picture], channel=other)["stopped_because"]
    assert "determine only 1 of" in told


def test_noise_is_what_is_left(client, written, photo):
    """With noise of 5 grey levels the best kernel leaves (5 / 255)^2, to a few per cent."""
    told = exactly(client, kernel="gaussian", pictures=[written(photo)], noise=5)
    assert told["loss"] == pytest.approx((5 / 255) ** 2, rel=0.03)


def test_eight_bits_leave_a_twelfth(client, written, photo):
    """Rounded to whole levels, a blur leaves 1 / 12 of a level squared (uniform noise)."""
    told = exactly(client, kernel="gaussian", size=5, pictures=[written(photo)], eight_bit=True)
    assert told["loss"] == pytest.approx(1 / 12 / 255**2, rel=0.05)


@pytest.mark.parametrize("method", ["kfac", "exact", "closed_form"])
def test_an_offset_is_learned_as_well(client, written, photo, method):
    """A kernel that sums to 1/2, and a quarter of white: both come back, and the offset is told."""
    half = [[0, 0, 0], [0, 0.25, 0.25], [0, 0, 0]]
    picture = written(photo)
    last = learn(client, kernel=json.dumps(half), offset=0.25, method=method, pictures=[picture])[
        -1
    ]
    np.testing.assert_allclose(last["kernel"], half, atol=1e-4)
    assert last["offset"] == pytest.approx(0.25, abs=1e-4)


def test_an_offset_that_files_cut_off(client, written, photo):
    """Emboss with half of white in 8 bits: what is clipped is left out, by what is predicted."""
    emboss = [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]
    picture = written(photo)
    told = exactly(
        client, kernel=json.dumps(emboss), offset=128 / 255, eight_bit=True, pictures=[picture]
    )
    clipped = correlate(photo.astype(float), emboss, offset=128)
    assert ((clipped < 0) | (clipped > 255)).any()
    assert told["kernel_error"] < 0.01
    assert told["offset"] == pytest.approx(128 / 255, abs=1e-3)


def test_the_methods_settings_are_the_pages(client):
    """Steps of L-BFGS end at once on a quadratic; zeros are where it starts; a rate diverges."""
    items = learn(client, method="exact", optimizer="lbfgs", init="zeros", images=1, steps=100_000)
    assert not np.any(items[0]["kernel"])
    assert items[-1]["kernel_error"] < 1e-5
    assert items[-1]["step"] < 200
    wild = learn(client, method="sgd", learning_rate=100, images=1, steps=500)[-1]
    assert "diverged" in wild["stopped_because"]
    impatient = learn(client, method="adam", learning_rate=1e-9, patience=1, images=1)[-1]
    assert "has not fallen for 25 steps" in impatient["stopped_because"]


def test_the_seed_of_the_start(client):
    """Another order is another start; the same, the same."""
    starts = [
        learn(client, images=1, steps=1, order=seed, batch=2, tile=32, accumulation=2)[0]["kernel"]
        for seed in (4, 4, 5)
    ]
    assert starts[0] == starts[1] != starts[2]


def test_the_files_are_the_kernel(client, written, photo):
    """JSON, npy, safetensors and ONNX hold what was learned, with its border and offset."""
    kernel = random(5, seed=3).values
    arguments = {"kernel": json.dumps(kernel.tolist()), "pictures": [written(photo)]}
    last = exactly(client, files=True, padding="wrap", offset=0.25, **arguments)
    files = last["files"]
    learned = np.array(last["kernel"])
    assert len(files) == 8
    record = json.loads(Path(files["learned_kernel.json"]).read_text())
    assert (record["border"], record["kernel"]) == ("wrap", learned.tolist())
    assert record["offset"] == pytest.approx(0.25, abs=1e-5)
    assert np.array_equal(np.load(files["learned_kernel.npy"]), learned)
    tensors = safetensors.numpy.load_file(files["learned_kernel_float32.safetensors"])
    assert np.array_equal(tensors["weight"][0, 0], learned.astype(np.float32))
    session = onnxruntime.InferenceSession(files["learned_kernel_float32.onnx"])
    picture = np.random.default_rng(1).random((1, 1, 20, 30), np.float32)
    (got,) = session.run(None, {"before": picture})
    # float32 sums of 25 products
    oracle = correlate(picture[0, 0], learned, "wrap", record["offset"])
    np.testing.assert_allclose(got[0, 0], oracle, atol=1e-5)


def test_only_the_end_has_files(address):
    """What is on the way is told, not exported; and without being asked there is neither."""
    *items, _ = answers(address, "v2/learn", {"images": 1, "files": True})
    items = [item for (item,) in items[:-1]]  # the last comes twice
    assert ["files" in item for item in items] == [False] * (len(items) - 1) + [True]
    programs = items[-1]["programs"]
    assert {"OpenCV", "PyTorch", "Rust"} <= {program["tool"] for program in programs}
    assert all(program["code"] for program in programs)


@pytest.mark.parametrize("colour", [False, True])
def test_what_was_recovered_runs(client, tmp_path, monkeypatch, written, photo, colour):
    """Of a pair of OpenCV's: the program for OpenCV makes after.png of before.png, to the bit.

    In colour with a kernel for each channel, there are files and programs for each.
    """
    monkeypatch.chdir(tmp_path)
    kernels = {"red": [0, 0.5, 0.5], "green": [0.25, 0.5, 0.25], "blue": [0, 1, 0]}
    rows = {name: np.array([[0] * 3, row, [0] * 3], float) for name, row in kernels.items()}
    if colour:
        noisy = np.random.default_rng(2).integers(0, 256, (*photo.shape, 3)).astype(np.uint8)
        planes = zip(cv2.split(noisy), ("blue", "green", "red"), strict=True)
        before, after = noisy, cv2.merge([cv2.filter2D(p, -1, rows[name]) for p, name in planes])
    else:
        before, after = photo, cv2.filter2D(photo, -1, rows["green"])
    pair = written(before, "before.png"), written(after, "after.png")
    found = client.predict(*pair, 3, files=True, api_name="/recover")
    assert found["verdict"] == "convolution"
    for label in ("red", "green", "blue") if colour else ("",):
        program = next(p for p in found["programs"] if (p["of"], p["tool"]) == (label, "OpenCV"))
        exec(program["code"], {})
        made, wanted = cv2.imread("after.png"), after
        if colour:
            channel = ("blue", "green", "red").index(label)
            made, wanted = made[..., channel], after[..., channel]
            (npy,) = (name for name in found["files"] if name.endswith(f"{label}.npy"))
            np.testing.assert_allclose(np.load(found["files"][npy]), rows[label], atol=1e-9)
            assert np.array_equal(made, wanted)
        else:
            assert np.array_equal(made[..., 0], wanted)
    reports = [name for name in found["files"] if name.endswith("_report.json")]
    assert json.loads(Path(found["files"][reports[0]]).read_text())["verdict"] == "convolution"


def test_what_is_no_kernel_is_given_as_a_program(client, tmp_path, monkeypatch, written, photo):
    """A median has no kernel to export: its program and the report are what there is."""
    monkeypatch.chdir(tmp_path)
    after = cv2.medianBlur(photo, 3)
    pair = written(photo, "before.png"), written(after, "after.png")
    found = client.predict(*pair, 3, files=True, api_name="/recover")
    assert found["verdict"] == "not a convolution"
    (name,) = found["files"]
    assert name.endswith("_report.json")
    (program,) = found["programs"]
    exec(program["code"], {})
    assert np.array_equal(cv2.imread("after.png")[..., 0], after)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"noise": 21}, "noise, grey levels as a number from 0 to 20; got 21"),
        ({"eight_bit": "no"}, "eight_bit, one of False, True; got 'no'"),
        ({"offset": 2}, "offset as a number from -1 to 1; got 2"),
        ({"padding": "mirror"}, "padding: edges, one of zero, .*; got 'mirror'"),
        ({"learning_rate": -1}, "a learning rate above 0, up to 100; got -1"),
        ({"batch": 0}, "tiles in a batch as a whole number from 1 to 256"),
        ({"tile": 33}, "tile side, pixels, one of 16, 32, 64, 128, 256; got 33"),
        ({"accumulation": 0.5}, "accumulation: batches per step"),
        ({"init": "ones"}, "init: weights start as, one of"),
        ({"order": -1}, "order: seed of start and batches"),
        ({"patience": 0}, "patience, checks without progress"),
        ({"optimizer": "newton"}, "optimizer: exact method, one of kfac"),
        ({"channel": "alpha"}, "channel: grey to learn from, one of"),
        ({"angle": 360}, "angle, degrees"),
        ({"steps": 5001}, "steps as a whole number from 1 to 5000"),
        ({"files": 2}, "files, one of False, True; got 2"),
        ({"pictures": "photo.png"}, "pictures as a list of up to 32 files; got something else"),
        ({"pictures": ["x.png"] * 33}, "pictures as a list of up to 32 files; got 33"),
        ({"pictures": ["/etc/hostname"]}, "Expected a picture file; got none. Upload one."),
        ({"pictures": [None]}, "Expected a picture file; got none"),
        ({"pictures": ["data:image/png;base64,%%%"]}, "as base64 in a data URL; got another text"),
        ({"pictures": ["http://example.org/a.png"]}, "an uploaded file; got a web address"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_one_sentence(client, arguments, words):
    """By the name of the parameter: expected, got, what to do."""
    with pytest.raises(AppError, match=words) as caught:
        learn(client, images=1, **arguments)
    assert str(caught.value).startswith("Expected")


def test_pictures_of_two_sources(client, written, photo):
    """Own pictures beside the Hub's are a contradiction, and no dataset is asked for."""
    with pytest.raises(AppError, match="one source of pictures; got pictures, and the source hub"):
        learn(client, source="hub", pictures=[written(photo)])


def test_one_broken_file_is_told(client, written, tmp_path, photo):
    """A script does not learn from the others unawares: the broken one is named."""
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not a picture")
    with pytest.raises(AppError, match="“broken.png”"):
        learn(client, pictures=[written(photo), handle_file(str(broken))])


def test_too_small(client, written, photo):
    """A picture below the kernel's size is told, alone and beside one that is large enough."""
    small = written(np.zeros((4, 4), np.uint8), "small.png")
    for pictures in ([small], [written(photo), small]):
        with pytest.raises(AppError, match="“small.png”: at least 5 × 5 pixels .* got 4 × 4"):
            learn(client, kernel="gaussian", size=5, pictures=pictures)
