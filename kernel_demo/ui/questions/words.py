"""What the tab "Questions" says: the questions, their answers, and what each experiment showed."""

from dataclasses import dataclass

TAB = "Questions"
INTRODUCTION = "Eight questions, each answered by an experiment on the pictures at hand."
CONTENTS = "The questions"

PICTURES = "Pictures"
SOURCES = [("Bundled", "bundled"), ("Mine", "mine")]
UPLOAD = "Your pictures"
NO_UPLOAD_YET = "Choose one or more pictures; every experiment then uses them."
MIDDLE = "Of a picture larger than {side} × {side}, the middle is used."

STOP = "Stop"
STOPPED = "Stopped by you."
WORKING = "Working…"


@dataclass(frozen=True)
class Question:
    """One of the eight."""

    key: str
    short: str  # for the list of questions
    question: str
    answer: str
    button: str


QUESTIONS = {
    question.key: question
    for question in (
        Question(
            "size",
            "Huge or odd sizes",
            "What if the picture is huge, or an odd size?",
            "Cut it into tiles that overlap by the kernel's radius: their sums add up, their "
            "outputs join, and nothing changes.",
            "Learn and apply it in tiles",
        ),
        Question(
            "edges",
            "The edges",
            "What happens at the edges?",
            "The filter needs pixels there that the picture does not have. Whatever is made up for "
            "them, learning must leave them out: only pixels whose whole patch is inside count.",
            "Compare five borders",
        ),
        Question(
            "anywhere",
            "Fully convolutional",
            "Is it fully convolutional?",
            "Yes. The layer has weights but no size: what it learned on tiles of 64 × 64 it "
            "applies to a panorama as it is.",
            "Learn on tiles, apply to a panorama",
        ),
        Question(
            "speed",
            "Speed",
            "What makes it fast?",
            "Better steps rather than more of them: batches that keep the device busy, and, where "
            "squared loss is all you want, one pass of exact sums.",
            "Measure on this machine",
        ),
        Question(
            "small",
            "A small model",
            "What if the model must be small?",
            "A kernel of whole numbers survives 8-bit integers exactly, and one that is a column "
            "times a row needs 2 k numbers instead of k × k.",
            "Compress it",
        ),
        Question(
            "complete",
            "When to stop",
            "When is training complete?",
            "When the kernel is within its error bars of the best that the pictures allow. A small "
            "loss, a flat curve or lost patience says so long before.",
            "Watch the usual rules fail",
        ),
        Question(
            "depth",
            "Depth",
            "When does depth help?",
            "When the filter is not linear, and only then: no kernel can do it, but layers with a "
            "bend between them can.",
            "Race one layer against a deep network",
        ),
        Question(
            "limits",
            "Limits",
            "Any kernel at all? What are the limits?",
            "Any kernel that the pictures show. Here are twelve ways to break that, each foretold "
            "by theory before it is tried.",
            "Try all twelve",
        ),
    )
}
