"""What the stage is told: values of `live`, each complete by itself.

Values are numbered, so that any may be skipped, repeated or late: whichever event brings it, the
browser passes over what was made before what it shows. Gradio sends only what differs from the
value before: records travel as chunks of which only the last one grows, a picture once.
"""

import hashlib
import itertools
import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import lru_cache
from types import SimpleNamespace

import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.imaging.catalogue import CATALOGUE
from kernel_demo.imaging.filtering import to_grey, to_uint8
from kernel_demo.learning import devices
from kernel_demo.learning.choices import default_rate
from kernel_demo.learning.evaluation import kernel_error
from kernel_demo.learning.exact import ExactSettings, train_exact
from kernel_demo.learning.model import layers
from kernel_demo.learning.training import Progress, Stop, TrainSettings, train
from kernel_demo.numbers import short
from kernel_demo.sources.decoding import KEPT, Photo
from kernel_demo.sources.memory import Memory
from kernel_demo.ui import device, pictures
from kernel_demo.ui.components import worked
from kernel_demo.ui.components.kept import Kept, plain
from kernel_demo.ui.learn import begun
from kernel_demo.ui.learn.session import Experiment, Look, Session, Settings, prepare
from kernel_demo.ui.learn.settings import (
    BY_NAME,
    LABELS,
    START,
    choice,
    experiment,
    training,
    truth,
)
from kernel_demo.ui.pictures import PictureChoice

SIDE = 400  # pixels of a photo that the stage shows, in each direction
MARGIN = 15  # around them, where the photo has more: what the largest kernel reaches
ROUNDING = 1e-3  # what a grey level of 8 bits may be off in float32
READING = 0  # in place of a place in the queue: its pictures are being read
SMALL = 48  # pixels: the longer side of a picture on a chip
ON_CHIP = 4
NAMED = 3  # rates that the name of a run has at most
NOT_IN_LINK = "without your pictures"
NO_PICTURE = {"text": "No picture yet", "short": "none yet", "urls": [], "unshared": ""}
UNREAD = {"text": "Own photos", "short": "own", "urls": [], "unshared": NOT_IN_LINK}
RATELESS = ("lbfgs", "closed_form")
LARGE = 15  # beyond this size sums take longer than a click may

# A count of this process, as clocks may be set back; a page that stays open while the server starts
# anew gets lower numbers, and knows them by another name of the server.
_SERVER = secrets.token_hex(4)
_numbers = itertools.count(1)
_own_chips = Memory(2 * 2**20)  # by the files: what their pictures look like on a chip


def idle(values: Mapping, picture: int = 0) -> dict:
    """The value for what the page is set to, before learning: the random start.

    picture: which of the pictures learned from; without one where the visitor's own are yet to be
    chosen. DemoError where there is no such experiment.
    """
    wanted = experiment(values)
    photos = () if unchosen(wanted.choice) else pictures.gather(wanted.choice).photos
    return frame(Session(experiment=wanted, look=look(values, wanted, photos, picture)))


def frame(session: Session, waiting: int | None = None, pixels: bool = True) -> dict:
    """The value for a run as it stands; for one that is neither made nor asked for, that of `idle`.

    waiting: its place in the queue, 1: the next; or READING. pixels: whether those of the picture
    go along; else its url is empty, and the browser has them by the key: they are most of all
    bytes. In the value `waits` says that nothing of the run itself has come yet.
    """
    wanted, begun = session.experiment, session.running or session.progress is not None
    kept, stand = session.kept or first(wanted), session.stand or session.progress
    stop = stand.stop if stand is not None else None
    piece = session.look.piece
    known = devices.name_of_best() if stand is None else stand.device
    return {
        "kind": "frame" if begun else "idle",
        **numbered(),
        "session": session.number if begun else 0,
        "run": run_name(wanted.settings, _rates(session)),
        "rated": run_name(wanted.settings, _rates(session), rated=True),
        "filter": session.filter,
        "method": method(wanted.settings),
        "experiment": wanted.key,
        "lesson": wanted.lesson,
        "size": len(wanted.weights),
        "truth": worked.doubles(wanted.truth),
        "records": kept.encode(),
        "steps": session.most,
        "computing": session.running,
        "waiting": waiting,
        "waits": session.waits,
        "paused": session.paused,
        "end": None if stop is None or session.running else _end(stop),
        "allowed": None if stand is None else plain(stand.allowed),
        "rates": [[*change] for change in _rates(session)[1:]],
        "device": known,
        "picture": piece if pixels or piece is None else piece | {"url": ""},
        "border": session.look.border,
        "chips": session.look.chips,
    }


