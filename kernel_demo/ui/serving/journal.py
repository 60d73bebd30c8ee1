"""The server's log: one line a run, of its settings, its seconds and how it ended.

No picture, no address, no file name and no free text is told.
"""

import logging
import re
import time
from asyncio import CancelledError
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

LOG = logging.getLogger("kernel_demo")
_NAME = re.compile(r"[a-z0-9_ ]{1,24}", re.IGNORECASE)  # of a kernel, a method; no file, no address


@dataclass
class Run:
    """A run that will be told."""

    outcome: str = "done"


@contextmanager
def told(what: str, settings: Mapping[str, Any]) -> Iterator[Run]:
    """Tell, when the block ends, what ran and how it ended; of the settings numbers and names."""
    run, began = Run(), time.monotonic()
    try:
        yield run
    except (GeneratorExit, CancelledError):
        run.outcome = "stopped"
        raise
    except BaseException as error:
        run.outcome = f"failed by {type(error).__name__}"
        raise
    finally:
        spent = time.monotonic() - began
        said = [f"{name}={value}" for name, value in settings.items() if _is_setting(value)]
        LOG.info("%s, %.2f s: %s", " ".join([what, *said]), spent, run.outcome)


def _is_setting(value: Any) -> bool:
    if isinstance(value, str):
        return _NAME.fullmatch(value) is not None
    return isinstance(value, (bool, int, float))
