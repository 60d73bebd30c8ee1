"""Learn an image filter from pictures before and after it: exactly, and with proof.

The map of the package, from the ground up; a part imports only what stands before it here (held by
import-linter, its contracts are in pyproject.toml):

errors      what a user can put right, and the four ways to check input
numbers     numbers as people read them
imaging     kernels, borders, the reference filter, tiles (NumPy + OpenCV)
sources     where pictures come from: bundled photos, the Hub, uploads (never imaging)
learning    the single layer and its optimizers, the run, the exact sums, the proof (torch starts
            here)
recovery    a picture before and one after a filter -> the filter (its own map is in recovery)
export      the learned kernel as files and as code
lab         the experiments behind the questions (never export)
ui          the page (the only place with gradio): layout and its queue, guard with the bounds on
            requests and uploads, jobs with how many run at once, the components, a folder a tab
commands    the command line, without the page: `python -m kernel_demo recover` and `apply`
"""
