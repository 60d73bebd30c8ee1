"""The floors of the house: who may import whom, read from the source, and held by machine."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "kernel_demo"

CORE = ("errors", "numbers", "imaging")
BELOW_UI = ("errors", "numbers", "imaging", "sources", "learning", "recovery", "export", "lab")

# The table of the design: what each part may import besides itself.
MAY_IMPORT = {
    "": (),  # kernel_demo/__init__.py is the map of the package and nothing else
    "errors": (),
    "numbers": (),
    "imaging": ("errors",),
    "sources": ("errors",),
    "learning": CORE,
    "recovery": ("learning", *CORE),
    "export": ("recovery", "learning", *CORE),
    "lab": ("recovery", "learning", *CORE),
    "ui": BELOW_UI,
    "commands": BELOW_UI,
    "__main__": ("commands", *BELOW_UI),  # the command line: what the page can, without the page
    "app": ("ui",),
}

# Libraries that stay on their floors.
ONLY_IN = {
    "gradio": ("ui",),
    "gradio_client": ("ui",),
    "datasets": ("sources",),
    "huggingface_hub": ("sources",),
    "PIL": ("sources", "ui"),
    "torch": ("learning", "recovery", "export", "lab", "ui"),
}

# The three ways to get pictures share the decoder and know nothing of each other.
STRANGERS = {f"{PACKAGE}.sources.{name}" for name in ("bundled", "hub", "uploads")}
NOT_AN_IDEA = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}


def sources_of(root: Path) -> dict[str, str]:
    """Every module of the checkout by its dotted name, with its source: kernel_demo and app."""
    modules = {}
    for path in [*sorted((root / PACKAGE).rglob("*.py")), root / "app.py"]:
        if path.exists():
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            modules[name] = path.read_text(encoding="utf-8")
    return modules


def imports_of(module: str, source: str, modules: dict[str, str]) -> set[str]:
    """The dotted names that a module imports, at whatever depth of its code, or by importlib."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(module, node, modules)
            # `from package import module` imports the module, `from module import name` the module.
            names = {f"{base}.{alias.name}" for alias in node.names}
            found.update(name if name in modules else base for name in names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            function = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if function in ("import_module", "__import__"):
                found.add(str(node.args[0].value))
    return found


def absolute(module: str, node: ast.ImportFrom, modules: dict[str, str]) -> str:
    """What a from-import names, its leading dots resolved."""
    if not node.level:
        return node.module or ""
    is_package = any(name.startswith(f"{module}.") for name in modules)
    parts = module.split(".")
    kept = parts[: len(parts) - node.level + is_package]
    return ".".join([*kept, *filter(None, [node.module])])


def part_of(module: str) -> str:
    """The row of the table that a module of ours belongs to."""
    parts = module.split(".")
    if parts[0] != PACKAGE:
        return parts[0]
    return parts[1] if len(parts) > 1 else ""


def violations(modules: dict[str, str]) -> list[str]:
    """Every import that the table forbids, and the first circle, as sentences."""
    found = []
    graph = {}
    for module, source in modules.items():
        part = part_of(module)
        if part not in MAY_IMPORT:
            found.append(f"{module} is on no floor of the design")
            continue
        imported = imports_of(module, source, modules)
        graph[module] = {name for name in imported if name in modules and name != module}
        for name in sorted(imported):
            library = name.split(".")[0]
            if library in (PACKAGE, "app"):
                other = part_of(name)
                if other != part and other not in MAY_IMPORT[part]:
                    found.append(f"{module} imports {name}: {part or PACKAGE} may not")
                elif module in STRANGERS and name in STRANGERS - {module}:
                    found.append(f"{module} imports {name}: sources are strangers to each other")
            elif part not in ONLY_IN.get(library, (part,)):
                found.append(f"{module} imports {name}: it stays in {', '.join(ONLY_IN[library])}")
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as circle:
        found.append("a circle: " + " -> ".join(circle.args[1]))
    return found


def test_imports_point_only_downward():
    """No module imports what its floor may not, and there is no circle."""
    modules = sources_of(ROOT)
    assert f"{PACKAGE}.errors" in modules
    assert violations(modules) == []


@pytest.mark.parametrize(
    ("module", "source", "says"),
    [
        ("kernel_demo.imaging.seeded", "import torch", "it stays in learning"),
        ("kernel_demo.learning.seeded", "import gradio as gr", "it stays in ui"),
        (
            "kernel_demo.learning.seeded",
            "def f():\n    from PIL import Image",
            "it stays in sources",
        ),
        ("kernel_demo.export.seeded", "from datasets import load_dataset", "it stays in sources"),
        ("kernel_demo.sources.seeded", "from torch import nn", "it stays in learning"),
        ("kernel_demo.errors", "import kernel_demo.imaging.kernels", "errors may not"),
        ("kernel_demo.sources.seeded", "from kernel_demo import imaging", "sources may not"),
        ("kernel_demo.learning.seeded", "from ..sources import bundled", "learning may not"),
        ("kernel_demo.lab.seeded", "from kernel_demo.export import files", "lab may not"),
        ("kernel_demo.imaging", "from .. import learning", "imaging may not"),
        ("kernel_demo.sources.hub", "from . import bundled", "strangers"),
        ("kernel_demo.sources.hub", "from .uploads import open_uploads", "strangers"),
        (
            "kernel_demo.learning.seeded",
            "import importlib as i; i.import_module('gradio')",
            "in ui",
        ),
        ("kernel_demo.services.mail", "", "on no floor"),
        ("app", "from kernel_demo.learning import training", "app may not"),
    ],
)
def test_a_forbidden_import_is_caught(module, source, says):
    """Each rule of the table can fail: one seeded line in an otherwise empty house is reported."""
    house = dict.fromkeys(
        ["kernel_demo"]
        + [f"kernel_demo.{part}" for part in BELOW_UI]
        + ["kernel_demo.imaging.kernels", "kernel_demo.learning.training"]
        + ["kernel_demo.sources.bundled", "kernel_demo.sources.uploads"],
        "",
    )
    found = violations(house | {module: source})
    assert len(found) == 1
    assert says in found[0]


def test_what_the_table_allows_passes():
    """A neighbour of the same floor, a lower floor and one's own decoder are no violation."""
    house = {
        "kernel_demo.errors": "",
        "kernel_demo.imaging": "",
        "kernel_demo.imaging.borders": "from kernel_demo.errors import DemoError\nimport cv2",
        "kernel_demo.imaging.filtering": "from kernel_demo.imaging.borders import pad",
        "kernel_demo.sources": "",
        "kernel_demo.sources.decoding": "from PIL import Image",
        "kernel_demo.sources.hub": "from .decoding import decode\nimport datasets",
        "kernel_demo.learning": "",
        "kernel_demo.learning.model": "import torch\nfrom kernel_demo.imaging import borders",
        "kernel_demo.ui": "",
        "kernel_demo.ui.layout": "import gradio\nimport PIL\nimport kernel_demo.sources.hub",
        "app": "from kernel_demo.ui.layout import build",
    }
    assert violations(house) == []


def test_a_circle_is_caught():
    """Two modules of one floor that import each other are reported by name."""
    house = {
        "kernel_demo.imaging": "",
        "kernel_demo.imaging.kernels": "from kernel_demo.imaging import tiles",
        "kernel_demo.imaging.tiles": "def late():\n    from .kernels import named",
    }
    (circle,) = violations(house)
    assert "imaging.kernels" in circle
    assert "imaging.tiles" in circle


def test_no_module_is_named_after_nothing():
    """A module is named after its idea: nothing is called utils, helpers, common, manager."""
    words = {
        word for name in sources_of(ROOT) for part in name.split(".") for word in part.split("_")
    }
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
    assert set(done.stdout.split()) <= {"errors", "imaging", "learning"}
