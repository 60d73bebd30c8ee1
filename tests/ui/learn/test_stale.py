"""Every result of the tab "Learn" knows what it was made from."""

import base64

import cv2
import numpy as np
import pytest
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from tests.ui.visitor import Visitor

RESULTS = {"result-card", "certificate", "take", "result-files"}


TAUGHT = ("noise", "eight-bit", "count")  # what the learner is shown: the certificate follows it


@pytest.fixture
def visitor(address):
    """One who learns from a single photo."""
    visitor = Visitor(address)
    visitor.shown["count"]["value"] = 1
    return visitor


def marked(visitor) -> set[str]:
    return set(visitor.stale("learn-stale") or ())


def choose(visitor, name, value) -> None:
    """As a visitor does: what the choice arranges follows it."""
    visitor.choose(name, value)
    if name in ("kernel", "method"):
        visitor.press(name, "input")


def learn(visitor) -> None:
    visitor.press("live", "learn", data={})
    arrive(visitor)


def arrive(visitor) -> None:
    """The show comes to the last step there is, as the stage then tells."""
    if not visitor.shown["live"]["value"]["computing"]:
        visitor.press("live", "arrived", data={"step": step(visitor)})


def step(visitor) -> int:
    """The latest step on the stage."""
    value = visitor.shown["live"]["value"]
    records = np.frombuffer(b"".join(map(base64.b64decode, value["records"])), "<f4")
    return int(records.reshape(-1, 5 + value["size"] ** 2)[-1, 0])


CARDS = ("result", "result-empty", "take", "certificate")


def cards(visitor) -> list:
    """What they say; of the files the code alone, as the order inside of some is by chance."""
    values = [visitor.shown[name].get("value") for name in CARDS]
    return [
        one["snippets"] if isinstance(one, dict) and "snippets" in one else one for one in values
    ]


def test_the_cards_say_nothing_before_the_show_is_over(visitor):
    """A run that ended is told below the stage when it has been shown, not when it was computed."""
    before = cards(visitor)
    visitor.press("live", "learn", data={})
    assert visitor.shown["live"]["value"]["end"]
    assert cards(visitor) == before
    arrive(visitor)
    assert not any(one == other for one, other in zip(cards(visitor), before, strict=True))


def test_a_show_that_goes_on_from_a_pause_tells_its_end(visitor):
    """Paused at step 2 of a run long computed, the cards are of step 2; at its end, of the end."""
    learn(visitor)
    ended = cards(visitor)
    visitor.press("live", "pause", data={"step": 2})
    assert not any(one == other for one, other in zip(cards(visitor), ended, strict=True) if one)
    arrive(visitor)
    assert cards(visitor) == ended


@pytest.mark.sweep(4)
@pytest.mark.parametrize(
    ("name", "other"),
    [("method", "adam"), ("noise", 2), ("eight-bit", True), ("count", 2), ("source", "mine"),
     ("steps", 100)],
)  # fmt: skip
def test_another_setting_marks_what_was_learned(visitor, name, other):
    """Nothing before the first run; all of it afterwards, until the setting is set back.

    The stage is never stale: it is back at its start at once, and has the run again when set back.
    What the certificate tells of the pictures and the kernel of the page is not stale either.
    """
    first = visitor.shown[name]["value"]
    choose(visitor, name, other)
    assert marked(visitor) == set()
    choose(visitor, name, first)
    learn(visitor)
    learned = step(visitor)
    assert marked(visitor) == set()
    choose(visitor, name, other)
    assert marked(visitor) == RESULTS - ({"certificate"} if name in TAUGHT else set())
    assert (step(visitor), visitor.shown["live"]["value"]["kind"]) == (0, "idle")
    choose(visitor, name, first)
    assert (marked(visitor), step(visitor)) == (set(), learned)


@pytest.mark.sweep(3)
@pytest.mark.parametrize(
    ("name", "value"),
    [("split", "test"), ("seed", 7), ("optimizer", "adam")],
)
def test_what_does_not_count_marks_nothing(visitor, name, value):
    """The split of a dataset is of no matter to bundled photos, nor a seed to Sobel."""
    learn(visitor)
    part = visitor.part(name) if name != "split" else labelled(visitor, "Split")
    visitor.props[part]["value"] = value
    visitor.press(part, "blur" if name == "split" else "change")
    assert marked(visitor) == set()
    assert step(visitor) > 0


