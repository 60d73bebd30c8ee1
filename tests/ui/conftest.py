"""The page, served inside the test process."""

import socket

import pytest
from gradio_client import Client

from kernel_demo.ui import layout


def pytest_collection_modifyitems(items):
    """What goes through the served page takes longer than the rest of tests/ui together."""
    for item in items:
        if "address" in getattr(item, "fixturenames", ()):
            item.add_marker("served")


@pytest.fixture(scope="session")
def page():
    """The page's Blocks."""
    return layout.build()


@pytest.fixture(scope="session")
def address(page):
    """The base address of the page, on a free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    _, url, _ = layout.launch(
        page, server_name="127.0.0.1", server_port=port, prevent_thread_lock=True, quiet=True
    )
    return url  # it ends with this process; closing waits 5 s for streams that clients left open


@pytest.fixture(scope="session")
def client(address, tmp_path_factory):
    """A client as a visitor's script would use it."""
    # Nothing is encrypted here: to read all certificates for that takes 40 ms a request.
    folder = tmp_path_factory.mktemp("downloads")
    return Client(address, verbose=False, download_files=folder, ssl_verify=False)
