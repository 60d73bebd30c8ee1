"""Each cause has a sentence and a next step of its own, and none that is untrue of it."""

import io
import re
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from PIL import Image

from kernel_demo.recovery import Edge, Recovery, Rounding, Verdict, recover, recover_many
from kernel_demo.recovery.explanations import Note, Other, Reason, Told, Turn
from kernel_demo.recovery.fractions import Fractions
from kernel_demo.recovery.record import LeftOut
from kernel_demo.recovery.rivals import Alternative
from kernel_demo.sources.bundled import FOLDER

FIGURES = {
    "turn": Turn.DOWN, "rows": 3, "columns": 4,
    "size": 5, "patches": 12345, "needed": 90, "levels": 3,
    "split": "its dark and its bright parts",
    "sigma": 1.0, "period": 2.0, "along": "rows",
    "note": Told(Note.STRANGERS, {"before": "9 × 9", "after": "4 × 4"}),
    "operation": "a median filter, 3 × 3", "curve": "a threshold", "place": "one row in 2",
    "share": "22.0 %", "file": "JPEG, quality 75", "red": 0.3, "green": 0.6, "blue": 0.1,
}  # fmt: skip
OF_LOSSES = {
    *(Reason.FEW, Reason.PERIODIC, Reason.LOSSY, Reason.LOSSY_COLOURS, Reason.LOSSY_UNLIKE),
    Other.LOSSES,
}


def record(code, compression="", reproduced=0.9):
    """The record of a cause, whose kernel explains so much of the picture after."""
    picture = np.random.default_rng(1).normal(0, 9, (20, 20)).astype(np.float32)
    found = Recovery(
        Verdict.UNDETERMINED,
        compression=compression,
        reproduction=reproduced * picture,
        residual_map=(1 - reproduced) * picture,
    )
    if isinstance(code, Reason):
        return replace(found, reason=Told(code, FIGURES))
    other = code and Alternative(code, figures=FIGURES)
    return replace(found, verdict=Verdict.NOT, alternative=other)


def said(code, **more):
    found = record(code, **more)
    return found.explanation, found.next_step


def test_each_cause_has_its_own_sentence_and_next_step():
    """No two reasons or alternatives share either, and all figures are filled in."""
    told = [said(code) for code in (*Reason, *Other, None)]
    for sentences in zip(*told, strict=True):
        assert len(set(sentences)) == len(sentences)
    assert all(text.endswith(".") and "{" not in text for pair in told for text in pair)


@pytest.mark.parametrize("code", [*Reason, *Other, None])
def test_advice_is_given_only_where_it_helps(code):
    """PNG to lossy files alone, a larger search to larger kernels, an operation to use if named."""
    both = " ".join(said(code))
    lossy = re.search("lossy|losses|PNG|JPEG", both) is not None
    assert lossy == (code in OF_LOSSES)
    assert ("larger" in both) == (code in (Reason.LARGER, Reason.TOO_LARGE))
    assert ("Use that operation" in both) == (code == Other.OPERATION)
    assert ("probe" in both) == record(code).probe_helps


@pytest.mark.parametrize("code", [Reason.UNCLEAR, Reason.COLOURS])
def test_a_lossy_file_that_was_seen_is_the_cause(code):
    """What else might be unclear is put down to the losses, and PNG is the remedy."""
    explanation, step = said(code, compression="JPEG, quality 75")
    assert "JPEG" in explanation
    assert "PNG" in step


@pytest.mark.parametrize("code", [*Reason, *Other, None])
@pytest.mark.parametrize("compression", ["", "JPEG, quality 75"])
def test_two_unrelated_pictures_are_not_sent_to_an_operation(code, compression):
    """Where less than half of after is explained, no operation, curve or probe is advised."""
    found = record(code, compression, reproduced=0.1)
    assert found.unlike
    assert "Use that operation" not in found.next_step
    if code in (None, Other.OPERATION, Other.CURVE, Reason.UNSTEADY, Reason.UNCLEAR, Reason.LOSSY):
        assert "both files show the same picture" in found.next_step
        assert not found.probe_helps


def photo(name):
    return np.asarray(Image.open(FOLDER / f"{name}.jpg").convert("L"))[40:200, 60:260]


def resaved(picture):
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=80)
    return np.asarray(Image.open(data))


PHOTOS = list(permutations(("camera", "cat", "brick"), 2))


@pytest.mark.sweep(5)
@pytest.mark.parametrize(("before", "after"), PHOTOS)
@pytest.mark.parametrize("stored", [lambda picture: picture, resaved], ids=["PNG", "JPEG"])
def test_two_photos_of_different_things(before, after, stored):
    """One is told to check that they show the same picture."""
    found = recover(photo(before), stored(photo(after)), 7)
    assert not found.verdict.linear
    assert "both files show the same picture" in found.next_step


