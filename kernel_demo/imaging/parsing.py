"""A matrix out of pasted text: JSON, NumPy, MATLAB, C or plain rows. Nothing is ever evaluated."""

import re

from kernel_demo.errors import DemoError

# A 31 x 31 kernel in full precision is about 25,000 characters.
MAX_TEXT = 50_000

_ALIKE = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2044": "/", "{": "[", "}": "]"})
_CALL = re.compile(r"(?:\w+\.)?(?:array|tensor|matrix)\(")
_ARGUMENTS = re.compile(r"(?:, ?\w+ ?= ?[\w.'\"]+)?,? ?\)")
_INNER = re.compile(r"\[([^\[\]]*)\]")
_SEPARATOR = re.compile(r"\s*,\s*|\s+")


def read_matrix(text: str) -> list[list[float]]:
    """The rows of numbers in a text; they may be ragged: kernels.check() judges the shape.

    Understood: [[1, 2], [3, 4]], np.array(...) and array(..., dtype=...), {{1, 2}, {3, 4}},
    [1 2; 3 4], and plain rows: one a line (or between semicolons), numbers between commas, spaces
    or tabs. A number may be a fraction (1/9). A last "/ 16" after a bracket or space divides all.
    DemoError for anything else.
    """
    if len(text) > MAX_TEXT:
        raise _unreadable(f"a text of {len(text):,} characters", "Paste the matrix alone.")
    body, divisor = _split_divisor(text.translate(_ALIKE).strip().rstrip(";").rstrip())
    # "1 / 9" becomes "1/9", so that a space always separates.
    body = "/".join(part.strip() for part in _unwrap(body).split("/"))
    rows = [[_number(cell) / divisor for cell in _cells(row)] for row in _rows(body)]
    if not rows:
        raise _unreadable("nothing", "Write one row of numbers a line, such as 0 -1 0.")
    return rows


def _split_divisor(text: str) -> tuple[str, float]:
    head, slash, tail = text.rpartition("/")
    tail = tail.strip()
    if not slash or not head or not (head[-1].isspace() or head[-1] in "])"):
        return text, 1.0
    if not tail or set(tail) & set(" \t\n,;[]()"):
        return text, 1.0
    divisor = _number(tail)
    if divisor == 0:
        raise _unreadable("a divisor of 0", "Divide by another number.")
    return head.strip(), divisor


def _unwrap(text: str) -> str:
    """The brackets inside array( ... , dtype=...)."""
    call = _CALL.match(text)
    if not call:
        return text
    inner = text[call.end() :]
    end = inner.rfind("]") + 1
    if not end or not _ARGUMENTS.fullmatch(" ".join(inner[end:].split())):
        raise _unreadable(_quoted(text), "Paste the whole of array([[...], [...]]).")
    return inner[:end].strip()


def _rows(text: str) -> list[str]:
    rows = _INNER.findall(text)
    around = _INNER.sub("", text).strip()
    if not rows and "[" not in text and "]" not in text:
        return [row for row in re.split(r"[\n;]", text) if row.strip()]
    if len(rows) == 1 and not around:  # [1 2; 3 4]
        return _rows(rows[0])
    if around[:1] + around[-1:] != "[]" or around[1:-1].strip(",; \t\r\n"):
        remedy = "Put each row in brackets and all rows in one more pair."
        raise _unreadable(_quoted(text), remedy)
    return rows


def _cells(row: str) -> list[str]:
    row = row.strip().removesuffix(",").rstrip()
    return _SEPARATOR.split(row) if row else []


def _number(cell: str) -> float:
    above, slash, below = cell.partition("/")
    try:
        return float(above) / float(below) if slash else float(above)
    except ValueError:
        raise _unreadable(_quoted(cell), "Use numbers such as -1, 0.5 or 1/9.") from None
    except ZeroDivisionError:
        raise _unreadable(f"the fraction {_quoted(cell)}", "Divide by another number.") from None


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…") if text else "an empty cell"


def _unreadable(received: str, remedy: str) -> DemoError:
    return DemoError("a square matrix of numbers, as JSON, NumPy or plain rows", received, remedy)
