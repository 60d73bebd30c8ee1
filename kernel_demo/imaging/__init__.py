"""Kernels, borders, the reference filter and tiles: NumPy and OpenCV only.

catalogue   the named kernels: as numbers, what each is called and for, and its sizes
kernels     the Kernel record: named, random, read from pasted text, checked
filtering   the reference filter, the five border modes, grey and 8 bits
tiles       the same filter on pictures of any size
probe       a picture to send through a tool whose filter is asked for
operators   what no single convolution can do; noise and 8 bits
"""
