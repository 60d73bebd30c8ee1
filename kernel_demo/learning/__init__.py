"""The single convolution layer: its training, the exact sums behind it, and the proof."""