def test_another_rate_marks_what_was_learned(visitor):
    """Set where no run is shown, which the stage tells: it is back at its start."""
    learn(visitor)
    assert marked(visitor) == set()
    visitor.shown["rate"]["value"] = 0.01
    visitor.press("live", "set", data={})
    assert marked(visitor) == RESULTS
    assert (step(visitor), visitor.shown["live"]["value"]["kind"]) == (0, "idle")
    assert visitor.shown["live"]["value"]["chips"]["method"]["note"] == "rate 0.01"


def labelled(visitor, label) -> int:
    return next(key for key, props in visitor.props.items() if props.get("label") == label)


def test_another_kernel_takes_the_place_of_the_run(visitor):
    """The stage and the certificate turn to it and are current; set back, the run is there again.

    So is its proof.
    """
    learn(visitor)
    learned, proof = step(visitor), visitor.shown["certificate"]["value"]
    choose(visitor, "kernel", "sharpen")
    assert step(visitor) == 0
    assert marked(visitor) == {"result-card", "take", "result-files"}
    assert visitor.shown["certificate"]["value"] != proof
    choose(visitor, "kernel", "sobel_x")
    assert (step(visitor), visitor.shown["certificate"]["value"]) == (learned, proof)
    assert marked(visitor) == set()


def test_other_edges_draw_anew_and_lift_no_mark(visitor):
    """Until the result is drawn with them it is stale; of another experiment it stays so."""
    learn(visitor)
    first = visitor.shown["take"]["value"]
    choose(visitor, "edges", "zero")
    assert (visitor.shown["live"]["value"]["border"], step(visitor) > 0) == ("zero", True)
    assert marked(visitor) == {"result-card", "take", "result-files"}
    visitor.press("edges", "input")
    second = visitor.shown["take"]["value"]
    assert second != first
    assert marked(visitor) == set()
    choose(visitor, "method", "adam")
    choose(visitor, "edges", "wrap")
    visitor.press("edges", "input")
    assert visitor.shown["take"]["value"] != second
    assert marked(visitor) == RESULTS


def held_back(visitor) -> list[dict]:
    """The events of a run that is asked for, which wait as for a device that others hold."""
    (heard,) = visitor.of("live", "learn")
    waits = [event for event in visitor.after(heard["id"])
             if visitor.part("live") in event["outputs"]]  # fmt: skip
    for event in waits:
        del visitor.events[event["id"]]
    return waits


def let_go(visitor, waits: list[dict]) -> None:
    """The run has its turn, and ends."""
    visitor.events |= {event["id"]: event for event in waits}
    visitor.dispatch(next(each for each in waits if not each["trigger_only_on_failure"]))
    arrive(visitor)


def test_while_another_run_waits_the_old_results_are_stale(visitor):
    """The stage is the new run's at once; what stands below it is not, until that has ended."""
    learn(visitor)
    choose(visitor, "method", "closed_form")
    waits = held_back(visitor)
    learn(visitor)
    assert visitor.shown["live"]["value"]["computing"]
    assert marked(visitor) == RESULTS
    choose(visitor, "edges", "zero")  # drawn anew, of the run that ended
    visitor.press("edges", "input")
    assert marked(visitor) == RESULTS
    let_go(visitor, waits)
    assert marked(visitor) == set()


def test_a_kernel_chosen_during_a_run_leaves_it_in_view(visitor):
    """A run under way stays in view; when it ended, of another kernel than the page's, its results
    are stale. The next choice of a kernel takes its place on the stage, as of any run."""
    waits = held_back(visitor)
    learn(visitor)
    choose(visitor, "kernel", "sharpen")
    assert visitor.shown["live"]["value"]["computing"]
    let_go(visitor, waits)
    assert step(visitor) > 0
    assert marked(visitor) == RESULTS
    choose(visitor, "kernel", "box")
    assert step(visitor) == 0
    assert marked(visitor) == RESULTS - {"certificate"}
    choose(visitor, "kernel", "sobel_x")
    assert step(visitor) > 0
    assert marked(visitor) == set()


