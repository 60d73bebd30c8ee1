"""From a choice to pictures, on a server that has no network."""

import pytest

from kernel_demo.errors import DemoError
from kernel_demo.sources import bundled, hub
from kernel_demo.ui import picture_events, pictures
from kernel_demo.ui.session import PictureChoice


@pytest.mark.parametrize("count", [8, 9, 16])
def test_bundled_photos_stand_in_for_any_number(count, monkeypatch):
    """With the Hub down, whatever number was asked for, the note says why there are eight."""

    def refuse(*_, **__):
        raise DemoError("a dataset", "no answer", "Wait.")

    monkeypatch.setattr(hub, "load", refuse)
    gathered = pictures.gather(PictureChoice(source="hub", count=count))
    assert len(gathered.photos) == bundled.COUNT
    assert "no answer" in gathered.note


def test_bundled_photos_are_as_many_as_there_are():
    """A number left over from a larger source is no error."""
    assert len(pictures.gather(PictureChoice(count=16)).photos) == bundled.COUNT
    assert len(pictures.gather(PictureChoice(count=3)).photos) == 3


@pytest.mark.parametrize(("count", "expected"), [(16, 8), (5, 5)])
def test_choosing_the_bundled_photos_brings_the_number_down(count, expected):
    """The slider shows how many will be used."""
    assert picture_events.source_chosen("bundled", count)[-1]["value"] == expected
