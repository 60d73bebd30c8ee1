"""Learn an image filter from pictures before and after it: exactly, and with proof.

The map of the package, from the ground up; a part imports only what stands above it here:

errors      what a user can put right, and the four ways to check input
numbers     numbers as people read them
imaging     kernels, borders, the reference filter, tiles (NumPy + OpenCV)
sources     where pictures come from: bundled photos, the Hub, uploads (never imaging)
learning    the single layer, its training, the exact sums, the proof (torch starts here)
recovery    a picture before and one after a filter -> the filter
export      the learned kernel as files and as code
lab         the experiments behind the questions (never export)
ui          the page (the only place with gradio)
commands    the command line, without the page: `python -m kernel_demo recover` and `apply`
"""
