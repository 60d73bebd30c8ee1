"""The panel "How sure is this?": first what the pictures can tell, after learning the proof."""

from html import escape

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.learning.certificate import NEAR, Certificate, certify
from kernel_demo.learning.statistics import Solution
from kernel_demo.learning.training import Cause, Stop
from kernel_demo.ui.components.take import probe_link
from kernel_demo.ui.html import block, matrix, quiet, title
from kernel_demo.ui.learn import certificate_words as wording
from kernel_demo.ui.learn import lesson
from kernel_demo.ui.learn.form import experiment as read
from kernel_demo.ui.learn.session import Experiment, Session

PATTERNS = 6  # drawn; the sentence tells how many there are


def build(start: Experiment) -> gr.HTML:
    """The panel, saying what the pictures of the first paint can tell."""
    return block(before_learning(start), "certificate")


def look(*values) -> str:
    """The panel for what the page is set to, before learning; the inputs of experiment_form.

    What cannot be read is told beside its input; the panel then stays as it is.
    """
    try:
        return before_learning(read(*values))
    except DemoError:
        return gr.skip()


def conclude(session: Session) -> str:
    """The panel for a run that ended (or pauses)."""
    if session.progress is None:
        return gr.skip()
    if session.kernel is None:
        return _panel(str(Stop(Cause.DIVERGED)), "", "", sure=False)
    try:
        return after_learning(session)
    except DemoError as error:
        return _panel(str(error), "", "", sure=False)


def before_learning(experiment: Experiment) -> str:
    """What the pictures can tell of any kernel of this size: X'X alone decides that."""
    statistics, problems = lesson.sums(lesson.prepare(experiment), len(experiment.weights))
    found = certify(statistics, fit_offset=False)
    weights = statistics.size**2
    if found.undetermined_count:
        sentence = wording.cannot_tell(found.undetermined_count, weights)
    elif found.weak_count:
        sentence = wording.hardly_tell(found.weak_count, weights)
    else:
        sentence = wording.can_tell(weights)
    figures = wording.figures(
        found.solution.condition, statistics.count, float(found.rounding_error.max())
    )
    notes = "".join(map(quiet, problems))
    return _panel(sentence, figures, _patterns(found) + notes, sure=not found.undetermined_count)


def after_learning(session: Session) -> str:
    """The proof: the distance to the best kernel, error bars, measured error beside them."""
    progress, experiment = session.progress, session.experiment
    statistics, problems = lesson.sums(lesson.prepare(experiment), len(experiment.weights))
    found = certify(statistics, session.kernel, progress.offset, fit_offset=False)
    weights = statistics.size**2
    complete = progress.stop is not None and progress.stop.complete
    if found.undetermined_count:
        sentence = wording.cannot_tell(found.undetermined_count, weights)
    elif complete:
        sentence = progress.stopped_because
    else:
        sentence = wording.learned(found.distance)
    bars = found.solution.standard_error
    figures = wording.figures_after(
        found.solution.condition,
        statistics.count,
        float(bars.max()),
        progress.kernel_error,
        found.excess_loss,
    )
    notes = "".join(map(quiet, problems))
    sure = not found.undetermined_count and (complete or found.distance < NEAR)
    return _panel(sentence, figures, _patterns(found) + _bars(found.solution) + notes, sure)


def _panel(sentence: str, figures: str, below: str, sure: bool) -> str:
    return (
        f'<section class="kd-verdict{"" if sure else " kd-unsure"}">{title(wording.TITLE)}'
        f"<p>{escape(sentence)}</p>{quiet(figures)}{below}</section>"
    )


def _patterns(found: Certificate) -> str:
    """The combinations of weights that stay open or nearly so, drawn; and the probe picture."""
    patterns, caption = (
        (found.undetermined, wording.UNDETERMINED)
        if found.undetermined_count
        else (found.weak, wording.WEAK)
    )
    if not patterns:
        return ""
    drawn = "".join(matrix(pattern, numbers=False) for pattern in patterns[:PATTERNS])
    return f'{quiet(caption)}<div class="kd-patterns">{drawn}</div>{probe_link()}'


def _bars(best: Solution) -> str:
    """The best kernel that the pictures allow with its error bars, folded away.

    The bars are the optimum's: what was learned is off by its own distance on top of them.
    """
    bars = best.standard_error
    table = matrix(best.kernel, errors=np.where(np.isfinite(bars), bars, np.nan))
    return (
        f'<details class="kd-details"><summary>{escape(wording.ERROR_BARS)}</summary>'
        f'<div class="kd-matrix-small">{table}</div></details>'
    )
