"""examples/deploy fits the page that it serves."""

import argparse
import json
import re
import subprocess

import pytest

from benchmarks.machines import CONFIGURATION, COOKIE, NAMES, PROXY, ROOT
from kernel_demo.commands import serve
from kernel_demo.ui.serving import draining, health

DEPLOY = CONFIGURATION.parent


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    """Those of the Containerfile: (instruction, the rest)."""
    text = (DEPLOY / "Containerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


def test_the_container_is_an_ordinary_user_s(steps):
    """From before anything is installed on, and to the end."""
    names = [name for name, _ in steps]
    users = [rest for name, rest in steps if name == "USER"]
    assert users == ["page"]
    assert names.index("USER") < names.index("COPY")
    (made,) = (rest for name, rest in steps[: names.index("USER")] if name == "RUN")
    assert made.split()[0] == "useradd"


def test_what_the_container_copies_is_there(steps):
    """All that the page needs of the repository, by names that there are."""
    copied = {rest.split()[0] for name, rest in steps if name == "COPY"}
    assert copied == {"requirements.txt", "app.py", "kernel_demo", "examples"}
    assert all((ROOT / name).exists() for name in copied)


def test_the_container_serves(steps):
    """By a command that SIGTERM reaches and the page understands, on the port that it names; what
    asks for its health asks there, and for a path that there is."""
    by_name = dict(steps)
    command = json.loads(by_name["CMD"])  # else a shell would stand between it and its signals
    assert command[:2] == ["python", "app.py"]
    parser = argparse.ArgumentParser()
    serve.add_arguments(parser)
    options = parser.parse_args(command[2:])
    assert (options.host, str(options.port)) == ("0.0.0.0", by_name["EXPOSE"])
    check = json.loads(by_name["HEALTHCHECK"].partition("CMD ")[2])
    assert f"http://127.0.0.1:{options.port}{health.PATH}" in check[-1]


def test_who_ends_a_process_waits_for_it():
    """Longer than it takes at most."""
    unit = (DEPLOY / "kernel-demo@.service").read_text("utf-8")
    most = int(re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[1])
    assert most > draining.END_AFTER + draining.LAST_WORDS


def test_the_proxy_asks_what_the_page_answers():
    """Its cookie and servers are those of the tests; it asks at our address who is ready."""
    text = CONFIGURATION.read_text("utf-8")
    assert f"option httpchk GET {health.PATH}\n" in text
    assert re.search(rf"^ +cookie {COOKIE} insert", text, re.MULTILINE)
    assert re.findall(r"^ +server (\w) .* cookie (\w)$", text, re.MULTILINE) == [
        (name, name) for name in NAMES
    ]


@pytest.mark.tool
@pytest.mark.skipif(PROXY is None, reason="needs HAProxy")
def test_the_proxy_takes_its_configuration():
    """Without a warning."""
    done = subprocess.run([PROXY, "-c", "-f", CONFIGURATION], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr


def test_the_readme_names_the_files():
    """All of them."""
    told = (DEPLOY / "README.md").read_text("utf-8")
    files = {path.name for path in DEPLOY.iterdir()} - {"README.md"}
    assert files == set(re.findall(r"\]\(([\w.@-]+)\) \|", told))
