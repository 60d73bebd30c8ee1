"""How far uploads have come: told to who asks, and forgotten of who does not."""

import asyncio

import httpx
import pytest
from gradio import routes

from kernel_demo.ui.serving import progress
from kernel_demo.ui.serving.progress import Progress

SOON = 0.01  # seconds


def kept(uploads):
    """The numbers of uploads of which anything is known."""
    return {*uploads._statuses, *uploads._signals}


def test_nothing_is_kept_of_who_asked_in_vain():
    """For a number that was made up, however many ask at once."""
    uploads = Progress()

    async def ask(number):
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(uploads.is_tracked(number), SOON)

    async def all_of_them():
        await asyncio.gather(*(ask(f"{number % 10}") for number in range(30)))

    asyncio.run(all_of_them())
    assert kept(uploads) == set()


def test_who_waits_hears_of_the_beginning():
    """Whether the upload comes before or after; and its end is known until it was told."""
    uploads = Progress()

    async def follow():
        waiting = asyncio.create_task(uploads.is_tracked("a"))
        await asyncio.sleep(SOON)
        uploads.track("a")
        assert await waiting
        assert await uploads.is_tracked("a")
        uploads.set_done("a")
        assert uploads.is_done("a")
        uploads.stop_tracking("a")

    asyncio.run(follow())
    assert kept(uploads) == set()


def test_of_uploads_that_nobody_follows_the_latest_are_known(monkeypatch):
    """No more than MOST."""
    monkeypatch.setattr(progress, "MOST", 3)
    uploads = Progress()
    for number in "abcde":
        uploads.track(number)
        uploads.append(number, "a.png", b"x")
        uploads.set_done(number)
    assert kept(uploads) == {*"cde"}


def test_the_page_has_them_so(address):
    """An upload is followed to its end, and nothing is left of it."""
    place = f"{address}gradio_api"
    asked = {"params": {"upload_id": "of-this-test"}, "trust_env": False, "timeout": 30}
    httpx.post(f"{place}/upload", files={"files": ("a.txt", b"a")}, **asked).raise_for_status()
    assert '"done"' in httpx.get(f"{place}/upload_progress", **asked).text
    assert isinstance(routes.file_upload_statuses, Progress)
    assert "of-this-test" not in kept(routes.file_upload_statuses)
