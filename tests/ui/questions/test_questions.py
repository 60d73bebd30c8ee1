"""The answers of the tab "Questions": what they compute, and how it is written."""

import re
from contextlib import closing
from functools import partial
from html import unescape
from types import SimpleNamespace

import cv2
import gradio as gr
import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import to_grey
from kernel_demo.imaging.kernels import number
from kernel_demo.lab.challenge import Score, hidden, impossible
from kernel_demo.lab.limits import LIMITS
from kernel_demo.lab.stopping import Moment, Verdict
from kernel_demo.sources.bundled import photos
from kernel_demo.ui.components import chart, kernel_editor
from kernel_demo.ui.questions import apply, card, limits, models, pixels
from kernel_demo.ui.questions import markup as html


@pytest.fixture(scope="module")
def pictures():
    """Pieces of two photos: as rich, and quicker."""
    return [to_grey(photo.pixels)[:200, :260] for photo in photos(2)]


def figure(answer: str, name: str) -> float:
    """A figure of an answer, as a script on the page would read it."""
    return float(re.search(rf'data-{name}="([^"]*)"', answer)[1])


def last(answers) -> str:
    *_, answer = answers
    assert 'data-done="true"' in answer.html
    assert answer.finding in unescape(answer.html)
    return answer.html


def test_tiles_change_nothing(pictures):
    """Learned and applied whole and in tiles: both largest differences are 0, on an odd size."""
    answer = last(pixels.tiles(pictures))
    assert figure(answer, "kernel-difference") == 0
    assert figure(answer, "output-difference") == 0
    assert "259 × 199 pixels in 6 tiles" in answer


@pytest.mark.parametrize(("shape", "cut"), [((8, 9), (7, 9)), ((7, 7), (7, 7)), ((8, 8), (7, 7))])
def test_odd(shape, cut):
    """An even side loses one pixel, an odd one none."""
    assert pixels.odd(np.zeros(shape)).shape == cut


def test_padding_teaches_a_wrong_kernel(pictures):
    """From padded pixels the kernel errs visibly, from valid ones by rounding only."""
    answer = last(pixels.edges(pictures))
    assert figure(answer, "padded-error") > 0.05
    assert figure(answer, "valid-error") < 1e-8
    assert answer.count("<img") == 10  # five corners, five differences


def test_the_layer_works_on_any_size(pictures):
    """Learned on tiles, applied to both pictures in a row, cut to odd sides: two fewer come out."""
    answer = last(pixels.anywhere(pictures))
    assert figure(answer, "width") == 519
    assert re.search(r"kd-finding[^>]*>Yes: ", answer)  # the question is whether
    assert "519 × 199" in answer
    assert "517 × 197" in answer
    assert figure(answer, "output-difference") < 0.1  # grey levels; float32 and 60 steps


def test_speed_is_measured(pictures, monkeypatch):
    """Each way has a row, the last one the sums."""
    monkeypatch.setattr("kernel_demo.lab.speed.SECONDS", 0.05)
    answer = last(models.measure(pictures))
    assert figure(answer, "rows") >= 4
    assert models.SPEED_WAYS["sums"] in answer


# The Laplacian of a Gaussian has rank 2, and 3 once its mean is taken off.
RANKS = {"sobel_x 3": 1, "gaussian 9": 1, "sharpen 3": 2, "log 9": 3, "random 7": 7}


@pytest.mark.parametrize("kernel", models.SMALL_KERNELS)
def test_compression(pictures, kernel):
    """A row for each kind; whole numbers survive 8 bits exactly; the rank is the kernel's own."""
    answer = last(models.small(pictures, kernel))
    assert answer.count("<tr>") == 1 + len(models.SMALL_KINDS)
    if kernel in ("sobel_x 3", "sharpen 3"):
        assert figure(answer, "int8-error") == 0
    assert figure(answer, "rank") == RANKS[kernel]


def test_an_unknown_kernel_is_told(pictures):
    """A choice that the page does not offer is a DemoError, in each of the parts."""
    for answers in (
        models.small(pictures, "../etc 3"),
        limits.one(pictures, "nothing"),
        models.deep(pictures, "nothing"),
    ):
        with pytest.raises(DemoError):
            next(answers)


def test_the_rules_are_watched(pictures, monkeypatch):
    """The run is told step by step, and ends by the rules or its own time."""
    monkeypatch.setattr(models, "STEPS", 60)
    answer = last(models.watch_rules(pictures))
    assert figure(answer, "kernel-error") > 0.1
    assert answer.count('scope="row"') == 3


