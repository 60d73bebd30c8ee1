"""What the stage is told: complete, numbered, small, and what the learner itself has."""

import base64
import json
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from gradio.utils import diff
from PIL import Image

from kernel_demo.errors import DemoError
from kernel_demo.imaging import kernels
from kernel_demo.imaging.filtering import to_grey
from kernel_demo.learning.training import Progress
from kernel_demo.sources import bundled
from kernel_demo.ui import served
from kernel_demo.ui.learn import begun, showing, tab
from kernel_demo.ui.learn import run as events
from kernel_demo.ui.learn.session import Session, prepare
from kernel_demo.ui.learn.settings import START, experiment

# What every value has, of whatever kind but an error.
KEYS = {
    "kind", "server", "number", "session", "run", "method", "size", "truth", "records", "steps",
    "computing", "waiting", "waits", "paused", "end", "allowed", "rates", "device", "picture",
    "border", "chips", "filter", "rated", "experiment", "lesson",
}  # fmt: skip


def records(value):
    raw = b"".join(map(base64.b64decode, value["records"]))
    return np.frombuffer(raw, "<f4").reshape(-1, 5 + value["size"] ** 2)


def raw_of(url: str) -> bytes:
    """The file behind an address: inside it, or one that the page keeps."""
    if url.startswith(served.PLACE):
        return served.content(url.removeprefix(served.PLACE))
    return base64.b64decode(url.partition("base64,")[2])


def learned(**values) -> Session:
    """A run of two photos that is through."""
    _, session = events.learn({}, Session(), START | {"count": 2} | values)
    *_, last = events.run(session)
    return last


@pytest.fixture(scope="module")
def through():
    return learned(noise=2.0)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"method": "adam"},
        {"method": "sgd", "init": "zeros"},
        {"method": "exact"},
        {"method": "closed_form"},
        {"kernel": "random", "size": 31, "kernel_seed": 7},
    ],
    ids=str,
)
def test_before_learning_there_is_a_kernel_already(values):
    """The random start is that of the run which Learn begins, its difference, error and loss too:
    the first record of that run is the same."""
    values = START | {"count": 2} | values
    value, wanted = showing.idle(values), experiment(values)
    assert set(value) == KEYS
    assert (value["kind"], value["session"], value["computing"]) == ("idle", 0, False)
    truth = np.frombuffer(base64.b64decode(value["truth"]), "<f8")
    np.testing.assert_array_equal(truth, wanted.truth.ravel())
    _, session = events.learn({}, Session(), values)
    first = next(events.run(session))
    told, own = records(value)[0], records(showing.frame(first))[0]
    assert told[0] == told[4] == 0
    np.testing.assert_array_equal(told[5:], own[5:])
    np.testing.assert_allclose(told[1:4], own[1:4], rtol=1e-6)
    assert told[3] == np.abs(told[5:]).max()
    assert value["steps"] == (1 if values["method"] == "closed_form" else values["steps"])


def test_what_cannot_be_learned_is_an_error():
    """An input that cannot be used, and no picture at all."""
    nothing = {"source": "mine", "uploads": ["/none.png"]}
    for wrong in ({"noise": -1}, nothing, {"learning_rate": 1e9}):
        with pytest.raises(DemoError):
            showing.idle(START | wrong)


def test_a_run_is_told_as_it_stands(through):
    """Asked for, waiting, at its end, at rest: the state is of the computing, and each is said."""
    value, asked = events.learn({}, Session(), START)
    assert (value["kind"], value["computing"], value["waiting"]) == ("frame", True, None)
    assert (value["end"], value["waits"]) == (None, True)
    assert showing.frame(asked, waiting=3)["waiting"] == 3
    value = showing.frame(through)
    assert set(value) == KEYS
    assert (value["session"], value["run"], value["method"]) == (1, "K-FAC", "kfac")
    assert value["end"]["cause"] in ("OPTIMUM", "PATIENCE", "FLOOR", "STEPS")
    assert value["end"]["sentence"] == through.progress.stopped_because
    assert records(value)[-1, 0] == through.progress.step
    assert 0 < value["allowed"] < 0.01  # of noisy pictures
    assert value["device"] == through.progress.device
    _, paused = events.pause({"step": 2}, through.cut(4))
    value = showing.frame(paused)
    assert (value["paused"], value["computing"], value["end"]) == (True, False, None)


