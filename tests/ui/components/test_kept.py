"""What is kept of a run: bounded, the first, the last and every fall in it, never changed."""

import base64
from dataclasses import FrozenInstanceError
from types import SimpleNamespace

import numpy as np
import pytest

from kernel_demo.ui.components.kept import (
    CHUNK_VALUES,
    FALLS,
    FIGURES,
    LIMIT,
    SPREAD,
    Kept,
    cell,
    spread,
)

TRUTH = np.array([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]])
# float32 keeps 24 bits of a number.
FLOAT32 = 2.0**-24


def progress(step, error=0.25, done=False, kernel=TRUTH, **figures):
    said = {"loss": 0.01, "validation_loss": None, "seconds": 0.5} | figures
    return SimpleNamespace(step=step, kernel_error=error, done=done, kernel=kernel, **said)


def run(most, error=lambda step: 0.25, end=None, every=1):
    """Every step of a run; `end`: the step at which it stops."""
    kept, end = Kept(most, every), most if end is None else end
    for step in range(end + 1):
        kept = kept.add(progress(step, error(step), done=step == end), TRUTH)
    return kept


def decoded(chunks, size=3):
    raw = b"".join(map(base64.b64decode, chunks))
    return np.frombuffer(raw, "<f4").reshape(-1, FIGURES + size * size)


@pytest.mark.parametrize(
    "most", [1, 2, 35, 200, 369, 370, 371, 372, 400, 1000, 5000, 20_000, 100_000]
)
def test_a_run_of_any_length_is_kept_in_few_steps(most):
    """By their steps alone at most SPREAD and the ends: all of a short run, of a long one all the
    early ones and no gap much wider than the one before it."""
    steps = [step for step in range(most + 1) if spread(step, most)]
    assert len(steps) <= SPREAD + 2
    assert steps[:2] == [0, 1]
    gaps = np.diff(steps)
    if most <= SPREAD:
        assert (gaps == 1).all()
    else:
        assert len(steps) > SPREAD - 2
        assert (gaps[1:] <= gaps[:-1] + 1 + gaps[:-1] / 4).all()
        assert steps[-1] >= most - 2 * gaps[-1]


@pytest.mark.parametrize("most", [1, 7, 200, 400, 5000])
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_the_first_the_last_and_every_fall_are_kept(most, share):
    """An error that falls by a factor of ten again and again, for as long as float64 goes: the
    first step at which it has, each time; and where the run stops, wherever that is."""
    end = max(1, round(share * most))
    falls = {round(end * share) for share in np.linspace(0.05, 0.95, 16)} - {0}
    errors = 2.0 * 0.05 ** np.cumsum([step in falls for step in range(end + 1)])
    kept = run(most, errors.__getitem__, end)
    assert len(kept.steps) == len(kept.records) <= LIMIT
    assert {0, end, *falls} <= set(kept.steps)
    assert list(kept.steps) == sorted(set(kept.steps))
    assert falls == set(kept.falls)


def test_no_error_however_wild_keeps_too_many():
    """Ten powers of ten a step, for a thousand steps: no more than FALLS of them count."""
    kept = run(100_000, lambda step: 10.0 ** (30 - step % 61), end=3000)
    assert len(kept.falls) == FALLS
    assert len(kept.steps) <= LIMIT


def test_what_is_kept_hangs_on_steps_alone():
    """A Progress that came because time had passed is not kept, though the error fell."""
    kept = Kept(5000, every=25).add(progress(0, 1.0), TRUTH)
    between = next(step for step in range(1000, 5000) if not spread(step, 5000) and step % 25)
    assert kept.add(progress(between, 1e-3), TRUTH) is kept
    looked = next(step for step in range(1000, 5000, 25) if not spread(step, 5000))
    assert kept.add(progress(looked, 1e-3), TRUTH).steps == (0, looked)


