"""What a Space of the Hugging Face Hub reads of this repository, and whether it fits together.

A Space installs requirements.txt beside gradio[oauth] of just `sdk_version`, and runs `app_file`
with the Python of `python_version`.
"""

import re
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).parents[1]
COLOURS = ["red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"]
ZERO_GPU = {"3.10", "3.12"}  # the versions of Python that Spaces with ZeroGPU have


@pytest.fixture(scope="module")
def front() -> dict:
    """The front matter of the README."""
    _, matter, _ = (ROOT / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(matter)


@pytest.fixture(scope="module")
def asked() -> dict[str, SpecifierSet]:
    """The ranges of requirements.txt, by package."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {one.name: one.specifier for one in wanted}


def test_the_sdk_is_one_that_the_requirements_take(front, asked):
    """pip is asked for both at once, and would find none else."""
    assert front["sdk"] == "gradio"
    assert re.fullmatch(r"\d+\.\d+\.\d+", front["sdk_version"])
    assert Version(front["sdk_version"]) in asked["gradio"]


def test_the_python_is_one_that_the_package_takes(front):
    """A whole version as text (3.10 is no 3.1), in the range of the package and of ZeroGPU."""
    assert isinstance(front["python_version"], str)
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    takes = SpecifierSet(re.search(r'^requires-python = "(.*)"', text, re.MULTILINE)[1])
    assert Version(front["python_version"]) in takes
    assert front["python_version"] in ZERO_GPU


def test_the_app_is_there_and_starts_by_its_name_alone(front, monkeypatch):
    """`python app.py` in the repository's folder, host and port from the environment."""
    import app
    from kernel_demo.ui import layout

    assert (ROOT / front["app_file"]).samefile(app.__file__)
    launched = []
    monkeypatch.setattr(layout, "launch", lambda page, bounds, **options: launched.append(options))
    monkeypatch.setattr(layout, "build", lambda folders: None)
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    monkeypatch.setattr(sys, "argv", ["app.py"])
    assert app.main() == 0
    assert launched[0]["server_name"] == "0.0.0.0"
    assert launched[0]["server_port"] == 7860  # which a Space shows


def test_the_card_is_one_that_the_hub_takes(front):
    """Its colours are of the list, its line is short, its licence is the package's."""
    assert {front["colorFrom"], front["colorTo"]} <= set(COLOURS)
    assert 0 < len(front["short_description"]) <= 60
    assert front["license"] == "apache-2.0"
    assert all(re.fullmatch(r"[\w-]+/[\w.-]+", name) for name in front["datasets"])


def test_torch_is_one_that_zero_gpu_has(asked):
    """Of the versions that it has, one at least is in the range."""
    assert any(Version(version) in asked["torch"] for version in ("2.8.0", "2.9.1", "2.10.0"))
