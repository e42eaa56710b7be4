"""Samples of what the parameters of a model may be.

Draws are weighted by how much more likely they are than they were to be drawn. Mixtures of distributions with
heavy tails are fitted to them and drawn from in turn; every draw is weighted as one of all mixtures so far
(adaptive multiple importance sampling: Cornuet et al. 2012, Scand. J. Stat. 39, 798; mixtures: Cappé et al.
2008, Statistics and Computing 18, 447).

What is strongly bent comes out too narrow, though it looks settled. Of a ridge y = b x² as thick as 0.3 of
the width of x, y is right to 10 % with b = 0.3, and 10 to 15 % too narrow with b = 1; the latter among three
or seven other parameters by half.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import gammaln, logsumexp
from scipy.stats import genpareto

from loaders.stored_curve.band import FloatArray

LogDensity = Callable[[FloatArray], float]
"""Logarithm of a density, up to a constant, of parameters (p,); minus infinity where they cannot be."""

#: Shares of the posterior below which the stored quantiles are: one standard deviation of a normal one.
LEVELS = (0.15865525, 0.5, 0.84134475)

#: Independent draws that are wanted, and without which nothing is said.
ENOUGH, FEWEST = 300.0, 100.0

_FEWEST_DRAWS, _DRAWS = 200, 40
"""Draws of a round at least, and for each parameter."""

_SCALES = (1.2, 3.0, 8.0)
"""Times by which the first draws are wider than the errors: a posterior may be bent, or longer than they."""

_PIECES, _EACH, _PASSES = 8, 8.0, 5
"""Pieces of a mixture at most, draws a parameter that each of them needs, and passes of its fit."""

_POWERS = (0.3, 1.0)
"""Powers of the density that mixtures are fitted to in turn: with a low one draws go beyond what is known."""

_WIDER = 1.3
"""By what the variance of a piece is larger than that of its draws."""

_TAILS = 5
"""Degrees of freedom of what is drawn from."""

HEAVY = 0.7
"""Shape of the tail of the weights from which they tell nothing (Vehtari et al. 2024, JMLR 25, 72)."""

_SETTLED = 0.1
"""Change of a width over two rounds, as a share of it, that is none."""

_ROUNDING = 1e-9
"""Least variance of parameters with errors of one: more of it is lost in rounding."""


@dataclass(frozen=True)
class Samples:
    """Draws from a posterior.

    Parameters
    ----------
    parameter
        Shape (n, p).
    weight
        Shape (n,): their sum is one.
    n_effective
        Of how many independent draws the weights are worth.
    n_call
        Evaluations of the density.
    density
        Shape (n,): logarithms of the density, up to a constant.
    """

    parameter: FloatArray
    weight: FloatArray
    n_effective: float
    n_call: int
    density: FloatArray = field(default_factory=lambda: np.empty(0))

    def quantiles(self) -> FloatArray:
        """Parameters below which `LEVELS` of the posterior are, shape (3, p)."""
        return np.stack([_quantiles(column, self.weight) for column in self.parameter.T], axis=1)


def sample(
    log_density: LogDensity,
    modes: Sequence[tuple[FloatArray, FloatArray]],
    rng: np.random.Generator,
    most_calls: int = 6000,
) -> Samples | None:
    """Draw from a posterior whose maxima are known, or close to those that are.

    Parameters
    ----------
    log_density
        The posterior, up to a constant.
    modes
        One or more: a maximum, about, shape (p,), and the covariance, shape (p, p), of a normal distribution
        that is about the same near there.
    rng
        Random numbers.
    most_calls
        Evaluations of the density after which no more is drawn.

    Returns
    -------
    Samples or None
        None if a covariance is none, nothing that is drawn is possible, or too few draws count.
    """
    units = [unit for _, covariance in modes if (unit := unit_of(covariance)) is not None]
    if len(units) < len(modes):
        return None
    at, unit = modes[0][0], units[0]
    centre = np.array([np.linalg.solve(unit, place - at) for place, _ in modes])
    own = [np.linalg.solve(unit, one) for one in units]
    root = np.array([np.linalg.cholesky(one @ one.T + _ROUNDING * np.eye(at.size)) for one in own])
    first = _Mixture(centre, root, np.full(len(modes), 1 / len(modes)))
    found = _importance(lambda off: log_density(at + unit @ off), first, rng, most_calls)
    if found is None or found.n_effective < FEWEST:
        return None
    return replace(found, parameter=at + found.parameter @ unit.T)


def _importance(
    log_density: LogDensity, first: _Mixture, rng: np.random.Generator, most_calls: int
) -> Samples | None:
    """Draws from mixtures, each fitted to those before, weighted as of all; None if none is possible."""
    n_mode, size = first.centre.shape
    number = n_mode * max(_FEWEST_DRAWS, _DRAWS * size)
    drawn = _Drawn(np.empty((0, size)), np.empty(0), np.empty(0), ())
    widths: list[FloatArray] = []
    for scale in _SCALES:
        drawn = drawn.further(replace(first, root=scale * first.root), number, log_density, rng)
    while True:
        if not np.isfinite(drawn.density).any():
            return None
        weight = drawn.weight
        widths.append(np.sqrt(np.diag(_moments(drawn.parameter, weight)[1])))
        is_settled = len(widths) > 2 and _settled(widths[-3:]) and tail(weight) < HEAVY
        enough = worth(weight) if is_settled else 0.0
        if enough >= ENOUGH or weight.size + number > most_calls:
            return Samples(drawn.parameter, weight, enough, weight.size, drawn.density)
        drawn = drawn.further(_fitted(drawn, rng), number, log_density, rng)


@dataclass(frozen=True)
class _Drawn:
    """All draws: parameters (n, p), logarithms of the density and of what they were drawn from (n,)."""

    parameter: FloatArray
    density: FloatArray
    proposed: FloatArray
    mixtures: tuple[_Mixture, ...]

    @property
    def ratio(self) -> FloatArray:
        """Logarithms of the weights, up to a constant."""
        return self.density - self.proposed

    @property
    def weight(self) -> FloatArray:
        """Their sum is one."""
        return np.asarray(np.exp(self.ratio - logsumexp(self.ratio)))

    def further(
        self, mixture: _Mixture, number: int, log_density: LogDensity, rng: np.random.Generator
    ) -> _Drawn:
        """With draws from one more mixture."""
        new = mixture.draw(number, rng)
        mixtures = (*self.mixtures, mixture)
        parameter = np.vstack([self.parameter, new])
        density = np.concatenate([self.density, [log_density(one) for one in new]])
        old = np.logaddexp(self.proposed, mixture.log_density(self.parameter))
        proposed = logsumexp([one.log_density(new) for one in mixtures], axis=0)
        return _Drawn(parameter, density, np.concatenate([old, proposed]), mixtures)


@dataclass(frozen=True)
class _Mixture:
    """Distributions with heavy tails: centres (k, p), shares (k,), and roots of their covariances (k, p, p).

    The roots are lower triangular.
    """

    centre: FloatArray
    root: FloatArray
    share: FloatArray

    def draw(self, number: int, rng: np.random.Generator) -> FloatArray:
        """Draws, shape (number, p)."""
        which = rng.choice(self.share.size, number, p=self.share)
        normal = rng.normal(size=(number, self.centre.shape[1]))
        stretch = np.sqrt((_TAILS - 2) / rng.chisquare(_TAILS, size=number))
        off = np.einsum("nij,nj->ni", self.root[which], normal)
        return np.asarray(self.centre[which] + stretch[:, None] * off)

    def log_density(self, parameter: FloatArray) -> FloatArray:
        """Logarithm of the density of parameters (n, p), shape (n,)."""
        return np.asarray(logsumexp(self.pieces(parameter), axis=0))

    def pieces(self, parameter: FloatArray) -> FloatArray:
        """The same of each piece alone, shape (k, n)."""
        size = self.centre.shape[1]
        off = parameter.T[None] - self.centre[:, :, None]
        far = np.sum(np.linalg.solve(self.root, off) ** 2, axis=1) / (_TAILS - 2)
        volume = np.sum(np.log(np.abs(np.diagonal(self.root, axis1=1, axis2=2))), axis=1)
        constant = gammaln((_TAILS + size) / 2) - gammaln(_TAILS / 2)
        own = np.log(self.share) + constant - size / 2 * np.log((_TAILS - 2) * np.pi) - volume
        return np.asarray(own[:, None] - (_TAILS + size) / 2 * np.log1p(far))


def _fitted(drawn: _Drawn, rng: np.random.Generator) -> _Mixture:
    """The mixture that draws are made from next, as the draws are spread that count."""
    parameter, size = drawn.parameter, drawn.parameter.shape[1]
    power = _POWERS[len(drawn.mixtures) % len(_POWERS)]
    weight = _softened(power * drawn.density - drawn.proposed, 2 * _EACH * size)
    number = int(np.clip(worth(weight) / (_EACH * size), 1, _PIECES))
    mean, whole = _moments(parameter, weight)
    if drawn.mixtures[0].share.size > 1:
        whole = _within(drawn.mixtures[0], parameter, weight)
        number = max(number, drawn.mixtures[0].share.size)
    # With a little of what the errors say, so that it stays a covariance.
    whole = whole + 0.01 * np.eye(size)
    if number == 1:
        return _Mixture(mean[None], np.asarray(np.linalg.cholesky(_WIDER * whole))[None], np.ones(1))
    centre = parameter[rng.choice(weight.size, number, p=weight, replace=False)]
    narrow = whole * number ** (-2 / size)
    root = np.repeat(np.linalg.cholesky(narrow)[None], number, axis=0)
    mixture = _Mixture(centre, root, np.full(number, 1 / number))
    for _ in range(_PASSES):
        mixture = _improved(mixture, parameter, weight, narrow)
    return replace(mixture, root=mixture.root * np.sqrt(_WIDER))


def _within(modes: _Mixture, parameter: FloatArray, weight: FloatArray) -> FloatArray:
    """Covariance of draws about the means of those that are nearest to the same of several modes."""
    nearest = np.argmax(modes.pieces(parameter), axis=0)
    out = np.zeros((parameter.shape[1],) * 2)
    for k in range(modes.share.size):
        mine = np.where(nearest == k, weight, 0.0)
        share = float(mine.sum())
        if share > 0:
            out += share * _moments(parameter, mine / share)[1]
    return out


def _improved(mixture: _Mixture, parameter: FloatArray, weight: FloatArray, usual: FloatArray) -> _Mixture:
    """A mixture after a pass of expectation and maximisation; pieces with few draws are like the usual."""
    each, size = mixture.pieces(parameter), parameter.shape[1]
    belongs = np.exp(each - logsumexp(each, axis=0)) * weight
    share = np.maximum(belongs.sum(axis=1), 1e-6)
    few = _EACH * size / 2
    centre, root = np.empty(mixture.centre.shape), np.empty(mixture.root.shape)
    for k, mine in enumerate(belongs):
        part = mine / max(float(mine.sum()), 1e-300)
        centre[k], covariance = _moments(parameter, part)
        own = worth(part)
        covariance = (own * covariance + few * 0.3 * usual) / (own + few)
        root[k] = np.linalg.cholesky(covariance)
    return _Mixture(centre, root, share / share.sum())


def _settled(widths: list[FloatArray]) -> bool:
    """Whether widths stay as they are: draws from a part of the posterior alone make them wider and wider."""
    spread = np.ptp(widths, axis=0)
    return bool((spread < _SETTLED * widths[-1]).all())


def worth(weight: FloatArray) -> float:
    """Number of independent draws that weights, whose sum is one, are worth (Kish 1965)."""
    return float(1 / np.sum(weight**2))


def tail(weight: FloatArray) -> float:
    """Shape of the generalised Pareto distribution of the largest weights; 0 if they are all alike."""
    number = int(min(0.2 * weight.size, 3 * np.sqrt(weight.size)))
    largest = np.sort(weight)[-number - 1 :]
    above = largest[1:] - largest[0]
    if not above[-1] > 1e-9 * largest[-1]:
        return 0.0
    return float(genpareto.fit(above[above > 0], floc=0)[0])


def _softened(ratio: FloatArray, least: float) -> FloatArray:
    """Weights of their logarithms, those of a power of it that makes so many draws count."""
    for power in (1.0, 0.5, 0.25, 0.1, 0.03, 0.01):
        weight = np.exp(power * ratio - logsumexp(power * ratio))
        if worth(weight) >= least:
            break
    return np.asarray(weight)


def _moments(parameter: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and covariance of draws."""
    mean = weight @ parameter
    off = parameter - mean
    return mean, (off * weight[:, None]).T @ off


def _quantiles(value: FloatArray, weight: FloatArray) -> FloatArray:
    """Weighted quantiles at `LEVELS`."""
    order = np.argsort(value)
    below = np.cumsum(weight[order]) - 0.5 * weight[order]
    return np.interp(LEVELS, below, value[order])


def unit_of(covariance: FloatArray) -> FloatArray | None:
    """Matrix that makes parameters of independent ones with errors of one; None if there is none."""
    variance = np.diag(covariance)
    if not (np.isfinite(covariance).all() and (variance > 0).all()):
        return None
    error = np.sqrt(variance)
    value, axes = np.linalg.eigh(covariance / np.outer(error, error))
    if value.min() < -_ROUNDING:
        return None
    return np.asarray(error[:, None] * axes * np.sqrt(np.maximum(value, _ROUNDING)))