def test_what_is_being_made_anew_is_marked_without_words(visitor):
    """From Learn until its results are here nothing is to be done about the old ones; as soon as
    the page is set otherwise there is."""
    learn(visitor)
    choose(visitor, "method", "closed_form")
    assert not silent(visitor)
    visitor.press("live", "learn", data={})  # it is through, and its show is not over yet
    assert (marked(visitor), silent(visitor)) == (RESULTS, True)
    arrive(visitor)
    assert marked(visitor) == set()
    choose(visitor, "method", "adam")
    assert (marked(visitor), silent(visitor)) == (RESULTS, False)
    choose(visitor, "noise", 21)  # what cannot be read is no run's
    assert not silent(visitor)


def silent(visitor) -> bool:
    return visitor.shown["learn-stale"]["value"]["pending"]


@pytest.mark.parametrize(("other", "stands"), [(False, True), (True, False)])
def test_a_run_halted_before_its_turn_leaves_the_last_one(visitor, other, stands):
    """Of the same settings it stands on the stage again, as on the cards below; of others not."""
    learn(visitor)
    learned = step(visitor)
    if other:
        choose(visitor, "method", "adam")
    held_back(visitor)
    learn(visitor)
    assert step(visitor) == 0
    visitor.press("live", "stop", data={})
    assert step(visitor) == (learned if stands else 0)
    assert not visitor.shown["live"]["value"]["computing"]
    assert marked(visitor) == (set() if stands else RESULTS)


@pytest.mark.sweep(3)
@pytest.mark.parametrize(
    ("kernel", "name", "value"),
    [
        ("own", "editor", {"rows": [["x"] * 3] * 3}),
        ("random", "seed", -1),
        ("sobel_x", "noise", 21),
    ],
)
def test_what_cannot_be_read_is_other_than_what_was_learned(visitor, kernel, name, value):
    """A cell that is no number, and a number out of bounds: told on the stage and marked, and no
    visitor's first run."""
    visitor.shown["kernel"]["value"] = kernel
    good = visitor.shown[name]["value"]

    def change(value):
        visitor.shown[name]["value"] = value
        visitor.press(name, "change")
        if name == "editor":
            visitor.press(name, "edit")

    change(value)
    assert visitor.shown["live"]["value"]["error"]
    assert marked(visitor) == set()
    change(good)
    assert "error" not in visitor.shown["live"]["value"]
    learn(visitor)
    change(value)
    assert marked(visitor) == RESULTS
    change(good)
    assert marked(visitor) == set()


def test_other_uploads_are_another_lesson(visitor):
    """What was learned from the files before is not that of the files now."""
    visitor.shown["source"]["value"] = "mine"
    visitor.shown["uploads"]["value"] = upload(1)
    learn(visitor)
    assert visitor.shown["live"]["value"]["end"]["complete"]
    assert marked(visitor) == set()
    choose(visitor, "uploads", upload(2))
    assert marked(visitor) == RESULTS - {"certificate"}  # which tells of the new files
    assert step(visitor) == 0


def upload(seed: int) -> list:
    noise = np.random.default_rng(seed).integers(0, 256, (90, 80)).astype(np.uint8)
    data = cv2.imencode(".png", noise)[1].tobytes()
    path = save_bytes_to_cache(data, f"{seed}.png", cache_dir=get_upload_folder())
    return [{"path": path, "meta": {"_type": "gradio.FileData"}}]


def test_a_race_knows_who_raced_and_for_what(visitor):
    """Other racers, another kernel: stale. The method of a run is of no matter to a race."""
    names = ["exact_kfac", "closed_form"]
    choose(visitor, "race-methods", names)
    visitor.press("race")
    assert visitor.shown["race-view"]["value"]["done"]
    assert not visitor.stale("race-stale")
    for name, other, first, stale in (
        ("race-methods", [*names, "exact_adam"], names, True),
        ("kernel", "sharpen", "sobel_x", True),
        ("method", "adam", "kfac", False),
    ):
        choose(visitor, name, other)
        assert visitor.stale("race-stale") == stale
        choose(visitor, name, first)
        assert not visitor.stale("race-stale")


def test_without_a_file_the_panel_says_what_to_do(visitor):
    """Before anything is learned it tells nothing of pictures that are not chosen, and nothing is
    said to be learned; with the pictures back, it tells of them."""
    assert "These pictures tell" in visitor.shown["certificate"]["value"]
    choose(visitor, "source", "mine")
    assert "Choose one or more files" in visitor.shown["certificate"]["value"]
    assert marked(visitor) == set()
    choose(visitor, "source", "bundled")
    assert "These pictures tell" in visitor.shown["certificate"]["value"]
