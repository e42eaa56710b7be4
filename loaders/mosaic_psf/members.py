"""The PSF of a mosaic from its exposures: how each of some saw the middle of it, and with which PSF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from loaders.injection.image import read_facts
from loaders.psf.model import EffectivePsf, FloatArray
from loaders.psf.mosaic import at_position, cropped, dropped, mean_psf, mosaic_psf
from loaders.wfi.projection import SkyProjection

_HALF_WIDTH = 15
"""Pixels of the detector to which the PSF of a mosaic reaches."""

T = TypeVar("T")


@dataclass(frozen=True)
class Member:
    """An exposure of a mosaic.

    Parameters
    ----------
    detector, mjd_tdb
        What its PSF is looked up by, with the optical element of the mosaic.
    place
        Pixel (x, y) of it that sees the middle of the mosaic, or the nearest to it.
    roll
        Shape (2, 2): arcsec east (first row) and north (second row) per pixel in x and y there.
    """

    detector: str
    mjd_tdb: float
    place: tuple[float, float]
    roll: FloatArray


def read_member(path: Path, sky: SkyProjection) -> Member:
    """Read how an exposure sees the middle of a mosaic.

    Raises
    ------
    Rejected
        If the file cannot be used.
    """
    facts = read_facts(path)
    ny, nx = facts.projection.shape
    x, y = facts.projection.to_pixel(*sky.center)
    place = (float(np.clip(np.nan_to_num(x), 0, nx - 1)[0]), float(np.clip(np.nan_to_num(y), 0, ny - 1)[0]))
    roll = facts.projection.jacobian(np.array([place[0]]), np.array([place[1]]))[0]
    return Member(facts.detector, facts.mjd_tdb, place, roll)


def psf_of_mosaic(
    members: Sequence[tuple[Member, EffectivePsf]], sky: SkyProjection, pixfrac: float
) -> EffectivePsf:
    """Mean PSF of exposures in the pixels of a mosaic.

    Parameters
    ----------
    members
        Exposures with the PSFs of their detectors; all count alike.
    sky
        Pixels of the mosaic.
    pixfrac
        Side of the drops of drizzling in pixels of the detector.
    """
    ny, nx = sky.shape
    grid = sky.jacobian(np.array([(nx - 1) / 2]), np.array([(ny - 1) / 2]))[0]
    side = float(np.sqrt(abs(np.linalg.det(grid))))
    # The mosaic's own axes take the place of west and north.
    turned = grid @ np.diag([-1 / side, 1 / side])
    parts = [
        mosaic_psf(
            dropped(at_position(cropped(psf, _HALF_WIDTH), *member.place), pixfrac),
            np.linalg.solve(turned, member.roll),
            side,
        )
        for member, psf in members
    ]
    return mean_psf(parts)


def spread_out(items: Sequence[T], most: int) -> list[T]:
    """At most so many of the items, evenly from the first to the last."""
    if len(items) <= most:
        return list(items)
    return [items[k] for k in np.unique(np.linspace(0, len(items) - 1, most).round().astype(int))]
