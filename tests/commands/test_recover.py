"""`python -m kernel_demo recover`: what the page can, in a terminal."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from kernel_demo.__main__ import main
from kernel_demo.commands.recover import _lines
from kernel_demo.recovery import Recovery, Verdict
from kernel_demo.recovery.explanations import Left
from kernel_demo.recovery.record import LeftOut
from kernel_demo.sources.bundled import FOLDER
from kernel_demo.ui.recover.pairs import open_side


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> tuple[str, str]:
    """The paths of a photo and of the same sharpened by Pillow."""
    folder = tmp_path_factory.mktemp("pair")
    before, after = folder / "before.png", folder / "after.png"
    image = Image.open(FOLDER / "cat.jpg").crop((100, 20, 300, 200))
    image.save(before)
    image.filter(ImageFilter.SHARPEN).save(after)
    return str(before), str(after)


def test_says_what_it_found(pair, capsys):
    """The verdict, the fractions, the border: in a few lines on stdout."""
    assert main(["recover", *pair]) == 0
    said = capsys.readouterr().out
    assert "after.png: convolution" in said
    assert "[[−1, −1, −1], [−1, 16, −1], [−1, −1, −1]] / 8" in said
    assert "border: copied" in said


def test_unrelated_pictures_get_no_weights(pair, tmp_path, capsys):
    """Where there is no kernel none is printed, nor what would go with it."""
    turned = tmp_path / "turned.png"
    Image.open(pair[0]).rotate(180).save(turned)
    assert main(["recover", pair[0], str(turned)]) == 0
    said = capsys.readouterr().out
    assert "turned.png: not a convolution" in said
    assert "kernel (" not in said
    assert "[[" not in said


def test_a_value_around_goes_from_recover_to_apply(tmp_path, capsys):
    """A 16-bit picture with grey around: its level is printed, and makes the same picture again."""
    grey = np.asarray(Image.open(FOLDER / "cat.jpg").convert("L").crop((100, 20, 300, 200)))
    deep = grey.astype(np.uint16) * 200 + 3000
    kernel = np.array([[0, 0, 0], [0, 1, 0], [-1, 0, 0]])
    wide = np.pad(deep.astype(int), 1, constant_values=40000)
    after = (wide[1:-1, 1:-1] - wide[2:, :-2] + 30000).astype(np.uint16)
    paths = [str(tmp_path / f"{name}.png") for name in ("before", "after", "again")]
    Image.fromarray(deep).save(paths[0])
    Image.fromarray(after).save(paths[1])
    assert main(["recover", *paths[:2], "--max-size", "5"]) == 0
    said = capsys.readouterr().out
    assert "border: constant (40000 grey levels)" in said
    assert "pixels reproduced: 100 %" in said
    assert "left out" not in said
    options = ["--kernel", json.dumps(kernel.tolist()), "--border", "constant", "--offset", "30000"]
    assert main(["apply", paths[0], paths[2], *options, "--border-levels", f"{40000 / 257}"]) == 0
    assert np.array_equal(np.asarray(Image.open(paths[2])), after)


def test_pixels_left_out_are_told():
    """Their share, rounded upwards, and what they are."""
    left_out = LeftOut(0.020301, (Left.COPIED, Left.CHANGED))
    kernel = np.eye(3)[None, None]
    found = Recovery(
        Verdict.CONVOLUTION, kernel=kernel, standard_error=kernel, left_out=left_out,
        reproduced=0.99999,
    )  # fmt: skip
    assert "pixels left out: 2.1 % (copied border, changed pixels)" in _lines(found)
    assert "pixels reproduced: 99.9 %" in _lines(found)


def test_json_has_everything(pair, capsys):
    """--json prints one object that a script can read."""
    assert main(["recover", *pair, "--json", "--max-size", "5"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "convolution"
    assert found["bit_exact"] is True
    assert found["white"] == 255
    assert (found["padding"], found["padding_value"]) == ("copied", None)
    assert (found["reproduced"], found["left_out"]) == (1, {"share": 0, "reasons": []})
    assert np.allclose(found["kernel"], np.array([[-1, -1, -1], [-1, 16, -1], [-1, -1, -1]]) / 8)


def test_json_has_no_infinity(tmp_path, capsys):
    """A constant picture leaves infinite errors, which JSON cannot hold: they are null."""
    Image.new("L", (60, 60), 90).save(tmp_path / "flat.png")
    assert main(["recover", str(tmp_path / "flat.png"), str(tmp_path / "flat.png"), "--json"]) == 0
    assert "Infinity" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (["none.png", "none.png"], "“none.png”, which cannot be opened. Check its name."),
        ([".", "none.png"], "a folder among files. Name two folders."),
        (["one.png"], "got 1 file."),
        (["one.png", "two.png", "three.png"], "got 3 files."),
    ],
)
def test_bad_input_has_one_sentence(files, says, capsys):
    """What the user can put right goes to stderr, status 2, and no traceback."""
    assert main(["recover", *files]) == 2
    told = capsys.readouterr().err
    assert told.startswith("Expected ")
    assert says in told


@pytest.mark.tool
@pytest.mark.slow
def test_runs_as_a_module(pair):
    """python -m kernel_demo lists and runs its subcommands."""
    command = [sys.executable, "-m", "kernel_demo"]
    told = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout
    assert "recover" in told
    assert "apply" in told
    result = subprocess.run(
        [*command, "recover", *pair], capture_output=True, text=True, check=True
    )
    assert "convolution" in result.stdout


@pytest.fixture
def folders(tmp_path):
    """Three photos in two folders, the second of them not sharpened but smoothed; and a stray."""
    for side in ("before", "after"):
        (tmp_path / side).mkdir()
    for name, tool in (("cat", "SHARPEN"), ("coffee", "SMOOTH"), ("rocket", "SHARPEN")):
        image = Image.open(FOLDER / f"{name}.jpg").crop((60, 60, 180, 170))
        image.save(tmp_path / "before" / f"{name}.png")
        image.filter(getattr(ImageFilter, tool)).save(tmp_path / "after" / f"{name}.tif")
    image.save(tmp_path / "before" / "stray.png")
    return [str(tmp_path / side) for side in ("before", "after")]


@pytest.mark.sweep(2)
def test_two_folders_go_together_by_name(folders, capsys):
    """The filter of the most, which pair does not obey it, and which picture has no partner."""
    assert main(["recover", *folders, "--max-size", "5"]) == 0
    said = capsys.readouterr().out
    assert "after: convolution\n" in said
    assert "[[−1, −1, −1], [−1, 16, −1], [−1, −1, −1]] / 8" in said
    assert "2 of 3 pairs obey it; these do not:\n  coffee.tif: " in said
    assert "before/stray.png: has no partner" in said
    assert main(["recover", *folders, "--max-size", "5", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["pairs"]
    assert [(one["name"], one["obeys"]) for one in told] == [
        ("cat.tif", True), ("coffee.tif", False), ("rocket.tif", True),
    ]  # fmt: skip
    assert [one["reproduced"] == 1 for one in told] == [True, False, True]


def test_folders_without_a_name_in_common(tmp_path, capsys):
    """One sentence, with the names of the folders alone."""
    for side in ("one", "other"):
        (tmp_path / side).mkdir()
        Image.new("L", (40, 40)).save(tmp_path / side / f"{side}.png")
    assert main(["recover", str(tmp_path / "one"), str(tmp_path / "other")]) == 2
    assert "the same names in “one” and “other”" in capsys.readouterr().err


def test_what_is_no_convolution_comes_with_its_program(pair, tmp_path, capsys):
    """A median: how much of the picture that makes, and the code that does."""
    after = tmp_path / "after.png"
    Image.open(pair[0]).filter(ImageFilter.MedianFilter(3)).save(after)
    assert main(["recover", pair[0], str(after), "--max-size", "5"]) == 0
    said = capsys.readouterr().out
    assert "a median filter, 3 × 3: 0 grey levels RMS left, 100 % reproduced" in said
    assert "after = cv2.medianBlur(x, 3)" in said


def test_what_lies_under_transparency_does_not_count(pair, tmp_path, capsys):
    """Other colours under a hole in the picture are no part of the filter's result."""
    paths = []
    for path, hidden in zip(pair, (0, 200), strict=True):
        image = Image.open(path).convert("RGBA")
        image.paste((hidden, 9, 90, 0), (60, 50, 130, 120))
        paths.append(str(tmp_path / Path(path).name))
        image.save(paths[-1])
    assert main(["recover", *paths]) == 0
    said = capsys.readouterr().out
    assert "[[−1, −1, −1], [−1, 16, −1], [−1, −1, −1]] / 8" in said
    assert "not opaque" in said
    pictures = open_side(paths, keep_alpha=True)
    assert [picture.samples.shape[2] for picture in pictures] == [4, 4]


