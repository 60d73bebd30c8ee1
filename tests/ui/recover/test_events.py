"""What follows from what in the tab: a finding knows its pair, and what is wrong is told once."""

import pytest
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from kernel_demo.ui.recover import events, finding
from tests.ui.visitor import Visitor


@pytest.fixture
def visitor(address):
    """One who has pressed the first example."""
    visitor = Visitor(address)
    visitor.press(next(key for key, props in visitor.props.items()
                       if "kd-example" in (props.get("elem_classes") or ())))  # fmt: skip
    assert "data-verdict" in visitor.shown["recover-verdict"]["value"]
    assert not visitor.stale("recover-stale")
    return visitor


def kernels(visitor):
    """What the card of the kernel has shown, in turn."""
    values = (new.get("value") for _, new in visitor.history)
    return [value for value in values if "kd-recovered" in str(value) or value == LATE]


LATE = "what is worked out for a pair that is not shown any more"


def test_what_is_guaranteed_comes_after_the_verdict(visitor):
    """The kernel is shown at once, and with the bars that rounding allows when they come."""
    first, *_, last = kernels(visitor)
    assert finding.BARS_TO_COME in first
    assert "guaranteed: no kernel of this size" in last


def test_bars_that_come_too_late_are_not_shown(visitor, monkeypatch):
    """Another recovery has begun while they were worked out: its own stand there."""
    real = finding.kernel

    def slow(found, facts=None, proved=False):
        if not proved:
            return real(found, facts)
        monkeypatch.setattr(finding, "kernel", real)
        visitor.choose("recover-size", 5)
        visitor.press("recover")
        return LATE

    monkeypatch.setattr(finding, "kernel", slow)
    visitor.history.clear()
    visitor.press("recover")
    shown = kernels(visitor)
    assert LATE not in shown
    assert "guaranteed: no kernel of this size" in shown[-1]


@pytest.mark.parametrize(
    ("name", "other"), [("recover-before", None), ("recover-after", None), ("recover-size", 7)]
)
def test_another_input_marks_it_and_the_old_one_takes_the_mark_away(visitor, name, other):
    """Either file or the size: stale as soon as it differs, current when it is set back."""
    was = visitor.shown[name]["value"]
    visitor.choose(name, other)
    assert visitor.stale("recover-stale")
    visitor.choose(name, was)
    assert not visitor.stale("recover-stale")


def test_it_stays_marked_until_there_is_another_finding(visitor, monkeypatch):
    """Through the new run, and beside an error; then it is what stands there."""
    first, real, seen = visitor.shown["recover-verdict"]["value"], events.recover_many, []

    def watched(*arguments):
        seen.append(visitor.stale("recover-stale"))
        return real(*arguments)

    monkeypatch.setattr(events, "recover_many", watched)
    files = visitor.shown["recover-after"]["value"]
    visitor.choose("recover-after", None)
    visitor.press("recover")
    assert "Expected a picture after" in visitor.shown["recover-progress"]["value"]
    assert visitor.shown["recover-verdict"]["value"] == first
    assert visitor.stale("recover-stale")
    visitor.choose("recover-after", files)
    visitor.choose("recover-size", 5)
    visitor.press("recover")
    assert seen == [True]
    assert not visitor.stale("recover-stale")


def test_a_file_that_cannot_be_used_is_told_once(visitor):
    """Beside the files until Recover tells it; beside other files again."""
    path = save_bytes_to_cache(b"no picture", "a.png", cache_dir=get_upload_folder())
    other = save_bytes_to_cache(b"neither", "b.png", cache_dir=get_upload_folder())
    files = [[{"path": path, "meta": {"_type": "gradio.FileData"}}] for path in (path, other)]
    visitor.choose("recover-after", files[0])
    assert "a.png" in visitor.shown["recover-chosen"]["value"]
    visitor.press("recover")
    assert "a.png" in visitor.shown["recover-progress"]["value"]
    assert visitor.shown["recover-chosen"]["value"] == ""
    visitor.choose("recover-before", files[1])
    assert "b.png" in visitor.shown["recover-chosen"]["value"]


def test_what_came_of_inputs_that_changed_meanwhile_is_stale(visitor, monkeypatch):
    """The size is changed during the run: the finding was made with the one before."""
    real = events.recover_many

    def slow(*arguments):
        visitor.choose("recover-size", 9)
        return real(*arguments)

    monkeypatch.setattr(events, "recover_many", slow)
    visitor.press("recover")
    assert visitor.stale("recover-stale")
