"""A cell of the map: the red clump in it, and how much dust that means; or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.extinction.bands import Bands
from loaders.extinction.clump import ClumpFit, Companions, fit_clump, usual_half_width, window_around
from loaders.extinction.configuration import ELEMENTS, REFERENCE, Configuration
from loaders.extinction.locate import extinction_of_colour, most_likely_extinction
from loaders.extinction.stars import Stars

FloatArray = npt.NDArray[np.float64]

#: The colours, bluer element first; the first that gives a clump gives the magnitude in F146, too.
PAIRS = (("F087", "F146"), ("F146", "F213"))

#: Share of the stars in F146 that must have a magnitude in another element for it to count as observed.
_OBSERVED = 0.1

_ROOM = 1.0
"""The clump must lie so many of its standard deviations within the limits."""

_WIDTH_OF_GIANTS = 0.08
"""Standard deviation in colour of giants behind even dust, mag."""

_FITS = 4
"""Fits that one clump gets at most."""

_NARROWEST, _WINDOW_OF_WIDTHS = 2.5, 3.5
"""Half a window has so many widths of the giant branch at least; if not, a window of so many is laid."""

_SAME = 0.3
"""The clump in the second colour must lie so near in magnitude to that in the first, which is judged."""

_OFF_THE_LAW = (0.35, 0.3)
"""A colour may lie so far from the law's at the clump's magnitude: mag, and mag for a mag of reddening."""


@dataclass(frozen=True)
class ElementResult:
    """What is said of an optical element in a cell.

    ``magnitude`` of the clump (AB) and ``error`` come from the fit alone; ``covariance`` (mag2) is that with
    the clump's F146 magnitude. All are NaN unless ``status`` is ``fitted``.
    """

    status: str
    n_star: int
    magnitude: float = np.nan
    error: float = np.nan
    covariance: float = np.nan


@dataclass(frozen=True)
class CellResult:
    """What is said of a cell, by optical element.

    ``extinction`` in F146 (mag) is where its quarters begin, ``spread`` about how much it varies within.
    """

    elements: dict[str, ElementResult]
    extinction: float | None = None
    spread: float = 0.0

    @property
    def is_fitted(self) -> bool:
        """Whether there is a clump in F146."""
        return self.elements[REFERENCE].status == "fitted"

    @property
    def error(self) -> float:
        """Standard error of the clump's F146 magnitude by the fit alone, mag."""
        return self.elements[REFERENCE].error

    @property
    def n_star(self) -> int:
        """Stars that count in F146."""
        return self.elements[REFERENCE].n_star


@dataclass(frozen=True)
class Surroundings:
    """What holds for a cell beside its stars: assumptions, the clump's magnitudes, distance modulus (mag)."""

    configuration: Configuration
    bands: Bands
    modulus: float

    @property
    def companions(self) -> Companions:
        """Groups of stars beside the clump."""
        bumps = self.configuration.bumps
        return Companions(np.array(bumps.offset), np.array(bumps.fraction))

    def limits(self, element: str) -> tuple[float, float]:
        """Magnitudes between which the catalog has all stars."""
        limits = self.configuration.limits
        return limits.bright[element], limits.faint[element]

    def apparent(self, element: str) -> float:
        """Magnitude of the clump without dust."""
        return self.bands.intrinsic[element] + self.modulus


@dataclass(frozen=True)
class _PairResult:
    """The clump in one colour, or the reason why there is none."""

    status: str
    n_star: int
    fit: ClumpFit | None = None


@dataclass(frozen=True)
class _Task:
    """A colour to be fitted: extinction in F146 to begin from, and the clump of the colour before, if any."""

    pair: tuple[str, str]
    around: Surroundings
    guess: float | None
    main: ClumpFit | None

    def begins(self, magnitude: FloatArray, colour: FloatArray) -> Iterator[float]:
        """Extinctions in F146 from which to begin, the likeliest first."""
        if self.main is not None:
            yield self.main.magnitude - self.around.apparent(REFERENCE)
            return
        if self.guess is not None:
            yield self.guess
        limits, largest = self.around.limits(REFERENCE), self.around.configuration.cells.largest_extinction
        place = (self.around.bands, self.pair, self.around.modulus, limits, largest)
        found = most_likely_extinction(magnitude, colour, *place)
        if found is not None:
            yield found

    def colour(self, extinction: float) -> float:
        """Colour of the clump at an extinction in F146, by the law."""
        return float(self.around.bands.colour(self.pair, np.array([extinction]))[0])