def failed(sentence: str, session: Session | None = None, chips: Mapping | None = None) -> dict:
    """The value that says what went wrong; all that is drawn stays.

    session: the run that it went wrong in, so that the page has that as it stands. chips: those
    that say something else from now on.
    """
    if session is None or session.experiment is None:
        return {"kind": "error", **numbered(), "error": sentence, "chips": dict(chips or {})}
    told = frame(session)
    return told | {"error": sentence, "chips": {**(told["chips"] or {}), **(chips or {})}}


def look(
    values: Mapping, wanted: Experiment, photos: Sequence[Photo] = (), picture: int = 0
) -> Look:
    """What the stage shows beside a run of what the page is set to.

    photos: those of the experiment; without them `with_photos` completes it.
    """
    edges = BY_NAME["edges"].read(values["edges"])
    return with_photos(Look(_chips(values, wanted), edges, picture=picture), wanted, photos)


def with_photos(look: Look, wanted: Experiment, photos: Sequence[Photo]) -> Look:
    """The same with these photos on the chip, and a piece of the one that is looked at."""
    if not photos or look.chips is None:
        return look
    return replace(
        look,
        chips=look.chips | {"pictures": _pictures_chip(wanted.choice, photos)},
        piece=piece_of(photos, look.picture, wanted.choice.channel),
    )


def chips(values: Mapping) -> dict:
    """The chips of settings for which there is no experiment: those that can be said."""
    said = {"filter": {"text": "No filter yet", "none": True}}
    with suppress(DemoError):
        said["filter"] = _filter_chip(values, len(truth(values)))
    with suppress(DemoError):
        unset = method_chip(training(values | {"learning_rate": 0}))
        said["method"] = unset | {"note": "no rate yet"}
        said["method"] = method_chip(training(values))
    with suppress(DemoError):
        wanted = choice(values)
        said["pictures"] = _pictures_chip(wanted, _photos_at_hand(wanted))
    return said


def unchosen(choice: PictureChoice) -> bool:
    """Whether the visitor's own pictures are to be used, and none is chosen yet."""
    return choice.source == "mine" and not choice.uploads


def _photos_at_hand(choice: PictureChoice) -> tuple[Photo, ...] | None:
    """Those that need not be waited for, which may be none; None where they are on their way."""
    if not pictures.at_hand(choice.source, choice.dataset_id, choice.split, choice.column):
        return None
    try:
        return pictures.gather(choice).photos
    except DemoError:
        return ()


def piece_of(photos: Sequence[Photo], number: int, channel: str) -> dict:
    """`piece` of one of the photos; of the last one where there are fewer."""
    photo = photos[min(max(number, 0), len(photos) - 1)]
    told = pictures.of(photo, piece, channel)
    return told | {"name": photo.name, "file": pictures.file_of(photo, told)}


def piece(pixels: np.ndarray, channel: str, url_of: Callable = pictures.data_url) -> dict:
    """The middle of a photo as a PNG, with as much around it as a kernel may reach.

    pixels: H x W or H x W x 3, 0..1. left, top: of the PNG in the photo; view: (left, top, side) of
    the square to be shown. channel: the grey that is learned from, which is "deep" where that is
    what was sent: photos that 8 bits do not hold.
    """
    height, width = pixels.shape[:2]
    side = min(height, width, SIDE)
    top, left = (height - side) // 2, (width - side) // 2
    row, column = max(0, top - MARGIN), max(0, left - MARGIN)
    held = pixels[row : top + side + MARGIN, column : left + side + MARGIN]
    sent = to_uint8(held)
    if np.abs(np.float64(worked.LEVELS) * held - sent).max() > ROUNDING:
        sent, channel = _deep(to_grey(held, channel)), "deep"
    url = url_of(sent)
    key = hashlib.sha256(f"{channel}{row},{column}{url}".encode()).hexdigest()[:16]
    return {
        "key": key,
        "url": url,
        "left": column,
        "top": row,
        "width": sent.shape[1],
        "height": sent.shape[0],
        "of": [height, width],
        "view": [left, top, side],
        "channel": channel,
    }


