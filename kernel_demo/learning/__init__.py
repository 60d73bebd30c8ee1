"""The single convolution layer: its training, the exact sums behind it, and the proof."""

import os

# Read when torch is imported, so it stands here. By default a thread that has finished its part of
# an operation spins until the others have; where the cores are shared (two visitors learn at once,
# a Space, a busy laptop) that takes from the others the very core that they wait for. Measured
# with two other processes on two cores: the sums of 2 Mpx in 0.05 s, in place of 0.8 s to 2.4 s.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