def test_large_offsets_are_written_out(capsys, tmp_path):
    """An offset of a 16-bit file, 32768, is no power of ten."""
    before = np.random.default_rng(0).integers(9000, 50000, (60, 60)).astype(np.uint16)
    after = (before.astype(np.int64) - np.roll(before, 1, axis=1) + 2**17) // 4
    paths = [str(tmp_path / f"{name}.png") for name in ("before", "after")]
    for path, values in zip(paths, (before, after.astype(np.uint16)), strict=True):
        Image.fromarray(values).save(path)
    assert main(["recover", *paths, "--max-size", "5"]) == 0
    assert "offset: 32767.5 grey levels" in capsys.readouterr().out


@pytest.mark.parametrize(("share", "told"), [(0.99999, "99.9 %"), (1.0, "100 %")])
def test_only_all_pixels_are_a_hundred_per_cent(share, told):
    """One clipped pixel in a hundred thousand is seen, and no error bar is rounded down."""
    kernel, errors = np.eye(3)[None, None], np.full((1, 1, 3, 3), 0.00123456)
    lines = _lines(
        Recovery(Verdict.CONVOLUTION, kernel=kernel, standard_error=errors, used_fraction=share)
    )
    assert f"pixels used: {told}" in lines
    assert "standard errors: up to 0.0013" in lines
