"""A folder of the machine: for whoever sits at it, and for nobody else."""

from types import SimpleNamespace

import pytest

from kernel_demo.ui import layout
from kernel_demo.ui.learn import folder


@pytest.mark.parametrize(
    ("host", "share", "environment", "allowed"),
    [
        ("127.0.0.1", False, {}, True),
        ("localhost", False, {}, True),
        ("0.0.0.0", False, {}, False),
        ("192.168.1.2", False, {}, False),
        ("127.0.0.1", True, {}, False),
        ("127.0.0.1", False, {"SPACE_ID": "me/space"}, False),
        ("127.0.0.1", False, {"GRADIO_SHARE": "True"}, False),
        ("127.0.0.1", False, {"GRADIO_ROOT_PATH": "/demo"}, False),
    ],
)
def test_which_servers_have_it(monkeypatch, host, share, environment, allowed):
    """Only one that listens to its own machine alone, and is served no further."""
    for name in folder.FURTHER:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert folder.local(host, share) is allowed


def request(client="127.0.0.1", **headers):
    headers = {"host": "127.0.0.1:7860"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return SimpleNamespace(client=SimpleNamespace(host=client), headers=headers)


@pytest.mark.parametrize(
    "asked",
    [
        None,
        request(client="192.168.1.9"),
        request(host="evil.example"),  # a name that was made to mean 127.0.0.1 (DNS rebinding)
        request(host="demo.example:7860"),
        request(origin="https://evil.example"),
        request(origin="null"),
        request(x_forwarded_for="203.0.113.5"),
        request(forwarded="for=203.0.113.5"),
        request(via="1.1 proxy"),
        request(host=""),
    ],
    ids=str,
)
def test_who_is_from_elsewhere(asked, tmp_path):
    """Nothing of the disk is told: the same sentence for what is there and what is not."""
    assert not folder.from_here(asked)
    told = []
    for path in (tmp_path, tmp_path / "not there"):
        updates = list(folder.learn(str(path), "sobel_x", 3, 0, 0, None, "luminance", asked))
        told.append(updates[-1][0])
        assert len(updates) == 1
    assert told[0] == told[1]
    assert str(tmp_path) not in told[0]


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "[::1]:7860"])
def test_who_is_from_here(host):
    """The machine by each of its own names, on a page of its own."""
    assert folder.from_here(request(host=host))
    assert folder.from_here(request(host=host, origin=f"http://{host}"))


def test_the_page_for_others_is_without_it(page):
    """As it is built by default, there is neither the field nor an event that reads a folder."""
    parts = page.get_config_file()["components"]
    assert not any(part["props"].get("elem_id") == "folder" for part in parts)
    named = {getattr(fn.fn, "__module__", "") for fn in page.fns.values()}
    assert "kernel_demo.ui.learn.folder" not in named
    assert layout.local is folder.local


@pytest.mark.parametrize("path", ["", "  ", "/no/such/folder", "\0", "hub:owner/name", "~nobody"])
def test_what_is_no_folder(path):
    """One sentence, and the buttons as before."""
    asked = request()
    *_, last = folder.learn(path, "sobel_x", 3, 0, 0, None, "luminance", asked)
    assert "Expected a folder on this machine" in last[0]
    assert last[1]["interactive"] is True
