"""Modules that are imported when they are first used: the page is served before torch is there.

To import torch takes about two seconds. What needs it says `from kernel_demo.learning.late import
torch`, and uses it within functions; classes made of torch's own have modules of their own
(`layers`, `kfac`), which import it as usual and are late themselves.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any


class Late:
    """Stands for a module, and imports it at the first use of a name of it."""

    def __init__(self, module: str) -> None:
        """module: its full name. Its own errors (ImportError, ...) come at that first use."""
        self.__module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(import_module(self.__module), name)


if TYPE_CHECKING:
    import torch as torch
else:
    torch = Late("torch")
