"""What a fresh clone stands on: the requirements, the make targets, what CI runs."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[1]


def requirements(name: str) -> list[Requirement]:
    lines = (line.split("#")[0].strip() for line in (ROOT / name).read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-r")]


ALL = [*requirements("requirements.txt"), *requirements("requirements-dev.txt")]


@pytest.mark.parametrize("requirement", ALL, ids=str)
def test_every_requirement_is_bounded_and_met(requirement):
    """Each has a lower and an upper bound, and the tests run on a version between them."""
    assert {part.operator for part in requirement.specifier} == {">=", "<"}
    try:
        there = version(requirement.name)
    except PackageNotFoundError:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{requirement.name} is not installed: make test installs it")
    assert requirement.specifier.contains(there)


def test_what_the_design_fixes_is_what_is_installed():
    """The gradio that the style sheets were tried on; the range of torch that ZeroGPU serves."""
    asked = {
        requirement.name: requirement.specifier for requirement in requirements("requirements.txt")
    }
    assert asked["gradio"] == SpecifierSet(">=6.31,<6.32")
    assert asked["torch"] == SpecifierSet(">=2.8,<2.14")


def test_the_extra_for_assistants_is_of_the_same_gradio():
    """kernel-demo[mcp] adds gradio's own extra to the page, in the range of requirements.txt."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    page, added = re.search(r'^mcp = \["(.*)", "(.*)"\]$', text, re.MULTILINE).groups()
    assert page == "kernel-demo[page]"
    extra = Requirement(added)
    (own,) = (one for one in requirements("requirements.txt") if one.name == "gradio")
    assert (extra.name, extra.extras, extra.specifier) == ("gradio", {"mcp"}, own.specifier)


def test_make_alone_lists_every_target():
    """`make` shows one line for each thing that a visitor of the repository can do."""
    if shutil.which("make") is None:
        pytest.skip("no make here")
    shown = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^make (\w+)", shown, flags=re.MULTILINE)
    assert {"demo", "test", "quick", "slow", "lint", "bench", "help"} <= set(listed)


def test_continuous_integration_runs_lint_and_tests():
    """.ci/run is executable and calls what everybody calls."""
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-1] == "make lint test"


@pytest.mark.tool
def test_the_page_describes_its_options():
    """`python app.py --help` names every option, and starts nothing."""
    command = [sys.executable, "app.py", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for option in ("--host", "--port", "--share", "--auth", "--offline"):
        assert option in done.stdout
