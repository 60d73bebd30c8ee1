"""What there is to choose of: how the weights start, the methods, and their learning rates."""

from kernel_demo.imaging.kernels import MIN_SIZE

INITS = ("normal", "uniform", "zeros", "identity")
METHODS = ("kfac", "adam", "sgd")
MOMENTUM = 0.9  # of sgd
# Adam's learning rate from that size on: found by benchmarks/rates.py, 200 steps on the bundled
# photos, nine rates from 0.005 to 2, five to seven kernels a size (rates.json has every error). Up
# to 7 x 7 that which is best for Sobel x, whose weights (up to 2, 12 and 100) ask for the most; no
# other kernel is more than 1.3 times as far off as at a rate of its own. From 9 x 9 on that whose
# worst such ratio is least: 1.05, and no rate is better by more than a tenth.
ADAM_RATES = {3: 0.2, 5: 0.2, 7: 2.0, 9: 0.02}
TRIED = {"adam": 9, "sgd": 8}  # rates, for each size


def default_rate(method: str, size: int) -> float:
    """A learning rate that serves most pictures, for a size x size kernel.

    kfac: 0.5, halves the error at each step, and noise as well. adam: ADAM_RATES. sgd: with
    momentum m it is stable below 2 (1 + m) / (2 max eigenvalue of A), and no eigenvalue of A
    exceeds its trace, at most k^2 for pictures in 0..1: so 1.8 / k^2, of the rates tried the best
    that no picture can make diverge.
    """
    if method == "adam":
        return ADAM_RATES[max(start for start in ADAM_RATES if start <= max(size, MIN_SIZE))]
    return {"kfac": 0.5, "sgd": 1.8 / size**2}[method]


def quickest_sgd(size: int, brightness: float) -> float:
    """The rate of SGD with which it races. brightness: mean square of the pictures, 0..1.

    On the bundled photos (0.2) it is 6 / k^2, of eight tried the best after 200 steps at 3 x 3 and
    5 x 5; at larger ones 8 / k^2, with which 3 x 3 diverges, is better by an eighth in the median.
    Up to which rate it is stable goes by the trace of A, which is k^2 times the brightness.
    """
    return max(1.8, 1.2 / max(brightness, 1e-3)) / size**2