def _deep(grey: np.ndarray) -> np.ndarray:
    """H x W of 0..1 to H x W x 3 bytes: those of a number of 24 bits, the highest one is red."""
    levels = np.rint(np.float64(2**24 - 1) * grey).astype(np.uint32)
    return np.stack([levels >> shift & 255 for shift in (16, 8, 0)], axis=-1).astype(np.uint8)


def start(wanted: Experiment, measured: bool = False) -> Kept:
    """The kernel before any update, as a record: its loss is not known yet.

    measured: unless it is that of what the page begins with.
    """
    settings, truth = wanted.settings or TrainSettings(), wanted.truth
    kernel = begun.kernel(wanted.key)
    if kernel is None:
        kernel = layers.SingleConv(len(truth), settings.init, settings.seed).kernel()
    known = begun.losses(wanted.key, kernel) if measured else None
    loss, held_out = known or (None, None)
    told = SimpleNamespace(
        step=0, loss=loss, validation_loss=held_out, kernel_error=kernel_error(kernel, truth),
        seconds=0.0, kernel=kernel, done=False,
    )  # fmt: skip
    steps = 1 if wanted.settings is None else settings.steps
    return Kept(steps, getattr(settings, "check_steps", 1)).add(told, truth)


def first(wanted: Experiment) -> Kept:
    """`start`, with its loss where that costs little."""
    return (_measured_start if wanted.choice.source == "bundled" else start)(wanted)


@lru_cache(maxsize=64)
def _measured_start(wanted: Experiment) -> Kept:
    """`start` with its loss, as the run will have it, from a CPU; of bundled photos alone.

    Where sums are needed for it, and take long, without.
    """
    plain, by_sums = start(wanted, True), not isinstance(wanted.settings, TrainSettings)
    if math.isfinite(plain.at(0).loss) or (by_sums and len(wanted.weights) > LARGE):
        return plain
    return plain.add(measured(wanted), wanted.truth)


def measured(wanted: Experiment) -> Progress:
    """A run before its first update, with its loss, from a CPU."""
    settings, size = wanted.settings or ExactSettings(), len(wanted.weights)
    taught = prepare(wanted)
    if isinstance(settings, TrainSettings):
        settings = replace(settings, device="cpu", mixed_precision=False)
        tiles = device.tiles(taught.pairs, size, settings, "cpu")
        model = layers.SingleConv(size, settings.init, settings.seed)
        told = train(model, tiles, settings, truth=wanted.truth)
    else:
        told = train_exact(taught.sums(size)[0], settings, wanted.truth)
    with closing(told):
        return replace(next(told), seconds=0.0)


def warm() -> None:
    """Have loaded what a first run needs, so that no visitor waits for it."""
    measured(experiment(START))


def method(settings: Settings) -> str:
    """The name of the method: one of those on the page."""
    if settings is None:
        return "closed_form"
    return "exact" if isinstance(settings, ExactSettings) else settings.method


def optimizer(settings: Settings) -> str:
    """What makes its steps: "kfac", "adam", "sgd", "lbfgs"; "closed_form" makes none."""
    return settings.optimizer if isinstance(settings, ExactSettings) else method(settings)


