"""What visitors' files may take of the disk: by a folder of our own, and through the page."""

import os
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from kernel_demo.errors import DemoError
from kernel_demo.ui.serving import disk as bounded
from kernel_demo.ui.serving.bounds import Bounds
from kernel_demo.ui.serving.disk import Disk
from kernel_demo.ui.serving.receiving import COOKIE, Receiving
from tests.ui.visitor import PATIENCE

KB = 1000
BOUNDS = Bounds(disk=100 * KB, visitor=50 * KB)


@pytest.fixture
def clock(monkeypatch):
    """clock(seconds): that much later than the files were made, for the disk."""
    later = [0.0]
    real = time.time
    monkeypatch.setattr(bounded.time, "time", lambda: real() + later[0])
    return lambda seconds: later.__setitem__(0, seconds)


def put(folder, name, size):
    path = folder / name / "a.png"
    path.parent.mkdir()
    path.write_bytes(b"x" * size)
    time.sleep(0.02)  # so that their order is certain
    return str(path)


def bring(disk, visitor, name, size):
    """An upload as it comes in; returns its path."""
    with disk.receiving(visitor, size):
        path = put(disk.folder, name, size)
        disk.arrived(visitor, [path])
    return path


def there(disk):
    return sorted(path.parent.name for path in disk.folder.rglob("*.png"))


def test_the_oldest_go_first(tmp_path, clock):
    """Beyond the bound of all, what was used least lately is deleted, and no more than is needed;
    of a file that is gone the folder goes, too."""
    disk = Disk(tmp_path, BOUNDS)
    first, *_ = [bring(disk, who, who, 30 * KB) for who in "abc"]
    clock(bounded.IN_USE + 1)
    disk.touch([first])
    bring(disk, "d", "d", 20 * KB)
    assert there(disk) == ["a", "c", "d"]
    assert not (tmp_path / "b").exists()


def test_never_a_file_in_use(tmp_path, clock):
    """Lately used, or named by an event that waits or runs, or the page's own: it stays, and who
    comes is told."""
    named, lasting = set(), set()
    disk = Disk(tmp_path, BOUNDS, lambda: named, lambda: lasting)
    paths = [bring(disk, who, who, 30 * KB) for who in "abc"]
    with pytest.raises(DemoError, match="room on the server's disk"):
        bring(disk, "d", "d", 30 * KB)
    clock(bounded.IN_USE + 1)
    named.add(paths[0])
    lasting.add(paths[1])
    bring(disk, "d", "d", 30 * KB)
    assert there(disk) == ["a", "b", "d"]


def test_a_visitors_share(tmp_path, clock):
    """Beyond it the visitor is told so, while there is room for others; after a while his own
    files make room for his next."""
    disk = Disk(tmp_path, BOUNDS)
    bring(disk, "a", "first", 30 * KB)
    with pytest.raises(DemoError, match=r"at most 0\.05 MB of files from one visitor"):
        bring(disk, "a", "second", 30 * KB)
    with pytest.raises(DemoError, match="at once"):
        bring(disk, "b", "whole", 51 * KB)
    bring(disk, "b", "other", 30 * KB)
    clock(bounded.IN_USE + 1)
    bring(disk, "a", "second", 30 * KB)
    assert there(disk) == ["other", "second"]


def test_what_is_under_way_counts(tmp_path):
    """Uploads that come at the same time cannot exceed a bound together."""
    disk = Disk(tmp_path, BOUNDS)
    with disk.receiving("a", 40 * KB):
        with pytest.raises(DemoError), disk.receiving("a", 20 * KB):
            pass
        with disk.receiving("b", 40 * KB), pytest.raises(DemoError), disk.receiving("c", 40 * KB):
            pass
    with disk.receiving("c", 40 * KB):
        pass


def test_small_files_count_as_what_they_take(tmp_path):
    """A file of a byte takes a block: a thousand of them are no way around the bound."""
    disk = Disk(tmp_path, BOUNDS)
    for number in range(25):
        bring(disk, str(number), str(number), 1)
    with pytest.raises(DemoError):
        bring(disk, "z", "z", 1)


def test_what_was_made_is_held_within_the_bound(tmp_path, clock):
    """The sweep deletes the oldest files that were made; while all of them are in use it says that
    there is no room for more."""
    disk = Disk(tmp_path, BOUNDS)
    for name in "abcde":
        put(tmp_path, name, 30 * KB)
    disk.sweep()
    assert disk.full
    assert there(disk) == [*"abcde"]
    clock(bounded.MADE_IN_USE + 1)
    disk.sweep()
    assert not disk.full
    assert there(disk) == [*"cde"]


