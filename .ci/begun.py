"""Work out what the page begins with, for kernel_demo/ui/learn/begun.json: python .ci/begun.py"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from kernel_demo.ui.learn import begun, session, settings, showing  # noqa: E402


def main() -> None:
    """Write the losses of the start, its kernel and the sums, each with all of its digits."""
    wanted = settings.experiment(settings.START)
    first = showing.measured(wanted)
    sums, left_out = session.prepare(wanted).sums(len(wanted.weights))
    assert not left_out
    kept = {
        "experiment": wanted.key,
        "lesson": wanted.lesson,
        "torch": begun.version(),
        "kernel": first.kernel,
        "loss": first.loss,
        "validation_loss": first.validation_loss,
        "sums": asdict(sums),
    }
    text = json.dumps(kept, indent=1, default=np.ndarray.tolist)
    begun.FILE.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
