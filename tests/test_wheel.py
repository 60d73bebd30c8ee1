"""The package as pip installs it, away from the checkout."""

import json
import os
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path
from socket import socket
from subprocess import PIPE, STDOUT

import httpx
import numpy as np
import pytest

from tests.test_packaging import ROOT, requirements

pytestmark = pytest.mark.tool
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-cache-dir", "-q"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    made = [*PIP, "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "-w", str(folder)]
    done = subprocess.run(made, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> dict:
    """How to start a program beside which the wheel alone is installed, in an empty folder."""
    folder, elsewhere = tmp_path_factory.mktemp("installed"), tmp_path_factory.mktemp("elsewhere")
    done = subprocess.run(
        [*PIP, "install", "--no-deps", "--target", str(folder), str(wheel)],
        capture_output=True, text=True, cwd=elsewhere,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {"cwd": elsewhere, "env": os.environ | {"PYTHONPATH": str(folder)}}


def test_all_that_belongs_to_it_is_in_the_wheel(wheel):
    """Every file of the package that git knows, the photos and pairs, and the licence."""
    listed = ["git", "ls-files", "kernel_demo", "examples"]
    known = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    wanted = {name.replace("examples/", "kernel_demo/examples/", 1) if name.startswith("examples/")
              else name for name in known.split()}  # fmt: skip
    held = set(zipfile.ZipFile(wheel).namelist())
    assert wanted <= held
    assert {Path(name).suffix for name in wanted} >= {".py", ".js", ".css", ".html", ".jpg", ".png"}
    assert any(name.endswith("LICENSE") for name in held)
    assert not any(name.startswith(("tests/", "benchmarks/")) for name in held)


def test_what_it_asks_for_is_what_the_page_asks_for():
    """Its requirements and those of its extra `page` are the lines of requirements.txt."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    asked = {str(one) for one in requirements("requirements.txt")}
    table = text.partition("dependencies = [")[2].partition("[project.scripts]")[0]
    told = {line.split('"')[1] for line in table.splitlines() if line.strip().startswith('"')}
    (page,) = (line for line in table.splitlines() if line.startswith("page = "))
    told |= set(page.split('"')[1::2])
    assert {str(one) for one in map(_requirement, told)} == asked


def _requirement(line: str):
    from packaging.requirements import Requirement

    return Requirement(line)


def test_it_recovers_a_filter_from_elsewhere(installed):
    """The command line finds the filter of a bundled pair, and the import is the installed one."""
    code = "import kernel_demo; from kernel_demo.sources import bundled; print(bundled.FOLDER)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, **installed
    )
    folder = Path(found.stdout.strip())
    assert folder.is_relative_to(installed["env"]["PYTHONPATH"]), found.stderr
    pair = [str(folder / "recover" / name) for name in ("camera.png", "camera_emboss.png")]
    command = [sys.executable, "-m", "kernel_demo", "recover", "--json", "--max-size", "5", *pair]
    done = subprocess.run(command, capture_output=True, text=True, **installed)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["verdict"] == "convolution"
    assert told["offset"] == 128
    np.testing.assert_array_equal(np.abs(told["kernel"]).sum(), 2)


def test_its_command_is_there(installed):
    """pip makes a program of the name kernel-demo, which lists its four commands."""
    program = Path(installed["env"]["PYTHONPATH"]) / "bin" / "kernel-demo"
    done = subprocess.run([program, "--help"], capture_output=True, text=True, **installed)
    assert done.returncode == 0, done.stderr
    for command in ("recover", "fit", "apply", "serve"):
        assert command in done.stdout


@pytest.mark.served
@pytest.mark.slow
def test_it_serves_the_page_from_elsewhere(installed):
    """`kernel-demo serve` beside an empty folder: the page, with its scripts and its photos."""
    with closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "kernel_demo", "serve", "--offline", "--port", str(port)]
    with subprocess.Popen(command, stdout=PIPE, stderr=STDOUT, text=True, **installed) as server:
        try:
            assert any("Running on" in line for line in server.stdout)
            page = httpx.get(f"http://127.0.0.1:{port}/", timeout=60, trust_env=False)
            assert page.status_code == 200
            for part in ("Coffee cup", "Pillow: emboss", "kd-example", "--kd-positive"):
                assert part in page.text, part
        finally:
            server.terminate()
