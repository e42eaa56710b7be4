"""How bright an exposure is against the reference, star by star, so that no star decides it for all.

Every pixel belongs to the star whose light dominates there, as an envelope of the PSF has it: speckles and
spikes of a bright star are its own, and no stars that vary as it does. In the pixels of each star its light
in the exposure is compared with that in the reference, by least squares with a level of its own, which takes
up the wings of neighbours whatever they do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter

from loaders.photometry.common_scale import CommonScale, common_scale
from loaders.photometry.parallel import Workers
from loaders.reference.kernels import Float32Array, FloatArray, Geometry, evaluate, place, row_polynomials
from loaders.reference.normal import ExposurePixels
from roman_db.compiled import compiled

BoolArray = npt.NDArray[np.bool_]
Int32Array = npt.NDArray[np.int32]

_FAINTEST = 5.0
"""Standard deviations of an empty pixel of one exposure that the middle of a star is above."""

_CORE, _POWER, _FADED, _FARTHEST = 1.2, 2.7, 0.3, 20
"""The envelope of PSFs: the brightest pixel out to so many detector pixels, and falling with such a power of
the distance beyond, as the peaks of diffraction rings and spikes of all elements do at most; down to such a
part of the standard deviation of an empty pixel, and no farther than so many pixels."""

_CLIP, _SLOP, _SLACK = 4.0, 0.05, 0.1
"""Standard deviations beyond which a pixel counts less; errors of the place in fine pixels and of the
prediction as a fraction of it that are part of them. Hits are beyond them; no change of scale is."""

_SEEN = 0.8
"""Share of a star's light that must fall on pixels that count."""

_FEWEST_PIXELS = 6
"""Pixels from which light and level of a star can be told apart."""


@dataclass(frozen=True)
class Territories:
    """To which star each place of a reference belongs.

    Parameters
    ----------
    owner
        Shape (ny, nx), a detector pixel each: number of the star, -1 for none.
    oversampling
        Fine pixels per detector pixel along an axis.
    count
        Number of stars.
    """

    owner: Int32Array
    oversampling: int
    count: int


