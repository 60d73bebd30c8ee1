"""gradio imported in half its time: without what no page uses.

At every import gradio (6.31) parses the source of each of its components, to write what an editor
is told of them into a `.pyi` beside it: two of its four seconds. Its wheel brings these files. And
where `mcp` is installed it imports that, half a second more; where it is not it does without.
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


def leave_out(mcp: bool) -> None:
    """To be called before gradio is imported. mcp: whether this process does without that, too."""
    sys.meta_path.insert(0, _Finder())
    if mcp:
        sys.modules.setdefault("mcp", None)  # says: there is none