@pytest.mark.parametrize("bad", [None, float("nan"), float("inf")])
def test_every_value_is_json(through, bad):
    """No NaN and no infinity reaches the wire but in records, whatever the run came to."""
    wild = np.full((3, 3), np.nan if bad is None else bad)
    figures = {"loss": bad, "validation_loss": bad, "kernel_error": bad, "allowed": bad}
    last = replace(through.progress, step=10**4, kernel=wild, **figures)
    ran = replace(through, running=True).after(last)
    values = [
        showing.frame(ran), showing.idle(START), showing.failed("no"),
        showing.failed("no", ran), showing.frame(through, waiting=1),
    ]  # fmt: skip
    for value in values:
        json.dumps(value, allow_nan=False)
    assert (values[0]["allowed"], ran.kernel) == (None, None)


def test_a_failure_keeps_what_is_drawn(through):
    """With a run, all of it beside the sentence; else the sentence alone."""
    told = showing.failed("no place", through)
    assert told["error"] == "no place"
    assert told["records"] == showing.frame(through)["records"]
    alone = showing.failed("no")
    assert (alone["kind"], alone["error"], alone["chips"]) == ("error", "no", {})
    assert "records" not in alone


def test_the_chip_of_pictures_says_that_there_is_none():
    """Own pictures without a file: no chip goes on to tell what was chosen before."""
    mine = {**START, "source": "mine", "uploads": None}
    for values in (mine, {**mine, "uploads": ["/none.png"]}):
        assert showing.chips(values)["pictures"]["text"] == "No picture yet"


def test_before_a_picture_is_chosen_nothing_is_wrong():
    """Own pictures without a file: the stage is at its start without a picture, and scolds nobody;
    Learn then says what is missing."""
    mine = START | {"source": "mine", "uploads": None}
    value = showing.idle(mine)
    assert (value["kind"], value["picture"], "error" in value) == ("idle", None, False)
    assert value["chips"]["pictures"]["text"] == "No picture yet"
    value, session = events.learn({}, Session(), mine)
    assert (value["kind"], session.running) == ("error", False)
    assert "at least one picture of yours" in value["error"]


def test_the_chips_of_what_cannot_be_learned_say_what_is_set():
    """Each that can be read: a filter that is none takes neither the method nor the pictures."""
    grid = {"rows": [["abc", "0", "0"], ["0"] * 3, ["0"] * 3]}
    values = START | {"kernel": "own", "editor": grid, "method": "adam", "count": 2}
    told = showing.chips(values)
    assert told["filter"] == {"text": "No filter yet", "none": True}
    assert (told["method"]["text"], told["pictures"]["text"]) == ("Adam", "2 bundled photos")
    assert showing.chips(START) == showing.idle(START)["chips"]


def test_a_rate_that_is_refused_is_not_the_chips():
    """The method is, and that it has no rate yet: neither the one before nor its own."""
    for method, name in (("kfac", "K-FAC"), ("adam", "Adam")):
        told = showing.chips(START | {"method": method, "learning_rate": 500})
        assert told["method"] == {"text": name, "note": "no rate yet"}


def test_only_pictures_are_counted(tmp_path):
    """Of a visitor's files: before Learn, at once after it, and while it learns; unknown before
    they were opened."""
    noise = np.random.default_rng(0).integers(0, 256, (3, 40, 40), dtype=np.uint8)
    paths = [str(tmp_path / f"{number}.png") for number in range(4)]
    for path, pixels in zip(paths, noise, strict=False):
        Image.fromarray(pixels).save(path)
    (tmp_path / "3.png").write_bytes(b"no picture")
    mine = START | {"source": "mine", "uploads": paths}
    value, _ = events.learn({}, Session(), mine)
    assert value["chips"]["pictures"]["text"] == "Own photos"
    assert showing.idle(mine)["chips"]["pictures"]["text"] == "3 own photos"
    value, asked = events.learn({}, Session(), mine)
    went = [*events.go(dict, asked)]
    told = [value, *(frame for frame, _ in went)]
    assert {frame["chips"]["pictures"]["text"] for frame in told} == {"3 own photos"}
    assert {len(frame["chips"]["pictures"]["urls"]) for frame in told} == {3}
    # Until they were read it waits, and Stop is as for who waits.
    assert [frame["waiting"] for frame in told] == [None, showing.READING, *[None] * len(went[1:])]
    assert [session.waits for _, session in went] == [True, *[False] * len(went[1:])]
    assert told[-1]["picture"]["url"]


