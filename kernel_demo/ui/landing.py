"""Where a link lands: what it opens beside the settings of Learn, and whether it starts that.

A link says what it shares by one key of a tab's (`challenge=3-17`); `run=1` starts it. Who knows
the values of a key is its tab: a `Place`. What is no such value is told, and opens nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import gradio as gr

from kernel_demo.ui.components import from_files
from kernel_demo.ui.serving.jobs import UNQUEUED

CHALLENGE, QUESTION, EXAMPLE, RACE = "challenge", "question", "example", "race"
RUN = "run"
LEARN = "learn"  # the id of the tab whose settings a link sets
KEYS = (CHALLENGE, QUESTION, EXAMPLE, RACE, RUN)  # which the settings of Learn pass over
SHOWN_UP_TO = 20  # characters of what a link says, in a sentence

NO_PLACE = "This link names {what} that there is not, “{got}”; one that there is: {like}."
ONE_PLACE = "This link names several places; it opens the first one."
NO_RUN = "This link says “run={got}”; run=1 starts what it opens, and nothing else does."
NOT_RUN = "It was not started, for it would not be what was shared."
WORDS = {"close": "Close", "copy": "Copy link", "copied": "Link copied"}


@dataclass(frozen=True)
class Found:
    """What a value of a key opens."""

    target: str  # the id of what comes into view
    press: str  # the id of the button that starts it
    title: str  # what it is, in a few words
    about: str  # and in a sentence
    ready: str = ""  # a CSS selector: what is on the page once it can be started
    updates: tuple = ()  # of the place's components


@dataclass(frozen=True)
class Place:
    """A key of links, and who knows its values."""

    key: str
    tab: str  # its id
    what: str  # "a challenge"
    like: str  # a value that there is
    find: Callable[[str], Found | None]  # of a value; None for what is none
    sets: tuple = ()  # components that a link sets


@dataclass(frozen=True)
class Landing:
    """What a link opens, and what of it could not be."""

    place: Place | None = None
    found: Found | None = None
    run: bool = False
    said: str = ""


def read(asked: Mapping[str, str], places: Sequence[Place]) -> Landing:
    """What a link opens; asked: what it says, by key."""
    named = [place for place in places if place.key in asked]
    run, told = asked.get(RUN, "0"), []
    place, found = named[0] if named else None, None
    if place is not None:
        got = asked[place.key]
        found = place.find(got)
        if found is None:
            like = f"{place.key}={place.like}"
            told.append(NO_PLACE.format(what=place.what, got=got[:SHOWN_UP_TO], like=like))
    if len(named) > 1:
        told.append(ONE_PLACE)
    if run not in ("0", "1"):
        told.append(NO_RUN.format(got=run[:SHOWN_UP_TO]))
    runs = run == "1" and (place is None or found is not None)
    return Landing(place if found else None, found, runs, " ".join(told))


def connect(
    page: gr.Blocks,
    tabs: gr.Tabs,
    places: Sequence[Place],
    ours: Callable[[Mapping[str, str]], tuple[str, str]],
) -> None:
    """Open what a link names; call inside the page, at its end.

    ours: of what a link says, what of the settings could not be, in words, and the name of the
    experiment that it sets; empty where there is none.
    """
    view = from_files("landing", None, "landing", words=WORDS, shared=("drawing", "clipboard"),
                      keys=KEYS)  # fmt: skip

    def arrive(request: gr.Request) -> tuple:
        asked = dict(request.query_params)
        landing = read(asked, places)
        updates = [gr.skip() for place in places for _ in place.sets]
        if landing.place is not None and landing.found.updates:
            before = [part for place in places for part in place.sets]
            for part, new in zip(landing.place.sets, landing.found.updates, strict=True):
                updates[before.index(part)] = new
        opened = gr.Tabs(selected=landing.place.tab) if landing.place else gr.skip()
        return _value(landing, *ours(asked)), opened, *updates

    sets = [part for place in places for part in place.sets]
    page.load(arrive, None, [view, tabs, *sets], **UNQUEUED)


def _value(landing: Landing, passed: str, experiment: str) -> dict | None:
    """What the browser is told: {target, press, ready, experiment, said}; None: nothing.

    What Learn could not set is told by its stage where that is in view.
    """
    found = landing.found
    whole = landing.run and not passed
    said = [landing.said] * bool(landing.said) + [passed] * bool(passed and found)
    said += [NOT_RUN] * (landing.run and not whole)
    if not (found or whole or said):
        return None
    return {
        "target": found.target if found else "",
        "press": found.press if found and whole else "",
        "ready": found.ready if found else "",
        "experiment": experiment if whole and (not found or landing.place.tab == LEARN) else "",
        "said": " ".join(said),
    }
