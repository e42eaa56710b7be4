"""Light curves of variable stars: what their flux is multiplied by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_RISE = 0.15
"""Share of the period in which a sawtooth brightens, as in RR Lyrae stars of type ab."""
_ECLIPSE = 0.06
"""Half the duration of an eclipse as a share of the period."""
_SECONDARY = 0.4
"""Depth of the secondary eclipse in units of the primary's."""


@dataclass(frozen=True)
class Variables:
    """Variable stars, one a row; arrays of shape (n,).

    ``star`` is the index in the scene, ``kind`` one of `SHAPES`, ``period`` in days, ``amplitude`` the full
    amplitude in magnitudes, ``epoch`` a barycentric MJD (TDB) of phase 0.
    """

    star: npt.NDArray[np.int64]
    kind: npt.NDArray[np.str_]
    period: FloatArray
    amplitude: FloatArray
    epoch: FloatArray


def flux_factor(variables: Variables, mjd_tdb: FloatArray) -> FloatArray:
    """Flux over the catalogued flux at barycentric times of shape (n_time,): shape (n_time, n_variable).

    Raises
    ------
    ValueError
        If a kind is not known.
    """
    phase = ((mjd_tdb[:, None] - variables.epoch) / variables.period) % 1.0
    magnitude = np.empty_like(phase)
    for kind in np.unique(variables.kind):
        if kind not in SHAPES:
            raise ValueError(f"kind of variable must be one of {sorted(SHAPES)}, got {kind!r}")
        rows = variables.kind == kind
        magnitude[:, rows] = SHAPES[str(kind)](phase[:, rows])
    return np.asarray(10 ** (-0.4 * variables.amplitude * magnitude))


def _sinusoid(phase: FloatArray) -> FloatArray:
    """Magnitudes from -1/2 to 1/2 about the catalogued one."""
    return np.asarray(np.sin(2 * np.pi * phase) / 2)


def _sawtooth(phase: FloatArray) -> FloatArray:
    """A steep rise to -1/2 and a slow decline to 1/2."""
    rising = 0.5 - phase / _RISE
    fading = -0.5 + (phase - _RISE) / (1 - _RISE)
    return np.asarray(np.where(phase < _RISE, rising, fading))


def _eclipsing(phase: FloatArray) -> FloatArray:
    """Catalogued magnitude out of eclipse; primary at phase 0, secondary at 1/2, round bottoms."""
    primary = np.minimum(phase, 1 - phase) / _ECLIPSE
    secondary = np.abs(phase - 0.5) / _ECLIPSE
    depth = np.clip(1 - primary**4, 0, None) + _SECONDARY * np.clip(1 - secondary**4, 0, None)
    return np.asarray(depth)


SHAPES = {"sinusoid": _sinusoid, "sawtooth": _sawtooth, "eclipsing": _eclipsing}
"""Magnitude against phase (0-1) for an amplitude of one, by kind."""
