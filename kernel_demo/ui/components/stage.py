"""The stage of the tab Learn: the bar, a kernel at work, true - learned = difference, the curves.

`component()` is drawn once by the browser; each value is one dict, complete by itself and numbered,
so any of them may be skipped, repeated or late. A value holds all kept steps of a run, computed at
full speed; which of them is shown, and at what pace, the browser's script alone knows. It tells by
events what a visitor asks for: learn, pause, resume, step, rate, stop, more, picture; and `set`,
where a changed rate is that of no run in view.
"""

import gradio as gr

from kernel_demo.ui.components import from_files, worked
from kernel_demo.ui.html import ENTRIES

SPEEDS = {
    "step": ("1 step", "one a press"),
    "slow": ("slow", "2 shown a second"),
    "normal": ("normal", "9 shown a second"),
    "fast": ("fast", "as they come"),
}
# What the main button says, by the state that is shown.
MAIN = {
    "before": "Learn this filter",
    "waiting": "Stop",
    "running": "Pause",
    "paused": "Resume",
    "finished": "Learn again",
}
KEYS = (
    ("← → ↑ ↓", "on a picture: the pixel; on the timeline: the step"),
    ("Space", "presses what has the focus"),
    ("R", "a random filter"),
    ("?", "this list"),
)
# The verdict, by what is shown; what stands in braces is a figure that verdict.js names.
VERDICT = {
    "untaught": "Nothing learned yet:",
    "sees": "it sees each picture before and after the true filter, never the true weights.",
    "start_random": "The weights are random numbers, up to {off} off.",
    "start_zeros": "All weights are zero, up to {off} off.",
    "start_identity": "The weights leave a picture as it is, up to {off} off.",
    "preparing": "Getting ready.",
    "preparing_what": "The pictures, and a place on the device.",
    "read_in": "Reading the pictures.",
    "read_in_what": "Learning then begins by itself.",
    "queued": "Waiting for a place.",
    "next": "You are next.",
    "place": "You are number {place} in the queue.",
    "queued_how": "Learning begins by itself; Stop gives the place away.",
    "learning": "Learning.",
    "one_step": "One step at a time: press Step.",
    "still": "A weight is still {off} off.",
    "gone": "{Gone} of the loss is gone.",
    "small": "Small loss, wrong kernel.",
    "small_what": "{Gone} of the loss is gone, and a weight is still {off} off.",
    "why": "Why?",
    "near": "Nearly right.",
    "right_now": "Right to {decimals} decimals so far.",
    "bound": "No weight is more than {bound} off.",
    "paused": "Paused: still {off} off in a weight.",
    "paused_near": "Paused: no weight is more than {bound} off.",
    "largest": "The largest weight is {largest}.",
    "paused_how": "Resume goes on from here, Step makes one update.",
    "back": "Looking back at step {step}:",
    "back_off": "a weight is {off} off.",
    "back_on": "Learning goes on meanwhile.",
    "back_right": "At the end: right to {final_decimals} decimals,",
    "back_bound": "no weight is more than {final_bound} off.",
    "back_end": "At the end:",
    "back_still": "a weight is {final_off} off.",
    "right": "Right to {final_decimals} decimals.",
    "right_bound": "No weight is more than {final_bound} off, after {steps} steps and {seconds}.",
    "nothing_left": "More steps bring it no nearer.",
    "best": "As near as these pictures allow.",
    "best_bound": "No weight is more than {final_bound} off, after {steps} steps and {seconds}.",
    "not_there": "Not there yet.",
    "ended_still": "A weight is {off} off, after {steps} steps and {seconds}.",
    "diverged": "This run went astray.",
    "singular": "No single answer.",
    "sentence": "{sentence}",
    "to_end": "To the end",
    "to_latest": "To the latest",
    "more_steps": "{more} more steps",
}
WORDS = (
    VERDICT
    | worked.WORDS
    | {
        "stage": "Learning, live",
        "pictures": "Pictures",
        "filter": "Filter",
        "method": "Method",
        "make_step": "Step",
        "speed": "Speed",
        "more_menu": "More",
        "copy_link": "Copy link",
        "copied": "Link copied",
        "start_over": "Start over",
        "key_switch": "Keys R and ?",
        "what": "A kernel",
        "is": (
            "is a small table of weights. Lay it on a pixel and its neighbours, multiply, add up: "
            "the sum is the new pixel."
        ),
        "below_zero": "below zero",
        "above": "above",
        "before": "Before",
        "point": "point at a pixel",
        "tap": "tap a pixel",
        "after": "After",
        "learned_kernel": "Learned kernel",
        "start": "a random start",
        "no_start": "the start",
        "true": "True",
        "learned": "Learned",
        "difference": "Difference",
        "tag_true": "true",
        "divider": "How much of the picture is learned, the rest is true",
        "in_unit": "in {unit}",
        "below_unit": "below {unit}",
        "true_sum": "true {sum}",
        "back_to_kernels": "Back to the kernels",
        "pixel": "Pixel {x}, {y}: {sum}, true {true}.",
        "loss": "Loss",
        "loss_note": "how wrong the filtered pictures are",
        "dashed": "dashed: held out",
        "error": "Kernel error",
        "error_note": "how wrong the kernel is: its worst weight",
        "clear_before": "Clear the run before",
        "run_before": "{run}, the run before",
        "run_before_other": "{run} on {filter}, the run before",
        "run_before_short": "the run before",
        "timeline": "Step shown",
        "play": "Show it again",
        "play_on": "Go on",
        "hold": "Stay at this step",
        "step": "step",
        "step_at": "Step {step}",
        "step_of": " of {steps}",
        "step_most": ", at most {steps}",
        "step_most_short": ", max {steps}",
        "not_started": "not started",
        "computed_in": "computed in {seconds}",
        "computed_to": "Computed up to step {step}: a click beyond goes there and learns nothing.",
        "unmeasured": "not measured yet",
        "pointed": "step {step}: {value}",
        "rate": "rate {rate}",
        "reading": "Row {row}, column {column}:",
        "terms": "true {truth} − learned {learned} = {difference}",
        "entries": ENTRIES,
        "spoken": "Step {step}. Loss {loss}, kernel error {error}.",
    }
)
SCRIPTS = (
    "drawing", "clipboard", "chart", "show", "verdict", "arithmetic", "bar", "kernels", "pictures",
)  # fmt: skip


def component(elem_id: str = "live", value: dict | None = None) -> gr.HTML:
    """The stage, showing `value`."""
    return from_files(
        "stage", value, elem_id, words=WORDS, shared=SCRIPTS, speeds=SPEEDS, main=MAIN, keys=KEYS
    )
