"""How far a run over a dataset has come, on a terminal or in a log."""

from __future__ import annotations

import sys
import time

from kernel_demo.dataset import report
from kernel_demo.dataset.fitting import Progress
from kernel_demo.numbers import count

BAR_SECONDS, LINE_SECONDS = 0.25, 10.0  # between two updates: on a terminal, in a log
LENGTH = 24  # characters


class Bar:
    """A bar on a terminal, plain lines in a log; on stderr."""

    def __init__(self) -> None:
        self.terminal = sys.stderr.isatty()
        self.last, self.length, self.first = -1e9, 0, True

    def show(self, progress: Progress) -> None:
        """Bring it up to date, unless that was done a moment ago."""
        if self.first and progress.taken_up:
            print(f"{count(progress.taken_up)} of {count(progress.of)} shards were read before, "
                  "and are taken up.", file=sys.stderr)  # fmt: skip
        self.first = False
        now = time.monotonic()
        if (
            now - self.last < (BAR_SECONDS if self.terminal else LINE_SECONDS)
            and not progress.result
        ):
            return
        self.last = now
        line = report.state(progress)
        if self.terminal:
            full = round(LENGTH * progress.shards / max(progress.of, 1))
            line = f"{'█' * full}{'░' * (LENGTH - full)} {line}"
            print(f"\r{line:<{self.length}}", end="", file=sys.stderr, flush=True)
            self.length = len(line)
        else:
            print(line, file=sys.stderr, flush=True)

    def end(self) -> None:
        """The line of a terminal is done with."""
        if self.terminal:
            print(file=sys.stderr)
