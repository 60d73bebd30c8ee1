"""Learn an image filter from pictures before and after it: exactly, and with proof.

    import kernel_demo as kd

    kd.kernel("sobel_x")                          a kernel by its name
    kd.apply(picture, "sobel_x")                  the filtered picture
    kd.learn(befores, afters, size=3)             a layer trained on them, step by step
    kd.fit(befores, afters, size=3)               the best kernel, with error bars
    kd.recover(before, after)                     which filter was it? With proof

help(kd.learn) and so on say more. What comes back are records: kd.Kernel, kd.Progress, kd.Solution,
kd.Recovery; what cannot be used is a kd.DemoError.

The map of the package, from the ground up; a part imports only what stands before it here (held by
import-linter, its contracts are in pyproject.toml):

errors      what a user can put right, and the four ways to check input
numbers     numbers as people read them
records     what a record shows in a notebook, and writes to a file
imaging     kernels, borders, the reference filter, tiles (NumPy + OpenCV)
sources     where pictures come from: bundled photos, the Hub, uploads, shards (never imaging)
learning    the single layer and its optimizers, the run, the exact sums, the proof (torch starts
            here)
recovery    a picture before and one after a filter -> the filter (its own map is in recovery)
export      the learned kernel as files and as code
dataset     a whole dataset, shard by shard, by any number of workers (its own map is in dataset)
lab         the experiments behind the questions (never export)
api         the names above
ui          the page (the only place with gradio): layout, the components, a folder a tab, and how
            it is served: queue and runs, bounds on visitors, what travels and how
commands    the command line: `kernel-demo recover`, `fit`, `apply`, and `serve` for the page
"""

from typing import TYPE_CHECKING, Any

__all__ = [
    "kernel", "apply", "learn", "fit", "recover",
    "Kernel", "Progress", "Solution", "Recovery", "DemoError",
]  # fmt: skip

if TYPE_CHECKING:
    from kernel_demo.api import (
        DemoError,
        Kernel,
        Progress,
        Recovery,
        Solution,
        apply,
        fit,
        kernel,
        learn,
        recover,
    )
else:  # a type checker would take any name for one of the package's

    def __getattr__(name: str) -> Any:
        """The public names, each imported when it is first used: torch takes seconds."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from kernel_demo import api

        globals().update({each: getattr(api, each) for each in __all__})
        return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
