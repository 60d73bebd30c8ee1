"""Learn an image filter from pictures before and after it: exactly, and with proof.

The map of the package, from the ground up; a part imports only what stands above it here:

errors      what a user can put right
imaging     kernels, borders, the reference filter, tiles (NumPy + OpenCV)
sources     where pictures come from: bundled photos, the Hub, uploads (only errors)
learning    the single layer, its training, the exact sums, the proof (torch starts here)
export      the learned kernel as files and as code
lab         the experiments behind the questions
ui          the page (the only place with gradio)

`__main__` is the command line: `python -m kernel_demo recover` and `apply`.
"""
