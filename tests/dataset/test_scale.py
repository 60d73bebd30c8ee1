"""The arithmetic of docs/scale.md, and its simulation of a thousand workers."""

import re
from functools import reduce
from pathlib import Path

import numpy as np
import pytest

from kernel_demo.dataset.totals import EXACT, Total, length, packed
from kernel_demo.learning.statistics import Statistics
from tests.dataset.making import filtered, picture

TEXT = (Path(__file__).parents[2] / "docs" / "scale.md").read_text(encoding="utf-8")
WORKERS, MACHINES = 1000, 64


def table(first: str) -> list[list[str]]:
    """The rows of the table whose first heading is that."""
    lines = TEXT.split(f"| {first} |", 1)[1].splitlines()[2:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def number(text: str) -> float:
    return float(re.sub(r"[,%\s]", "", text))


PICTURES, PIXELS, BYTES, EACH, MACHINES_SAID, CORES, DECODING, SUMS = (
    number(row[1]) for row in table("quantity")
)
SHARDS = PICTURES / EACH


def said(pattern: str) -> list[float]:
    """The figures of a sentence, one for each group of the pattern."""
    found = re.search(pattern, " ".join(TEXT.split()))
    assert found, pattern
    return [number(group) for group in found.groups()]


def test_shards():
    """590,000 of them, 576 a core; 9,219 a machine."""
    assert MACHINES_SAID == MACHINES
    assert said(r"That is ([\d,]+) shards, ([\d,]+) for each of ([\d,]+) cores") == [
        SHARDS, round(SHARDS / (MACHINES * CORES)), MACHINES * CORES
    ]  # fmt: skip
    assert said(r"its own ([\d,]+) shards")[0] == round(SHARDS / MACHINES)


@pytest.mark.parametrize("row", table("k"), ids=lambda row: f"k={row[0]}")
def test_what_is_sent(row):
    """k^4 / 2 numbers and some, 16 bytes each: the very ones that a file of sums has."""
    k = int(row[0])
    total = Total.zero(k)
    assert number(row[1]) == len(total.high) == length(k)
    assert number(row[2]) == total.high.nbytes + total.low.nbytes
    assert number(row[3]) == round(SHARDS * number(row[2]) / 1e9, 1)
    assert number(row[4]) == round(100 * SHARDS * number(row[2]) / (PICTURES * BYTES), 4)


def test_what_machines_send_and_pictures_leave():
    """475 MB at 31 x 31; 616 bytes a picture for outliers at 3 x 3."""
    assert said(r"on the network: (\d+) MB at 31")[0] == round(MACHINES * 16 * length(31) / 1e6)
    # Its sums, its own kernel and offset, its pixels and its own error.
    own = 8 * (length(3) + 10 + 2)
    assert said(r"that is (\d+) bytes a picture, ([\d.]+) TB") == [
        own, round(own * PICTURES / 1e12, 1)
    ]  # fmt: skip
    assert 0.009 < own / BYTES < 0.0125


def test_what_takes_the_time():
    """Decoding is the larger part, on 1,024 cores it is hours."""
    decoding, sums = 2 * DECODING * PICTURES / 3.6e6, SUMS * PICTURES / 3.6e6
    rows = {row[0]: row[1:] for row in table("of pairs, 8 bits, 3 × 3")}
    for name, hours in (
        ("decoding, two pictures each", decoding), ("sums", sums), ("all", decoding + sums)
    ):  # fmt: skip
        assert number(rows[name][0]) == round(hours)
        assert number(rows[name][1]) == round(100 * hours / (decoding + sums), 1)
    hours = (decoding + sums) / (MACHINES * CORES)
    assert said(r"cores: ([\d.]+) hours") == [round(hours, 1)]
    whole = 2 * PICTURES * BYTES
    assert said(r"Reading (\d+) TB in that time asks for (\d+) GB") == [
        whole / 1e12, round(whole / 1e9 / (hours * 3600))
    ]  # fmt: skip
    each = whole / 1e9 / (hours * 3600) / MACHINES
    assert said(r"([\d.]+) GB a second of each") == [round(each, 2)]


def test_what_the_numbers_hold():
    """The largest sum is 255^2 times the pixels."""
    for row, limit in zip(table("kept as"), (2**53, 2**63, EXACT), strict=True):
        assert number(row[2]) == float(f"{limit / 255**2:.1e}")
        assert number(row[3]) == float(f"{limit / 255**2 / PIXELS:.1e}")
    assert 9 < PICTURES * PIXELS * 255**2 / 2**63 < 11


@pytest.fixture(scope="module")
def workers() -> list[Total]:
    """The real sums of a thousand small shards."""
    befores = [picture(seed, 24, 26) for seed in range(50)]
    alone = [packed(Statistics.from_pair(b, filtered(b), 3)) for b in befores]
    rng = np.random.default_rng(0)
    return [Total.of(sum(alone[at] for at in rng.integers(0, 50, 5))) for _ in range(WORKERS)]


def bits(total: Total) -> bytes:
    return total.high.tobytes() + total.low.tobytes()


def added(parts: list[Total]) -> Total:
    return reduce(Total.__add__, parts)


@pytest.mark.parametrize("times", [2**0, 2**40])
def test_a_thousand_workers(workers, times):
    """In any order and grouping the same bits, which are those of Python's whole numbers."""
    parts = [Total(part.high * times, part.low * times) for part in workers]
    whole = added(parts)
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(WORKERS)
        assert bits(added([parts[at] for at in order])) == bits(whole)
    by_machine = [added(parts[first::MACHINES]) for first in range(MACHINES)]
    assert bits(added(by_machine)) == bits(whole)
    halves = parts
    while len(halves) > 1:
        halves = [added(halves[at : at + 2]) for at in range(0, len(halves), 2)]
    assert bits(halves[0]) == bits(whole)
    exact = [sum(int(part.high[at]) for part in parts) for at in range(length(3))]
    both = zip(whole.high.tolist(), whole.low.tolist(), strict=True)
    assert [int(high) + int(low) for high, low in both] == exact
    assert (max(exact) > 2**63) == (times > 1)
    assert whole.fits
