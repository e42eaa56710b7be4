"""From an expected image to a measured one: photon and read noise, saturation, cosmic rays, bad pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from roman_datamodels.dqflags import pixel as dq_flag

from loaders.simulation.cosmic_rays import Hits, draw_hits
from loaders.simulation.instrument_tables import SCIENCE_PIXELS, DetectorNoise, detector_number
from loaders.simulation.parameters import DetectorParameters, MultiAccumTable, Window
from loaders.simulation.ramp import RampNoise, power_index, ramp_noise, usable_resultants

FloatArray = npt.NDArray[np.float64]
FlagArray = npt.NDArray[np.uint32]

_DO_NOT_USE = np.uint32(dq_flag.DO_NOT_USE.value)
_SATURATED = np.uint32(dq_flag.SATURATED.value)
_JUMP = np.uint32(dq_flag.JUMP_DET.value)
_DEAD = np.uint32(dq_flag.DEAD.value)
_HOT = np.uint32(dq_flag.HOT.value)
_HOT_CURRENT = 20.0
"""Mean dark current of a hot pixel, electrons/s, exponential."""


@dataclass(frozen=True)
class Measured:
    """A measured image in electrons/s; arrays of shape (height, width).

    ``rate`` has the dark current taken out. ``var_poisson`` and ``variance`` (photons and reads) are the
    pipeline's own estimates, from the measured slope. Rate and variances are 0 where a pixel has no slope.
    """

    rate: FloatArray
    var_poisson: FloatArray
    variance: FloatArray
    dq: FlagArray


@dataclass(frozen=True)
class DetectorState:
    """A window of a detector: its noise, its bad pixels (flags and own dark current), its electronics."""

    noise: DetectorNoise
    parameters: DetectorParameters
    static_dq: FlagArray
    hot_current: FloatArray


def detector_state(
    detector: str, window: Window, noise: DetectorNoise, parameters: DetectorParameters
) -> DetectorState:
    """Draw the bad pixels of a detector, always the same ones, and cut the window out of them."""
    flags = np.zeros(window.shape, dtype=np.uint32)
    current = np.zeros(window.shape)
    if parameters.bad_pixels:
        rng = np.random.default_rng([parameters.bad_pixel_seed, detector_number(detector)])
        number = round((1 - noise.operable_fraction) * SCIENCE_PIXELS**2)
        x, y = rng.integers(0, SCIENCE_PIXELS, (2, number))
        hot, level = rng.uniform(size=number) < 0.5, rng.exponential(_HOT_CURRENT, number)
        x, y = x - window.x, y - window.y
        inside = (np.minimum(x, y) >= 0) & (x < window.width) & (y < window.height)
        x, y, hot, level = x[inside], y[inside], hot[inside], level[inside]
        flags[y, x] = np.where(hot, _HOT, _DEAD) | _DO_NOT_USE
        current[y, x] = np.where(hot, level, 0.0)
    return DetectorState(noise, parameters, flags, current)


def measure(
    expected: FloatArray, table: MultiAccumTable, state: DetectorState, rng: np.random.Generator
) -> Measured:
    """Expose a detector to an expected image.

    The slope of a pixel is drawn as a Poisson number of electrons in the time that gives it the variance of
    the ramp fit, plus normal read noise; the ramp itself is not drawn. Mean and variance are the fit's.

    Parameters
    ----------
    expected
        Shape (height, width): photo-electrons/s, sky included.
    table
        The reads.
    state
        The detector.
    rng
        Random numbers.
    """
    noise, parameters = state.noise, state.parameters
    alive = np.where(state.static_dq & _DEAD, 0.0, expected)
    total = alive + noise.dark_current + state.hot_current
    dq = state.static_dq.copy()
    used = usable_resultants(table, total, parameters.full_well)
    dq[used < len(table.read_pattern)] |= _SATURATED
    power = power_index(table, total, noise.read_noise)
    ramps = ramp_noise(table)
    poisson, read = ramps.poisson[power, used], ramps.read[power, used]
    hits = draw_hits(expected.shape, table.exposure_time, parameters, rng)
    extra = _strike(hits, table, (power, used), (poisson, read, dq))
    lost = ~np.isfinite(poisson)
    dq[lost] |= _DO_NOT_USE
    poisson, read = np.where(lost, 1.0, poisson), np.where(lost, 0.0, read)
    slope = rng.poisson(total / poisson) * poisson + extra
    slope += rng.standard_normal(total.shape) * np.sqrt(read) * noise.read_noise
    var_poisson = np.maximum(slope, 0.0) * poisson
    variance = var_poisson + read * noise.read_noise**2
    keep = ~lost
    return Measured((slope - noise.dark_current) * keep, var_poisson * keep, variance * keep, dq)


def _strike(
    hits: Hits,
    table: MultiAccumTable,
    fit: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]],
    into: tuple[FloatArray, FloatArray, FlagArray],
) -> FloatArray:
    """Enter cosmic rays: slope added where they went unseen, more noise and a flag where they were cut out.

    Pixels that saturate keep their fit over the first resultants.

    Parameters
    ----------
    hits
        The hits.
    table
        The reads.
    fit
        Index of the power and number of resultants used, for each pixel.
    into
        Poisson and read-noise coefficients and flags of each pixel, changed in place.

    Returns
    -------
    Slope in electrons/s added to each pixel.
    """
    power, used = fit
    poisson, read, dq = into
    ramps: RampNoise = ramp_noise(table)
    ends = np.array([reads[-1] for reads in table.read_pattern]) * table.frame_time
    resultant = np.minimum(np.searchsorted(ends, hits.time), ends.size - 1)
    whole = used[hits.row, hits.column] == ends.size
    added = np.zeros(poisson.shape)
    unseen = whole & ~hits.flagged
    at = hits.row[unseen], hits.column[unseen]
    added[at] = hits.charge[unseen] * ramps.step[power[at], resultant[unseen]]
    seen = whole & hits.flagged
    at = hits.row[seen], hits.column[seen]
    poisson[at] = ramps.jump_poisson[power[at], resultant[seen]]
    read[at] = ramps.jump_read[power[at], resultant[seen]]
    dq[at] |= _JUMP
    return added
