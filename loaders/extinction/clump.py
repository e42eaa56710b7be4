"""Where the red clump lies in a colour-magnitude diagram: maximum likelihood, with errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import fmin_l_bfgs_b

from loaders.extinction.kernels import N_PARAMETER, log_density

FloatArray = npt.NDArray[np.float64]

#: What is fitted lies so far from the clump at most: magnitudes, and half of the width in colour at no dust.
HALF_HEIGHT, HALF_WIDTH = 1.5, 0.45
_WIDTH_OF_REDDENING = 0.15
"""What the half of the width grows by with the reddening: dust varies within a cell."""

#: What giants are like, in the order of the parameters but for M and q, which are free: values, and how far
#: they lie from them. Slope: Nataf et al. (2013) have 0.55 to 0.8; the rest are those of any old population.
_USUAL = np.array([0.0, np.log(0.22), 0.7, -0.6, 0.0, 0.3, np.log(0.08), 0.03, -0.08, np.log(0.08), -3.0])
_SPREAD = np.array([np.inf, 0.35, 0.4, 1.5, np.inf, 0.8, 0.8, 0.06, 0.3, 0.8, 1.5])

_FREEDOM = np.array([0.5, 1.5, 2.0, 6.0, 0.6, 2.5, 3.0, 0.4, 1.5, 3.0, 6.0])
"""How far a fit may go from where it starts (M, q) or from what is usual, before it counts as lost."""

_STEP = 1e-4
_WIDEST = 0.45
"""A clump wider than this in magnitude is none."""


@dataclass(frozen=True)
class Window:
    """Part of a colour-magnitude diagram: intervals of magnitude and colour."""

    bright: float
    faint: float
    blue: float
    red: float

    def holds(self, magnitude: FloatArray, colour: FloatArray) -> npt.NDArray[np.bool_]:
        """Which stars lie in it, shape (n,); none with NaN does."""
        inside = (magnitude >= self.bright) & (magnitude < self.faint)
        return np.asarray(inside & (colour >= self.blue) & (colour < self.red))


@dataclass(frozen=True)
class Companions:
    """Groups of stars beside the clump: magnitudes fainter than it and numbers over its, shape (k,) each."""

    offset: FloatArray
    fraction: FloatArray


@dataclass(frozen=True)
class ClumpFit:
    """The clump in a diagram.

    Parameters
    ----------
    magnitude, colour
        Its centre.
    covariance
        Shape (2, 2): of both, mag2, whatever the model leaves out being estimated from the stars themselves.
    sigma
        Standard deviation in magnitude.
    width
        Standard deviation in colour, of the clump or of the giant branch, whichever is wider: dust.
    n_star
        Stars that were fitted.
    significance
        Number of stars of the clump over its standard error.
    is_converged
        Whether the likelihood has its maximum there.
    """

    magnitude: float
    colour: float
    covariance: FloatArray
    sigma: float
    width: float
    n_star: int
    significance: float
    is_converged: bool


def usual_half_width(reddening: float) -> float:
    """Half the width in colour (mag) of the part of the diagram that is fitted, for a reddening (mag)."""
    return HALF_WIDTH + _WIDTH_OF_REDDENING * max(reddening, 0.0)


def window_around(magnitude: float, colour: float, half_width: float, limits: tuple[float, float]) -> Window:
    """The part of the diagram in which a clump is fitted.

    Parameters
    ----------
    magnitude, colour
        Where the clump is expected.
    half_width
        Half its width in colour, mag.
    limits
        Magnitudes between which the catalog has all stars.
    """
    bright, faint = max(magnitude - HALF_HEIGHT, limits[0]), min(magnitude + HALF_HEIGHT, limits[1])
    return Window(bright, faint, colour - half_width, colour + half_width)


def fit_clump(
    magnitude: FloatArray,
    colour: FloatArray,
    window: Window,
    start: tuple[float, float],
    companions: Companions,
) -> ClumpFit:
    """Fit the density of `log_density` to the stars of a window.

    The likelihood is multiplied by wide Gaussian priors of what giants are like, which hold what a few stars
    do not say; magnitude and colour of the clump have none. The covariance is that of Huber (1967, Proc. 5th
    Berkeley Symp. 1, 221): the inverse of the curvature on both sides of the scores' scatter.

    Parameters
    ----------
    magnitude, colour
        Shape (n,): stars within the window.
    window
        The window.
    start
        Magnitude and colour of the clump, about.
    companions
        Other groups on the giant branch.
    """
    problem = _Problem(magnitude, colour, window, start, companions)
    # Scales of the parameters, so that a step means as much in each.
    scale = np.array([0.05, 0.2, 0.2, 0.3, 0.02, 0.3, 0.2, 0.02, 0.1, 0.2, 0.5])
    found, _, how = fmin_l_bfgs_b(
        lambda z: problem.penalised(z * scale, scale),
        problem.first / scale,
        bounds=list(zip(problem.lower / scale, problem.upper / scale, strict=True)),
        maxiter=200,
    )
    return problem.describe(found * scale, how["warnflag"] == 0)


class _Problem:
    """The likelihood of the stars of a window; magnitude and colour count from where the clump may be."""

    def __init__(
        self,
        magnitude: FloatArray,
        colour: FloatArray,
        window: Window,
        start: tuple[float, float],
        companions: Companions,
    ) -> None:
        self._start = start
        self._star = np.ascontiguousarray(np.stack([magnitude - start[0], colour - start[1]], axis=1))
        self._window = np.array([window.bright - start[0], window.faint - start[0], window.red - window.blue])
        self._offset = np.concatenate([[0.0], companions.offset])
        self._weight = np.concatenate([[1.0], companions.fraction])
        self._score = np.empty((magnitude.size, N_PARAMETER))
        self.first = _USUAL.copy()
        self.lower, self.upper = _USUAL - _FREEDOM, _USUAL + _FREEDOM

    def _scores(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """Log-likelihood, and scores of the stars, shape (n, 11)."""
        log = log_density(theta, self._star, self._window, self._offset, self._weight, self._score)
        return float(log.sum()), self._score

    def penalised(self, theta: FloatArray, scale: FloatArray) -> tuple[float, FloatArray]:
        """What is minimised, and its gradient by the scaled parameters."""
        likelihood, score = self._scores(theta)
        off = (theta - _USUAL) / _SPREAD
        return -likelihood + float(off @ off) / 2, (-score.sum(axis=0) + off / _SPREAD) * scale

    def _curvature(self, theta: FloatArray) -> FloatArray:
        """Second derivatives of what is minimised, by differences of its gradient."""
        one = np.ones(N_PARAMETER)
        rows = []
        for k in range(N_PARAMETER):
            step = np.zeros(N_PARAMETER)
            step[k] = _STEP
            after, before = (self.penalised(theta + sign * step, one)[1] for sign in (1, -1))
            rows.append((after - before) / (2 * _STEP))
        whole = np.array(rows)
        return np.asarray((whole + whole.T) / 2)

    def describe(self, theta: FloatArray, success: bool) -> ClumpFit:
        """The clump at the end of a fit."""
        curvature = self._curvature(theta)
        _, score = self._scores(theta)
        sigma, own, branch = np.exp(theta[[1, 6, 9]]).tolist()
        # About its line the clump is narrower in colour than it is: dust makes faint stars red.
        width = max(float(np.hypot(own, theta[5] * sigma)), branch)
        magnitude, colour = theta[0] + self._start[0], theta[4] + self._start[1]
        free = (theta > self.lower + 1e-6) & (theta < self.upper - 1e-6)
        is_peak = bool(np.linalg.eigvalsh(curvature).min() > 0) and bool(free.all())
        if not is_peak:
            nothing = np.full((2, 2), np.nan)
            return ClumpFit(magnitude, colour, nothing, sigma, width, len(score), 0.0, False)
        inverse = np.linalg.inv(curvature)
        covariance = inverse @ (score.T @ score) @ inverse
        # Of the share f of the clump: its error follows from that of logit f.
        share = 1 / (1 + np.exp(-theta[3]))
        significance = 1 / ((1 - share) * np.sqrt(inverse[3, 3]))
        some = covariance[np.ix_([0, 4], [0, 4])]
        is_converged = success and sigma < _WIDEST
        return ClumpFit(magnitude, colour, some, sigma, width, len(score), float(significance), is_converged)
