"""Draws from posteriors of slow models: made by walkers of an emulator, weighted by the model itself.

In each round an emulator is fitted to all that is known, walkers find what it takes for the posterior, and
the model says how likely their places are. The weights of a round are those of importance sampling, so that
the emulator need not be right; where it was wrong the next one knows (emulators that learn on the way: e.g.
Conrad et al. 2016, J. Am. Stat. Assoc. 111, 1591). Rounds count by what their draws are worth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp

from loaders.event_models.emulator import Emulator, emulator_of
from loaders.event_models.posterior import ENOUGH, FEWEST, HEAVY, Samples, tail, unit_of, worth
from loaders.stored_curve.band import FloatArray

Residuals = Callable[[FloatArray], FloatArray | None]
"""What a model leaves, shape (n,), errors, of parameters (p,); None where it fails."""

_FIRST, _ROUND = 3, 150
"""First draws, for each term of the polynomial of the emulator, and draws of a round."""

_NEAR = 0.4
"""Half of the first draws are so many times as far off as errors say: they serve if these are too large."""

_HEAT = 1.5
"""By what walkers take the density for wider than it is emulated: draws do not see what they never meet."""

_WALKERS, _STEPS, _BURNT, _EACH = 100, 300, 200, 50
"""Walkers, their steps, those before they count, and from one place that counts to the next."""

_LEAP, _JITTER = 0.1, 1e-4
"""Share of steps that go from one hill to another, and what is added to steps, errors."""

_GOOD = 0.05
"""Share of the draws of a round that they must be worth for it to count."""

_STOPPED = 0.02
"""Share of a round, by weight, that may be where only the reach of the emulator stops walkers."""

_SETTLED = 0.4
"""Change of means and widths from those of all rounds before to the last, in widths, that is none."""


@dataclass(frozen=True)
class _Target:
    """What is sampled: residuals at ``place + unit @ z``, within limits (2, p)."""

    residuals: Residuals
    place: FloatArray
    unit: FloatArray
    limits: FloatArray

    def parameter(self, z: FloatArray) -> FloatArray:
        """Parameters of places (n, p) in units of errors, shape (n, p)."""
        return np.asarray(self.place + z @ self.unit.T)

    def emulated(self, emulator: Emulator, z: FloatArray) -> FloatArray:
        """What walkers take for the logarithm of the density at places (n, p), shape (n,)."""
        at = self.parameter(z)
        within = ((at >= self.limits[0]) & (at <= self.limits[1])).all(axis=1)
        return np.where(within, emulator.log_density(z) / _HEAT, -np.inf)


@dataclass(frozen=True)
class _Known:
    """What was evaluated: places (k, p) in units of errors, and what is left there (k, n)."""

    z: FloatArray
    residual: FloatArray

    @property
    def density(self) -> FloatArray:
        """Logarithm of the density, shape (k,)."""
        return np.asarray(-0.5 * np.einsum("kn,kn->k", self.residual, self.residual))

    def further(self, new: _Known) -> _Known:
        """With what is new."""
        return _Known(np.vstack([self.z, new.z]), np.vstack([self.residual, new.residual]))


def sample_residuals(
    residuals: Residuals,
    mode: tuple[FloatArray, FloatArray],
    limits: tuple[FloatArray, FloatArray],
    rng: np.random.Generator,
    most_calls: int = 3000,
) -> Samples | None:
    """Draw from a posterior that is ``exp(-|r|² / 2)`` within limits, r being slow to compute.

    Parameters
    ----------
    residuals
        What is left of points and priors, in errors, of parameters.
    mode
        A maximum, about, shape (p,), and the covariance, shape (p, p), of a normal distribution that is about
        the same near there.
    limits
        Least and greatest parameters, shape (p,) each.
    rng
        Random numbers.
    most_calls
        Evaluations after which no more is drawn.

    Returns
    -------
    Samples or None
        None if the covariance is none, nothing about the mode is possible, or too few draws count.
    """
    unit = unit_of(mode[1])
    if unit is None:
        return None
    target, rounds = _Target(residuals, mode[0], unit, np.array(limits)), list[Samples]()
    known, calls = _begun(target, rng)
    while known.z.shape[0] > unit.shape[0] and calls + _ROUND <= most_calls and not _enough(rounds):
        emulator = emulator_of(known.z, known.residual)
        z = _walked(target, emulator, known, rng)
        new, calls = _evaluated(target, z), calls + z.shape[0]
        if new.z.size:
            ratio = new.density - target.emulated(emulator, new.z)
            weight = np.exp(ratio - logsumexp(ratio))
            if weight @ (emulator.beyond(new.z) > 0) < _STOPPED:
                rounds.append(Samples(new.z, weight, worth(weight), calls, new.density))
            known = known.further(new)
    found = _joined(rounds) if _agree(rounds) else None
    if found is None or found.n_effective < FEWEST:
        return None
    return replace(found, parameter=target.parameter(found.parameter), n_call=calls)


def _begun(target: _Target, rng: np.random.Generator) -> tuple[_Known, int]:
    """The mode and draws about it, and how many evaluations that took."""
    size = target.place.size
    number = _FIRST * (size + 1) * (size + 2) // 2
    wide = np.where(np.arange(number) % 2, 1.0, _NEAR)
    wide[0] = 0.0
    z = rng.normal(size=(number, size)) * wide[:, None]
    at = target.parameter(z)
    z = z[((at >= target.limits[0]) & (at <= target.limits[1])).all(axis=1)]
    return _evaluated(target, z), z.shape[0]


def _evaluated(target: _Target, z: FloatArray) -> _Known:
    """What is left at places (n, p), those left out where the model fails."""
    found = [(one, target.residuals(at)) for one, at in zip(z, target.parameter(z), strict=True)]
    good = [(one, left) for one, left in found if left is not None and np.isfinite(left).all()]
    if not good:
        return _Known(np.empty((0, z.shape[1])), np.empty((0, 0)))
    places, left = zip(*good, strict=True)
    return _Known(np.array(places), np.array(left))


def _walked(target: _Target, emulator: Emulator, known: _Known, rng: np.random.Generator) -> FloatArray:
    """Places that walkers have come to, by differences of others (ter Braak 2006, Stat. Comput. 16, 239)."""
    begin = np.argsort(-known.density)[: 2 * _WALKERS]
    z = known.z[rng.choice(begin, _WALKERS)]
    here, kept = target.emulated(emulator, z), []
    halves = np.arange(_WALKERS).reshape(2, -1)
    for step in range(1, _STEPS + 1):
        for mine, others in (halves, halves[::-1]):
            to = z[mine] + _differences(z[others], rng)
            there = target.emulated(emulator, to)
            goes = np.log(rng.uniform(size=mine.size)) + here[mine] < there
            z[mine[goes]], here[mine[goes]] = to[goes], there[goes]
        if step >= _BURNT and step % _EACH == 0:
            kept.append(z.copy())
    places = np.vstack(kept)
    return places[rng.choice(places.shape[0], _ROUND, replace=False)]


def _differences(others: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Steps from one of the others to another one, for as many walkers as they are, shape (n, p)."""
    number, size = others.shape
    first = rng.integers(number, size=number)
    second = (first + rng.integers(1, number, size=number)) % number
    length = np.where(rng.uniform(size=number) < _LEAP, 1.0, 2.38 / np.sqrt(2 * size))
    off = length[:, None] * (others[first] - others[second])
    return np.asarray(off + _JITTER * rng.normal(size=off.shape))