@pytest.mark.parametrize(("size", "most"), [(3, 5000), (9, 4500), (15, 4000)])
def test_an_update_is_small(size, most):
    """Gradio sends the difference of two values: of a step, its record and the chunk that grows;
    never the pictures, nor the true kernel. A chunk is 64 records at 3 x 3 (4.8 KB, and two such
    updates a second of a long run), so that few strings are compared."""
    generator = np.random.default_rng(0)
    truth = generator.normal(size=(size, size))
    _, session = events.learn({}, Session(), START)
    wanted = replace(session.experiment, weights=tuple(map(tuple, truth.tolist())))
    session = replace(session, experiment=wanted, kept=showing.start(wanted))
    before, sizes = showing.frame(session), []
    for step in range(1, 300):
        kernel = truth + 0.9**step * generator.normal(size=(size, size))
        progress = Progress(
            step=step, steps=300, loss=0.1, validation_loss=0.1, kernel=kernel, offset=0.0,
            kernel_error=1.0, excess_loss=None, seconds=0.1, device=before["device"], stop=None,
            state={},
        )  # fmt: skip
        session = session.after(progress)
        value = showing.frame(session)
        edits = diff(before, value)
        assert not any(edit[1][0] in ("picture", "chips", "truth") for edit in edits)
        sizes.append(len(json.dumps(edits)))
        before = value
    assert max(sizes) < most


def test_a_run_has_the_filter_that_it_began_with():
    """Its name is told with every frame, whatever the page calls the same numbers later."""
    values = START | {"count": 2, "method": "closed_form"}
    _, session = events.learn({}, Session(), values)
    *_, (_, session) = events.go(dict, session)
    value, session = tab.on_stage(session, values | {"kernel": "own"})
    assert value["chips"]["filter"]["text"] == "Your own, 3 × 3"
    assert (value["kind"], value["filter"]) == ("frame", "Sobel x, 3 × 3")


def test_the_pixels_of_a_picture_travel_once():
    """They are in the answer to Learn, unless the browser says that it has them; what follows names
    the picture and leaves them out, unless it is another one."""
    value, asked = events.learn({}, Session(), START | {"count": 2, "steps": 12})
    key, notes = value["picture"]["key"], {}
    assert len(raw_of(value["picture"]["url"])) > 75_000
    values = []
    for told, latest in events.go(lambda: notes, asked):
        values.append(told)
        session = latest
        if len(values) == 2:
            photo = bundled.photos(2)[1]
            notes["piece"] = showing.piece_of((photo,), 0, "luminance")
    first, *_, last = values
    assert (first["picture"]["key"], first["picture"]["url"]) == (key, "")
    assert last["picture"] == notes["piece"]
    assert len(raw_of(last["picture"]["url"])) > 75_000
    value, _ = events.pause({"step": 3}, session)
    assert value["picture"] == last["picture"] | {"url": ""}
    values = START | {"count": 2, "steps": 12}
    for name in (events.learn, events.step):
        for held, sent in (([key], False), ([], True), (5, True)):
            value, _ = name({"held": held}, Session(), values)
            assert bool(value["picture"]["url"]) == sent


# ---- The piece of a photo


def decoded(url):
    raw = raw_of(url)
    return np.asarray(Image.open(BytesIO(raw)))