def measure_cell(stars: Stars, around: Surroundings, guess: float | None = None) -> CellResult:
    """Find the clump of a cell in both colours.

    Parameters
    ----------
    stars
        Stars of the cell.
    around
        What holds there.
    guess
        Extinction in F146 (mag) from which to begin, as that of a larger cell; looked for if there is none.
    """
    bright, faint = around.limits(REFERENCE)
    magnitude = stars.magnitude[REFERENCE]
    counted = (magnitude > bright) & (magnitude < faint)
    found: dict[tuple[str, str], _PairResult] = {}
    main: ClumpFit | None = None
    for pair in PAIRS:
        blue, red = (stars.magnitude[one][counted] for one in pair)
        found[pair] = _measure_pair(magnitude[counted], blue - red, _Task(pair, around, guess, main))
        main = main or found[pair].fit
    for pair, one in found.items():
        # Where the second colour has told where the clump is, the first is looked at again.
        if one.fit is None and main is not None:
            blue, red = (stars.magnitude[name][counted] for name in pair)
            found[pair] = _measure_pair(magnitude[counted], blue - red, _Task(pair, around, guess, main))
    return _combined(found, int(np.count_nonzero(counted)), around)


def _measure_pair(magnitude: FloatArray, colour: FloatArray, task: _Task) -> _PairResult:
    """Find the clump in one colour."""
    cells, known = task.around.configuration.cells, np.isfinite(colour)
    if magnitude.size == 0:
        return _PairResult("no_stars", 0)
    if known.mean() < _OBSERVED:
        return _PairResult("not_measured", int(known.sum()))
    if known.sum() < cells.fewest:
        return _PairResult("too_few_stars", int(known.sum()))
    magnitude, colour = magnitude[known], colour[known]
    result = None
    for begin in task.begins(magnitude, colour):
        result = _fit_pair(magnitude, colour, task, begin)
        if result.fit is not None:
            break
    return result or _PairResult(_why_no_clump(magnitude, colour, task), magnitude.size)


def _fit_pair(magnitude: FloatArray, colour: FloatArray, task: _Task, begin: float) -> _PairResult:
    """Fit the clump, and judge what was found; a further fit begins where one has ended."""
    around = task.around
    place = (around.apparent(REFERENCE) + begin, task.colour(begin))
    half, fit = usual_half_width(place[1] - task.colour(0.0)), None
    for _ in range(_FITS):
        window = window_around(*place, half, around.limits(REFERENCE))
        inside = window.holds(magnitude, colour)
        if inside.sum() < around.configuration.cells.fewest:
            return _PairResult("too_few_stars", int(inside.sum()))
        fit = fit_clump(magnitude[inside], colour[inside], window, place, around.companions)
        if not fit.is_converged or _fits_into(fit, place, half):
            break
        place, half = (fit.magnitude, fit.colour), max(half, min(_WINDOW_OF_WIDTHS * fit.width, 2 * half))
    assert fit is not None
    stands_out = task.main is not None or fit.significance >= around.configuration.cells.significance
    is_peak = stands_out or not fit.is_converged
    status = _judged(fit, task) if is_peak else _why_no_clump(magnitude, colour, task)
    return _PairResult(status, fit.n_star, fit if status == "fitted" else None)


def _fits_into(fit: ClumpFit, place: tuple[float, float], half: float) -> bool:
    """Whether the clump lies in the middle of its window, and the window holds all of its colours."""
    near = abs(fit.colour - place[1]) < 0.25 * half and abs(fit.magnitude - place[0]) < 0.3
    return near and _NARROWEST * fit.width < half


def _judged(fit: ClumpFit, task: _Task) -> str:
    """Whether a fit has found the clump: fitted, or what it is instead."""
    if not fit.is_converged:
        return "not_converged"
    around, reach = task.around, _ROOM * fit.sigma
    if task.main is not None and abs(fit.magnitude - task.main.magnitude) > _SAME:
        return "no_clump"
    expected = task.colour(max(fit.magnitude - around.apparent(REFERENCE), 0.0))
    allowed = _OFF_THE_LAW[0] + _OFF_THE_LAW[1] * (expected - task.colour(0.0))
    if task.main is None and abs(fit.colour - expected) > allowed:
        return "no_clump"
    bright, faint = around.limits(REFERENCE)
    if fit.magnitude - reach < bright:
        return "saturated"
    return "incomplete" if fit.magnitude + reach > faint else "fitted"


def _why_no_clump(magnitude: FloatArray, colour: FloatArray, task: _Task) -> str:
    """Say why no clump stands out: by the colour of the bright stars it would lie beyond a limit, or not."""
    bright, faint = task.around.limits(REFERENCE)
    near = colour[magnitude < bright + 1.5]
    dust = extinction_of_colour(near, task.around.bands, task.pair) if near.size else -1.0
    if dust < 0:
        return "no_clump"
    expected = task.around.apparent(REFERENCE) + dust
    if expected < bright + 0.3:
        return "saturated"
    return "incomplete" if expected > faint - 0.3 else "no_clump"


