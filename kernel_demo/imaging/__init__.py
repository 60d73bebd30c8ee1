"""Kernels, borders, the reference filter and tiles: NumPy and OpenCV only."""