@pytest.mark.parametrize(
    ("height", "width", "view", "sent"),
    [
        (400, 600, (100, 0, 400), (85, 0, 430, 400)),
        (1000, 801, (200, 300, 400), (185, 285, 430, 430)),
        (410, 402, (1, 5, 400), (0, 0, 402, 410)),
        (20, 300, (140, 0, 20), (125, 0, 50, 20)),
        (7, 7, (0, 0, 7), (0, 0, 7, 7)),
    ],
)
@pytest.mark.parametrize("colour", [False, True])
def test_a_piece_is_the_photos_own_pixels(height, width, view, sent, colour):
    """The middle of it, with up to 15 pixels around where the photo has them: each in its place, to
    the last bit, grey or in colour."""
    shape = (height, width, 3) if colour else (height, width)
    levels = np.random.default_rng(height).integers(0, 256, shape).astype(np.uint8)
    value = showing.piece(levels.astype(np.float32) / 255, "red")
    left, top, wide, high = sent
    assert (value["left"], value["top"], value["width"], value["height"]) == sent
    assert tuple(value["view"]) == view
    assert (value["of"], value["channel"]) == ([height, width], "red")
    np.testing.assert_array_equal(
        decoded(value["url"]), levels[top : top + high, left : left + wide]
    )


@pytest.mark.parametrize("channel", ["luminance", "green"])
def test_a_piece_has_the_values_that_are_learned_from(channel):
    """The grey of its 8-bit samples is that of the photo itself, to 0.001 grey levels."""
    for photo in bundled.photos():
        value = showing.piece(photo.pixels, channel)
        rows = slice(value["top"], value["top"] + value["height"])
        columns = slice(value["left"], value["left"] + value["width"])
        sent = to_grey(decoded(value["url"]).astype(np.float64), channel)
        own = 255 * to_grey(photo.pixels, channel)[rows, columns]
        np.testing.assert_allclose(sent, own, atol=1e-3)


@pytest.mark.parametrize("channel", ["luminance", "blue"])
@pytest.mark.parametrize("shape", [(30, 40), (30, 40, 3)])
def test_of_photos_beyond_8_bits_the_very_grey_is_sent(shape, channel):
    """16 bits, or made smaller: red, green and blue are the bytes of the grey that is learned from,
    which come to 1e-4 grey levels; photos of 8 bits are sent as they are."""
    photo = np.random.default_rng(3).random(shape, dtype=np.float32)
    value = showing.piece(photo, channel)
    bytes_of = decoded(value["url"]).astype(np.float64)
    own = 255 * (photo if photo.ndim == 2 else to_grey(photo, channel))
    sent = 255 / (2**24 - 1) * (bytes_of @ [65536, 256, 1])
    assert value["channel"] == "deep"
    np.testing.assert_allclose(sent, own, atol=1e-4)
    assert showing.piece(np.rint(255 * photo) / np.float32(255), channel)["channel"] == channel


def test_pieces_are_told_apart():
    """Another photo, or another grey of it, has another key; the same one the same."""
    photos = bundled.photos(2)
    keys = [showing.piece_of(photos, number, channel)["key"]
            for number in (0, 1) for channel in ("red", "blue")]  # fmt: skip
    assert len(set(keys)) == 4
    assert showing.piece_of(photos, 0, "red")["key"] == keys[0]
    assert showing.piece_of(photos, 99, "red")["name"] == photos[1].name


def test_another_picture_changes_no_run(through):
    """It is shown, the run stays as it is; without a run the start is told with it, and Learn keeps
    it; what is no picture is refused."""
    values = START | {"count": 2, "noise": 2.0}
    value, session = events.picture({"index": 1}, 0, through, values)
    assert value["picture"]["name"] == bundled.photos(2)[1].name
    assert (value["session"], value["records"]) == (1, showing.frame(through)["records"])
    value, session = events.picture({"index": 1}, 0, Session(), values)
    assert (value["kind"], value["picture"]["name"]) == ("idle", bundled.photos(2)[1].name)
    value, _ = events.learn({}, session, values)
    assert value["picture"]["name"] == bundled.photos(2)[1].name
    for index in (-1, "x", None):
        value, _ = events.picture({"index": index}, 0, through, values)
        assert "picture" in value["error"]


# ---- Words