def test_records_are_only_ever_added():
    """Of a run of 5,000 steps: what was sent stays as it was, chunk by chunk, but for the last."""
    kept, sent = Kept(5000), []
    for step in range(5001):
        longer = kept.add(progress(step, 0.999**step), TRUTH)
        if longer is not kept:
            now = longer.encode()
            assert now[: len(sent) - 1] == sent[:-1]
            assert decoded(now)[: len(decoded(sent))].tobytes() == decoded(sent).tobytes()
            kept, sent = longer, now
    assert len(sent) == -(-len(kept.steps) // (CHUNK_VALUES // (FIGURES + 9)))
    assert max(map(len, sent)) <= 4 * -(-4 * CHUNK_VALUES // 3)  # four characters for three bytes


def test_the_start_may_get_its_figures_later():
    """The kernel of step 0 is known before its loss: the record is made anew, once it is."""
    kept = Kept(5).add(progress(0, loss=None), TRUTH).add(progress(0, loss=0.5), TRUTH)
    assert kept.steps == (0,)
    assert kept.at(0).loss == 0.5
    later = kept.add(progress(1), TRUTH)
    assert later.add(progress(1, error=9.0), TRUTH) is later


def test_figures_and_differences_arrive():
    """Steps exactly, the rest to float32; what is not known as NaN; true - learned, also where it
    is below what float32 keeps of the weights themselves."""
    learned = TRUTH - 1e-9 * np.arange(9).reshape(3, 3)
    kept = Kept(100_000).add(progress(0, loss=None), TRUTH)
    kept = kept.add(
        progress(99_999, 1e-8, True, learned, loss=1 / 3, validation_loss=2 / 3, seconds=0.1), TRUTH
    )
    first, last = decoded(kept.encode())
    assert first[0] == 0
    assert np.isnan(first[1])
    assert last[0] == 99_999
    np.testing.assert_allclose(last[1:5], [1 / 3, 2 / 3, 1e-8, 0.1], rtol=FLOAT32)
    np.testing.assert_allclose(last[5:], 1e-9 * np.arange(9), rtol=1e-6)


def test_a_validation_loss_is_that_of_its_own_step():
    """Between two checks a Progress has that of the check before: it is told as not known."""
    kept = Kept(50, every=10)
    for step in range(25):
        kept = kept.add(progress(step, validation_loss=0.5, done=step == 24), TRUTH)
    measured = [step for step in kept.steps if not np.isnan(kept.at(step).validation_loss)]
    assert measured == [0, 10, 20, 24]


def test_a_run_that_diverged_is_kept():
    """Weights and losses beyond float32, or no numbers at all, are told as such."""
    wild = np.full((3, 3), [1e39, np.inf, np.nan])
    kept = Kept(5).add(progress(0), TRUTH).add(progress(1, np.nan, kernel=wild, loss=1e39), TRUTH)
    values = decoded(kept.encode())[1]
    assert values[1] == np.inf
    assert np.isnan(values[3])
    assert not np.isfinite(values[5:]).any()


def test_the_largest_run_stays_small_in_the_browser():
    """31 x 31, 5,000 steps: below 3 MB of float32, and the text that brings them below 3 MB, too; a
    new record changes none of those that were sent."""
    truth = np.zeros((31, 31))
    kept, sent = Kept(5000), []
    for step in range(5001):
        longer = kept.add(progress(step, 0.995**step, step == 5000, truth), truth)
        if longer is not kept:
            now = longer.encode()
            assert now[:-1] == sent  # one record a chunk: what is new is all there is to send
            kept, sent = longer, now
    assert 360 < len(kept.steps) <= LIMIT
    assert 4 * decoded(sent, 31).size < 3e6
    assert sum(map(len, sent)) < 3e6


def test_a_run_that_goes_on_has_place_for_the_rest():
    """5,000 steps more, again and again: the first, the falls and the end so far stay, and there
    is place for what comes."""
    kept = run(5000, lambda step: 10.0 ** -(step // 1000))
    for most in range(10_000, 60_000, 5000):
        before = kept
        kept = kept.longer(most)
        assert {0, before.steps[-1], *before.falls} <= set(kept.steps) <= set(before.steps)
        assert kept.falls == before.falls
        for step in range(most - 4999, most + 1):
            kept = kept.add(progress(step, 1e-5, done=step == most), TRUTH)
        assert kept.steps[-1] == most
        assert len(kept.steps) <= LIMIT
    cells = [cell(step, kept.most) for step in kept.steps]
    assert len(set(cells)) > 0.9 * len(cells)


def test_steps_that_are_asked_for_have_place():
    """A thousand presses on Step at the end of a long run: each is there, and the oldest of them
    make place for it; the others stay."""
    kept = run(100_000, lambda step: 0.5**step, end=50_000)
    planned = set(kept.steps)
    for step in range(50_001, 51_001):
        kept = kept.add(progress(step), TRUTH, asked=True)
        assert kept.steps[-1] == step
        assert len(kept.steps) <= LIMIT
    assert planned - {50_000} <= set(kept.steps)


def test_what_is_beyond_a_step_is_dropped():
    """Up to a step, with its falls; the rest comes anew, as it would have come."""
    kept = run(2000, lambda step: 10.0 ** -(step // 100), end=1000)
    cut = kept.until(450)
    assert cut.steps == tuple(step for step in kept.steps if step <= 450)
    assert cut.falls == tuple(step for step in kept.falls if step <= 450)
    assert cut.at(10**9).step == cut.steps[-1]
    assert Kept(5).at(3) is None
    for step in range(cut.steps[-1], 1001):
        cut = cut.add(progress(step, 10.0 ** -(step // 100), step == 1000), TRUTH)
    assert cut == kept


def test_records_do_not_change_under_their_reader():
    """Whatever is added, who holds records holds those of one moment."""
    start = Kept(500).add(progress(0), TRUTH)
    sent = start.encode()
    longer = start
    for step in range(1, 200):
        longer = longer.add(progress(step), TRUTH)
    assert start.encode() == sent
    assert len(longer.steps) == 200
    with pytest.raises(FrozenInstanceError):
        start.steps = ()