def _combined(found: dict[tuple[str, str], _PairResult], n_counted: int, around: Surroundings) -> CellResult:
    """Put the elements of both colours together."""
    main = next((one for one in found.values() if one.fit is not None), None)
    if main is None or main.fit is None:
        why = _shared_reason(found)
        rows = {_other(pair): _unfitted(result, why) for pair, result in found.items()}
        return CellResult(rows | {REFERENCE: ElementResult(why, n_counted)})
    magnitude, error = main.fit.magnitude, float(np.sqrt(main.fit.covariance[0, 0]))
    rows = {REFERENCE: ElementResult("fitted", main.n_star, magnitude, error, error**2)}
    for pair, result in found.items():
        rows[_other(pair)] = _element(pair, result, main.fit, around)
    dust = magnitude - around.apparent(REFERENCE)
    pair = next(pair for pair, one in found.items() if one is main)
    return CellResult(rows, dust, _spread(main.fit, pair, dust, around))


def _spread(fit: ClumpFit, pair: tuple[str, str], dust: float, around: Surroundings) -> float:
    """How much the extinction in F146 varies within a cell (mag), by the width of the colours."""
    step = around.bands.colour(pair, np.maximum(dust, 0.0) + np.array([0.0, 0.1]))
    beyond = np.sqrt(max(fit.width**2 - _WIDTH_OF_GIANTS**2, 0.0))
    return float(beyond / (np.diff(step)[0] / 0.1))


def _element(
    pair: tuple[str, str], result: _PairResult, main: ClumpFit, around: Surroundings
) -> ElementResult:
    """The element of a colour that is not F146: its magnitude is that of F146 plus or less the colour."""
    if result.fit is None:
        return ElementResult(result.status, result.n_star)
    sign = 1.0 if pair[1] == REFERENCE else -1.0
    magnitude = main.magnitude + sign * result.fit.colour
    bright, faint = around.limits(_other(pair))
    if magnitude - _ROOM * main.sigma < bright:
        return ElementResult("saturated", result.n_star)
    if magnitude + _ROOM * main.sigma > faint:
        return ElementResult("incomplete", result.n_star)
    # The magnitude is that of the first colour's fit: of this one's covariance its correlation is taken over.
    (own, mixed), (_, of_colour) = result.fit.covariance.tolist()
    of_magnitude = float(main.covariance[0, 0])
    shared = sign * mixed * np.sqrt(of_magnitude / own)
    covariance = of_magnitude + shared
    variance = of_magnitude + of_colour + 2 * shared
    return ElementResult("fitted", result.n_star, magnitude, float(np.sqrt(variance)), covariance)


def _other(pair: tuple[str, str]) -> str:
    """The element of a colour that is not F146."""
    return next(one for one in pair if one != REFERENCE)


def _unfitted(result: _PairResult, why: str) -> ElementResult:
    """The element of a colour in a cell without a clump: it has too few magnitudes, or the cell's reason."""
    own = result.status in ("not_measured", "too_few_stars", "no_stars")
    return ElementResult(result.status if own else why, result.n_star)


def _shared_reason(found: dict[tuple[str, str], _PairResult]) -> str:
    """Why there is no clump in F146: that there is no colour, or what the first colour says."""
    reasons = [result.status for result in found.values()]
    told = [reason for reason in reasons if reason != "not_measured"]
    return told[0] if told else "no_colour"


def element_columns(result: CellResult, around: Surroundings) -> list[dict[str, Any]]:
    """What is stored of each optical element of a cell; NaN where there is no clump.

    The error of an extinction is that of the fit and those of the clump's absolute magnitude and of the
    distance, which all cells share; so is the covariance with the extinction in F146.
    """
    clump, distance = around.configuration.clump, around.configuration.distance
    rows = []
    for element in ELEMENTS:
        one = result.elements[element]
        shared = distance.modulus_err**2
        own = clump.magnitude_err[element] ** 2
        in_common = shared + (own if element == REFERENCE else 0.0)
        rows.append(
            {
                "optical_element": element,
                "extinction": one.magnitude - around.apparent(element),
                "extinction_err": float(np.sqrt(one.error**2 + own + shared)),
                "extinction_covariance_f146": one.covariance + in_common,
                "clump_mag": one.magnitude,
                "clump_mag_err": one.error,
                "clump_mag_intrinsic": around.apparent(element),
                "n_star": one.n_star,
                "status": one.status,
            }
        )
    return rows
