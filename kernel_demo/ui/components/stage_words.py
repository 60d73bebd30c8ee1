"""What the live stage says."""

from kernel_demo.numbers import duration, figure

WORDS = {
    "stage": "Learning, live",
    "true": "True kernel",
    "learned": "Learned",
    "difference": "Difference",
    "untaught": "not learned yet",
    "picture": "A picture through each of them",
    "loss": "Loss",
    "training": "training",
    "validation": "validation",
    "error": "Kernel error",
    "error_note": "largest weight error",
    "step": "step",
    "row": "Row",
    "column": "column",
    "hint": "Blue below zero, orange above. Pick a cell to read it.",
    "from": "entries from",
    "to": "to",
    "preparing": "Getting ready…",
    "preparing_verdict": "Getting the pictures, and a place on the device.",
    "ready": "Ready to learn",
    "invitation": "Press Learn, and watch the kernel come out of the pictures.",
    "learning": "Learning on",
    "paused": "paused",
    "paused_verdict": "Paused. Resume goes on from this step.",
    "finished": "finished",
}


def sentences(progress, paused: bool) -> dict:
    """The words beside the drawing for one Progress."""
    step = f"Step {progress.step} of {progress.steps}"
    error = f"{WORDS['error'].lower()} {figure(progress.kernel_error)}"
    spoken = f"{step}. {WORDS['loss']} {figure(progress.loss)}, {error}."
    to_go, verdict = "", f"{WORDS['learning']} {progress.device}."
    if progress.done:
        to_go, verdict = WORDS["finished"], progress.stopped_because
        spoken = f"{verdict} {spoken}"
    elif paused:
        to_go, verdict = WORDS["paused"], WORDS["paused_verdict"]
    elif progress.step:
        left = progress.seconds / progress.step * (progress.steps - progress.step)
        to_go = f"about {duration(left)} to go"
    return {
        "step": step,
        "seconds": duration(progress.seconds),
        "to_go": to_go,
        "loss": figure(progress.loss),
        "error": figure(progress.kernel_error),
        "verdict": verdict,
        "spoken": spoken.strip(),
    }
