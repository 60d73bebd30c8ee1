"""The script that serves the page."""

import os
import sys

import pytest

import app


@pytest.mark.parametrize(("said", "offline"), [(["--offline"], "1"), ([], None)])
def test_offline(monkeypatch, said, offline):
    """--offline turns every question to the Hub off; without it the environment decides."""
    launched = []
    monkeypatch.setattr(app.layout, "launch", lambda page, **options: launched.append(options))
    monkeypatch.setattr(app.layout, "build", lambda: None)
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(sys, "argv", ["app.py", *said])
    app.main()
    assert os.environ.get("HF_HUB_OFFLINE") == offline
    assert len(launched) == 1
