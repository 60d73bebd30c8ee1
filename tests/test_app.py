"""The script that serves the page, and the command that does."""

import logging
import os
import sys

import pytest

import app
from kernel_demo import __main__
from kernel_demo.commands import serve
from kernel_demo.ui import layout
from kernel_demo.ui.serving.bounds import MB, Bounds


@pytest.fixture
def launched(monkeypatch) -> list[dict]:
    """What the page would have been launched with."""
    options = []

    def launch(page, bounds, **given):
        options.append({"bounds": bounds, **given})

    monkeypatch.setattr(layout, "launch", launch)
    monkeypatch.setattr(serve, "_log", lambda level: None)
    monkeypatch.setattr(layout, "build", lambda folders: None)
    monkeypatch.setattr(os, "environ", {})
    return options


def by_script(monkeypatch, said: list[str]) -> int:
    monkeypatch.setattr(sys, "argv", ["app.py", *said])
    return app.main()


def by_command(monkeypatch, said: list[str]) -> int:
    return __main__.main(["serve", *said])


WAYS = pytest.mark.parametrize("start", [by_script, by_command])


@WAYS
@pytest.mark.parametrize(("said", "offline"), [(["--offline"], "1"), ([], None)])
def test_offline(monkeypatch, launched, start, said, offline):
    """--offline turns every question to the Hub off; without it the environment decides."""
    assert start(monkeypatch, said) == 0
    assert os.environ.get("HF_HUB_OFFLINE") == offline
    assert len(launched) == 1


@WAYS
def test_what_is_said_is_what_is_served(monkeypatch, launched, start):
    """Host, port, public link, password and root reach gradio as they were given."""
    where = ["--host", "0.0.0.0", "--port", "81", "--share", "--root-path", "/demo"]
    start(monkeypatch, [*where, "--auth", "me:a:b"])
    assert launched == [
        {
            "bounds": Bounds(),
            "server_name": "0.0.0.0",
            "server_port": 81,
            "share": True,
            "auth": ("me", "a:b"),
            "root_path": "/demo",
        }
    ]


@WAYS
def test_what_an_operator_bounds(monkeypatch, launched, start):
    """Each bound reaches the page as it was said, in bytes of a million a megabyte."""
    sizes = ["--max-upload", "5mb", "--disk", "1.5GB", "--visitor-disk", "200 kB"]
    start(monkeypatch, [*sizes, "--queue", "3", "--runs", "4"])
    assert launched[0]["bounds"] == Bounds(5 * MB, 1500 * MB, 200_000, 3, 4)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (["--disk", "much"], "expected a size such as"),
        (["--max-upload", "60"], "expected a size such as"),
        (["--visitor-disk", "0mb"], "expected a size such as"),
        (["--disk", "9" * 400 + "gb"], "expected a size such as"),
        (["--queue", "0"], "expected a whole number"),
        (["--runs", "two"], "expected a whole number"),
        (["--log-level", "chatty"], "invalid choice"),
    ],
)
def test_a_bound_that_is_none(monkeypatch, launched, capsys, said, expected):
    """A bound that cannot be read ends in a sentence and serves nothing."""
    with pytest.raises(SystemExit):
        by_command(monkeypatch, said and ["--port", "81", *said])
    assert expected in capsys.readouterr().err
    assert launched == []


def test_the_help_tells_what_an_operator_needs(capsys):
    """Each option, with the value that counts without it."""
    with pytest.raises(SystemExit):
        __main__.main(["serve", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    for option, default in (
        ("--max-upload", "60MB"), ("--disk", "2000MB"), ("--visitor-disk", "300MB"),
        ("--queue", "16"), ("--runs", "2"), ("--log-level", "info"), ("--root-path", "its root"),
    ):  # fmt: skip
        assert default in told.rpartition(f"{option} ")[2][:250]


def test_the_log_has_the_level_that_was_said(capsys):
    """From that level on our lines are on stderr, once."""
    log = logging.getLogger("kernel_demo")
    before = log.handlers, log.propagate, log.level
    try:
        for level, told in (("info", True), ("warning", False)):
            serve._log(level)
            log.info("a run")
            assert capsys.readouterr().err.endswith("INFO a run\n") == told
    finally:
        log.handlers, log.propagate = before[:2]
        log.setLevel(before[2])


@WAYS
@pytest.mark.parametrize("auth", ["me", "me:", ":secret"])
def test_half_a_password(monkeypatch, launched, capsys, start, auth):
    """A user without a password, or the other way round, ends in a sentence and serves nothing."""
    with pytest.raises(SystemExit):
        start(monkeypatch, ["--auth", auth])
    assert "expected USER:PASSWORD" in capsys.readouterr().err
    assert launched == []


@WAYS
def test_assistants(monkeypatch, launched, capsys, start):
    """--mcp reaches gradio; where its package is missing, one sentence says how to get it."""
    monkeypatch.setattr(serve, "find_spec", lambda name: name == "mcp")
    assert start(monkeypatch, ["--mcp"]) == 0
    assert launched[0]["mcp_server"] is True
    monkeypatch.setattr(serve, "find_spec", lambda name: None)
    assert start(monkeypatch, ["--mcp"]) == 2
    assert capsys.readouterr().err == 'MCP needs mcp: pip install "kernel-demo[mcp]"\n'
    assert len(launched) == 1


@WAYS
def test_assistants_have_no_password(monkeypatch, launched, capsys, start):
    """Gradio shows its tools to all and lets none of them be called: both at once is refused."""
    assert start(monkeypatch, ["--mcp", "--auth", "me:secret"]) == 2
    assert capsys.readouterr().err.startswith("Expected --mcp or --auth; got both.")
    assert not launched


def test_without_gradio(monkeypatch, capsys):
    """Where the page is not installed, `serve` says how it is, and the status is 2."""
    for name in [name for name in sys.modules if name.startswith("kernel_demo.ui")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "gradio", None)
    import kernel_demo

    monkeypatch.delattr(kernel_demo, "ui")
    assert __main__.main(["serve"]) == 2
    assert capsys.readouterr().err == 'The page needs gradio: pip install "kernel-demo[page]"\n'
