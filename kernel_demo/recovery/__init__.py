"""From a real before/after pair to the filter between them: kernel, border, proof.

The map of the package, in the order of the work; recover() and recover_many() are the way in:

search        swapped files, displaced pictures, and all that follows in turn, to the record
reporting     the record of what was found: kernels, their picture, what explains more than they
alignment     the two pictures laid over each other: a Pair, and its Planes of one channel each
registration  whether after was moved, turned, or cut out of before
outliers      pixels that something else than the kernel has changed
blocks        bars from the scatter of whole blocks of the picture
halves        kernels of halves of the pixels, which must agree
attenuation   what noise in before has taken from a kernel
fitting       the kernel of some planes from exact sums: how large it is, what noise it leaves
quantisation  the steps of a JPEG file's coefficients, from its blocks
encoder       what libjpeg makes of a picture's brightness
jpeg          what a JPEG file tells in spite of its compression
recompression  whether a kernel's picture, compressed again, is the file
chroma        whether its colours went through the kernel as well
smoothing     what is known of kernels of which it hides the weights
luma          whether the brightness alone doubts that kernel
channels      the simplest arrangement of kernels that explains the pair
evidence      what betrays that no kernel made the pair
places        whether one kernel holds everywhere, by kernels of small cells ...
periods       ... and by what comes again in what it leaves
verdicts      a verdict with its reason
unfiltered    is after as before, but for noise and losses?
judging       is what the kernels leave noise? The verdict
proving       round numbers, pixels that all obey, or bars that prove it
known         kernels that have a name ...
naming        ... and whether a record bears it, or is made by a tool's own steps
families      filters of a few parameters, found by these ...
formulas      ... their kernels, and how each tool rounds
passes        filters one after the other, each of which rounds
separable     a line along rows and one along columns, with whole levels between
rivals        what explains a pair better than a kernel: curves, operations, light
operations    those operations, as functions and as lines of code
light         kernels that work on light instead of stored values
alternatives  what is known beside a kernel done again: parameters, figures, picture
programs      ... and a program
thresholds    black or white by each pixel, or by the mean about it
redone        what no kernel does, done again to the pixel, or as the JPEG file that after was
candidates    round numbers that are worth trying
uniqueness    whether pixels tell one of them from all others
fractions     round numbers that reproduce every pixel
polytope      all kernels that one rounding allows: their middle, and guaranteed intervals
linear_program  the most of a sum under limits, with a bound that holds whatever its arithmetic did
reproduction  the kernels applied again: the border mode, the picture
record        what comes out
several       pairs of which most are of one filter, and those that are not
leftover      where in the picture the kernels leave most
explanations  codes, and the sentences made of them
"""

from kernel_demo.recovery.explanations import Channels, Edge, Rounding, Verdict
from kernel_demo.recovery.record import Recovery
from kernel_demo.recovery.search import recover, recover_many
from kernel_demo.recovery.several import recover_common

__all__ = [
    "Channels",
    "Edge",
    "Recovery",
    "Rounding",
    "Verdict",
    "recover",
    "recover_common",
    "recover_many",
]
