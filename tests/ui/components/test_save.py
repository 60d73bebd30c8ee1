"""What a result can be saved as."""

import cv2
import numpy as np
import pytest

from kernel_demo.export.pictures import ZERO, signed_samples
from kernel_demo.imaging.filtering import to_grey
from kernel_demo.learning.training import Progress
from kernel_demo.ui import pictures
from kernel_demo.ui.components import comparison, save
from kernel_demo.ui.learn import result, settings
from kernel_demo.ui.learn.session import Session, Shown


@pytest.mark.parametrize("scale", [0.0, 1e-9, 0.003, 1.0, 7.5, 1e4])
def test_signed_samples_hold_the_values(scale):
    """Back from 16 bits, no value is off by more than half a step, and none was cut."""
    values = scale * np.random.default_rng(0).uniform(-1, 1, (7, 5))
    samples, factor = signed_samples(values)
    assert samples.dtype == np.uint16
    back = (samples.astype(float) - ZERO) / factor / 255
    assert np.abs(back - values).max() <= 0.51 / factor / 255
    if scale:
        assert np.abs(samples.astype(int) - ZERO).max() > 3000


def shown(kernel, error):
    values = settings.START | {"kernel": kernel, "count": 2}
    wanted = settings.experiment(values)
    learned = wanted.truth + error
    progress = Progress(**dict.fromkeys(Progress.__dataclass_fields__) | {
        "kernel": learned, "offset": 0.0})  # fmt: skip
    return Shown(Session(experiment=wanted, progress=progress), "reflect"), learned


@pytest.mark.parametrize("kernel", ["box", "sobel_x"])
@pytest.mark.parametrize("which", ["learned", "true", "difference"])
def test_the_files_are_the_whole_pictures(kernel, which):
    """By OpenCV's own filter: 8 bits, cut, of the colours; what is signed in 16, of the grey."""
    made, learned = shown(kernel, 0.01 * np.eye(3))
    photo = pictures.gather(made.session.experiment.choice).photos[1]
    name, samples = result.file_of(which, made, 1, None)
    image = to_grey(photo.pixels, "luminance") if kernel == "sobel_x" else photo.pixels
    by = {"learned": learned, "true": made.session.experiment.truth}
    filtered = {key: cv2.filter2D(image.astype(float), -1, each, borderType=cv2.BORDER_REFLECT_101)
                for key, each in by.items()}  # fmt: skip
    values = filtered.get(which, filtered["true"] - filtered["learned"])
    assert samples.shape == image.shape
    if kernel == "box" and which != "difference":
        assert (name, samples.dtype) == (f"astronaut_eileen_collins_{which}.png", np.uint8)
        assert np.abs(samples - np.clip(255 * values, 0, 255)).max() <= 0.51
        return
    factor = float(name.removesuffix(".png").rpartition("_times_")[2])
    assert f"_{which}_zero_32768_" in name
    assert samples.dtype == np.uint16
    assert np.abs((samples - 32768.0) / factor - 255 * values).max() <= 0.6 / factor + 1e-3


def test_a_file_is_written_as_it_is():
    """What gradio copies is a PNG that another reader opens to the same samples."""
    samples = np.random.default_rng(1).integers(0, 65536, (9, 11)).astype(np.uint16)
    for update, told in save._saved(lambda: ("a.png", samples)):
        read = cv2.imread(update["value"], cv2.IMREAD_UNCHANGED)
        assert (read == samples).all()
        assert told == ""


def test_without_a_result_there_is_no_file():
    """Nothing is made, and nothing is said."""
    assert result.file_of("true", None, 0, None) is None
    assert list(save._saved(lambda: None))[0][1] == ""


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("reproduced", "reproduced.png"),
        ("residual × 20", "residual_times_20.png"),
        ("residual × 2·10⁴ · grey: left out", "residual_times_2e4_grey_left_out.png"),
        ("difference × 10⁶ at 1 to 2.5", "difference_times_1e6_at_1_to_2.5.png"),
    ],
)
def test_a_files_name_has_the_factor(told, name):
    """In letters and digits that every system takes."""
    assert comparison.file_name(told) == name


def test_what_is_shown_smaller_says_so():
    """A picture of twice the page's size is saved at half of it."""
    image = np.zeros((20, 2 * comparison.LONGEST), np.float32)
    view = comparison.view(image, image, ("a", "b"), is_map=False)
    (_, first, _), (_, second, _) = comparison.saved(view, "reproduced", "residual")["files"]
    assert first == "reproduced_at_1_to_2.png"
    assert second.endswith("_at_1_to_2.png")
