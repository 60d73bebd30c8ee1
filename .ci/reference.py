"""Build the reference of the public names, in reference/: python .ci/reference.py

pdoc spells out what a type stands for. ArrayLike stands for half a page of NumPy's inner names, so
that here it is a class of its own name, and so is NDArray.
"""

import sys
import types
from pathlib import Path

import numpy.typing
import pdoc

ROOT = Path(__file__).parents[1]


class ArrayLike:
    """What NumPy can make an array of."""


class NDArray:
    """An array of one type."""

    def __class_getitem__(cls, item: type) -> types.GenericAlias:
        return types.GenericAlias(cls, item)


for stand_in in (ArrayLike, NDArray):
    stand_in.__module__ = "numpy.typing"
    setattr(numpy.typing, stand_in.__name__, stand_in)

sys.path.insert(0, str(ROOT))
pdoc.pdoc("kernel_demo.api", output_directory=ROOT / "reference")
