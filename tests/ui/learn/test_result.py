"""What stands beside a run that ended: its result, how sure it is, what can be taken along."""

import base64
import io
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from kernel_demo.errors import DemoError
from kernel_demo.imaging import kernels
from kernel_demo.imaging.filtering import to_grey
from kernel_demo.learning.exact import ExactSettings
from kernel_demo.learning.training import Cause, Stop, TrainSettings
from kernel_demo.sources import bundled, hub
from kernel_demo.ui.learn import result
from kernel_demo.ui.learn.run import run
from kernel_demo.ui.learn.session import Damage, Experiment, Session
from kernel_demo.ui.pictures import PictureChoice
from tests.ui.test_wording import read

ONE = PictureChoice(count=1)


def ended(settings, choice=ONE) -> Session:
    """The last session of a run on Sobel x."""
    weights = tuple(map(tuple, kernels.named("sobel_x").values.tolist()))
    *_, last = run(Session(experiment=Experiment(choice, weights, Damage(), settings)))
    return last


@pytest.mark.parametrize(
    "settings",
    [
        TrainSettings("sgd", learning_rate=2.0),  # ends with a huge kernel ...
        TrainSettings("sgd", learning_rate=100.0),  # ... and with NaN
        TrainSettings("kfac", learning_rate=100.0),
        ExactSettings("sgd", learning_rate=100.0),
    ],
)
def test_a_run_that_diverged_has_no_kernel(settings):
    """Where learning diverged, every card says so, and none offers a kernel."""
    session = ended(settings)
    assert session.progress.stop.cause is Cause.DIVERGED
    assert session.kernel is None
    assert str(Stop(Cause.DIVERGED)) in result.conclude(session)
    _, _, note, value, taken, _ = result.show(session, "reflect", None)
    assert result.NO_KERNEL in note
    assert (value, taken) == (None, None)


def test_the_error_bars_are_those_of_the_best_kernel():
    """The panel's table is the optimum, which Adam is still far from after 25 steps."""
    session = ended(TrainSettings("adam", steps=25))
    assert session.progress.kernel_error > 0.1
    cells = re.findall(r">([^<>]+)<small>", result.conclude(session))
    shown = np.array([read(cell) for cell in cells])
    np.testing.assert_allclose(shown, kernels.named("sobel_x").values.ravel(), atol=1e-6)


def test_the_code_to_take_has_the_digits_that_count():
    """What K-FAC learned is Sobel to the spacing of float32: OpenCV has that, and other tools get
    whole numbers. Adam's is still another kernel, and is written as what it is."""
    opencv, _, torch, *_ = result.taken(ended(TrainSettings(steps=60)), "reflect")["snippets"]
    assert "after = cv2.Sobel(before, cv2.CV_64F, 1, 0, ksize=3, " in opencv["code"]
    assert "    [-2.0,  0.0,  2.0],\n" in torch["code"]
    session = ended(TrainSettings("adam", steps=25))
    opencv, *_ = result.taken(session, "reflect")["snippets"]
    (matrix,) = re.findall(r"kernel = np.array\((.*?)\)\n", opencv["code"], re.DOTALL)
    written = np.array([float(number) for number in re.findall(r"-?\d+\.\d+(?:e-\d+)?", matrix)])
    np.testing.assert_allclose(written, session.kernel.ravel(), rtol=0, atol=5e-7)
    assert max(len(number) for number in re.findall(r"\.(\d+)", matrix)) <= 8


def test_the_whole_picture_of_a_kernel_partly_negative_is_signed():
    """A random kernel takes a photo far below zero: it is blue there as on the stage, not black."""
    weights = kernels.random(9, seed=5).values.copy()
    weights -= weights.mean() + 1 / 81  # its sum is -1
    session = Session(
        experiment=Experiment(ONE, tuple(map(tuple, weights.tolist())), Damage(), None)
    )
    *_, last = run(session)
    value = result.render(last, 0, "reflect", None)
    png = base64.b64decode(value["first"].partition(",")[2])
    drawn = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))
    blue = (drawn[..., 2] > drawn[..., 0]) & (drawn[..., 3] > 100)
    assert blue.mean() > 0.3


def test_learned_is_left_and_true_right_as_on_the_stage():
    """The whole picture is under the divider as After is, and its difference is true - learned."""
    value = result.render(ended(TrainSettings("adam", steps=2)), 0, "reflect", None)
    assert value["names"] == ["learned", "true"]
    photo = bundled.photos(1)[0].pixels
    true = cv2.filter2D(to_grey(photo), cv2.CV_32F, kernels.named("sobel_x").values)
    png = base64.b64decode(value["second"].partition(",")[2])
    alpha = np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))[..., 3]
    full = alpha == 255
    assert np.abs(true)[full].min() >= np.abs(true)[~full].max() * 0.99


