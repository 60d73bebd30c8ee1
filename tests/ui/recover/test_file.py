"""What the page says of a file after that is a JPEG."""

import numpy as np

from kernel_demo.recovery import Recovery, Verdict
from kernel_demo.ui.recover import finding


def facts(verdict):
    bare = np.ones((1, 1, 3, 3))
    return finding.facts_of(
        Recovery(
            verdict,
            kernel=bare,
            standard_error=bare,
            compression="JPEG, quality 75",
            coefficients=0.99987,
            reproduced=0.11123,
        )
    )


def test_the_proof_stands_beside_the_file():
    """Rounded downwards; without a kernel there is none."""
    told = (
        "JPEG, quality 75; what the kernel makes, saved in the same way, has 99.98 % of the "
        "numbers that this file stores. Before it is saved, 11.12 % of its pixels are those of the "
        "file: compression changes pixels"
    )
    assert ("After file", told) in facts(Verdict.NOISY)
    assert ("After file", "JPEG, quality 75") in facts(Verdict.UNDETERMINED)
