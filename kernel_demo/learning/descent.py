"""The squared loss as a quadratic of the weights, and four ways down it on its exact gradient."""

from __future__ import annotations

from collections import deque

import numpy as np

from kernel_demo.learning.optimizers import MOMENTUM, default_rate
from kernel_demo.learning.statistics import Statistics

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # Adam's, as in the paper
DAMPING = 1e-6  # of K-FAC, relative to the mean diagonal entry of X'X
MEMORY = 10  # pairs that L-BFGS remembers


class Quadratic:
    """Mean squared error as v'Hv / 2 - c'v + constant; v holds the kernel, then the offset.

    Pictures are taken in 0..1 whatever their own units, as in mini-batch training: learning rates
    mean the same there and here.
    """

    def __init__(self, statistics: Statistics, offset: bool) -> None:
        peak, count = statistics.peak or 1.0, max(statistics.count, 1)
        self.size, self.has_offset, self.peak = statistics.size, offset, peak
        hessian, linear = statistics.gram / peak**2, statistics.cross / peak**2
        if offset:
            column = statistics.patch_sum[:, None] / peak
            hessian = np.block([[hessian, column], [column.T, np.full((1, 1), count)]])
            linear = np.append(linear, statistics.after_sum / peak)
        self.hessian, self.linear = 2 / count * hessian, 2 / count * linear

    def gradient(self, point: np.ndarray) -> np.ndarray:
        return self.hessian @ point - self.linear

    def point(self, kernel: np.ndarray, offset: float) -> np.ndarray:
        """v of a kernel and an offset in the pictures' units."""
        tail = [offset / self.peak] if self.has_offset else []
        return np.append(np.asarray(kernel, np.float64).ravel(), tail)

    def kernel(self, point: np.ndarray) -> tuple[np.ndarray, float]:
        """Kernel (a copy) and offset of v."""
        kernel = point[: self.size**2].reshape(self.size, self.size).copy()
        return kernel, float(point[-1] * self.peak) if self.has_offset else 0.0


class SGD:
    """Heavy ball: m <- 0.9 m + g, v <- v - lr m (Polyak 1964), as torch.optim.SGD has it."""

    def __init__(self, quadratic: Quadratic, rate: float | None) -> None:
        self.quadratic = quadratic
        self.rate = rate or default_rate("sgd", quadratic.size)
        self.momentum = np.zeros(len(quadratic.linear))

    def __call__(self, point: np.ndarray) -> np.ndarray:
        self.momentum = MOMENTUM * self.momentum + self.quadratic.gradient(point)
        return point - self.rate * self.momentum

    def state(self) -> dict:
        return {"momentum": self.momentum.copy()}

    def restore(self, state: dict) -> None:
        self.momentum = state["momentum"].copy()


class Adam:
    """Kingma & Ba 2015, algorithm 1, with the bias correction in the step length (section 2)."""

    def __init__(self, quadratic: Quadratic, rate: float | None) -> None:
        self.quadratic = quadratic
        self.rate = rate or default_rate("adam", quadratic.size)
        self.mean, self.square = np.zeros((2, len(quadratic.linear)))
        self.steps = 0

    def __call__(self, point: np.ndarray) -> np.ndarray:
        gradient = self.quadratic.gradient(point)
        self.steps += 1
        self.mean = BETA_1 * self.mean + (1 - BETA_1) * gradient
        self.square = BETA_2 * self.square + (1 - BETA_2) * gradient * gradient
        correction = np.sqrt(1 - BETA_2**self.steps)
        length = self.rate * correction / (1 - BETA_1**self.steps)
        return point - length * self.mean / (np.sqrt(self.square) + EPSILON * correction)

    def state(self) -> dict:
        return {"mean": self.mean.copy(), "square": self.square.copy(), "steps": self.steps}

    def restore(self, state: dict) -> None:
        self.mean, self.square = state["mean"].copy(), state["square"].copy()
        self.steps = state["steps"]


class KFAC:
    """v <- v - lr (H + damping I)^-1 g: the damped Newton step (Grosse & Martens 2016).

    The same as `optimizers.KFAC` once its running covariance is the one of all patches.
    """

    def __init__(self, quadratic: Quadratic, rate: float | None) -> None:
        self.quadratic = quadratic
        hessian, n = quadratic.hessian, len(quadratic.linear)
        damped = hessian + DAMPING * np.trace(hessian) / 2 / n * np.eye(n)
        # The pseudo-inverse: pictures that are black all over have a Hessian of zeros.
        inverse = np.linalg.pinv(damped, hermitian=True)
        self.step = (rate or default_rate("kfac", quadratic.size)) * inverse

    def __call__(self, point: np.ndarray) -> np.ndarray:
        return point - self.step @ self.quadratic.gradient(point)

    def state(self) -> dict:
        return {}

    def restore(self, state: dict) -> None:
        """There is nothing to restore: the covariance is that of all pictures."""


class LBFGS:
    """Nocedal & Wright, "Numerical Optimization", algorithm 7.4, with the exact line search.

    Along p a quadratic is least at t = -g'p / p'Hp. It needs no learning rate.
    """

    def __init__(self, quadratic: Quadratic, rate: float | None) -> None:
        self.quadratic = quadratic
        self.pairs = deque(maxlen=MEMORY)  # (s, y, 1 / y's): step, change of gradient

    def __call__(self, point: np.ndarray) -> np.ndarray:
        gradient = self.quadratic.gradient(point)
        direction = -self._times_inverse(gradient)
        change = self.quadratic.hessian @ direction
        curvature = direction @ change
        if not curvature > 0:  # at the optimum, or in directions that the pictures never excite
            return point
        length = -(gradient @ direction) / curvature
        step, change = length * direction, length * change
        overlap = step @ change
        if overlap > 0:
            self.pairs.append((step, change, 1 / overlap))
        return point + step

    def _times_inverse(self, gradient: np.ndarray) -> np.ndarray:
        """The two-loop recursion: the remembered inverse Hessian times the gradient."""
        result, shares = gradient.copy(), []
        for s, y, rho in reversed(self.pairs):
            shares.append(rho * (s @ result))
            result -= shares[-1] * y
        if self.pairs:
            _, y, rho = self.pairs[-1]
            result /= rho * (y @ y)
        for (s, y, rho), share in zip(self.pairs, reversed(shares), strict=True):
            result += (share - rho * (y @ result)) * s
        return result

    def state(self) -> dict:
        return {"pairs": [(s.copy(), y.copy(), float(rho)) for s, y, rho in self.pairs]}

    def restore(self, state: dict) -> None:
        self.pairs = deque(state["pairs"], maxlen=MEMORY)


OPTIMIZERS = {"kfac": KFAC, "adam": Adam, "sgd": SGD, "lbfgs": LBFGS}