def test_the_loss_has_one_scale():
    """Where a rule fired the table has the share of the variance that the facts have there, and
    that is below the 1 % that the rule asks for."""
    progress = SimpleNamespace(kernel=np.eye(3), kernel_error=0.25, step=40)
    verdict = Verdict("loss", 40, 0.0068, 0.25)
    moment = Moment(progress, 2e3, 0.0068, (verdict,), True)
    curves = {models.LOSS_SHARE: [(0, 3.1), (40, 0.0068)], "kernel error": [(0, 1), (40, 0.25)]}
    answer = models._watched(moment, curves, np.eye(3)).html
    assert answer.count("0.680 %") == 2
    assert "310 %" in answer
    assert not re.search(r"\d·10", re.sub(r"<canvas[^>]*>", "", answer.partition("<table")[2]))


@pytest.mark.parametrize(
    ("shallow", "deep", "gain"),
    [(7.44, 32.56, "25.2"), (7.36, 32.64, "25.2"), (20.04, 20.06, "0.1"), (20.0, 20.04, None)],
)
def test_a_gain_is_that_of_the_figures_shown(shallow, deep, gain):
    """The difference of two figures is told as whoever takes one off the other finds it."""
    told = models.depth_finding(shallow, deep, "")
    assert (f" {gain} dB better" in told) if gain else "no better" in told


def test_the_challenge_tells_one_figure():
    """What the layer found it to is the largest weight error beside it, rounded up once."""
    found = Score(99.9, 7.604e-4, 1e-3, 1e-3, 1e-3, False, True)
    assert "found it to 7.7·10⁻⁴:" in limits._learned_finding(found)
    assert "7.7·10⁻⁴" in limits._score_facts(found)
    assert "7.6·10⁻⁴" not in limits._score_facts(found)


def test_depth_is_raced(pictures):
    """The first update has both sides' PSNR, and the race can be left."""
    with closing(models.deep(pictures, "magnitude")) as answers:
        answer = next(answers).html
    assert np.isfinite([figure(answer, "shallow"), figure(answer, "deep")]).all()
    assert models.DEEP in answer


def test_linear_layers_are_one_kernel(pictures, monkeypatch):
    """The stack ends with three factors and their product beside the truth."""
    monkeypatch.setattr(models, "STACK_STEPS", 12)
    answer = last(models.linear(pictures))
    assert answer.count('class="kd-matrix"') == 5
    assert figure(answer, "step") == 12


@pytest.mark.parametrize("key", LIMITS)
def test_each_limit_is_told(pictures, key):
    """Each way has a name, a reason and both errors; the measured one is no surprise."""
    answer = last(limits.one(pictures, key))
    assert limits.WAYS[key][0] in answer
    assert f"with the remedy: {limits.REMEDIES[key]}" in unescape(answer)
    # Rounding noise is random, and its forecast a median: a factor of 4 is far out in its tail.
    assert figure(answer, "measured") < 4 * figure(answer, "predicted")


