"""An experiment as a link."""

from urllib.parse import parse_qsl

import pytest

from kernel_demo.ui import link
from kernel_demo.ui.wording import learn

START = {
    "source": "bundled",
    "n": 8,
    "data": "a/b",
    "split": "",
    "column": "",
    "grey": "luminance",
    "kernel": "sobel_x",
    "size": 3,
    "angle": 0,
    "seed": 0,
    "own": {"rows": [["1"]]},
    "noise": 0,
    "bits": False,
    "method": "kfac",
    "by": "kfac",
    "rate": 0,
    "batch": 32,
    "tile": 64,
    "sum": 1,
    "steps": 200,
    "start": "normal",
    "order": 0,
    "wait": 200,
    "half": False,
    "edges": "reflect",
}
TABLE = link.keys(list(START.values()))


def opened(query: str):
    return link.settings(TABLE, dict(parse_qsl(query.lstrip("?"))))


def test_defaults_are_left_out():
    """The page as it is at first paint has a bare address."""
    assert link.query(TABLE, START) == ""


@pytest.mark.parametrize(
    "changed",
    [
        {"kernel": "random", "size": 9, "seed": 41},
        {"source": "hub", "data": "owner/name", "split": "test", "n": 3},
        {"kernel": "own", "own": {"rows": [["0", "-1", "0"], ["1.5", "2", "1e-3"], ["0"] * 3]}},
        {"kernel": "gabor", "size": 7, "angle": 35.0, "edges": "wrap", "grey": "red"},
        {"method": "adam", "rate": 0.01, "batch": 16, "tile": 32, "sum": 2, "steps": 900,
         "start": "zeros", "order": 5, "wait": 40, "noise": 2.5, "bits": True, "half": True},
    ],
)  # fmt: skip
def test_a_link_brings_the_settings_back(changed):
    """What is changed, and only that, is in the link, and comes out of it as it went in."""
    values, ignored = opened(link.query(TABLE, START | changed))
    assert values == changed
    assert ignored == ()


def test_a_kernel_of_ones_own_has_the_size_of_its_rows():
    """Sizes that can be pasted but not chosen open as well: nothing is refused."""
    own = {"rows": [["0"] * 16 + ["1"]] * 17}
    values, ignored = opened(link.query(TABLE, START | {"kernel": "own", "own": own, "size": 17}))
    assert values == {"kernel": "own", "own": own}
    assert ignored == ()


def test_own_pictures_stay_with_their_visitor():
    """A link says nothing of uploads."""
    assert link.query(TABLE, START | {"source": "mine"}) == ""


@pytest.mark.parametrize(
    "query",
    [
        "kernel=evil", "size=4", "size=31337", "seed=-1", "seed=1e9", "noise=nan", "noise=inf",
        "rate=-1", "angle=180", "steps=99999999999", "own=1,2;3,4", "own=1,x,3;4,5,6;7,8,9", "n=0",
        "source=mine",
        "source=/etc/passwd", "edges=mirror", "bits=2", "data=" + "a" * 300, "unknown=1", "tile=63",
        "own=" + "9" * 20_000, "seed=" + "9" * 5000,
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_and_left_alone(query):
    """A broken or hostile value changes nothing, and its key is told."""
    values, ignored = opened(query)
    assert values == {}
    assert ignored == (query.partition("=")[0],)


def test_the_rest_of_a_broken_link_still_counts():
    """One bad key takes no good one with it; gradio's keys and the challenge are not ours."""
    values, ignored = opened("kernel=box&size=x&edges=zero&__theme=dark&challenge=3-17")
    assert values == {"kernel": "box", "edges": "zero"}
    assert ignored == ("size",)


def test_the_notice_counts():
    """One setting is not spoken of as many."""
    one, two = learn.ignored(("size",)), learn.ignored(("size", "n"))
    assert one == "This link has a setting that cannot be used, left as it was: size."
    assert two == "This link has settings that cannot be used, left as they were: size, n."