def test_what_an_upload_leaves_behind_goes(tmp_path):
    """One that was broken off leaves no part of a file."""
    disk = Disk(tmp_path, BOUNDS)
    upload = disk.receiving("a", KB)
    upload.__enter__()
    (tmp_path / "tmpabc").write_bytes(b"x" * KB)
    upload.__exit__(ConnectionError, ConnectionError(), None)
    assert not list(tmp_path.iterdir())


def test_only_files_of_the_folder_are_touched(tmp_path):
    """A client names what it likes: nothing outside is changed, and nonsense is no error."""
    disk, other = Disk(tmp_path / "ours", BOUNDS), tmp_path / "other"
    disk.folder.mkdir()
    other.write_bytes(b"")
    os.utime(other, (1, 1))
    disk.touch([str(other), f"{disk.folder}/../other", "\0", "", "nothing", "x" * 10_000])
    assert other.stat().st_mtime == 1


class TestReceiving:
    """The same, by HTTP."""

    @pytest.fixture
    def client(self, tmp_path):
        """A page that writes what it gets, with cookies as a browser has them."""

        async def upload(request):
            body = await request.body()
            if body == b"full":
                raise OSError(28, "No space left on device")
            return JSONResponse([put(tmp_path, str(len(list(tmp_path.iterdir()))), len(body))])

        async def page(_):
            return HTMLResponse("<html>")

        routes = [Route("/", page), Route("/upload", upload, methods=["POST"])]
        disk = Disk(tmp_path, BOUNDS)
        return TestClient(Starlette(routes=routes, middleware=[Middleware(Receiving, disk=disk)]))

    def send(self, client, size, **options):
        headers = {"content-type": "multipart/form-data; boundary=x"}
        return client.post("/upload", content=b"x" * size, headers=headers, **options)

    def test_visitors_are_told_apart(self, client):
        """Each has a share of its own; without a number, as scripts, those of one address share."""
        client.get("/")
        first = client.cookies[COOKIE]
        assert self.send(client, 40 * KB).status_code == 200
        assert self.send(client, 20 * KB).status_code == 413
        client.cookies.clear()
        client.get("/")
        assert client.cookies[COOKIE] != first
        assert self.send(client, 40 * KB).status_code == 200
        for number in ("", "../../etc", "x" * 32):
            client.cookies = {COOKIE: number} if number else {}
            assert self.send(client, 10 * KB).status_code == (507 if number == "x" * 32 else 200)

    def test_the_number_is_given_once_and_kept_from_scripts(self, client):
        """In a page of this host, HttpOnly; inside a Space's frame by HTTPS, kept apart."""
        said = client.get("/").headers["set-cookie"]
        assert "HttpOnly" in said
        assert "SameSite=Lax" in said
        assert "set-cookie" not in client.get("/").headers
        client.cookies.clear()
        framed = client.get("/", headers={"x-forwarded-proto": "https"}).headers["set-cookie"]
        assert "SameSite=None; Secure; Partitioned" in framed

    def test_a_refusal_is_a_sentence(self, client):
        """Of one who brings too much, and where the disk is full: no path, no traceback."""
        for answer, status, told in (
            (self.send(client, 60 * KB), 413, "at most 0.05 MB of files from one visitor"),
            (client.post("/upload", content=b"full", headers={
                "content-type": "multipart/form-data; boundary=x"}), 507, "a disk that is full"),
            (client.post("/upload", content=iter([b"x"]), headers={
                "content-type": "multipart/form-data; boundary=x"}), 411, "Content-Length"),
        ):  # fmt: skip
            assert answer.status_code == status
            assert told in answer.text
            assert answer.headers["content-type"].startswith("text/plain")
            assert "/" not in answer.text.replace("text/plain", "")


@pytest.fixture
def small(tmp_path):
    """A disk of two megabytes, where a test may mount one."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a disk to be filled can be mounted by root alone")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_is_full(small):
    """More than is free is refused before a byte of it is written."""
    disk = Disk(small, Bounds())
    (small / "other").mkdir()
    (small / "other" / "a.png").write_bytes(b"x" * 1_500_000)
    with pytest.raises(DemoError, match="full"), disk.receiving("a", 800_000):
        pass
    with disk.receiving("a", 400_000):
        pass


def test_an_upload_to_the_page(address):
    """As it is served: a file is answered by its path on the server, where it lies whole."""
    send = {"files": ("a.png", b"x" * 5000)}
    answer = httpx.post(
        f"{address.rstrip('/')}/gradio_api/upload", files=send, timeout=PATIENCE, trust_env=False
    )
    assert answer.status_code == 200
    assert Path(answer.json()[0]).stat().st_size == 5000