def territories(
    coefficient: FloatArray, oversampling: int, deviation: float, workers: Workers
) -> Territories:
    """Divide a reference among its stars.

    Parameters
    ----------
    coefficient
        Shape (ny, nx): of the reference, flux in a detector pixel.
    oversampling
        Fine pixels per detector pixel along an axis.
    deviation
        Standard deviation of a pixel of an exposure without stars, in the same unit.
    workers
        Threads.
    """
    ny, nx = (-(-length // oversampling) for length in coefficient.shape)
    brightest = np.zeros((ny, nx), dtype=np.float32)
    workers.run(brightest_within, ny, coefficient, oversampling, brightest)
    owner, count = divided(brightest, deviation)
    return Territories(owner, oversampling, count)


def divided(brightest: Float32Array, deviation: float) -> tuple[Int32Array, int]:
    """Divide an image among its stars.

    Parameters
    ----------
    brightest
        Shape (ny, nx): light of stars in each detector pixel.
    deviation
        Standard deviation of a pixel without stars, in the same unit.

    Returns
    -------
    ndarray
        Shape (ny, nx): number of the star that a pixel belongs to, the brightest first; -1 for none.
    int
        Number of stars.
    """
    is_peak = (brightest == maximum_filter(brightest, size=3)) & (brightest > _FAINTEST * deviation)
    row, column = np.nonzero(is_peak)
    peak = brightest[row, column]
    order = np.argsort(-peak, kind="stable")
    owner = np.full(brightest.shape, -1, dtype=np.int32)
    envelope = (_CORE, _POWER, _FADED * deviation, _FARTHEST)
    return owner, int(claim(row[order], column[order], peak[order], envelope, owner))


@dataclass(frozen=True)
class StarLight:
    """Stars of a reference in an exposure.

    Parameters
    ----------
    ratio, error
        Shape (n,): light of each star in the exposure over that in the reference, and standard errors by
        noise; NaN where the star is not seen, or a fifth of its light falls on pixels that do not count.
    number
        Shape (ny, nx): star that each pixel of the exposure belongs to; -1 for none.
    """

    ratio: FloatArray
    error: FloatArray
    number: Int32Array

    def scale(self) -> CommonScale:
        """What most stars have in common."""
        return common_scale(self.ratio, self.error)

    def of_changed(self, scale: CommonScale) -> BoolArray:
        """Pixels of stars that are far off a scale, shape (ny, nx)."""
        changed = np.append(scale.changed(self.ratio, self.error), [False])
        return np.asarray(changed[self.number])


def star_light(
    coefficient: FloatArray, exposure: ExposurePixels, stars: Territories, workers: Workers
) -> StarLight:
    """Compare the stars of an exposure with the reference.

    Weights are inverse variances with the photons of the stars: of bright stars the ratio is that of the
    light in all their pixels, which a somewhat different PSF hardly changes.

    Parameters
    ----------
    coefficient
        Of the reference.
    exposure
        The exposure where it lies.
    stars
        The stars of the reference.
    workers
        Threads.
    """
    shape = exposure.value.shape
    predicted, weight = (np.zeros(shape, dtype=np.float32) for _ in range(2))
    number = np.full(shape, -1, dtype=np.int32)
    pixels, out = (exposure.value, exposure.weight, exposure.growth), (predicted, weight, number)
    reference, granted = (coefficient, stars.owner, stars.oversampling), (_CLIP, _SLOP, _SLACK)
    workers.run(star_pixels, shape[0], reference, exposure.geometry, pixels, granted, out)
    return compared(number, stars.count, exposure.value, weight, predicted)


def compared(
    number: Int32Array, count: int, value: Float32Array, weight: Float32Array, predicted: Float32Array
) -> StarLight:
    """Compare the stars of an image with a prediction of it, each beside a level of its own.

    Parameters
    ----------
    number
        Shape (ny, nx): star that each pixel belongs to; -1 for none.
    count
        Number of stars.
    value, weight, predicted
        Shape (ny, nx): pixels without sky, their inverse variances, 0 where they do not count, and what they
        should be.
    """
    here = np.flatnonzero(number >= 0)
    star = number.ravel()[here]
    w, r, pixel = (one.ravel()[here].astype(np.float64) for one in (weight, predicted, value))
    left = pixel - r

    def total(values: FloatArray | BoolArray) -> FloatArray:
        return np.asarray(np.bincount(star, values, minlength=count), dtype=np.float64)

    light = np.maximum(r, 0)
    is_enough = (total(light * (w > 0)) > _SEEN * total(light)) & (total(w > 0) >= _FEWEST_PIXELS)
    s, s_r, s_rr, s_l, s_rl = total(w), total(w * r), total(w * r * r), total(w * left), total(w * r * left)
    with np.errstate(divide="ignore", invalid="ignore"):
        information = s_rr - s_r**2 / s
        told = is_enough & (information > 0)
        ratio = np.where(told, 1 + (s_rl - s_r * s_l / s) / information, np.nan)
        error = np.where(told, 1 / np.sqrt(information), np.nan)
    return StarLight(ratio, error, number)


@compiled()
def brightest_within(
    begin: int, end: int, coefficient: FloatArray, oversampling: int, out: Float32Array
) -> None:
    """Largest value of a reference at the fine pixels within each detector pixel, for some rows."""
    n_row, n_column = coefficient.shape
    for m in range(begin, end):
        for k in range(out.shape[1]):
            for j in range(m * oversampling, min((m + 1) * oversampling, n_row)):
                for i in range(k * oversampling, min((k + 1) * oversampling, n_column)):
                    value = evaluate(coefficient, float(i), float(j))[0]
                    out[m, k] = max(out[m, k], np.float32(value))


@compiled()
def claim(
    row: npt.NDArray[np.int64],
    column: npt.NDArray[np.int64],
    peak: Float32Array,
    envelope: tuple[float, float, float, int],
    owner: Int32Array,
) -> int:
    """Give pixels to the stars whose envelopes are highest there; returns how many stars there are.

    Parameters
    ----------
    row, column, peak
        Shape (n,): brightest pixels, the brightest first. One below the envelope of another is no star.
    envelope
        Distance to which it is flat, the power of its fall, where it ends, and its longest reach.
    owner
        Filled, shape (ny, nx): numbers of the stars; -1 before.
    """
    core, power, faded, farthest = envelope
    highest = np.zeros(owner.shape, np.float32)
    count = 0
    for n in range(len(peak)):
        if peak[n] <= highest[row[n], column[n]]:
            continue
        reach = min(int(core * (peak[n] / faded) ** (1 / power)), farthest)
        for j in range(max(row[n] - reach, 0), min(row[n] + reach + 1, owner.shape[0])):
            for i in range(max(column[n] - reach, 0), min(column[n] + reach + 1, owner.shape[1])):
                distance = np.hypot(float(j - row[n]), float(i - column[n]))
                if distance > reach:
                    continue
                value = np.float32(peak[n] * (core / max(distance, core)) ** power)
                if value > highest[j, i]:
                    highest[j, i], owner[j, i] = value, count
        count += 1
    return count


@compiled()
def star_pixels(
    begin: int,
    end: int,
    reference: tuple[FloatArray, Int32Array, int],
    geometry: Geometry,
    exposure: tuple[Float32Array, Float32Array, float],
    granted: tuple[float, float, float],
    out: tuple[Float32Array, Float32Array, Int32Array],
) -> None:
    """What the reference says of the pixels of some rows, their weights, and to which stars they belong.

    Parameters
    ----------
    begin, end
        Rows.
    reference
        Its coefficients; owners of its detector pixels and fine pixels in each, see `Territories`.
    geometry, exposure
        As in `loaders.reference.kernels.registration_sums`.
    granted
        Standard deviations beyond which a pixel counts less, and errors of the place in fine pixels and of
        the prediction as a fraction of it that are part of them.
    out
        Filled, shape (ny, nx) each: prediction; inverse variance with the photons of the stars, 0 where the
        pixel does not count; number of the star, -1 where there is none or the frame ends.
    """
    value, weight, growth = exposure
    clip, slop, slack = granted
    coefficient, owner, fine = reference
    for j in range(begin, end):
        row = row_polynomials(geometry, j)
        for i in range(value.shape[1]):
            u, v = place(geometry, row, i)
            r, gu, gv, known = evaluate(coefficient, u, v)
            if not known:
                continue
            star = owner[int(np.rint(v)) // fine, int(np.rint(u)) // fine]
            out[0][j, i], out[2][j, i] = np.float32(r), star
            if weight[j, i] == 0.0 or star < 0:
                continue
            variance = (1 + growth * max(r, 0.0)) / weight[j, i]
            limit = clip * np.sqrt(variance + (slack * r) ** 2 + slop**2 * (gu * gu + gv * gv))
            factor = min(limit / max(abs(value[j, i] - r), 1e-30), 1.0) ** 2
            out[1][j, i] = np.float32(factor / variance)