def test_every_way_has_its_remedy(pictures):
    """In the table of all twelve no cell is blank; three have no error with a remedy."""
    answer = last(limits.every(pictures))
    cells = [re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", row) for row in answer.split("<tr>")[2:]]
    assert [row[0] for row in cells] == [name for name, _ in limits.WAYS.values()]
    assert all(len(row) == len(limits.TABLE) and all(row) for row in cells)
    without = [row[0] for row in cells if row[-1] == limits.NO_FIGURE]
    assert without == [limits.WAYS[key][0] for key in WITHOUT_A_REMEDY]


WITHOUT_A_REMEDY = ("model_too_large", "even_kernel", "non_linear")  # none is needed, or another


def test_a_guess_is_scored(pictures):
    """The truth scores 100 and zeros 0, without telling the hidden kernel."""
    truth = hidden(3, 5).values
    right = last(limits.guess(pictures, truth, kernel_editor.editor_value(truth)))
    zeros = {"rows": [["0"] * 3] * 3}
    wrong = last(limits.guess(pictures, truth, zeros))
    assert figure(right, "points") == 100
    assert figure(wrong, "points") == 0
    assert "the hidden kernel" not in wrong


@pytest.mark.parametrize("cell", ["abc", "", "nan", "1/0"])
def test_a_cell_that_is_no_number_takes_the_score_away(cell):
    """Scored or only edited: one sentence says what was expected, and no score stays beside it."""
    rows = [["0", "1", "0"], ["0", cell, "0"], ["0", "0", "0"]]
    told, result, made = limits.checked({"rows": rows})
    assert told.count("Expected") == 1
    assert (result, made) == ("", None)
    told, result, _ = limits.checked({"rows": [["0"] * 3] * 3})
    assert told == ""
    assert result != ""  # a score stays beside numbers


def test_a_guess_is_told_of_weights_that_can_be():
    """The numbers named as examples are ones that a hidden kernel may have: no ninths."""
    told, *_ = limits.checked({"rows": [["0", "1", "0"], ["0", "abc", "0"], ["0", "0", "0"]]})
    examples = re.search(r"such as (\S+), (\S+) or (\S+) in", told).groups()
    assert not impossible(np.array([*map(number, examples)])).any()


def test_an_old_answer_does_not_stay_beside_an_error():
    """What a card shows after a problem is the problem: the answer to other inputs is gone."""
    asked = partial(
        card.ask, lambda text: (yield card.answer(text)), no_bees, True, "bundled", None
    )
    (*_, shown, made), (*_, status, result, left) = asked("a")
    assert "a" in shown
    assert made
    assert "role" not in status
    assert result == left == gr.skip()  # the answer that was shown just before stays
    ((*_, status, result, left),) = asked("b")
    assert "Expected no b" in status
    assert (result, left) == ("", None)


def no_bees(_source, _uploads, text: str) -> tuple:
    if text == "b":
        raise DemoError("no b", text, "Leave it out.")
    return (text,)


def test_the_layer_solves_the_challenge(pictures, monkeypatch):
    """Learned by K-FAC, it comes near the best that the pictures allow."""
    monkeypatch.setattr(limits, "STEPS", 40)
    answer = last(limits.learn(pictures, hidden(3, 5).values))
    assert figure(answer, "points") > 50


@pytest.mark.parametrize(
    ("asked", "size", "number"),
    [("3-17", 3, 17), ("7-99999", 7, 9999), ("4-1", None, None), ("<b>", None, None),
     ("3--1", None, None), ("3-²", None, None), ("", None, None)],
)  # fmt: skip
def test_a_link_to_a_challenge(asked, size, number):
    """A link sets size and number; anything else is no challenge."""
    found = limits.find(asked)
    assert found is None if size is None else found.updates == (size, number)


def test_a_picture_is_filtered_in_tiles(tmp_path, monkeypatch):
    """The file is what OpenCV makes of the whole, and is gone when the page has copied it."""
    monkeypatch.setattr(apply, "TILE", 50)
    values = np.random.default_rng(0).integers(0, 256, (120, 90)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "mine.png"), values)
    path = None
    for update in apply.run(str(tmp_path / "mine.png"), "box 15", "replicate"):
        if isinstance(update[2], dict) and update[2].get("value"):
            path = update[2]["value"]
            made = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    blurred = cv2.blur(values.astype(float), (15, 15), borderType=cv2.BORDER_REPLICATE)
    assert np.abs(made - blurred).max() <= 0.5 + 1e-9
    assert cv2.imread(path) is None


def test_what_is_no_picture_is_told(tmp_path):
    """A broken file is one sentence, and the button is there again."""
    (tmp_path / "a.png").write_bytes(b"no")
    *_, update = apply.run(str(tmp_path / "a.png"), "box 15", "reflect")
    assert update[0]["interactive"]
    assert "a.png" in update[3]


def test_the_pictures_of_a_visitor(tmp_path):
    """Large ones by their middle; too small ones, and none, are told."""
    big = np.random.default_rng(0).integers(0, 256, (1200, 80)).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "big.png"), big)
    ((picture,),) = card.grey("mine", [str(tmp_path / "big.png")])
    assert np.array_equal(np.rint(picture * 255), big[88:1112])
    cv2.imwrite(str(tmp_path / "small.png"), big[:20, :20])
    for uploads in ([str(tmp_path / "small.png")], [], None):
        with pytest.raises(DemoError):
            card.grey("mine", uploads)


def test_text_is_escaped():
    """Whatever a part is given, no markup comes out of it."""
    evil = "<script>"
    parts = [
        html.table([evil], [[evil, evil]], evil),
        html.facts([(evil, evil)]),
        html.pictures([("data:", evil, evil)]),
        html.sentence(evil),
        html.heading(evil),
        html.progress(0.5, evil),
        chart.html(evil, {evil: [(0, 0)]}, (0, 1), evil),
        html.matrices([(evil, np.eye(3))], evil),
        html.result(name=evil),
    ]
    assert not any(evil in part for part in parts)
