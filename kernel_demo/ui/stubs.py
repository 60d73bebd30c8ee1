"""gradio imported in half its time: without the stubs that it writes for editors.

At every import gradio (6.31) parses the source of each of its components, to write what an editor
is told of them into a `.pyi` beside it: two of its four seconds. Its wheel brings these files.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

METACLASS, WRITER = "gradio.component_meta", "create_or_modify_pyi"


class _Finder(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == METACLASS else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def executed(module: ModuleType) -> None:
            execute(module)
            setattr(module, WRITER, lambda *_: None)

        spec.loader.exec_module = executed
        return spec


def leave_out() -> None:
    """To be called before gradio is imported; a gradio that writes no such files stays as it is."""
    sys.meta_path.insert(0, _Finder())
