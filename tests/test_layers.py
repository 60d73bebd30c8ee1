"""The floors of the house: who may import whom stands in pyproject.toml, and is held by machine."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "kernel_demo"
NOT_AN_IDEA = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}

# (file, line that it must not have, name of the contract that says so)
FORBIDDEN = [
    ("imaging/kernels.py", "from kernel_demo import learning", "Imports point downward"),
    ("errors.py", "from kernel_demo import numbers", "Imports point downward"),
    ("sources/bundled.py", "from ..imaging import tiles", "Imports point downward"),
    ("lab/speed.py", "from kernel_demo.export import files", "Imports point downward"),
    ("export/files.py", "from kernel_demo.dataset import report", "Imports point downward"),
    ("services.py", "", "every part has its floor"),
    ("imaging/probe.py", "def late():\n    from . import tiles", "no circle"),
    ("imaging/tiles.py", "from .probe import probe", "no circle"),
    ("learning/model.py", "from ..sources import bundled", "its pictures as arguments"),
    ("sources/uploads.py", "from .hub import load", "know nothing of each other"),
    ("commands/apply.py", "from kernel_demo.ui import layout", "do without the page"),
    ("learning/model.py", "import gradio as gr", "gradio stays"),
    ("export/files.py", "from datasets import load_dataset", "readers of pictures stay"),
    ("recovery/fitting.py", "def f():\n    from PIL import Image", "Pillow stays"),
    ("imaging/kernels.py", "import torch.nn", "torch starts"),
    ("ui/components/matrix.py", "from kernel_demo.ui.recover import tab", "knows a tab"),
    ("ui/questions/tab.py", "from kernel_demo.ui.learn import tab", "knows a tab"),
    ("ui/html.py", "from kernel_demo.ui.learn import tab", "knows a tab"),
]


def linted(folder: Path) -> subprocess.CompletedProcess:
    """What lint-imports says of the checkout in a folder."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.fixture(scope="module")
def seeded(tmp_path_factory) -> str:
    """What lint-imports says of a copy of this house with every forbidden line at once."""
    folder = tmp_path_factory.mktemp("house")
    shutil.copy(ROOT / "pyproject.toml", folder)
    shutil.copytree(PACKAGE, folder / "kernel_demo", ignore=shutil.ignore_patterns("__pycache__"))
    for file, line, _ in FORBIDDEN:
        with (folder / "kernel_demo" / file).open("a", encoding="utf-8") as module:
            module.write(f"\n{line}\n")
    done = linted(folder)
    assert done.returncode == 1, done.stderr
    return done.stdout


@pytest.mark.tool
def test_imports_point_only_downward():
    """No module imports what its floor may not, and there is no circle."""
    done = linted(ROOT)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.tool
@pytest.mark.parametrize(("file", "line", "contract"), FORBIDDEN)
def test_a_forbidden_import_is_caught(seeded, file, line, contract):
    """Each rule of the table can fail: one line too many is reported under the rule's name."""
    report = seeded.partition("Broken contracts")[2]
    sections = re.split(r"\n\n(.+)\n-+\n", report)
    (told,) = (
        text for name, text in zip(sections[1::2], sections[2::2], strict=True) if contract in name
    )
    assert re.search(rf"\b{Path(file).stem}\b", told)


def test_app_is_the_page_and_nothing_else():
    """app.py, which belongs to no package, imports the command that serves the page alone."""
    found = re.findall(r"kernel_demo(?:\.\w+)?", (ROOT / "app.py").read_text(encoding="utf-8"))
    assert set(found) == {"kernel_demo.commands"}


def test_no_module_is_named_after_nothing():
    """A module is named after its idea: nothing is called utils, helpers, common, manager."""
    paths = [path.relative_to(PACKAGE).with_suffix("") for path in PACKAGE.rglob("*.py")]
    words = {word for path in paths for part in path.parts for word in part.split("_")}
    assert "errors" in words
    assert words & NOT_AN_IDEA == set()


@pytest.mark.tool
def test_the_core_runs_without_the_page():
    """Training starts where only torch, NumPy and OpenCV are installed, and loads no other part."""
    absent = ("gradio", "gradio_client", "datasets", "huggingface_hub", "PIL", "pandas")
    code = f"""
import sys
sys.modules.update(dict.fromkeys({absent}))  # None makes an import fail
import kernel_demo.learning.training
print(*sorted({{name.split('.')[1] for name in sys.modules if name.startswith('kernel_demo.')}}))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) <= {"errors", "numbers", "records", "imaging", "learning"}
