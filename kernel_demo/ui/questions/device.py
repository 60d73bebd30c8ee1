"""Where the experiments of the tab "Questions" compute."""

from kernel_demo.ui import device as gpu

# A Space lends its GPU to a visitor for a few seconds only; those belong to the tab "Learn".
DEVICE = "cpu" if gpu.spaces else "auto"
