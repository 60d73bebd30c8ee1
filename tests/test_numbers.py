"""Numbers as people read them; tests/ui/test_wording.py has more, beside the sentences."""

import numpy as np
import pytest

from kernel_demo.numbers import count


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (35244, "35\u202f244"),
        (1000000, "1\u202f000\u202f000"),
        (np.int64(-1000), "-1\u202f000"),
    ],
)
def test_thousands_stand_apart(number, text):
    """By a space that is thin and never ends a line, in every language of ours."""
    assert count(number) == text
