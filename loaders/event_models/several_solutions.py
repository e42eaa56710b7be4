"""One posterior of several solutions, each with the share that its evidence says.

Light curves are often described alike by lenses that are nothing like each other: a close and a wide
companion, a source that passes on either side, or within and without a planetary caustic. Each is sampled on
its own; its share is its evidence, the integral of the density about it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp
from scipy.stats import chi2

from loaders.event_models.posterior import Samples, worth
from loaders.stored_curve.band import FloatArray

_CORE = 0.5
"""Share of a normal distribution within the ellipsoid in which densities are compared."""


def log_evidence(samples: Samples) -> float:
    """Logarithm of the integral of a density, from weighted draws of it at which it is known.

    The mean of ``φ / f`` over draws of f is one over its integral for any density φ that is nowhere but where
    f is (Gelfand & Dey 1994, J. R. Stat. Soc. B 56, 501); φ is the core of the normal distribution that has
    the moments of the draws (Robert & Wraith 2009, AIP Conf. Proc. 1193, 251).

    Parameters
    ----------
    samples
        Draws with logarithms of their densities.

    Returns
    -------
    float
        Up to the constant that the densities leave open; minus infinity if no draw is in the core.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the draws do not spread over all parameters.
    """
    size = samples.parameter.shape[1]
    far, volume = _far(samples, samples.parameter)
    inside = (far < chi2.ppf(_CORE, size)) & (samples.weight > 0)
    if not inside.any():
        return -np.inf
    normal = -0.5 * (far[inside] + size * np.log(2 * np.pi)) - volume - np.log(_CORE)
    return -float(logsumexp(np.log(samples.weight[inside]) + normal - samples.density[inside]))


def joined(runs: Sequence[Samples]) -> tuple[Samples, npt.NDArray[np.int64]]:
    """Draws of all solutions as those of one posterior.

    A run may have wandered to another solution. So that nothing counts twice each draw is of the solution by
    whose moments it is likeliest, and the draws of a run that are of another one are left out.

    Parameters
    ----------
    runs
        Draws about one solution each, with logarithms of their densities, up to the same constant.

    Returns
    -------
    Samples
        Of all runs, those draws alone that count.
    array of shape (n,)
        Which of the solutions each draw is of.
    """
    known = np.array([log_evidence(run) for run in runs])
    share = np.exp(known - known.max())
    kept, which = [], []
    for k, run in enumerate(runs):
        nearest = np.argmin([_unlikely(one, run.parameter) for one in runs], axis=0)
        own = (nearest == k) & (run.weight > 0) & (share[k] > 0)
        weight = share[k] * run.weight[own]
        kept.append(Samples(run.parameter[own], weight, 0.0, run.n_call, run.density[own]))
        which.append(np.full(int(own.sum()), k))
    weight = np.concatenate([run.weight for run in kept])
    weight /= weight.sum()
    parameter = np.vstack([run.parameter for run in kept])
    density = np.concatenate([run.density for run in kept])
    calls = sum(run.n_call for run in runs)
    return Samples(parameter, weight, worth(weight), calls, density), np.concatenate(which)


def _unlikely(samples: Samples, at: FloatArray) -> FloatArray:
    """Minus the logarithm, up to a constant, of the normal density with the moments of draws, at (n, p)."""
    far, volume = _far(samples, at)
    return np.asarray(0.5 * far + volume)


def _far(samples: Samples, at: FloatArray) -> tuple[FloatArray, float]:
    """Squared distances of places (n, p) from the mean of draws in errors, and the log-volume of these."""
    mean = samples.weight @ samples.parameter
    off = samples.parameter - mean
    error = np.sqrt(samples.weight @ off**2)
    scaled = off / error
    root = np.linalg.cholesky((scaled * samples.weight[:, None]).T @ scaled)
    far = np.sum(np.linalg.solve(root, ((at - mean) / error).T) ** 2, axis=0)
    volume = float(np.sum(np.log(np.diag(root))) + np.sum(np.log(error)))
    return np.asarray(far), volume
