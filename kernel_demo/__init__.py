"""Learn an image filter from pictures before and after it: exactly, and with proof.

The map of the package; imports point only downward in this list, reversed:

errors      what a user can put right
imaging     kernels, borders, the reference filter, tiles (NumPy + OpenCV)
sources     where pictures come from: bundled photos, the Hub, uploads
learning    the single layer, its training, the exact sums, the proof (torch starts here)
export      the learned kernel as files and as code
lab         experiments behind the questions
ui          the page (the only place with gradio)
"""