def _good(rounds: Sequence[Samples]) -> list[Samples]:
    """The rounds that count."""
    worthy = [one for one in rounds if one.n_effective > _GOOD * one.weight.size]
    return [one for one in worthy if tail(one.weight) < HEAVY]


def _enough(rounds: Sequence[Samples]) -> bool:
    """Whether the rounds that count do and are worth what is wanted."""
    return _agree(rounds) and sum(one.n_effective for one in _good(rounds)) >= ENOUGH


def _agree(rounds: Sequence[Samples]) -> bool:
    """Whether the last of the rounds that count says what the others do."""
    good = _good(rounds)
    if len(good) < 2:
        return False
    mean, width = _spread(good[-1])
    old_mean, old_width = _spread(_joined(good[:-1]))
    return bool((np.abs(mean - old_mean) < _SETTLED * width).all()) and bool(
        (np.abs(width - old_width) < _SETTLED * width).all()
    )


def _spread(one: Samples) -> tuple[FloatArray, FloatArray]:
    """Mean and width of each parameter, shape (p,) each."""
    mean = one.weight @ one.parameter
    return mean, np.sqrt(one.weight @ (one.parameter - mean) ** 2)


def _joined(rounds: Sequence[Samples]) -> Samples:
    """The draws of the rounds that count, each round by what it is worth."""
    good = _good(rounds)
    total = sum(one.n_effective for one in good)
    weight = np.concatenate([one.weight * one.n_effective / total for one in good])
    density = np.concatenate([one.density for one in good])
    return Samples(
        np.vstack([one.parameter for one in good]), weight, worth(weight), good[-1].n_call, density
    )