WHOLE = Fractions(np.eye(3, dtype=np.int64), 3, 0.0, Rounding.HALF_UP, pixels=1234567)
CERTAIN = Recovery(
    Verdict.CONVOLUTION,
    kernel=np.eye(3)[None, None] / 3,
    standard_error=np.zeros((1, 1, 3, 3)),
    padding_sides=("reflect",) * 4,
    fractions=(WHOLE,),
    reproduced=1.0,
)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "Apply the kernel with border mode “reflect”; rounded half up, it gives"),
        ({"clip": (16, 235)}, "“reflect”, cut off below 16 and above 235; rounded"),
        ({"padding_sides": ("constant",) * 4, "padding_value": 40}, "with the value 40 around;"),
        ({"padding_sides": (Edge.BLACK,) * 4}, "make the pixels along the edge black;"),
        ({"padding_sides": (None, "zero", "zero", None)}, "with border mode “zero”;"),
        ({"padding_sides": (None, "zero", "wrap", None)}, "inside the picture (its sides differ);"),
        ({"padding_sides": (None,) * 4}, "inside the picture (its edges tell no border);"),
    ],
)
def test_bit_for_bit_is_said_with_all_that_it_takes(more, told):
    """The border and the clip levels without which the tool's own result would not come out."""
    assert told in replace(CERTAIN, **more).next_step


def test_numbers_are_written_as_on_the_page():
    """Thousands apart by thin spaces, minus signs, and sizes with the sign of multiplication."""
    assert "every one of the 1\u202f234\u202f567 pixels" in CERTAIN.explanation
    target = Told(Reason.TARGET, FIGURES).sentences()[0]
    assert "12\u202f345 different patches" in target
    shifted = Told(Note.SHIFTED, {"rows": -12, "columns": 3})
    assert "by −12 rows and 3 columns" in str(shifted)
    told = [text for code in (*Reason, *Other) for text in Told(code, FIGURES).sentences()]
    assert not re.search(r"\d,\d{3}|\d x \d|-\d", " ".join(told))


def test_three_channels_have_three_values_a_pixel():
    """What is counted over the channels of one kernel is not called pixels."""
    colours = np.zeros((4, 4, 3), np.float32)
    found = replace(CERTAIN, reproduction=colours, residual_map=colours)
    assert "every one of the 1\u202f234\u202f567 values (three a pixel)" in found.explanation


def test_pixels_left_out_are_in_the_sentence():
    """As many as the mask has; none are claimed to be reproduced."""
    left_out = LeftOut(0.01, pixels=1352)
    told = replace(CERTAIN, fractions=(replace(WHOLE, left_out=3),), left_out=left_out)
    assert "every pixel is reproduced exactly but 1352, which" in told.explanation
    told = replace(CERTAIN, fractions=(), left_out=left_out)
    assert "1352 pixels are left out, which something else has changed." in told.explanation


def test_nothing_is_said_twice():
    """Sizes that do not match, and files that were swapped, are in the explanation alone."""
    found = recover(photo("cat"), photo("cat")[:90, :90], 5)
    assert found.notes == ()
    swapped = replace(CERTAIN, swapped=True, noted=(Told(Note.SWAPPED),))
    assert swapped.notes == ()
    assert swapped.explanation.startswith("With the two files swapped, this is")


def test_pairs_that_do_not_go_with_the_others_are_named():
    """By their numbers: a verdict of the others is none of theirs."""
    grey = photo("cat")[:60, :60]
    coloured = np.dstack([grey, grey, grey // 2])
    found = recover_many([(grey, grey), (grey, coloured), (grey, grey)])
    assert (
        "Of 3 pairs, pair 2 did not go with the others, and nothing here is of it." in found.notes
    )


@pytest.mark.parametrize("verdict", [Verdict.NOT, Verdict.UNDETERMINED])
def test_a_kernel_that_is_none_is_not_called_shifted(verdict):
    """Off-centre weights of a nearest kernel mean nothing."""
    kernel = np.zeros((1, 1, 5, 5))
    kernel[..., 0, 0] = 1
    linear = replace(CERTAIN, kernel=kernel)
    assert "its middle lies −2 rows and −2 columns" in linear.notes[0]
    assert replace(linear, verdict=verdict).notes == ()


def test_the_same_picture_twice_is_said_to_be_so():
    """An identity is no filter that was found, but a picture that was not changed."""
    found = recover(photo("cat"), photo("cat"), 5)
    assert found.verdict == Verdict.CONVOLUTION
    assert found.explanation.startswith("Before and after are the same")
    assert replace(found, offset=1.0).explanation.startswith("This is a convolution")


def test_losses_are_not_said_to_know_nothing_of_the_picture():
    """What JPEG leaves goes with texture; of noise alone it is said that it does not."""
    bars = np.full((1, 1, 3, 3), 0.001)
    noisy = replace(CERTAIN, verdict=Verdict.NOISY, fractions=(), standard_error=bars, residual=3.0)
    assert "do not depend on the picture" in noisy.explanation
    lossy = replace(noisy, compression="JPEG, quality 75")
    assert "do not depend on the picture" not in lossy.explanation
