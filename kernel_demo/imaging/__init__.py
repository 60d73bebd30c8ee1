"""Kernels, borders, the reference filter and tiles: NumPy and OpenCV only.

formulas    the named kernels as numbers
catalogue   what each named kernel is called and for, and its sizes
parsing     a matrix out of pasted text
kernels     the Kernel record: named, random, parsed, checked
borders     the five border modes and padding
filtering   the reference filter, grey and 8 bits
tiles       the same filter on pictures of any size
probe       a picture to send through a tool whose filter is asked for
operators   what no single convolution can do; noise and 8 bits
"""
