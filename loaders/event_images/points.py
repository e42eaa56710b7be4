"""Light curves whose points are those that were measured in images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from loaders.event_efficiency.points import Points

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ImagePoints:
    """What was measured of a light curve in images, in any order; arrays of shape (n,).

    Parameters
    ----------
    exposure_id
        Exposures, each once.
    flux, error
        nJy; NaN where not measured.
    flags
        Photometry flags.
    """

    exposure_id: IntArray
    flux: npt.NDArray[np.float32]
    error: npt.NDArray[np.float32]
    flags: npt.NDArray[np.uint16]

    @classmethod
    def of_rows(cls, rows: list[Mapping[str, Any]]) -> ImagePoints:
        """The points of rows of ``roman.injected_event_segment``; one at least."""

        def joined(name: str, kind: str) -> Any:
            return np.concatenate([np.array(row[name], dtype=kind) for row in rows])

        return cls(
            joined("exposure_id", "i8"), joined("flux", "f4"), joined("flux_err", "f4"), joined("flags", "u2")
        )


def remeasured(points: Points, exposure_id: IntArray, measured: ImagePoints | None) -> Points:
    """A light curve with the points of images in place of its own; those without one are not measured.

    Parameters
    ----------
    points
        The light curve as it is stored.
    exposure_id
        Shape (n,): exposures of its points.
    measured
        What images say; None where they say nothing.
    """
    nothing = np.full(points.time.size, np.nan, np.float32)
    flux, error = nothing, nothing.copy()
    flags = np.zeros(points.time.size, np.uint16)
    if measured is not None and measured.exposure_id.size:
        order = np.argsort(measured.exposure_id)
        place = np.searchsorted(measured.exposure_id[order], exposure_id)
        row = order[np.minimum(place, order.size - 1)]
        known = measured.exposure_id[row] == exposure_id
        flux[known], error[known] = measured.flux[row[known]], measured.error[row[known]]
        flags[known] = measured.flags[row[known]]
    return replace(points, flux=flux, error=error, flags=flags)
