"""From a real before/after pair to the filter between them: kernel, border, proof.

The map of the package, in the order of the work; recover() and recover_many() are the way in:

alignment      the two pictures laid over each other: depths, sizes, shifts
planes         one channel before beside one after, and samples of it
extent, noise  how large the kernel is and where it lies; what it leaves
fitting        the kernel, from exact sums
mixture        a kernel from each channel into each
channels       the simplest arrangement of kernels that explains the pair
jpeg           what a JPEG file tells in spite of its compression
nonlinearity   is what the kernel leaves noise?
operations     known operations that are no convolution
judging        the verdict
candidates, arithmetic, fractions   round numbers that reproduce every pixel
border         how the tool went on beyond the border
naming         what the kernel is called
prediction     the kernels applied again
explanations   codes, and the sentences made of them
record, reporting   what comes out
search         swapped files, displaced pictures, and all of the above in turn
"""

from kernel_demo.recovery.explanations import Channels, Edge, Rounding, Verdict
from kernel_demo.recovery.record import Recovery
from kernel_demo.recovery.search import recover, recover_many

__all__ = [
    "Channels",
    "Edge",
    "Recovery",
    "Rounding",
    "Verdict",
    "recover",
    "recover_many",
]