def test_an_own_picture_that_is_gone_makes_place(tmp_path):
    """A file that was deleted is told, and the first photo is shown instead."""
    gone = str(tmp_path / "gone.png")
    session = ended(None)
    picture, _, note, value, *_ = result.show(session, "reflect", gone)
    assert 'role="alert"' in note
    assert picture["value"] == 0
    assert value is not None
    cv2.imwrite(gone, np.zeros((9, 9), np.uint8))
    picture, _, note, value, *_ = result.show(session, "reflect", gone)
    assert (picture["value"], note) == (result.OWN_PICTURE, "")
    assert ["–", "SSIM"] in value["figures"]  # a picture smaller than SSIM's window has none


def test_pictures_that_are_of_no_use_are_told_by_their_names(tmp_path):
    """Too small for the kernel, or without a pixel that 8 bits hold: what they lack is said in
    pixels, and what the panel tells is told of the others."""
    noise = np.random.default_rng(0).integers(0, 256, (60, 60), dtype=np.uint8)
    ramp = np.repeat(np.arange(60, dtype=np.uint8)[:, None], 60, axis=1)  # Sobel x of it is black
    files = {"tiny": noise[:4, :5], "good": noise, "ramp": ramp, "thin": noise[:2]}
    paths = tuple(str(tmp_path / f"{name}.png") for name in files)
    for path, pixels in zip(paths, files.values(), strict=True):
        Image.fromarray(pixels).save(path)
    weights = tuple(map(tuple, kernels.named("sobel_x").values.tolist()))
    mine = PictureChoice("mine", uploads=paths)
    told = result.before_learning(Experiment(mine, weights, Damage(2.0, eight_bit=True), None))
    for said in (
        "“tiny.png” was left out: at least 6 × 6 pixels are needed for a 3 × 3 kernel; got 5 × 4.",
        "“thin.png” was left out: at least 3 × 3 pixels are needed for a 3 × 3 kernel; got 60 × 2.",
        "“ramp.png” was left out: 0 of its filtered pixels lie between black and white, and 10 are",
        "The other pictures tell all 9 weights apart",
    ):
        assert said in told
    assert "good.png" not in told
    assert "mask" not in told
    assert "pair" not in told


def test_rounding_is_told_of_pictures_that_it_is_noise_of(tmp_path):
    """Not of a drawing of few colours, whose equal patches are rounded alike: that is said."""
    weights = tuple(map(tuple, kernels.named("sobel_x").values.tolist()))
    path, drawing = str(tmp_path / "drawing.png"), np.full((90, 90), 200, np.uint8)
    cv2.circle(drawing, (40, 45), 30, 90, -1)
    cv2.rectangle(drawing, (50, 10), (80, 60), 20, -1)
    Image.fromarray(drawing).save(path)
    for choice, told in ((ONE, True), (PictureChoice("mine", uploads=(path,)), False)):
        said = result.before_learning(Experiment(choice, weights, Damage(), None))
        assert ("8-bit files allow</b>" in said) == told
        assert ("is rounded alike" in said) == (not told)


def test_photos_instead_of_a_dataset_are_told(monkeypatch):
    """Who learned from the bundled photos for want of a dataset reads so beside the result."""

    def silent(*_, **__):
        raise DemoError("an answer of the Hub", "none", "Try again later.")

    monkeypatch.setattr(hub, "load", silent)
    session = ended(None, PictureChoice(source="hub", count=2))
    assert "Using the bundled photos." in result.conclude(session)
    assert "Using the bundled photos." in result.before_learning(session.experiment)


def test_an_emptied_seed_is_refused_in_words():
    """A number field without a number is told by its name."""
    with pytest.raises(DemoError, match="seed as a whole number"):
        replace(ExactSettings(), seed=None)


def test_the_verdict_is_for_people_and_its_figure_second():
    """How far off in a weight, and how near the pictures would bring it, without a power of ten."""
    told = result.not_there(0.7381, 1.34e-9)
    assert told.startswith(
        "Not there yet: up to 0.74 off in a weight; these pictures would allow about "
        "0.000\u202f000\u202f001."
    )
    said = result.conclude(ended(TrainSettings("adam", steps=25)))
    first, figures = said.index("Not there yet"), said.index("standard errors from the best kernel")
    assert first < figures


def test_pictures_that_allow_less_are_not_promised():
    """Where noise leaves the pictures less certain than the kernel is wrong."""
    assert "would allow" not in result.not_there(0.01, 0.02)