def run_name(
    settings: Settings, rates: Sequence[tuple[int, float | None]] = (), rated: bool = False
) -> str:
    """What to call a run: "K-FAC", "Adam, rate 0.1", "Adam, rate 0.2 then 3".

    rates: (step, rate) of a run, in ascending order; those of the first and the last always count.
    rated: its rate is told even where it is the method's own.
    """
    told = [short(rate) for _, rate in rates if rate is not None]
    told = [one for one, before in zip(told, [None, *told], strict=False) if one != before]
    if len(told) > NAMED:
        told = [told[0], "others", told[-1]]
    said = told and (rated or len(told) > 1)
    note = f"rate {' then '.join(told)}" if said else _note(settings)
    return ", ".join(filter(None, [_method_name(settings), note]))


def _rates(session: Session) -> list[tuple[int, float | None]]:
    """From which step on which rate, the method's own as a number."""
    return [(step, rate or own_rate(session.experiment)) for step, rate in session.rates]


def _method_name(settings: Settings) -> str:
    if isinstance(settings, ExactSettings):
        return LABELS["optimizer"][settings.optimizer]
    return LABELS["method"][method(settings)]


def _chips(values: Mapping, wanted: Experiment) -> dict:
    return {
        "pictures": _pictures_chip(wanted.choice),
        "filter": _filter_chip(values, len(wanted.weights)),
        "method": method_chip(wanted.settings),
    }


def _filter_chip(values: Mapping, size: int) -> dict:
    kernel = values["kernel"]
    turned = kernel in CATALOGUE and CATALOGUE[kernel].takes_angle
    label = LABELS["kernel"][kernel] + (f" {values['angle']:g}°" if turned else "")
    return {"text": f"{label}, {size} × {size}"}


def title(values: Mapping) -> str:
    """What is learned, from what, and how. DemoError: there is no such experiment."""
    wanted = experiment(values)
    what = _filter_chip(values, len(wanted.weights))["text"]
    photos = "a photo" if wanted.choice.count == 1 else f"{wanted.choice.count} photos"
    return f"{what}, learned from {photos} · {_method_name(wanted.settings)}"


def method_chip(settings: Settings) -> dict:
    """K-FAC, or Adam and its rate."""
    return {"text": _method_name(settings), "note": _note(settings)}


def _pictures_chip(choice: PictureChoice, photos: Sequence[Photo] | None = None) -> dict:
    """photos: None while they are on their way."""
    if choice.source == "mine":
        return _own_chip(choice.uploads, photos)
    number = choice.count if photos is None else len(photos)
    return _photos_chip(number, "bundled " if choice.source == "bundled" else "", photos or ())


def _own_chip(uploads: tuple[str, ...], photos: Sequence[Photo] | None) -> dict:
    """Of a visitor's files only pictures count: how many there are is known once they were read."""
    if not uploads or photos == ():
        return NO_PICTURE
    if photos is None:
        return _own_chips.recall(uploads) or UNREAD
    chip = _photos_chip(len(photos), "own ", photos) | {"unshared": NOT_IN_LINK}
    _own_chips.remember(uploads, chip, sum(map(len, chip["urls"])), KEPT)
    return chip


def _photos_chip(number: int, which: str, photos: Sequence[Photo]) -> dict:
    noun = "photo" if number == 1 else "photos"
    return {
        "text": f"{number} {which}{noun}",
        "short": f"{number} {noun}",
        "urls": [pictures.of(photo, _small) for photo in photos[:ON_CHIP]],
        "unshared": "",
    }


def _small(pixels: np.ndarray, url_of: Callable = pictures.data_url) -> str:
    return url_of(to_uint8(pictures.fit(pixels, SMALL)), exact=False)


def _note(settings: Settings) -> str:
    rate = getattr(settings, "learning_rate", None)
    return "" if rate is None else f"rate {short(rate)}"


def own_rate(wanted: Experiment) -> float | None:
    """The learning rate that the method has where none is set; None: it needs none."""
    makes = optimizer(wanted.settings)
    return None if makes in RATELESS else default_rate(makes, len(wanted.weights))


def _end(stop: Stop) -> dict:
    return {"cause": stop.cause.name, "sentence": str(stop), "complete": stop.complete}


def numbered() -> dict:
    """Marks a value as of now. What takes long is marked as of when it was asked for."""
    return {"server": _SERVER, "number": next(_numbers)}
