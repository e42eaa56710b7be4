"""Stars that several exposures show at different places: the response of the detector relative to its mean.

This is the self-calibration of Padmanabhan et al. (2008, ApJ 674, 1217), for spectra: the logarithm of a
rate is a number for each star and band of wavelengths, one for each exposure, and polynomials of the place
and the wavelength. The numbers of stars are eliminated; the rest is solved by weighted least squares.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.polynomial.legendre import legvander

from loaders.rejection import Rejected
from loaders.spectral_calibration.profile import spread
from loaders.spectral_calibration.rows import SourceRows
from loaders.spectral_extraction.frame import BoolArray
from loaders.spectral_extraction.response import SIDE, Response
from loaders.spectral_extraction.sensitivity import Sensitivity
from loaders.spectral_geometry.polynomial import FloatArray

IntArray = npt.NDArray[np.int64]

_BINS = 12
"""Bands of wavelengths."""
_BAND = 0.3
"""Share of the highest sensitivity above which wavelengths are in one of them."""
_MOVED = 100.0
"""Pixels between the places of a star from which on they are two."""
_GREY_DEGREE, _COLOUR_DEGREE, _COLOUR_ORDER = 3, 2, 2
"""Degrees of the polynomials of the place: of all wavelengths alike, and of each order of these; orders."""
_GREY_ERROR = 0.002
"""Prior standard deviation of the response of exposures.

Without one a slope over the detector could not be told from exposures, as dithers move all stars alike.
"""
_TERM_ERROR = 0.1
"""Prior standard deviation of each term of the polynomials."""
_FLOOR = 0.001
"""Relative error of a rate beside that of its noise."""
_CLIP = 4.0
_ROUNDS = 5
_GRID = 9
"""Places each way at which the error of the response is taken."""


@dataclass(frozen=True)
class Repeats:
    """Rates of stars in bands of wavelengths; arrays of shape (n,).

    Parameters
    ----------
    star, exposure, band
        Which.
    x, y, wavelength
        Pixel of the detector on which its light falls, and µm.
    rate, error
        Logarithm of the rate over that of a flat spectrum, and its standard error.
    """

    star: IntArray
    exposure: IntArray
    band: IntArray
    x: FloatArray
    y: FloatArray
    wavelength: FloatArray
    rate: FloatArray
    error: FloatArray

    def of(self, kept: BoolArray) -> Repeats:
        """Some of them."""
        return Repeats(*(getattr(self, name)[kept] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class FittedResponse:
    """A response.

    Parameters
    ----------
    terms
        Of `Response`.
    exposures
        Logarithms of the responses of exposures, by their identifiers.
    error
        Standard error of the polynomials, root of the mean of its square over detector and wavelengths, mag.
    scatter
        Robust scatter of the rates about the response, mag.
    n_star
        Stars that several exposures show.
    """

    terms: FloatArray
    exposures: Mapping[int, float]
    error: float
    scatter: float
    n_star: int


def repeats_of(spectra: Iterable[SourceRows], curve: Sensitivity) -> Repeats:
    """Rates of stars in bands of wavelengths, from their spectra and the sensitivity of the order."""
    useful = curve.wavelength[curve.value > _BAND * curve.value.max()]
    edges = np.linspace(useful[0], useful[-1], _BINS + 1)
    found = [row for rows in spectra if rows.is_point for row in _bands(rows, curve, edges)]
    table = np.array([row[3:] for row in found], dtype=np.float64).reshape(-1, 5)
    keys = np.array([row[:3] for row in found], dtype=np.int64).reshape(-1, 3)
    return Repeats(*keys.T, *table.T)


def _bands(rows: SourceRows, curve: Sensitivity, edges: FloatArray) -> Iterable[tuple[float, ...]]:
    """Values of `Repeats` of the bands of a star in which most rows are known."""
    flat = spread(rows.steps, rows.profile, curve.at)
    known = np.isfinite(rows.rate) & np.isfinite(rows.error)
    number = np.searchsorted(edges, rows.steps.wavelength) - 1
    for band in range(edges.size - 1):
        inside = number == band
        used = inside & known
        if used.sum() < 0.7 * inside.sum() or not used.any() or rows.rate[used].sum() <= 0:
            continue
        total = float(rows.rate[used].sum())
        place = (float(np.mean(one[used])) for one in (rows.steps.x, rows.steps.y, rows.steps.wavelength))
        error = float(np.sqrt((rows.error[used] ** 2).sum())) / total
        ratio = float(np.log(total / flat[used].sum()))
        yield (rows.object_id, rows.exposure_id, band, *place, ratio, error)


def fitted_response(found: Repeats, wavelength_range: tuple[float, float]) -> FittedResponse:
    """Fit the response of a detector and of its exposures to stars that are seen at several places.

    Parameters
    ----------
    found
        Rates of stars.
    wavelength_range
        Of `Response`.

    Raises
    ------
    Rejected
        Code ``one_dither``, if no star is seen at two places.
    """
    moved = _moved(found)
    if not moved.any():
        what = f"of {np.unique(found.star).size} stars none is seen at two places {_MOVED:.0f} pixels apart"
        remedy = "Take exposures of the same stars with dithers of 50 to 240 arcsec"
        raise Rejected("the response", what, remedy, "one_dither")
    found = found.of(moved)
    exposures, which = np.unique(found.exposure, return_inverse=True)
    powers = _powers()
    design = np.column_stack(
        [
            np.eye(exposures.size)[which],
            _terms(found.x, found.y, found.wavelength, wavelength_range, powers),
        ]
    )
    prior = np.concatenate([np.full(exposures.size, _GREY_ERROR**-2), np.full(len(powers), _TERM_ERROR**-2)])
    groups = np.unique(found.star * _BINS + found.band, return_inverse=True)[1]
    values, covariance, left = _solved(design, found, groups, prior)
    grey = values[: exposures.size] - values[: exposures.size].mean()
    terms = np.zeros((_GREY_DEGREE + 1, _GREY_DEGREE + 1, _COLOUR_ORDER + 1))
    for power, value in zip(powers, values[exposures.size :], strict=True):
        terms[power] = value
    magnitudes = 2.5 / np.log(10)
    return FittedResponse(
        terms,
        dict(zip(exposures.tolist(), grey.tolist(), strict=True)),
        magnitudes * _error(covariance[exposures.size :, exposures.size :], powers, wavelength_range),
        magnitudes * 1.4826 * float(np.median(np.abs(left))),
        int(np.unique(found.star).size),
    )


def _moved(found: Repeats) -> BoolArray:
    """Which rates are of stars that are seen at places which are far apart, in the same band."""
    groups = np.unique(found.star * _BINS + found.band, return_inverse=True)[1]
    number = int(groups.max(initial=-1)) + 1
    span = np.zeros(number)
    for place in (found.x, found.y):
        low, high = np.full(number, np.inf), np.full(number, -np.inf)
        np.minimum.at(low, groups, place)
        np.maximum.at(high, groups, place)
        span = np.maximum(span, high - low)
    return np.asarray(span[groups] > _MOVED)


def _powers() -> list[tuple[int, int, int]]:
    """Indices of the terms of a response that are fitted.

    Those of the wavelength alone are not: they are the same for all places, and belong to the sensitivity.
    """
    degrees = [_GREY_DEGREE] + [_COLOUR_DEGREE] * _COLOUR_ORDER
    return [
        (i, j, k)
        for k, degree in enumerate(degrees)
        for i in range(degree + 1)
        for j in range(degree + 1 - i)
        if i + j > 0
    ]


def _terms(
    x: FloatArray,
    y: FloatArray,
    wavelength: FloatArray,
    wavelength_range: tuple[float, float],
    powers: Sequence[tuple[int, int, int]],
) -> FloatArray:
    """Legendre polynomials of places and wavelengths as `Response` has them, shape (n, m)."""
    low, high = wavelength_range
    across, along = (legvander(2 * (one + 0.5) / SIDE - 1, _GREY_DEGREE) for one in (x, y))
    colour = legvander(2 * (wavelength - low) / (high - low) - 1, _COLOUR_ORDER)
    return np.column_stack([across[:, i] * along[:, j] * colour[:, k] for i, j, k in powers])


def _solved(
    design: FloatArray, found: Repeats, groups: IntArray, prior: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Values, covariance, and what is left of the rates that were kept."""
    weight = 1 / (found.error**2 + _FLOOR**2)
    keep = np.ones(weight.size, dtype=bool)
    for _ in range(_ROUNDS):
        used = np.where(keep, weight, 0.0)
        own = _less_means(design, groups, used)
        rate = _less_means(found.rate[:, None], groups, used)[:, 0]
        normal = (own * used[:, None]).T @ own + np.diag(prior)
        values = np.linalg.solve(normal, (own * used[:, None]).T @ rate)
        left = rate - own @ values
        scale = max(1.0, 1.4826 * float(np.median(np.abs(left[keep]) * np.sqrt(weight[keep]))))
        keep = np.abs(left) * np.sqrt(weight) < _CLIP * scale
    return np.asarray(values), np.asarray(scale**2 * np.linalg.inv(normal)), left[keep]


