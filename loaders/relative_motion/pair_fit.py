"""The fit of source and lens as two PSFs: unknowns, equations, and steps that solve them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from loaders.psf.model import FloatArray
from loaders.refined_photometry.exposures import Cutouts, SceneStars
from loaders.relative_motion.psf_error import N_PATTERN, psf_patterns

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

_PLACE = 4
"""Unknowns of the place of the light of exposures of one kind: place and drift, two components each."""

_TINY = 1e-9
"""Share by which diagonals are raised: what cannot be told apart stays where it is."""


@dataclass(frozen=True)
class ElongationOptions:
    """How it is fitted.

    Parameters
    ----------
    radius
        Radius of the disc of pixels.
    flux_error
        Error of catalogued fluxes of neighbours, as a share of them.
    place_error, shift_error
        Errors of the catalogued place, mas (and mas/yr), and of the WCS, pixels.
    psf_error
        Error of the PSF of an element as a share of its light, alike in all exposures.
    outlier, outlier_share
        Errors, and share of the light in a pixel, beyond which a pixel is taken to be hit or bad.
    start
        Separation at the mean epoch, mas, from which fits begin, in each of six directions.
    first_rounds, rounds, tolerance
        Steps from each start, most steps of the best of them, and the fall of chi-square at which they end.
    fewest
        Exposures that are needed in all.
    """

    radius: float = 4.0
    flux_error: float = 0.3
    place_error: float = 50.0
    shift_error: float = 0.05
    psf_error: float = 0.002
    outlier: float = 6.0
    outlier_share: float = 0.2
    start: float = 30.0
    first_rounds: int = 4
    rounds: int = 20
    tolerance: float = 1e-2
    fewest: int = 10


@dataclass(frozen=True)
class Pair:
    """Late exposures of an event, n of them, of one season, detector (hence orientation) and element.

    Parameters
    ----------
    cutouts, stars
        Pixels around the event, and the stars there; the target is source and lens together.
    age
        Shape (n,): years since they were at one place.
    element
        Optical element.
    """

    cutouts: Cutouts
    stars: SceneStars
    age: FloatArray
    element: str


@dataclass(frozen=True)
class State:
    """Unknowns: those in common (see `PairFit`), and sky and shift of each exposure, (n, 3), by pair."""

    common: FloatArray
    own: Sequence[FloatArray]

    @property
    def motion(self) -> FloatArray:
        """Relative motion, east and north, mas/yr."""
        return self.common[-2:]

    def with_motion(self, motion: FloatArray) -> State:
        """The same with another motion."""
        return replace(self, common=np.concatenate([self.common[:-2], motion]))


@dataclass(frozen=True)
class Solved:
    """A state with its chi-square (priors included), and the covariance of the relative motion."""

    state: State
    chi2: float
    covariance: FloatArray


@dataclass(frozen=True)
class _Pixels:
    """Pixels of an exposure that count, p of them: numbers, data (nJy), place, and PSF errors (or none)."""

    number: IntArray
    data: FloatArray
    row: FloatArray
    column: FloatArray
    patterns: FloatArray


_Equations = tuple[FloatArray, FloatArray, list[tuple[FloatArray, FloatArray]]]


@dataclass(frozen=True)
class PairFit:
    """What is fitted, and how.

    The common unknowns are, of each pair, fluxes, place and drift; of each element the heights of the PSF's
    errors; at last the relative motion.

    Parameters
    ----------
    pairs
        The exposures.
    share
        Share of the lens in the light without magnification, by element.
    options
        How.
    pixels
        Of each exposure of each pair.
    """

    pairs: Sequence[Pair]
    share: dict[str, float]
    options: ElongationOptions
    pixels: Sequence[Sequence[_Pixels]] = ()

    @classmethod
    def of(cls, pairs: Sequence[Pair], share: dict[str, float], options: ElongationOptions) -> PairFit:
        """The fit of all pixels of the disc, with a PSF that is known."""
        pixels = [[_disc(pair, e, options) for e in range(len(pair.age))] for pair in pairs]
        return cls(pairs, share, options, pixels)

    @property
    def elements(self) -> list[str]:
        """The optical elements, in order."""
        return sorted({pair.element for pair in self.pairs})

    @property
    def n_pixel(self) -> int:
        """Pixels that count."""
        return sum(one.number.size for several in self.pixels for one in several)

    @property
    def n_unknown(self) -> int:
        """Unknowns but for those of the PSF, of which as much is known as they are many."""
        of_pairs = [pair.stars.flux.size + _PLACE + 3 * len(pair.age) for pair in self.pairs]
        return sum(of_pairs) + 2

    def where(self) -> list[IntArray]:
        """Of each pair, which of the common unknowns are its own, its element's, and the motion."""
        starts = np.cumsum([0] + [pair.stars.flux.size + _PLACE for pair in self.pairs])
        of_psf = {name: starts[-1] + N_PATTERN * k for k, name in enumerate(self.elements)}
        end = starts[-1] + N_PATTERN * len(of_psf)
        motion = np.arange(end, end + 2)
        return [
            np.concatenate([np.arange(a, b), of_psf[pair.element] + np.arange(N_PATTERN), motion])
            for pair, a, b in zip(self.pairs, starts[:-1], starts[1:], strict=True)
        ]

    def beginning(self) -> State:
        """What is known before: catalogued fluxes, one place, the sky of the darkest pixels."""
        common = np.zeros(max(int(one[-1]) for one in self.where()) + 1)
        own = []
        for pair, mine, several in zip(self.pairs, self.where(), self.pixels, strict=True):
            common[mine[: pair.stars.flux.size]] = np.nan_to_num(pair.stars.flux)
            sky = [np.quantile(one.data, 0.1) if one.data.size else 0.0 for one in several]
            own.append(np.column_stack([sky, np.zeros((len(sky), 2))]))
        return State(common, own)

    def prepared(self, state: State) -> PairFit:
        """The same with errors of the PSF by the light of a state, and without pixels that are far off."""
        new = []
        for j, mine in enumerate(self.where()):
            several = []
            for e, pixels in enumerate(self.pixels[j]):
                model, _, drawn = self._draw(j, e, state.common[mine], state.own[j][e])
                good = self._near(j, e, model)
                several.append(self._with_patterns(j, e, state, (drawn, good), pixels))
            new.append(several)
        return replace(self, pixels=new)

    def _near(self, j: int, e: int, model: FloatArray) -> BoolArray:
        """Which pixels are as far from a model as their errors, and its own, allow."""
        variance, light = self._variance(j, e, model)
        allowed = np.sqrt(variance) * self.options.outlier + self.options.outlier_share * light
        return np.asarray(np.abs(self.pixels[j][e].data - model) <= allowed)

    def _with_patterns(
        self, j: int, e: int, state: State, drawn: tuple[FloatArray, BoolArray], pixels: _Pixels
    ) -> _Pixels:
        """Pixels that are left, with what errors of the PSF do to them."""
        light, good = drawn
        names = ("number", "data", "row", "column")
        left = {name: getattr(pixels, name)[good] for name in names}
        if not self.options.psf_error > 0:
            return _Pixels(**left, patterns=np.empty((0, left["number"].size)))
        cutouts, own = self.pairs[j].cutouts, state.own[j][e]
        x = left["column"] - (cutouts.x[e] + own[1])[:, None]
        y = left["row"] - (cutouts.y[e] + own[2])[:, None]
        patterns = self.options.psf_error * psf_patterns(light[:, good], x, y)
        return _Pixels(**left, patterns=patterns)

    def solve(self, state: State, hold: bool = False, rounds: int | None = None) -> Solved:
        """Levenberg-Marquardt steps of all unknowns; with ``hold`` source and lens stay at one place."""
        damping, (chi2, equations) = 1e-3, self._equations(state, hold)
        for _ in range(self.options.rounds if rounds is None else rounds):
            new = self._stepped(state, equations, damping)
            new_chi2, new_equations = self._equations(new, hold)
            if not new_chi2 < chi2:
                damping *= 10
                if damping > 1e6:
                    break
                continue
            fall = chi2 - new_chi2
            state, chi2, equations, damping = new, new_chi2, new_equations, damping / 10
            if fall < self.options.tolerance:
                break
        covariance = np.full((2, 2), np.nan)
        if not hold:
            normal = equations[0] + np.diag(_TINY * np.diag(equations[0]))
            covariance = np.linalg.inv(normal)[-2:, -2:]
        return Solved(state, chi2, np.asarray(covariance, dtype=np.float64))

    def _equations(self, state: State, hold: bool) -> tuple[float, _Equations]:
        """Chi-square; normal equations; of each pair what is of exposures, (n, 3), and how it answers."""
        precision, pull = self._priors(state)
        normal, right = np.diag(precision), pull.copy()
        known = precision > 0
        chi2, answers = float((pull[known] ** 2 / precision[known]).sum()), []
        of_shift = np.array([0.0, 1.0, 1.0]) * self.options.shift_error**-2.0
        for j, mine in enumerate(self.where()):
            own, response = np.zeros(state.own[j].shape), np.zeros((*state.own[j].shape, mine.size))
            inner = np.zeros((mine.size, mine.size))
            for e, now in enumerate(state.own[j]):
                residual, weight, rows = self._weighed(j, e, state.common[mine], now)
                common, of_own, left = rows[:-3] * weight, rows[-3:] * weight, residual * weight
                block = of_own @ of_own.T + np.diag(of_shift + _TINY * (of_own**2).sum(axis=1) + 1e-300)
                inverse = np.linalg.inv(block)
                own[e] = inverse @ (of_own @ left - of_shift * now)
                response[e] = inverse @ (of_own @ common.T)
                inner += common @ common.T - (common @ of_own.T) @ response[e]
                right[mine] += common @ left - (common @ of_own.T) @ own[e]
                chi2 += float(left @ left + of_shift @ now**2)
            normal[np.ix_(mine, mine)] += inner
            answers.append((own, response))
        if hold:
            normal[-2:, :], normal[:, -2:], right[-2:] = 0.0, 0.0, 0.0
            normal[[-2, -1], [-2, -1]] = 1.0
        return chi2, (normal, right, answers)

    def _stepped(self, state: State, equations: _Equations, damping: float) -> State:
        """The state after a step."""
        normal, right, answers = equations
        raised = normal + np.diag((damping + _TINY) * np.diag(normal) + 1e-300)
        step = np.linalg.solve(raised, right)
        own = [
            before + mine - response @ step[where]
            for before, (mine, response), where in zip(state.own, answers, self.where(), strict=True)
        ]
        return State(state.common + step, own)

    def _priors(self, state: State) -> tuple[FloatArray, FloatArray]:
        """Inverse variances, and what they pull with; of the light of source and lens nothing is known."""
        precision, known = np.zeros(state.common.size), np.zeros(state.common.size)
        precision[-2 - N_PATTERN * len(self.elements) : -2] = 1.0
        for pair, mine in zip(self.pairs, self.where(), strict=True):
            k, flux = pair.stars.flux.size, np.nan_to_num(pair.stars.flux)
            of_flux = np.maximum(self.options.flux_error * np.abs(flux), 1e-3) ** -2.0
            of_flux[pair.stars.target] = 0.0
            precision[mine[:k]], known[mine[:k]] = of_flux, flux
            precision[mine[k : k + _PLACE]] = self.options.place_error**-2.0
        return precision, precision * (known - state.common)

    def _variance(self, j: int, e: int, model: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Variance of the pixels of an exposure by a model, and the light of stars in them."""
        cutouts, number = self.pairs[j].cutouts, self.pixels[j][e].number
        light = np.maximum(model + cutouts.beyond[e].ravel()[number], 0.0)
        scale = cutouts.scale[e].ravel()[number]
        return np.maximum(scale * (cutouts.read[e] + cutouts.poisson[e] * light), 1e-30), light

    def _weighed(
        self, j: int, e: int, common: FloatArray, own: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Residuals of the pixels of an exposure, inverse errors, and derivatives, (unknowns + 3, p)."""
        model, rows, _ = self._draw(j, e, common, own)
        return self.pixels[j][e].data - model, self._variance(j, e, model)[0] ** -0.5, rows

    def _draw(
        self, j: int, e: int, common: FloatArray, own: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """All light of an exposure, (p,), its derivatives by all unknowns, and that of each star, (k, p)."""
        pair, pixels = self.pairs[j], self.pixels[j][e]
        cutouts, target, share = pair.cutouts, pair.stars.target, self.share[pair.element]
        k, turn, age = pair.stars.flux.size, pair.cutouts.to_pixel[e], pair.age[e]
        flux, since = common[:k], age - pair.age.mean()
        moved = turn @ (common[k : k + 2] + common[k + 2 : k + 4] * since)
        apart = turn @ (common[-2:] * age)
        x, y = cutouts.x[e] + own[1], cutouts.y[e] + own[2]
        source, lens = moved - share * apart, moved + (1 - share) * apart
        xs = np.concatenate([x, [x[target] + source[0], x[target] + lens[0]]])
        ys = np.concatenate([y, [y[target] + source[1], y[target] + lens[1]]])
        drawn = cutouts.psfs[cutouts.psf[e]].light(xs, ys, cutouts.side)[:, :, pixels.number]
        stars, of_source, of_lens = drawn[:, :-2], drawn[:, -2], drawn[:, -1]
        stars[:, target] = (1 - share) * of_source + share * of_lens
        light = np.einsum("k,akp->ap", flux, stars)
        place = flux[target] * (turn.T @ stars[1:, target])
        relative = flux[target] * share * (1 - share) * age * (turn.T @ (of_lens - of_source)[1:])
        of_psf = np.zeros((N_PATTERN, light.shape[1]))
        of_psf[: len(pixels.patterns)] = pixels.patterns
        of_own = np.stack([np.ones(light.shape[1]), light[1], light[2]])
        model = light[0] + own[0] + common[k + _PLACE : -2] @ of_psf
        rows = np.concatenate([stars[0], place, since * place, of_psf, relative, of_own])
        return model, rows, flux[:, None] * stars[0]


def _disc(pair: Pair, e: int, options: ElongationOptions) -> _Pixels:
    """Pixels of an exposure within the disc that count."""
    cutouts, target = pair.cutouts, pair.stars.target
    row, column = np.indices((cutouts.side, cutouts.side)).reshape(2, -1).astype(np.float64)
    disc = np.hypot(row - cutouts.y[e, target], column - cutouts.x[e, target]) <= options.radius
    number = np.flatnonzero(cutouts.usable[e].ravel() & disc)
    data = cutouts.data[e].ravel()[number].astype(np.float64)
    return _Pixels(number, data, row[number], column[number], np.empty((0, number.size)))