@pytest.mark.parametrize(
    ("values", "pictures", "filtered", "method", "run"),
    [
        ({}, "8 bundled photos", "Sobel x, 3 × 3", ("K-FAC", ""), "K-FAC"),
        ({"count": 1, "method": "adam", "learning_rate": 0.2}, "1 bundled photo", "Sobel x, 3 × 3",
         ("Adam", "rate 0.2"), "Adam, rate 0.2"),
        ({"kernel": "random", "size": 9}, "8 bundled photos", "Random, 9 × 9", ("K-FAC", ""),
         "K-FAC"),
        ({"method": "exact", "optimizer": "lbfgs"}, "8 bundled photos", "Sobel x, 3 × 3",
         ("Exact L-BFGS", ""), "Exact L-BFGS"),
        ({"method": "closed_form"}, "8 bundled photos", "Sobel x, 3 × 3", ("Closed form", ""),
         "Closed form"),
    ],
)  # fmt: skip
def test_chips_say_what_is_set(values, pictures, filtered, method, run):
    """Pictures, filter and method in a few words, and small pictures; the run by its method."""
    value = showing.idle(START | values)
    told = value["chips"]
    assert told["pictures"]["text"] == pictures
    assert told["pictures"]["short"] == pictures.replace("bundled ", "")
    assert told["filter"]["text"] == filtered
    assert (told["method"]["text"], told["method"]["note"]) == method
    assert value["run"] == run
    assert 1 <= len(told["pictures"]["urls"]) <= 4
    assert max(decoded(url).shape[1] for url in told["pictures"]["urls"]) <= showing.SMALL


def test_a_turned_filter_says_its_angle():
    """Of those that come at an angle, which one."""
    turning = next(name for name, one in kernels.CATALOGUE.items() if one.takes_angle)
    text = showing.idle(START | {"kernel": turning, "angle": 45})["chips"]["filter"]["text"]
    assert " 45°" in text


def test_the_chip_of_a_run_has_the_rate_that_counts():
    """Changed on the way: the rate on the chip and its mark are the new ones, the name of the run
    has all; what came before keeps its own in the list of changes."""
    ran = learned(method="adam", steps=20)
    own = showing.own_rate(ran.experiment)
    value, _ = events.rate({"step": 5, "rate": 0.01}, ran)
    assert value["chips"]["method"] == {"text": "Adam", "note": "rate 0.01"}
    assert value["run"] == f"Adam, rate {own:g} then 0.01"
    assert value["rates"] == [[5, 0.01]]
    *_, again = events.run(events.rate({"step": 3, "rate": 0.01}, ran)[1])
    back, _ = events.rate({"step": 5, "rate": 0}, again)
    assert back["rates"] == [[3, 0.01], [5, own]]  # the method's own, as a number
    assert back["run"] == f"Adam, rate {own:g} then 0.01 then {own:g}"
    rates = [(step, step / 100) for step in (1, 2, 3, 4)]
    assert (
        showing.run_name(ran.experiment.settings, rates) == "Adam, rate 0.01 then others then 0.04"
    )


def test_what_the_page_begins_with(monkeypatch):
    """The figures kept beforehand are those of the photos and of torch: else run .ci/begun.py."""
    wanted = experiment(START)
    measured = showing.measured(wanted)
    assert begun.losses(wanted.key, measured.kernel) == pytest.approx(
        (measured.loss, measured.validation_loss), rel=1e-5
    )
    assert begun.losses(wanted.key, measured.kernel + 1e-7) is None
    monkeypatch.setattr(begun, "version", lambda: begun._kept()["torch"])
    np.testing.assert_array_equal(begun.kernel(wanted.key), measured.kernel)
    assert begun.kernel("another") is None
    monkeypatch.setattr(begun, "version", lambda: "1.0")
    assert begun.kernel(wanted.key) is None
    sums, _ = prepare(wanted).sums(len(wanted.weights))
    kept = begun.sums(wanted.lesson)
    for name in ("gram", "cross", "patch_sum", "energy", "after_sum", "count", "size", "peak"):
        np.testing.assert_allclose(getattr(kept, name), getattr(sums, name), rtol=1e-12)
    assert begun.sums("another") is None