def _less_means(values: FloatArray, groups: IntArray, weight: FloatArray) -> FloatArray:
    """Values, shape (n, m), less their weighted means over groups."""
    number = int(groups.max()) + 1
    total = np.bincount(groups, weight, number)
    inverse = np.divide(1.0, total, out=np.zeros(number), where=total > 0)
    means = np.column_stack([np.bincount(groups, weight * one, number) * inverse for one in values.T])
    return np.asarray(values - means[groups])


def _error(
    covariance: FloatArray, powers: Sequence[tuple[int, int, int]], wavelength_range: tuple[float, float]
) -> float:
    """Root of the mean variance of the polynomials over the detector and the wavelengths."""
    places = (np.arange(_GRID) + 0.5) * SIDE / _GRID
    grid = np.meshgrid(places, places, np.linspace(*wavelength_range, _GRID))
    x, y, wavelength = (one.ravel() for one in grid)
    terms = _terms(x, y, wavelength, wavelength_range, powers)
    return float(np.sqrt(np.einsum("ni,ij,nj->n", terms, covariance, terms).mean()))


def response_of(
    fitted: FittedResponse, wavelength_range: tuple[float, float], names: Mapping[int, str]
) -> Response:
    """The response as a part of a sensitivity; ``names`` are the files of exposures by their identifiers."""
    exposures = {names[key]: value for key, value in fitted.exposures.items()}
    return Response(fitted.terms, wavelength_range, exposures)
