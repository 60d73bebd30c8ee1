"""The script that serves the page, and the command that does."""

import os
import sys

import pytest

import app
from kernel_demo import __main__
from kernel_demo.commands import serve as commands_serve
from kernel_demo.ui import layout


@pytest.fixture
def launched(monkeypatch) -> list[dict]:
    """What the page would have been launched with."""
    options = []
    monkeypatch.setattr(layout, "launch", lambda page, **given: options.append(given))
    monkeypatch.setattr(layout, "build", lambda: None)
    monkeypatch.setattr(os, "environ", {})
    return options


def by_script(monkeypatch, said: list[str]) -> int:
    monkeypatch.setattr(sys, "argv", ["app.py", *said])
    return app.main()


def by_command(monkeypatch, said: list[str]) -> int:
    return __main__.main(["serve", *said])


WAYS = pytest.mark.parametrize("serve", [by_script, by_command])


@WAYS
@pytest.mark.parametrize(("said", "offline"), [(["--offline"], "1"), ([], None)])
def test_offline(monkeypatch, launched, serve, said, offline):
    """--offline turns every question to the Hub off; without it the environment decides."""
    assert serve(monkeypatch, said) == 0
    assert os.environ.get("HF_HUB_OFFLINE") == offline
    assert len(launched) == 1


@WAYS
def test_what_is_said_is_what_is_served(monkeypatch, launched, serve):
    """Host, port, public link and password reach gradio as they were given."""
    serve(monkeypatch, ["--host", "0.0.0.0", "--port", "81", "--share", "--auth", "me:a:b"])
    assert launched == [
        {"server_name": "0.0.0.0", "server_port": 81, "share": True, "auth": ("me", "a:b")}
    ]


@WAYS
@pytest.mark.parametrize("auth", ["me", "me:", ":secret"])
def test_half_a_password(monkeypatch, launched, capsys, serve, auth):
    """A user without a password, or the other way round, ends in a sentence and serves nothing."""
    with pytest.raises(SystemExit):
        serve(monkeypatch, ["--auth", auth])
    assert "expected USER:PASSWORD" in capsys.readouterr().err
    assert launched == []


@WAYS
def test_assistants(monkeypatch, launched, capsys, serve):
    """--mcp reaches gradio; where its package is missing, one sentence says how to get it."""
    monkeypatch.setattr(commands_serve, "find_spec", lambda name: name == "mcp")
    assert serve(monkeypatch, ["--mcp"]) == 0
    assert launched[0]["mcp_server"] is True
    monkeypatch.setattr(commands_serve, "find_spec", lambda name: None)
    assert serve(monkeypatch, ["--mcp"]) == 2
    assert capsys.readouterr().err == 'MCP needs mcp: pip install "kernel-demo[mcp]"\n'
    assert len(launched) == 1


@WAYS
def test_assistants_have_no_password(monkeypatch, launched, capsys, serve):
    """Gradio shows its tools to all and lets none of them be called: both at once is refused."""
    assert serve(monkeypatch, ["--mcp", "--auth", "me:secret"]) == 2
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
